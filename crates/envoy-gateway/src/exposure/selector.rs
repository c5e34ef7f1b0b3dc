//! Label selectors in the form that flags use: `a=b,c!=d,e in (f,g),!h` (apimachinery's `labels.Parse`,
//! Kubernetes 1.34).

/// A parsed selector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    key: String,
    /// The allowed values; `None` if the label only needs to exist.
    values: Option<Vec<String>>,
    is_negated: bool,
}

impl Selector {
    /// Parses a selector; `None` if it is invalid.
    pub fn parse(text: &str) -> Option<Self> {
        let terms = split(text)?;
        let terms: Option<Vec<Term>> = terms.into_iter().map(term).collect();
        Some(Selector { terms: terms? })
    }

    /// Whether labels match the selector.
    pub fn matches<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.terms.iter().all(|term| {
            let found = label(&term.key);
            let holds = match &term.values {
                None => found.is_some(),
                Some(values) => found.is_some_and(|found| values.iter().any(|it| it == found)),
            };
            holds != term.is_negated
        })
    }
}

/// Splits at commas outside of parentheses.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_u8);
    for (at, c) in text.char_indices() {
        match c {
            '(' if depth == 0 => depth = 1,
            ')' if depth == 1 => depth = 0,
            '(' | ')' => return None,
            ',' if depth == 0 => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    let parts = parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty());
    (depth == 0).then(|| parts.collect())
}

fn term(text: &str) -> Option<Term> {
    let made = |key: &str, values: Option<Vec<String>>, is_negated| {
        let key = key.trim();
        let is_key =
            !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || "!=()".contains(c));
        is_key.then(|| Term {
            key: key.to_owned(),
            values,
            is_negated,
        })
    };
    let one = |value: &str| Some(vec![value.trim().to_owned()]);
    if let Some((key, value)) = text.split_once("!=") {
        return made(key, one(value), true);
    }
    if let Some((key, value)) = text.split_once('=') {
        return made(key, one(value.strip_prefix('=').unwrap_or(value)), false);
    }
    if let Some(inside) = text.strip_suffix(')') {
        let (head, values) = inside.split_once('(')?;
        let mut description = head.split_whitespace();
        let (key, operator) = (description.next()?, description.next()?);
        let values = values.split(',').map(|it| it.trim().to_owned()).collect();
        return match operator {
            "in" => made(key, Some(values), false),
            "notin" => made(key, Some(values), true),
            _ => None,
        };
    }
    match text.strip_prefix('!') {
        Some(key) => made(key, None, true),
        None => made(text, None, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_as_kubernetes_does() {
        let label = |key: &str| match key {
            "zone" => Some("external"),
            "example.com/on" => Some("true"),
            _ => None,
        };
        let rows = [
            ("", Some(true)),
            ("zone=external", Some(true)),
            ("zone==external,example.com/on=true", Some(true)),
            ("zone=internal", Some(false)),
            ("zone!=internal", Some(true)),
            ("other!=x", Some(true)),
            ("zone in (internal, external)", Some(true)),
            ("zone notin (internal,external)", Some(false)),
            ("zone", Some(true)),
            ("!zone", Some(false)),
            ("!other, zone", Some(true)),
            ("zone in (a", None),
            ("zone like (a)", None),
            ("a b", None),
        ];
        for (text, want) in rows {
            let found = Selector::parse(text).map(|it| it.matches(label));
            assert_eq!(found, want, "{text}");
        }
    }
}
