//! What the macro can tell of a type by its spelling.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericArgument, Ident, Path, PathArguments, PathSegment, Type};

/// The last segment of a type's path.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// `T` of `Wrapper<T>`.
pub(crate) fn content_of<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == wrapper)?;
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if arguments.args.len() == 1 => match &arguments.args[0] {
            GenericArgument::Type(content) => Some(content),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the type is an integer of the language.
pub(crate) fn is_integer(ty: &Type) -> bool {
    let integers = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];
    last_segment(ty).is_some_and(|segment| integers.iter().any(|integer| segment.ident == integer))
}

/// Whether the type is spelt `Uuid`.
pub(crate) fn is_uuid(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "Uuid")
}

/// Whether a type and a path end in the same name: all that a macro can compare.
pub(crate) fn same_name(ty: &Type, path: &Path) -> bool {
    match (last_segment(ty), path.segments.last()) {
        (Some(ty), Some(path)) => ty.ident == path.ident,
        _ => false,
    }
}

/// The tokens with `Self` replaced by the struct's name, for use outside of its `impl` blocks.
pub(crate) fn without_self(tokens: TokenStream, ident: &Ident) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(found) if found == "Self" => {
                let mut named = ident.clone();
                named.set_span(found.span());
                TokenTree::Ident(named)
            }
            TokenTree::Group(group) => {
                let mut replaced = Group::new(group.delimiter(), without_self(group.stream(), ident));
                replaced.set_span(group.span());
                TokenTree::Group(replaced)
            }
            other => other,
        })
        .collect()
}

/// The same for a parsed type or path; what parsed before parses again.
pub(crate) fn parse_without_self<T: ToTokens + syn::parse::Parse + Clone>(parsed: &T, ident: &Ident) -> T {
    syn::parse2(without_self(quote!(#parsed), ident)).unwrap_or_else(|_| parsed.clone())
}
