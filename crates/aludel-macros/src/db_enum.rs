//! `#[derive(DbEnum)]`: an enum as a column's type, stored as the names of its variants.

use heck::{ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutyKebabCase, ToShoutySnakeCase, ToSnakeCase};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident};

use crate::attributes::{Item, refuse_duplicates};
use crate::errors::{self, Errors};
use crate::names::{camel_to_snake, list};
use crate::output::{operands, private};

/// A way to make names of the variants' names.
type Rule = fn(&str) -> String;

/// The ways, by the names that serde gives them too.
const RULES: &[(&str, Rule)] = &[
    ("snake_case", |name| name.to_snake_case()),
    ("camelCase", |name| name.to_lower_camel_case()),
    ("PascalCase", |name| name.to_pascal_case()),
    ("SCREAMING_SNAKE_CASE", |name| name.to_shouty_snake_case()),
    ("kebab-case", |name| name.to_kebab_case()),
    ("SCREAMING-KEBAB-CASE", |name| name.to_shouty_kebab_case()),
    ("lowercase", |name| name.to_lowercase()),
    ("UPPERCASE", |name| name.to_uppercase()),
];

/// An enum, with the name of each variant in the database.
struct DbEnum {
    ident: Ident,
    name: String,
    variants: Vec<(Ident, String)>,
}

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    errors::derive(input, parse, expand)
}

fn parse(input: &DeriveInput, errors: &mut Errors) -> Option<DbEnum> {
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a column's type cannot have generic parameters");
    }
    let Data::Enum(data) = &input.data else {
        errors.at(&input.ident, "`DbEnum` is for enums; for a newtype derive `DbType`");
        return None;
    };
    if data.variants.is_empty() {
        errors.at(&input.ident, "an enum without variants has no value to store");
    }

    let mut name = camel_to_snake(&input.ident.unraw().to_string());
    let mut rule: Rule = RULES[0].1;
    let items = Item::of(&input.attrs, "db_enum", errors);
    refuse_duplicates(&items, &[], errors);
    for item in &items {
        match item.name().as_str() {
            "name" => name = item.string(errors).map_or(name, |name| name.value()),
            "rename_all" => {
                let Some(wanted) = item.string(errors) else { continue };
                match RULES.iter().find(|(known, _)| *known == wanted.value()) {
                    Some((_, known)) => rule = *known,
                    None => {
                        let known = list(RULES.iter().map(|(known, _)| *known));
                        errors.at(&wanted, format!("no such way of writing names; there are {known}"));
                    }
                }
            }
            _ => item.unknown("db_enum", &["name", "rename_all"], errors),
        }
    }

    let mut variants: Vec<(Ident, String)> = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            let text = "only variants without fields are stored by name; an enum with data can be a `Json<T>` column";
            errors.at(&variant.fields, text);
        }
        let mut name = rule(&variant.ident.unraw().to_string());
        let items = Item::of(&variant.attrs, "db_enum", errors);
        refuse_duplicates(&items, &[], errors);
        for item in &items {
            match item.name().as_str() {
                "rename" => name = item.string(errors).map_or(name, |name| name.value()),
                _ => item.unknown("db_enum", &["rename"], errors),
            }
        }
        if let Some((other, _)) = variants.iter().find(|(_, known)| *known == name) {
            errors
                .at(&variant.ident, format!("`{other}` is stored as `{name}` too: add `#[db_enum(rename = \"..\")]`"));
        }
        variants.push((variant.ident.clone(), name));
    }
    Some(DbEnum { ident: input.ident.clone(), name, variants })
}

fn expand(parsed: &DbEnum) -> TokenStream {
    let private = private();
    let DbEnum { ident, name, variants } = parsed;
    let title = ident.unraw().to_string();
    let (variants, names): (Vec<_>, Vec<_>) = variants.iter().cloned().unzip();
    let first = variants.first();
    let operands = operands(ident);
    quote! {
        const _: () = {
            const NAMES: &[&str] = &[#(#names),*];
            const VALUES: &[#private::Cow<'static, str>] = &[#(#private::Cow::Borrowed(#names)),*];

            fn named(text: &str) -> ::core::option::Option<#ident> {
                ::core::option::Option::Some(match text {
                    #(#names => #ident::#variants,)*
                    _ => return ::core::option::Option::None,
                })
            }

            #[automatically_derived]
            impl #private::ColumnType for #ident {
                type Base = Self;
                const SQL_TYPE: #private::SqlType = #private::SqlType::Enum {
                    name: #private::Cow::Borrowed(#name),
                    values: #private::Cow::Borrowed(VALUES),
                };

                fn decode(row: &#private::Row<'_>, index: usize) -> #private::Result<Self> {
                    #private::decode_enum(row, index, named, #title, NAMES)
                }

                fn to_value(&self) -> #private::Value<'_> {
                    #private::Value::Text(#private::Cow::Borrowed(match self {
                        #(#ident::#variants => #names,)*
                    }))
                }

                fn from_value(value: #private::Value<'_>) -> #private::Result<Self> {
                    #private::enum_value(value, named, #title, NAMES)
                }
            }

            #[automatically_derived]
            impl #private::KeyType for #ident {
                type Slot = #private::Missing;
                const GENERATED: #private::Generated = #private::Generated::No;

                fn placeholder() -> Self {
                    #ident::#first
                }
            }

            #operands
        };
    }
}
