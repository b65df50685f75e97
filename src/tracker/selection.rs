//! The one selection of indexes: by number or status word, by item, by status.

use crate::cluster::PodFilter;
use crate::error::{Error, Hint};
use crate::index_set::{IndexSelector, IndexSet, StatusWord};
use crate::state::{IndexStatus, ItemTexts, JobState};

/// Which indexes are asked for; all, if nothing is.
#[derive(Clone, Debug, Default)]
pub(crate) struct IndexSelection {
    selector: Option<IndexSelector>,
    of_items: Option<IndexSet>,
    /// Any, if none is named.
    statuses: Vec<IndexStatus>,
}

impl IndexSelection {
    pub(crate) fn new(selector: Option<IndexSelector>, statuses: Vec<IndexStatus>) -> Self {
        Self { selector, of_items: None, statuses }
    }

    /// Narrows the selection to these items, each given as it is or with `*` and `?` as wildcards.
    pub(crate) fn narrow_to_items(&mut self, named: &[String], items: &ItemTexts, job: &str) -> Result<(), Error> {
        if items.is_empty() {
            return Err(Error::usage(format!("the items of job {job} are not known: it has no list that can be read"))
                .hint("--index chooses by number"));
        }
        let mut found = IndexSet::new();
        for name in named {
            // An item may have a star in it.
            let mut these: IndexSet = items.iter().filter(|(_, item)| *item == name).map(|(&index, _)| index).collect();
            if these.is_empty() {
                let pattern = regex::escape(name).replace(r"\*", ".*").replace(r"\?", ".");
                let pattern = regex::Regex::new(&format!("(?s)^{pattern}$"))
                    .map_err(|problem| Error::usage(format!("--item {name:?}: {problem}")))?;
                these = items.iter().filter(|(_, item)| pattern.is_match(item)).map(|(&index, _)| index).collect();
            }
            if these.is_empty() {
                return Err(Error::usage(format!("job {job} has no item {name:?}"))
                    .hint(Hint::indexed(&["indexes", job], "lists them").and("* stands for any characters")));
            }
            found = found.union(&these);
        }
        self.of_items = Some(found);
        Ok(())
    }

    pub(crate) fn check(&self, state: &JobState) -> Result<(), Error> {
        self.selector.as_ref().map_or(Ok(()), |selector| check_numbers(&selector.numbers(), state))
    }

    /// The indexes that are asked for by number, word or item, whatever their status.
    pub(crate) fn indexes(&self, state: &JobState) -> IndexSet {
        self.resolve(state, &|word| state.indexes_with(word))
    }

    fn resolve(&self, state: &JobState, meaning: &dyn Fn(StatusWord) -> IndexSet) -> IndexSet {
        let selected = self.selector.as_ref().map_or_else(|| state.all(), |selector| selector.resolve(meaning));
        self.of_items.as_ref().map_or_else(|| selected.clone(), |of_items| selected.intersection(of_items))
    }

    /// The indexes that are asked for now. Words such as "failed" change their meaning while a Job runs.
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

    /// The indexes that can be meant at all, if that does not depend on their status.
    pub(crate) fn fixed(&self) -> Option<IndexSet> {
        let fixed = self.selector.as_ref().and_then(IndexSelector::fixed);
        match &self.of_items {
            Some(of_items) => Some(fixed.map_or_else(|| of_items.clone(), |fixed| fixed.intersection(of_items))),
            None => fixed,
        }
    }

    /// Whether only one index can be meant, whatever its status.
    pub(crate) fn is_one(&self, state: &JobState) -> bool {
        state.completions() == 1 || self.fixed().is_some_and(|fixed| fixed.len() == 1)
    }

    /// The indexes whose items are shown, if that is known before their status is. Of those that change while the Job
    /// is watched, any may be shown.
    pub(crate) fn items_shown(&self, state: &JobState, watched: bool) -> Option<IndexSet> {
        if !self.statuses.is_empty() && !watched {
            return None;
        }
        let any = self.selector.is_none() || watched;
        self.fixed().or_else(|| any.then(|| state.all()))
    }

    /// The cheapest list of Pods from which rows can be made; None if none is needed.
    ///
    /// The Job itself says what has completed. So Pods that succeeded are listed only if their rows are shown, and of
    /// a few indexes only their own.
    pub(super) fn pods<'a>(&self, state: &JobState, fixed: Option<&'a IndexSet>) -> Option<PodFilter<'a>> {
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
        // Where the Job keeps no list of its failed indexes, only their Pods say which those are.
        let known = over && state.keeps_failed_indexes();
        let rest = self.indexes(state).difference(&state.succeeded());
        (!known || !rest.is_empty()).then_some(PodFilter { indexes: fixed, ..PodFilter::UNSUCCESSFUL })
    }
}

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

    /// The list of Pods that is asked for: `all` of them or only `unsuccessful` ones, and of which indexes.
    fn pods(index: Option<&str>, statuses: &[IndexStatus], over: bool) -> String {
        let (selection, state) = (selection(index, statuses), state(over));
        let fixed = selection.fixed();
        let Some(filter) = selection.pods(&state, fixed.as_ref()) else { return "none".to_owned() };
        let of = filter.indexes.map_or_else(String::new, |indexes| format!(" of {indexes}"));
        format!("{}{of}", if filter.fields.is_some() { "unsuccessful" } else { "all" })
    }

    #[test]
    fn no_more_pods_are_listed_than_the_rows_need() {
        assert_eq!(pods(None, &[], true), "all");
        assert_eq!(pods(None, &[IndexStatus::Failed], true), "unsuccessful");
        assert_eq!(pods(Some("failed"), &[], true), "unsuccessful");
        assert_eq!(pods(Some("!succeeded"), &[], true), "unsuccessful");
        assert_eq!(pods(Some("!failed"), &[], true), "all");
        assert_eq!(pods(Some("3,9"), &[], true), "all of 3,9");
        assert_eq!(pods(Some("9"), &[], true), "unsuccessful of 9");
        assert_eq!(pods(Some("3"), &[IndexStatus::Failed], true), "none", "the Job itself says that it completed");
        assert_eq!(pods(Some("0-7"), &[IndexStatus::Pending], true), "none");
        // While it runs, what is not known to have completed may have by the time of the answer.
        assert_eq!(pods(Some("9"), &[], false), "all of 9");
        assert_eq!(pods(Some("running,failed"), &[], false), "unsuccessful");
        assert_eq!(pods(Some("running"), &[IndexStatus::Succeeded], false), "unsuccessful");
    }

    #[test]
    fn items_that_are_asked_for_narrow_what_is_listed() {
        let items = ItemTexts::from_iter([(3, "foo"), (7, "bar"), (9, "food")].map(|(at, item)| (at, item.to_owned())));
        let of = |index: Option<&str>| {
            let mut selection = selection(index, &[]);
            selection.narrow_to_items(&["foo*".to_owned()], &items, "j").unwrap();
            selection.fixed().unwrap().to_string()
        };
        assert_eq!(of(None), "3,9");
        assert_eq!(of(Some("0-5")), "3");
        assert_eq!(of(Some("failed")), "3,9");
    }

    #[test]
    fn no_more_items_are_asked_for_than_the_rows_need() {
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
