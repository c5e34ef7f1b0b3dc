//! A difference for programs.

use serde_json::{Map, Value as Json, json};

use super::model::{Change, Diff, FieldChange, FieldDiff, FileDiff, ObjectDiff, Value};
use super::secret::HIDDEN;
use super::shown::file_change;
use envoy_gateway::exposure;

/// The format's name. Keys are added to it, never renamed or dropped.
pub const FORMAT: &str = "gatewayctl/diff/v1";

/// The difference as JSON:
///
/// - `schema`: [`FORMAT`].
/// - `summary`: `added`, `removed`, `changed`, `moved` (objects, each counted once), `fields`, `files`.
/// - `exposure`: what is exposed now, or no longer, each with `change`, `direction` (`wider`, `other`, `narrower`),
///   `gateway`, `subjects` (hostnames or listeners) and `message`.
/// - `objects`: each with `change` (`added`, `removed`, `changed`, `moved`), `object` (`apiVersion`, `kind`,
///   `namespace`, `name`), `file`, `from` (of a moved one, else null), `fields`, and `content` (the whole
///   object, of one that was added or removed, else null).
/// - a field: `change` (`added`, `removed`, `changed`, `reordered`), `pointer` (RFC 6901, in the object after
///   the change, or before it where it was removed), `path` (as people read it), `old`, `new` (null where there is
///   none; of a reordered list the names of the entries that are on both sides), `hidden` (whether
///   a value is a secret, for which `(hidden)` stands), `diff` (hunks of a unified diff, of texts of several
///   lines, else null).
/// - `files`: opaque files, each with `change`, `file`, `diff` (null where one is no text), `hidden` (whether it is
///   not shown since it may hold a Secret).
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

/// A field that differs, as [`json`] has it.
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
