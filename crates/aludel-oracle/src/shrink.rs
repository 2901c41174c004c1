//! A program that differs, made as small as it still differs.

use crate::program::{Kind, Op, Program, Rel};

/// Takes operations out, large runs of them first, and simplifies those that are left, while the program still
/// `differs`.
///
/// # Errors
/// Those of running programs.
pub(crate) async fn shrink<F>(program: Program, mut differs: F) -> Result<Program, String>
where
    F: AsyncFnMut(&Program) -> Result<bool, String>,
{
    let mut small = program;
    loop {
        let before = small.clone();
        let mut run = small.ops.len().div_ceil(2).max(1);
        loop {
            let mut at = 0;
            while at < small.ops.len() {
                let mut shorter = small.clone();
                shorter.ops.drain(at..(at + run).min(small.ops.len()));
                if differs(&shorter).await? {
                    small = shorter;
                } else {
                    at += run;
                }
            }
            if run == 1 {
                break;
            }
            run = run.div_ceil(2);
        }
        for at in 0..small.ops.len() {
            for op in simpler(&small.ops[at]) {
                let mut other = small.clone();
                other.ops[at] = op;
                if differs(&other).await? {
                    small = other;
                }
            }
        }
        if small == before {
            return Ok(small);
        }
    }
}

/// The same operation with one thing less.
fn simpler(op: &Op) -> Vec<Op> {
    let mut simpler = Vec::new();
    match op {
        Op::Add { one, many, into, kind, .. } => {
            // A comment without its article is no program.
            let needed = |rel: Rel| *kind == Kind::Comment && rel == Rel::Article;
            for at in (0..one.len()).filter(|&at| !needed(one[at].0)) {
                let mut less = op.clone();
                if let Op::Add { one, .. } = &mut less {
                    one.remove(at);
                }
                simpler.push(less);
            }
            for (at, (_, rows)) in many.iter().enumerate() {
                for row in 0..rows.len() {
                    let mut less = op.clone();
                    if let Op::Add { many, .. } = &mut less {
                        many[at].1.remove(row);
                        many.retain(|(_, rows)| !rows.is_empty());
                    }
                    simpler.push(less);
                }
            }
            if into.is_some() && (*kind != Kind::Comment || one.iter().any(|(rel, _)| needed(*rel))) {
                let mut less = op.clone();
                if let Op::Add { into, .. } = &mut less {
                    *into = None;
                }
                simpler.push(less);
            }
        }
        Op::SetMany { to, .. } => {
            for at in 0..to.len() {
                let mut less = op.clone();
                if let Op::SetMany { to, .. } = &mut less {
                    to.remove(at);
                }
                simpler.push(less);
            }
        }
        _ => {}
    }
    simpler
}
