//! Watches Jobs, Pods and events as streams that survive broken connections.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder, Retryable as _};
use futures::StreamExt as _;
use futures::future::OptionFuture;
use futures::stream::{self, BoxStream};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event as ApiEvent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until};

use super::connect::request_error;
use super::{Cluster, JobFilter, PAGE_SIZE, PodFilter, job_name};
use crate::error::{Error, Kind};
use crate::state::attempt::PodRecord;
use crate::state::{Event, KubeEvent};

/// The first pause before a watch is resumed. Pauses double, with jitter so that clients don't come all at once.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// The longest pause without jitter. A restarting server is away for some seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How long the list of an ended Job's Pods is requested from an unreachable server.
const LAST_LIST_TIMEOUT: Duration = Duration::from_secs(120);
/// After this long without an error the pauses start again from the first.
const PAUSE_RESET: Duration = Duration::from_secs(3);
/// The server ends a watch after this many seconds, and sends a bookmark just before.
const WATCH_SECONDS: u32 = 30;
/// A watch that is silent for longer than that may be dead: everything is listed again.
const SILENCE: Duration = Duration::from_secs(35);
/// When a Job's Pod counts change, the watch of its Pods has just shown why, or is about to.
const EXPECTED_BEFORE: Duration = Duration::from_secs(1);
const EXPECTED_WITHIN: Duration = Duration::from_secs(3);
/// The minimum time between two requests of a watch, for servers that end each watch at once.
const MIN_REQUEST_INTERVAL: Duration = Duration::from_millis(250);
/// The number of refusals in a row after which a watch gives up. A server that has just started may not know users and
/// permissions yet.
const MAX_REFUSALS: u32 = 6;

impl k8s_openapi::Resource for PodRecord {
    const API_VERSION: &'static str = "v1";
    const GROUP: &'static str = "";
    const KIND: &'static str = "Pod";
    const VERSION: &'static str = "v1";
    const URL_PATH_SEGMENT: &'static str = "pods";
    type Scope = NamespaceResourceScope;
}

impl k8s_openapi::Metadata for PodRecord {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[derive(Clone, Debug)]
pub(crate) enum WatchNews<T = Event> {
    Seen(T),
    /// Why the connection broke. Sent once until [`WatchNews::Connected`].
    Reconnecting(String),
    /// All watches of the link work again.
    Connected,
}

impl<T> WatchNews<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> WatchNews<U> {
        match self {
            Self::Seen(seen) => WatchNews::Seen(change(seen)),
            Self::Reconnecting(why) => WatchNews::Reconnecting(why),
            Self::Connected => WatchNews::Connected,
        }
    }
}

/// Shared by several watches, so that an unreachable server is reported once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    broken: Arc<AtomicUsize>,
}

/// One watch's part of a link.
#[derive(Debug)]
struct Share {
    link: Link,
    broken: bool,
    /// Whether a list and whether a watch was ever answered.
    listed: bool,
    watched: bool,
    refusals: u32,
    last_request: Option<Instant>,
}

impl Share {
    fn new(link: &Link) -> Self {
        Self { link: link.clone(), broken: false, listed: false, watched: false, refusals: 0, last_request: None }
    }

    /// Marks this watch as broken; true if it is the first of its link.
    fn mark_broken(&mut self) -> bool {
        !std::mem::replace(&mut self.broken, true) && self.link.broken.fetch_add(1, Ordering::SeqCst) == 0
    }

