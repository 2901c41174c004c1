//! `User::build()`: a builder whose type tells which of the required fields are given, and the ways from it, and from
//! the struct itself, to a new row.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::constants::docs;
use super::{key_type, private, private_at};
use crate::model::mixin;
use crate::model::spec::{Column, Kind, Model, Origin, Relationship};
use crate::names::list;
use crate::output::pascal;

/// A required field of the builder.
struct Slot {
    /// Position in `Model::columns`.
    column: usize,
    /// The builder's type parameter.
    parameter: Ident,
    /// The trait that says it is given; its message names the field.
    given: Ident,
}

struct Builder<'a> {
    model: &'a Model,
    ident: Ident,
    slots: Vec<Slot>,
}

pub(crate) fn expand(model: &Model) -> TokenStream {
    let slots = model.columns.iter().enumerate().filter(|(_, column)| column.required()).map(|(position, column)| {
        let name = pascal(&column.field.ident);
        Slot { column: position, parameter: format_ident!("{name}Given"), given: format_ident!("{name}IsSet") }
    });
    let ident = format_ident!("{}Builder", model.ident.unraw(), span = model.ident.span());
    let builder = Builder { model, ident, slots: slots.collect() };

    let declaration = builder.declaration();
    let entry = builder.entry();
    let setters = builder.setters();
    let finish = builder.finish();
    let traits = builder.traits();
    let rows = builder.rows();
    let children = builder.children();
    quote! {
        #declaration
        #entry
        #setters
        const _: () = {
            #finish
            #traits
            #rows
            #children
        };
    }
}

