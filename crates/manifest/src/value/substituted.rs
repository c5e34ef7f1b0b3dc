//! Puts the values of Flux variables into texts, as far as they are known. The syntax is that of
//! [`super::variable`].

use super::{Kind, Map, Node, variable};

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableValue {
    /// It has this value.
    Set(String),
    /// Nothing sets it, so a default applies.
    Unset,
    /// It may have any value, or none.
    Unknown,
}

/// How deeply variables may be nested in default values. What is nested more deeply counts as unknown.
const DEEPEST: usize = 16;

/// Puts values into all strings of a tree, keys included. Values keep their places. A string that consists of
/// variables becomes a number or a boolean if its value is one, because Flux substitutes in YAML without quotes.
/// Returns whether anything has changed.
pub fn substitute(node: &mut Node, value_of: &dyn Fn(&str) -> VariableValue) -> bool {
    match &mut node.kind {
        Kind::String(text) => {
            if !text.contains("${") {
                return false;
            }
            let done = substituted(text, value_of);
            if done == *text {
                return false;
            }
            node.kind = match variable::is_all(text) {
                true => plain(done),
                false => Kind::String(done),
            };
            true
        }
        Kind::List(items) => {
            let mut is_changed = false;
            for item in items {
                is_changed |= substitute(item, value_of);
            }
            is_changed
        }
        Kind::Map(map) => {
            let mut is_changed = false;
            if map.iter().any(|(key, _)| key.contains("${")) {
                let entries = std::mem::take(map).into_entries();
                let mut filled = Map::default();
                for (key, entry) in entries {
                    filled.insert_entry(substituted(&key, value_of), entry);
                }
                *map = filled;
                is_changed = true;
            }
            for (_, value) in map.iter_mut() {
                is_changed |= substitute(value, value_of);
            }
            is_changed
        }
        _ => false,
    }
}

/// What a reader of YAML makes of a text without quotes.
fn plain(text: String) -> Kind {
    if let Some(value) = ["true", "false"].iter().find(|word| **word == text) {
        return Kind::Bool(*value == "true");
    }
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Kind::Number(number.into()),
        _ => Kind::String(text),
    }
}

/// A text with the values of its variables. A variable whose value is not known stays as it is.
pub fn substituted(text: &str, value_of: &dyn Fn(&str) -> VariableValue) -> String {
    filled(text, value_of, DEEPEST).unwrap_or_else(|| text.to_owned())
}

/// Like [`substituted`]; `None` if variables are nested too deeply.
fn filled(text: &str, value_of: &dyn Fn(&str) -> VariableValue, levels: usize) -> Option<String> {
    let levels = levels.checked_sub(1)?;
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        done.push_str(before);
        // `$$` stays, so that nobody takes the `${` after it for a variable.
        let escape = from.get(..2).filter(|two| *two == "$$");
        let length = match escape {
            Some(_) => 2,
            None => variable::end(from).unwrap_or(1),
        };
        let (whole, after) = from.split_at_checked(length)?;
        let inner = whole.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
        let value = inner.and_then(|inner| value(inner, value_of, levels));
        done.push_str(value.as_deref().unwrap_or(whole));
        rest = after;
    }
    done.push_str(rest);
    Some(done)
}

/// The value of an expression, which is what stands between the braces; `None` if it is not known.
fn value(inner: &str, value_of: &dyn Fn(&str) -> VariableValue, levels: usize) -> Option<String> {
    let (is_length, inner) = match inner.strip_prefix('#') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    let is_in_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let end = inner
        .find(|letter| !is_in_name(letter))
        .unwrap_or(inner.len());
    let (name, operator) = inner.split_at_checked(end)?;
    let known = value_of(name);
    let set = match &known {
        VariableValue::Set(value) => Some(value.as_str()),
        _ => None,
    };
    if is_length {
        return set.map(|value| value.chars().count().to_string());
    }
    let complete = |word: &str| {
        let word = filled(word, value_of, levels)?;
        (!variable::in_text(&word)).then_some(word)
    };
    for mark in [":=", ":-", "="] {
        let Some(word) = operator.strip_prefix(mark) else {
            continue;
        };
        let is_missing = match &known {
            VariableValue::Set(value) => mark != "=" && value.is_empty(),
            VariableValue::Unset => true,
            VariableValue::Unknown => return None,
        };
        return match is_missing {
            true => complete(word),
            false => set.map(str::to_owned),
        };
    }
    let set = set?;
    if let Some(word) = operator.strip_prefix(":+") {
        return match set.is_empty() {
            true => Some(String::new()),
            false => complete(word),
        };
    }
    match operator {
        "" => Some(set.to_owned()),
        "^^" => Some(set.to_uppercase()),
        ",," => Some(set.to_lowercase()),
        _ if operator.starts_with(":?") => Some(set.to_owned()),
        _ if operator.contains("${") || operator.contains('\\') => None,
        _ if operator.starts_with('/') => replaced(set, operator.get(1..)?),
        _ => trimmed(set, operator),
    }
}

