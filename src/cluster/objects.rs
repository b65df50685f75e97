//! Creates, releases, patches and deletes objects.
//!
//! If the answer to a creation is lost, the object may exist. The Job's submission token and the ConfigMap's owner tell
//! whether an existing object is our own.

use std::fmt;

use http::{Method, Request};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Cluster;
use super::change::{ChangeRequest, JSON, METADATA, has_patch};
use crate::contract::{MANAGER, annotation, label};
use crate::error::{Error, Kind};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Submission<'a> {
    /// The server checks the object and does not store it.
    pub(crate) dry_run: bool,
    /// The manager that the server records for the fields.
    pub(crate) field_manager: &'a str,
}

impl fmt::Display for Submission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fieldManager={}", utf8_percent_encode(self.field_manager, NON_ALPHANUMERIC))?;
        f.write_str(if self.dry_run { "&dryRun=All" } else { "" })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Created {
    pub(crate) object: Value,
}

impl Created {
    pub(crate) fn uid(&self) -> &str {
        self.object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
    }
}

pub(super) const KUEUE: &str = "kueue.x-k8s.io";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerVersion {
    /// The server's own text, such as `v1.36.1`.
    pub(crate) text: String,
    /// The minor version of Kubernetes 1.
    pub(crate) minor: u32,
    pub(crate) kueue: bool,
}

impl Cluster {
    /// Creates a Job or a ConfigMap.
    ///
    /// Unknown fields are an error, as with kubectl's `--validate=strict`. If the name is taken, or it is unclear
    /// whether the object was created, the stored object decides: see [`is_own`].
    pub(crate) async fn create(&self, object: &Value, submission: Submission<'_>) -> Result<Created, Error> {
        let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let collection = self.collection_path(&kind);
        let change = ChangeRequest {
            action: &self.action("create", &kind, name),
            method: Method::POST,
            uri: format!("{collection}?{submission}&fieldValidation=Strict"),
            path: (!submission.dry_run).then(|| format!("{collection}/{name}")),
            accept: JSON,
            body: object.clone(),
        };
        let is_made = |found: Option<&Value>| found.is_some_and(|found| is_own(found, object));
        Ok(Created { object: self.apply_change(&change, is_made).await? })
    }

    /// Returns a Job as the server stores it, including fields that this program does not know.
    pub(crate) async fn stored_job(&self, name: &str) -> Result<Value, Error> {
        self.get_stored("job", name).await
    }

    /// Returns a ConfigMap as the server stores it; `None` if there is none.
    pub(crate) async fn stored_config_map(&self, name: &str) -> Result<Option<Value>, Error> {
        match self.get_stored("configmap", name).await {
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            stored => stored.map(Some),
        }
    }

    async fn get_stored(&self, kind: &str, name: &str) -> Result<Value, Error> {
        let request = Request::get(format!("{}/{name}", self.collection_path(kind))).body(Vec::new());
        let answer = async { self.client.request(request.map_err(kube::Error::HttpError)?).await };
        self.run_request(&self.action("get", kind, name), answer).await
    }

    /// Returns the path of the namespace's Jobs or ConfigMaps.
    fn collection_path(&self, kind: &str) -> String {
        let group = if kind == "configmap" { "api/v1" } else { "apis/batch/v1" };
        format!("/{group}/namespaces/{}/{kind}s", self.namespace())
    }

    pub(crate) async fn server_minor(&self) -> Result<u32, Error> {
        Ok(self.get_version().await?.1)
    }

    /// Returns the server's version as text, and its minor version.
    async fn get_version(&self) -> Result<(String, u32), Error> {
        let action = "get the server's version";
        let info = self.run_request(action, self.client.apiserver_version()).await?;
        // Some providers write "30+".
        let digits = info.minor.trim_end_matches(|c: char| !c.is_ascii_digit());
        let minor = digits.parse().map_err(|_| {
            Error::new(Kind::Failed, format!("can't {action}: {:?} is not a version of Kubernetes", info.git_version))
        })?;
        Ok((info.git_version, minor))
    }

    pub(crate) async fn server_version(&self) -> Result<ServerVersion, Error> {
        let (text, minor) = self.get_version().await?;
        let groups = self.client.list_api_groups();
        let groups = self.run_request("list the server's API groups", groups).await?.groups;
        Ok(ServerVersion { text, minor, kueue: groups.iter().any(|group| group.name == KUEUE) })
    }

    /// Ends the submission of a Job: starts it if this program suspended it, and removes the mark of the submission.
    /// Returns the stored Job.
    pub(crate) async fn release(&self, job: &str, held_back: bool, submission: Submission<'_>) -> Result<Job, Error> {
        let mut patch = json!({"metadata": {"annotations": {annotation::SUBMITTING: null}}});
        if held_back {
            patch["spec"] = json!({"suspend": false});
        }
        self.patch_job(job, &patch, submission, "release").await
    }

