//! Only models can be got and queried.
use aludel::prelude::*;

struct Tag {
    id: i64,
}

async fn get(session: &Session) -> Result<()> {
    session.get::<Tag>(1).await?;
    Tag::query();
    Ok(())
}

fn main() {}
