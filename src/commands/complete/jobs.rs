//! Completion of Jobs: the Jobs that the verb is most likely meant for first.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::Candidate;
use crate::state::{self, JobState};
use crate::view::{duration, plural};

/// Returns the rank of a Job among the candidates of a verb, the lowest first; `None` leaves it out.
fn rank(verb: &str, job: &Job) -> Option<u8> {
    let ended = state::outcome(job).is_some();
    // The spec counts; the controller may not have acted on it yet.
    let held = job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
    match verb {
        "delete" => Some(u8::from(!ended)),
        "retry" => Some(u8::from(JobState::new(job.clone()).outstanding().indexes.is_empty())),
        "scale" => (!ended).then_some(0),
        "suspend" => (!ended && !held).then_some(0),
        "resume" => (!ended && held).then_some(0),
        _ => Some(0),
    }
}

/// Returns the Jobs that complete `word`, without Jobs that are already on the command line.
pub(super) fn candidates(
    mut jobs: Vec<Job>,
    verb: &str,
    word: &str,
    named: &[String],
    now: Timestamp,
) -> Vec<Candidate> {
    let (kind, start) = word.rfind('/').map_or(("", word), |slash| word.split_at(slash + 1));
    let name = |job: &Job| job.metadata.name.clone().unwrap_or_default();
    let is_named = |job: &Job| named.iter().any(|text| text.rsplit('/').next() == job.metadata.name.as_deref());
    jobs.retain(|job| state::is_indexed(job) && name(job).starts_with(start) && !is_named(job));
    jobs.sort_by(|a, b| {
        let newest_first = b.metadata.creation_timestamp.cmp(&a.metadata.creation_timestamp);
        newest_first.then_with(|| name(a).cmp(&name(b)))
    });
    let mut ranked: Vec<_> = jobs.iter().filter_map(|job| Some((rank(verb, job)?, job))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, job)| Candidate::new(format!("{kind}{}", name(job)), describe(job, now))).collect()
}

/// Returns the progress, status and age of a Job.
fn describe(job: &Job, now: Timestamp) -> String {
    let state = JobState::new(job.clone());
    let all = state.all();
    let failed = state.failed().intersection(&all).len();
    let mut parts = vec![format!("{} of {} completed", state.succeeded().intersection(&all).len(), all.len())];
    if failed > 0 {
        parts.push(format!("{failed} failed"));
    }
    match state::status_word(job) {
        // A Job without retries per index has no list of failed indexes.
        "Failed" if failed == 0 => parts.push("failed".to_owned()),
        "Suspended" => parts.insert(0, "suspended".to_owned()),
        "Terminating" => parts.insert(0, "being deleted".to_owned()),
        _ => {}
    }
    if let Some(created) = &job.metadata.creation_timestamp {
        parts.push(format!("{} ago", duration::human(now.as_second() - created.0.as_second())));
    }
    parts.join(", ")
}

pub(super) fn indexes(count: usize) -> String {
    plural(count, "index", "indexes")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        "2026-01-01T01:00:00Z".parse().unwrap()
    }

    fn job(name: &str, minute: u8, spec: &Value, status: &Value) -> Job {
        let mut job = json!({
            "metadata": {"name": name, "uid": name, "creationTimestamp": format!("2026-01-01T00:{minute:02}:00Z")},
            "spec": {"completions": 5, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {}},
            "status": status,
        });
        job["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        serde_json::from_value(job).unwrap()
    }

    fn all() -> Vec<Job> {
        let condition = |type_: &str| json!([{"type": type_, "status": "True"}]);
        vec![
            job("done", 10, &json!({}), &json!({"completedIndexes": "0-4", "conditions": condition("Complete")})),
            job(
                "bad",
                20,
                &json!({}),
                &json!({"completedIndexes": "0,2,4", "failedIndexes": "1", "conditions": condition("Failed")}),
            ),
            job("new", 59, &json!({}), &json!({"completedIndexes": "0"})),
            job("held", 30, &json!({"suspend": true}), &json!({"conditions": condition("Suspended")})),
            job("plain", 40, &json!({"completionMode": "NonIndexed"}), &json!({})),
            job("nobody", 5, &json!({"backoffLimitPerIndex": null}), &json!({"conditions": condition("Failed")})),
        ]
    }

    fn offered(verb: &str, word: &str, named: &[&str]) -> String {
        let named: Vec<_> = named.iter().map(|&name| name.to_owned()).collect();
        let found = candidates(all(), verb, word, &named, now());
        found.into_iter().map(|candidate| candidate.value).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_newest_job_comes_first_with_its_status() {
        let found = candidates(all(), "logs", "", &[], now());
        let lines: Vec<_> = found.iter().map(|one| format!("{}: {}", one.value, one.help)).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        new: 1 of 5 completed, 60s ago
        held: suspended, 0 of 5 completed, 30m ago
        bad: 3 of 5 completed, 1 failed, 40m ago
        done: 5 of 5 completed, 50m ago
        nobody: 0 of 5 completed, failed, 55m ago
        ");
    }

    #[test]
    fn a_verb_is_offered_only_jobs_that_it_can_change() {
        assert_eq!(offered("delete", "", &[]), "bad done nobody new held");
        assert_eq!(offered("retry", "", &[]), "bad nobody new held done");
        assert_eq!(offered("scale", "", &[]), "new held");
        assert_eq!(offered("suspend", "", &[]), "new");
        assert_eq!(offered("resume", "", &[]), "held");
    }

    #[test]
    fn the_typed_kind_is_kept_and_no_job_is_offered_twice() {
        assert_eq!(offered("logs", "job/n", &[]), "job/new job/nobody");
        assert_eq!(offered("logs", "n", &["job/new"]), "nobody");
    }
}
