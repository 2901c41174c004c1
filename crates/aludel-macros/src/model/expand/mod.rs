//! Third stage: the code. It is thin: metadata, and calls of generic functions of the library.

mod builder;
mod constants;
mod definition;
mod implementation;

use proc_macro2::TokenStream;
use quote::quote;

use super::spec::Model;

pub(crate) fn model(model: &Model) -> TokenStream {
    let constants = constants::expand(model);
    let implementation = implementation::expand(model);
    let builder = builder::expand(model);
    quote! {
        #constants
        #implementation
        #builder
    }
}

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
