//! The associated constants: `User::username`, `User::posts`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use super::private;
use crate::model::spec::{Field, Kind, Model};
use crate::output;

pub(crate) fn expand(model: &Model) -> TokenStream {
    let private = private();
    let ident = &model.ident;
    let columns = model.columns.iter().enumerate().map(|(index, column)| {
        let Field { vis, ty, constant, .. } = &column.field;
        let docs = docs(&column.field, "column");
        quote!(#docs #vis const #constant: #private::Column<#ident, #ty> = #private::Column::new(#index);)
    });
    let relationships = model.relationships.iter().enumerate().map(|(index, relationship)| {
        let Field { vis, constant, .. } = &relationship.field;
        let docs = docs(&relationship.field, "relationship");
        let content = &relationship.content;
        let (ty, kind) = match relationship.kind {
            Kind::Many if relationship.secondary.is_some() => (quote!(ToMany), quote!(, #private::ByLink)),
            Kind::Many => (quote!(ToMany), quote!()),
            Kind::One | Kind::OptionalOne => (quote!(ToOne), quote!()),
        };
        quote!(#docs #vis const #constant: #private::#ty<#ident, #content #kind> = #private::#ty::new(#index);)
    });
    quote! {
        #[automatically_derived]
        #[allow(non_upper_case_globals, dead_code)]
        impl #ident {
            #(#columns)*
            #(#relationships)*
        }
    }
}

/// The field's documentation, or a line in its place.
pub(crate) fn docs(field: &Field, kind: &str) -> TokenStream {
    output::docs(&field.docs, || format!("The {kind} `{}`.", field.ident.unraw()))
}
