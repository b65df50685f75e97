//! The selection of indexes by number or status word, by item, and by status.

use crate::cluster::PodFilter;
use crate::error::{Error, Hint};
use crate::index_set::{IndexSelector, IndexSet, StatusWord};
use crate::state::{IndexStatus, ItemTexts, JobState};

/// The selected indexes of a command; by default all.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexSelection {
    selector: Option<IndexSelector>,
    of_items: Option<IndexSet>,
    /// Empty for any status.
    statuses: Vec<IndexStatus>,
}

impl IndexSelection {
    pub(crate) fn new(selector: Option<IndexSelector>, statuses: Vec<IndexStatus>) -> Self {
        Self { selector, of_items: None, statuses }
    }

    /// Narrows the selection to items. Each name is an exact item, or a pattern with the wildcards `*` and `?`.
    pub(crate) fn narrow_to_items(&mut self, named: &[String], items: &ItemTexts, job: &str) -> Result<(), Error> {
        if items.is_empty() {
            return Err(Error::usage(format!("job {job:?} has no readable list of items"))
                .hint("select indexes by number with --index"));
        }
        let mut found = IndexSet::new();
        for name in named {
            // An exact match first: an item may contain a star.
            let mut these: IndexSet = items.iter().filter(|(_, item)| *item == name).map(|(&index, _)| index).collect();
            if these.is_empty() {
                let pattern = regex::escape(name).replace(r"\*", ".*").replace(r"\?", ".");
                let pattern = regex::Regex::new(&format!("(?s)^{pattern}$"))
                    .map_err(|problem| Error::usage(format!("--item {name:?}: {problem}")))?;
                these = items.iter().filter(|(_, item)| pattern.is_match(item)).map(|(&index, _)| index).collect();
            }
            if these.is_empty() {
                return Err(Error::usage(format!("job {job:?} has no item {name:?}"))
                    .hint(Hint::indexed(&["indexes", job], "lists the items").and("* matches any characters")));
            }
            found = found.union(&these);
        }
        self.of_items = Some(found);
        Ok(())
    }

    /// Fails if the selection names an index that the Job does not have.
    pub(crate) fn check_numbers(&self, state: &JobState) -> Result<(), Error> {
        self.selector.as_ref().map_or(Ok(()), |selector| check_numbers(&selector.numbers(), state))
    }

    /// Returns the indexes selected by number, status word or item, of any status.
    pub(crate) fn indexes(&self, state: &JobState) -> IndexSet {
        self.resolve(state, &|word| state.indexes_with(word))
    }

    fn resolve(&self, state: &JobState, meaning: &dyn Fn(StatusWord) -> IndexSet) -> IndexSet {
        let selected = self.selector.as_ref().map_or_else(|| state.all(), |selector| selector.resolve(meaning));
        self.of_items.as_ref().map_or_else(|| selected.clone(), |of_items| selected.intersection(of_items))
    }

    /// Returns the indexes that match now. The indexes of words such as "failed" change while a Job runs.
    pub(crate) fn matching(&self, state: &JobState) -> IndexSet {
        let indexes = self.indexes(state);
        if self.statuses.is_empty() {
            return indexes;
        }
        let statuses = state.statuses(&indexes).into_iter();
        statuses.filter(|(_, status)| self.accepts(*status)).map(|(index, _)| index).collect()
    }

    pub(crate) fn accepts(&self, status: IndexStatus) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status)
    }

    /// Returns the selected indexes if they do not depend on status words.
    pub(crate) fn fixed_indexes(&self) -> Option<IndexSet> {
        let fixed = self.selector.as_ref().and_then(IndexSelector::fixed_indexes);
        match &self.of_items {
            Some(of_items) => Some(fixed.map_or_else(|| of_items.clone(), |fixed| fixed.intersection(of_items))),
            None => fixed,
        }
    }

    /// Whether at most one index can match.
    pub(crate) fn is_one(&self, state: &JobState) -> bool {
        state.completions() == 1 || self.fixed_indexes().is_some_and(|fixed| fixed.len() == 1)
    }

    /// Returns the indexes whose items may be shown, if they are known before the statuses. While a Job is watched, any
    /// index that changes may be shown.
    pub(crate) fn items_shown(&self, state: &JobState, watched: bool) -> Option<IndexSet> {
        if !self.statuses.is_empty() && !watched {
            return None;
        }
        let any = self.selector.is_none() || watched;
        self.fixed_indexes().or_else(|| any.then(|| state.all()))
    }

    /// Returns the filter of the smallest list of Pods that the rows need; `None` if they need no Pods.
    ///
    /// The Job's status has the completed indexes, so succeeded Pods are listed only if their rows are shown.
    pub(super) fn pod_filter<'a>(&self, state: &JobState, fixed: Option<&'a IndexSet>) -> Option<PodFilter<'a>> {
        let over = state.outcome().is_some();
        let succeeded = self.resolve(state, &|word| match word {
            StatusWord::Succeeded if over => state.succeeded(),
            StatusWord::All | StatusWord::Succeeded => state.all(),
            _ => IndexSet::new(),
        });
        let succeeded = if over { succeeded.intersection(&state.succeeded()) } else { succeeded };
        if self.accepts(IndexStatus::Succeeded) && !succeeded.is_empty() {
            return Some(PodFilter { fields: None, indexes: fixed });
        }
        // If the Job does not list its failed indexes, only their Pods show them.
        let known = over && state.keeps_failed_indexes();
        let rest = self.indexes(state).difference(&state.succeeded());
        (!known || !rest.is_empty()).then_some(PodFilter { indexes: fixed, ..PodFilter::UNSUCCESSFUL })
    }
}

