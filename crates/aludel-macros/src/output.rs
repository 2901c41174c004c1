//! What all derives write in the same way.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Ident};

/// Where the generated code finds everything.
pub(crate) fn private() -> TokenStream {
    quote!(::aludel::__private)
}

/// `Option::Some(..)` or `Option::None`.
pub(crate) fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// Where the user wrote something, in the macro's own context: the error is shown there, and no lint takes the code for
/// the user's.
pub(crate) fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
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
