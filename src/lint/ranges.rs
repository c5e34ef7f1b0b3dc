//! Address ranges: which of many contain an address, and which is the first one that overlaps another range.

use std::net::IpAddr;

use crate::model::address::Range;

/// Ranges with a value each. Those that contain an address are found without comparing all of them.
pub(crate) struct Ranges<T> {
    /// The ranges, sorted by their first address.
    all: Vec<(Range, T)>,
    /// For each half of `all` in a binary search, at its middle: the last address of all ranges in it.
    ends: Vec<Option<IpAddr>>,
}

impl<T: Copy> Ranges<T> {
    /// Takes ranges in any order.
    pub(crate) fn new(ranges: impl IntoIterator<Item = (Range, T)>) -> Self {
        let mut all: Vec<(Range, T)> = ranges.into_iter().collect();
        all.sort_by_key(|(range, _)| range.first);
        let mut ranges = Ranges {
            ends: vec![None; all.len()],
            all,
        };
        ranges.set_ends(0, ranges.all.len());
        ranges
    }

    fn set_ends(&mut self, from: usize, to: usize) -> Option<IpAddr> {
        if from >= to {
            return None;
        }
        let middle = from.midpoint(to);
        let own = self.all.get(middle).map(|(range, _)| range.last);
        let below = self
            .set_ends(from, middle)
            .max(self.set_ends(middle + 1, to));
        let last = own.max(below);
        if let Some(end) = self.ends.get_mut(middle) {
            *end = last;
        }
        last
    }

    /// The values of the ranges that contain an address.
    pub(crate) fn holding(&self, address: IpAddr) -> Vec<T> {
        let mut found = Vec::new();
        let mut parts: Vec<(usize, usize)> = vec![(0, self.all.len())];
        while let Some((from, to)) = parts.pop() {
            let middle = from.midpoint(to);
            let end = self.ends.get(middle).copied().flatten();
            if from >= to || end.is_none_or(|end| end < address) {
                continue;
            }
            parts.push((from, middle));
            let Some((range, of)) = self.all.get(middle) else {
                continue;
            };
            if range.first <= address {
                parts.push((middle + 1, to));
                if range.contains(address) {
                    found.push(*of);
                }
            }
        }
        found
    }
}

/// Ranges in the order in which they are added. The first one that overlaps another range is found without comparing
/// all of them.
pub(super) struct Earliest {
    /// The first addresses of the ranges, sorted.
    firsts: Vec<IpAddr>,
    /// The earliest of the ranges that begin at each address, as a tree in which each node has the minimum of its
    /// halves.
    beginning: Vec<usize>,
    /// The earliest of the ranges that cover a whole node, as a tree.
    holding: Vec<usize>,
}

/// Stands for no range.
const NONE: usize = usize::MAX;

impl Earliest {
    /// Takes the first addresses of all ranges that will be added or looked up.
    pub(super) fn new(firsts: impl IntoIterator<Item = IpAddr>) -> Self {
        let mut firsts: Vec<IpAddr> = firsts.into_iter().collect();
        firsts.sort_unstable();
        firsts.dedup();
        Earliest {
            beginning: vec![NONE; 2 * firsts.len()],
            holding: vec![NONE; 2 * firsts.len()],
            firsts,
        }
    }

    /// The indices in `firsts` that are in a range; the first one is that of the range itself.
    fn held(&self, range: Range) -> (usize, usize) {
        let from = self.firsts.partition_point(|first| *first < range.first);
        let to = self.firsts.partition_point(|first| *first <= range.last);
        (from, to)
    }

    /// The nodes of a tree that together cover the indices from `from` up to `to`.
    fn parts(&self, (from, to): (usize, usize)) -> impl Iterator<Item = usize> + use<> {
        let (mut from, mut to) = (from + self.firsts.len(), to + self.firsts.len());
        let mut parts = Vec::new();
        while from < to {
            if from % 2 == 1 {
                parts.push(from);
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                parts.push(to);
            }
            (from, to) = (from / 2, to / 2);
        }
        parts.into_iter()
    }

    /// The node of an index, and all nodes above it.
    fn above(&self, place: usize) -> impl Iterator<Item = usize> + use<> {
        let leaf = place + self.firsts.len();
        std::iter::successors(Some(leaf), |at| Some(at / 2)).take_while(|at| *at > 0)
    }

    /// Adds a range.
    pub(super) fn add(&mut self, range: Range, order: usize) {
        let held = self.held(range);
        for at in self.parts(held) {
            lower(&mut self.holding, at, order);
        }
        for at in self.above(held.0) {
            lower(&mut self.beginning, at, order);
        }
    }

    /// The earliest range that overlaps this one: it begins in this one, or contains its first address.
    pub(super) fn overlapping(&self, range: Range) -> Option<usize> {
        let held = self.held(range);
        let beginning = self.parts(held).filter_map(|at| self.beginning.get(at));
        let holding = self.above(held.0).filter_map(|at| self.holding.get(at));
        beginning
            .chain(holding)
            .copied()
            .min()
            .filter(|order| *order != NONE)
    }
}

fn lower(tree: &mut [usize], at: usize, order: usize) {
    if let Some(there) = tree.get_mut(at) {
        *there = order.min(*there);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn range((first, length): (u8, u8)) -> Range {
        let address = |last: u8| IpAddr::V4(Ipv4Addr::new(10, 10, 30, last));
        Range {
            first: address(first),
            last: address(first.saturating_add(length)),
        }
    }

    proptest::proptest! {
        /// The result is the same as that of comparing all ranges.
        #[test]
        fn what_holds_and_what_overlaps_is_found(
            given in proptest::collection::vec((0_u8..60, 0_u8..20), 0..40),
        ) {
            let all: Vec<Range> = given.into_iter().map(range).collect();
            let ranges = Ranges::new(all.iter().copied().zip(0..));
            for last in 0..90 {
                let address = range((last, 0)).first;
                let mut found = ranges.holding(address);
                found.sort_unstable();
                let want: Vec<usize> = (0..all.len()).filter(|at| all[*at].contains(address)).collect();
                proptest::prop_assert_eq!(found, want);
            }
            let mut earliest = Earliest::new(all.iter().map(|one| one.first));
            for (at, one) in all.iter().enumerate() {
                let want = all.iter().take(at).position(|there| {
                    there.contains(one.first) || one.contains(there.first)
                });
                proptest::prop_assert_eq!(earliest.overlapping(*one), want);
                earliest.add(*one, at);
            }
        }
    }
}
