//! Operations of JSON patches that Envoy Gateway refuses.

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::{has, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"patch-operation", Error, "An operation of a JSON patch that Envoy Gateway refuses.",
    r#"
The operations of an EnvoyPatchPolicy, and of the `bootstrap` of an EnvoyProxy, are those of JSON Patch (RFC
6902). A `path` begins with `/`, and has a `/` before each key; in a key, `~1` stands for `/` and `~0` for
`~`. `add`, `replace` and `test` need a `value` and no `from`, `move` and `copy` need a `from` and no `value`,
and `remove` has neither. The CRD accepts everything; the controller refuses the patch, and tells that only in
the status of the policy.

## Wrong

```yaml
operation: { op: add, path: per_connection_buffer_limit_bytes, value: 32768 }
```

## Right

```yaml
operation: { op: add, path: /per_connection_buffer_limit_bytes, value: 32768 }
```
"#
}

/// Reports operations that are no operations of JSON Patch.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let spec = || Pointer::root().key("spec");
    let patches = context.of_kind(ENVOY_GATEWAY, "EnvoyPatchPolicy");
    let patches = patches.map(|it| (it.object, spec().key("jsonPatches"), true));
    let proxies = context.of_kind(ENVOY_GATEWAY, "EnvoyProxy");
    let bootstrap = spec().key("bootstrap").key("jsonPatches");
    let proxies = proxies.map(|it| (it.object, bootstrap.clone(), false));
    let mut found: Vec<Diagnostic> = Vec::new();
    for (object, place, is_nested) in patches.chain(proxies) {
        let entries = object.node.at(&place).and_then(Node::as_list);
        for (at, entry) in entries.unwrap_or_default().iter().enumerate() {
            let place = place.index(at);
            let (operation, place) = match is_nested {
                true => (entry.get("operation"), place.key("operation")),
                false => (Some(entry), place),
            };
            let one = operation.and_then(|it| wrong(object, it, &place));
            found.extend(one.filter(|one| !found.contains(one)));
        }
    }
    found
}

fn wrong(object: &Object, operation: &Node, place: &Pointer) -> Option<Diagnostic> {
    let op = text(operation, &["op"])?;
    let path = operation.get("path").and_then(Node::as_str);
    let tell = |place: Pointer, message: String, help: String| {
        let why = match object.kind() {
            "EnvoyProxy" => {
                "the controller refuses the EnvoyProxy, and its gateways are not programmed"
            }
            _ => "the controller refuses the patch, and Envoy stays as it is",
        };
        Some(finding(CODE, object, &place, message).why(why).help(help))
    };
    for (key, pointer) in [
        ("path", path),
        ("from", operation.get("from").and_then(Node::as_str)),
    ] {
        let Some(pointer) = pointer.filter(|it| !variable::in_text(it)) else {
            continue;
        };
        // Below the places that a `jsonPath` finds, the first `/` may be missing.
        let may_be_relative = key == "path" && has(operation, &["jsonPath"]);
        if !pointer.is_empty() && !pointer.starts_with('/') && !may_be_relative {
            return tell(
                place.key(key),
                format!("the path `{pointer}` doesn't begin with `/`"),
                format!("write `{}`", as_pointer(pointer)),
            );
        }
        let mut escapes = pointer.split('~').skip(1);
        if escapes.any(|rest| !rest.starts_with(['0', '1'])) {
            return tell(
                place.key(key),
                format!("the path `{pointer}` has a `~` that is followed by neither `0` nor `1`"),
                "write `~1` for a `/` in a key, and `~0` for a `~`".to_owned(),
            );
        }
    }
    if path.is_none() && !has(operation, &["jsonPath"]) {
        return tell(
            place.clone(),
            format!("the operation `{op}` has no `path`"),
            "add the `path` of the value, or a `jsonPath`".to_owned(),
        );
    }
    let has_value = operation.get("value").is_some();
    let has_from = has(operation, &["from"]);
    let (needs_value, needs_from) = match op {
        "add" | "replace" | "test" => (true, false),
        "move" | "copy" => (false, true),
        "remove" => (false, false),
        _ => return None,
    };
    for (key, is_there, is_needed) in [
        ("value", has_value, needs_value),
        ("from", has_from, needs_from),
    ] {
        match (is_there, is_needed) {
            (false, true) => {
                return tell(
                    place.clone(),
                    format!("the operation `{op}` has no `{key}`"),
                    format!("add `{key}`"),
                );
            }
            (true, false) => {
                return tell(
                    place.key(key),
                    format!("the operation `{op}` can't have `{key}`"),
                    format!("remove `{key}`, or use another operation"),
                );
            }
            _ => {}
        }
    }
    None
}

/// A path that is written in another way, as a JSON pointer: `a.b[0].c` as `/a/b/0/c`.
fn as_pointer(path: &str) -> String {
    if path.contains('/') {
        return format!("/{path}");
    }
    let parts = path.split(['.', '[', ']', '$']);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn with(operation: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata: {{name: a, namespace: network}}
spec: {{jsonPatches: [{{operation: {{{operation}}}}}]}}
"
        );
        let found = told(check, "1.9.0", &[("a.yaml", &text)]);
        let start = "error envoy/patch-operation /spec/jsonPatches/0/operation";
        let short = |one: &String| one.replace(start, "");
        found.iter().map(short).collect()
    }

    #[test]
    fn operations_are_those_of_json_patch() {
        for right in [
            "op: add, path: /a/b, value: 1",
            "op: add, path: '', value: {name: a}",
            "op: add, jsonPath: '..a', path: b, value: 1",
            "op: replace, path: /a~1b, value: null",
            "op: remove, path: /a",
            "op: move, from: /a, path: /b",
        ] {
            assert_eq!(with(right), [""; 0], "{right}");
        }
        for (wrong, message) in [
            (
                "op: add, path: a.b, value: 1",
                "/path: the path `a.b` doesn't begin with `/`",
            ),
            ("op: add, value: 1", ": the operation `add` has no `path`"),
            (
                "op: add, path: /a~2b, value: 1",
                "/path: the path `/a~2b` has a `~` that is followed by neither `0` nor `1`",
            ),
            (
                "op: replace, path: /a",
                ": the operation `replace` has no `value`",
            ),
            (
                "op: remove, path: /a, value: 1",
                "/value: the operation `remove` can't have `value`",
            ),
            (
                "op: copy, path: /a, value: 1",
                "/value: the operation `copy` can't have `value`",
            ),
            ("op: move, path: /a", ": the operation `move` has no `from`"),
        ] {
            assert_eq!(with(wrong), [message], "{wrong}");
        }
    }
}
