//! The only user of the Kubernetes client: requests in, plain values and events out. It never prints.

mod change;
pub(crate) mod connect;
pub(crate) mod logs;
mod names;
mod objects;
mod pods;
mod protobuf;
pub(crate) mod watch;

use itertools::Itertools as _;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Event};
use kube::api::{Api, ListParams};
use kube::{Client, Resource};
use serde::de::DeserializeOwned;

use crate::error::{Error, Hint, Kind};
use connect::request_error;
pub(crate) use names::ListedKind;
pub(crate) use objects::{Created, ServerVersion, Submission};
pub(crate) use pods::PodFilter;

/// The number of objects in a page of a list, as kubectl's `--chunk-size`.
const PAGE_SIZE: u32 = 500;

/// One namespace of one cluster, as one user.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: Client,
    /// The namespace from the flag, the context or the Pod, else `default`.
    namespace: String,
    /// The URL of the API server without credentials, for errors.
    server: String,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JobFilter<'a> {
    pub(crate) all_namespaces: bool,
    pub(crate) labels: Option<&'a str>,
    pub(crate) fields: Option<&'a str>,
}

impl Cluster {
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn in_namespace(&self, namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), ..self.clone() }
    }

    /// Awaits a request and converts its error; `action` is such as "get jobs in namespace default".
    async fn run_request<T>(
        &self,
        action: &str,
        request: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, Error> {
        request.await.map_err(|error| request_error(action, &self.server, error))
    }

    fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.namespace())
    }

    /// Returns an action for errors, such as "get job x in namespace y".
    fn action(&self, verb: &str, kind: &str, name: &str) -> String {
        format!("{verb} {kind} {name:?} in namespace {:?}", self.namespace())
    }

    pub(crate) async fn job(&self, name: &str) -> Result<Job, Error> {
        let job = self.run_request(&self.action("get", "job", name), self.api::<Job>().get(name)).await;
        job.map_err(|error| match error.kind() {
            Kind::NotFound => Error::new(Kind::NotFound, self.action("there is no", "job", name))
                .hint(Hint::indexed(&["list"], "shows the Indexed Jobs").and("-n NAMESPACE selects another namespace")),
            _ => error,
        })
    }

    pub(crate) async fn jobs(&self, all_namespaces: bool, selector: Option<&str>) -> Result<Vec<Job>, Error> {
        self.jobs_matching(JobFilter { all_namespaces, labels: selector, fields: None }).await
    }

    pub(crate) async fn jobs_matching(&self, filter: JobFilter<'_>) -> Result<Vec<Job>, Error> {
        let (action, api, params) = self.jobs_request("list", filter);
        self.list(&action, &api, params).await
    }

    /// Returns the first page of the namespace's Jobs that match `selector`, in the order of their names.
    pub(crate) async fn first_jobs(&self, selector: Option<&str>) -> Result<Vec<Job>, Error> {
        let filter = JobFilter { labels: selector, ..JobFilter::default() };
        let (action, api, params) = self.jobs_request("list", filter);
        Ok(self.run_request(&action, api.list(&params.limit(PAGE_SIZE))).await?.items)
    }

    /// Returns the action for errors, the API and the parameters of a request for Jobs.
    fn jobs_request(&self, verb: &str, filter: JobFilter<'_>) -> (String, Api<Job>, ListParams) {
        let JobFilter { all_namespaces, labels, fields } = filter;
        let (label_selector, field_selector) = (labels.map(str::to_owned), fields.map(str::to_owned));
        let params = ListParams { label_selector, field_selector, ..ListParams::default() };
        if all_namespaces {
            return (format!("{verb} jobs in all namespaces"), Api::all(self.client.clone()), params);
        }
        (format!("{verb} jobs in namespace {:?}", self.namespace()), self.api(), params)
    }

    /// Returns the events about the Job itself, as `kubectl describe` selects them.
    pub(crate) async fn events(&self, job: &Job) -> Result<Vec<Event>, Error> {
        let fields = format!(
            "involvedObject.kind=Job,involvedObject.name={},involvedObject.namespace={},involvedObject.uid={}",
            job_name(job),
            self.namespace(),
            job.metadata.uid.as_deref().unwrap_or_default()
        );
        let action = self.action("list the events of", "job", job_name(job));
        self.list(&action, &self.api::<Event>(), ListParams::default().fields(&fields)).await
    }

    /// Returns the events about the namespace's Pods, except those of scheduling and starting, the latest last.
    pub(crate) async fn pod_events_after_start(&self) -> Result<Vec<Event>, Error> {
        let beginnings = ["Scheduled", "Pulling", "Pulled", "Created", "Started"];
        let mut events = self.pod_events(&format!("reason!={}", beginnings.join(",reason!="))).await?;
        events.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
        Ok(events)
    }

    async fn pod_events(&self, which: &str) -> Result<Vec<Event>, Error> {
        let action = format!("list the events of pods in namespace {:?}", self.namespace());
        let fields = ListParams::default().fields(&format!("involvedObject.kind=Pod,{which}"));
        self.list(&action, &self.api::<Event>(), fields).await
    }

    pub(crate) async fn config_map(&self, name: &str) -> Result<Option<ConfigMap>, Error> {
        self.run_request(&self.action("get", "configmap", name), self.api::<ConfigMap>().get_opt(name)).await
    }

    /// Returns all pages of a list.
    ///
    /// If the server no longer knows where the list continues (410 Gone), the whole list is requested again without
    /// pages.
    async fn list<K>(&self, action: &str, api: &Api<K>, params: ListParams) -> Result<Vec<K>, Error>
    where
        K: Clone + DeserializeOwned + std::fmt::Debug,
    {
        let mut all = Vec::new();
        let mut page = params.clone().limit(PAGE_SIZE);
        loop {
            let request = async {
                match api.list(&page).await {
                    Err(kube::Error::Api(status)) if status.code == 410 && page.continue_token.is_some() => {
                        all.clear();
                        api.list(&params).await
                    }
                    answer => answer,
                }
            };
            let list = self.run_request(action, request).await?;
            all.extend(list.items);
            match list.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page.continue_token = Some(token),
                None => return Ok(all),
            }
        }
    }
}

/// Returns the label selector of a Job's Pods. The Job's own selector has its UID, so that a former Job of the same
/// name does not match.
fn pod_selector(job: &Job) -> String {
    let labels = job.spec.as_ref().and_then(|spec| spec.selector.as_ref()?.match_labels.as_ref());
    match labels.filter(|labels| !labels.is_empty()) {
        Some(labels) => labels.iter().map(|(key, value)| format!("{key}={value}")).join(","),
        None => format!("job-name={}", job_name(job)),
    }
}

fn job_name(job: &Job) -> &str {
    job.metadata.name.as_deref().unwrap_or_default()
}