    /// Patches a Job; `verb` names the action in errors. With the UID in the patch, a newer Job of the same name is not
    /// changed.
    pub(crate) async fn patch_job(
        &self,
        job: &str,
        patch: &Value,
        submission: Submission<'_>,
        verb: &str,
    ) -> Result<Job, Error> {
        let object = format!("{}/{job}", self.collection_path("job"));
        let change = ChangeRequest {
            action: &self.action(verb, "job", job),
            method: Method::PATCH,
            uri: format!("{object}?{submission}"),
            path: (!submission.dry_run).then_some(object),
            accept: JSON,
            body: patch.clone(),
        };
        let patched = self.apply_change(&change, |found| found.is_some_and(|found| has_patch(found, patch))).await?;
        serde_json::from_value(patched).map_err(|error| {
            Error::new(Kind::Failed, format!("can't read job {job:?} after the change")).caused_by(error)
        })
    }

    /// Deletes a Job with its Pods and all else that it owns. The Job itself is removed last.
    ///
    /// The API's default would keep the Pods (`pkg/registry/batch/job/strategy.go`).
    pub(crate) async fn delete_job(&self, name: &str, uid: Option<&str>, dry_run: bool) -> Result<(), Error> {
        let mut body = json!({"propagationPolicy": "Foreground"});
        if let Some(uid) = uid {
            body["preconditions"] = json!({"uid": uid});
        }
        if dry_run {
            body["dryRun"] = json!(["All"]);
        }
        self.delete_object("job", name, body, uid).await
    }

    /// Deletes an object. If it is being deleted already, or another object has its name, that counts as success.
    async fn delete_object(&self, kind: &str, name: &str, body: Value, uid: Option<&str>) -> Result<(), Error> {
        let uri = format!("{}/{name}", self.collection_path(kind));
        let path = body["dryRun"].is_null().then(|| uri.clone());
        let action = &self.action("delete", kind, name);
        let change = ChangeRequest { action, method: Method::DELETE, uri, path, accept: JSON, body };
        let is_going = |found: &Value| {
            let metadata = &found["metadata"];
            metadata["deletionTimestamp"].is_string() || uid.is_some_and(|uid| metadata["uid"] != uid)
        };
        self.apply_change(&change, |found| found.is_none_or(is_going)).await.map(drop)
    }

    /// Returns the names of a Job's ConfigMaps of items that have no owner, as after `kubectl apply` of a dry run's
    /// manifest. Those with an owner are deleted with the Job.
    pub(crate) async fn list_unowned_items(&self, job: &str) -> Result<Vec<String>, Error> {
        let action = format!("list the configmaps of job {job:?} in namespace {:?}", self.namespace());
        let labels = format!("{}={MANAGER},{}={job}", label::MANAGED_BY, label::ITEMS_OF);
        let params = ListParams::default().labels(&labels);
        let list = self.run_request(&action, self.api::<ConfigMap>().list_metadata(&params)).await?;
        let owned = |metadata: &ObjectMeta| metadata.owner_references.as_ref().is_some_and(|owners| !owners.is_empty());
        let unowned = list.items.into_iter().filter(|config_map| !owned(&config_map.metadata));
        Ok(unowned.filter_map(|config_map| config_map.metadata.name).collect())
    }

    /// Makes a Job the owner of a ConfigMap, so that both are deleted together.
    pub(crate) async fn set_owner(&self, config_map: &str, owner: &Value) -> Result<(), Error> {
        let action = &self.action("change", "configmap", config_map);
        let uri = format!("{}/{config_map}", self.collection_path("configmap"));
        let body = json!({"metadata": {"ownerReferences": [owner]}});
        let change =
            ChangeRequest { action, method: Method::PATCH, path: Some(uri.clone()), uri, accept: METADATA, body };
        self.apply_change(&change, |found| found.is_some_and(|found| has_patch(found, &change.body))).await.map(drop)
    }

    /// Deletes a ConfigMap; one that is already gone is no error.
    pub(crate) async fn delete_config_map(&self, name: &str) -> Result<(), Error> {
        match self.delete_object("configmap", name, json!({}), None).await {
            Err(error) if error.kind() != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether a stored object comes from this very submission: a Job by its token, a ConfigMap by its owner.
fn is_own(found: &Value, sent: &Value) -> bool {
    let mark = |object: &Value| match object["kind"].as_str() {
        Some("ConfigMap") => object["metadata"]["ownerReferences"][0]["uid"].clone(),
        _ => object["metadata"]["annotations"][annotation::SUBMISSION].clone(),
    };
    let own = mark(sent);
    own.is_string() && mark(found) == own
}
