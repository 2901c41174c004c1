//! Getting work that may hold a thread for long off the threads that poll futures.

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::error::{Error, ErrorKind, Result};

/// Runs work that may block: in place on a multi-thread runtime, whose other tasks then move to another worker; on a
/// thread of its own on a current-thread runtime, where that is impossible; and right here where no runtime runs.
///
/// The work owns everything it touches. A future dropped meanwhile does not stop it: it ends, and its result is
/// dropped where it ran, which brings a connection inside it home.
///
/// # Errors
/// `Connection` when the runtime is shutting down.
///
/// # Panics
/// When the work panics.
pub(super) async fn run<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
    let Ok(runtime) = Handle::try_current() else {
        return Ok(work());
    };
    if matches!(runtime.runtime_flavor(), RuntimeFlavor::MultiThread) {
        return Ok(tokio::task::block_in_place(work));
    }
    match runtime.spawn_blocking(work).await {
        Ok(result) => Ok(result),
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::new(
                ErrorKind::Connection,
                "the runtime is shutting down, so that the statement did not run",
            )),
        },
    }
}
