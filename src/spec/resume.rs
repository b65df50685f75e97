//! `run --resume`: what is left of a list once others have succeeded before, by content.
//!
//! The content of an item is what stands for it in the cluster, byte for byte: all columns of a table, and whatever the
//! command's placeholders make of them. So a list may be put in another order, shortened, or longer. An item that
//! stands in the list several times is as many items, and each success pays for one of them: the first ones are left
//! out.

use std::borrow::Cow;
use std::collections::HashMap;

use super::JobSpec;
use super::handover::ItemForm;
use crate::error::{Error, Hint};
use crate::index_set::IndexSet;

/// How often each content has succeeded.
#[derive(Clone, Debug, Default)]
pub(crate) struct SuccessCounts(HashMap<Vec<u8>, usize>);

impl SuccessCounts {
    pub(crate) fn add(&mut self, content: Vec<u8>) {
        *self.0.entry(content).or_default() += 1;
    }

    /// The positions, from 0, of the contents that no success pays for.
    pub(crate) fn left<'a>(mut self, contents: impl Iterator<Item = Cow<'a, [u8]>>) -> IndexSet {
        let mut is_paid = |content: &[u8]| match self.0.get_mut(content) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        };
        (0..).zip(contents).filter(|(_, content)| !is_paid(content)).map(|(position, _)| position).collect()
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
    /// The name of the Job that its family began with.
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) skipped: usize,
}

/// Checks that the items of `spec`, the whole list, can be told apart and numbered anew.
pub(crate) fn check(spec: &JobSpec) -> Result<(), Error> {
    let retry = || Hint::indexed(&["retry", "JOB"], "runs the outstanding indexes, each with its number");
    if spec.items.is_empty() {
        return Err(Error::usage("--resume goes by what the items are, and here are none, only indexes").hint(retry()));
    }
    if spec.handover.form == ItemForm::Index {
        return Err(Error::usage(
            "--resume numbers what is left of the list from 0, and this worker goes by its index (--item-as index)",
        )
        .hint("hand the items over: leave --item-as out")
        .hint(retry()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn left(succeeded: &[&str], list: &[&str]) -> String {
        let mut known = SuccessCounts::default();
        for content in succeeded {
            known.add(content.as_bytes().to_vec());
        }
        known.left(list.iter().map(|content| Cow::Borrowed(content.as_bytes()))).to_string()
    }

    #[test]
    fn each_success_pays_for_one_item_of_its_content() {
        assert_eq!(left(&[], &["a", "b"]), "0,1");
        assert_eq!(left(&["b", "a"], &["a", "b"]), "");
        assert_eq!(left(&["a"], &["a", "a", "b", "a"]), "1-3");
        assert_eq!(left(&["a", "a"], &["a", "a", "b", "a"]), "2,3");
        assert_eq!(left(&["gone", "a"], &["b", "a", ""]), "0,2");
        assert_eq!(left(&["a "], &["a"]), "0");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_left_is_the_list_without_the_successes(
            succeeded in proptest::collection::vec("[a-c]", 0..12),
            list in proptest::collection::vec("[a-d]", 0..12),
        ) {
            let mut known = SuccessCounts::default();
            for content in &succeeded {
                known.add(content.clone().into_bytes());
            }
            let positions = known.left(list.iter().map(|content| Cow::Borrowed(content.as_bytes())));
            for content in ["a", "b", "c", "d"] {
                let count = |list: &[String]| list.iter().filter(|one| *one == content).count();
                let left = positions.iter().filter(|&position| list[position as usize] == content).count();
                prop_assert_eq!(left, count(&list).saturating_sub(count(&succeeded)));
            }
        }
    }
}
