//! First stage: sequences and identity columns.

use proc_macro2::Span;
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

use super::spec::{Identity, Sequence};
use crate::attributes::{Given, Item, refuse_duplicates};
use crate::errors::Errors;

/// `sequence = ".."`, or `sequence(name = "..", start = 100, increment = 10)`.
pub(super) fn sequence(item: &Item, errors: &mut Errors) -> Option<Sequence> {
    let span = item.span();
    if let Given::Value(_) = item.given {
        let name = item.string(errors)?;
        return Some(Sequence { name, start: None, increment: None, span });
    }
    let items = item.list("name = \"..\", start = 1, increment = 1", errors);
    refuse_duplicates(&items, &[], errors);
    let (mut name, mut start, mut increment) = (None, None, None);
    for item in &items {
        match item.name().as_str() {
            "name" => name = item.string(errors),
            "start" => start = number(item, errors),
            "increment" => increment = positive(item, errors),
            _ => item.unknown("sequence", &["name", "start", "increment"], errors),
        }
    }
    if name.is_none() && !items.is_empty() {
        errors.span(span, "a sequence has a name: write `sequence(name = \"..\")`");
    }
    Some(Sequence { name: name?, start, increment, span })
}

/// `identity`, or `identity(always, start = 100, increment = 10)`.
pub(super) fn identity(item: &Item, errors: &mut Errors) -> Identity {
    let mut identity = Identity { always: false, start: None, increment: None, span: item.span() };
    if let Given::Flag = item.given {
        return identity;
    }
    let items = item.list("always, start = 1, increment = 1", errors);
    refuse_duplicates(&items, &[], errors);
    for item in &items {
        match item.name().as_str() {
            "always" => identity.always = item.flag(errors),
            "by_default" => identity.always = !item.flag(errors),
            "start" => identity.start = number(item, errors),
            "increment" => identity.increment = positive(item, errors),
            _ => item.unknown("identity", &["always", "by_default", "start", "increment"], errors),
        }
    }
    identity
}

/// Keys are told apart by their order, which is that of the rows as long as they count up.
fn positive(item: &Item, errors: &mut Errors) -> Option<i64> {
    let number = number(item, errors)?;
    if number < 1 {
        errors.span(item.span(), "an increment is at least 1");
        return None;
    }
    Some(number)
}

fn number(item: &Item, errors: &mut Errors) -> Option<i64> {
    let (negative, value) = match item.expr("1", errors)? {
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (true, &**expr),
        value => (false, value),
    };
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
            let number = errors.ok(number.base10_parse::<i64>())?;
            Some(if negative { -number } else { number })
        }
        _ => refuse(item.span(), &item.name(), errors),
    }
}

fn refuse<T>(span: Span, name: &str, errors: &mut Errors) -> Option<T> {
    errors.span(span, format!("write `{name} = 1`"));
    None
}
