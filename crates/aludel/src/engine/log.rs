//! The narrow way by which statements are seen from outside: one call for each statement sent.

use std::sync::Arc;

use super::EngineOptions;

/// What is told of each statement sent, its SQL with placeholders, `BEGIN` and `COMMIT` among them.
pub(crate) type StatementObserver = Arc<dyn Fn(&str) + Send + Sync>;

/// Tells of statements; without a listener it costs one branch.
pub(super) struct Log(Option<StatementObserver>);

impl Log {
    pub(super) fn new(options: &EngineOptions) -> Self {
        let echo: Option<StatementObserver> = match (options.echo, options.replica.clone()) {
            (false, _) => None,
            (true, None) => Some(Arc::new(|sql: &str| tracing::info!(target: "aludel::sql", "{sql}"))),
            (true, Some(replica)) => Some(Arc::new(move |sql: &str| {
                tracing::info!(target: "aludel::sql", replica = &*replica, "{sql}");
            })),
        };
        Self(match (echo, options.observer.clone()) {
            (Some(echo), Some(observer)) => Some(Arc::new(move |sql: &str| {
                echo(sql);
                observer(sql);
            })),
            (echo, observer) => echo.or(observer),
        })
    }

    #[inline]
    pub(super) fn statement(&self, sql: &str) {
        if let Some(observer) = &self.0 {
            observer(sql);
        }
    }
}
