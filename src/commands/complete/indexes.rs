//! Completion of indexes: failed indexes first.

use super::Candidate;
use super::jobs;
use crate::index_set::{IndexSelector, IndexSet, StatusWord};
use crate::state::row::{IndexRow, SucceededRows};
use crate::state::{IndexStatus, JobState};
use crate::view::summary::ItemTexts;
use crate::view::{Style, cut};

/// The number of candidates to offer.
const MAX_OFFERS: usize = 50;
/// The number of failed indexes among them; the rest leaves room for words.
const MAX_FAILED: usize = 30;
/// The maximum length of the list of all failed indexes, in characters.
const MAX_LIST_CHARS: usize = 100;
/// The maximum width of an item, in columns.
const ITEM_COLUMNS: usize = 40;

/// A candidate, and its index if it is a single one.
pub(super) type Offer = (Candidate, Option<u32>);

/// Returns the indexes in `within` that may complete the list `word`; with `words`, also words such as `failed`.
pub(super) fn offers(state: &JobState, within: &IndexSet, words: bool, word: &str) -> Vec<Offer> {
    let (before, start) = word.rfind(',').map_or(("", word), |comma| word.split_at(comma + 1));
    let typed: Vec<_> = before.split(',').map(str::trim).collect();
    let named = typed.iter().filter_map(|part| part.parse::<IndexSelector>().ok());
    let named = named.fold(IndexSet::new(), |all, part| all.union(&part.resolve(|word| state.indexes_with(word))));
    let left = |word: StatusWord| state.indexes_with(word).intersection(within).difference(&named);
    let offer = |value: String, help: String, index| (Candidate::new(format!("{before}{value}"), help), index);
    let single = |index: u32| offer(index.to_string(), String::new(), Some(index));
    let begins = |index: &u32| index.to_string().starts_with(start);

    let failed = left(StatusWord::Failed);
    let mut offers = Vec::new();
    let ranges = failed.to_string();
    if failed.len() > 1 && ranges.len() <= MAX_LIST_CHARS && ranges.starts_with(start) {
        offers.push(offer(ranges, format!("all {} with status failed", jobs::indexes(failed.len())), None));
    }
    offers.extend(failed.iter().filter(begins).take(MAX_FAILED).map(single));
    for (name, word) in StatusWord::NAMES.into_iter().filter(|(name, _)| words && name.starts_with(start)) {
        let these = left(word);
        if !these.is_empty() && !typed.contains(&name) {
            offers.push(offer(name.to_owned(), jobs::indexes(these.len()), None));
        }
    }
    for word in [StatusWord::Running, StatusWord::Pending, StatusWord::Succeeded] {
        let room = MAX_OFFERS.saturating_sub(offers.len());
        offers.extend(left(word).iter().filter(begins).take(room).map(single));
    }
    offers
}

pub(super) fn candidates(offers: Vec<Offer>, state: &JobState, items: &ItemTexts) -> Vec<Candidate> {
    let singles = offers.iter().filter_map(|(_, index)| *index).collect();
    let rows = state.rows(&singles, &mut SucceededRows::default());
    let described = offers.into_iter().map(|(mut candidate, index)| {
        if let Some(row) = index.and_then(|index| rows.iter().find(|row| row.index == index)) {
            candidate.help = describe(row, items.get(&row.index));
        }
        candidate
    });
    described.collect()
}

