//! The model as plain data.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::{column_type, key_type, option, private, private_at};
use crate::model::spec::{Column, Computed, Key, Kind, Model, Origin, Relationship, Size};

/// The expression of the `ModelDef`.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let private = private();
    let ident = &model.ident;
    let name = ident.unraw().to_string();
    let [table, schema, bind] = model.place();
    let columns = model.columns.iter().map(column);
    let constraints = model.constraints.iter().map(super::constraint::expand);
    let primary_key = &model.primary_key;
    let comment = option(model.comment.as_ref().map(|text| quote!(#text)));
    let primary_key_name = option(model.primary_key_name.as_ref().map(|name| quote!(#name)));
    let options = options(model);
    quote! {
        #private::ModelDef {
            name: #name,
            module: ::core::module_path!(),
            table: #table,
            schema: #schema,
            bind: #bind,
            comment: #comment,
            primary_key_name: #primary_key_name,
            columns: &[#(#columns),*],
            primary_key: &[#(#primary_key),*],
            constraints: &[#(#constraints),*],
            relationships: &RELATIONSHIPS,
            options: #options,
            vtable: #private::VTable::of::<#ident>(),
            cache: #private::DefCache::new(),
        }
    }
}

/// What is declared beyond the table; nothing, for most models.
fn options(model: &Model) -> TokenStream {
    let private = private();
    let mut given = Vec::new();
    if let Some(version) = model.version {
        given.push(quote!(version: ::core::option::Option::Some(#version)));
    }
    if model.compares_old.is_some() {
        given.push(quote!(compares_old: true));
    }
    given.extend(model.inheritance_options());
    given.extend(super::hooks::table(model).map(|table| quote!(hooks: #table)));
    given.extend(criteria(model));
    let deferred: Vec<usize> =
        (0..model.columns.len()).filter(|&position| model.columns[position].deferred.is_some()).collect();
    if !deferred.is_empty() {
        given.push(quote!(deferred: &[#(#deferred),*]));
    }
    if given.is_empty() {
        return quote!(#private::ModelOptions::NONE);
    }
    quote!(#private::ModelOptions { #(#given,)* ..#private::ModelOptions::NONE })
}

/// Which rows statements see; all, for most models.
fn criteria(model: &Model) -> Option<TokenStream> {
    let private = private();
    if model.soft_delete.is_none() && model.tenant.is_none() {
        return None;
    }
    let name = model.ident.unraw().to_string();
    let soft_delete = option(model.soft_delete.map(|position| {
        let column = &model.columns[position];
        let (name, ty) = (&column.name, &column.field.ty);
        let at = private_at(ty.span());
        let is_flag = quote_spanned!(ty.span()=> #at::is_deletion_flag::<#ty>());
        quote!(#private::SoftDelete { position: #position, column: #name, is_flag: #is_flag })
    }));
    let tenant = option(model.tenant.map(|position| {
        let column = &model.columns[position];
        let (name, field, ty) = (&column.name, column.field.ident.unraw().to_string(), sql_type(column));
        quote!(#private::TenantColumn { position: #position, column: #name, field: #field, ty: #ty })
    }));
    Some(quote! {
        criteria: ::core::option::Option::Some(#private::Criteria {
            model: #name,
            kinds: ::core::option::Option::None,
            soft_delete: #soft_delete,
            tenant: #tenant,
        })
    })
}

/// The expressions of the `RelationshipDef`s.
pub(crate) fn relationships(model: &Model) -> Vec<TokenStream> {
    model.relationships.iter().map(|relationship| self::relationship(model, relationship)).collect()
}

fn column(column: &Column) -> TokenStream {
    let private = private();
    let Column { name, unique, index, .. } = column;
    let field = column.field.ident.unraw().to_string();
    let ty = &column.field.ty;
    let sql_type = sql_type(column);
    let column_type = column_type(ty);
    let generated = match column.origin {
        Origin::Given | Origin::Null | Origin::Default => quote!(#private::Generated::No),
        Origin::Server => quote!(#private::Generated::Server),
        Origin::Computed => quote!(#private::Generated::Computed),
        Origin::GeneratedKey | Origin::Key => {
            let key_type = key_type(ty);
            quote!(#key_type::GENERATED)
        }
    };
    let server_default = option(column.server_default.as_ref().map(|sql| quote!(#sql)));
    let computed = option(
        column
            .computed
            .as_ref()
            .map(|Computed { sql, stored, .. }| quote!(#private::ComputedDef { sql: #sql, stored: #stored })),
    );
    let sequence = option(column.sequence.as_ref().map(|sequence| {
        let (name, start, increment) = (&sequence.name, number(sequence.start), number(sequence.increment));
        quote!(#private::SequenceDef { name: #name, start: #start, increment: #increment })
    }));
    let identity = option(column.identity.as_ref().map(|identity| {
        let (always, start, increment) = (identity.always, number(identity.start), number(identity.increment));
        quote!(#private::Identity::new(#always, #start, #increment))
    }));
    let comment = option(column.comment.as_ref().map(|text| quote!(#text)));
    let on_update = option(column.on_update.as_ref().map(|value| {
        let at = private_at(value.span());
        quote_spanned!(value.span()=> || #at::owned::<#ty>(#at::IntoValue::<#ty>::into_value(#value)))
    }));
    let references = option(column.references.as_ref().map(|reference| {
        let (path, on_delete, on_update) = (&reference.path, &reference.on_delete, &reference.on_update);
        let name = option(reference.name.as_ref().map(|name| quote!(#name)));
        let (at, model) = (private_at(path.span()), &reference.model);
        // A function of its own, which calls no generic one: where closures, or such functions, lead from model to model,
        // the compiler counts them as one that calls itself, and stops at the 128th model of a ring.
        let target = quote_spanned! {path.span()=>
            fn target() -> (&'static #at::ModelDef, usize) {
                (<#model as #at::Model>::def(), #at::reference::<#ty, _, _>(#path))
            }
        };
        quote! {
            #private::ReferenceDef {
                target: {
                    #target
                    target
                },
                name: #name,
                on_delete: #private::Action::#on_delete,
                on_update: #private::Action::#on_update,
            }
        }
    }));
    quote! {
        #private::ColumnDef {
            name: #name,
            field: #field,
            ty: #sql_type,
            nullable: #column_type::NULLABLE,
            unique: #unique,
            index: #index,
            generated: #generated,
            server_default: #server_default,
            computed: #computed,
            sequence: #sequence,
            identity: #identity,
            on_update: #on_update,
            references: #references,
            comment: #comment,
        }
    }
}

fn number(number: Option<i64>) -> TokenStream {
    option(number.map(|number| quote!(#number)))
}

/// The type's own SQL type, or what the attributes make of it; a contradiction stops the compiler at the attribute.
fn sql_type(column: &Column) -> TokenStream {
    let column_type = column_type(&column.field.ty);
    let own = quote!(#column_type::SQL_TYPE);
    let span = column.size_span();
    let at = private_at(span);
    match &column.size {
        None => own,
        Some(Size::Length(length)) => {
            let length = length.base10_digits().parse::<u32>().unwrap_or(u32::MAX);
            quote_spanned!(span=> #at::with_length(#own, #length))
        }
        Some(Size::Text(_)) => quote_spanned!(span=> #at::as_text(#own)),
        Some(Size::Decimal { precision, scale, .. }) => {
            let digits = |digits: &Option<syn::LitInt>| {
                option(
                    digits.as_ref().and_then(|digits| digits.base10_parse::<u8>().ok()).map(|digits| quote!(#digits)),
                )
            };
            let (precision, scale) = (digits(precision), digits(scale));
            quote_spanned!(span=> #at::with_precision(#own, #precision, #scale))
        }
    }
}

impl Column {
    fn size_span(&self) -> proc_macro2::Span {
        match &self.size {
            Some(Size::Length(length)) => length.span(),
            Some(Size::Text(span) | Size::Decimal { span, .. }) => *span,
            None => self.field.ident.span(),
        }
    }
}

fn relationship(model: &Model, relationship: &Relationship) -> TokenStream {
    let private = private();
    let ident = &model.ident;
    let Relationship { target, passive_deletes, serialize, delete, .. } = relationship;
    let owner = ident.unraw().to_string();
    let name = relationship.field.ident.unraw().to_string();
    let kind = match relationship.kind {
        Kind::One => quote!(One),
        Kind::OptionalOne => quote!(OptionalOne),
        Kind::Many => quote!(Many),
    };
    let target_def = match model.keys().find(|key| key.columns == relationship.key) {
        Some(key) => target_of_key(model, target, &key),
        None => {
            let at = private_at(target.span());
            quote_spanned!(target.span()=> <#target as #at::Model>::def)
        }
    };
    let foreign_key = &relationship.key;
    let remote = relationship.foreign_key.iter().filter(|_| relationship.kind == Kind::Many);
    let target_key = remote.map(|key| {
        let at = private_at(key.span());
        match &relationship.secondary {
            Some(link) => quote_spanned!(key.span()=> || #at::key_to::<#link, _>(<#link>::#key)),
            None => quote_spanned!(key.span()=> || #at::key_to::<#target, _>(<#target>::#key)),
        }
    });
    let secondary = option(relationship.secondary.as_ref().map(|link| {
        let at = private_at(link.span());
        quote_spanned!(link.span()=> <#link as #at::Model>::def as fn() -> &'static #at::ModelDef)
    }));
    let inverse = option(
        relationship.back_populates.as_ref().map(|name| quote_spanned!(name.span()=> || <#target>::#name.index())),
    );
    let delete_orphan = relationship.delete_orphan.is_some();
    let order_by = relationship.order_by.iter().map(|(path, descending)| {
        let at = private_at(path.span());
        let column = quote_spanned!(path.span()=> || #at::column_of::<#target, _>(#path));
        quote!((#column, #descending))
    });
    quote! {
        #private::RelationshipDef {
            owner: #owner,
            name: #name,
            kind: #private::RelationshipKind::#kind,
            target: #target_def,
            foreign_key: &[#(#foreign_key),*],
            target_key: &[#(#target_key),*],
            secondary: #secondary,
            inverse: #inverse,
            cascade: #private::Cascade { delete: #delete, delete_orphan: #delete_orphan },
            passive_deletes: #passive_deletes,
            order_by: &[#(#order_by),*],
            serialize: #serialize,
        }
    }
}

/// The target of a relationship, by its key: one that leads to another model, or has columns of other types than those
/// that it references, is a type error here.
fn target_of_key(model: &Model, target: &syn::Type, key: &Key<'_>) -> TokenStream {
    let Some((path, more)) = key.paths.split_first() else { return TokenStream::new() };
    let at = private_at(path.span());
    let definition = quote_spanned!(path.span()=> <#target as #at::Model>::def());
    if more.is_empty() {
        return quote_spanned! {path.span()=> {
            fn target() -> &'static #at::ModelDef {
                #at::target::<#target, _>(#path);
                #definition
            }
            target
        }};
    }
    let pairs = key.columns.iter().zip(&key.paths).map(|(&column, path)| {
        let ty = &model.columns[column].field.ty;
        let at = private_at(path.span());
        quote_spanned!(path.span()=> let _ = #at::reference::<#ty, #target, _>(#path);)
    });
    quote_spanned! {path.span()=> {
        fn target() -> &'static #at::ModelDef {
            #(#pairs)*
            #at::target::<#target, _>(#path);
            #definition
        }
        target
    }}
}
