//! Third stage: the code. It is thin: metadata, and calls of generic functions of the library.

mod builder;
mod constants;
mod constraint;
mod definition;
mod hooks;
mod implementation;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::spec::{Column, Model};
pub(crate) use crate::output::{column_type, key_type, option, private, private_at};

pub(crate) fn model(model: &Model) -> TokenStream {
    let constants = constants::expand(model);
    let implementation = implementation::expand(model);
    let builder = builder::expand(model);
    let hooks = hooks::declared(model);
    quote! {
        #constants
        #implementation
        #builder
        #hooks
    }
}

/// What a mixin says of one of its columns.
pub(crate) fn expand_mixin_column(mixin: &Ident, position: usize, column: &Column) -> TokenStream {
    let private = private();
    let ty = &column.field.ty;
    let values = [("MixinDefault", &column.default), ("MixinOnUpdate", &column.on_update)];
    let values = values.into_iter().filter_map(|(name, value)| {
        let (name, value) = (format_ident!("{name}"), value.as_ref()?);
        let at = private_at(value.span());
        let value = quote_spanned!(value.span()=> #at::IntoValue::<#ty>::into_value(#value));
        Some(quote! {
            #[automatically_derived]
            impl #private::#name<#position> for #mixin {
                fn value() -> Self::Type {
                    #value
                }
            }
        })
    });
    quote! {
        #[automatically_derived]
        impl #private::MixinColumn<#position> for #mixin {
            type Type = #ty;
        }
        #(#values)*
    }
}