impl Builder<'_> {
    fn parameters(&self) -> Vec<&Ident> {
        self.slots.iter().map(|slot| &slot.parameter).collect()
    }

    /// The builder's type with the parameters of some columns set.
    fn with_set(&self, columns: &[usize]) -> TokenStream {
        let private = private();
        let ident = &self.ident;
        let arguments = self.slots.iter().map(|slot| {
            let parameter = &slot.parameter;
            if columns.contains(&slot.column) { quote!(#private::Set) } else { quote!(#parameter) }
        });
        quote!(#ident<#(#arguments),*>)
    }

    fn declaration(&self) -> TokenStream {
        let private = private();
        let Model { ident: model, vis, .. } = self.model;
        let (ident, parameters) = (&self.ident, self.parameters());
        let types = self.model.columns.iter().map(|column| &column.field.ty);
        let text = format!(
            "A new row of [`{model}`], from `{model}::build()`. It can be added to a session when all required fields are \
             given; there is a type parameter for each of them."
        );
        quote! {
            #[doc = #text]
            #[must_use = "a builder is only a plan: give it to `session.add(..)`"]
            #vis struct #ident<#(#parameters),*> {
                fields: (#(::core::option::Option<#types>,)*),
                links: #private::Vec<#private::NewLink>,
                given: ::core::marker::PhantomData<fn() -> (#(#parameters,)*)>,
            }
        }
    }

    fn entry(&self) -> TokenStream {
        let private = private();
        let Model { ident: model, vis, columns, .. } = self.model;
        let ident = &self.ident;
        let arguments = self.slots.iter().map(|slot| {
            let column = &columns[slot.column];
            let ty = &column.field.ty;
            match column.origin {
                Origin::Key => {
                    let key_type = key_type(ty);
                    quote!(#key_type::Slot)
                }
                _ => quote!(#private::Missing),
            }
        });
        let nothing = columns.iter().map(|_| quote!(::core::option::Option::None));
        let text = format!("Begins a new row of `{model}`.");
        quote! {
            #[automatically_derived]
            #[allow(dead_code)]
            impl #model {
                #[doc = #text]
                #vis fn build() -> #ident<#(#arguments),*> {
                    #ident {
                        fields: (#(#nothing,)*),
                        links: #private::Vec::new(),
                        given: ::core::marker::PhantomData,
                    }
                }
            }
        }
    }

    fn setters(&self) -> TokenStream {
        let (ident, parameters) = (&self.ident, self.parameters());
        // What the database computes nobody writes.
        let written = self.model.columns.iter().enumerate().filter(|(_, column)| column.computed.is_none());
        let columns = written.map(|(position, column)| self.column(position, column));
        let relationships = self.model.relationships.iter().enumerate();
        let relationships = relationships.map(|(position, relationship)| self.relationship(position, relationship));
        quote! {
            #[automatically_derived]
            #[allow(dead_code)]
            impl<#(#parameters),*> #ident<#(#parameters),*> {
                #(#columns)*
                #(#relationships)*
            }
        }
    }

    /// The end of a setter: the builder itself, or in the type that has one more field.
    fn returned(&self, columns: &[usize]) -> TokenStream {
        if !self.slots.iter().any(|slot| columns.contains(&slot.column)) {
            return quote!(self);
        }
        let ident = &self.ident;
        quote!(#ident { fields: self.fields, links: self.links, given: ::core::marker::PhantomData })
    }

    fn column(&self, position: usize, column: &Column) -> TokenStream {
        let private = private();
        let (name, vis, ty) = (&column.field.ident, &column.field.vis, &column.field.ty);
        let docs = docs(&column.field, "column");
        let result = self.with_set(&[position]);
        let returned = self.returned(&[position]);
        let index = syn::Index::from(position);
        let unlink = column.links.iter().map(|&link| match &self.model.relationships[link].key[..] {
            [_] => quote!(#private::unlink(&mut self.links, #link);),
            // The row that was given says what the key's other columns are.
            _ => quote!(#private::given_beside(&mut self.links, #link, #position);),
        });
        quote! {
            #docs
            #vis fn #name(mut self, value: impl #private::IntoValue<#ty>) -> #result {
                self.fields.#index = ::core::option::Option::Some(#private::IntoValue::<#ty>::into_value(value));
                #(#unlink)*
                #returned
            }
        }
    }

    fn relationship(&self, position: usize, relationship: &Relationship) -> TokenStream {
        let private = private();
        let (name, vis, target) = (&relationship.field.ident, &relationship.field.vis, &relationship.target);
        let model = &self.model.ident;
        let docs = docs(&relationship.field, "relationship");
        let at = private_at(target.span());
        let child_of = quote_spanned!(target.span()=> #at::ChildOf<#model, #target>);
        let into_link = quote_spanned!(target.span()=> #at::IntoLink<#target>);
        match (relationship.kind, &relationship.key[..]) {
            (Kind::Many, _) if relationship.secondary.is_some() => {
                let result = self.with_set(&[]);
                quote! {
                    #docs
                    #vis fn #name(
                        mut self,
                        rows: impl ::core::iter::IntoIterator<Item = impl #into_link>,
                    ) -> #result {
                        #private::link_rows::<#target, _>(&mut self.links, #position, rows);
                        self
                    }
                }
            }
            (Kind::Many, _) => {
                let result = self.with_set(&[]);
                quote! {
                    #docs
                    #vis fn #name(
                        mut self,
                        rows: impl ::core::iter::IntoIterator<Item = impl #child_of>,
                    ) -> #result {
                        #private::link_children::<#model, #target, _>(&mut self.links, #position, rows);
                        self
                    }
                }
            }
            (_, []) => {
                let result = self.with_set(&[]);
                quote! {
                    #docs
                    #vis fn #name(mut self, row: impl #child_of) -> #result {
                        #private::link_child::<#model, #target, _>(&mut self.links, #position, row);
                        self
                    }
                }
            }
            (_, key) => {
                let result = self.with_set(key);
                let returned = self.returned(key);
                let index = key.iter().map(|&column| syn::Index::from(column));
                quote! {
                    #docs
                    #vis fn #name(mut self, row: impl #into_link) -> #result {
                        #private::link::<#target>(&mut self.links, #position, row);
                        #(self.fields.#index = ::core::option::Option::None;)*
                        #returned
                    }
                }
            }
        }
    }

    /// From any state of the builder to the row; the traits below say for which states that is allowed.
    fn finish(&self) -> TokenStream {
        let private = private();
        let model = &self.model.ident;
        let (ident, parameters) = (&self.ident, self.parameters());
        let columns = self.model.own_columns().map(|(position, column)| {
            let (name, value) = (&column.field.ident, self.value(position, column));
            if column.deferred.is_some() {
                return quote!(#name: #private::Deferred::from(#value));
            }
            quote!(#name: #value)
        });
        let mixins = mixin::fields(self.model, |mixin, of| {
            let values = mixin.columns().map(|position| self.value(position, &self.model.columns[position]));
            quote!(#of::of_fields((#(#values,)*)))
        });
        let relations = self.model.relationships.iter().map(|relationship| &relationship.field.ident);
        quote! {
            #[automatically_derived]
            impl<#(#parameters),*> #ident<#(#parameters),*> {
                fn __into_row(self) -> #private::NewRow<#model> {
                    let mut given = #private::ColumnSet::EMPTY;
                    #[allow(unused_mut)]
                    let mut defaulted = #private::ColumnSet::EMPTY;
                    let value = #model {
                        #(#columns,)*
                        #(#mixins,)*
                        #(#relations: ::core::default::Default::default(),)*
                    };
                    #private::NewRow { value, given, defaulted, links: self.links }
                }
            }
        }
    }

    /// The value of a column in the row that the builder makes.
    fn value(&self, position: usize, column: &Column) -> TokenStream {
        let private = private();
        let ty = &column.field.ty;
        let index = syn::Index::from(position);
        let field = quote!(self.fields.#index);
        match &column.default {
            None if column.version.is_some() => {
                quote!(#private::given_or_blank(#field, &mut given, #position, || 1))
            }
            None if column.soft_delete.is_some() && !column.nullable => {
                quote!(#private::given_or(#field, (&mut given, &mut defaulted), #position, || false))
            }
            None if column.tenant.is_some() => {
                let blank = quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default);
                quote!(#private::given_or_blank(#field, &mut given, #position, #blank))
            }
            Some(value) if column.origin == Origin::Default => {
                let at = private_at(value.span());
                let default = quote_spanned!(value.span()=> || #at::IntoValue::<#ty>::into_value(#value));
                quote!(#private::given_or(#field, (&mut given, &mut defaulted), #position, #default))
            }
            _ => match column.origin {
                Origin::Null if column.links.is_empty() => {
                    let none = quote!(|| ::core::option::Option::None);
                    quote!(#private::given_or(#field, (&mut given, &mut defaulted), #position, #none))
                }
                Origin::Null | Origin::Server | Origin::Computed => {
                    let blank = quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default);
                    quote!(#private::given_or_blank(#field, &mut given, #position, #blank))
                }
                Origin::Given if !self.may_be_left_out(position) => {
                    quote!(#private::given(#field, &mut given, #position))
                }
                _ => {
                    let key_type = key_type(ty);
                    quote!(#private::given_or_blank(#field, &mut given, #position, #key_type::placeholder))
                }
            },
        }
    }

    /// Whether a required column may still be without a value, because a relationship gives it: one of this model, or
    /// the parent's.
    fn may_be_left_out(&self, position: usize) -> bool {
        let column = &self.model.columns[position];
        !column.links.is_empty() || column.references.is_some() || self.model.is_part_of_a_key(position)
    }

    /// For each required field a trait whose message names it.
    fn traits(&self) -> TokenStream {
        let private = private();
        let traits = self.slots.iter().map(|slot| {
            let column = &self.model.columns[slot.column];
            let given = &slot.given;
            let field = column.field.ident.unraw().to_string();
            let links: Vec<String> = column
                .links
                .iter()
                .map(|&link| self.model.relationships[link].field.ident.unraw().to_string())
                .collect();
            let message = format!("the required field `{field}` of `{}` is not set", self.model.ident);
            let (label, note) = if links.is_empty() {
                let note = match column.primary_key {
                    Some(_) => format!("call `.{field}(..)` on the builder"),
                    None => format!("call `.{field}(..)` on the builder, or give the column a default"),
                };
                (format!("`{field}` is missing"), note)
            } else {
                let calls: Vec<String> = links.iter().chain([&field]).map(|name| format!(".{name}(..)")).collect();
                let calls = list(calls.iter().map(String::as_str)).replace(", ", " or ");
                (format!("`{}` is missing", links.join("` or `")), format!("call {calls} on the builder"))
            };
            quote! {
                #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
                pub trait #given: 'static {}
                impl #given for #private::Set {}
            }
        });
        quote!(#(#traits)*)
    }

    /// The type parameters with their bounds; those of the columns in `free` have none.
    fn bounded(&self, free: &[usize]) -> TokenStream {
        let parameters = self.slots.iter().map(|slot| {
            let Slot { column, parameter, given } = slot;
            if free.contains(column) { quote!(#parameter) } else { quote!(#parameter: #given) }
        });
        quote!(#(#parameters),*)
    }

    /// The type parameters with their bounds, without those of some columns.
    fn bounded_but(&self, columns: &[usize]) -> TokenStream {
        let slots = self.slots.iter().filter(|slot| !columns.contains(&slot.column));
        let parameters = slots.map(|Slot { parameter, given, .. }| quote!(#parameter: #given));
        quote!(#(#parameters),*)
    }

    /// The builder's type with these columns set, except some.
    fn with_keys(&self, columns: &[usize], missing: &[usize]) -> TokenStream {
        let private = private();
        let ident = &self.ident;
        let arguments = self.slots.iter().map(|Slot { column, parameter, .. }| {
            if missing.contains(column) {
                quote!(#private::Missing)
            } else if columns.contains(column) {
                quote!(#private::Set)
            } else {
                quote!(#parameter)
            }
        });
        quote!(#ident<#(#arguments),*>)
    }

    /// `New` for the complete builder and for the struct.
    fn rows(&self) -> TokenStream {
        let private = private();
        let model = &self.model.ident;
        let builder = self.with_set(&[]);
        let bounded = self.bounded(&[]);
        quote! {
            #[automatically_derived]
            impl<#bounded> #private::New for #builder {
                type Model = #model;
                fn into_row(self) -> #private::NewRow<#model> {
                    self.__into_row()
                }
            }
            #[automatically_derived]
            impl #private::New for #model {
                type Model = #model;
                fn into_row(self) -> #private::NewRow<#model> {
                    #private::literal_row(self)
                }
            }
        }
    }

    /// `ChildOf<Parent>`: the row when the parent fills the key in. Of several keys to one parent the macro cannot know
    /// which one the parent fills in, so each may be left out, but not two: where the wrong one is, the flush says so.
    fn children(&self) -> TokenStream {
        let private = private();
        let model = &self.model.ident;
        let mut parents: Vec<(String, &syn::Path, Vec<Vec<usize>>)> = Vec::new();
        for key in self.model.keys() {
            let Some(name) = key.model.segments.last().map(|segment| segment.ident.to_string()) else { continue };
            let is_required = |column: &usize| self.slots.iter().any(|slot| slot.column == *column);
            let required: Vec<usize> = key.columns.into_iter().filter(is_required).collect();
            match parents.iter_mut().find(|(known, ..)| *known == name) {
                Some((_, _, keys)) => keys.push(required),
                None => parents.push((name, key.model, vec![required])),
            }
        }
        let children = parents.iter().map(|(_, parent, keys)| {
            let child = |parameters: TokenStream, builder: TokenStream| {
                quote! {
                    #[automatically_derived]
                    impl<#parameters> #private::ChildOf<#parent, #model> for #builder {
                        fn into_link(self) -> #private::LinkTarget {
                            #private::child(self.__into_row())
                        }
                    }
                }
            };
            let keys: Vec<&[usize]> = keys.iter().map(Vec::as_slice).filter(|key| !key.is_empty()).collect();
            if let [] | [_] = keys[..] {
                let required = keys.first().copied().unwrap_or_default();
                return child(self.bounded(required), self.with_set(&[]));
            }
            let required = keys.concat();
            let several = missing_in_one(&keys)
                .into_iter()
                .map(|missing| child(self.bounded_but(&required), self.with_keys(&required, &missing)));
            quote!(#(#several)*)
        });
        quote! {
            #(#children)*
            #[automatically_derived]
            impl<__Parent: #private::Model> #private::ChildOf<__Parent, #model> for #model {
                fn into_link(self) -> #private::LinkTarget {
                    #private::child(#private::literal_row(self))
                }
            }
        }
    }
}

/// The sets of columns that may be missing where a parent fills one of these keys in: all parts of each, once.
fn missing_in_one(keys: &[&[usize]]) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = vec![Vec::new()];
    for key in keys {
        for chosen in 1_u32..1 << key.len() {
            let mut set: Vec<usize> =
                key.iter().enumerate().filter(|(bit, _)| chosen & 1 << bit != 0).map(|(_, &column)| column).collect();
            set.sort_unstable();
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
    }
    sets
}
