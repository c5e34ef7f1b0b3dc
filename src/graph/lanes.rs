//! Assigns the vertical parts of lines in the channel between two columns to lanes.

use std::collections::BTreeMap;

/// Lines that share a lane, by the heights of their ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bus {
    /// The heights of the ends on the left.
    pub lefts: Vec<f64>,
    /// The heights of the ends on the right.
    pub rights: Vec<f64>,
}

impl Bus {
    /// The lowest and the highest position.
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

/// How often the lines of two buses cross if the first one is to the left of the other.
fn crossings(left: &Bus, right: &Bus) -> usize {
    let within = |heights: &[f64], (top, bottom): (f64, f64)| {
        let inside = heights.iter().filter(|it| **it >= top && **it <= bottom);
        inside.count()
    };
    within(&right.lefts, left.span()) + within(&left.rights, right.span())
}

/// The maximum number of passes when lanes are ordered. This is enough for any picture that people can read.
const MOST_ROUNDS: usize = 40;

/// The lane of each bus, counted from the left, and the number of lanes. Buses that don't overlap vertically
/// share lanes. Buses that overlap are ordered so that few lines cross, by swapping neighbours. If a group
/// needs fewer lanes than the channel has, it is centred.
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

/// Swaps neighbours as long as that reduces the number of crossings.
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
        // Both lines go down, so the upper one needs the lane further to the right.
        let buses = BTreeMap::from([(0, bus(0.0, &[50.0])), (1, bus(10.0, &[60.0]))]);
        let (places, count) = lanes(&buses);
        assert_eq!(count, 2);
        assert!(places[&0] > places[&1], "{places:?}");
        // Both lines go up, so the upper one needs the lane further to the left.
        let buses = BTreeMap::from([(0, bus(50.0, &[0.0])), (1, bus(60.0, &[10.0]))]);
        let (places, _) = lanes(&buses);
        assert!(places[&0] < places[&1], "{places:?}");
    }

    #[test]
    fn separate_lines_share_a_lane_and_straight_lines_have_none() {
        let buses = BTreeMap::from([
            (0, bus(0.0, &[10.0, 20.0])),
            (1, bus(30.0, &[40.0])),
            (2, bus(50.0, &[50.0])),
        ]);
        let (places, count) = lanes(&buses);
        assert_eq!((places, count), (BTreeMap::from([(0, 0.0), (1, 0.0)]), 1));
    }
}
