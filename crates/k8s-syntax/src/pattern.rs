//! Patterns as the API server uses them: in Go's RE2 syntax, and matching anywhere in the text.
//!
//! A pattern is parsed once, by `regex-syntax`, and its cost is computed. Ordinary patterns are compiled by `regex`,
//! which matches fast. Patterns that repeat Unicode classes (`\p{L}{1,63}`), for which `regex` needs megabytes, are
//! compiled by `regex-lite`, which builds fast: for `^\p{L}{1,950}$`, which the API server accepts, `regex` needs more than
//! two seconds and 32 MB. The choice only depends on the pattern, and both engines get the same
//! input.

mod go;

use std::sync::{Arc, PoisonError, RwLock};

use regex_syntax::hir::{self, Hir, HirKind, Look};
use rustc_hash::FxHashMap;

/// The cost up to which `regex` compiles a pattern, in character ranges. Above that it takes milliseconds.
const ORDINARY: usize = 1000;

/// The cost up to which a pattern is compiled at all. Go's own limit of repetitions (1000) is far below it, except
/// for the largest classes.
const LARGEST: usize = 2_000_000;

/// The largest program, in bytes, that either engine builds for a pattern within these limits.
const MOST_BYTES: usize = 32 << 20;

/// The maximum cost of all cached patterns. A whole repository needs about forty patterns of 100 each.
const MOST_KEPT: usize = 2_000_000;

/// Why a pattern can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Its syntax is not that of RE2.
    #[error("is not a valid regular expression")]
    Syntax,
    /// It has more repetitions than the API server accepts.
    #[error("is too large to be compiled")]
    TooLarge,
}

/// The patterns of one run, each compiled when it is used first.
#[derive(Debug, Default)]
pub struct Patterns {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    patterns: FxHashMap<String, Result<Arc<Pattern>, Unusable>>,
    cost: usize,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern {
    program: Program,
    cost: usize,
}

#[derive(Debug)]
enum Program {
    Ordinary(regex::Regex),
    Large(regex_lite::Regex),
}

impl Patterns {
    /// Whether `pattern` matches a part of `text`.
    ///
    /// # Errors
    /// If the pattern can't be used, whatever the text.
    pub fn find(&self, pattern: &str, text: &str) -> Result<bool, Unusable> {
        Ok(self.get(pattern)?.is_match(text))
    }

    /// The first `most` parts of `text` that match `pattern`.
    ///
    /// # Errors
    /// If the pattern can't be used.
    pub fn parts(&self, pattern: &str, text: &str, most: usize) -> Result<Vec<String>, Unusable> {
        Ok(self.get(pattern)?.parts(text, most))
    }

    fn get(&self, pattern: &str) -> Result<Arc<Pattern>, Unusable> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pattern) = known.patterns.get(pattern) {
            return pattern.clone();
        }
        drop(known);
        // The pattern is compiled without holding the lock. Another thread may compile the same one.
        let new = Pattern::new(pattern).map(Arc::new);
        let cost = new.as_ref().map_or(1, |new| new.cost) + pattern.len();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.cost + cost > MOST_KEPT {
            *known = Known::default();
        }
        known.cost += cost;
        known.patterns.insert(pattern.to_owned(), new.clone());
        new
    }
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// If it is not valid, or too large.
    pub fn new(text: &str) -> Result<Self, Unusable> {
        let translated = go::translate(text)?;
        let hir = regex_syntax::parse(&translated).map_err(|_| Unusable::Syntax)?;
        let cost = cost(&hir);
        if cost > LARGEST {
            return Err(Unusable::TooLarge);
        }
        let program = if cost <= ORDINARY {
            let builder = &mut regex::RegexBuilder::new(&translated);
            builder
                .size_limit(MOST_BYTES)
                .build()
                .ok()
                .map(Program::Ordinary)
        } else {
            let mut plain = String::new();
            write(&hir, &mut plain);
            let builder = &mut regex_lite::RegexBuilder::new(&plain);
            builder
                .size_limit(MOST_BYTES)
                .build()
                .ok()
                .map(Program::Large)
        };
        let program = program.ok_or(Unusable::TooLarge)?;
        Ok(Pattern { program, cost })
    }

    /// Whether it matches a part of `text`.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.program {
            Program::Ordinary(program) => program.is_match(text),
            Program::Large(program) => program.is_match(text),
        }
    }

    fn parts(&self, text: &str, most: usize) -> Vec<String> {
        match &self.program {
            Program::Ordinary(program) => {
                let found = program.find_iter(text).take(most);
                found.map(|part| part.as_str().to_owned()).collect()
            }
            Program::Large(program) => {
                let found = program.find_iter(text).take(most);
                found.map(|part| part.as_str().to_owned()).collect()
            }
        }
    }
}

