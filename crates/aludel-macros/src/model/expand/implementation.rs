//! `impl Model`, the registration, and the checks between two models.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Ident, Path};

use crate::model::inherit;

use super::{column_type, definition, option, private, private_at};
use crate::model::mixin;
use crate::model::spec::{Kind, Model, Relationship};
use crate::types::last_segment;

pub(crate) fn expand(model: &Model) -> TokenStream {
    let private = private();
    let ident = &model.ident;
    let key = key(model);
    let definition = definition::expand(model);
    let relationships = definition::relationships(model);
    let relationship_count = model.relationships.len();

    let fields: Vec<_> = model.own_columns().map(|(_, column)| &column.field.ident).collect();
    let index: Vec<usize> = model.own_columns().map(|(position, _)| position).collect();
    let mixins = mixin::fields(model, |mixin, of| {
        let first = mixin.first;
        quote!(#of::decode(row, at + #first)?)
    });
    let mixin_values = mixins_at(model, |of, field, position| quote!(#of::value(&self.#field, #position)));
    let mixin_puts = mixins_at(model, |of, field, position| quote!(#of::put(&mut self.#field, #position, value)?));
    let (decoded, values, taken) = columns(model);
    let is_unloaded = is_unloaded(model);
    let defers = is_unloaded.as_ref().map(|_| {
        quote! {
            #[automatically_derived]
            impl #private::HasDeferred for #ident {}
        }
    });
    let relations: Vec<_> = model.relationships.iter().map(|relationship| &relationship.field.ident).collect();
    let relation_types = model.relationships.iter().map(|relationship| &relationship.field.ty);
    let relation_index: Vec<usize> = (0..relations.len()).collect();

    let back = model.relationships.iter().map(|relationship| {
        option(relationship.back_populates.as_ref().map(|name| {
            let name = name.unraw().to_string();
            quote!(#name)
        }))
    });
    let secondary = model.relationships.iter().map(|relationship| {
        option(relationship.secondary.as_ref().map(|path| {
            let name = path.segments.last().map(|segment| segment.ident.unraw().to_string());
            quote!(#name)
        }))
    });
    let checks = model.relationships.iter().filter_map(|relationship| points_back(model, relationship));
    let links = model.relationships.iter().filter_map(|relationship| links_both(model, relationship));
    let references = references(model);
    let hierarchy = inherit::expand(model);
    let whole = super::hooks::decoded(model);
    let only_keys = model.relationships.iter().filter_map(|relationship| only_key_there(model, relationship));
    let keys = model.keys().map(|key| key.model.segments.last().map(|segment| segment.ident.unraw().to_string()));

    quote! {
        const _: () = {
        static RELATIONSHIPS: [#private::RelationshipDef; #relationship_count] = [#(#relationships),*];
        static DEF: #private::ModelDef = #definition;
        #hierarchy

        #[automatically_derived]
        unsafe impl #private::Model for #ident {
            type Key = #key;

            fn def() -> &'static #private::ModelDef {
                &DEF
            }

            fn decode(row: &#private::Row<'_>, at: usize) -> #private::Result<Self> {
                #whole(#ident {
                    #(#fields: #decoded,)*
                    #(#mixins,)*
                    #(#relations: <#relation_types>::unloaded(&RELATIONSHIPS[#relation_index]),)*
                })
            }

            fn value(&self, column: usize) -> #private::Value<'_> {
                match column {
                    #(#index => #values,)*
                    #(#mixin_values,)*
                    _ => #private::no_column::<Self>(column),
                }
            }

            fn put(&mut self, column: usize, value: #private::Value<'_>) -> #private::Result<()> {
                match column {
                    #(#index => self.#fields = #taken,)*
                    #(#mixin_puts,)*
                    _ => #private::no_column::<Self>(column),
                }
                #private::Result::Ok(())
            }

            #is_unloaded

            fn relation(&self, index: usize) -> &#private::RelationField {
                match index {
                    #(#relation_index => self.#relations.field(),)*
                    _ => #private::no_relationship::<Self>(index),
                }
            }

            fn relation_mut(&mut self, index: usize) -> &mut #private::RelationField {
                match index {
                    #(#relation_index => self.#relations.field_mut(),)*
                    _ => #private::no_relationship::<Self>(index),
                }
            }
        }

        #[automatically_derived]
        impl #private::Relationships for #ident {
            const BACK: &'static [::core::option::Option<&'static str>] = &[#(#back),*];
            const SECONDARY: &'static [::core::option::Option<&'static str>] = &[#(#secondary),*];
            const KEYS: &'static [&'static str] = &[#(#keys),*];
        }

        #references
        #defers

        #private::inventory::submit! { #private::ModelRegistration(<#ident as #private::Model>::def) }

        #(#checks)*
        #(#links)*
        #(#only_keys)*
        };
    }
}

