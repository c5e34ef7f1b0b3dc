//! What may be written in `cluster.toml`.

use serde_json::Value;

use super::candidate::{Candidate, CandidateKind};
use super::fields::{Schemas, below, node_at, values};
use super::index::Index;
use super::outline::{Cursor, Outline};
use super::spec_tables::object_place;
use crd_validate::schema::node::Type;
use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// The schemas of `cluster.toml`, and everything that its values may name.
pub struct Knowledge<'a> {
    /// The JSON Schema of `cluster.toml`.
    pub schema: &'a Value,
    /// The codes and groups of findings.
    pub codes: &'a [&'static str],
    /// The schemas of objects.
    pub schemas: Schemas<'a>,
    /// The objects of the repository.
    pub index: &'a Index,
}

/// What may be written at a place. Values have the quotes that TOML needs.
pub fn candidates(
    text: &str,
    outline: &Outline,
    cursor: &Cursor,
    knowledge: &Knowledge<'_>,
) -> Vec<Candidate> {
    let known = outline.keys_of(&cursor.container);
    let typed = text.get(cursor.word.clone()).unwrap_or_default();
    // A table may have several headers, so only keys with values are there already.
    let is_set = |name: &str| {
        let pointer = cursor.container.key(name);
        let mut entries = outline.entries.iter();
        known.contains(&name) && entries.any(|it| it.pointer == pointer && it.value.is_some())
    };
    let is_missing = |name: &str| name == typed || !is_set(name);
    let pointer = cursor.pointer();
    if let Some(place) = object_place(&pointer) {
        let schema = knowledge.schemas.newest(place.group, place.kind);
        let found = schema.and_then(|schema| {
            let id = node_at(&schema, &place.pointer)?;
            Some(match cursor.key {
                Some(_) => in_toml(
                    values(schema.node(id)),
                    schema.node(id).type_ == Some(Type::String),
                ),
                None => match below(&schema, id, &is_missing) {
                    keys if keys.iter().all(|it| it.kind == CandidateKind::Key) => keys,
                    values => in_toml(values, true),
                },
            })
        });
        return found.unwrap_or_default();
    }
    let named = names(&pointer, knowledge);
    if !named.is_empty() {
        return in_toml(named, true);
    }
    let nodes = nodes_at(knowledge.schema, &pointer);
    match cursor.key {
        Some(_) => words(&nodes),
        None => {
            let mut keys = keys(knowledge.schema, &nodes, &is_missing);
            if let Some(Step::Index(_)) = cursor.container.steps().last() {
                keys.extend(words(&nodes));
            }
            keys
        }
    }
}

/// Values as TOML writes them.
fn in_toml(candidates: Vec<Candidate>, are_strings: bool) -> Vec<Candidate> {
    let quoted = candidates.into_iter().map(|candidate| Candidate {
        label: match are_strings {
            true => format!("\"{}\"", candidate.label),
            false => candidate.label,
        },
        ..candidate
    });
    quoted.collect()
}

/// The names that a value may be: of gateways, codes, versions and objects.
fn names(pointer: &Pointer, knowledge: &Knowledge<'_>) -> Vec<Candidate> {
    let steps = pointer.steps();
    let path: Vec<&str> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    let is_item = matches!(steps.last(), Some(Step::Index(_)));
    let named = |name: &str| Candidate::new(name, CandidateKind::Name);
    let of_kind = |kind: &str| {
        let names = knowledge.index.names(kind).into_keys();
        names.map(|name| named(&name).detail(kind)).collect()
    };
    match path.as_slice() {
        [.., "gateways"] if path.len() > 1 => gateways(knowledge.index)
            .iter()
            .map(|it| named(it))
            .collect(),
        ["validate", "ignore", "code"] => knowledge.codes.iter().map(|code| named(code)).collect(),
        ["chart", "version"] | ["versions", "envoy_gateway"] => {
            versions("envoy-gateway", knowledge)
        }
        ["versions", project] => versions(&project.replace('_', "-"), knowledge),
        [.., "certificates"] if is_item || path.len() == 1 => of_kind("Secret"),
        [.., "backend", "name"] => of_kind("Service"),
        ["ssh", "namespace"]
        | ["tcp" | "udp", _, "namespace"]
        | [.., "listeners", _, "namespaces"]
            if is_item || path.last() == Some(&"namespace") =>
        {
            of_kind("Namespace")
        }
        _ => Vec::new(),
    }
}

/// The names of the gateways that `cluster.toml` describes.
pub fn gateways(index: &Index) -> Vec<String> {
    let Some((_, text)) = index.configuration() else {
        return Vec::new();
    };
    let outline = super::toml::outline(text);
    let mut names: Vec<String> = Vec::new();
    for name in outline.keys_of(&Pointer::root().key("gateways")) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// The releases of a project that the program has schemas of, the newest first.
fn versions(project: &str, knowledge: &Knowledge<'_>) -> Vec<Candidate> {
    let versions = knowledge.schemas.catalogue.versions(project);
    let versions = versions.iter().rev();
    versions
        .map(|version| Candidate::new(version.as_str(), CandidateKind::Value))
        .collect()
}

/// The parts of the schema that describe the value at a pointer.
fn nodes_at<'s>(root: &'s Value, pointer: &Pointer) -> Vec<&'s Value> {
    let mut nodes = alternatives(root, root);
    for step in pointer.steps() {
        let next = nodes.into_iter().flat_map(|node| match step {
            Step::Key(key) => {
                let property = node.get("properties").and_then(|it| it.get(key));
                let other = node.get("additionalProperties").filter(|it| it.is_object());
                property.or(other)
            }
            Step::Index(_) => node.get("items"),
        });
        nodes = next.flat_map(|node| alternatives(root, node)).collect();
    }
    nodes
}

