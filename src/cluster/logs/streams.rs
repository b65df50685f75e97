//! Limits how many logs are read at once, and lets them take turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

/// How long a followed log keeps its turn while others wait, and how long it may be silent.
const TURN: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_millis(250);

/// The streams that may be open at once. Each one is a connection, and work for the server and a node.
///
/// If there are more followed logs than streams, they take turns and resume where they stopped.
#[derive(Debug)]
pub(crate) struct Streams {
    limit: usize,
    slots: Semaphore,
    /// Has one additional reference for each waiting log.
    waiting: Arc<()>,
    served: AtomicBool,
}

/// A stream in use; released when dropped.
pub(super) struct StreamTurn<'a> {
    streams: &'a Streams,
    since: Instant,
    _slot: Option<SemaphorePermit<'a>>,
}

impl Default for Streams {
    fn default() -> Self {
        Self::new(64)
    }
}

impl Streams {
    /// Allows `limit` streams at once, at least one.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { limit, slots: Semaphore::new(limit), waiting: Arc::default(), served: AtomicBool::new(false) }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) async fn take_turn(&self) -> StreamTurn<'_> {
        let waiting = Arc::clone(&self.waiting);
        // The semaphore is never closed.
        let slot = self.slots.acquire().await.ok();
        drop(waiting);
        StreamTurn { streams: self, since: Instant::now(), _slot: slot }
    }

    pub(super) fn note_served(&self) {
        self.served.store(true, Ordering::Relaxed);
    }

    pub(super) fn have_served(&self) -> bool {
        self.served.load(Ordering::Relaxed)
    }

    /// Returns how long a log may have to wait for its turn.
    pub(crate) fn longest_wait(&self) -> Duration {
        let rounds = self.waiting_count().div_ceil(self.limit);
        TURN.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
    }

    fn waiting_count(&self) -> usize {
        Arc::strong_count(&self.waiting) - 1
    }
}

impl StreamTurn<'_> {
    /// Awaits `next`; `None` if the turn ends first: others wait, and the log is silent or its time is up.
    pub(super) async fn within_turn<T>(&self, next: impl Future<Output = T>) -> Option<T> {
        let mut next = std::pin::pin!(next);
        let end = self.since + TURN;
        if self.streams.waiting_count() > 0 && Instant::now() >= end {
            return None;
        }
        loop {
            let now = Instant::now();
            let wake = if now < end { end.min(now + SILENCE) } else { now + SILENCE };
            match timeout_at(wake, &mut next).await {
                Ok(came) => return Some(came),
                Err(_) if self.streams.waiting_count() > 0 => return None,
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_yields_only_if_others_wait() {
        let streams = Streams::new(1);
        let turn = streams.take_turn().await;
        let nothing = turn.within_turn(std::future::pending::<()>());
        assert!(tokio::time::timeout(Duration::from_secs(60), nothing).await.is_err(), "nobody waits");
        let (over, next) = tokio::join!(
            async {
                let over = turn.within_turn(std::future::pending::<()>()).await.is_none();
                drop(turn);
                over
            },
            streams.take_turn()
        );
        assert!(over);
        assert!(streams.waiting_count() == 0);
        drop(next);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_grows_with_the_number_of_waiting_logs() {
        let streams = Streams::new(2);
        assert_eq!(streams.longest_wait(), Duration::ZERO);
        let _taken = (streams.take_turn().await, streams.take_turn().await);
        let three = futures::future::join3(streams.take_turn(), streams.take_turn(), streams.take_turn());
        assert!(
            tokio::time::timeout(SILENCE, async {
                let look = async {
                    tokio::task::yield_now().await;
                    assert_eq!(streams.longest_wait(), 2 * TURN);
                };
                tokio::join!(three, look)
            })
            .await
            .is_err()
        );
        assert_eq!(streams.longest_wait(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_stream_yields_after_its_turn() {
        let streams = Streams::new(1);
        let turn = streams.take_turn().await;
        let talk = async {
            let mut lines = 0;
            while turn.within_turn(sleep(Duration::from_millis(100))).await.is_some() {
                lines += 1;
            }
            drop(turn);
            lines
        };
        let (lines, _) = tokio::join!(talk, streams.take_turn());
        assert!((15..=25).contains(&lines), "{lines}");
    }
}