/// The cost of a pattern: the ranges of its classes and the bytes of its literals, multiplied by their repetitions.
fn cost(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(text) => text.0.len(),
        HirKind::Class(hir::Class::Unicode(class)) => class.ranges().len(),
        HirKind::Class(hir::Class::Bytes(class)) => class.ranges().len(),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            cost(&repetition.sub)
                .saturating_mul(most as usize)
                .saturating_add(1)
        }
        HirKind::Capture(capture) => cost(&capture.sub).saturating_add(1),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(cost).fold(1, usize::saturating_add)
        }
    }
}

/// A pattern in the syntax of `regex-lite`, with every class written out.
fn write(hir: &Hir, out: &mut String) {
    match hir.kind() {
        HirKind::Empty => out.push_str("(?:)"),
        HirKind::Look(look) => out.push_str(match look {
            Look::StartLF | Look::StartCRLF => "(?m:^)",
            Look::EndLF | Look::EndCRLF => "(?m:$)",
            Look::WordAscii => "\\b",
            Look::WordAsciiNegate => "\\B",
            Look::End => "\\z",
            _ => "\\A",
        }),
        HirKind::Literal(text) => {
            for c in String::from_utf8_lossy(&text.0).chars() {
                out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
            }
        }
        HirKind::Class(class) => write_class(class, out),
        HirKind::Repetition(repetition) => {
            group(&repetition.sub, out);
            let most = repetition
                .max
                .map(|most| most.to_string())
                .unwrap_or_default();
            let lazy = if repetition.greedy { "" } else { "?" };
            out.push_str(&format!("{{{},{most}}}{lazy}", repetition.min));
        }
        HirKind::Capture(capture) => group(&capture.sub, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| group(part, out)),
        HirKind::Alternation(parts) => {
            for (at, part) in parts.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "|" });
                group(part, out);
            }
        }
    }
}

fn group(hir: &Hir, out: &mut String) {
    out.push_str("(?:");
    write(hir, out);
    out.push(')');
}

