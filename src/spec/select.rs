//! Selects items as they are read. Memory does not grow with the items that are passed over.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Display;

use fastrand::Rng;

use super::items::{Columns, Item, Items, MAX_ITEM_BYTES};
use crate::error::Error;

/// The most memory of the kept items, in bytes.
const MAX_KEPT_BYTES: usize = 256 * 1024 * 1024;
/// The most items that are counted, so that a source without an end leads to an error.
pub(super) const MAX_COUNTED: usize = 10_000_000;

/// The flags that select items, in the order in which they apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ItemSelection {
    /// Keeps only the first of several equal items.
    pub(crate) unique: bool,
    /// The number of items to skip at the beginning.
    pub(crate) skip: usize,
    /// The seed of a random order: the same seed gives the same items the same order.
    pub(crate) shuffle: Option<u64>,
    /// The number of items to take from the rest. In a random order this is a random sample: the beginning of the whole
    /// list in that order.
    pub(crate) first: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoadedItems {
    pub(crate) items: Items,
    pub(crate) notes: Vec<String>,
    /// The file whose first line was taken for a header, although no flag said so.
    pub(crate) header_of: Option<String>,
}

/// Takes items one by one and keeps those that are selected.
#[derive(Debug)]
pub(crate) struct Collector {
    selection: ItemSelection,
    /// The most items that one Job can have.
    limit: usize,
    seen: HashSet<Item>,
    pushed: usize,
    /// The number of items after `unique`.
    distinct: usize,
    /// The number of items after `skip`.
    counted: usize,
    /// Whether counting stopped early.
    open: bool,
    /// The items by order and position. In a random order every item draws a random key: so a sample needs no memory for
    /// the rest, and equals the beginning of the whole order.
    kept: BTreeMap<(u64, usize), Item>,
    random: Option<Rng>,
    cost: usize,
}

impl Collector {
    pub(crate) fn new(selection: ItemSelection, limit: usize) -> Result<Self, Error> {
        if selection.first == Some(0) {
            return Err(Error::usage("--first 0 would take no items").hint("use --first 1 or more"));
        }
        Ok(Self {
            random: selection.shuffle.map(Rng::with_seed),
            selection,
            limit,
            seen: HashSet::new(),
            pushed: 0,
            distinct: 0,
            counted: 0,
            open: false,
            kept: BTreeMap::new(),
            cost: 0,
        })
    }

    /// Returns the number of items so far, which is the position of the next one.
    pub(crate) fn pushed(&self) -> usize {
        self.pushed
    }

    /// Takes the next item; returns whether further items can't change the outcome. Too many items are an error only at
    /// the end, when their number is known.
    pub(crate) fn push(&mut self, item: Item) -> Result<bool, Error> {
        if item.bytes().len() > MAX_ITEM_BYTES {
            return Err(too_large(format_args!("item {}", self.pushed)));
        }
        self.pushed += 1;
        if self.selection.unique {
            if self.seen.contains(&item) {
                return Ok(false);
            }
            self.charge(item.cost())?;
            self.seen.insert(item.clone());
        }
        self.distinct += 1;
        if self.distinct <= self.selection.skip {
            return Ok(false);
        }
        self.counted += 1;
        if self.too_many() {
            // The run will fail: from now on items are only counted.
            self.kept.clear();
            self.open = self.selection.unique || self.counted >= MAX_COUNTED;
        } else {
            self.keep(item)?;
        }
        let full = self.selection.shuffle.is_none() && self.selection.first == Some(self.counted);
        Ok(full || self.open)
    }

    fn keep(&mut self, item: Item) -> Result<(), Error> {
        self.charge(item.cost())?;
        let bound = self.selection.first.unwrap_or(self.limit);
        let key = self.random.as_mut().map_or(0, |random| random.u64(..));
        self.kept.insert((key, self.counted), item);
        if self.kept.len() > bound {
            self.cost -= self.kept.pop_last().map_or(0, |(_, last)| last.cost());
        }
        Ok(())
    }

