//! The lanes of a channel between two columns: where lines run up and down.

use std::collections::BTreeMap;

/// Lines that share a lane, by the heights at which they come in and go out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bus {
    /// Where lines come in, at the left.
    pub lefts: Vec<f64>,
    /// Where lines go out, at the right.
    pub rights: Vec<f64>,
}

impl Bus {
    /// From where to where it runs.
    fn span(&self) -> (f64, f64) {
        let all = || self.lefts.iter().chain(&self.rights).copied();
        (
            all().fold(f64::INFINITY, f64::min),
            all().fold(f64::NEG_INFINITY, f64::max),
        )
    }

    fn is_straight(&self) -> bool {
        let (top, bottom) = self.span();
        bottom - top < 0.5
    }
}

/// How often the lines of two buses cross, the first being at the left of the other.
fn crossings(left: &Bus, right: &Bus) -> usize {
    let within = |heights: &[f64], (top, bottom): (f64, f64)| {
        let inside = heights.iter().filter(|it| **it >= top && **it <= bottom);
        inside.count()
    };
    within(&right.lefts, left.span()) + within(&left.rights, right.span())
}

/// How often orders are tried: enough for all that a person would look at.
const MOST_ROUNDS: usize = 40;

/// The lane of each bus, counted from the left, and how many there are. Buses at different heights share lanes; where
/// several stand side by side they are in the order in which the fewest lines cross, as far as swapping neighbours
/// finds it. Fewer lanes than the channel has stand in its middle.
pub fn lanes(buses: &BTreeMap<usize, Bus>) -> (BTreeMap<usize, f64>, usize) {
    let mut bent: Vec<(usize, &Bus)> = buses
        .iter()
        .filter(|(_, bus)| !bus.is_straight())
        .map(|(at, bus)| (*at, bus))
        .collect();
    bent.sort_by(|(a, one), (b, other)| one.span().0.total_cmp(&other.span().0).then(a.cmp(b)));
    let mut groups: Vec<(f64, Vec<(usize, &Bus)>)> = Vec::new();
    for (at, bus) in bent {
        let (top, bottom) = bus.span();
        match groups.last_mut() {
            Some((end, group)) if top <= *end => {
                *end = end.max(bottom);
                group.push((at, bus));
            }
            _ => groups.push((bottom, vec![(at, bus)])),
        }
    }
    let most = groups
        .iter()
        .map(|(_, group)| group.len())
        .max()
        .unwrap_or_default();
    let mut places = BTreeMap::new();
    for (_, mut group) in groups {
        order(&mut group);
        let spare = (most - group.len()) as f64 / 2.0;
        let group = group.into_iter().enumerate();
        places.extend(group.map(|(lane, (at, _))| (at, lane as f64 + spare)));
    }
    (places, most)
}

/// Swaps neighbours as long as that saves a crossing.
fn order(group: &mut [(usize, &Bus)]) {
    for _ in 0..MOST_ROUNDS {
        let mut is_better = false;
        for at in 1..group.len() {
            let (Some((_, one)), Some((_, other))) = (group.get(at - 1), group.get(at)) else {
                continue;
            };
            if crossings(other, one) < crossings(one, other) {
                group.swap(at - 1, at);
                is_better = true;
            }
        }
        if !is_better {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bus(left: f64, rights: &[f64]) -> Bus {
        Bus {
            lefts: vec![left],
            rights: rights.to_vec(),
        }
    }

    #[test]
    fn lines_that_would_cross_are_ordered() {
        // Both go down: the upper one turns last.
        let buses = BTreeMap::from([(0, bus(0.0, &[50.0])), (1, bus(10.0, &[60.0]))]);
        let (places, count) = lanes(&buses);
        assert_eq!(count, 2);
        assert!(places[&0] > places[&1], "{places:?}");
        // Both go up: the upper one turns first.
        let buses = BTreeMap::from([(0, bus(50.0, &[0.0])), (1, bus(60.0, &[10.0]))]);
        let (places, _) = lanes(&buses);
        assert!(places[&0] < places[&1], "{places:?}");
    }

    #[test]
    fn what_is_apart_shares_a_lane_and_what_is_straight_has_none() {
        let buses = BTreeMap::from([
            (0, bus(0.0, &[10.0, 20.0])),
            (1, bus(30.0, &[40.0])),
            (2, bus(50.0, &[50.0])),
        ]);
        let (places, count) = lanes(&buses);
        assert_eq!((places, count), (BTreeMap::from([(0, 0.0), (1, 0.0)]), 1));
    }
}
