//! Logs that are no longer whole on their nodes. Each is noted with its Job by the command that followed it.
//!
//! A node gives its readers only the newest file of a log, of 10 MiB unless it is set up otherwise, and nothing in the
//! API says that there were others. The time of the first line does not tell: of a worker that wrote 20 MB in 34 s the
//! node had ten lines left, the first 34 s younger than the container, as of a worker that sleeps so long and writes
//! ten lines. Only a reader who has seen the beginning knows that it is gone.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use k8s_openapi::api::batch::v1::Job;
use serde_json::json;

use crate::cluster::logs::{LogEnd, LogSource, Lost};
use crate::cluster::{Cluster, Submission};
use crate::commands::Context;
use crate::commands::find::index_in;
use crate::contract::{self, MANAGER, annotation};
use crate::index_set::IndexSet;
use crate::state::JobState;
use crate::view::numbered;

pub(crate) const PUT_AWAY: &str = "its node has put a part of the log away";

/// How many Pods are noted with a Job at most: annotations share 256 KiB.
const MOST: usize = 1000;

#[derive(Clone, Debug, Default)]
pub(crate) struct CutLogs {
    noted: HashSet<String>,
    /// Those that are not noted yet, with their indexes.
    seen: BTreeMap<String, u32>,
}

impl CutLogs {
    /// Those that are noted with the Jobs of a family.
    pub(crate) fn of(state: &JobState) -> Self {
        let noted = state.members().iter().flat_map(|member| noted(member.job())).map(str::to_owned).collect();
        Self { noted, seen: BTreeMap::new() }
    }

    pub(crate) fn has(&self, pod: &str) -> bool {
        self.noted.contains(pod) || self.seen.contains_key(pod)
    }

    /// Adds a log if its reader saw more of it than its node has, or less than there was.
    pub(crate) fn see(&mut self, source: &LogSource, result: &Result<LogEnd, Lost>) {
        if result.as_ref().is_ok_and(|end| end.gap || end.cut) && !self.noted.contains(&source.pod) {
            self.seen.insert(source.pod.clone(), source.index);
        }
    }

    /// Warns of those that were seen, and notes them with their Jobs. A user who may not change a Job has the warning.
    pub(crate) async fn note(&self, state: &JobState, cluster: &Cluster, context: &mut Context) {
        for member in state.members() {
            let is_own = |pod: &&str| index_in(pod, member.name()).is_some_and(|(_, rest)| !rest.contains('-'));
            let own: BTreeSet<_> = self.seen.keys().map(String::as_str).filter(is_own).collect();
            if own.is_empty() {
                continue;
            }
            let all: Vec<_> = own.into_iter().chain(noted(member.job())).take(MOST).collect();
            let annotations = json!({(annotation::CUT_LOGS): all.join(",")});
            let patch = json!({"metadata": {"uid": member.job().metadata.uid, "annotations": annotations}});
            let submission = Submission { dry_run: false, field_manager: MANAGER };
            let _ = cluster.patch_job(member.name(), &patch, submission, "annotate").await;
        }
        if !self.seen.is_empty() {
            let indexes: IndexSet = self.seen.values().copied().collect();
            let what = "was put away by its node: later commands can't read it";
            context.ui.warning(&format!("the beginning of the log of {} {what}", numbered(&indexes)));
        }
    }
}

fn noted(job: &Job) -> impl Iterator<Item = &str> {
    contract::annotation_value(job, annotation::CUT_LOGS).into_iter().flat_map(|pods| pods.split(','))
}
