//! A Job and its Pods as a stream of events, through whatever happens to watches.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, future};
use http::{Request, Response, StatusCode, Uri};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Event as ApiEvent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::client::Body;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::ResetTimerBackoff;
use kube::runtime::watcher::{self, ExponentialBackoff, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::connect::request_error;
use super::{Cluster, JobFilter, PodFilter, pod_selector};
use crate::error::{Error, Kind};
use crate::state::attempt::PodRecord;
use crate::state::{Event, Happening};

/// The first pause before a watch is taken up again; it doubles, and is spread so that many clients don't come at once.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
/// The longest pause, apart from the spread. A server that restarts is away for some seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How often a list is asked for again that can't be reached: for about two minutes.
const TRIES: usize = 16;
/// After so long without trouble the pauses begin anew.
const CALM: Duration = Duration::from_secs(30);
/// How long a server may take to begin its answer: of a watch, too, it sends the head at once.
const ANSWER: Duration = Duration::from_secs(30);
/// The least time from one request of a watch to the next, for servers that end each watch as soon as it has begun.
const BREATH: Duration = Duration::from_millis(250);
/// A server that has just started may know neither users nor rights yet: so many refusals in a row are believed.
const REFUSALS: u32 = 6;

impl Resource for PodRecord {
    type DynamicType = ();
    type Scope = NamespaceResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        "Pod".into()
    }

    fn group((): &()) -> Cow<'_, str> {
        "".into()
    }

    fn version((): &()) -> Cow<'_, str> {
        "v1".into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        "pods".into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// What a watch has to tell.
#[derive(Clone, Debug)]
pub(crate) enum Notice<T = Event> {
    /// Something was seen.
    Seen(T),
    /// The connection is gone, and it is being made again: why. Told once until [`Notice::Connected`].
    Reconnecting(String),
    /// All watches of the link are answered again.
    Connected,
}

impl<T> Notice<T> {
    /// Changes what was seen.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Notice<U> {
        match self {
            Self::Seen(seen) => Notice::Seen(change(seen)),
            Self::Reconnecting(why) => Notice::Reconnecting(why),
            Self::Connected => Notice::Connected,
        }
    }
}

/// Which Pods of a Job are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pods {
    None,
    /// A Pod that succeeds is told as gone. The server leaves out all that have succeeded before.
    Unsucceeded,
    All,
}

/// What several watches share: that the server can't be reached is told once for all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Link {
    broken: Arc<AtomicUsize>,
}

/// One watch's part of a link.
#[derive(Debug)]
struct Share {
    link: Link,
    broken: AtomicBool,
    /// Whether a list, and whether a watch, was ever answered.
    listed: AtomicBool,
    watched: AtomicBool,
    refusals: AtomicU32,
    last_request: std::sync::Mutex<Option<Instant>>,
}

impl Share {
    fn new(link: &Link) -> Arc<Self> {
        Arc::new(Self {
            link: link.clone(),
            broken: AtomicBool::new(false),
            listed: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            refusals: AtomicU32::new(0),
            last_request: std::sync::Mutex::new(None),
        })
    }

    /// Notes that this watch is broken; whether it is the first of its link.
    fn breaks(&self) -> bool {
        !self.broken.swap(true, Ordering::SeqCst) && self.link.broken.fetch_add(1, Ordering::SeqCst) == 0
    }

    /// Notes that this watch is in order; whether it was the last of its link that was not.
    fn mends(&self) -> bool {
        self.broken.swap(false, Ordering::SeqCst) && self.link.broken.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// Notes an answer; whether with it the whole link is in order again.
    fn is_answered(&self, watch: bool) -> bool {
        let answered = if watch { &self.watched } else { &self.listed };
        answered.store(true, Ordering::SeqCst);
        self.refusals.store(0, Ordering::SeqCst);
        self.mends()
    }

    /// Whether a refusal is to be believed: one at the very first request is.
    fn is_final(&self, watch: bool) -> bool {
        let answered = if watch { &self.watched } else { &self.listed };
        !answered.load(Ordering::SeqCst) || self.refusals.fetch_add(1, Ordering::SeqCst) + 1 >= REFUSALS
    }

    /// Waits until the next request of a watch may be sent.
    async fn take_breath(&self) {
        let earliest = {
            let mut last = self.last_request.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let earliest = last.map_or_else(Instant::now, |last| last + BREATH).max(Instant::now());
            *last = Some(earliest);
            earliest
        };
        sleep_until(earliest).await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.mends();
    }
}

/// What a watch of many Jobs sees.
#[derive(Clone, Debug)]
pub(crate) enum JobChange {
    /// A Job as it now is; also each of them when the watch begins, and when it has to begin anew.
    Now(Box<Job>),
    /// A Job was deleted: its UID.
    Gone(String),
    /// Each of the Jobs that there are was told; their UIDs.
    Listed(HashSet<String>),
}

/// A stream that a caller can hold without knowing of what it is made.
pub(crate) type Notices = BoxStream<'static, Result<Notice, Error>>;

impl Cluster {
    /// Watches one Job and those of its Pods, until the caller drops the stream.
    ///
    /// Closed connections, expired versions and a server that restarts are waited out, with a pause that grows to some
    /// seconds.
    ///
    /// # Errors
    /// The stream ends with an error where waiting can't help: credentials refused, or no permission to watch.
    pub(crate) fn watch(&self, job: &Job, pods: Pods, link: &Link) -> Notices {
        let jobs = self.watch_job(job, link).boxed();
        let doing = format!("watch the pods of job {:?} in namespace {:?}", name(job), self.namespace());
        let config = watcher::Config::default().labels(&pod_selector(job));
        let config = match pods {
            Pods::None => return jobs,
            Pods::Unsucceeded => config.fields("status.phase!=Succeeded"),
            Pods::All => config,
        };
        let uid = job.metadata.uid.clone();
        let pods = self.observe::<PodRecord, _, _>(doing, config, link, Some(self.namespace()), move |event| {
            Some(match event {
                watcher::Event::Apply(pod) | watcher::Event::InitApply(pod) => Event::Pod(Box::new(pod)),
                watcher::Event::Delete(pod) => Event::PodGone { uid: pod.metadata.uid.unwrap_or_default() },
                watcher::Event::Init => Event::PodListBegins { job: uid.clone() },
                watcher::Event::InitDone => Event::PodListEnds { job: uid.clone() },
            })
        });
        stream::select(jobs, pods).boxed()
    }

