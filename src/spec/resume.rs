//! `run --resume`: finds the items of a list that have not succeeded before.
//!
//! Items are compared by their content, the bytes that are stored for them in the cluster: all columns of a table, and
//! what the placeholders of the command take from them. So a list may be reordered, shortened or extended. Each success
//! counts for one item only: if a list repeats an item, the first ones are skipped.

use std::borrow::Cow;
use std::collections::HashMap;

use super::JobSpec;
use super::handover::ItemForm;
use crate::error::{Error, Hint};
use crate::index_set::IndexSet;

/// The number of successes of each content.
#[derive(Clone, Debug, Default)]
pub(crate) struct SuccessCounts(HashMap<Vec<u8>, usize>);

impl SuccessCounts {
    pub(crate) fn add(&mut self, content: Vec<u8>) {
        *self.0.entry(content).or_default() += 1;
    }

    /// Returns the positions, from 0, of the contents without a success.
    pub(crate) fn remaining<'a>(mut self, contents: impl Iterator<Item = Cow<'a, [u8]>>) -> IndexSet {
        let mut has_succeeded = |content: &[u8]| match self.0.get_mut(content) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        };
        (0..).zip(contents).filter(|(_, content)| !has_succeeded(content)).map(|(position, _)| position).collect()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RemainingItems {
    /// Positions in the list, from 0; at least one.
    pub(crate) positions: IndexSet,
    pub(crate) resumes: ResumedJob,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResumedJob {
    /// The name of the first Job of its family.
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) skipped: usize,
}

/// Checks that the items of `spec`, the whole list, can be compared and renumbered.
pub(crate) fn check(spec: &JobSpec) -> Result<(), Error> {
    let retry = || Hint::indexed(&["retry", "JOB"], "runs the outstanding indexes under their own numbers");
    if spec.items.is_empty() {
        return Err(Error::usage("--resume compares items, and this run has only indexes").hint(retry()));
    }
    if spec.handover.form == ItemForm::Index {
        return Err(Error::usage(
            "--resume renumbers the remaining items from 0, and this worker uses its index (--item-as index)",
        )
        .hint("remove --item-as, so that the worker gets its item")
        .hint(retry()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn remaining(succeeded: &[&str], list: &[&str]) -> String {
        let mut known = SuccessCounts::default();
        for content in succeeded {
            known.add(content.as_bytes().to_vec());
        }
        known.remaining(list.iter().map(|content| Cow::Borrowed(content.as_bytes()))).to_string()
    }

    #[test]
    fn each_success_counts_for_one_item_of_its_content() {
        assert_eq!(remaining(&[], &["a", "b"]), "0,1");
        assert_eq!(remaining(&["b", "a"], &["a", "b"]), "");
        assert_eq!(remaining(&["a"], &["a", "a", "b", "a"]), "1-3");
        assert_eq!(remaining(&["a", "a"], &["a", "a", "b", "a"]), "2,3");
        assert_eq!(remaining(&["gone", "a"], &["b", "a", ""]), "0,2");
        assert_eq!(remaining(&["a "], &["a"]), "0");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_remaining_items_are_the_list_without_the_successes(
            succeeded in proptest::collection::vec("[a-c]", 0..12),
            list in proptest::collection::vec("[a-d]", 0..12),
        ) {
            let mut known = SuccessCounts::default();
            for content in &succeeded {
                known.add(content.clone().into_bytes());
            }
            let positions = known.remaining(list.iter().map(|content| Cow::Borrowed(content.as_bytes())));
            for content in ["a", "b", "c", "d"] {
                let count = |list: &[String]| list.iter().filter(|item| *item == content).count();
                let left = positions.iter().filter(|&position| list[position as usize] == content).count();
                prop_assert_eq!(left, count(&list).saturating_sub(count(&succeeded)));
            }
        }
    }
}
