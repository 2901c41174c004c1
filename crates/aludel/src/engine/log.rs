//! The narrow way by which statements are seen from outside: one call for each statement sent.

use std::sync::Arc;

/// What is told of each statement sent, its SQL with placeholders, `BEGIN` and `COMMIT` among them.
pub(crate) type StatementObserver = Arc<dyn Fn(&str) + Send + Sync>;

/// Tells of statements; without a listener it costs one branch.
pub(super) struct Log(Option<StatementObserver>);

impl Log {
    pub(super) fn new(echo: bool, observer: Option<StatementObserver>) -> Self {
        let Some(observer) = observer else {
            return Self(echo.then(|| Arc::new(echo_statement) as StatementObserver));
        };
        if !echo {
            return Self(Some(observer));
        }
        Self(Some(Arc::new(move |sql: &str| {
            echo_statement(sql);
            observer(sql);
        })))
    }

    #[inline]
    pub(super) fn statement(&self, sql: &str) {
        if let Some(observer) = &self.0 {
            observer(sql);
        }
    }
}

fn echo_statement(sql: &str) {
    tracing::info!(target: "aludel::sql", "{sql}");
}
