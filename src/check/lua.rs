//! Whether a Lua script parses, as Envoy's LuaJIT would parse it.

use full_moon::{Error, LuaVersion};

use crate::diagnostic::{Code, Diagnostic, SourceId, Sources, Span};

/// Deeper than any script is written, and shallow enough for the parser, which recurses.
const DEEPEST: usize = 200;

/// Room for [`DEEPEST`] levels of the parser.
const STACK: usize = 32 << 20;

/// Reports what keeps a script from being loaded.
pub fn check(sources: &Sources, source: SourceId) -> Vec<Diagnostic> {
    let text = sources.get(source).text();
    if let Some(at) = too_deep(text) {
        return vec![problem(
            source,
            at..at + 1,
            "nested too deep to be a script that somebody wrote",
        )];
    }
    let parse = || full_moon::parse_fallible(text, LuaVersion::luajit()).into_result();
    let parsed = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, parse);
        thread.ok().and_then(|thread| thread.join().ok())
    });
    let errors = match parsed {
        Some(Ok(_)) | None => return Vec::new(),
        Some(Err(errors)) => errors,
    };
    // What follows the first mistake is mostly its echo.
    errors
        .first()
        .map(|error| describe(error, source))
        .into_iter()
        .collect()
}

fn describe(error: &Error, source: SourceId) -> Diagnostic {
    let (start, end) = error.range();
    let message = match error {
        Error::AstError(error) => {
            let token = error.token().to_string();
            match token.trim() {
                "" => "the script ends in the middle of a statement".to_owned(),
                token => format!("`{token}` is not expected here: {}", error.error_message()),
            }
        }
        Error::TokenizerError(error) => error.error().to_string(),
    };
    problem(source, start.bytes()..end.bytes(), &message)
}

fn problem(source: SourceId, range: std::ops::Range<usize>, message: &str) -> Diagnostic {
    Diagnostic::new(Code::ConfigLua, format!("not Lua: {message}"))
        .at(Span::new(source, range.start, range.end))
        .why("Envoy would load no script, and every request on its gateways would be answered with 500")
        .help("mend the script at the mark; Envoy runs LuaJIT, which is Lua 5.1 with `goto`")
}

/// The byte at which brackets, blocks or a run of `not` are nested deeper than [`DEEPEST`].
fn too_deep(text: &str) -> Option<usize> {
    let (mut brackets, mut blocks, mut nots) = (0_usize, 0_usize, 0_usize);
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let word = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let length = match (word, skipped(rest)) {
            (0, Some(length)) => length,
            (0, None) => rest.chars().next().map_or(1, char::len_utf8),
            (word, _) => word,
        };
        match rest.get(..length).unwrap_or_default() {
            "function" | "do" | "if" | "repeat" => blocks += 1,
            "end" | "until" => blocks = blocks.saturating_sub(1),
            "(" | "[" | "{" => brackets += 1,
            ")" | "]" | "}" => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        match rest.get(..length).unwrap_or_default() {
            "not" => nots += 1,
            other if other.trim().is_empty() => {}
            _ => nots = 0,
        }
        if brackets > DEEPEST || blocks > DEEPEST || nots > DEEPEST {
            return Some(at);
        }
        at += length;
    }
    None
}

/// How long the string or comment is that a text starts with; `None` where it starts with neither.
fn skipped(text: &str) -> Option<usize> {
    let comment = text.strip_prefix("--");
    if let Some(end) = long_bracket(comment.unwrap_or(text)) {
        return Some(text.len() - comment.unwrap_or(text).len() + end);
    }
    if comment.is_some() {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return Some(at),
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// How long the long bracket (`[[…]]`, `[=[…]=]`) is that a text starts with.
fn long_bracket(text: &str) -> Option<usize> {
    let level = text
        .strip_prefix('[')?
        .bytes()
        .take_while(|byte| *byte == b'=')
        .count();
    let open = level + 2;
    if text.as_bytes().get(open - 1) != Some(&b'[') {
        return None;
    }
    let close = format!("]{}]", "=".repeat(level));
    let end = text
        .get(open..)?
        .find(&close)
        .map(|at| open + at + close.len());
    Some(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(usize, String)> {
        let mut sources = Sources::default();
        let id = sources.add("x.lua", text);
        let problems = check(&sources, id).into_iter();
        problems
            .map(|problem| {
                (
                    problem.span.map_or(0, |span| sources.locate(span).line),
                    problem.message,
                )
            })
            .collect()
    }

    #[test]
    fn what_luajit_takes_is_taken() {
        for text in [
            "",
            "-- nothing",
            "goto a\n::a::",
            "local t = { [\"a\"] = 1, b = 2 }\nreturn t",
            "x = 0xffULL",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn the_first_mistake_is_told_with_its_line() {
        let told = found("function envoy_on_request(handle)\n  local x = = 1\nend\n");
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].0, 2);
        assert!(
            told[0].1.starts_with("not Lua: `=` is not expected here"),
            "{}",
            told[0].1
        );
        assert_eq!(found("if a then\n").len(), 1);
        assert_eq!(found("x = 'abc").len(), 1);
    }

    #[test]
    fn what_stands_in_strings_and_comments_is_not_nested() {
        let deep = "(".repeat(1000);
        for text in [
            format!("x = \"{deep}\\\"{deep}\""),
            format!("x = '{deep}'"),
            format!("-- {deep}\nx = 1"),
            format!("--[[ {deep}\n{deep} ]] x = 1"),
            format!("x = [==[ {deep} ]] ]==]"),
        ] {
            assert_eq!(found(&text), [], "{text}");
        }
    }

    #[test]
    fn deep_scripts_are_refused_and_not_parsed() {
        for unit in ["(", "{", "not ", "do ", "function() ", "a["] {
            let told = found(&format!("x = {}", unit.repeat(100_000)));
            assert_eq!(told.len(), 1, "{unit}");
            assert!(
                told[0].1.contains("nested too deep"),
                "{unit}: {}",
                told[0].1
            );
        }
    }
}
