//! The signals that ask the program to end: Ctrl-C, SIGTERM and SIGHUP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tokio_util::sync::CancellationToken;

/// The received signals. A signal that arrives while nothing waits is not lost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    caught: Arc<AtomicBool>,
    /// Cancelled by the first signal.
    pub(crate) first: CancellationToken,
    /// Cancelled by the second signal: the clean-up takes too long.
    pub(crate) second: CancellationToken,
}

impl Signals {
    /// Catches the signals from now on. Before, they end the program at once.
    pub(crate) fn catch(&self) {
        if self.caught.swap(true, Ordering::SeqCst) {
            return;
        }
        let (mut received, first, second) = (listen(), self.first.clone(), self.second.clone());
        tokio::spawn(async move {
            received.next().await;
            first.cancel();
            received.next().await;
            second.cancel();
        });
    }

    /// Returns the output of a future, or `None` if a signal arrives first.
    pub(crate) async fn unless_interrupted<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.catch();
        tokio::select! {
            outcome = work => Some(outcome),
            () = self.first.cancelled() => None,
        }
    }
}

/// Starts to listen at once: no signal after this call is lost.
#[cfg(unix)]
fn listen() -> BoxStream<'static, ()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    // Under nohup a hangup stays ignored.
    let kinds = kinds.into_iter().filter(|kind| *kind != SignalKind::hangup() || !ignores_hangup());
    let each = |mut signal: Signal| stream::poll_fn(move |context| signal.poll_recv(context));
    // If listening fails, a signal ends the program as usual.
    stream::select_all(kinds.filter_map(|kind| signal(kind).ok()).map(each)).chain(stream::pending()).boxed()
}

/// Whether the program was started with SIGHUP ignored. Detected on Linux only.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Signal 1 is the lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
fn listen() -> BoxStream<'static, ()> {
    let received = stream::repeat_with(tokio::signal::ctrl_c).then(|signal| signal);
    received.take_while(|signal| std::future::ready(signal.is_ok())).map(drop).chain(stream::pending()).boxed()
}