    /// Marks this watch as connected; true if it was the last broken one of its link.
    fn mark_connected(&mut self) -> bool {
        std::mem::take(&mut self.broken) && self.link.broken.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// Notes an answer; true if it makes the whole link work again.
    fn mark_answered(&mut self, watch: bool) -> bool {
        *self.was_answered(watch) = true;
        self.refusals = 0;
        self.mark_connected()
    }

    /// Counts a refusal; true if it is final, as at the very first request.
    fn counts_as_final(&mut self, watch: bool) -> bool {
        self.refusals += 1;
        !*self.was_answered(watch) || self.refusals >= MAX_REFUSALS
    }

    fn was_answered(&mut self, watch: bool) -> &mut bool {
        if watch { &mut self.watched } else { &mut self.listed }
    }

    /// Waits until the next request of a watch may be sent.
    async fn wait_for_next_request(&mut self) {
        if let Some(last) = self.last_request {
            sleep_until(last + MIN_REQUEST_INTERVAL).await;
        }
        self.last_request = Some(Instant::now());
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.mark_connected();
    }
}

/// A change that a watch of many Jobs reports.
#[derive(Clone, Debug)]
pub(crate) enum JobChange {
    /// A new or changed Job; also each existing Job when the watch starts or starts again.
    Now(Box<Job>),
    /// The UID of a deleted Job.
    Gone(String),
    /// The UIDs of all Jobs, after each of them was reported.
    Listed(HashSet<String>),
}

pub(crate) type WatchStream<T = Event> = BoxStream<'static, Result<WatchNews<T>, Error>>;

impl Cluster {
    /// Watches a Job and its Pods until the caller drops the stream. A Pod that no longer matches the filter is
    /// reported as gone.
    ///
    /// The watch resumes after closed connections, expired versions and restarts of the server, with growing pauses.
    ///
    /// # Errors The stream ends with an error if waiting can't help: refused credentials, or no permission to watch.
    pub(crate) fn watch(&self, job: &Job, pods: Option<PodFilter<'_>>, link: &Link) -> WatchStream {
        let recounted = Arc::new(Notify::new());
        let jobs = self.watch_job(job, link, Arc::clone(&recounted));
        let Some(pods) = pods else { return jobs };
        let (action, which) = (self.action("watch the pods of", "job", job_name(job)), pods.params(job));
        let uid = job.metadata.uid.clone();
        let read = move |change| {
            Some(match change {
                WatchChange::Listed(pod) | WatchChange::Changed(pod) => Event::Pod(Box::new(pod)),
                WatchChange::Deleted(pod) => Event::PodGone { uid: pod.metadata.uid.unwrap_or_default() },
                WatchChange::ListBegins => Event::PodListBegins { job: uid.clone() },
                WatchChange::ListEnds => Event::PodListEnds { job: uid.clone() },
            })
        };
        let pods = self.watch_objects::<PodRecord, _, _>(action, self.api(), which, link, Some(recounted), read);
        stream::select(jobs, pods).boxed()
    }

    /// Watches a Job; notifies `recounted` when its Pod counts change.
    fn watch_job(&self, job: &Job, link: &Link, recounted: Arc<Notify>) -> WatchStream {
        let action = self.action("watch", "job", job_name(job));
        let uid = job.metadata.uid.clone();
        let which = ListParams::default().fields(&format!("metadata.name={}", job_name(job)));
        let numbers = |job: &Job| job.status.as_ref().map(|status| (status.active, status.ready));
        let mut last = numbers(job);
        // Whether the current list has the Job. If it has not, the Job is gone.
        let mut listed = false;
        let read = move |change| {
            let own = |job: &Job| job.metadata.uid == uid;
            let gone = || Event::JobGone { uid: uid.clone() };
            match change {
                WatchChange::Listed(job) | WatchChange::Changed(job) if own(&job) => {
                    listed = true;
                    if std::mem::replace(&mut last, numbers(&job)) != numbers(&job) {
                        recounted.notify_one();
                    }
                    Some(Event::Job(Box::new(job)))
                }
                WatchChange::Deleted(job) if own(&job) => Some(gone()),
                WatchChange::ListBegins => {
                    listed = false;
                    None
                }
                WatchChange::ListEnds => (!listed).then(gone),
                _ => None,
            }
        };
        self.watch_objects::<Job, _, _>(action, self.api(), which, link, None, read)
    }

    /// Returns the Pods of an ended Job. Retries like a watch while the server is unreachable, for a limited time.
    pub(crate) async fn last_pods(&self, job: &Job, filter: PodFilter<'_>) -> Result<Vec<PodRecord>, Error> {
        let begun = Instant::now();
        let ask = || self.pods(job, filter);
        let again = |error: &Error| error.kind() == Kind::Unreachable && begun.elapsed() < LAST_LIST_TIMEOUT;
        ask.retry(growing_pauses()).when(again).await
    }

    /// Watches the Jobs that [`Cluster::jobs_matching`] lists, until the caller drops the stream.
    pub(crate) fn watch_jobs(&self, filter: JobFilter<'_>) -> WatchStream<JobChange> {
        let (action, api, which) = self.jobs_request("watch", filter);
        let uid = |job: &Job| job.metadata.uid.clone().unwrap_or_default();
        let mut listed = HashSet::new();
        let read = move |change| match change {
            WatchChange::Changed(job) => Some(JobChange::Now(Box::new(job))),
            WatchChange::Listed(job) => {
                listed.insert(uid(&job));
                Some(JobChange::Now(Box::new(job)))
            }
            WatchChange::Deleted(job) => Some(JobChange::Gone(uid(&job))),
            WatchChange::ListBegins => {
                listed.clear();
                None
            }
            WatchChange::ListEnds => Some(JobChange::Listed(std::mem::take(&mut listed))),
        };
        self.watch_objects::<Job, _, _>(action, api, which, &Link::default(), None, read)
    }

