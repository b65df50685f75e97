//! Lists the names of objects, for the completion of words.

use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};

use super::objects::KUEUE;
use super::{Cluster, PAGE_SIZE};
use crate::contract::label;
use crate::error::{Error, Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListedKind {
    Namespaces,
    /// Without those that hold the items of a Job.
    ConfigMaps,
    ServiceAccounts,
    PriorityClasses,
    LocalQueues,
}

impl ListedKind {
    /// Returns group, versions (the newest first), kind, plural, and whether the kind is namespaced.
    fn resource(self) -> (&'static str, &'static [&'static str], &'static str, &'static str, bool) {
        match self {
            Self::Namespaces => ("", &["v1"], "Namespace", "namespaces", false),
            Self::ConfigMaps => ("", &["v1"], "ConfigMap", "configmaps", true),
            Self::ServiceAccounts => ("", &["v1"], "ServiceAccount", "serviceaccounts", true),
            Self::PriorityClasses => ("scheduling.k8s.io", &["v1"], "PriorityClass", "priorityclasses", false),
            Self::LocalQueues => (KUEUE, &["v1beta2", "v1beta1"], "LocalQueue", "localqueues", true),
        }
    }
}

impl Cluster {
    /// Returns the first page of names; none if the server does not know the kind.
    pub(crate) async fn list_names(&self, what: ListedKind) -> Result<Vec<String>, Error> {
        let (group, versions, kind, plural, namespaced) = what.resource();
        let params = ListParams::default().limit(PAGE_SIZE);
        let params =
            if what == ListedKind::ConfigMaps { params.labels(&format!("!{}", label::ITEMS_OF)) } else { params };
        for version in versions {
            let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural);
            let api: Api<DynamicObject> = if namespaced {
                Api::namespaced_with(self.client.clone(), self.namespace(), &resource)
            } else {
                Api::all_with(self.client.clone(), &resource)
            };
            match self.run_request(&format!("list {plural}"), api.list_metadata(&params)).await {
                Ok(list) => return Ok(list.items.into_iter().filter_map(|object| object.metadata.name).collect()),
                Err(error) if error.kind() == Kind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Vec::new())
    }
}
