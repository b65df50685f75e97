//! The signals that ask the program to end: Ctrl-C, SIGTERM and SIGHUP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tokio_util::sync::CancellationToken;

/// Whether the program is asked to end. A signal that came while nobody waited is not lost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    caught: Arc<AtomicBool>,
    /// Cancelled when the program is asked to end.
    pub(crate) first: CancellationToken,
    /// Cancelled when the program is asked again, because what it does at its end takes too long.
    pub(crate) second: CancellationToken,
}

impl Signals {
    /// Catches the signals from now on. Before that they end the program at once, as they end any other.
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

    /// Returns what a future returns, or None if the program is asked to end first.
    pub(crate) async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.catch();
        tokio::select! {
            outcome = work => Some(outcome),
            () = self.first.cancelled() => None,
        }
    }
}

/// Begins to listen at once: a signal after this call is not lost.
#[cfg(unix)]
fn listen() -> BoxStream<'static, ()> {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    // Under nohup a hangup stays ignored.
    let kinds = kinds.into_iter().filter(|kind| *kind != SignalKind::hangup() || !ignores_hangup());
    let each = |mut signal: Signal| stream::poll_fn(move |context| signal.poll_recv(context));
    // A system that lets nobody listen ends the program as ever.
    stream::select_all(kinds.filter_map(|kind| signal(kind).ok()).map(each)).chain(stream::pending()).boxed()
}

/// Whether the program was started so that a hangup is ignored; known on Linux.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Signal 1 is the lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
fn listen() -> BoxStream<'static, ()> {
    let asked = stream::repeat_with(tokio::signal::ctrl_c).then(|asked| asked);
    asked.take_while(|asked| std::future::ready(asked.is_ok())).map(drop).chain(stream::pending()).boxed()
}
