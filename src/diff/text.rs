//! Line-by-line comparison of texts.

use similar::TextDiff;

/// The number of context lines around a change.
const CONTEXT: usize = 3;

/// The hunks of a unified diff, without a header; `None` if both texts are equal.
pub fn unified(old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let diff = TextDiff::from_lines(old, new);
    Some(diff.unified_diff().context_radius(CONTEXT).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_and_its_surroundings_are_shown() {
        let old: String = (0..20).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 10\n", "line ten\n");
        let diff = unified(&old, &new).expect("a difference");
        assert!(diff.starts_with("@@ -8,7 +8,7 @@\n line 7\n"), "{diff}");
        assert!(diff.contains("-line 10\n+line ten\n"), "{diff}");
        assert_eq!(unified(&old, &old), None);
    }

    #[test]
    fn large_texts_without_a_common_line_are_compared_quickly() {
        let old: String = (0..100_000).map(|n| format!("a{n}\n")).collect();
        let new: String = (0..100_000).map(|n| format!("b{n}\n")).collect();
        assert!(unified(&old, &new).is_some_and(|diff| diff.len() > old.len()));
    }
}
