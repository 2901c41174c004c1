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

pub(super) fn is_end(sql: &str) -> bool {
    is_commit(sql) || ["rollback", "abort"].iter().any(|word| first_word(sql).eq_ignore_ascii_case(word))
}

pub(super) fn is_commit(sql: &str) -> bool {
    ["commit", "end"].iter().any(|word| first_word(sql).eq_ignore_ascii_case(word))
}
