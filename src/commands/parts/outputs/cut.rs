//! Logs whose beginning their nodes have deleted. The command that followed a log notes this in an annotation of its Job.
//!
//! A node returns only the newest file of a log (10 MiB by default), and the API does not report that older files
//! existed. The time of the first line is no evidence: a worker that writes 20 MB in 34 s may leave ten lines on its node,
//! the first of them 34 s after its start. A worker that sleeps for 34 s and writes ten lines looks the same. Only a
//! reader that has read the beginning knows that it is missing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use k8s_openapi::api::batch::v1::Job;
use serde_json::json;

use crate::cluster::logs::{LogEnd, LogSource, Lost};
use crate::cluster::{Cluster, Submission};
use crate::commands::Context;
use crate::commands::find::parse_pod_name;
use crate::contract::{self, MANAGER, annotation};
use crate::index_set::IndexSet;
use crate::state::JobState;
use crate::view::numbered;

/// Why a log is not whole.
pub(crate) const ROTATED: &str = "its node has deleted a part of the log";

/// The maximum number of Pods in the annotation of a Job: all annotations share 256 KiB.
const MAX_NOTED: usize = 1000;

#[derive(Clone, Debug, Default)]
pub(crate) struct CutLogs {
    /// Pods in the annotations of the Jobs.
    noted: HashSet<String>,
    /// Pods to be added to the annotations, with their indexes.
    new: BTreeMap<String, u32>,
}

impl CutLogs {
    /// Reads the annotations of a family's Jobs.
    pub(crate) fn of(state: &JobState) -> Self {
        let noted = state.members().iter().flat_map(|member| noted(member.job())).map(str::to_owned).collect();
        Self { noted, new: BTreeMap::new() }
    }

    pub(crate) fn contains(&self, pod: &str) -> bool {
        self.noted.contains(pod) || self.new.contains_key(pod)
    }

    /// Adds a log if its reader read more than its node still has, or missed a part.
    pub(crate) fn add_if_cut(&mut self, source: &LogSource, result: &Result<LogEnd, Lost>) {
        if result.as_ref().is_ok_and(|end| end.gap || end.cut) && !self.noted.contains(&source.pod) {
            self.new.insert(source.pod.clone(), source.index);
        }
    }

    /// Warns about new Pods, and adds them to the annotations of their Jobs. A user who may not change a Job gets only the
    /// warning.
    pub(crate) async fn save(&self, state: &JobState, cluster: &Cluster, context: &mut Context) {
        for member in state.members() {
            let is_own = |pod: &&str| parse_pod_name(pod, member.name()).is_some_and(|(_, rest)| !rest.contains('-'));
            let own: BTreeSet<_> = self.new.keys().map(String::as_str).filter(is_own).collect();
            if own.is_empty() {
                continue;
            }
            let all: Vec<_> = own.into_iter().chain(noted(member.job())).take(MAX_NOTED).collect();
            let annotations = json!({(annotation::CUT_LOGS): all.join(",")});
            let patch = json!({"metadata": {"uid": member.job().metadata.uid, "annotations": annotations}});
            let submission = Submission { dry_run: false, field_manager: MANAGER };
            let _ = cluster.patch_job(member.name(), &patch, submission, "annotate").await;
        }
        if !self.new.is_empty() {
            let indexes: IndexSet = self.new.values().copied().collect();
            let what = "its node has deleted the beginning of the log of";
            context.ui.warning(&format!("{what} {}: later commands can't read it", numbered(&indexes)));
        }
    }
}

fn noted(job: &Job) -> impl Iterator<Item = &str> {
    contract::annotation_value(job, annotation::CUT_LOGS).into_iter().flat_map(|pods| pods.split(','))
}
