//! Users with their posts with their comments.

use std::collections::HashMap;

/// What one operation of the associations workload returns.
pub type Tree<User, Post, Comment> = Vec<(User, Vec<(Post, Vec<Comment>)>)>;

/// Puts each child under its parent, for contenders that leave this to their users. Parents keep
/// their order, children theirs.
///
/// # Panics
///
/// If a child names no parent.
pub fn group<P, C>(
    parents: Vec<P>,
    id: impl Fn(&P) -> i32,
    children: Vec<C>,
    parent_id: impl Fn(&C) -> i32,
) -> Vec<(P, Vec<C>)> {
    let positions: HashMap<i32, usize> = parents.iter().enumerate().map(|(i, p)| (id(p), i)).collect();
    let mut groups: Vec<_> = parents.into_iter().map(|p| (p, Vec::new())).collect();
    for child in children {
        groups[positions[&parent_id(&child)]].1.push(child);
    }
    groups
}
