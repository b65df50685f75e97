//! Creating, releasing and deleting: what changes the cluster.
//!
//! A creation whose answer is lost may or may not have happened. It is not simply repeated: the Job carries a token of
//! its submission, by which a Job that is there already is known as our own.

use http::{Method, Request};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use serde_json::{Value, json};

use super::Cluster;
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
    /// Unknown fields are an error, as in kubectl's own `--validate=strict`. If the answer is lost, or a Job of this
    /// name is there, the object in the cluster decides: one with our submission token is ours.
    pub(crate) async fn create(&self, object: &Value, submission: Submission<'_>) -> Result<Created, Error> {
        let doing = doing("create", object, self.namespace());
        let path = collection(object, self.namespace());
        let dry_run = if submission.dry_run { "&dryRun=All" } else { "" };
        let uri = format!("{path}?fieldManager={}&fieldValidation=Strict{dry_run}", submission.field_manager);
        let request = request(Method::POST, &uri, object)?;
        let answer = self.connection.ask(&doing, self.connection.client.request::<Value>(request)).await;
        match answer {
            Ok(object) => Ok(Created { object }),
            Err(error) if matches!(error.kind(), Kind::AlreadyExists | Kind::Unreachable) && !submission.dry_run => {
                self.find_own(object).await.ok_or(error).map(|object| Created { object })
            }
            Err(error) => Err(error),
        }
    }

    /// The object in the cluster that this very submission created, if there is one.
    async fn find_own(&self, object: &Value) -> Option<Value> {
        let token =
            |object: &Value| object["metadata"]["annotations"][annotation::SUBMISSION].as_str().map(str::to_owned);
        let own = token(object)?;
        let uri = format!("{}/{}", collection(object, self.namespace()), object["metadata"]["name"].as_str()?);
        let request = Request::get(uri).body(Vec::new()).ok()?;
        let stored = self.connection.client.request::<Value>(request).await.ok()?;
        (token(&stored)? == own).then_some(stored)
    }

    /// A Job as the server keeps it, with whatever this program does not know.
    pub(crate) async fn stored_job(&self, name: &str) -> Result<Value, Error> {
        let doing = format!("get job {name:?} in namespace {:?}", self.namespace());
        self.stored(&doing, &format!("/apis/batch/v1/namespaces/{}/jobs/{name}", self.namespace())).await
    }

    /// A ConfigMap as the server keeps it, or None if it is not there.
    pub(crate) async fn stored_config_map(&self, name: &str) -> Result<Option<Value>, Error> {
        let doing = format!("get configmap {name:?} in namespace {:?}", self.namespace());
        match self.stored(&doing, &format!("/api/v1/namespaces/{}/configmaps/{name}", self.namespace())).await {
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
        let Submission { dry_run, field_manager } = submission;
        let params = PatchParams { dry_run, field_manager: Some(field_manager.to_owned()), ..PatchParams::default() };
        self.connection.ask(&doing, self.api::<Job>().patch(job, &params, &Patch::Merge(patch))).await
    }

    /// Deletes a Job with its Pods and whatever else it owns; the Job goes last.
    ///
    /// The API's own default would leave the Pods behind (`pkg/registry/batch/job/strategy.go`).
    pub(crate) async fn delete_job(&self, name: &str, uid: Option<&str>, dry_run: bool) -> Result<(), Error> {
        let doing = format!("delete job {name:?} in namespace {:?}", self.namespace());
        let params = DeleteParams {
            dry_run,
            propagation_policy: Some(PropagationPolicy::Foreground),
            preconditions: uid.map(|uid| Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
            ..DeleteParams::default()
        };
        self.connection.ask(&doing, self.api::<Job>().delete(name, &params)).await?;
        Ok(())
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
        let patch = Patch::Merge(json!({"metadata": {"ownerReferences": [owner]}}));
        let api = self.api::<ConfigMap>();
        self.connection.ask(&doing, api.patch_metadata(config_map, &PatchParams::default(), &patch)).await?;
        Ok(())
    }

    /// Deletes a ConfigMap; one that is not there any more is fine.
    pub(crate) async fn delete_config_map(&self, name: &str) -> Result<(), Error> {
        let doing = format!("delete configmap {name:?} in namespace {:?}", self.namespace());
        let deleted =
            self.connection.ask(&doing, self.api::<ConfigMap>().delete(name, &DeleteParams::default())).await;
        match deleted {
            Err(error) if error.kind() != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn doing(verb: &str, object: &Value, namespace: &str) -> String {
    let kind = object["kind"].as_str().unwrap_or("object").to_lowercase();
    format!("{verb} {kind} {} in namespace {namespace:?}", object["metadata"]["name"])
}

fn collection(object: &Value, namespace: &str) -> String {
    match object["kind"].as_str() {
        Some("ConfigMap") => format!("/api/v1/namespaces/{namespace}/configmaps"),
        _ => format!("/apis/batch/v1/namespaces/{namespace}/jobs"),
    }
}

fn request(method: Method, uri: &str, body: &Value) -> Result<Request<Vec<u8>>, Error> {
    Request::builder()
        .method(method)
        .uri(uri)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|error| Error::new(Kind::Failed, "the request can't be built").caused_by(error))
}
