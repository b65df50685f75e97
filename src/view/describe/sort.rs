//! Go's sort.
//!
//! It isn't stable from 13 elements on, but what it makes of equal ones is settled by their number and order alone.
//! kubectl sorts events by a time of whole seconds, and a Job makes many Pods within one: to list them in the same order
//! one has to take the same steps. They are those of Go's `sort.Sort` and `sort.Slice`, a pattern-defeating quicksort.

/// Up to this length elements are sorted by insertion, which is stable.
const INSERTION: usize = 12;
/// From this length on the pivot is the median of three medians.
const NINTHER: usize = 50;
/// The comparisons a choice of pivot makes at most; if all of them swap, the elements probably descend.
const MOST_SWAPS: usize = 12;
/// Elements out of place that are moved before a nearly sorted run is given up.
const MOVES: usize = 5;

/// Sorts as Go does, by `key`.
pub(super) fn by_key<'a, T, K: Ord>(items: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut sorted: Vec<&T> = items.iter().collect();
    Sort { items: &mut sorted, less: |a: &&'a T, b: &&'a T| key(a) < key(b) }.quick(0, items.len(), bits(items.len()));
    sorted
}

fn bits(length: usize) -> u32 {
    usize::BITS - length.leading_zeros()
}

#[derive(PartialEq)]
enum Looks {
    Ascending,
    Descending,
    Unsorted,
}

struct Sort<'a, T, Less> {
    items: &'a mut [T],
    less: Less,
}

