//! A Job and its Pods as a stream of events, through whatever happens to watches.

use std::borrow::Cow;

use futures::{Stream, StreamExt, future};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};

use super::connect::request_error;
use super::{Cluster, pod_selector};
use crate::error::Error;
use crate::state::Event;
use crate::state::attempt::PodRecord;

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
pub(crate) enum Notice {
    /// Something was seen.
    Seen(Event),
    /// The connection is gone, and it is being made again: why.
    Reconnecting(String),
}

impl Cluster {
    /// Watches one Job, and with `pods` its Pods too, until the caller drops the stream.
    ///
    /// Closed connections, expired versions and a server that restarts are waited out, with a pause that grows to 30 s.
    ///
    /// # Errors
    /// The stream ends with an error where waiting can't help: credentials refused, or no permission to watch.
    pub(crate) fn watch(&self, job: &Job, pods: bool) -> impl Stream<Item = Result<Notice, Error>> + Unpin + use<> {
        let name = job.metadata.name.clone().unwrap_or_default();
        let uid = job.metadata.uid.clone().unwrap_or_default();
        let jobs = self.watch_job(&name, &uid).boxed();
        let server = self.connection.server.clone();
        let doing = format!("watch the pods of job {name:?} in namespace {:?}", self.namespace());
        let pod_events = if pods {
            let config = watcher::Config::default().labels(&pod_selector(job));
            watcher(self.api::<PodRecord>(), config)
                .backoff(watcher::DefaultBackoff::default())
                .map(move |event| match event {
                    Ok(event) => Some(Ok(Notice::Seen(pod_event(event)))),
                    Err(error) => trouble(&doing, &server, error),
                })
                .filter_map(future::ready)
                .boxed()
        } else {
            futures::stream::empty().boxed()
        };
        futures::stream::select(jobs, pod_events)
    }

    fn watch_job(&self, name: &str, uid: &str) -> impl Stream<Item = Result<Notice, Error>> + use<> {
        let doing = format!("watch job {name:?} in namespace {:?}", self.namespace());
        let server = self.connection.server.clone();
        let uid = uid.to_owned();
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        // Whether the list that is being read has named the Job: one that it does not name is gone.
        let mut listed = false;
        watcher(self.api::<Job>(), config)
            .backoff(watcher::DefaultBackoff::default())
            .map(move |event| {
                let own = |job: &Job| job.metadata.uid.as_deref() == Some(uid.as_str());
                match event {
                    Ok(watcher::Event::Apply(job)) if own(&job) => Some(Event::Job(Box::new(job))),
                    Ok(watcher::Event::InitApply(job)) if own(&job) => {
                        listed = true;
                        Some(Event::Job(Box::new(job)))
                    }
                    Ok(watcher::Event::Delete(job)) if own(&job) => Some(Event::JobGone),
                    Ok(watcher::Event::Init) => {
                        listed = false;
                        None
                    }
                    Ok(watcher::Event::InitDone) => (!listed).then_some(Event::JobGone),
                    Ok(_) => None,
                    Err(error) => return trouble(&doing, &server, error),
                }
                .map(|event| Ok(Notice::Seen(event)))
            })
            .filter_map(future::ready)
    }
}

fn pod_event(event: watcher::Event<PodRecord>) -> Event {
    match event {
        watcher::Event::Apply(pod) | watcher::Event::InitApply(pod) => Event::Pod(Box::new(pod)),
        watcher::Event::Delete(pod) => Event::PodGone { uid: pod.metadata.uid.unwrap_or_default() },
        watcher::Event::Init => Event::PodListBegins,
        watcher::Event::InitDone => Event::PodListEnds,
    }
}

/// What an error of a watch means: to be waited out (told, unless it is a matter of course), or the end.
fn trouble(doing: &str, server: &str, error: watcher::Error) -> Option<Result<Notice, Error>> {
    let expired = |status: &kube::core::Status| status.code == 410;
    match error {
        watcher::Error::WatchError(status) if expired(&status) => None,
        watcher::Error::WatchFailed(_) => Some(Ok(Notice::Reconnecting("the connection was closed".to_owned()))),
        watcher::Error::WatchError(status) => Some(Ok(Notice::Reconnecting(status.message.clone()))),
        watcher::Error::NoResourceVersion => Some(Ok(Notice::Reconnecting("the answer has no version".to_owned()))),
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
            let final_code = match &error {
                kube::Error::Api(status) => matches!(status.code, 401 | 403 | 404),
                _ => false,
            };
            let error = request_error(doing, server, error);
            Some(if final_code { Err(error) } else { Ok(Notice::Reconnecting(error.to_string())) })
        }
    }
}
