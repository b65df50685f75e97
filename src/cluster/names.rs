//! Names alone of objects in the cluster: for completion, which must be quick.

use http::Request;
use serde::Deserialize;

use super::Cluster;
use crate::error::{Error, Kind};

/// No list of names is longer: nobody reads more of them on a screen.
const MOST: usize = 500;

/// What has names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Namespaces,
    ConfigMaps,
    ServiceAccounts,
    PriorityClasses,
    /// Of Kueue, where it is installed.
    LocalQueues,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

impl Cluster {
    /// The names of the first 500 objects of a kind. The server sends metadata only.
    pub(crate) async fn names(&self, of: Named) -> Result<Vec<String>, Error> {
        let namespace = self.namespace();
        let path = match of {
            Named::Namespaces => "/api/v1/namespaces".to_owned(),
            Named::ConfigMaps => format!("/api/v1/namespaces/{namespace}/configmaps"),
            Named::ServiceAccounts => format!("/api/v1/namespaces/{namespace}/serviceaccounts"),
            Named::PriorityClasses => "/apis/scheduling.k8s.io/v1/priorityclasses".to_owned(),
            Named::LocalQueues => format!("/apis/kueue.x-k8s.io/v1beta1/namespaces/{namespace}/localqueues"),
        };
        let request = Request::get(format!("{path}?limit={MOST}"))
            .header(http::header::ACCEPT, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
            .body(Vec::new())
            .map_err(|error| Error::new(Kind::Failed, "the request can't be built").caused_by(error))?;
        let list: List = self.connection.timed("list names", self.client().request(request)).await?;
        Ok(list.items.into_iter().map(|item| item.metadata.name).collect())
    }
}
