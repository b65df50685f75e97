//! Reports what mutating policies and webhooks changed of a Job on admission.

use serde_json::{Map, Value};

use crate::commands::Context;
use crate::contract::{NOTES, label};
use crate::error::Hint;

pub(super) fn is_suspended(job: &Value) -> bool {
    job["spec"]["suspend"] == true
}

/// Reports changes that delay the Job, and labels or annotations of this program that were removed.
///
/// `sent` is the Job that was sent, `stored` the one that the server returned. `held` says whether the cluster suspended
/// it.
pub(super) fn report(sent: &Value, stored: &Value, held: bool, context: &mut Context) {
    let name = sent["metadata"]["name"].as_str().unwrap_or_default();
    if held && !is_suspended(sent) {
        if let Some(queue) = stored["metadata"]["labels"][label::KUEUE_QUEUE].as_str() {
            context
                .ui
                .status(&format!("the cluster put job {name} into the queue {queue}: it starts when Kueue admits it"));
        } else {
            context
                .ui
                .status(&format!("the cluster suspended job {name} on admission: it starts when its owner resumes it"));
            let holders = "mutatingadmissionpolicies,mutatingwebhookconfigurations";
            context.ui.hint(Hint::kubectl(&["get", holders], "shows which policies and webhooks may hold it"));
            context.ui.hint(Hint::indexed(&["resume", name], "starts it, if you may decide that"));
        }
    }
    let at_once = |job: &Value| job["spec"]["parallelism"].as_u64();
    if let (Some(wanted), Some(allowed)) = (at_once(sent), at_once(stored))
        && wanted != allowed
    {
        context.ui.status(&format!("the cluster set the parallelism of job {name} to {allowed}, not {wanted}"));
    }
    let lost = lost_notes(sent, stored);
    if !lost.is_empty() {
        context.ui.warning(&format!(
            "the cluster removed {} of job {name}: other commands may not find its items or its retries",
            lost.join(", ")
        ));
    }
}

/// Returns the labels and annotations of this program that the server did not keep.
fn lost_notes<'a>(sent: &'a Value, stored: &Value) -> Vec<&'a str> {
    let is_ours = |key: &str| key.starts_with(NOTES) || key.starts_with("app.kubernetes.io/");
    let lost = ["labels", "annotations"].into_iter().flat_map(|notes| {
        let fields = sent["metadata"][notes].as_object().into_iter().flat_map(Map::keys);
        fields.filter(move |key| is_ours(key) && stored["metadata"][notes].get(key.as_str()).is_none())
    });
    lost.map(String::as_str).collect()
}
