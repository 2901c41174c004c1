//! `#[derive(Polymorphic)]`: an enum with a variant for each model of a hierarchy.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Ident, Path, Type};

use crate::attributes::{Item, refuse_duplicates};
use crate::errors::{self, Errors};
use crate::output::{private, private_at};
use crate::types::content_of;

struct Polymorphic {
    ident: Ident,
    /// `Employee` and `kind` of `on = Employee::kind`.
    root: Path,
    column: Ident,
    variants: Vec<Variant>,
}

struct Variant {
    ident: Ident,
    model: Type,
}

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    errors::derive(input, parse, expand)
}

fn parse(input: &DeriveInput, errors: &mut Errors) -> Option<Polymorphic> {
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a polymorphic enum cannot have generic parameters");
    }
    let Data::Enum(data) = &input.data else {
        errors.at(&input.ident, "only an enum can be polymorphic: it has a variant for each model of a hierarchy");
        return None;
    };
    let on = on(input, errors);
    if data.variants.is_empty() {
        errors
            .at(&input.ident, "a polymorphic enum has a variant for each model of a hierarchy, and this one has none");
    }
    let mut variants: Vec<Variant> = Vec::new();
    for variant in &data.variants {
        let name = &variant.ident;
        let field = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Some(&fields.unnamed[0].ty),
            _ => None,
        };
        let Some(model) = field.and_then(|ty| content_of(ty, "Entity")) else {
            errors.at(name, format!("a variant holds the entity of its model: write `{name}(Entity<{name}>)`"));
            continue;
        };
        let text = |ty: &Type| quote!(#ty).to_string();
        if let Some(twin) = variants.iter().find(|twin| text(&twin.model) == text(model)) {
            errors.at(model, format!("`{}` has the rows of this model already", twin.ident));
        }
        variants.push(Variant { ident: name.clone(), model: model.clone() });
    }
    let (root, column) = on?;
    Some(Polymorphic { ident: input.ident.clone(), root, column, variants })
}

/// `#[polymorphic(on = Employee::kind)]`
fn on(input: &DeriveInput, errors: &mut Errors) -> Option<(Path, Ident)> {
    let items = Item::of(&input.attrs, "polymorphic", errors);
    refuse_duplicates(&items, &[], errors);
    let mut path = None;
    for item in &items {
        match item.name().as_str() {
            "on" => path = Some(item.path("Model::discriminator", errors)?),
            _ => item.unknown("polymorphic", &["on"], errors),
        }
    }
    let Some(mut path) = path else {
        errors.at(
            &input.ident,
            "say which column tells the rows apart: add `#[polymorphic(on = Model::discriminator)]` to the enum",
        );
        return None;
    };
    let column = path.segments.pop().map(|segment| segment.ident)?;
    // The separator that `pop` leaves behind.
    path.segments = path.segments.into_iter().collect();
    if path.segments.is_empty() {
        errors.at(&column, "name the model too: write `on = Model::discriminator`");
        return None;
    }
    Some((path, column))
}

fn expand(polymorphic: &Polymorphic) -> TokenStream {
    let private = private();
    let Polymorphic { ident, root, column, variants } = polymorphic;
    let at = private_at(column.span());
    let text = format!(
        "`{}::{column}` is not the discriminator of `{0}`, which is marked `#[column(discriminator)]`",
        quote!(#root).to_string().replace(' ', "")
    );
    let check = quote_spanned!(column.span()=> const _: () = #at::discriminates::<#root, _>(#root::#column, #text););
    let defs = variants.iter().map(|Variant { model, .. }| {
        let at = private_at(model.span());
        quote_spanned!(model.span()=> #at::member::<#model, #root>)
    });
    let arms = variants.iter().enumerate().map(|(position, Variant { ident, .. })| {
        quote!(#position => ::core::option::Option::map(entity.downcast(), Self::#ident))
    });
    let from = variants.iter().map(|Variant { ident: variant, model }| {
        quote! {
            #[automatically_derived]
            impl ::core::convert::From<#private::Entity<#model>> for #ident {
                fn from(entity: #private::Entity<#model>) -> Self {
                    Self::#variant(entity)
                }
            }
        }
    });
    let any = variants
        .iter()
        .map(|Variant { ident, .. }| quote!(Self::#ident(entity) => #private::AnyEntity::from(entity.clone())));
    let name = ident.unraw().to_string();
    quote! {
        #check

        #[automatically_derived]
        impl #private::Polymorphic for #ident {
            type Root = #root;
            const NAME: &'static str = #name;
            const MODELS: &'static [fn() -> &'static #private::ModelDef] = &[#(#defs),*];

            fn variant(position: usize, entity: #private::AnyEntity) -> ::core::option::Option<Self> {
                match position {
                    #(#arms,)*
                    _ => ::core::option::Option::None,
                }
            }

            fn entity(&self) -> #private::AnyEntity {
                match self {
                    #(#any,)*
                }
            }
        }

        #(#from)*

        #[automatically_derived]
        impl #private::Fetch for #ident {
            type Streamed = Self;
            type Reader<'a> = #private::PolymorphicReader<'a>;

            fn width() -> usize {
                #private::PolymorphicReader::width::<Self>()
            }

            fn reader<'a>(source: &mut #private::Source<'a>) -> Self::Reader<'a> {
                #private::PolymorphicReader::new::<Self>(source)
            }

            fn read(reader: &mut Self::Reader<'_>, row: &#private::Row<'_>, at: usize) -> #private::Result<Self> {
                reader.read(row, at)
            }

            fn detached(_row: &#private::Row<'_>, _at: usize) -> #private::Result<Self> {
                #private::PolymorphicReader::without_columns::<Self>()
            }

            fn streamed(row: &#private::Row<'_>, at: usize) -> #private::Result<Self> {
                #private::PolymorphicReader::streamed(row, at)
            }
        }
    }
}
