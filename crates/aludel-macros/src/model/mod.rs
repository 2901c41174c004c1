//! `#[derive(Model)]`.

mod counted;
mod expand;
mod foreign_keys;
mod inherit;
mod mixin;
mod parse;
mod resolve;
mod spec;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::{DeriveInput, FieldsNamed};

use crate::errors::Errors;

pub(crate) use expand::expand_mixin_column;
pub(crate) use parse::{column, refuse_attribute, relationship_type};
pub(crate) use spec::{Column, Field};

/// The three stages; with a mistake in one of the first two, the mistakes are all that comes out.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    match syn::parse2(input) {
        Ok(input) => model(&input, &[]),
        Err(error) => error.into_compile_error(),
    }
}

/// The same, of a struct and the fields of its first mixins.
pub(crate) fn derive_with_mixins(input: TokenStream) -> TokenStream {
    match syn::parse2(input) {
        Ok(mixin::Invocation { model, mixins }) => self::model(&model, &mixins),
        Err(error) => error.into_compile_error(),
    }
}

fn model(input: &DeriveInput, mixins: &[FieldsNamed]) -> TokenStream {
    if let Some(next) = mixin::paths(input).get(mixins.len()) {
        return mixin::ask(next, input, mixins);
    }
    let mut errors = Errors::default();
    let model = parse::model(input, mixins, &mut errors);
    match model {
        Some(mut model) => {
            resolve::model(&mut model, &mut errors);
            mixin::project(&mut model);
            if errors.is_empty() { expand::model(&model) } else { errors.into_tokens() }
        }
        None => errors.into_tokens(),
    }
}
