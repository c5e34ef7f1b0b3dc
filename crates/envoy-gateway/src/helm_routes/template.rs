//! Helm templates in the strings of values. Charts evaluate them with `tpl`.

use super::{release_name, release_namespace, spanned};
use manifest::Object;
use manifest::value::{Kind, Map, Node};

/// Replaces a template whose result is not known. It is a Flux variable, because the result is as unknown as that of one.
pub const TEMPLATE: &str = "${TEMPLATE}";

/// What templates may name.
pub(super) struct TemplateValues<'v> {
    /// The name of the Helm release.
    pub name: String,
    /// The namespace that it is installed in; empty if it isn't known.
    pub namespace: String,
    values: &'v Node,
}

impl<'v> TemplateValues<'v> {
    pub(super) fn new(release: &Object, values: &'v Node) -> Self {
        TemplateValues {
            name: release_name(release),
            namespace: release_namespace(release).to_owned(),
            values,
        }
    }

    /// The text with its templates evaluated, as far as they name the release or a plain value.
    pub(super) fn text(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, template)) = rest.split_once("{{") {
            let (inner, after) = template.split_once("}}").unwrap_or((template, ""));
            filled.push_str(before);
            let result = self.result(inner.trim_matches(['-', ' ']));
            filled.push_str(result.as_deref().unwrap_or(TEMPLATE));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn result(&self, expression: &str) -> Option<String> {
        match expression.strip_prefix('$').unwrap_or(expression) {
            ".Release.Name" => Some(self.name.clone()),
            ".Release.Namespace" => Some(self.namespace.clone()).filter(|it| !it.is_empty()),
            other => self.value(other.strip_prefix(".Values.")?),
        }
    }

    /// The scalar at a dotted path in the values. A template in it would have to be evaluated again, which not all
    /// charts do.
    fn value(&self, path: &str) -> Option<String> {
        let path: Vec<&str> = path.split('.').collect();
        let is_plain = |key: &&str| key.chars().all(|it| it.is_alphanumeric() || it == '_');
        let node = self
            .values
            .path(&path)
            .filter(|_| path.iter().all(is_plain))?;
        let text = match &node.kind {
            Kind::String(text) => text.clone(),
            Kind::Number(_) | Kind::Bool(_) => node.to_json().to_string(),
            _ => return None,
        };
        (!text.contains("{{")).then_some(text)
    }

    /// The node with the templates in its strings evaluated.
    pub(super) fn node(&self, node: &Node) -> Node {
        let kind = match &node.kind {
            Kind::String(text) if text.contains("{{") => Kind::String(self.text(text)),
            Kind::List(items) => Kind::List(items.iter().map(|item| self.node(item)).collect()),
            Kind::Map(map) => {
                let mut filled = Map::default();
                for (key, entry) in map.entries() {
                    let entry = manifest::value::Entry {
                        key_span: entry.key_span,
                        value: self.node(&entry.value),
                    };
                    filled.insert_entry(key.to_owned(), entry);
                }
                Kind::Map(filled)
            }
            kind => kind.clone(),
        };
        spanned(kind, node)
    }
}
