//! `#[derive(Projection)]`: a struct that rows are read into, and its columns struct, by which it is selected.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Type, Visibility};

use crate::errors::{self, Errors};
use crate::output::{docs, docs_of, pascal, private};

struct Projection {
    ident: Ident,
    vis: Visibility,
    fields: Vec<Field>,
}

struct Field {
    ident: Ident,
    vis: Visibility,
    ty: Type,
    docs: Vec<Attribute>,
    /// The type parameter of the columns struct.
    parameter: Ident,
}

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    errors::derive(input, parse, expand)
}

fn parse(input: &DeriveInput, errors: &mut Errors) -> Option<Projection> {
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a projection cannot have generic parameters");
    }
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        _ => {
            errors.at(&input.ident, "only a struct can be a projection: it has a field for each selected column");
            return None;
        }
    };
    let Fields::Named(fields) = fields else {
        errors.at(&input.ident, "a projection's fields need names: without names select a tuple");
        return None;
    };
    if fields.named.is_empty() {
        errors.at(&input.ident, "a projection has a field for each selected column, and this one has none");
    }
    let fields = fields.named.iter().filter_map(|field| {
        let ident = field.ident.clone()?;
        let parameter = format_ident!("{}Column", pascal(&ident));
        Some(Field { ident, vis: field.vis.clone(), ty: field.ty.clone(), docs: docs_of(&field.attrs), parameter })
    });
    Some(Projection { ident: input.ident.clone(), vis: input.vis.clone(), fields: fields.collect() })
}

fn expand(projection: &Projection) -> TokenStream {
    let private = private();
    let Projection { ident, vis, fields } = projection;
    let columns = format_ident!("{}Columns", ident.unraw(), span = ident.span());
    let text = format!("What to select for each field of [`{ident}`].");
    let names: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let parameters: Vec<_> = fields.iter().map(|field| &field.parameter).collect();
    let index: Vec<syn::Index> = (0..fields.len()).map(syn::Index::from).collect();
    let declared = fields.iter().map(|field| {
        let Field { ident, vis, parameter, .. } = field;
        let docs = docs(&field.docs, || format!("What is read into `{}`.", ident.unraw()));
        quote!(#docs #vis #ident: #parameter)
    });
    let literals: Vec<_> = names.iter().map(|name| name.unraw().to_string()).collect();
    quote! {
        #[doc = #text]
        #[must_use = "give it to `select`"]
        #vis struct #columns<#(#parameters),*> {
            #(#declared,)*
        }

        #[automatically_derived]
        impl<#(#parameters: #private::Selection<Output = #types>),*> #private::Selection for #columns<#(#parameters),*> {
            type Output = #ident;

            fn push_to(self, list: &mut #private::SelectList) {
                #(#private::Selection::push_to(self.#names, list);)*
            }
        }

        #[automatically_derived]
        impl #private::Projected for #ident {
            type Columns = #columns<#(#private::Expr<#types>),*>;

            const NAMES: &'static [&'static str] = &[#(#literals),*];

            fn columns(table: &#private::NamedColumns) -> Self::Columns {
                #columns { #(#names: table.column::<#types>(#literals),)* }
            }
        }

        #[automatically_derived]
        impl<#(#parameters: #private::ValueFor<#types>),*> #private::ValuesRow for #columns<#(#parameters),*> {
            type Projection = #ident;

            fn types() -> #private::Vec<#private::SqlType> {
                <[_]>::into_vec(::std::boxed::Box::new([#(<#parameters as #private::ValueFor<#types>>::SQL_TYPE),*]))
            }

            fn push_to(self, values: &mut #private::Vec<#private::Node>) {
                #(values.push(#private::ValueFor::<#types>::into_value(self.#names));)*
            }
        }

        #[automatically_derived]
        impl #private::Fetch for #ident {
            type Streamed = Self;
            type Reader<'a> = (#(<#types as #private::Fetch>::Reader<'a>,)*);

            fn width() -> usize {
                0 #(+ <#types as #private::Fetch>::width())*
            }

            fn reader<'a>(source: &mut #private::Source<'a>) -> Self::Reader<'a> {
                (#(<#types as #private::Fetch>::reader(source),)*)
            }

            fn read(reader: &mut Self::Reader<'_>, row: &#private::Row<'_>, at: usize) -> #private::Result<Self> {
                let mut next = #private::Columns::from(at);
                #private::Result::Ok(#ident {
                    #(#names: <#types as #private::Fetch>::read(&mut reader.#index, row, next.take::<#types>())?,)*
                })
            }

            fn detached(row: &#private::Row<'_>, at: usize) -> #private::Result<Self> {
                let mut next = #private::Columns::from(at);
                #private::Result::Ok(#ident {
                    #(#names: <#types as #private::Fetch>::detached(row, next.take::<#types>())?,)*
                })
            }

            fn streamed(row: &#private::Row<'_>, at: usize) -> #private::Result<Self> {
                <Self as #private::Fetch>::detached(row, at)
            }
        }
    }
}
