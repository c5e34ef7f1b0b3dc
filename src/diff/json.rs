//! The output of a diff for programs.

use serde_json::{Map, Value as Json, json};

use super::model::{Change, Diff, FieldChange, FieldDiff, FileDiff, ObjectDiff, Value};
use super::secret::HIDDEN;
use super::shown::file_change;
use envoy_gateway::exposure;

/// The name of the format. Keys may be added to it, but are never renamed or removed.
pub const FORMAT: &str = "gatewayctl/diff/v1";

/// The diff as JSON:
/// - `schema`: [`FORMAT`].
/// - `summary`: `added`, `removed`, `changed`, `moved` (numbers of objects, each counted once), `fields`,
///   `files`.
/// - `exposure`: what becomes reachable or is no longer reachable, each with `change`, `direction` (`wider`,
///   `other`, `narrower`), `gateway`, `subjects` (hostnames or listeners) and `message`.
/// - `objects`: each with `change` (`added`, `removed`, `changed`, `moved`), `object` (`apiVersion`, `kind`,
///   `namespace`, `name`), `file`, `from` (the previous file of a moved object, otherwise null), `fields`, and
///   `content` (the whole object if it was added or removed, otherwise null).
/// - a field: `change` (`added`, `removed`, `changed`, `reordered`), `pointer` (RFC 6901; in the new object,
///   or in the old one if the field was removed), `path` (for people), `old`, `new` (null if there is no value;
///   for a reordered list, the names of the entries that are on both sides), `hidden` (whether a value is a
///   secret, which is replaced by `(hidden)`), `diff` (hunks of a unified diff for strings with several lines,
///   otherwise null).
/// - `files`: opaque files, each with `change`, `file`, `diff` (null if one side is not text), `hidden`
///   (whether it is not shown because it may contain a Secret).
pub fn json(diff: &Diff) -> Json {
    let summary = diff.summary();
    json!({
        "schema": FORMAT,
        "summary": {
            "added": summary.added,
            "removed": summary.removed,
            "changed": summary.changed,
            "moved": summary.moved,
            "fields": summary.fields,
            "files": summary.files,
        },
        "exposure": exposure::json::changes(&diff.exposure),
        "objects": diff.objects.iter().map(object).collect::<Vec<_>>(),
        "files": diff.files.iter().map(file).collect::<Vec<_>>(),
    })
}

fn object(object: &ObjectDiff) -> Json {
    let (change, from) = match &object.change {
        Change::Added { .. } => ("added", None),
        Change::Removed { .. } => ("removed", None),
        Change::Changed { .. } => ("changed", None),
        Change::Moved { from, .. } => ("moved", Some(from)),
    };
    json!({
        "change": change,
        "object": {
            "apiVersion": object.api_version,
            "kind": object.identity.kind,
            "namespace": object.identity.namespace,
            "name": object.identity.name,
        },
        "file": object.file(),
        "from": from,
        "fields": object.fields.iter().map(field).collect::<Vec<_>>(),
        "content": object.content.as_ref().map(|node| node.to_json()),
    })
}

/// A changed field, in the form that [`json`] describes.
pub fn field(field: &FieldDiff) -> Json {
    let value = |value: &Value| match value {
        Value::Shown(node) => node.to_json(),
        Value::Hidden => Json::from(HIDDEN),
    };
    let hides = |value: &Value| *value == Value::Hidden;
    let (change, old, new, hidden, lines) = match &field.change {
        FieldChange::Added(new) => ("added", Json::Null, value(new), hides(new), None),
        FieldChange::Removed(old) => ("removed", value(old), Json::Null, hides(old), None),
        FieldChange::Changed { old, new, lines } => (
            "changed",
            value(old),
            value(new),
            hides(old) || hides(new),
            lines.as_ref(),
        ),
        FieldChange::Reordered { old, new } => ("reordered", json!(old), json!(new), false, None),
    };
    let mut map = Map::new();
    map.insert("change".to_owned(), change.into());
    map.insert("pointer".to_owned(), field.pointer.to_string().into());
    map.insert("path".to_owned(), field.path.clone().into());
    map.insert("old".to_owned(), old);
    map.insert("new".to_owned(), new);
    map.insert("hidden".to_owned(), hidden.into());
    map.insert("diff".to_owned(), json!(lines));
    Json::Object(map)
}

fn file(file: &FileDiff) -> Json {
    json!({"change": file_change(file.change), "file": file.path, "diff": file.lines, "hidden": file.hidden})
}
