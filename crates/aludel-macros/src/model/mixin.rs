//! A model's mixins. A derive sees the struct that it stands on and no other, so the derive of a mixin leaves a macro of
//! the struct's name behind, which hands the struct's fields to whoever asks; the model is expanded when all have answered.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Fields, FieldsNamed, Ident, Path, Type, braced, parse_quote_spanned};

use super::parse::{column, refuse_attribute};
use super::spec::{Field, Mixin, Model, Origin};
use crate::attributes::Item;
use crate::errors::Errors;
use crate::output::{docs_of, private_at};

/// `{struct} {fields} ..`
pub(super) struct Invocation {
    pub(super) model: DeriveInput,
    pub(super) mixins: Vec<FieldsNamed>,
}

impl Parse for Invocation {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let model;
        braced!(model in input);
        let model = model.parse()?;
        let mut mixins = Vec::new();
        while !input.is_empty() {
            mixins.push(input.parse()?);
        }
        Ok(Self { model, mixins })
    }
}

/// Whether a field is a mixin.
pub(super) fn is_flattened(attributes: &[Attribute]) -> bool {
    // What is wrong with them is said when they are parsed in earnest.
    Item::of(attributes, "model", &mut Errors::default()).iter().any(|item| item.key == "flatten")
}

/// The types of the fields that are mixins, as far as they can be named.
pub(super) fn paths(input: &DeriveInput) -> Vec<Path> {
    let Data::Struct(data) = &input.data else { return Vec::new() };
    let Fields::Named(fields) = &data.fields else { return Vec::new() };
    let mixins = fields.named.iter().filter(|field| is_flattened(&field.attrs));
    mixins.filter_map(|field| path(&field.ty).cloned()).collect()
}

/// The path of a mixin's type.
pub(super) fn path(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(path) if path.qself.is_none() => {
            path.path.segments.last().is_some_and(|last| last.arguments.is_empty()).then_some(&path.path)
        }
        Type::Group(group) => path(&group.elem),
        Type::Paren(paren) => path(&paren.elem),
        _ => None,
    }
}

/// Asks the next mixin for its fields.
pub(super) fn ask(mixin: &Path, model: &DeriveInput, known: &[FieldsNamed]) -> TokenStream {
    quote!(#mixin! { { #model } #(#known)* })
}

/// The columns of a mixin.
pub(super) fn flatten<'a>(
    model: &mut Model,
    ident: &Ident,
    field: &syn::Field,
    mixins: &mut impl Iterator<Item = &'a FieldsNamed>,
    errors: &mut Errors,
) {
    for item in Item::of(&field.attrs, "model", errors) {
        if item.name() == "flatten" {
            item.flag(errors);
        } else {
            errors.span(item.span(), "a mixin's field has `#[model(flatten)]` alone");
        }
    }
    let text = "the columns of a mixin have their attributes in the mixin";
    refuse_attribute(&field.attrs, "column", text, errors);
    refuse_attribute(&field.attrs, "relationship", text, errors);
    if path(&field.ty).is_none() {
        errors.at(&field.ty, "`#[model(flatten)]` is for a struct with `#[derive(Mixin)]`, named by its path");
        return;
    }
    let first = model.columns.len();
    for member in mixins.next().into_iter().flat_map(|fields| &fields.named) {
        let Some(ident) = &member.ident else { continue };
        let parsed = Field {
            ident: ident.clone(),
            // What the member says is of another place.
            vis: field.vis.clone(),
            docs: docs_of(&member.attrs),
            ty: member.ty.clone(),
            constant: ident.clone(),
        };
        model.columns.push(column(parsed, &member.attrs, &model.ident, errors));
    }
    let count = model.columns.len() - first;
    model.mixins.push(Mixin { ident: ident.clone(), ty: field.ty.clone(), first, count });
}

/// Lets the columns of mixins be what the mixins say: their types and values are looked up where the mixin is.
pub(super) fn project(model: &mut Model) {
    for mixin in &model.mixins {
        let ty = &mixin.ty;
        for (position, column) in model.columns[mixin.columns()].iter_mut().enumerate() {
            let span = column.field.ident.span();
            let at = private_at(span);
            column.field.ty = parse_quote_spanned!(span=> <#ty as #at::MixinColumn<#position>>::Type);
            if column.origin == Origin::Default && column.default.is_some() {
                column.default = Some(parse_quote_spanned!(span=> <#ty as #at::MixinDefault<#position>>::value()));
            }
            if column.on_update.is_some() {
                column.on_update = Some(parse_quote_spanned!(span=> <#ty as #at::MixinOnUpdate<#position>>::value()));
            }
        }
    }
}

/// The mixins' fields in the struct of the model, each made by what is given, of its columns' positions.
pub(super) fn fields(
    model: &Model,
    make: impl Fn(&Mixin, TokenStream) -> TokenStream,
) -> impl Iterator<Item = TokenStream> {
    model.mixins.iter().map(move |mixin| {
        let (ident, ty) = (&mixin.ident, &mixin.ty);
        let at = private_at(ty.span());
        let value = make(mixin, quote_spanned!(ty.span()=> <#ty as #at::Mixin>));
        quote!(#ident: #value)
    })
}