    fn charge(&mut self, cost: usize) -> Result<(), Error> {
        self.cost += cost;
        if self.cost <= MAX_KEPT_BYTES {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the first {} items take more than {} MiB of memory, more than one Job can hold",
            self.pushed,
            MAX_KEPT_BYTES / 1024 / 1024
        ))
        .hint("put large inputs into a volume, and pass their names as items"))
    }

    fn selected(&self) -> usize {
        self.selection.first.map_or(self.counted, |first| first.min(self.counted))
    }

    fn too_many(&self) -> bool {
        self.selected() > self.limit
    }

    /// Returns the selected items of `origin`.
    pub(crate) fn finish(self, origin: impl Display, columns: Columns) -> Result<Items, Error> {
        if self.pushed == 0 {
            return Err(Error::usage(format!("there are no items in {origin}"))
                .hint("write one item per line; a table needs rows below its header"));
        }
        if self.counted == 0 {
            let distinct = if self.selection.unique { "distinct " } else { "" };
            return Err(Error::usage(format!(
                "--skip {} leaves none of the {} {distinct}items in {origin}",
                self.selection.skip, self.distinct
            ))
            .hint(format!("use --skip {} or less", self.distinct - 1)));
        }
        if self.too_many() {
            return Err(match (self.open, self.selection.unique) {
                (true, true) => too_many(&format!("more than {} distinct", self.limit), self.limit),
                (true, false) => too_many(&format!("more than {MAX_COUNTED}"), self.limit),
                (false, _) => too_many(&self.selected().to_string(), self.limit),
            });
        }
        Ok(Items::new(columns, self.kept.into_values().collect()))
    }

    /// Checks the number of items of a source before the first one is made.
    pub(super) fn check_count(&self, count: u64, counted: &str) -> Result<(), Error> {
        let ItemSelection { unique, skip, shuffle, first } = &self.selection;
        let as_u64 = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let (skip, first) = (as_u64(*skip), first.map_or(u64::MAX, as_u64));
        let left = count.saturating_sub(skip);
        if !unique && left.min(first) > as_u64(self.limit) {
            let text = if left < first && (skip == 0 || count == u64::MAX) {
                counted.to_owned()
            } else {
                left.min(first).to_string()
            };
            return Err(too_many(&text, self.limit));
        }
        let walk = if *unique || shuffle.is_some() { count } else { count.min(skip.saturating_add(first)) };
        if walk > as_u64(MAX_COUNTED) {
            return Err(Error::usage(format!(
                "{counted} items are too many to choose from: the limit is {MAX_COUNTED}"
            ))
            .hint("give fewer values, or take the first items with --first alone"));
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.kept.len()
    }
}

fn too_many(count: &str, limit: usize) -> Error {
    Error::usage(format!(
        "{count} items are too many for one Job: Kubernetes allows {limit} indexes with per-index limits"
    ))
    .hint(format!("split the list into runs of at most {limit} items with --skip and --first"))
}

