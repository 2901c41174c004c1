//! `#[derive(Mixin)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, FieldsNamed, Ident};

use crate::errors::Errors;
use crate::model::{Column, Field, column, expand_mixin_column, refuse_attribute, relationship_type};
use crate::output::{column_type, docs_of, private};
use crate::types::parse_without_self;

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut errors = Errors::default();
    match parse(&input, &mut errors) {
        Some((fields, columns)) if errors.is_empty() => expand(&input.ident, fields, &columns),
        _ => errors.into_tokens(),
    }
}

fn parse<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Option<(&'a FieldsNamed, Vec<Column>)> {
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a mixin cannot have generic parameters: its fields are columns");
        return None;
    }
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields,
            _ => {
                errors.at(&input.ident, "a mixin's fields need names: they are the names of columns");
                return None;
            }
        },
        _ => {
            errors.at(&input.ident, "only a struct can be a mixin: its fields are columns");
            return None;
        }
    };
    refuse_attribute(&input.attrs, "model", "a mixin is no table: write `#[model(..)]` on the models", errors);
    refuse_attribute(&input.attrs, "column", "`#[column(..)]` belongs to a field", errors);
    let mut columns = Vec::new();
    for field in &fields.named {
        let Some(ident) = &field.ident else { continue };
        refuse_attribute(
            &field.attrs,
            "model",
            "a mixin has columns alone: flatten both mixins into the model",
            errors,
        );
        refuse_attribute(&field.attrs, "relationship", "a mixin has columns alone", errors);
        if relationship_type(&field.ty).is_some() {
            errors.at(&field.ty, "a mixin has columns alone: write the relationship in each model");
            continue;
        }
        let parsed = Field {
            ident: ident.clone(),
            vis: field.vis.clone(),
            docs: docs_of(&field.attrs),
            ty: parse_without_self(&field.ty, &input.ident),
            constant: ident.clone(),
        };
        let column = column(parsed, &field.attrs, &input.ident, errors);
        if let Some(deferred) = column.deferred {
            errors.span(deferred, "a mixin's columns are always loaded: write the deferred column in each model");
        }
        columns.push(column);
    }
    Some((fields, columns))
}

fn expand(ident: &Ident, fields: &FieldsNamed, columns: &[Column]) -> TokenStream {
    let private = private();
    let names: Vec<_> = columns.iter().map(|column| &column.field.ident).collect();
    let types: Vec<_> = columns.iter().map(|column| &column.field.ty).collect();
    let column_types: Vec<_> = types.iter().map(|ty| column_type(ty)).collect();
    let index: Vec<usize> = (0..columns.len()).collect();
    let parts = columns.iter().enumerate().map(|(position, column)| expand_mixin_column(ident, position, column));
    let asked = asked(ident, fields);
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #private::Mixin for #ident {
                type Fields = (#(#types,)*);

                fn of_fields((#(#names,)*): Self::Fields) -> Self {
                    Self { #(#names),* }
                }

                fn decode(row: &#private::Row<'_>, at: usize) -> #private::Result<Self> {
                    #private::Result::Ok(Self { #(#names: #column_types::decode(row, at + #index)?),* })
                }

                fn value(&self, column: usize) -> #private::Value<'_> {
                    match column {
                        #(#index => #column_types::to_value(&self.#names),)*
                        _ => #private::no_mixin_column::<Self>(column),
                    }
                }

                fn put(&mut self, column: usize, value: #private::Value<'_>) -> #private::Result<()> {
                    match column {
                        #(#index => self.#names = #column_types::from_value(value)?,)*
                        _ => #private::no_mixin_column::<Self>(column),
                    }
                    #private::Result::Ok(())
                }
            }
            #(#parts)*
        };
        #asked
    }
}

/// The macro of the struct's name, which hands the struct's fields to the models.
fn asked(ident: &Ident, fields: &FieldsNamed) -> TokenStream {
    let private = private();
    let name = format_ident!("__aludel_mixin_{}", ident.unraw());
    quote! {
        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #name {
            ($($model:tt)*) => {
                #private::model_with_mixins! { $($model)* #fields }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub(crate) use #name as #ident;
    }
}
