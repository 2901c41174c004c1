//! The derive macros of Aludel. Use them through the `aludel` crate, which documents them where they are re-exported.
//!
//! Each works in three stages: attributes are parsed, a plain description is made of them and checked, and that is
//! expanded. All mistakes are reported at once, each at its token. The output names everything by full paths through
//! `::aludel::__private`.

mod attributes;
mod errors;
mod model;
mod names;

use proc_macro::TokenStream;

/// Makes a struct the row of a table.
#[proc_macro_derive(Model, attributes(model, column, relationship))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    model::derive(input.into()).into()
}