/// The deepest nesting of references that is followed.
const DEEPEST: usize = 16;

/// A part of the schema with everything that it refers to.
fn alternatives<'s>(root: &'s Value, node: &'s Value) -> Vec<&'s Value> {
    let mut found = Vec::new();
    collect(root, node, DEEPEST, &mut found);
    found
}

fn collect<'s>(root: &'s Value, node: &'s Value, depth: usize, found: &mut Vec<&'s Value>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    found.push(node);
    let target = node.get("$ref").and_then(Value::as_str);
    let target = target.and_then(|path| root.pointer(path.trim_start_matches('#')));
    let lists = ["anyOf", "oneOf", "allOf"].into_iter();
    let parts = lists.filter_map(|key| node.get(key)?.as_array()).flatten();
    for part in target.into_iter().chain(parts) {
        collect(root, part, depth, found);
    }
}

fn keys(root: &Value, nodes: &[&Value], is_missing: &dyn Fn(&str) -> bool) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let properties = nodes
        .iter()
        .filter_map(|node| node.get("properties")?.as_object());
    for (name, node) in properties.flatten() {
        if found.iter().any(|it| it.label == *name) || !is_missing(name) {
            continue;
        }
        let nodes = alternatives(root, node);
        let text = nodes
            .iter()
            .find_map(|node| node.get("description")?.as_str());
        let candidate = Candidate::new(name.as_str(), CandidateKind::Key);
        found.push(match text {
            Some(text) => candidate.documentation(text),
            None => candidate,
        });
    }
    found
}

/// The values of a closed set.
fn words(nodes: &[&Value]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let of_lists = nodes
        .iter()
        .filter_map(|node| node.get("enum")?.as_array())
        .flatten();
    let constants = nodes
        .iter()
        .filter_map(|node| Some((node.get("const")?, *node)));
    let booleans = nodes
        .iter()
        .filter(|node| node.get("type").is_some_and(|it| it == "boolean"));
    let booleans = booleans.flat_map(|_| [&Value::Bool(true), &Value::Bool(false)]);
    let all = of_lists
        .map(|value| (value, None))
        .chain(constants.map(|(value, node)| (value, Some(node))));
    for (value, node) in all.chain(booleans.map(|value| (value, None))) {
        let label = value.to_string();
        if found.iter().any(|it| it.label == label) {
            continue;
        }
        let text = node.and_then(|node| node.get("description")?.as_str());
        let candidate = Candidate::new(label, CandidateKind::Value);
        found.push(match text {
            Some(text) => candidate.documentation(text),
            None => candidate,
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schema::json_schema;
    use crate::editor::toml;
    use crd_validate::schema::{Catalogue, Selection};

    /// What may be written at the mark of a text.
    fn labels(marked: &str) -> Vec<String> {
        let at = marked.find('¦').expect("a mark");
        let text = marked.replace('¦', "");
        let catalogue = Catalogue::embedded();
        let selection = Selection::newest(&catalogue);
        let schema = json_schema();
        let mut index = Index::default();
        index.configure("cluster.toml", &text, None);
        let knowledge = Knowledge {
            schema: &schema,
            codes: &["config/lua"],
            schemas: Schemas {
                catalogue: &catalogue,
                selection: &selection,
            },
            index: &index,
        };
        let cursor = toml::cursor(&text, at).expect("a place");
        let found = candidates(&text, &toml::outline(&text), &cursor, &knowledge);
        found.into_iter().map(|it| it.label).collect()
    }

    #[test]
    fn keys_and_values_of_a_table_are_known_while_somebody_types() {
        for (marked, wanted) in [
            ("¦", "domain"),
            ("[¦", "client_traffic"),
            ("[gateways.a]\naddr¦", "address_as"),
            ("[gateways.a.listeners.b]\nprotocol = ¦", "\"HTTPS\""),
            ("[gateways.a]\nredirect = { ¦", "status"),
            ("[proxy]\nkind = \"D¦\"", "\"DaemonSet\""),
            (
                "[ssh]\ngateways = [\"¦\"]\n[gateways.a]\n[gateways.b]\n",
                "\"b\"",
            ),
            ("[redirect]\nenabled = ¦", "true"),
            ("[client_traffic.spec]\n¦", "headers"),
            (
                "[client_traffic]\nspec = { tls = { minVersion = ¦",
                "\"1.2\"",
            ),
            ("[[validate.ignore]]\ncode = \"¦\"", "\"config/lua\""),
            ("[chart]\nversion = ¦", "\"1.9.0\""),
        ] {
            let found = labels(marked);
            assert!(found.iter().any(|it| it == wanted), "{marked}: {found:?}");
        }
        assert!(!labels("domain = \"a\"\n¦").contains(&"domain".to_owned()));
    }
}
