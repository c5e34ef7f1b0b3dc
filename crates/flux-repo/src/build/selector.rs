//! Selects resources by regular expressions and by their labels and annotations (kustomize's `types.Selector`).

use std::collections::BTreeMap;

use regex::Regex;

use super::fields::text;
use super::resource::{Gvk, Id, Resource, text_of};
use manifest::value::{Map, Node};

/// A selector. Parts that are not given fit everything.
#[derive(Debug, Default)]
pub(super) struct Selector {
    group: Option<Pattern>,
    version: Option<Pattern>,
    kind: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Option<Pattern>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// If an expression is invalid.
    pub(super) fn of(node: &Node) -> Result<Self, String> {
        Ok(Selector {
            group: anchored(node, "group")?,
            version: anchored(node, "version")?,
            kind: anchored(node, "kind")?,
            name: anchored(node, "name")?,
            namespace: anchored(node, "namespace")?,
            labels: requirements(text(node, "labelSelector"))?,
            annotations: requirements(text(node, "annotationSelector"))?,
        })
    }

    /// Whether a patch with this target is for a resource: its original or its current name and namespace fit.
    pub(super) fn selects(&self, resource: &Resource) -> bool {
        let (original, current) = (resource.original_id(), resource.id());
        (fits(&self.namespace, original.namespace) || fits(&self.namespace, current.namespace))
            && (fits(&self.name, original.name) || fits(&self.name, current.name))
            && self.fits_kind(&current.gvk)
            && self.fits_metadata(resource)
    }

    /// Whether it fits an identity.
    pub(super) fn fits_id(&self, id: &Id<'_>) -> bool {
        self.fits_kind(&id.gvk) && fits(&self.name, id.name) && fits(&self.namespace, id.namespace)
    }

    /// Whether it says nothing about the identity.
    pub(super) fn is_without_id(&self) -> bool {
        let parts = [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ];
        parts.iter().all(|part| part.is_none())
    }

    /// Whether it says nothing about labels and annotations.
    pub(super) fn is_without_metadata(&self) -> bool {
        self.labels.is_empty() && self.annotations.is_empty()
    }

    fn fits_kind(&self, gvk: &Gvk<'_>) -> bool {
        fits(&self.group, gvk.group)
            && fits(&self.version, gvk.version)
            && fits(&self.kind, gvk.kind)
    }

    /// Whether the labels and annotations fit.
    pub(super) fn fits_metadata(&self, resource: &Resource) -> bool {
        [("labels", &self.labels), ("annotations", &self.annotations)]
            .into_iter()
            .filter(|(_, requirements)| !requirements.is_empty())
            .all(|(key, requirements)| {
                let map = resource
                    .object
                    .node
                    .path(&["metadata", key])
                    .and_then(Node::as_map);
                let pairs: BTreeMap<&str, String> = map
                    .into_iter()
                    .flat_map(Map::iter)
                    .filter_map(|(key, value)| Some((key, text_of(value)?)))
                    .collect();
                requirements.iter().all(|one| one.fits(&pairs))
            })
    }
}

/// An expression that a whole text must match.
#[derive(Debug)]
enum Pattern {
    /// Characters that stand for themselves, and dots. Nearly all expressions are names, and compiling one takes longer
    /// than everything else that a small patch does.
    Name(String),
    Expression(Regex),
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, regex::Error> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_/.".contains(letter);
        match text.chars().all(is_plain) {
            true => Ok(Pattern::Name(text.to_owned())),
            false => Regex::new(&format!("^(?:{text})$")).map(Pattern::Expression),
        }
    }

    fn is_match(&self, text: &str) -> bool {
        match self {
            Pattern::Name(name) => {
                let is_one =
                    |(own, other): (char, char)| own == other || own == '.' && other != '\n';
                name.chars().count() == text.chars().count()
                    && name.chars().zip(text.chars()).all(is_one)
            }
            Pattern::Expression(expression) => expression.is_match(text),
        }
    }
}

fn fits(pattern: &Option<Pattern>, text: &str) -> bool {
    pattern
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(text))
}