    fn watch_job(&self, job: &Job, link: &Link) -> impl Stream<Item = Result<Notice, Error>> + use<> {
        let doing = format!("watch job {:?} in namespace {:?}", name(job), self.namespace());
        let uid = job.metadata.uid.clone();
        let config = watcher::Config::default().fields(&format!("metadata.name={}", name(job)));
        // Whether the list that is being read has named the Job: one that it does not name is gone.
        let mut listed = false;
        self.observe::<Job, _, _>(doing, config, link, Some(self.namespace()), move |event| {
            let own = |job: &Job| job.metadata.uid == uid;
            let gone = || Event::JobGone { uid: uid.clone() };
            match event {
                watcher::Event::Apply(job) if own(&job) => Some(Event::Job(Box::new(job))),
                watcher::Event::InitApply(job) if own(&job) => {
                    listed = true;
                    Some(Event::Job(Box::new(job)))
                }
                watcher::Event::Delete(job) if own(&job) => Some(gone()),
                watcher::Event::Init => {
                    listed = false;
                    None
                }
                watcher::Event::InitDone => (!listed).then(gone),
                _ => None,
            }
        })
    }

    /// The Pods of a Job that has ended, from a server that may just be restarting: as patient as a watch, but not for
    /// ever.
    pub(crate) async fn last_pods(&self, job: &Job, filter: PodFilter<'_>) -> Result<Vec<PodRecord>, Error> {
        let ask = || self.pods(job, filter);
        ask.retry(growing().with_max_times(TRIES)).when(|error| error.kind() == Kind::Unreachable).await
    }