/// Fails if the Job does not have all of these indexes.
pub(crate) fn check_numbers(named: &IndexSet, state: &JobState) -> Result<(), Error> {
    let all = state.all();
    let outside = named.difference(&all);
    if outside.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("the job has no index {outside}: its indexes are {all}")).hint("the first index is 0"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(over: bool) -> JobState {
        let ended = json!([{"type": "Failed", "status": "True"}]);
        let job = json!({
            "metadata": {"name": "j", "uid": "u"},
            "spec": {"completions": 10, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {}},
            "status": {"completedIndexes": "0-7", "failedIndexes": "8,9", "conditions": if over { ended } else { json!([]) }},
        });
        JobState::new(serde_json::from_value(job).unwrap())
    }

    fn selection(index: Option<&str>, statuses: &[IndexStatus]) -> IndexSelection {
        IndexSelection::new(index.map(|text| text.parse().unwrap()), statuses.to_vec())
    }

    /// Describes the list of Pods: `all` or only `unsuccessful` ones, and their indexes.
    fn pods(index: Option<&str>, statuses: &[IndexStatus], over: bool) -> String {
        let (selection, state) = (selection(index, statuses), state(over));
        let fixed = selection.fixed_indexes();
        let Some(filter) = selection.pod_filter(&state, fixed.as_ref()) else { return "none".to_owned() };
        let of = filter.indexes.map_or_else(String::new, |indexes| format!(" of {indexes}"));
        format!("{}{of}", if filter.fields.is_some() { "unsuccessful" } else { "all" })
    }

    #[test]
    fn only_the_pods_that_the_rows_need_are_listed() {
        assert_eq!(pods(None, &[], true), "all");
        assert_eq!(pods(None, &[IndexStatus::Failed], true), "unsuccessful");
        assert_eq!(pods(Some("failed"), &[], true), "unsuccessful");
        assert_eq!(pods(Some("!succeeded"), &[], true), "unsuccessful");
        assert_eq!(pods(Some("!failed"), &[], true), "all");
        assert_eq!(pods(Some("3,9"), &[], true), "all of 3,9");
        assert_eq!(pods(Some("9"), &[], true), "unsuccessful of 9");
        assert_eq!(pods(Some("3"), &[IndexStatus::Failed], true), "none", "the Job itself says that it completed");
        assert_eq!(pods(Some("0-7"), &[IndexStatus::Pending], true), "none");
        // While the Job runs, an index may complete before the response arrives.
        assert_eq!(pods(Some("9"), &[], false), "all of 9");
        assert_eq!(pods(Some("running,failed"), &[], false), "unsuccessful");
        assert_eq!(pods(Some("running"), &[IndexStatus::Succeeded], false), "unsuccessful");
    }

    #[test]
    fn items_narrow_the_selection() {
        let items = ItemTexts::from_iter([(3, "foo"), (7, "bar"), (9, "food")].map(|(at, item)| (at, item.to_owned())));
        let of = |index: Option<&str>| {
            let mut selection = selection(index, &[]);
            selection.narrow_to_items(&["foo*".to_owned()], &items, "j").unwrap();
            selection.fixed_indexes().unwrap().to_string()
        };
        assert_eq!(of(None), "3,9");
        assert_eq!(of(Some("0-5")), "3");
        assert_eq!(of(Some("failed")), "3,9");
    }

    #[test]
    fn only_the_items_that_the_rows_need_are_requested() {
        let items = |index: Option<&str>, statuses: &[IndexStatus], watched| {
            let early = selection(index, statuses).items_shown(&state(false), watched);
            early.map_or_else(|| "those of the rows".to_owned(), |indexes| indexes.to_string())
        };
        assert_eq!(items(None, &[], false), "0-9");
        assert_eq!(items(Some("3,9"), &[], false), "3,9");
        assert_eq!(items(Some("failed"), &[], false), "those of the rows");
        assert_eq!(items(None, &[IndexStatus::Failed], false), "those of the rows");
        assert_eq!(items(Some("3,9"), &[IndexStatus::Failed], false), "those of the rows");
        // Any index that fails later is shown with its item.
        assert_eq!(items(Some("failed"), &[], true), "0-9");
        assert_eq!(items(Some("3,9"), &[IndexStatus::Failed], true), "3,9");
    }
}
