//! What all derives write in the same way.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, Type};

/// Where the generated code finds everything.
pub(crate) fn private() -> TokenStream {
    quote!(::aludel::__private)
}

/// The same at a place in the user's code, so that what is wrong there is shown there.
pub(crate) fn private_at(span: Span) -> TokenStream {
    quote_spanned!(span=> ::aludel::__private)
}

/// `Option::Some(..)` or `Option::None`.
pub(crate) fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// `<T as ColumnType>`, at the type.
pub(crate) fn column_type(ty: &Type) -> TokenStream {
    let private = private_at(ty.span());
    quote_spanned!(ty.span()=> <#ty as #private::ColumnType>)
}

/// `<T as KeyType>`, at the type.
pub(crate) fn key_type(ty: &Type) -> TokenStream {
    let private = private_at(ty.span());
    quote_spanned!(ty.span()=> <#ty as #private::KeyType>)
}

/// `user_id` as `UserId`.
pub(crate) fn pascal(ident: &Ident) -> String {
    let name = ident.unraw().to_string();
    let words = name.split('_').filter(|word| !word.is_empty()).map(|word| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    });
    words.collect()
}

/// The documentation of a field, or a line in its place.
pub(crate) fn docs(docs: &[Attribute], text: impl FnOnce() -> String) -> TokenStream {
    if docs.is_empty() {
        let text = text();
        return quote!(#[doc = #text]);
    }
    quote!(#(#docs)*)
}

/// The attributes that are documentation.
pub(crate) fn docs_of(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect()
}

/// What values of a type of the user's own need to be compared with columns of it.
pub(crate) fn operands(ident: impl ToTokens) -> TokenStream {
    let private = private();
    quote! {
        #[automatically_derived]
        impl #private::Operand<#ident> for #ident {
            fn into_operand(self) -> #private::Node {
                #private::operand(&self)
            }
        }
        #[automatically_derived]
        impl #private::Operand<#ident> for &#ident {
            fn into_operand(self) -> #private::Node {
                #private::operand(self)
            }
        }
    }
}
