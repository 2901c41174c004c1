//! Statements that begin and end transactions.

fn first_word(sql: &str) -> &str {
    let sql = sql.trim_start();
    sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// Whether a statement begins, ends or marks a transaction: these have neither values nor rows, and are not worth
/// preparing.
pub(super) fn is_transaction_command(sql: &str) -> bool {
    ["begin", "start", "savepoint", "release"].iter().any(|word| first_word(sql).eq_ignore_ascii_case(word))
        || is_end(sql)
}

/// Whether a statement ends the transaction for the connection, which goes on without it.
pub(super) fn is_prepare(sql: &str) -> bool {
    let mut words = sql.split_ascii_whitespace();
    ["prepare", "transaction"].iter().all(|known| words.next().is_some_and(|word| word.eq_ignore_ascii_case(known)))
}

pub(super) fn is_end(sql: &str) -> bool {
    is_commit(sql)
        || is_prepare(sql)
        || ["rollback", "abort"].iter().any(|word| first_word(sql).eq_ignore_ascii_case(word))
}

pub(super) fn is_commit(sql: &str) -> bool {
    ["commit", "end"].iter().any(|word| first_word(sql).eq_ignore_ascii_case(word))
}