/// Returns the error of an item that is too large; `place` names the item.
pub(super) fn too_large(place: impl Display) -> Error {
    Error::usage(format!("{place} is larger than {} MiB", MAX_ITEM_BYTES / 1024 / 1024))
        .hint("put large inputs into a volume, and pass their names as items")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::tests::error_text;

    const LIMIT: usize = 100_000;

    fn collector(selection: ItemSelection) -> Collector {
        Collector::new(selection, LIMIT).unwrap()
    }

    /// Feeds as long as more is asked for; gives what was selected and how many were taken in.
    fn select(
        selection: ItemSelection,
        limit: usize,
        items: impl IntoIterator<Item = String>,
    ) -> (Result<Items, Error>, usize) {
        let mut collector = Collector::new(selection, limit).unwrap();
        for item in items {
            if collector.push(Item::new(item)).unwrap() {
                break;
            }
        }
        let pushed = collector.pushed();
        (collector.finish("items.txt", Columns::None), pushed)
    }

    fn texts(items: &Items) -> Vec<String> {
        items.iter().map(|item| item.lossy().into_owned()).collect()
    }

    fn numbers(count: usize) -> impl Iterator<Item = String> {
        (0..count).map(|n| n.to_string())
    }

    #[test]
    fn unique_applies_before_skip_and_first_applies_last() {
        let letters = "a b a c b d e".split(' ').map(str::to_owned);
        let selection = ItemSelection { unique: true, skip: 1, shuffle: None, first: Some(2) };
        let (items, pushed) = select(selection, LIMIT, letters);
        assert_eq!(texts(&items.unwrap()), ["b", "c"]);
        assert_eq!(pushed, 4, "nothing more is read once there is enough");
    }

    #[test]
    fn a_million_items_are_refused_by_their_number() {
        for shuffle in [None, Some(1)] {
            let mut collector = collector(ItemSelection { shuffle, ..ItemSelection::default() });
            for n in 0..1_000_000_u32 {
                assert!(!collector.push(Item::new(n.to_string())).unwrap());
                assert!(collector.held() <= LIMIT);
            }
            assert_eq!(collector.held(), 0, "what can't be used is not held");
            let error = error_text(&collector.finish("items.txt", Columns::None).unwrap_err());
            assert!(error.starts_with("1000000 items are too many for one Job"), "{error}");
        }
    }

    #[test]
    fn a_source_without_an_end_leads_to_an_error() {
        let endless = || std::iter::repeat_with(|| "y".to_owned());
        let (items, pushed) = select(ItemSelection::default(), LIMIT, endless());
        insta::assert_snapshot!(error_text(&items.unwrap_err()), @"
        more than 10000000 items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
        hint: split the list into runs of at most 100000 items with --skip and --first
        ");
        assert_eq!(pushed, MAX_COUNTED);
        let unique = ItemSelection { unique: true, ..ItemSelection::default() };
        let (items, pushed) = select(unique, LIMIT, numbers(1_000_000));
        insta::assert_snapshot!(error_text(&items.unwrap_err()), @"
        more than 100000 distinct items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
        hint: split the list into runs of at most 100000 items with --skip and --first
        ");
        assert_eq!(pushed, LIMIT + 1);
        let first = ItemSelection { first: Some(150_000), ..ItemSelection::default() };
        insta::assert_snapshot!(error_text(&select(first, LIMIT, endless()).0.unwrap_err()), @"
        150000 items are too many for one Job: Kubernetes allows 100000 indexes with per-index limits
        hint: split the list into runs of at most 100000 items with --skip and --first
        ");
    }

    #[test]
    fn a_sample_holds_only_its_own_items() {
        let mut collector = collector(ItemSelection { shuffle: Some(7), first: Some(10), ..ItemSelection::default() });
        for n in 0..300_000_u32 {
            assert!(!collector.push(Item::new(n.to_string())).unwrap());
            assert!(collector.held() <= 10);
        }
        assert!(collector.cost < 10_000);
        let sample = texts(&collector.finish("items.txt", Columns::None).unwrap());
        assert_eq!(sample.len(), 10);
        let late = sample.iter().filter(|n| n.parse::<u32>().unwrap() >= 150_000).count();
        assert!((1..10).contains(&late), "{sample:?}");
    }

    #[test]
    fn an_empty_selection_is_an_error_with_its_reason() {
        insta::assert_snapshot!(error_text(&select(ItemSelection::default(), LIMIT, []).0.unwrap_err()), @"
        there are no items in items.txt
        hint: write one item per line; a table needs rows below its header
        ");
        let skip = ItemSelection { skip: 3, ..ItemSelection::default() };
        insta::assert_snapshot!(error_text(&select(skip.clone(), LIMIT, numbers(3)).0.unwrap_err()), @"
        --skip 3 leaves none of the 3 items in items.txt
        hint: use --skip 2 or less
        ");
        let twice = numbers(2).chain(numbers(2));
        let skip = ItemSelection { unique: true, ..skip };
        insta::assert_snapshot!(error_text(&select(skip, LIMIT, twice).0.unwrap_err()), @"
        --skip 3 leaves none of the 2 distinct items in items.txt
        hint: use --skip 1 or less
        ");
        let none = ItemSelection { first: Some(0), ..ItemSelection::default() };
        insta::assert_snapshot!(error_text(&Collector::new(none, LIMIT).unwrap_err()), @"
        --first 0 would take no items
        hint: use --first 1 or more
        ");
    }

    #[test]
    fn items_that_fill_the_memory_are_refused() {
        let mut one = collector(ItemSelection::default());
        let error = (0..300).find_map(|_| one.push(Item::new(vec![b'x'; MAX_ITEM_BYTES])).err()).unwrap();
        insta::assert_snapshot!(error_text(&error), @"
        the first 256 items take more than 256 MiB of memory, more than one Job can hold
        hint: put large inputs into a volume, and pass their names as items
        ");
        let mut one = collector(ItemSelection::default());
        assert!(one.push(Item::new("a")).is_ok());
        insta::assert_snapshot!(error_text(&one.push(Item::new(vec![b'x'; MAX_ITEM_BYTES + 1])).unwrap_err()), @"
        item 1 is larger than 1 MiB
        hint: put large inputs into a volume, and pass their names as items
        ");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_random_order_has_all_items_and_is_repeatable(count in 1_usize..60, seed in any::<u64>()) {
            let selection = ItemSelection { shuffle: Some(seed), ..ItemSelection::default() };
            let items = texts(&select(selection.clone(), LIMIT, numbers(count)).0.unwrap());
            prop_assert_eq!(&items, &texts(&select(selection, LIMIT, numbers(count)).0.unwrap()));
            let mut sorted: Vec<usize> = items.iter().map(|n| n.parse().unwrap()).collect();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..count).collect::<Vec<_>>());
        }

        /// As if all were held, and one step done after the other.
        #[test]
        fn the_selection_equals_its_steps_one_by_one(
            list in proptest::collection::vec(0_u8..12, 1..40),
            unique in any::<bool>(),
            skip in 0_usize..20,
            shuffle in proptest::option::of(any::<u64>()),
            first in proptest::option::of(1_usize..20),
            limit in 1_usize..40,
        ) {
            let list: Vec<String> = list.iter().map(ToString::to_string).collect();
            let mut plain: Vec<String> = Vec::new();
            for item in &list {
                if !unique || !plain.contains(item) {
                    plain.push(item.clone());
                }
            }
            plain.drain(..skip.min(plain.len()));
            if shuffle.is_some() && !plain.is_empty() {
                let whole = ItemSelection { shuffle, ..ItemSelection::default() };
                plain = texts(&select(whole, LIMIT, plain).0.unwrap());
            }
            plain.truncate(first.unwrap_or(usize::MAX));
            let fits = !plain.is_empty() && plain.len() <= limit;
            let (items, _) = select(ItemSelection { unique, skip, shuffle, first }, limit, list);
            prop_assert_eq!(items.ok().map(|items| texts(&items)), fits.then_some(plain));
        }
    }
}
