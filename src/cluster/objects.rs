//! Creating, releasing and deleting: what changes the cluster.
//!
//! A creation whose answer is lost may or may not have happened. The Job carries a token of its submission, and a
//! ConfigMap its owner: by them an object that is there already is known as our own.

use std::fmt;

use http::{Method, Request};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Cluster;
use super::change::{Change, JSON, MERGE_PATCH, METADATA, has};
use crate::contract::{MANAGER, annotation, label};
use crate::error::{Error, Kind};

/// How objects are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Submission<'a> {
    /// Checked by the server and not stored.
    pub(crate) dry_run: bool,
    /// The manager that the server records for the fields.
    pub(crate) field_manager: &'a str,
}

/// The parameters of a request.
impl fmt::Display for Submission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fieldManager={}", utf8_percent_encode(self.field_manager, NON_ALPHANUMERIC))?;
        f.write_str(if self.dry_run { "&dryRun=All" } else { "" })
    }
}

/// An object as the server stored it.
#[derive(Clone, Debug)]
pub(crate) struct Created {
    pub(crate) object: Value,
}

impl Created {
    /// The UID that the server gave it.
    pub(crate) fn uid(&self) -> &str {
        self.object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default()
    }
}

/// The API group of Kueue.
pub(super) const KUEUE: &str = "kueue.x-k8s.io";

/// Which server it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerVersion {
    /// As it calls itself, such as `v1.36.1`.
    pub(crate) text: String,
    /// Of Kubernetes 1.
    pub(crate) minor: u32,
    pub(crate) kueue: bool,
}

impl Cluster {
    /// Creates a Job or a ConfigMap.
    ///
    /// Unknown fields are an error, as in kubectl's own `--validate=strict`. If an object of this name is there, or the
    /// answer leaves open whether it was created, the object in the cluster decides: see [`is_own`].
    pub(crate) async fn create(&self, object: &Value, submission: Submission<'_>) -> Result<Created, Error> {
        let path = collection(object, self.namespace());
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let change = Change {
            doing: &doing("create", object, self.namespace()),
            method: Method::POST,
            uri: format!("{path}?{submission}&fieldValidation=Strict"),
            path: (!submission.dry_run).then(|| format!("{path}/{name}")),
            content_type: JSON,
            accept: JSON,
            body: object.clone(),
        };
        let is_made = |found: Option<&Value>| found.is_some_and(|found| is_own(found, object));
        Ok(Created { object: self.change(&change, is_made).await? })
    }

    /// A Job as the server keeps it, with whatever this program does not know.
    pub(crate) async fn stored_job(&self, name: &str) -> Result<Value, Error> {
        let doing = format!("get job {name:?} in namespace {:?}", self.namespace());
        self.stored(&doing, &format!("{}/{name}", jobs(self.namespace()))).await
    }