/// The arms of a match on the position of a column, for the mixins.
fn mixins_at(
    model: &Model,
    call: impl Fn(TokenStream, &Ident, TokenStream) -> TokenStream,
) -> impl Iterator<Item = TokenStream> {
    model.mixins.iter().filter(|mixin| mixin.count > 0).map(move |mixin| {
        let (ty, first, last) = (&mixin.ty, mixin.first, mixin.first + mixin.count - 1);
        let at = private_at(ty.span());
        let of = quote_spanned!(ty.span()=> <#ty as #at::Mixin>);
        let call = call(of, &mixin.ident, quote!(column - #first));
        quote!(#first..=#last => #call)
    })
}

/// Of each column of its own: how it is read from a row, how its value is given, and how it is taken.
fn columns(model: &Model) -> (Vec<TokenStream>, Vec<TokenStream>, Vec<TokenStream>) {
    let private = private();
    let (mut decoded, mut values, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for (index, column) in model.own_columns() {
        let (field, ty) = (&column.field.ident, column_type(&column.field.ty));
        if column.deferred.is_some() {
            let name = format!("{}::{}", model.ident.unraw(), column.field.constant.unraw());
            decoded.push(quote!(#private::Deferred::unloaded(#name)));
            values.push(quote!(#private::Deferred::to_value(&self.#field)));
            taken.push(quote!(#private::Deferred::from_value(value, #name)?));
        } else {
            decoded.push(quote!(#ty::decode(row, at + #index)?));
            values.push(quote!(#ty::to_value(&self.#field)));
            taken.push(quote!(#ty::from_value(value)?));
        }
    }
    (decoded, values, taken)
}

/// Where deferred columns lie that are not loaded; nothing, for most models.
fn is_unloaded(model: &Model) -> Option<TokenStream> {
    let fields: Vec<_> =
        model.columns.iter().filter(|column| column.deferred.is_some()).map(|column| &column.field.ident).collect();
    (!fields.is_empty()).then(|| {
        quote! {
            fn is_unloaded(&self, address: *const ()) -> bool {
                #((::core::ptr::from_ref(&self.#fields).cast() == address && !self.#fields.is_loaded()))||*
            }
        }
    })
}

/// The type of the primary key: the column's, or a tuple.
fn key(model: &Model) -> TokenStream {
    let types: Vec<_> = model.primary_key.iter().map(|&position| &model.columns[position].field.ty).collect();
    match &types[..] {
        [single] => quote!(#single),
        _ => quote!((#(#types),*)),
    }
}

/// The check that the relationship which `back_populates` names, names this one.
fn points_back(model: &Model, relationship: &Relationship) -> Option<TokenStream> {
    let back = relationship.back_populates.as_ref()?;
    let target = &relationship.target;
    let own = relationship.field.ident.unraw().to_string();
    let other = last_segment(target).map(|segment| segment.ident.to_string()).unwrap_or_default();
    let text = format!(
        "`{other}::{back}` does not point back to `{}::{own}`: give it `#[relationship(back_populates = {own})]`",
        model.ident,
    );
    if let Some(link) = &relationship.secondary {
        return Some(points_back_by_link(model, relationship, back, link, &text));
    }
    let check = match relationship.kind {
        Kind::Many => quote!(points_back_to_one),
        Kind::One | Kind::OptionalOne => quote!(points_back),
    };
    let ident = &model.ident;
    let at = private_at(back.span());
    Some(quote_spanned! {back.span()=>
        const _: () = #at::#check::<#ident, #target, _>(<#target>::#back, <#target>::#back.index(), #own, #text);
    })
}

/// The same for a many-to-many relationship, whose other side has the same link model.
fn points_back_by_link(
    model: &Model,
    relationship: &Relationship,
    back: &Ident,
    link: &Path,
    text: &str,
) -> TokenStream {
    let (ident, target) = (&model.ident, &relationship.target);
    let own = relationship.field.ident.unraw().to_string();
    let other = last_segment(target).map(|segment| segment.ident.to_string()).unwrap_or_default();
    let name = link.segments.last().map(|segment| segment.ident.unraw().to_string()).unwrap_or_default();
    let apart = format!(
        "`{other}::{back}` is the other side of `{ident}::{own}`, and has another link model: give it \
         `#[relationship(secondary = {name})]`"
    );
    let at = private_at(back.span());
    quote_spanned! {back.span()=>
        const _: () = #at::points_back_by_link::<#ident, #target, _>(
            <#target>::#back, <#target>::#back.index(), (#own, #text), (#name, #apart),
        );
    }
}

/// The check that a link model has foreign keys to both sides.
fn links_both(model: &Model, relationship: &Relationship) -> Option<TokenStream> {
    let link = relationship.secondary.as_ref()?;
    let (ident, target) = (&model.ident, &relationship.target);
    let at = private_at(link.span());
    Some(quote_spanned!(link.span()=> const _: () = #at::links_both::<#link, #ident, #target>();))
}

/// The check that the model that a relationship leads to has no two keys back, where nothing says which one is meant.
fn only_key_there(model: &Model, relationship: &Relationship) -> Option<TokenStream> {
    let said = relationship.back_populates.is_some() || !relationship.foreign_key.is_empty();
    if relationship.kind != Kind::Many || relationship.secondary.is_some() || said {
        return None;
    }
    let (ident, target) = (&model.ident, &relationship.target);
    let own = ident.unraw().to_string();
    let other = last_segment(target).map(|segment| segment.ident.to_string()).unwrap_or_default();
    let text = format!(
        "`{other}` has several foreign keys to `{own}`: say which one `{own}::{}` is about, \
         `#[relationship(back_populates = ..)]` with the field of `{other}`, or `#[relationship(foreign_key = ..)]`",
        relationship.field.ident
    );
    let at = private_at(target.span());
    Some(quote_spanned!(target.span()=> const _: () = #at::only_key::<#target>(#own, #text);))
}

/// To which models the foreign keys lead.
fn references(model: &Model) -> TokenStream {
    let private = private();
    let ident = &model.ident;
    let mut known: Vec<String> = Vec::new();
    let targets = model.keys().filter_map(|key| {
        let target = key.model;
        let text = quote!(#target).to_string();
        if known.contains(&text) {
            return None;
        }
        known.push(text);
        Some(quote! {
            #[automatically_derived]
            impl #private::References<#target> for #ident {}
        })
    });
    quote!(#(#targets)*)
}
