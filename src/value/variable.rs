//! Flux variables (`postBuild` substitution): `${NAME}`, `${NAME:=default}`, `${NAME/./-}`.
//!
//! Flux replaces them in the text of a manifest before anything reads it, so what a value with one in it
//! will be is not known here. `$${NAME}` is how `${NAME}` itself is written.

/// Whether a text has a variable in it.
pub fn in_text(text: &str) -> bool {
    // Most texts have no `$` at all, which is quick to see.
    text.as_bytes().contains(&b'$') && is_in(text)
}

fn is_in(text: &str) -> bool {
    text.match_indices("${")
        .any(|(at, _)| !is_escaped(text, at) && end(&text[at..]).is_some())
}

/// A place where Flux reads a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable<'a> {
    /// The byte of its `$`.
    pub at: usize,
    /// Its name; empty where Flux finds none.
    pub name: &'a str,
    /// Whether Flux can read it. It stops at one that it can't, with all that it would have applied.
    pub is_readable: bool,
}

/// All places where Flux reads a variable, `${` being enough; those written as `$${` left out. (Flux'
/// `envsubst`, kustomize-controller 1.9: a name is letters, digits and `_`; what may follow it is an operator
/// or the end.)
pub fn all(text: &str) -> impl Iterator<Item = Variable<'_>> {
    text.match_indices("${").filter_map(move |(at, _)| {
        if is_escaped(text, at) {
            return None;
        }
        let inner = text.get(at + 2..)?;
        let is_length = inner.starts_with('#');
        let inner = inner.strip_prefix('#').unwrap_or(inner);
        let end = inner
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(inner.len());
        let (name, rest) = inner.split_at(end);
        let ends = if is_length {
            &['}'][..]
        } else {
            &['}', ':', '=', ',', '^', '/', '#', '%']
        };
        Some(Variable {
            at,
            name,
            is_readable: !name.is_empty() && rest.starts_with(ends),
        })
    })
}

/// Whether the `$` at a byte has an odd number of others before it.
fn is_escaped(text: &str, at: usize) -> bool {
    text[..at].bytes().rev().take_while(|b| *b == b'$').count() % 2 == 1
}

/// Whether a text is a single variable and nothing else: it may become a number.
pub fn is_all(text: &str) -> bool {
    end(text) == Some(text.len())
}

/// The text with `stand_in` in place of each variable.
pub fn replaced(text: &str, stand_in: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, variable) = rest.split_at(at);
        plain.push_str(before);
        match end(variable) {
            Some(end) => {
                plain.push_str(stand_in);
                rest = &variable[end..];
            }
            None => {
                plain.push_str("${");
                rest = &variable[2..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Where the variable that a text starts with ends; `None` where it starts with none.
pub fn end(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("${")?;
    let mut bytes = inner.bytes();
    if !bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
    {
        return None;
    }
    let mut open = 1_u32;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at + 3);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_takes_the_place_of_each_variable() {
        let plain = |text| replaced(text, "x");
        assert_eq!(plain("${A/./-}-tls.${B:-${C}}"), "x-tls.x");
        assert_eq!(plain("${}-${"), "${}-${");
        assert_eq!(plain("none"), "none");
    }

    #[test]
    fn what_flux_stops_at_is_told_from_what_it_reads() {
        let found = |text| {
            let all = all(text).map(|one| (one.name, one.is_readable));
            all.collect::<Vec<_>>()
        };
        assert_eq!(
            found("a ${A} $${B} ${C:-x} $$${D} ${#E}"),
            [("A", true), ("C", true), ("D", true), ("E", true)]
        );
        for text in [
            "${}", "${ A}", "${a[0]}", "${#a[@]}", "${!A}", "${@}", "${A@Q}", "^x${", "${A",
        ] {
            assert!(
                found(text).iter().any(|(_, is_readable)| !is_readable),
                "{text}"
            );
        }
    }

    #[test]
    fn variables_are_told_from_other_text() {
        for text in ["${A}", "${A:=3}", "${A/./-}", "${_a1}", "${A:-${B}}"] {
            assert!(is_all(text) && in_text(text), "{text}");
        }
        for text in ["a${A}", "${A}b", "${A}${B}", "x-${A/./-}-y"] {
            assert!(!is_all(text) && in_text(text), "{text}");
        }
        for text in ["", "$A", "${", "${}", "${1}", "$${A}", "{A}", "${A"] {
            assert!(!is_all(text) && !in_text(text), "{text}");
        }
    }
}
