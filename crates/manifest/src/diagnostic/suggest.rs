//! What to offer in the place of a word that isn't known: the nearest that is, or all that are.

/// The longest word, in letters, that others are compared with letter by letter.
const LONGEST: usize = 256;

/// With how many words one that isn't known is compared, where there may be thousands, and thousands to compare: each is
/// compared letter by letter.
pub const MOST_COMPARED: usize = 256;

/// How many names a finding lists.
pub const MOST_LISTED: usize = 16;

/// Names with commas between them; of many the first, and how many there are beside them.
pub fn listed(names: impl ExactSizeIterator<Item = impl ToString>) -> String {
    let count = names.len();
    let first: Vec<String> = names
        .take(MOST_LISTED)
        .map(|name| name.to_string())
        .collect();
    match count - first.len() {
        0 => first.join(", "),
        others => format!("{} and {others} others", first.join(", ")),
    }
}

/// The candidate that `word` was most likely meant to be; `None` where none is near.
///
/// Near means: at most a third of the word's letters are wrong (at least one, swaps of neighbours count
/// once), or it differs in nothing but case, `-`, `_` and a plural's `s`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (folded, most) = (plain(word), (word.chars().count() / 3).max(1));
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let far = distance(&folded, &plain(candidate), most)?;
            Some((far, candidate))
        })
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// A word without what people don't tell words apart by.
fn plain(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = text
        .chars()
        .filter(|letter| !matches!(letter, '-' | '_' | '.'))
        .flat_map(char::to_lowercase)
        .collect();
    let rest = letters.iter().rposition(|letter| *letter != 's');
    letters.truncate(rest.map_or(0, |last| last + 1));
    letters
}

/// How many letters to add, drop, change or swap with a neighbour: the optimal string alignment distance; `None` where
/// it is more than `most`.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a == b {
        return Some(0);
    }
    // Each letter that one has more than the other is one to add or drop.
    if a.len().abs_diff(b.len()) > most || a.len() > LONGEST {
        return None;
    }
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = before_last.clone();
    for (i, x) in a.iter().enumerate() {
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row[j + 1] = cost;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    Some(last[b.len()]).filter(|far| *far <= most)
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
        assert_eq!(nearest("lisetners", known), Some("listeners"));
        assert_eq!(nearest("d-n_s", known), Some("dns"));
        assert_eq!(nearest("replicas", known), None);
        assert_eq!(nearest("", known), None);
    }
}
