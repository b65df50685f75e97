//! Sets of completion indexes such as `0-3,7`, and the selectors that users type.
//!
//! A set is stored as ranges, so 100,000 finished indexes take one entry.

use std::fmt;
use std::ops::{Deref, RangeInclusive};
use std::str::FromStr;

use range_set_blaze::RangeSetBlaze;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct IndexSet(RangeSetBlaze<u32>);

impl IndexSet {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Returns the indexes from 0 to `completions` − 1.
    pub(crate) fn below(completions: u32) -> Self {
        completions.checked_sub(1).map(|last| 0..=last).into_iter().collect()
    }

    /// Parses `.status.completedIndexes` or `.status.failedIndexes`. Skips invalid parts, as the Job controller does.
    pub(crate) fn from_status(text: &str) -> Self {
        let range = |part: &str| {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            Some(low.trim().parse().ok()?..=high.trim().parse().ok()?)
        };
        text.split(',').filter_map(range).collect()
    }

    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.0.len()).unwrap_or(usize::MAX)
    }

    /// Returns the positions in this set, counted from 0, of its indexes that are also in `members`.
    pub(crate) fn positions(&self, members: &Self) -> Self {
        (0..).zip(self.iter()).filter(|&(_, index)| members.contains(index)).map(|(position, _)| position).collect()
    }

    pub(crate) fn insert(&mut self, index: u32) {
        self.0.insert(index);
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }

    pub(crate) fn intersection(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// Returns the indexes in this set that are not in `other`.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        Self(&self.0 - &other.0)
    }
}

impl Deref for IndexSet {
    type Target = RangeSetBlaze<u32>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl FromIterator<u32> for IndexSet {
    fn from_iter<I: IntoIterator<Item = u32>>(indexes: I) -> Self {
        Self(indexes.into_iter().collect())
    }
}

impl FromIterator<RangeInclusive<u32>> for IndexSet {
    /// A backward range is empty.
    fn from_iter<I: IntoIterator<Item = RangeInclusive<u32>>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}

impl fmt::Display for IndexSet {
    /// Writes the form of `.status.completedIndexes`: two neighbours as a pair, three or more as a range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, range) in self.0.ranges().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            let (low, high) = range.into_inner();
            match high - low {
                0 => write!(f, "{low}")?,
                1 => write!(f, "{low},{high}")?,
                _ => write!(f, "{low}-{high}")?,
            }
        }
        Ok(())
    }
}

impl FromStr for IndexSet {
    type Err = String;

    /// Parses `N`, `A-B` and `A-B:STEP`, separated by commas; `_` may group digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut set = Self::new();
        let read = text.split(',').try_for_each(|part| parse_part(part.trim(), &mut set));
        read.map(|()| set)
    }
}

fn parse_part(part: &str, IndexSet(set): &mut IndexSet) -> Result<(), String> {
    if let Some((low, high)) = part.split_once("..").or_else(|| part.split_once('–')) {
        return Err(format!("a range is written with a hyphen: {low}-{}", high.trim_start_matches('=')));
    }
    let number = |digits: &str| -> Result<u32, String> {
        let plain: String = digits.chars().filter(|&c| c != '_').collect();
        let numeric = !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit());
        match plain.parse() {
            Ok(value) if numeric && value < u32::MAX => Ok(value),
            _ if numeric => Err(format!("{digits} is too large")),
            _ if digits.is_empty() => Err("a number is missing".to_owned()),
            _ => Err(format!("{digits:?} is not a number")),
        }
    };
    let (range, step) = match part.split_once(':') {
        Some((range, step)) => (range, Some(number(step)?)),
        None => (part, None),
    };
    let Some((low, high)) = range.split_once('-') else {
        if step.is_some() {
            return Err(format!("the step in {part:?} needs a range, as in 0-9:2"));
        }
        set.insert(number(range)?);
        return Ok(());
    };
    let (low, high) = (number(low)?, number(high)?);
    if low > high {
        return Err(format!("{range} runs backwards; write {high}-{low}"));
    }
    match step {
        None | Some(1) => set.extend([low..=high]),
        Some(0) => return Err("a step of 0 never ends".to_owned()),
        Some(step) => set.extend((low..=high).step_by(step as usize)),
    }
    Ok(())
}