    /// Watches the Jobs that [`Cluster::jobs_with`] lists, until the caller drops the stream.
    pub(crate) fn watch_jobs(&self, filter: JobFilter<'_>) -> BoxStream<'static, Result<Notice<JobChange>, Error>> {
        let JobFilter { all_namespaces, labels, fields } = filter;
        let (doing, namespace) = if all_namespaces {
            ("watch jobs in all namespaces".to_owned(), None)
        } else {
            (format!("watch jobs in namespace {:?}", self.namespace()), Some(self.namespace()))
        };
        let config = watcher::Config {
            label_selector: labels.map(str::to_owned),
            field_selector: fields.map(str::to_owned),
            ..watcher::Config::default()
        };
        let uid = |job: &Job| job.metadata.uid.clone().unwrap_or_default();
        let mut listed = HashSet::new();
        let read = move |event| match event {
            watcher::Event::Apply(job) => Some(JobChange::Now(Box::new(job))),
            watcher::Event::InitApply(job) => {
                listed.insert(uid(&job));
                Some(JobChange::Now(Box::new(job)))
            }
            watcher::Event::Delete(job) => Some(JobChange::Gone(uid(&job))),
            watcher::Event::Init => {
                listed.clear();
                None
            }
            watcher::Event::InitDone => Some(JobChange::Listed(std::mem::take(&mut listed))),
        };
        self.observe::<Job, _, _>(doing, config, &Link::default(), namespace, read).boxed()
    }

    /// What the cluster has told about a Job so far.
    pub(crate) async fn happenings(&self, job: &Job) -> Result<Vec<Event>, Error> {
        Ok(self.events(job).await?.into_iter().map(happened).collect())
    }

    /// Watches what the cluster tells about a Job.
    pub(crate) fn watch_happenings(&self, job: &Job, link: &Link) -> Notices {
        let doing = format!("watch the events of job {:?} in namespace {:?}", name(job), self.namespace());
        let uid = job.metadata.uid.as_deref().unwrap_or_default();
        let config = watcher::Config::default().fields(&format!("involvedObject.kind=Job,involvedObject.uid={uid}"));
        self.observe::<ApiEvent, _, _>(doing, config, link, Some(self.namespace()), |event| match event {
            watcher::Event::Apply(event) | watcher::Event::InitApply(event) => Some(happened(event)),
            _ => None,
        })
        .boxed()
    }

    /// One watch in a namespace, or in all, in which `read` makes events of what the server tells.
    fn observe<K, T, F>(
        &self,
        doing: String,
        config: watcher::Config,
        link: &Link,
        namespace: Option<&str>,
        mut read: F,
    ) -> impl Stream<Item = Result<Notice<T>, Error>> + use<K, T, F>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug
            + Send
            + 'static,
        F: FnMut(watcher::Event<K>) -> Option<T>,
    {
        let share = Share::new(link);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let client = self.watching_client(&share, sender);
        let api = namespace.map_or_else(|| Api::all(client.clone()), |name| Api::<K>::namespaced(client.clone(), name));
        let server = self.connection.server.clone();
        let events = watcher(api, config).backoff(pauses()).map(move |event| match event {
            Ok(event) => read(event).map(|event| Ok(Notice::Seen(event))),
            Err(error) => trouble(&doing, &server, error, &share),
        });
        let connected = stream::poll_fn(move |context| receiver.poll_recv(context));
        stream::select(events, connected.map(|()| Some(Ok(Notice::Connected)))).filter_map(future::ready)
    }

    /// A client for one watch: it tells when the server answers again, and does not wait for ever until it does.
    fn watching_client(&self, share: &Arc<Share>, connected: mpsc::UnboundedSender<()>) -> Client {
        let (client, share) = (self.client(), Arc::downgrade(share));
        let service = tower::service_fn(move |request: Request<Body>| {
            let (client, share, connected) = (client.clone(), share.clone(), connected.clone());
            async move {
                let watch = is_watch(request.uri());
                if let Some(share) = share.upgrade().filter(|_| watch) {
                    share.take_breath().await;
                }
                let answer = timeout(ANSWER, client.send(request)).await.unwrap_or_else(|_| {
                    let message = format!("the server did not answer within {ANSWER:?}");
                    Err(kube::Error::Service(Error::new(Kind::Unreachable, message).into()))
                })?;
                if watch && answer.status() == StatusCode::GONE {
                    return Ok(expired());
                }
                if answer.status().is_success() && share.upgrade().is_some_and(|share| share.is_answered(watch)) {
                    // Nobody listens any more when the watch is being dropped.
                    let _ = connected.send(());
                }
                Ok::<_, kube::Error>(answer)
            }
        });
        Client::new(service, self.namespace())
    }
}

fn name(job: &Job) -> &str {
    job.metadata.name.as_deref().unwrap_or_default()
}

/// The answer that a server gives to most watches that come too late. The few that it refuses outright would be asked
/// for again and again from the same place.
fn expired() -> Response<Body> {
    let event = br#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","code":410,"reason":"Expired","message":"too old resource version"}}"#;
    Response::new(Body::from(event.to_vec()))
}

fn is_watch(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("watch=")))
}

fn pauses() -> ResetTimerBackoff<ExponentialBackoff> {
    ResetTimerBackoff::new(growing().without_max_times().into(), CALM)
}

fn growing() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_factor(2.0)
        .with_jitter()
}

/// What an event of the API tells.
fn happened(event: ApiEvent) -> Event {
    let series = event.series.as_ref();
    let last = event.last_timestamp.map(|time| time.0);
    let last = last.or_else(|| series.and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0));
    let at = last.or(event.event_time.map(|time| time.0)).or(event.metadata.creation_timestamp.map(|time| time.0));
    let count = event.count.or_else(|| series.and_then(|series| series.count)).unwrap_or(1);
    Event::Happened(Box::new(Happening {
        uid: event.metadata.uid.unwrap_or_default(),
        at,
        warning: event.type_.as_deref() == Some("Warning"),
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        count,
    }))
}

/// What an error of a watch means: to be waited out (told, unless it is a matter of course), or the end.
fn trouble<T>(doing: &str, server: &str, error: watcher::Error, share: &Share) -> Option<Result<Notice<T>, Error>> {
    let refused =
        |error: &kube::Error| matches!(error, kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404));
    let why = match error {
        // The server has forgotten where the watch was; all is listed again.
        watcher::Error::WatchError(status) if status.code == 410 => return None,
        watcher::Error::WatchFailed(_) => "the connection was closed".to_owned(),
        watcher::Error::WatchError(status) => status.message.clone(),
        watcher::Error::NoResourceVersion => "the answer has no version".to_owned(),
        watcher::Error::InitialListFailed(error) if refused(&error) && share.is_final(false) => {
            return Some(Err(request_error(doing, server, error)));
        }
        watcher::Error::WatchStartFailed(error) if refused(&error) && share.is_final(true) => {
            return Some(Err(request_error(doing, server, error)));
        }
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
            request_error(doing, server, error).to_string()
        }
    };
    share.breaks().then_some(Ok(Notice::Reconnecting(why)))
}