/// Positions count from the start of the whole list; a range is `start..end`.
impl<T, Less: Fn(&T, &T) -> bool> Sort<'_, T, Less> {
    fn less(&self, a: usize, b: usize) -> bool {
        (self.less)(&self.items[a], &self.items[b])
    }

    /// Sorts a range; after `limit` bad pivots by heap.
    fn quick(&mut self, mut start: usize, mut end: usize, mut limit: u32) {
        let mut balanced = true;
        let mut partitioned = true;
        while end - start > INSERTION {
            let length = end - start;
            if limit == 0 {
                return self.heap(start, end);
            }
            if !balanced {
                self.scatter(start, end);
                limit -= 1;
            }
            let (mut pivot, mut looks) = self.choose_pivot(start, end);
            if looks == Looks::Descending {
                self.items[start..end].reverse();
                pivot = end - 1 - (pivot - start);
                looks = Looks::Ascending;
            }
            if balanced && partitioned && looks == Looks::Ascending && self.finish_nearly_sorted(start, end) {
                return;
            }
            // What stands before the range is the least that can be in it: if the pivot is no more, split off its equals.
            if start > 0 && !self.less(start - 1, pivot) {
                start = self.split_equal(start, end, pivot);
                continue;
            }
            let middle;
            (middle, partitioned) = self.partition(start, end, pivot);
            let (left, right) = (middle - start, end - middle);
            balanced = left.min(right) >= length / 8;
            if left < right {
                self.quick(start, middle, limit);
                start = middle + 1;
            } else {
                self.quick(middle + 1, end, limit);
                end = middle;
            }
        }
        self.insertion(start, end);
    }

    fn insertion(&mut self, start: usize, end: usize) {
        for next in start..end {
            let mut at = next;
            while at > start && self.less(at, at - 1) {
                self.items.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    fn heap(&mut self, start: usize, end: usize) {
        let length = end - start;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift_down(start, root, length);
        }
        for last in (0..length).rev() {
            self.items.swap(start, start + last);
            self.sift_down(start, 0, last);
        }
    }

    /// Moves the element at `root` down the heap that begins at `start` and has `length` elements.
    fn sift_down(&mut self, start: usize, mut root: usize, length: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= length {
                return;
            }
            if child + 1 < length && self.less(start + child, start + child + 1) {
                child += 1;
            }
            if !self.less(start + root, start + child) {
                return;
            }
            self.items.swap(start + root, start + child);
            root = child;
        }
    }

    /// Splits a range into those below the pivot and the others; returns where the pivot came to stand, and whether
    /// nothing else had to move.
    fn partition(&mut self, start: usize, end: usize, pivot: usize) -> (usize, bool) {
        self.items.swap(start, pivot);
        let (mut low, mut high) = (start + 1, end - 1);
        let mut untouched = true;
        loop {
            while low <= high && self.less(low, start) {
                low += 1;
            }
            while low <= high && !self.less(high, start) {
                high -= 1;
            }
            if low > high {
                break;
            }
            untouched = false;
            self.items.swap(low, high);
            low += 1;
            high -= 1;
        }
        self.items.swap(high, start);
        (high, untouched)
    }

    /// Moves all that equals the pivot to the front of a range that has nothing below it; returns where the rest begins.
    fn split_equal(&mut self, start: usize, end: usize, pivot: usize) -> usize {
        self.items.swap(start, pivot);
        let (mut low, mut high) = (start + 1, end - 1);
        loop {
            while low <= high && !self.less(start, low) {
                low += 1;
            }
            while low <= high && self.less(start, high) {
                high -= 1;
            }
            if low > high {
                return low;
            }
            self.items.swap(low, high);
            low += 1;
            high -= 1;
        }
    }

    /// Tries to sort a range by moving few elements; returns whether that was enough.
    fn finish_nearly_sorted(&mut self, start: usize, end: usize) -> bool {
        let mut at = start + 1;
        for _ in 0..MOVES {
            while at < end && !self.less(at, at - 1) {
                at += 1;
            }
            if at == end {
                return true;
            }
            if end - start < NINTHER {
                return false;
            }
            self.items.swap(at, at - 1);
            if at - start >= 2 {
                let mut left = at - 1;
                while left >= 1 && self.less(left, left - 1) {
                    self.items.swap(left, left - 1);
                    left -= 1;
                }
            }
            if end - at >= 2 {
                let mut right = at + 1;
                while right < end && self.less(right, right - 1) {
                    self.items.swap(right, right - 1);
                    right += 1;
                }
            }
        }
        false
    }

    /// Breaks a pattern that made for bad pivots, by numbers that are random but the same for every list of that length.
    fn scatter(&mut self, start: usize, end: usize) {
        let length = end - start;
        let mut random = length as u64;
        let mask = (1_u64 << bits(length)) - 1;
        let middle = start + length / 4 * 2;
        for at in middle - 1..=middle + 1 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut other = usize::try_from(random & mask).expect("the mask is less than twice the length");
            if other >= length {
                other -= length;
            }
            self.items.swap(at, start + other);
        }
    }

    fn choose_pivot(&self, start: usize, end: usize) -> (usize, Looks) {
        let length = end - start;
        let quarter = |number| start + length / 4 * number;
        let mut swaps = 0;
        let mut candidates = [quarter(1), quarter(2), quarter(3)];
        if length >= NINTHER {
            candidates = candidates.map(|at| self.median([at - 1, at, at + 1], &mut swaps));
        }
        let pivot = self.median(candidates, &mut swaps);
        let looks = match swaps {
            0 => Looks::Ascending,
            MOST_SWAPS => Looks::Descending,
            _ => Looks::Unsorted,
        };
        (pivot, looks)
    }

    fn median(&self, [mut a, mut b, mut c]: [usize; 3], swaps: &mut usize) -> usize {
        let mut order = |first: &mut usize, second: &mut usize| {
            if self.less(*second, *first) {
                *swaps += 1;
                std::mem::swap(first, second);
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }
}

#[cfg(test)]
mod tests {
    use super::{Sort, by_key};

    const LENGTHS: [u64; 8] = [0, 1, 12, 13, 49, 50, 200, 5000];

    fn saw(position: u64) -> u64 {
        position % 7
    }

    fn pipe(position: u64) -> u64 {
        position.abs_diff(100)
    }

    fn scattered(position: u64) -> u64 {
        position.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58
    }

    /// The positions of elements before they were sorted, in the order after, as one number.
    fn order(length: u64, key: impl Fn(u64) -> u64) -> u64 {
        let elements: Vec<u64> = (0..length).collect();
        let sorted = by_key(&elements, |&position| key(position));
        sorted.into_iter().fold(0, |hash: u64, position| (hash ^ position).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn leaves_equal_elements_in_the_order_that_go_leaves_them_in() {
        // Go's own results for the same elements.
        for (length, of_saw, of_pipe, of_scattered) in [
            (12, 0x2c5f_ac8b_3095_2486, 0x24d3_65f3_aec5_9da0, 0x9d3a_d066_39ba_b5d6),
            (13, 0xf500_2606_b7a6_fd64, 0xc2b4_75cd_2cde_3e64, 0xd1c7_1e8b_61d4_b482),
            (49, 0xb5ae_e116_f420_e9fe, 0x73da_6623_720e_8250, 0xd46a_c899_350a_5430),
            (50, 0x6cc0_6f11_804a_6523, 0x0747_fc00_b61b_fe09, 0x132c_e44c_881d_df51),
            (200, 0x5947_cc79_996f_a2e2, 0xf416_8b4b_35b7_d1ac, 0x468a_afee_ff7b_d47c),
            (5000, 0x0951_d770_5261_964e, 0xf5d7_f193_f005_7b7c, 0xbf0e_d4ab_a952_8b34),
        ] {
            let orders = (order(length, saw), order(length, pipe), order(length, scattered));
            assert_eq!(orders, (of_saw, of_pipe, of_scattered), "{length} elements");
        }
    }

    #[test]
    fn sorts_by_heap_once_it_has_no_more_patience() {
        for length in LENGTHS {
            let mut elements: Vec<u64> = (0..length).map(scattered).collect();
            let mut expected = elements.clone();
            expected.sort_unstable();
            let end = elements.len();
            Sort { items: &mut elements, less: |a: &u64, b: &u64| a < b }.quick(0, end, 0);
            assert_eq!(elements, expected, "{length} elements");
        }
    }
}