/// A status word in a selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusWord {
    All,
    /// Failed according to the Job, or to the last attempt if the Job keeps no list.
    Failed,
    /// Completed according to the Job.
    Succeeded,
    Running,
    /// Neither finished nor running.
    Pending,
}

impl StatusWord {
    /// The words that users type, those that need attention first.
    pub(crate) const NAMES: [(&'static str, Self); 5] = [
        ("failed", Self::Failed),
        ("running", Self::Running),
        ("pending", Self::Pending),
        ("succeeded", Self::Succeeded),
        ("all", Self::All),
    ];
}

/// A parsed INDEXES argument: numbers, ranges and status words; a leading `!` excludes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexSelector(Vec<(bool, Term)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Word(StatusWord),
    Set(IndexSet),
}

impl IndexSelector {
    /// Returns the selected indexes: the included ones without the excluded ones. A selector that only excludes starts
    /// from all indexes. `indexes_with` returns the indexes of a status.
    pub(crate) fn resolve(&self, indexes_with: impl Fn(StatusWord) -> IndexSet) -> IndexSet {
        let only_excludes = self.0.iter().all(|(excluded, _)| *excluded);
        let included =
            if only_excludes { indexes_with(StatusWord::All) } else { self.join_terms(false, &indexes_with) };
        included.difference(&self.join_terms(true, &indexes_with))
    }

    /// Returns the selected indexes if they do not depend on status.
    pub(crate) fn fixed_indexes(&self) -> Option<IndexSet> {
        let numbers = self.0.iter().all(|(_, term)| matches!(term, Term::Set(_)));
        let included = self.0.iter().any(|(excluded, _)| !excluded);
        (numbers && included).then(|| self.resolve(|_| IndexSet::new()))
    }

    /// Returns the indexes that are included by number.
    pub(crate) fn numbers(&self) -> IndexSet {
        self.join_terms(false, &|_| IndexSet::new())
    }

    fn join_terms(&self, excluded: bool, indexes_with: &dyn Fn(StatusWord) -> IndexSet) -> IndexSet {
        let terms = self.0.iter().filter(|(is_excluded, _)| *is_excluded == excluded);
        terms.fold(IndexSet::new(), |set, (_, term)| match term {
            Term::Word(word) => set.union(&indexes_with(*word)),
            Term::Set(indexes) => set.union(indexes),
        })
    }
}

impl FromStr for IndexSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').map(|part| parse_term(part.trim())).collect::<Result<_, _>>().map(Self)
    }
}

