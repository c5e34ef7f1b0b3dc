//! The nearest known word to one that isn't known.

/// The candidate that `word` was most likely meant to be; `None` where none is near.
///
/// Near means: at most a third of the word's letters are wrong (at least one, swaps of neighbours count
/// once), or it differs in nothing but case, `-`, `_` and a plural's `s`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| {
        let text = text.to_lowercase().replace(['-', '_', '.'], "");
        text.trim_end_matches('s').to_owned()
    };
    let (folded, most) = (plain(word), (word.chars().count() / 3).max(1));
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let there = plain(candidate);
            let far = if there == folded {
                0
            } else {
                distance(&folded, &there)
            };
            (far <= most).then_some((far, candidate))
        })
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// How many letters to add, drop, change or swap with a neighbour: the optimal string alignment distance.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 16 || a.len() > 256 {
        return usize::MAX;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keys_is_found_and_a_stranger_is_not() {
        let known = ["address", "addresses", "certificates", "listeners", "dns"];
        assert_eq!(nearest("adress", known), Some("address"));
        assert_eq!(nearest("listners", known), Some("listeners"));
        assert_eq!(nearest("certificate", known), Some("certificates"));
        assert_eq!(nearest("DNS", known), Some("dns"));
        assert_eq!(nearest("replicas", known), None);
        assert_eq!(nearest("", known), None);
    }
}
