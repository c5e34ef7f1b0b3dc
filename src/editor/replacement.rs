//! The text that a finding tells to write instead.

use std::ops::Range;

use super::outline::unquoted;
use manifest::diagnostic::{Diagnostic, Sources, Span};

/// A replacement of some bytes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Where it is.
    pub span: Span,
    /// The new text, with the quotes of the one that it replaces.
    pub text: String,
}

/// What may follow the word in a help text that stays the only thing to write.
const AFTER: [&str; 4] = ["; ", ", the ", ", which ", " instead"];

/// What the help text of a finding tells to write in place of the text that is wrong: `` write `listeners` ``. `None` if a person
/// has to decide, or if more than a single word would change.
pub fn of(finding: &Diagnostic, sources: &Sources) -> Option<Replacement> {
    let word = word(finding)?;
    let wrong = finding.span?;
    let span = finding.origin.unwrap_or(wrong);
    let written = |span: Span| sources.get(span.source).text().get(span.range());
    let (old, wrong) = (written(span)?, written(wrong)?);
    let is_same = unquoted(old) == unquoted(wrong) && !old.contains('\n');
    let range = inner(old, &span.range());
    let span = Span::new(span.source, range.start, range.end);
    (is_same && unquoted(old) != word && !old.is_empty()).then(|| Replacement {
        span,
        text: word.to_owned(),
    })
}

/// The bytes between the quotes of a text.
fn inner(written: &str, range: &Range<usize>) -> Range<usize> {
    match unquoted(written).len() < written.len() {
        true => range.start + 1..range.end - 1,
        false => range.clone(),
    }
}

/// The only word that the help text tells to write.
fn word(finding: &Diagnostic) -> Option<&str> {
    let help = finding.help.as_deref()?;
    let (written, rest) = match help.strip_prefix("write `") {
        Some(written) => written.split_once('`')?,
        None => {
            let (word, rest) = help.strip_prefix("did you mean `")?.split_once('`')?;
            (word, rest.strip_prefix('?')?)
        }
    };
    let is_alone = rest.is_empty() || AFTER.iter().any(|after| rest.starts_with(after));
    let last = finding.pointer.as_deref()?.rsplit('/').next()?;
    let word = match written.split_once(": ") {
        Some((key, value)) => (key == last).then_some(value)?,
        None => written,
    };
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    (is_alone && !word.is_empty() && word.chars().all(is_word)).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::codes::YAML_SYNTAX;

    fn replaced(text: &str, wrong: &str, pointer: &str, help: &str) -> Option<String> {
        let mut sources = Sources::default();
        let source = sources.add("a.yaml", text);
        let start = text.find(wrong).expect("a part of the text");
        let finding = Diagnostic::new(YAML_SYNTAX, "wrong")
            .at(Span::new(source, start, start + wrong.len()))
            .with_pointer(pointer)
            .help(help);
        let replacement = of(&finding, &sources)?;
        let mut text = text.to_owned();
        text.replace_range(replacement.span.range(), &replacement.text);
        Some(text)
    }

    #[test]
    fn the_word_of_a_help_text_replaces_the_wrong_one() {
        for (text, wrong, help, wanted) in [
            (
                "lisetners: []",
                "lisetners",
                "write `listeners`",
                "listeners: []",
            ),
            (
                "a: \"alow\"",
                "\"alow\"",
                "write `Allow`; the allowed values are `Allow` and `Deny`",
                "a: \"Allow\"",
            ),
            ("a: b", "b", "did you mean `c`?", "a: c"),
            (
                "a: HttpRoute",
                "HttpRoute",
                "write `a: HTTPRoute`",
                "a: HTTPRoute",
            ),
        ] {
            assert_eq!(
                replaced(text, wrong, "/x/a", help).as_deref(),
                Some(wanted),
                "{help}"
            );
        }
    }

    #[test]
    fn what_a_person_has_to_decide_is_not_replaced() {
        for help in [
            "write `c`, or remove it",
            "write `c` into the chart's values",
            "write `other: c`",
            "write `{name: c}`",
            "add `c`",
            "write `b`",
        ] {
            assert_eq!(replaced("a: b", "b", "/a", help), None, "{help}");
        }
    }
}
