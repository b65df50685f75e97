//! Lists the Pods of a Job page by page, up to a hundred thousand. The next page is requested while one is read.

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

/// A server or a proxy without protobuf answers in JSON.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The maximum number of indexes in a selector. Each takes about 6 bytes of the URL, and proxies accept 8 KB.
const MAX_NAMED: usize = 500;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PodFilter<'a> {
    pub(crate) fields: Option<&'a str>,
    /// Only Pods of these indexes, except where a full list is cheaper.
    pub(crate) indexes: Option<&'a IndexSet>,
}

impl PodFilter<'_> {
    /// Pods that have not succeeded: few, once a Job has completed.
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
    /// The token of the next page, if there is one.
    next: Option<String>,
    pods: BoxStream<'static, Result<PodRecord, kube::Error>>,
}

impl Cluster {
    /// Returns the Pods of a Job, each once.
    pub(crate) async fn pods(&self, job: &Job, filter: PodFilter<'_>) -> Result<Vec<PodRecord>, Error> {
        let mut pods = Vec::new();
        self.each_pod(job, filter, |pod| pods.push(pod)).await?;
        let mut seen = HashSet::new();
        pods.retain(|pod| seen.insert(pod.metadata.uid.clone()));
        Ok(pods)
    }

    /// Calls `visit` with each Pod of a Job, in no order. If the server no longer knows where the list continues, the
    /// list is read again, and some Pods are visited twice.
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
            // The head of an answer has the token of the next page, so that the server can prepare it while this page
            // is decoded. Only one page ahead: that limits memory and the load of the server.
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

    /// Returns the first page of a Job's Pods, in the order of their names.
    pub(crate) async fn first_pods(&self, job: &Job, filter: PodFilter<'_>) -> Result<Vec<PodRecord>, Error> {
        let action = self.action("list the pods of", "job", job_name(job));
        let mut pods = Vec::new();
        if let Some(page) = self.request_page(&action, &filter.params(job).limit(PAGE_SIZE)).await? {
            self.read_page(&action, page, |pod| pods.push(pod)).await?;
        }
        Ok(pods)
    }

    /// Returns the first page of a Job's Pods with all their fields.
    pub(crate) async fn whole_pods(&self, job: &Job) -> Result<Vec<Pod>, Error> {
        let action = self.action("list the pods of", "job", job_name(job));
        let params = PodFilter::default().params(job).limit(PAGE_SIZE);
        Ok(self.run_request(&action, self.api::<Pod>().list(&params)).await?.items)
    }

    /// Requests a page and reads its head; `None` if the server no longer knows where the list continues (410 Gone).
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

    /// Requests a page in protobuf; `None` if the answer is an error or has another form.
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
