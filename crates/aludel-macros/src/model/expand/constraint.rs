//! Indexes and constraints as plain data.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::LitStr;
use syn::spanned::Spanned;

use super::{option, private, private_at};
use crate::model::spec::{Constraint, Element, ElementKey, ForeignKey, Index};

/// The expression of the `ConstraintDef`.
pub(super) fn expand(constraint: &Constraint) -> TokenStream {
    let private = private();
    match constraint {
        Constraint::Index(index) => self::index(index),
        Constraint::Unique { name, columns } => {
            let name = text(name);
            quote!(#private::ConstraintDef::Unique { name: #name, columns: &[#(#columns),*] })
        }
        Constraint::Check { name, sql } => {
            let name = text(name);
            quote!(#private::ConstraintDef::Check { name: #name, sql: #sql })
        }
        Constraint::ForeignKey(key) => foreign_key(key),
    }
}

fn text(value: &Option<LitStr>) -> TokenStream {
    option(value.as_ref().map(|value| quote!(#value)))
}

fn index(index: &Index) -> TokenStream {
    let private = private();
    let Index { elements, unique, include, .. } = index;
    let (name, predicate, using) = (text(&index.name), text(&index.predicate), text(&index.using));
    let elements = elements.iter().map(element);
    quote! {
        #private::ConstraintDef::Index(&#private::IndexDef {
            name: #name,
            elements: &[#(#elements),*],
            unique: #unique,
            predicate: #predicate,
            using: #using,
            include: &[#(#include),*],
        })
    }
}

fn element(element: &Element) -> TokenStream {
    let private = private();
    let key = match &element.key {
        ElementKey::Column(column) => quote!(Column(#column)),
        ElementKey::Expression(sql) => quote!(Expression(#sql)),
    };
    let descending = element.descending;
    let nulls = option(element.nulls.map(|order| {
        let order = format_ident!("{order}");
        quote!(#private::NullsOrder::#order)
    }));
    let length = option(element.length.as_ref().map(|length| quote!(#length)));
    let operator_class = text(&element.operator_class);
    quote! {
        #private::IndexElementDef {
            key: #private::IndexKeyDef::#key,
            descending: #descending,
            nulls: #nulls,
            length: #length,
            operator_class: #operator_class,
        }
    }
}

fn foreign_key(key: &ForeignKey) -> TokenStream {
    let private = private();
    let ForeignKey { columns, targets, model, on_delete, on_update, .. } = key;
    let name = text(&key.name);
    let at = private_at(model.span());
    let target = quote_spanned!(model.span()=> <#model as #at::Model>::def);
    let targets = targets.iter().map(|path| {
        let at = private_at(path.span());
        quote_spanned!(path.span()=> || #at::column_of::<#model, _>(#path))
    });
    quote! {
        #private::ConstraintDef::ForeignKey(&#private::ForeignKeyDef {
            name: #name,
            columns: &[#(#columns),*],
            target: #target,
            target_columns: &[#(#targets),*],
            on_delete: #private::Action::#on_delete,
            on_update: #private::Action::#on_update,
        })
    }
}
