//! `#[derive(Model)]`.

mod counted;
mod expand;
mod inherit;
mod parse;
mod resolve;
mod spec;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// The three stages; with a mistake in one of the first two, the mistakes are all that comes out.
pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    let model = parse::model(&input, &mut errors);
    match model {
        Some(mut model) => {
            resolve::model(&mut model, &mut errors);
            if errors.is_empty() { expand::model(&model) } else { errors.into_tokens() }
        }
        None => errors.into_tokens(),
    }
}