/// Parses a term; returns whether it excludes, and the term.
fn parse_term(part: &str) -> Result<(bool, Term), String> {
    let rest = part.strip_prefix('!').map(str::trim_start);
    let (excluded, rest) = (rest.is_some(), rest.unwrap_or(part));
    if let Some(&(_, word)) = StatusWord::NAMES.iter().find(|(name, _)| *name == rest) {
        return Ok((excluded, Term::Word(word)));
    }
    if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let names = StatusWord::NAMES.map(|(name, _)| name).join(", ");
        return Err(format!("{rest:?} is neither a number nor one of {names}"));
    }
    let mut set = IndexSet::new();
    parse_part(rest, &mut set)?;
    Ok((excluded, Term::Set(set)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(text: &str) -> IndexSet {
        text.parse().unwrap()
    }

    #[test]
    fn sets_print_pairs_and_ranges_like_the_job_controller() {
        assert_eq!(set("1,2").to_string(), "1,2");
        assert_eq!(set("1,2,3,7").to_string(), "1-3,7");
        assert_eq!(set("9-20:5,0-3,2").to_string(), "0-3,9,14,19");
        assert_eq!(set("1_000-1_002").to_string(), "1000-1002");
        assert_eq!(IndexSet::new().to_string(), "");
    }

    #[test]
    fn a_range_with_a_step_has_every_nth_index() {
        assert_eq!(set("0-10:2").len(), 6);
        assert_eq!(set("0-10:20").len(), 1);
    }

    #[test]
    fn an_invalid_set_is_an_error_with_a_reason() {
        let problem = |text: &str| text.parse::<IndexSet>().unwrap_err();
        insta::assert_snapshot!(problem(""), @"a number is missing");
        insta::assert_snapshot!(problem("1,,2"), @"a number is missing");
        insta::assert_snapshot!(problem("3-1"), @"3-1 runs backwards; write 1-3");
        insta::assert_snapshot!(problem("0-9:0"), @"a step of 0 never ends");
        insta::assert_snapshot!(problem("5:2"), @r#"the step in "5:2" needs a range, as in 0-9:2"#);
        insta::assert_snapshot!(problem("1..3"), @"a range is written with a hyphen: 1-3");
        insta::assert_snapshot!(problem("one"), @r#""one" is not a number"#);
        insta::assert_snapshot!(problem("+1"), @r#""+1" is not a number"#);
        insta::assert_snapshot!(problem("99999999999"), @"99999999999 is too large");
    }

    #[test]
    fn invalid_parts_of_a_status_are_skipped() {
        assert_eq!(IndexSet::from_status("").to_string(), "");
        assert_eq!(IndexSet::from_status("1,3-5,x,7-").to_string(), "1,3-5");
    }

    #[test]
    fn a_selector_excludes_from_the_included_indexes() {
        let indexes_with = |word| match word {
            StatusWord::All => set("0-9"),
            StatusWord::Failed => set("2,5"),
            StatusWord::Succeeded => set("0,1"),
            StatusWord::Running => set("3"),
            StatusWord::Pending => set("4,6-9"),
        };
        let resolve = |text: &str| text.parse::<IndexSelector>().unwrap().resolve(indexes_with).to_string();
        assert_eq!(resolve("failed"), "2,5");
        assert_eq!(resolve("failed,0-3"), "0-3,5");
        assert_eq!(resolve("!failed"), "0,1,3,4,6-9");
        assert_eq!(resolve("all,!0-7"), "8,9");
        assert_eq!(resolve("!succeeded,failed"), "2,5");
        let fixed = |text: &str| text.parse::<IndexSelector>().unwrap().fixed_indexes().map(|set| set.to_string());
        assert_eq!(fixed("0-3,!2").as_deref(), Some("0,1,3"));
        assert_eq!([fixed("!2"), fixed("0-3,!failed"), fixed("all")], [None, None, None]);
        let unknown = "faled".parse::<IndexSelector>().unwrap_err();
        insta::assert_snapshot!(unknown, @r#""faled" is neither a number nor one of failed, running, pending, succeeded, all"#);
    }

    /// Small numbers, so that ranges often touch and overlap.
    fn indexes() -> impl Strategy<Value = BTreeSet<u32>> {
        proptest::collection::btree_set(0u32..60, 0..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn operations_agree_with_a_btree_set(a in indexes(), b in indexes(), extra in 0u32..60) {
            let (left, right): (IndexSet, IndexSet) = (a.iter().copied().collect(), b.iter().copied().collect());
            prop_assert_eq!(left.iter().collect::<Vec<_>>(), a.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(left.len(), left.iter().count());
            prop_assert_eq!(left.contains(extra), a.contains(&extra));
            let positions = (0..).zip(&a).filter(|(_, index)| b.contains(index)).map(|(position, _)| position);
            prop_assert_eq!(left.positions(&right), positions.collect());
            prop_assert_eq!(left.union(&right), a.union(&b).copied().collect());
            prop_assert_eq!(left.difference(&right), a.difference(&b).copied().collect());
            prop_assert_eq!(left.intersection(&right), a.intersection(&b).copied().collect());
            let (mut more, mut plain) = (left, a);
            more.insert(extra);
            plain.insert(extra);
            prop_assert_eq!(more, plain.into_iter().collect());
        }

        #[test]
        fn printed_sets_parse_to_the_same_set(a in proptest::collection::btree_set(0u32..60, 1..40)) {
            let whole: IndexSet = a.into_iter().collect();
            prop_assert_eq!(&whole.to_string().parse::<IndexSet>().unwrap(), &whole);
            prop_assert_eq!(IndexSet::from_status(&whole.to_string()), whole);
        }
    }
}
