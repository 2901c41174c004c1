//! `#[derive(DbType)]`: a newtype as a column's type.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Ident, Member, Type};

use crate::errors::{self, Errors};
use crate::output::{column_type, operands, private};
use crate::types::content_of;

/// A struct of one field.
struct Newtype {
    ident: Ident,
    member: Member,
    inner: Type,
}

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    errors::derive(input, parse, expand)
}

fn parse(input: &DeriveInput, errors: &mut Errors) -> Option<Newtype> {
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a column's type cannot have generic parameters");
    }
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(_) => {
            errors.at(&input.ident, "an enum is stored by its names: derive `DbEnum`");
            return None;
        }
        Data::Union(_) => {
            errors.at(&input.ident, "a union cannot be a column's type");
            return None;
        }
    };
    let (1, Some(field)) = (fields.len(), fields.iter().next()) else {
        let text =
            "`DbType` is for a struct of one field; store several as JSON, `Json<T>`, or as columns of their own";
        errors.at(&input.ident, text);
        return None;
    };
    if content_of(&field.ty, "Option").is_some() {
        let text = format!("whether it may be NULL is said where it is used: `Option<{}>`", input.ident);
        errors.at(&field.ty, text);
    }
    let member = match (fields, &field.ident) {
        (Fields::Named(_), Some(ident)) => Member::Named(ident.clone()),
        _ => Member::Unnamed(0.into()),
    };
    Some(Newtype { ident: input.ident.clone(), member, inner: field.ty.clone() })
}

fn expand(newtype: &Newtype) -> TokenStream {
    let private = private();
    let Newtype { ident, member, inner } = newtype;
    let operands = operands(ident);
    let column_type = column_type(inner);
    quote! {
        #[automatically_derived]
        impl #private::ColumnType for #ident {
            type Base = Self;
            const SQL_TYPE: #private::SqlType = #column_type::SQL_TYPE;

            #[inline]
            fn decode(row: &#private::Row<'_>, index: usize) -> #private::Result<Self> {
                #private::Result::Ok(#ident { #member: #column_type::decode(row, index)? })
            }

            #[inline]
            fn to_value(&self) -> #private::Value<'_> {
                #column_type::to_value(&self.#member)
            }

            fn from_value(value: #private::Value<'_>) -> #private::Result<Self> {
                #private::Result::Ok(#ident { #member: #column_type::from_value(value)? })
            }
        }

        // It is a key where the inner type is one, and text where that is text. The lifetime keeps the compiler from
        // asking at once.
        #[automatically_derived]
        impl #private::KeyType for #ident
        where
            for<'a> &'a #inner: #private::InnerKey<#inner>,
        {
            type Slot = <&'static #inner as #private::InnerKey<#inner>>::Slot;
            const GENERATED: #private::Generated = <&'static #inner as #private::InnerKey<#inner>>::GENERATED;

            fn placeholder() -> Self {
                #ident { #member: <&'static #inner as #private::InnerKey<#inner>>::placeholder() }
            }
        }

        #[automatically_derived]
        impl #private::Text for #ident where for<'a> &'a #inner: #private::InnerText {}

        #operands
    }
}