    /// Returns the events about a Job so far.
    pub(crate) async fn list_events(&self, job: &Job) -> Result<Vec<Event>, Error> {
        Ok(self.events(job).await?.into_iter().map(reported_event).collect())
    }

    /// Returns the warnings about all Pods of the namespace, by one request instead of one for each Pod.
    pub(crate) async fn pod_warnings(&self) -> Result<Vec<Event>, Error> {
        let warnings = self.pod_events("type=Warning").await?;
        Ok(vec![Event::PodsWarned(warnings.into_iter().map(kube_event).collect())])
    }

    /// Watches the events about a Job.
    pub(crate) fn watch_events(&self, job: &Job, link: &Link) -> WatchStream {
        let action = self.action("watch the events of", "job", job_name(job));
        let uid = job.metadata.uid.as_deref().unwrap_or_default();
        let which = ListParams::default().fields(&format!("involvedObject.kind=Job,involvedObject.uid={uid}"));
        let read = |change| match change {
            WatchChange::Changed(event) | WatchChange::Listed(event) => Some(reported_event(event)),
            _ => None,
        };
        self.watch_objects::<ApiEvent, _, _>(action, self.api(), which, link, None, read)
    }

    /// Watches objects; `read` converts each change. If `expected` is notified and no change arrives soon, everything
    /// is listed again.
    fn watch_objects<K, T, F>(
        &self,
        action: String,
        api: Api<K>,
        which: ListParams,
        link: &Link,
        expected: Option<Arc<Notify>>,
        read: F,
    ) -> WatchStream<T>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
        T: Send + 'static,
        F: FnMut(WatchChange<K>) -> Option<T> + Send + 'static,
    {
        let (news, mut received) = mpsc::channel(1);
        let server = self.server.clone();
        let (share, heard) = (Share::new(link), Instant::now());
        let watch = Watch { action, server, api, which, share, expected, heard, version: None, read, news };
        // The loop runs only while the stream is read.
        let driver = stream::once(watch.run()).filter_map(|()| ready(None));
        stream::select(stream::poll_fn(move |context| received.poll_recv(context)), driver).boxed()
    }
}

/// A change of one object, or of the whole list.
#[derive(Debug)]
enum WatchChange<K> {
    /// A new list begins: each existing object follows.
    ListBegins,
    Listed(K),
    ListEnds,
    Changed(K),
    Deleted(K),
}

/// A list and the watch that continues it, started again whenever they break.
struct Watch<K, T, F> {
    action: String,
    server: String,
    api: Api<K>,
    which: ListParams,
    share: Share,
    expected: Option<Arc<Notify>>,
    /// When the server last sent anything.
    heard: Instant,
    /// The resource version from which the watch continues; `None` if everything must be listed first.
    version: Option<String>,
    read: F,
    news: mpsc::Sender<Result<WatchNews<T>, Error>>,
}

impl<K, T, F> Watch<K, T, F>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug + 'static,
    F: FnMut(WatchChange<K>) -> Option<T>,
{
    async fn run(mut self) {
        let (mut pauses, mut since) = (growing_pauses().build(), Instant::now());
        loop {
            if self.heard.elapsed() > SILENCE {
                self.version = None;
            }
            let watching = self.version.is_some();
            let step = if watching { self.watch().await } else { self.list().await };
            let Err(error) = step else { continue };
            // An expired version is normal.
            if watching && status_code(&error) == Some(410) {
                self.version = None;
                continue;
            }
            let refused = matches!(status_code(&error), Some(401 | 403 | 404)) && self.share.counts_as_final(watching);
            let least = match &error {
                kube::Error::Api(status) => status.details.as_ref().map_or(0, |details| details.retry_after_seconds),
                _ => 0,
            };
            let error = request_error(&self.action, &self.server, error);
            if refused {
                return self.send_news(Err(error)).await;
            }
            if self.share.mark_broken() {
                self.send_news(Ok(WatchNews::Reconnecting(error.to_string()))).await;
            }
            if since.elapsed() > PAUSE_RESET {
                pauses = growing_pauses().build();
            }
            sleep(pauses.next().unwrap_or(LONGEST_PAUSE).max(Duration::from_secs(least.into()))).await;
            since = Instant::now();
        }
    }

    async fn list(&mut self) -> Result<(), kube::Error> {
        self.report(WatchChange::ListBegins).await;
        let mut params = self.which.clone().limit(PAGE_SIZE);
        loop {
            let page = match self.api.list(&params).await {
                // The server no longer knows where the list continues: request it without pages.
                Err(error) if status_code(&error) == Some(410) && params.continue_token.is_some() => {
                    params = self.which.clone();
                    self.report(WatchChange::ListBegins).await;
                    continue;
                }
                page => page?,
            };
            self.note_answer(false).await;
            for object in page.items {
                self.report(WatchChange::Listed(object)).await;
            }
            params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
            if params.continue_token.is_none() {
                self.version = Some(require_version(page.metadata.resource_version)?);
                self.heard = Instant::now();
                self.report(WatchChange::ListEnds).await;
                return Ok(());
            }
        }
    }

    /// Watches until the connection ends. `self.version` says where to continue.
    async fn watch(&mut self) -> Result<(), kube::Error> {
        self.share.wait_for_next_request().await;
        let ListParams { label_selector, field_selector, .. } = self.which.clone();
        let params =
            WatchParams { label_selector, field_selector, timeout: Some(WATCH_SECONDS), ..WatchParams::default() };
        let from = self.version.clone().unwrap_or_default();
        let events = self.api.watch(&params, &from).await?;
        self.note_answer(true).await;
        let mut events = std::pin::pin!(events);
        let mut deadline = self.heard + SILENCE;
        let expected = self.expected.clone();
        loop {
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                Some(()) = OptionFuture::from(expected.as_deref().map(Notify::notified)) => {
                    if self.heard.elapsed() > EXPECTED_BEFORE {
                        deadline = deadline.min(Instant::now() + EXPECTED_WITHIN);
                    }
                    continue;
                }
                () = sleep_until(deadline) => {
                    self.version = None;
                    return Ok(());
                }
            };
            // The next watch continues after the last event.
            let Some(event) = event.filter(|event| !matches!(event, Err(kube::Error::ReadEvents(_)))) else {
                return Ok(());
            };
            // If this event can't be parsed, everything is listed again.
            self.version = None;
            self.heard = Instant::now();
            deadline = self.heard + SILENCE;
            match event? {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    self.version = Some(require_version(object.meta().resource_version.clone())?);
                    self.report(WatchChange::Changed(object)).await;
                }
                WatchEvent::Deleted(object) => {
                    self.version = Some(require_version(object.meta().resource_version.clone())?);
                    self.report(WatchChange::Deleted(object)).await;
                }
                WatchEvent::Bookmark(bookmark) => self.version = Some(bookmark.metadata.resource_version),
                WatchEvent::Error(status) if status.code == 410 => return Ok(()),
                WatchEvent::Error(status) => return Err(kube::Error::Api(status.boxed())),
            }
        }
    }

    /// Notes an answer, and reports if the whole link works again.
    async fn note_answer(&mut self, watch: bool) {
        if self.share.mark_answered(watch) {
            self.send_news(Ok(WatchNews::Connected)).await;
        }
    }

    async fn report(&mut self, change: WatchChange<K>) {
        if let Some(event) = (self.read)(change) {
            self.send_news(Ok(WatchNews::Seen(event))).await;
        }
    }

    async fn send_news(&mut self, news: Result<WatchNews<T>, Error>) {
        // A send fails only once the receiving stream is dropped, which ends the loop, too.
        let _ = self.news.send(news).await;
    }
}

