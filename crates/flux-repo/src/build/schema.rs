//! The fields of a kustomization: their spelling and their types.
//!
//! kustomize decodes a kustomization with Go's `encoding/json`, which finds fields without regard to case, and refuses
//! unknown ones. The fields are those of kustomize's `api/types` (v0.21).

use super::fields::is_blank;
use manifest::value::{Entry, Kind, Map, Node, Pointer};

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Texts,
    Map,
    Maps,
}

/// The fields of a kustomization.
const FIELDS: &[(&str, Shape)] = &[
    ("apiVersion", Shape::Text),
    ("kind", Shape::Text),
    ("metadata", Shape::Map),
    ("openapi", Shape::Map),
    ("namePrefix", Shape::Text),
    ("nameSuffix", Shape::Text),
    ("namespace", Shape::Text),
    ("commonLabels", Shape::Map),
    ("labels", Shape::Maps),
    ("commonAnnotations", Shape::Map),
    ("patchesStrategicMerge", Shape::Texts),
    ("patchesJson6902", Shape::Maps),
    ("patches", Shape::Maps),
    ("images", Shape::Maps),
    ("imageTags", Shape::Maps),
    ("replacements", Shape::Maps),
    ("replicas", Shape::Maps),
    ("vars", Shape::Maps),
    ("sortOptions", Shape::Map),
    ("resources", Shape::Texts),
    ("components", Shape::Texts),
    ("crds", Shape::Texts),
    ("bases", Shape::Texts),
    ("configMapGenerator", Shape::Maps),
    ("secretGenerator", Shape::Maps),
    ("helmGlobals", Shape::Map),
    ("helmCharts", Shape::Maps),
    ("helmChartInflationGenerator", Shape::Maps),
    ("generatorOptions", Shape::Map),
    ("configurations", Shape::Texts),
    ("generators", Shape::Texts),
    ("transformers", Shape::Texts),
    ("validators", Shape::Texts),
    ("buildMetadata", Shape::Texts),
];

/// The fields inside of the fields above whose spelling matters here.
const INNER: &[&str] = &[
    "name",
    "namespace",
    "group",
    "version",
    "kind",
    "labelSelector",
    "annotationSelector",
    "path",
    "patch",
    "target",
    "options",
    "allowNameChange",
    "allowKindChange",
    "pairs",
    "includeSelectors",
    "includeTemplates",
    "fields",
    "create",
    "newName",
    "newTag",
    "tagSuffix",
    "digest",
    "count",
    "source",
    "sourceValue",
    "targets",
    "select",
    "reject",
    "fieldPath",
    "fieldPaths",
    "delimiter",
    "index",
    "behavior",
    "files",
    "literals",
    "envs",
    "env",
    "type",
    "labels",
    "annotations",
    "disableNameSuffixHash",
    "immutable",
    "order",
    "legacySortOptions",
    "orderFirst",
    "orderLast",
];

/// The fields whose keys are chosen by people.
const FREE: &[&str] = &[
    "pairs",
    "commonLabels",
    "commonAnnotations",
    "openapi",
    "valuesInline",
];

/// The usual spelling of a key.
fn known(key: &str, names: impl Iterator<Item = &'static str> + Clone) -> Option<&'static str> {
    let exact = names.clone().find(|name| *name == key);
    exact.or_else(|| names.clone().find(|name| name.eq_ignore_ascii_case(key)))
}

/// The usual spelling of a field of a kustomization, which kustomize finds without regard to case; `None` if it has no such
/// field.
pub(crate) fn usual_spelling(key: &str) -> Option<&'static str> {
    known(key, FIELDS.iter().map(|(name, _)| *name))
}

/// What is wrong in a kustomization, and where.
pub(super) struct FieldProblem {
    pub(super) pointer: Pointer,
    pub(super) message: String,
    /// Whether it is only a field that nobody knows.
    pub(super) is_unknown_field: bool,
}

/// A kustomization with the usual spelling of all keys, and what is wrong in it.
pub(super) fn read(node: &Node) -> (Node, Vec<FieldProblem>) {
    let mut wrong = Vec::new();
    let mut fields = Map::default();
    let Some(map) = node.as_map() else {
        wrong.push(refuse(
            Pointer::root(),
            "a kustomization must be a map".to_owned(),
        ));
        return (Node::map(), wrong);
    };
    for (key, entry) in map.entries() {
        let at = Pointer::root().key(key);
        let Some(name) = usual_spelling(key) else {
            wrong.push(FieldProblem {
                is_unknown_field: true,
                ..refuse(at, format!("kustomize knows no field {key:?}"))
            });
            continue;
        };
        let shape = FIELDS.iter().find(|(field, _)| *field == name);
        if let Some((_, shape)) = shape
            && let Some(message) = misfit(&entry.value, *shape)
        {
            wrong.push(refuse(at, format!("{name} must be {message}")));
            continue;
        }
        let value = match FREE.contains(&name) {
            true => entry.value.clone(),
            false => spelled(&entry.value),
        };
        fields.insert_entry(
            name.to_owned(),
            Entry {
                key_span: entry.key_span,
                value,
            },
        );
    }
    if fields
        .iter()
        .all(|(key, value)| matches!(key, "apiVersion" | "kind") || is_unset(value))
    {
        wrong.push(refuse(
            Pointer::root(),
            "the kustomization is empty".to_owned(),
        ));
    }
    wrong.extend(wrong_version(&fields));
    (Node::new(Kind::Map(fields), node.span), wrong)
}

