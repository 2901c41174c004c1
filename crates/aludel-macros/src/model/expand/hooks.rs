//! What a model with hooks has beside the rest: the functions that the flush calls.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::{option, private, private_at};
use crate::model::spec::Model;

/// The option of the definition, where hooks are declared.
pub(super) fn table(model: &Model) -> Option<TokenStream> {
    let (private, ident) = (private(), &model.ident);
    let hooks = model.hooks.map(|span| quote_spanned!(span=> .with_hooks::<#ident>()));
    let async_hooks = model.async_hooks.map(|span| quote_spanned!(span=> .with_async_hooks::<#ident>()));
    if hooks.is_none() && async_hooks.is_none() {
        return None;
    }
    Some(option(Some(quote!(const { &#private::HookTable::NONE #hooks #async_hooks }))))
}

/// What the struct is given to when its fields are read.
pub(super) fn decoded(model: &Model) -> TokenStream {
    let private = private();
    match model.hooks {
        Some(span) => {
            let at = private_at(span);
            quote_spanned!(span=> #at::loaded)
        }
        None => quote!(#private::Result::Ok),
    }
}

/// That hooks are declared, without which nobody can write them.
pub(super) fn declared(model: &Model) -> TokenStream {
    let (private, ident) = (private(), &model.ident);
    let hooks = model.hooks.map(|_| quote!(#[automatically_derived] impl #private::DeclaresHooks for #ident {}));
    let async_hooks =
        model.async_hooks.map(|_| quote!(#[automatically_derived] impl #private::DeclaresAsyncHooks for #ident {}));
    quote!(#hooks #async_hooks)
}