fn status_code(error: &kube::Error) -> Option<u16> {
    match error {
        kube::Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// # Errors The version is missing, so that the answer is not from an API server.
fn require_version(version: Option<String>) -> Result<String, kube::Error> {
    let missing = || serde::de::Error::custom("it has no resourceVersion");
    version.filter(|version| !version.is_empty()).ok_or_else(|| kube::Error::SerdeError(missing()))
}

/// Returns pauses that double, with jitter so that clients don't come all at once.
pub(super) fn growing_pauses() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
}

pub(crate) fn reported_event(event: ApiEvent) -> Event {
    Event::Reported(Box::new(kube_event(event)))
}

fn kube_event(event: ApiEvent) -> KubeEvent {
    let series = event.series.as_ref();
    let last = event.last_timestamp.map(|time| time.0);
    let last = last.or_else(|| series.and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0));
    let at = last.or(event.event_time.map(|time| time.0)).or(event.metadata.creation_timestamp.map(|time| time.0));
    let count = event.count.or_else(|| series.and_then(|series| series.count)).unwrap_or(1);
    KubeEvent {
        uid: event.metadata.uid.unwrap_or_default(),
        about: event.involved_object.name.unwrap_or_default(),
        at,
        warning: event.type_.as_deref() == Some("Warning"),
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        count,
    }
}