fn refuse(pointer: Pointer, message: String) -> FieldProblem {
    FieldProblem {
        pointer,
        message,
        is_unknown_field: false,
    }
}

/// Whether a field has the value that a missing one has.
fn is_unset(value: &Node) -> bool {
    matches!(value.kind, Kind::Null) || value.as_str() == Some("")
}

/// `kind` and `apiVersion` may be missing, but must fit each other.
fn wrong_version(fields: &Map) -> Option<FieldProblem> {
    let text = |key: &str| fields.get(key).and_then(Node::as_str).unwrap_or_default();
    let wanted = match text("kind") {
        "" | "Kustomization" => "kustomize.config.k8s.io/v1beta1",
        "Component" => "kustomize.config.k8s.io/v1alpha1",
        kind => {
            let message = format!("the kind is {kind:?} instead of Kustomization or Component");
            return Some(refuse(Pointer::root().key("kind"), message));
        }
    };
    let given = text("apiVersion");
    (!given.is_empty() && given != wanted).then(|| {
        let message = format!("the apiVersion is {given:?} instead of {wanted:?}");
        refuse(Pointer::root().key("apiVersion"), message)
    })
}

/// What a value should be, if it is something else.
fn misfit(value: &Node, shape: Shape) -> Option<&'static str> {
    if is_blank(value) {
        return None;
    }
    let all = |fits: fn(&Node) -> bool| {
        let items = value.as_list();
        items.is_some_and(|items| items.iter().all(|item| is_blank(item) || fits(item)))
    };
    let (fits, wanted) = match shape {
        Shape::Text => (value.as_str().is_some(), "a string"),
        Shape::Texts => (all(|item| item.as_str().is_some()), "a list of strings"),
        Shape::Map => (value.as_map().is_some(), "a map"),
        Shape::Maps => (all(|item| item.as_map().is_some()), "a list of maps"),
    };
    (!fits).then_some(wanted)
}

/// A value with the usual spelling of all keys below it.
pub(super) fn spelled(node: &Node) -> Node {
    let kind = match &node.kind {
        Kind::List(items) => Kind::List(items.iter().map(spelled).collect()),
        Kind::Map(map) => {
            let mut fields = Map::default();
            for (key, entry) in map.entries() {
                let name = known(key, INNER.iter().copied());
                let is_free = FREE.iter().any(|free| free.eq_ignore_ascii_case(key))
                    || matches!(name, Some("labels" | "annotations"))
                        && entry.value.as_map().is_some();
                let value = match is_free {
                    true => entry.value.clone(),
                    false => spelled(&entry.value),
                };
                let name = name.unwrap_or(key).to_owned();
                fields.insert_entry(
                    name,
                    Entry {
                        key_span: entry.key_span,
                        value,
                    },
                );
            }
            Kind::Map(fields)
        }
        kind => kind.clone(),
    };
    Node::new(kind, node.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: serde_json::Value) -> (serde_json::Value, Vec<String>) {
        let (node, wrong) = read(&Node::from_json(text));
        let wrong = wrong.into_iter();
        (
            node.to_json(),
            wrong
                .map(|one| format!("{}: {}", one.pointer, one.message))
                .collect(),
        )
    }

    #[test]
    fn keys_are_found_without_regard_to_case() {
        let (node, wrong) = read_text(serde_json::json!({
            "Resources": ["a.yaml"],
            "configMapgenerator": [{"Name": "m", "options": {"Labels": {"App": "x"}}}],
            "commonLabels": {"Name": "kept"},
        }));
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(
            node,
            serde_json::json!({
                "resources": ["a.yaml"],
                "configMapGenerator": [{"name": "m", "options": {"labels": {"App": "x"}}}],
                "commonLabels": {"Name": "kept"},
            })
        );
    }

    #[test]
    fn what_kustomize_refuses_is_told() {
        for (text, want) in [
            (
                serde_json::json!({"resource": ["a"]}),
                "/resource: kustomize knows no field \"resource\"",
            ),
            (
                serde_json::json!({"resources": "a"}),
                "/resources: resources must be a list of strings",
            ),
            (
                serde_json::json!({"kind": "Kustomization"}),
                ": the kustomization is empty",
            ),
            (
                serde_json::json!({"kind": "Component", "apiVersion": "kustomize.config.k8s.io/v1beta1", "resources": []}),
                "/apiVersion: the apiVersion is \"kustomize.config.k8s.io/v1beta1\" instead of \"kustomize.config.k8s.io/v1alpha1\"",
            ),
        ] {
            assert_eq!(
                read_text(text.clone()).1.first().map(String::as_str),
                Some(want),
                "{text}"
            );
        }
    }
}
