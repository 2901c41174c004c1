//! Third stage: the code. It is thin: metadata, and calls of generic functions of the library.

mod builder;
mod constants;
mod constraint;
mod definition;
mod hooks;
mod implementation;

use proc_macro2::TokenStream;
use quote::quote;

use super::spec::Model;
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