fn write_class(class: &hir::Class, out: &mut String) {
    let ranges: Vec<(u32, u32)> = match class {
        hir::Class::Unicode(class) => class
            .ranges()
            .iter()
            .map(|it| (it.start().into(), it.end().into()))
            .collect(),
        hir::Class::Bytes(class) => class
            .ranges()
            .iter()
            .map(|it| (it.start().into(), it.end().into()))
            .collect(),
    };
    if ranges.is_empty() {
        // The class is empty, so it must match nothing.
        out.push_str("[^\\x{0}-\\x{10FFFF}]");
        return;
    }
    out.push('[');
    for (start, end) in ranges {
        out.push_str(&format!("\\x{{{start:X}}}-\\x{{{end:X}}}"));
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern, a text that it matches and one that it doesn't match.
    const CASES: &[(&str, &str, &str)] = &[
        ("one", "a one b", "two"),
        (r"^\d+$", "12", "१२"),
        (r"^[\w.-]+$", "a_b.c-d", "é"),
        (r"^[-a-z]+$", "a-b", "A"),
        (r"^[[a]+$", "[a", "b"),
        (r"^[a&&b]+$", "a&b", "c"),
        (r"^[]a]+$", "]a", "b"),
        (r"^[^]a]+$", "b", "]"),
        (r"^[[:alpha:]-]+$", "a-b", "1"),
        (r"^[a~~b-]+$", "~-", "c"),
        (r"^(?i)(abort|warn)?$", "Abort", "x"),
        (r"^(?i)k$", "\u{212a}", "x"),
        (r"\PC", "a", "\u{7}"),
        (r"\bfoo\b", "a foo", "food"),
        (r"^\p{L}{2,3}$", "éb", "a1"),
        (r"(?m)^b$", "a\nb", "ab"),
        (r"^(?s:a.b)$", "a\nb", "a"),
        (r"^a.b$", "a-b", "a\nb"),
        (r"^(a|bc|)(d{2,}|e*?)$", "bcdd", "dc"),
        (r"^[^/]+$", "é€🚪", "a/b"),
        (r"^\Q[a\E$", "[a", "a"),
        (r"^a{,2}$", "a{,2}", "aa"),
        (r"^a{x}$", "a{x}", "a"),
        (r"^\<a\>$", "<a>", "a"),
        (r"^\101\0$", "A\0", "101"),
        (r"^[\d-a]+$", "1-a", "b"),
        (r"^[a-c-e]+$", "b-e", "d"),
        (r"^\s$", "\t", "\u{b}"),
        (r"^\v$", "\u{b}", "v"),
        (r"^\p{^Greek}$", "a", "α"),
        (r"^(?P<n>a)(?<m>b)$", "ab", "a"),
        (r"^a\_\-\/$", "a_-/", "a"),
    ];

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let patterns = Patterns::default();
        for (pattern, yes, no) in CASES {
            assert_eq!(
                patterns.find(pattern, yes),
                Ok(true),
                "{pattern} in {yes:?}"
            );
            assert_eq!(patterns.find(pattern, no), Ok(false), "{pattern} in {no:?}");
        }
    }

    #[test]
    fn both_engines_give_the_same_answer() {
        for (pattern, yes, no) in CASES {
            let mut plain = String::new();
            write(
                &regex_syntax::parse(&go::translate(pattern).expect("a pattern"))
                    .expect("a pattern"),
                &mut plain,
            );
            let plain = regex_lite::Regex::new(&plain).expect("a pattern to the other engine too");
            assert!(plain.is_match(yes) && !plain.is_match(no), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_too_large_is_found_in_no_text() {
        let patterns = Patterns::default();
        for _ in 0..3 {
            // The last ones are patterns of Rust only.
            for pattern in [
                "(",
                "a**",
                "*a",
                "a{1001}",
                "[b-a]",
                "[a-\\d]",
                "\\1",
                "\\u0041",
                "[\\b]",
                "(?x)a",
                "(?P<a.b>c)",
                "(?-u:a)",
                "\\C",
                "[b--]",
                "a{2}{3}",
                "\\E",
            ] {
                assert_eq!(
                    patterns.find(pattern, "a"),
                    Err(Unusable::Syntax),
                    "{pattern}"
                );
            }
            assert_eq!(
                patterns.find(r"((a{1,1000}){1,1000}){1,1000}", "a"),
                Err(Unusable::TooLarge)
            );
            assert_eq!(patterns.find(r"^\p{L}{1,63}$", "é"), Ok(true));
            assert_eq!(patterns.find(r"^\p{L}{1,63}$", "!"), Ok(false));
            assert_eq!(
                patterns.find(r"^[^/]{1,1000}[^ ]{1,1000}$", "///"),
                Ok(false)
            );
        }
    }

    #[test]
    fn patterns_that_are_forgotten_are_compiled_again() {
        let patterns = Patterns::default();
        for round in 0..3 {
            for count in (100..1000).step_by(50) {
                let pattern = format!(r"^\p{{L}}{{1,{count}}}$");
                assert_eq!(patterns.find(&pattern, "é"), Ok(true), "{round} {count}");
            }
            let kept = patterns.known.read().expect("no thread failed").cost;
            assert!(kept <= MOST_KEPT, "{kept}");
        }
    }

    proptest::proptest! {
        /// Both engines find the same, whatever the pattern.
        #[test]
        fn engines_agree(
            pattern in "(\\^?)(([ab.]|[\\[][\\^]?[a-c]-?[\\]]|\\\\[dwsDWSb]|\\\\pL|\\(a\\|b\\)|\\(\\?i:k\\))([*+?]|\\{1,3\\})?){0,5}(\\$?)",
            text in "[abcdkK1 é\u{212a}\n_-]{0,8}"
        ) {
            if let Ok(translated) = go::translate(&pattern)
                && let Ok(hir) = regex_syntax::parse(&translated)
            {
                let mut plain = String::new();
                write(&hir, &mut plain);
                let large = regex::Regex::new(&translated).expect("it was parsed");
                let small = regex_lite::Regex::new(&plain).expect("it was parsed");
                proptest::prop_assert_eq!(large.is_match(&text), small.is_match(&text), "{} {}", pattern, plain);
            }
        }
    }
}