/// Returns the status, exit code, reason and item of an index.
pub(super) fn describe(row: &IndexRow, item: Option<&String>) -> String {
    let mut parts = vec![row.status.word().to_lowercase()];
    if row.status != IndexStatus::Succeeded {
        let code = row.exit_code.map(|code| format!("exit code {code}"));
        // Kubernetes' reason for any exit code but 0.
        parts.extend(row.reason.clone().filter(|reason| code.is_none() || reason != "Error"));
        parts.extend(code);
    }
    parts.extend(item.map(|item| format!("item {}", cut(item, ITEM_COLUMNS, Style::default()))));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::{Value, json};

    use super::*;
    use crate::state::Event;

    fn state(completions: u32, status: &Value, pods: &Value) -> JobState {
        let job: Job = serde_json::from_value(json!({
            "metadata": {"name": "j", "uid": "u", "namespace": "n"},
            "spec": {"completions": completions, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {}},
            "status": status,
        }))
        .unwrap();
        let mut state = JobState::new(job);
        for (at, pod) in pods.as_array().unwrap().iter().enumerate() {
            let key = "batch.kubernetes.io/job-completion-index";
            let pod = json!({
                "metadata": {"name": format!("p-{at}"), "uid": format!("p-{at}"), "namespace": "n",
                    "labels": {"batch.kubernetes.io/controller-uid": "u"}, "annotations": {key: pod["index"]}},
                "status": {"phase": pod["phase"], "containerStatuses": [
                    {"name": "w", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": pod["state"]}]},
            });
            state.apply(Event::Pod(serde_json::from_value(pod).unwrap()));
        }
        state
    }

    fn sample_state() -> JobState {
        let ended = |code: u8, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason}});
        let pods = json!([
            {"index": "1", "phase": "Failed", "state": ended(3, "Error")},
            {"index": "4", "phase": "Failed", "state": ended(137, "OOMKilled")},
            {"index": "6", "phase": "Running", "state": {"running": {}}},
        ]);
        state(12, &json!({"completedIndexes": "0,2", "failedIndexes": "1,3-5", "active": 1}), &pods)
    }

    fn candidate_lines(state: &JobState, within: &IndexSet, words: bool, word: &str) -> String {
        let items = [(1, "foo".to_owned()), (6, "a b".to_owned())].into_iter().collect();
        let found = candidates(offers(state, within, words, word), state, &items);
        found.iter().map(|one| format!("{}  {}", one.value, one.help)).collect::<Vec<_>>().join("\n")
    }

    fn whole(state: &JobState, word: &str) -> String {
        candidate_lines(state, &state.all(), true, word)
    }

    #[test]
    fn failed_indexes_come_first() {
        insta::assert_snapshot!(whole(&sample_state(), ""), @"
        1,3-5  all 4 indexes with status failed
        1  failed, exit code 3, item foo
        3  failed
        4  failed, OOMKilled, exit code 137
        5  failed
        failed  4 indexes
        running  1 index
        pending  5 indexes
        succeeded  2 indexes
        all  12 indexes
        6  running, item a b
        7  pending
        8  pending
        9  pending
        10  pending
        11  pending
        0  succeeded
        2  succeeded
        ");
    }

    #[test]
    fn indexes_in_the_list_are_not_offered_again() {
        insta::assert_snapshot!(whole(&sample_state(), "3-4,failed,1"), @"
        3-4,failed,10  pending
        3-4,failed,11  pending
        ");
        insta::assert_snapshot!(whole(&sample_state(), "1,f"), @"1,failed  3 indexes");
        assert!(whole(&sample_state(), "1,").starts_with("1,3-5  all 3 indexes with status failed\n1,3  failed\n"));
    }

    #[test]
    fn only_indexes_in_range_are_offered() {
        let state = sample_state();
        let outstanding: IndexSet = "1,3-5".parse().unwrap();
        insta::assert_snapshot!(candidate_lines(&state, &outstanding, false, "4"), @"4  failed, OOMKilled, exit code 137");
        insta::assert_snapshot!(candidate_lines(&state, &"6-7".parse().unwrap(), true, ""), @"
        running  1 index
        pending  1 index
        all  2 indexes
        6  running, item a b
        7  pending
        ");
    }

    #[test]
    fn a_long_list_is_cut() {
        let state = state(100_000, &json!({"failedIndexes": "10-99999"}), &json!([]));
        let all = offers(&state, &state.all(), true, "");
        assert_eq!(all.len(), 1 + MAX_FAILED + 3 + 10);
        assert_eq!((all[0].0.value.as_str(), all[1].0.value.as_str()), ("10-99999", "10"));
        let odd: Vec<_> = (0..500).map(|index| (index * 2).to_string()).collect();
        let state = self::state(1000, &json!({"failedIndexes": odd.join(",")}), &json!([]));
        let all = offers(&state, &state.all(), true, "");
        assert_eq!((all.len(), all[0].0.value.as_str()), (MAX_OFFERS, "0"), "no list of 500 numbers");
    }
}