/// `old/new` replaces the first `old` by `new`, and `/old/new` all of them; `#old/new` replaces it at the start, `%old/new`
/// at the end.
fn replaced(text: &str, how: &str) -> Option<String> {
    let mark = how.chars().next().filter(|mark| "/#%".contains(*mark));
    let how = how.get(mark.map_or(0, char::len_utf8)..)?;
    let (old, new) = how.split_once('/')?;
    if is_pattern(old) {
        return None;
    }
    Some(match mark {
        Some('/') => text.replace(old, new),
        Some('#') => match text.strip_prefix(old) {
            Some(rest) => format!("{new}{rest}"),
            None => text.to_owned(),
        },
        Some(_) => match text.strip_suffix(old) {
            Some(rest) => format!("{rest}{new}"),
            None => text.to_owned(),
        },
        None => text.replacen(old, new, 1),
    })
}

/// The text without a prefix (`#`, `##`) or a suffix (`%`, `%%`).
fn trimmed(text: &str, operator: &str) -> Option<String> {
    let (is_prefix, word) = match operator.strip_prefix('#') {
        Some(rest) => (true, rest.strip_prefix('#').unwrap_or(rest)),
        None => {
            let rest = operator.strip_prefix('%')?;
            (false, rest.strip_prefix('%').unwrap_or(rest))
        }
    };
    let rest = match is_prefix {
        true => text.strip_prefix(word),
        false => text.strip_suffix(word),
    };
    (!is_pattern(word)).then(|| rest.unwrap_or(text).to_owned())
}

/// Whether a word is a pattern, whose matches are not computed here.
fn is_pattern(word: &str) -> bool {
    word.is_empty() || word.contains(['*', '?', '[', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of(name: &str) -> VariableValue {
        match name {
            "DOMAIN" => VariableValue::Set("example.com".to_owned()),
            "PORT" => VariableValue::Set("443".to_owned()),
            "EMPTY" => VariableValue::Set(String::new()),
            "UNSET" => VariableValue::Unset,
            _ => VariableValue::Unknown,
        }
    }

    #[test]
    fn known_values_take_the_place_of_variables() {
        for (text, want) in [
            ("a.${DOMAIN}", "a.example.com"),
            ("${DOMAIN/./-}-tls", "example-com-tls"),
            ("${DOMAIN//e/E}", "ExamplE.com"),
            ("${DOMAIN%.com}.org", "example.org"),
            ("${DOMAIN#example.}", "com"),
            ("${DOMAIN^^}", "EXAMPLE.COM"),
            ("${EMPTY:=x}${UNSET:-y}${PORT:=z}", "xy443"),
            ("${UNSET:=a.${DOMAIN}}", "a.example.com"),
            ("${PORT:+on}", "on"),
            ("${#DOMAIN}", "11"),
            // What is not known stays.
            ("a.${OTHER}.${DOMAIN}", "a.${OTHER}.example.com"),
            ("${OTHER:=x}", "${OTHER:=x}"),
            ("${UNSET}", "${UNSET}"),
            ("${UNSET:=${OTHER}}", "${UNSET:=${OTHER}}"),
            ("${DOMAIN%%.*}", "${DOMAIN%%.*}"),
            ("${DOMAIN:2:3}", "${DOMAIN:2:3}"),
            ("$${DOMAIN} $1 ${", "$${DOMAIN} $1 ${"),
        ] {
            assert_eq!(substituted(text, &value_of), want, "{text}");
        }
    }

    #[test]
    fn a_value_may_become_a_number() {
        let mut node = Node::from_json(serde_json::json!({
            "port": "${PORT}", "text": "a${PORT}", "${DOMAIN}/key": ["${UNSET:=true}", 1],
        }));
        assert!(substitute(&mut node, &value_of));
        let want = serde_json::json!({
            "port": 443, "text": "a443", "example.com/key": [true, 1],
        });
        assert_eq!(node.to_json(), want);
        assert!(!substitute(&mut node, &value_of));
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = format!("{}x{}", "${UNSET:-".repeat(1000), "}".repeat(1000));
        assert_eq!(substituted(&nested, &value_of), nested);
    }
}