fn anchored(node: &Node, key: &str) -> Result<Option<Pattern>, String> {
    match text(node, key) {
        "" => Ok(None),
        pattern => Pattern::parse(pattern)
            .map(Some)
            .map_err(|_| format!("the {key} {pattern:?} is no regular expression")),
    }
}

/// A requirement of a label selector.
#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Requirement {
    fn fits(&self, pairs: &BTreeMap<&str, String>) -> bool {
        let value = pairs.get(self.key.as_str());
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::Missing => value.is_none(),
            Operator::In(all) => value.is_some_and(|value| all.contains(value)),
            Operator::NotIn(all) => value.is_none_or(|value| !all.contains(value)),
            Operator::Above(bound) => number().is_some_and(|number| number > *bound),
            Operator::Below(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

/// Parses a label selector in the notation of Kubernetes.
fn requirements(selector: &str) -> Result<Vec<Requirement>, String> {
    let mut parts: Vec<String> = vec![String::new()];
    let mut depth = 0_usize;
    for letter in selector.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (letter, parts.last_mut()) {
            (',', _) if depth == 0 => parts.push(String::new()),
            (letter, Some(last)) => last.push(letter),
            _ => {}
        }
    }
    let parts = parts.iter().map(|part| part.trim());
    parts
        .filter(|part| !part.is_empty())
        .map(requirement)
        .collect()
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let wrong = || format!("{part:?} is no condition for labels");
    let make = |key: &str, operator| match key.trim() {
        key if key.is_empty() || key.contains(char::is_whitespace) => Err(wrong()),
        key => Ok(Requirement {
            key: key.to_owned(),
            operator,
        }),
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some(rest) = part.strip_suffix(')') {
        let (head, values) = rest.split_once('(').ok_or_else(wrong)?;
        let values = values
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        let (key, word) = head
            .trim()
            .split_once(char::is_whitespace)
            .ok_or_else(wrong)?;
        return match word.trim() {
            "in" => make(key, Operator::In(values)),
            "notin" => make(key, Operator::NotIn(values)),
            _ => Err(wrong()),
        };
    }
    if let Some((key, value)) = part.split_once("!=") {
        return make(key, Operator::NotIn(one(value)));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return make(key, Operator::In(one(value)));
    }
    for (mark, operator) in [
        ('>', Operator::Above as fn(i64) -> Operator),
        ('<', Operator::Below),
    ] {
        if let Some((key, value)) = part.split_once(mark) {
            let bound = value.trim().parse().map_err(|_| wrong())?;
            return make(key, operator(bound));
        }
    }
    match part.strip_prefix('!') {
        Some(key) => make(key, Operator::Missing),
        None => make(part, Operator::Exists),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_as_the_expression_that_it_is() {
        for pattern in ["web", "a.b", "v1", "apps/v1", ".", "we", "web.", ""] {
            let fast = Pattern::parse(pattern).expect(pattern);
            assert!(matches!(fast, Pattern::Name(_)));
            let slow = Regex::new(&format!("^(?:{pattern})$")).expect(pattern);
            for text in [
                "web", "webs", "a.b", "axb", "aéb", "v1", "apps/v1", "x", "\n", "",
            ] {
                assert_eq!(
                    fast.is_match(text),
                    slow.is_match(text),
                    "{pattern} {text:?}"
                );
            }
        }
        let pattern = Pattern::parse("web|api").expect("an expression");
        assert!(pattern.is_match("api") && !pattern.is_match("web|api"));
    }

    #[test]
    fn a_label_selector_has_the_notation_of_kubernetes() {
        let pairs: BTreeMap<&str, String> = [("app", "x".to_owned()), ("n", "5".to_owned())].into();
        for (selector, want) in [
            ("", true),
            ("app=x", true),
            ("app == y", false),
            ("app!=y,n", true),
            ("!app", false),
            ("app in (x, y), n notin (6)", true),
            ("n>4,n<6", true),
            ("other", false),
        ] {
            let all = requirements(selector).expect(selector);
            assert_eq!(all.iter().all(|one| one.fits(&pairs)), want, "{selector}");
        }
        assert!(requirements("a b").is_err());
        assert!(requirements("a in x)").is_err());
    }
}
