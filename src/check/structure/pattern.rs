//! Patterns as the API server has them: Go's RE2 syntax, found anywhere in the text.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use regex::RegexBuilder;

/// The largest compiled pattern, in bytes: patterns of a user's own CRDs are not to be trusted.
const LARGEST: usize = 1 << 20;

/// How many patterns are kept; a run over a whole repository needs about forty.
const MOST: usize = 1000;

/// The longest text, in bytes, on which the engine that is quick to build is also quick to run.
const SHORT: usize = 1024;

/// The patterns of one run, each compiled when it is first needed.
#[derive(Debug, Default)]
pub struct Patterns {
    compiled: Mutex<HashMap<(String, bool), Engine>>,
}

/// A compiled pattern.
#[derive(Debug)]
enum Engine {
    /// Quick to build.
    Small(regex_lite::Regex),
    /// Quick to run, and with Unicode's classes.
    Large(regex::Regex),
    /// The pattern is none.
    None,
}

impl Patterns {
    /// Whether `pattern` is found in `text`. A pattern that can't be compiled is found in any text: the API
    /// server would not have taken the CRD.
    pub fn found(&self, pattern: &str, text: &str) -> bool {
        self.find(pattern, text).unwrap_or(true)
    }

    /// Whether `pattern` is found in `text`; `None` where it is no pattern.
    pub fn find(&self, pattern: &str, text: &str) -> Option<bool> {
        let short = text.len() <= SHORT;
        self.with(pattern, short, |engine| match engine {
            Engine::Small(regex) => Some(regex.is_match(text)),
            Engine::Large(regex) => Some(regex.is_match(text)),
            Engine::None => None,
        })
    }

    /// The first `most` parts of `text` that match `pattern`; `None` where it is no pattern.
    pub fn parts(&self, pattern: &str, text: &str, most: usize) -> Option<Vec<String>> {
        self.with(pattern, false, |engine| match engine {
            Engine::Large(regex) => {
                let found = regex.find_iter(text).take(most);
                Some(found.map(|part| part.as_str().to_owned()).collect())
            }
            Engine::Small(_) | Engine::None => None,
        })
    }

    fn with<T>(&self, pattern: &str, short: bool, ask: impl FnOnce(&Engine) -> T) -> T {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.len() >= MOST {
            compiled.clear();
        }
        let engine = compiled
            .entry((pattern.to_owned(), short))
            .or_insert_with(|| compile(pattern, short));
        ask(engine)
    }
}

/// The small engine knows neither Unicode's classes nor its cases; what it refuses, the large one takes.
fn compile(pattern: &str, short: bool) -> Engine {
    let plain = pattern.is_ascii() && !["\\p", "\\P", "(?i"].iter().any(|it| pattern.contains(it));
    let small = (short && plain)
        .then(|| {
            regex_lite::RegexBuilder::new(pattern)
                .size_limit(LARGEST)
                .build()
        })
        .and_then(Result::ok);
    if let Some(regex) = small {
        return Engine::Small(regex);
    }
    RegexBuilder::new(&translate(pattern))
        .size_limit(LARGEST)
        .build()
        .map_or(Engine::None, Engine::Large)
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
            for short in [true, false] {
                let engine = compile(pattern, short);
                assert!(!matches!(engine, Engine::None), "{pattern} compiles");
            }
            assert!(patterns.found(pattern, yes), "{pattern} in {yes:?}");
            assert!(!patterns.found(pattern, no), "{pattern} in {no:?}");
            let large = regex::Regex::new(&translate(pattern)).expect("a pattern");
            assert!(large.is_match(yes) && !large.is_match(no), "{pattern}");
        }
        assert!(patterns.found("(", "a pattern that is none is found"));
    }
}
