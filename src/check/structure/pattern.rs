//! Patterns as the API server has them: Go's RE2 syntax, found anywhere in the text.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use rustc_hash::FxHashMap;

/// The largest compiled pattern, in bytes: patterns of a user's own CRDs are not to be trusted.
const LARGEST: usize = 1 << 20;

/// How many patterns are kept; a run over a whole repository needs about forty.
const MOST: usize = 1000;

/// The longest text, in bytes, on which the engine that is quick to build is also quick to run.
const SHORT: usize = 1024;

/// How many texts the engine that is quick to build looks at, before the one that is quick to run is worth building.
const OFTEN: usize = 50;

/// The patterns of one run, each compiled when it is first needed.
#[derive(Debug, Default)]
pub struct Patterns {
    known: RwLock<FxHashMap<String, Arc<Pattern>>>,
}

/// A pattern, compiled as far as anybody asked.
#[derive(Debug)]
struct Pattern {
    text: String,
    asked: AtomicUsize,
    /// Quick to build; `None` where the engine doesn't know what the pattern asks for.
    small: OnceLock<Option<regex_lite::Regex>>,
    /// Quick to run, and with Unicode's classes; `None` of what is no pattern.
    large: OnceLock<Option<regex::Regex>>,
}

impl Patterns {
    /// Whether `pattern` is found in `text`. A pattern that can't be compiled is found in any text: the API
    /// server would not have taken the CRD.
    pub fn found(&self, pattern: &str, text: &str) -> bool {
        self.find(pattern, text).unwrap_or(true)
    }

    /// Whether `pattern` is found in `text`; `None` where it is no pattern.
    pub fn find(&self, pattern: &str, text: &str) -> Option<bool> {
        self.get(pattern).find(text)
    }

    /// The first `most` parts of `text` that match `pattern`; `None` where it is no pattern.
    pub fn parts(&self, pattern: &str, text: &str, most: usize) -> Option<Vec<String>> {
        let pattern = self.get(pattern);
        let found = pattern.large()?.find_iter(text).take(most);
        Some(found.map(|part| part.as_str().to_owned()).collect())
    }

    fn get(&self, pattern: &str) -> Arc<Pattern> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pattern) = known.get(pattern) {
            return pattern.clone();
        }
        drop(known);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        let new = || Arc::new(Pattern::new(pattern));
        known.entry(pattern.to_owned()).or_insert_with(new).clone()
    }
}

impl Pattern {
    fn new(text: &str) -> Self {
        Pattern {
            text: text.to_owned(),
            asked: AtomicUsize::new(0),
            small: OnceLock::new(),
            large: OnceLock::new(),
        }
    }

    fn find(&self, text: &str) -> Option<bool> {
        if text.len() <= SHORT
            && self.asked.load(Ordering::Relaxed) < OFTEN
            && let Some(small) = self.small()
        {
            self.asked.fetch_add(1, Ordering::Relaxed);
            return Some(small.is_match(text));
        }
        self.large().map(|large| large.is_match(text))
    }

    /// The small engine knows neither Unicode's classes nor its cases; what it refuses, the large one takes.
    fn small(&self) -> Option<&regex_lite::Regex> {
        let small = self.small.get_or_init(|| {
            let unicode = ["\\p", "\\P", "(?i"].iter();
            if !self.text.is_ascii() || unicode.clone().any(|it| self.text.contains(it)) {
                return None;
            }
            let mut builder = regex_lite::RegexBuilder::new(&self.text);
            builder.size_limit(LARGEST).build().ok()
        });
        small.as_ref()
    }

    fn large(&self) -> Option<&regex::Regex> {
        let large = self.large.get_or_init(|| {
            let mut builder = regex::RegexBuilder::new(&translate(&self.text));
            builder.size_limit(LARGEST).build().ok()
        });
        large.as_ref()
    }
}

/// Go's syntax in that of the `regex` crate. They differ in two things: `\d`, `\s` and `\w` are ASCII in
/// Go, and inside a class the crate knows set operations (`[`, `&&`, `--`, `~~`) that Go takes literally.
pub fn translate(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    let mut class = Class::default();
    while let Some(c) = rest.next() {
        match (c, class.inside) {
            ('\\', _) => {
                let escaped = rest.next();
                match escaped.and_then(ascii) {
                    Some(ascii) => text.push_str(ascii),
                    None => {
                        text.push('\\');
                        text.extend(escaped);
                    }
                }
                class.first = false;
            }
            ('[', false) => {
                text.push('[');
                class = Class {
                    inside: true,
                    first: true,
                };
                if rest.next_if_eq(&'^').is_some() {
                    text.push('^');
                }
                if rest.next_if_eq(&']').is_some() {
                    text.push_str("\\]");
                    class.first = false;
                }
            }
            ('[', true) if rest.peek() == Some(&':') => {
                // A named class, `[:alpha:]`: copied to its end.
                text.push('[');
                for c in rest.by_ref() {
                    text.push(c);
                    if c == ']' {
                        break;
                    }
                }
                class.first = false;
            }
            (']', true) => {
                text.push(']');
                class = Class::default();
            }
            ('[' | '&' | '~', true) => {
                text.push('\\');
                text.push(c);
                class.first = false;
            }
            ('-', true) if class.first || matches!(rest.peek(), Some(']' | '-')) => {
                text.push_str("\\-");
                class.first = false;
            }
            _ => {
                text.push(c);
                class.first = false;
            }
        }
    }
    text
}

#[derive(Default)]
struct Class {
    inside: bool,
    first: bool,
}

fn ascii(escaped: char) -> Option<&'static str> {
    Some(match escaped {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => "[\\t\\n\\f\\r ]",
        'S' => "[^\\t\\n\\f\\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        'b' => "(?-u:\\b)",
        'B' => "(?-u:\\B)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let patterns = Patterns::default();
        for (pattern, yes, no) in [
            ("one", "a one b", "two"),
            (r"^\d+$", "12", "१२"),
            (r"^[\w.-]+$", "a_b.c-d", "é"),
            (r"^[-a-z]+$", "a-b", "A"),
            (r"^[[a]+$", "[a", "b"),
            (r"^[a&&b]+$", "a&b", "c"),
            (r"^[]a]+$", "]a", "b"),
            (r"^[^]a]+$", "b", "]"),
            (r"^[[:alpha:]-]+$", "a-b", "1"),
            (r"^[a~~b--]+$", "~-", "c"),
            (r"^(?i)(abort|warn)?$", "Abort", "x"),
            (r"\PC", "a", "\u{7}"),
            (r"\bfoo\b", "a foo", "food"),
        ] {
            // With each engine: the small one looks at the first texts, the large one at those that follow.
            for _ in 0..=OFTEN {
                assert!(patterns.found(pattern, yes), "{pattern} in {yes:?}");
                assert!(!patterns.found(pattern, no), "{pattern} in {no:?}");
            }
            let large = regex::Regex::new(&translate(pattern)).expect("a pattern");
            assert!(large.is_match(yes) && !large.is_match(no), "{pattern}");
        }
        assert!(patterns.found("(", "a pattern that is none is found"));
    }
}
