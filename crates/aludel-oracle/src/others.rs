//! What happens in another session: copies that are merged, changes of somebody else.

use aludel::prelude::*;

use crate::models::{Article, Comment, Tag};
use crate::rows::Row;

/// An article as another session has it, changed there and not flushed.
pub(crate) async fn changed_copy(
    other: &Session,
    label: &str,
    name: &str,
    drop: bool,
    comment: Option<&str>,
    tag: Option<&str>,
) -> Result<Entity<Article>> {
    let query = Article::query().filter(Article::label.eq(label)).with(Article::comments).with(Article::tags);
    let copy = query.one(other).await?;
    // Before anything is changed, which this would flush.
    let tag = match tag {
        Some(tag) => other.get::<Tag>(tag).await?,
        None => None,
    };
    copy.set(Article::name, name);
    if drop && let Some(first) = copy.comments.entities()?.into_iter().min_by(|a, b| a.label.cmp(&b.label)) {
        copy.remove(Article::comments, &first);
    }
    if let Some(label) = comment {
        copy.push(Article::comments, Comment::build().label(label).name(name));
    }
    if let Some(tag) = tag
        && !copy.tags.entities()?.contains(&tag)
    {
        copy.push(Article::tags, &tag);
    }
    Ok(copy)
}

/// Changes a row, or deletes it, and commits; whether it is of a kind for which that is done.
pub(crate) async fn interfere(other: &Session, row: &Row) -> Result<bool> {
    match row {
        Row::Article(row) => {
            let article = Article::query().filter(Article::id.eq(row.id));
            article.update(Article::n.set(Some(-1))).execute(other).await?;
        }
        Row::Comment(row) => {
            Comment::query().filter(Comment::id.eq(row.id)).delete().execute(other).await?;
        }
        _ => return Ok(false),
    }
    other.commit().await?;
    Ok(true)
}