    /// A ConfigMap as the server keeps it, or None if it is not there.
    pub(crate) async fn stored_config_map(&self, name: &str) -> Result<Option<Value>, Error> {
        let doing = format!("get configmap {name:?} in namespace {:?}", self.namespace());
        match self.stored(&doing, &format!("{}/{name}", config_maps(self.namespace()))).await {
            Ok(config_map) => Ok(Some(config_map)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn stored(&self, doing: &str, path: &str) -> Result<Value, Error> {
        let request = Request::get(path).body(Vec::new());
        let request =
            request.map_err(|error| Error::new(Kind::Failed, "the request can't be built").caused_by(error))?;
        self.connection.ask(doing, self.connection.client.request::<Value>(request)).await
    }

    /// The minor version of a server of Kubernetes 1.
    pub(crate) async fn server_minor(&self) -> Result<u32, Error> {
        Ok(self.version().await?.1)
    }

    /// What the server calls its version, and the minor one.
    async fn version(&self) -> Result<(String, u32), Error> {
        let doing = "ask the server for its version";
        let info = self.connection.ask(doing, self.connection.client.apiserver_version()).await?;
        // Some providers write "30+".
        let digits = info.minor.trim_end_matches(|c: char| !c.is_ascii_digit());
        let minor = digits.parse().map_err(|_| {
            Error::new(Kind::Failed, format!("{doing}: its answer {:?} is no version of Kubernetes", info.git_version))
        })?;
        Ok((info.git_version, minor))
    }

    /// The server's version, and whether Kueue is there.
    pub(crate) async fn server_version(&self) -> Result<ServerVersion, Error> {
        let (text, minor) = self.version().await?;
        let groups = self.connection.client.list_api_groups();
        let groups = self.connection.ask("ask the server for its API groups", groups).await?.groups;
        Ok(ServerVersion { text, minor, kueue: groups.iter().any(|group| group.name == KUEUE) })
    }

    /// Ends the submission of a Job: lets it run if it was held back by us, and takes off the mark that it is under way.
    pub(crate) async fn release(&self, job: &str, held_back: bool, field_manager: &str) -> Result<(), Error> {
        let mut patch = json!({"metadata": {"annotations": {annotation::SUBMITTING: null}}});
        if held_back {
            patch["spec"] = json!({"suspend": false});
        }
        self.patch_job(job, &patch, Submission { dry_run: false, field_manager }, "release").await?;
        Ok(())
    }

    /// Sets a limit on the failures of all indexes together.
    pub(crate) async fn set_backoff_limit(&self, job: &str, limit: u64, field_manager: &str) -> Result<(), Error> {
        let patch = json!({"spec": {"backoffLimit": limit}});
        self.patch_job(job, &patch, Submission { dry_run: false, field_manager }, "change").await?;
        Ok(())
    }

    /// Changes fields of a Job; `verb` says in errors what is being done. With its UID in the patch, a Job that has
    /// taken the name since is left alone.
    pub(crate) async fn patch_job(
        &self,
        job: &str,
        patch: &Value,
        submission: Submission<'_>,
        verb: &str,
    ) -> Result<Job, Error> {
        let doing = format!("{verb} job {job:?} in namespace {:?}", self.namespace());
        let object = format!("{}/{job}", jobs(self.namespace()));
        let change = Change {
            doing: &doing,
            method: Method::PATCH,
            uri: format!("{object}?{submission}"),
            path: (!submission.dry_run).then_some(object),
            content_type: MERGE_PATCH,
            accept: JSON,
            body: patch.clone(),
        };
        let is_made = |found: Option<&Value>| found.is_some_and(|found| has(found, patch));
        let patched = self.change(&change, is_made).await?;
        serde_json::from_value(patched).map_err(|error| {
            Error::new(Kind::Failed, format!("can't read job {job:?} after the change")).caused_by(error)
        })
    }

    /// Deletes a Job with its Pods and whatever else it owns; the Job goes last.
    ///
    /// The API's own default would leave the Pods behind (`pkg/registry/batch/job/strategy.go`).
    pub(crate) async fn delete_job(&self, name: &str, uid: Option<&str>, dry_run: bool) -> Result<(), Error> {
        let doing = format!("delete job {name:?} in namespace {:?}", self.namespace());
        let mut body = json!({"propagationPolicy": "Foreground"});
        if let Some(uid) = uid {
            body["preconditions"] = json!({"uid": uid});
        }
        if dry_run {
            body["dryRun"] = json!(["All"]);
        }
        self.delete(&doing, format!("{}/{name}", jobs(self.namespace())), body, uid).await
    }

    /// Deletes the object at `path`. One that is on its way out, or whose name another object has, counts as deleted.
    async fn delete(&self, doing: &str, path: String, body: Value, uid: Option<&str>) -> Result<(), Error> {
        let (method, uri) = (Method::DELETE, path.clone());
        let path = body["dryRun"].is_null().then_some(path);
        let change = Change { doing, method, uri, path, content_type: JSON, accept: JSON, body };
        let is_made = |found: Option<&Value>| {
            let metadata = found.map(|found| &found["metadata"]);
            let is_going = |metadata: &Value| {
                metadata["deletionTimestamp"].is_string() || uid.is_some_and(|uid| metadata["uid"] != uid)
            };
            metadata.is_none_or(is_going)
        };
        self.change(&change, is_made).await.map(drop)
    }

    /// The names of the ConfigMaps of items that a Job's manifest brought along without an owner, as `kubectl apply`
    /// of a dry run does. Those that the Job owns go with it.
    pub(crate) async fn unowned_items(&self, job: &str) -> Result<Vec<String>, Error> {
        let doing = format!("list the configmaps of job {job:?} in namespace {:?}", self.namespace());
        let labels = format!("{}={MANAGER},{}={job}", label::MANAGED_BY, label::ITEMS_OF);
        let params = ListParams::default().labels(&labels);
        let list = self.connection.ask(&doing, self.api::<ConfigMap>().list_metadata(&params)).await?;
        let owned = |metadata: &ObjectMeta| metadata.owner_references.as_ref().is_some_and(|owners| !owners.is_empty());
        let unowned = list.items.into_iter().filter(|config_map| !owned(&config_map.metadata));
        Ok(unowned.filter_map(|config_map| config_map.metadata.name).collect())
    }

    /// Makes a ConfigMap belong to a Job, so that it can't outlive it.
    pub(crate) async fn adopt(&self, config_map: &str, owner: &Value) -> Result<(), Error> {
        let doing = format!("change configmap {config_map:?} in namespace {:?}", self.namespace());
        let path = format!("{}/{config_map}", config_maps(self.namespace()));
        let body = json!({"metadata": {"ownerReferences": [owner]}});
        let (method, uri, content_type, accept) = (Method::PATCH, path.clone(), MERGE_PATCH, METADATA);
        let change = Change { doing: &doing, method, uri, path: Some(path), content_type, accept, body };
        self.change(&change, |found| found.is_some_and(|found| has(found, &change.body))).await.map(drop)
    }

    /// Deletes a ConfigMap; one that is not there any more is fine.
    pub(crate) async fn delete_config_map(&self, name: &str) -> Result<(), Error> {
        let doing = format!("delete configmap {name:?} in namespace {:?}", self.namespace());
        match self.delete(&doing, format!("{}/{name}", config_maps(self.namespace())), json!({}), None).await {
            Err(error) if error.kind() != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether an object in the cluster is what this very submission sends: a Job with its token, a ConfigMap with its owner.
fn is_own(found: &Value, sent: &Value) -> bool {
    let mark = |object: &Value| match object["kind"].as_str() {
        Some("ConfigMap") => object["metadata"]["ownerReferences"][0]["uid"].clone(),
        _ => object["metadata"]["annotations"][annotation::SUBMISSION].clone(),
    };
    let own = mark(sent);
    own.is_string() && mark(found) == own
}

fn doing(verb: &str, object: &Value, namespace: &str) -> String {
    let kind = object["kind"].as_str().unwrap_or("object").to_lowercase();
    format!("{verb} {kind} {} in namespace {namespace:?}", object["metadata"]["name"])
}

fn collection(object: &Value, namespace: &str) -> String {
    match object["kind"].as_str() {
        Some("ConfigMap") => config_maps(namespace),
        _ => jobs(namespace),
    }
}

fn jobs(namespace: &str) -> String {
    format!("/apis/batch/v1/namespaces/{namespace}/jobs")
}

fn config_maps(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps")
}
