//! Suggestions for unknown names: the most similar known name, or a list of all known names.

/// The longest word, in characters, that is compared with others.
const LONGEST: usize = 256;

/// With how many names an unknown name is compared, if there may be thousands of both. A comparison costs
/// time, because it goes through the names character by character.
pub const MOST_COMPARED: usize = 256;

/// The maximum number of names that a finding lists.
pub const MOST_LISTED: usize = 16;

/// Joins names with commas. If there are too many, only the first ones are listed, with the number of the
/// others.
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

/// The candidate that `word` was probably meant to be; `None` if none is similar enough.
/// A candidate is similar enough if at most a third of the word's letters are wrong (but at least one may
/// be; a swap of neighbours counts once), or if it differs only in case, `-`, `_` and a plural `s`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    closest(word, candidates, (word.chars().count() / 3).max(1))
}

/// The candidate that `word` is a misspelling of: one that differs by at most two letters of at least six, or only in
/// case, `-`, `_`, `.` and a plural `s`. It is stricter than [`nearest`], for words that may also be right.
pub fn misspelt<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    closest(word, candidates, if plain(word).len() < 6 { 0 } else { 2 })
}

/// The candidate from which `word` differs by a slip of the keys: two neighbouring letters are swapped, or one letter is
/// missing or too much. It is even stricter than [`misspelt`], for words of which nothing says that they are wrong.
/// Numbers and a plural `s` tell words apart.
///
/// ```
/// use manifest::diagnostic::suggest::slip;
/// assert_eq!(slip("SECRET_DOMANI", ["SECRET_DOMAIN"]), Some("SECRET_DOMAIN"));
/// assert_eq!(slip("SECRET_DOMAIN2", ["SECRET_DOMAIN"]), None);
/// ```
pub fn slip<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut candidates = candidates.into_iter();
    candidates.find(|candidate| is_slip(word, candidate))
}

fn is_slip(word: &str, other: &str) -> bool {
    let (word, other) = (word.as_bytes(), other.as_bytes());
    let (short, long) = match word.len() < other.len() {
        true => (word, other),
        false => (other, word),
    };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    if short.len() < 6 {
        return false;
    }
    if short.len() == long.len() {
        let (Some([a, b]), Some([c, d])) = (short.get(same..same + 2), long.get(same..same + 2))
        else {
            return false;
        };
        let are_letters = a.is_ascii_alphabetic() && b.is_ascii_alphabetic();
        return are_letters && a == d && b == c && short.get(same + 2..) == long.get(same + 2..);
    }
    let is_last = same + 1 == long.len();
    let extra = long.get(same).copied().unwrap_or_default();
    let is_plural = is_last && extra.eq_ignore_ascii_case(&b's');
    short.len() + 1 == long.len()
        && extra.is_ascii_alphabetic()
        && !is_plural
        && short.get(same..) == long.get(same + 1..)
}

/// The candidate that differs from `word` by the fewest letters, and by at most `most`.
fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Option<&'a str> {
    let folded = plain(word);
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance(&folded, &plain(candidate), most)?, candidate)))
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// Removes differences between words that don't matter: case, `-`, `_`, `.` and a plural `s`.
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

/// The optimal string alignment distance: the number of letters to add, remove, change or swap with a
/// neighbour; `None` if it is more than `most`.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a == b {
        return Some(0);
    }
    // Each additional letter must be added or removed.
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
    fn typos_are_found_and_other_words_are_not() {
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

    #[test]
    fn a_word_of_its_own_is_no_misspelling() {
        let known = [
            "PodMonitor",
            "CiliumBGPPeerConfig",
            "Issuer",
            "ScaledObject",
        ];
        assert_eq!(misspelt("PodMonitr", known), Some("PodMonitor"));
        assert_eq!(misspelt("podmonitors", known), Some("PodMonitor"));
        assert_eq!(misspelt("CiliumBGPNodeConfig", known), None);
        assert_eq!(misspelt("ScaledJob", known), None);
        assert_eq!(misspelt("Probe", known), None);
    }
}
