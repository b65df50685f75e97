//! The Pods of a Job, of which there may be a hundred thousand: page by page, the next one under way while one is read.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::future::ready;

use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use itertools::Itertools as _;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Resource as _;
use kube::api::ListParams;
use kube::client::Body;

use super::protobuf::{Malformed, PodList, PodListPart};
use super::{Cluster, PAGE_SIZE, job_name, pod_selector};
use crate::contract::label;
use crate::error::Error;
use crate::index_set::IndexSet;
use crate::state::attempt::PodRecord;

/// JSON is what a server, or a proxy before it, answers that has no protobuf.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// How many indexes are named in a request. Each takes some 6 bytes of the URL, and 8 KB is what proxies take.
const MAX_NAMED: usize = 500;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PodFilter<'a> {
    pub(crate) fields: Option<&'a str>,
    /// At least those of these indexes; of others too where that is cheaper.
    pub(crate) indexes: Option<&'a IndexSet>,
}

impl PodFilter<'_> {
    /// Those that have not succeeded: few, once a Job has ended well.
    pub(crate) const UNSUCCESSFUL: Self = Self { fields: Some("status.phase!=Succeeded"), indexes: None };

    pub(super) fn params(self, job: &Job) -> ListParams {
        let mut labels = pod_selector(job);
        if let Some(indexes) = self.indexes.filter(|indexes| (1..=MAX_NAMED).contains(&indexes.len())) {
            let _ = write!(labels, ",{} in ({})", label::INDEX, indexes.iter().join(","));
        }
        let field_selector = self.fields.map(str::to_owned);
        ListParams { label_selector: Some(labels), field_selector, ..ListParams::default() }
    }
}

struct PodPage {
    /// Where the list goes on, if it does.
    next: Option<String>,
    pods: BoxStream<'static, Result<PodRecord, kube::Error>>,
}

impl Cluster {
    /// The Pods of a Job, each once.
    pub(crate) async fn pods(&self, job: &Job, filter: PodFilter<'_>) -> Result<Vec<PodRecord>, Error> {
        let mut pods = Vec::new();
        self.each_pod(job, filter, |pod| pods.push(pod)).await?;
        let mut seen = HashSet::new();
        pods.retain(|pod| seen.insert(pod.metadata.uid.clone()));
        Ok(pods)
    }

    /// Hands over the Pods of a Job one by one, by no order. Where the server has forgotten how a list went on, it is
    /// read anew, and some Pods are handed over twice.
    pub(crate) async fn each_pod(
        &self,
        job: &Job,
        filter: PodFilter<'_>,
        mut visit: impl FnMut(PodRecord),
    ) -> Result<(), Error> {
        let action = self.action("list the pods of", "job", job_name(job));
        let params = filter.params(job);
        let mut coming = self.request_page(&action, &params.clone().limit(PAGE_SIZE)).await?;
        while let Some(mut page) = coming {
            // The head of an answer says where the list goes on, so the server can be at work on the next page while
            // this one is on its way and decoded. One, not more: memory stays flat, and others want the server too.
            let next = page.next.take();
            let next = async {
                let Some(token) = next else { return Ok(None) };
                match self.request_page(&action, &params.clone().limit(PAGE_SIZE).continue_token(&token)).await? {
                    Some(page) => Ok(Some(page)),
                    None => self.request_page(&action, &params).await,
                }
            };
            let (next, read) = futures::join!(next, self.read_page(&action, page, &mut visit));
            read?;
            coming = next?;
        }
        Ok(())
    }

    /// No more than a page of the Pods of a Job, by name.
    pub(crate) async fn first_pods(&self, job: &Job, filter: PodFilter<'_>) -> Result<Vec<PodRecord>, Error> {
        let action = self.action("list the pods of", "job", job_name(job));
        let mut pods = Vec::new();
        if let Some(page) = self.request_page(&action, &filter.params(job).limit(PAGE_SIZE)).await? {
            self.read_page(&action, page, |pod| pods.push(pod)).await?;
        }
        Ok(pods)
    }

    /// No more than a page of the Pods of a Job, with all that the server has of them.
    pub(crate) async fn whole_pods(&self, job: &Job) -> Result<Vec<Pod>, Error> {
        let action = self.action("list the pods of", "job", job_name(job));
        let params = PodFilter::default().params(job).limit(PAGE_SIZE);
        Ok(self.run_request(&action, self.api::<Pod>().list(&params)).await?.items)
    }

    /// A page up to its head; None if the server has forgotten where the list went on (410 Gone).
    async fn request_page(&self, action: &str, params: &ListParams) -> Result<Option<PodPage>, Error> {
        let page = async {
            if let Some(page) = self.request_protobuf_page(params).await? {
                return Ok(Some(page));
            }
            match self.api::<PodRecord>().list(params).await {
                Ok(list) => {
                    let next = list.metadata.continue_.filter(|token| !token.is_empty());
                    Ok(Some(PodPage { next, pods: stream::iter(list.items).map(Ok).boxed() }))
                }
                Err(kube::Error::Api(status)) if status.code == 410 && params.continue_token.is_some() => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.run_request(action, page).await
    }

    /// None if the answer is not of this form: an error, which is also told in protobuf, or another form.
    async fn request_protobuf_page(&self, params: &ListParams) -> Result<Option<PodPage>, kube::Error> {
        let path = PodRecord::url_path(&(), Some(self.namespace()));
        let mut request = kube::core::Request::new(path).list(params).map_err(kube::Error::BuildRequest)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(PROTOBUF));
        let answer = self.client.send(request.map(Body::from)).await?;
        let form = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        if !answer.status().is_success() || !form.is_some_and(|form| form.starts_with(PROTOBUF.as_bytes())) {
            return Ok(None);
        }
        let start = (PodList::default(), answer.into_body().into_data_stream());
        let parts = stream::try_unfold(start, |(mut list, mut rest)| async move {
            loop {
                if let Some(part) = list.next_part().map_err(malformed_error)? {
                    return Ok(Some((part, (list, rest))));
                }
                match rest.next().await {
                    Some(bytes) => list.push(&bytes?),
                    None if list.is_complete() => return Ok(None),
                    None => return Err(malformed_error(Malformed)),
                }
            }
        });
        let mut parts = parts.boxed();
        let (next, first) = match parts.try_next().await?.ok_or_else(|| malformed_error(Malformed))? {
            PodListPart::Head { next } => (next, None),
            PodListPart::Pod(pod) => (None, Some(*pod)),
        };
        let rest =
            parts.try_filter_map(|part| ready(Ok(if let PodListPart::Pod(pod) = part { Some(*pod) } else { None })));
        Ok(Some(PodPage { next, pods: stream::iter(first).map(Ok).chain(rest).boxed() }))
    }

    async fn read_page(&self, action: &str, page: PodPage, mut visit: impl FnMut(PodRecord)) -> Result<(), Error> {
        let read = page.pods.try_for_each(|pod| {
            visit(pod);
            ready(Ok(()))
        });
        self.run_request(action, read).await
    }
}

fn malformed_error(malformed: Malformed) -> kube::Error {
    kube::Error::SerdeError(serde::de::Error::custom(malformed))
}
