//! JSON patches (RFC 6902), as kustomize applies them (with `evanphx/json-patch` v4).

use super::BuildPlace;
use super::fields::{is_blank, text};
use super::patch::{self, Patch};
use super::resource::size;
use super::selector::Selector;
use super::state::{Accumulator, Layer, State, maps};
use manifest::value::{Kind, Node};

/// Applies `patchesJson6902`.
pub(super) fn old_patches<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, all: &mut Accumulator) {
    for (pointer, entry) in maps(layer, "patchesJson6902") {
        let at = layer.spot(pointer);
        let has_name = entry
            .get("target")
            .is_some_and(|target| !text(target, "name").is_empty());
        let done = match patch::read(state, layer, entry, &at) {
            _ if !has_name => Err("the target needs a name".to_owned()),
            Ok(Some(Patch::Json(operations))) => {
                apply_to_target(state, &at, entry, &operations, all, false)
            }
            Ok(Some(Patch::Merge(_))) => Err("it is no JSON patch".to_owned()),
            Ok(None) => Ok(()),
            Err(message) => Err(message),
        };
        if let Err(message) = done {
            state.refuse(at, message);
        }
    }
}

/// Applies operations to all resources that the target of an entry selects.
pub(super) fn apply_to_target(
    state: &mut State<'_, '_>,
    at: &BuildPlace,
    entry: &Node,
    operations: &[Node],
    all: &mut Accumulator,
    remembers: bool,
) -> Result<(), String> {
    let Some(target) = entry
        .get("target")
        .filter(|target| target.as_map().is_some())
    else {
        return Err("a JSON patch needs a target".to_owned());
    };
    let selector = Selector::of(target)?;
    state.select(at, all.resources.iter().any(|one| selector.selects(one)));
    for resource in all.resources.iter_mut().filter(|one| selector.selects(one)) {
        if remembers {
            resource.remember();
        }
        if !state.spend(size(&resource.object.node), || at.clone()) {
            return Ok(());
        }
        let mut node = (*resource.object.node).clone();
        for operation in operations {
            let before = size(operation);
            apply(&mut node, operation, &mut |copied| {
                state.spend(copied + before, || at.clone())
            })?;
        }
        *resource.object.node = node;
    }
    Ok(())
}

/// Applies one operation. `spend` is asked before values are copied.
fn apply(
    node: &mut Node,
    operation: &Node,
    spend: &mut dyn FnMut(usize) -> bool,
) -> Result<(), String> {
    // Items of long lists are moved when one is added or removed.
    let length =
        find(node, text(operation, "path")).map_or(0, |(container, _)| match &container.kind {
            Kind::List(items) => items.len(),
            Kind::Map(map) => map.len(),
            _ => 0,
        });
    if !spend(length / 16) {
        return Err("it changes more values than any object has".to_owned());
    }
    let path = text(operation, "path");
    let value = || {
        let missing = || Node::new(Kind::Null, operation.span);
        operation.get("value").cloned().unwrap_or_else(missing)
    };
    match text(operation, "op") {
        "add" => add(node, path, value()),
        "remove" => remove(node, path).map(|_| ()),
        "replace" if path.is_empty() => {
            *node = value();
            Ok(())
        }
        "replace" => replace(node, path, value()),
        "move" => {
            let moved = remove(node, text(operation, "from"))?;
            add(node, path, moved)
        }
        "copy" => {
            let (container, key) = find(node, text(operation, "from"))?;
            let copied = get(container, &key)?.cloned();
            let copied = copied.unwrap_or_else(|| Node::new(Kind::Null, operation.span));
            if !spend(size(&copied)) {
                return Err("it copies more values than any object has".to_owned());
            }
            add(node, path, copied)
        }
        "test" => {
            let value = value();
            let is_same = match path {
                "" => *node == value,
                path => {
                    let (container, key) = find(node, path)?;
                    match get(container, &key)? {
                        Some(there) => *there == value,
                        None => is_blank(&value),
                    }
                }
            };
            is_same
                .then_some(())
                .ok_or_else(|| format!("the test of {path} fails"))
        }
        other => Err(format!("there is no operation {other:?}")),
    }
}

/// The map or list that contains the value at a path, and the last step.
fn find<'n>(node: &'n mut Node, path: &str) -> Result<(&'n mut Node, String), String> {
    let missing = || format!("there is nothing at {path:?}");
    let mut steps = path.split('/');
    steps.next();
    let mut steps: Vec<String> = steps
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    let last = steps.pop().ok_or_else(missing)?;
    let mut at = node;
    for step in steps {
        let below = match &mut at.kind {
            Kind::Map(map) => map.get_mut(&step),
            Kind::List(items) => {
                let index = index(&step, items.len())?;
                items.get_mut(index)
            }
            _ => None,
        };
        at = below.filter(|below| !is_blank(below)).ok_or_else(missing)?;
    }
    match at.kind {
        Kind::Map(_) | Kind::List(_) => Ok((at, last)),
        _ => Err(missing()),
    }
}

/// An index in a list; a negative one counts from the end.
fn index(step: &str, length: usize) -> Result<usize, String> {
    let wrong = || format!("there is no item {step:?} in the list");
    let number: i64 = step.parse().map_err(|_| wrong())?;
    let index = match usize::try_from(number) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    index.ok_or_else(wrong)
}

/// The value at a key or an index.
fn get<'n>(container: &'n Node, key: &str) -> Result<Option<&'n Node>, String> {
    match &container.kind {
        Kind::List(items) => {
            let item = items.get(index(key, items.len())?);
            item.map(Some)
                .ok_or_else(|| format!("there is no item {key:?} in the list"))
        }
        _ => Ok(container.get(key)),
    }
}

fn add(node: &mut Node, path: &str, value: Node) -> Result<(), String> {
    let (container, key) = find(node, path)?;
    match &mut container.kind {
        Kind::Map(map) => super::resource::set_value(map, &key, value),
        Kind::List(items) if key == "-" => items.push(value),
        Kind::List(items) => {
            // A negative index counts from the place after the end.
            let index = index(&key, items.len() + 1)?;
            if index > items.len() {
                return Err(format!("there is no place {key:?} in the list"));
            }
            items.insert(index, value);
        }
        _ => {}
    }
    Ok(())
}

fn remove(node: &mut Node, path: &str) -> Result<Node, String> {
    let (container, key) = find(node, path)?;
    let missing = || format!("there is nothing to remove at {path:?}");
    match &mut container.kind {
        Kind::Map(map) => map
            .remove(&key)
            .map(|entry| entry.value)
            .ok_or_else(missing),
        Kind::List(items) => {
            let index = index(&key, items.len())?;
            if index >= items.len() {
                return Err(missing());
            }
            Ok(items.remove(index))
        }
        _ => Err(missing()),
    }
}

/// Replaces a value. Like in kustomize's library, a key of a map may be missing.
fn replace(node: &mut Node, path: &str, value: Node) -> Result<(), String> {
    let (container, key) = find(node, path)?;
    match &mut container.kind {
        Kind::Map(map) => super::resource::set_value(map, &key, value),
        Kind::List(items) => {
            let index = index(&key, items.len())?;
            let there = items.get_mut(index);
            *there.ok_or_else(|| format!("there is no item {key:?} in the list"))? = value;
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn patched(value: Value, operations: Value) -> Result<Value, String> {
        let mut node = Node::from_json(value);
        let operations = Node::from_json(operations);
        for operation in operations.as_list().unwrap_or_default() {
            apply(&mut node, operation, &mut |_| true)?;
        }
        Ok(node.to_json())
    }

    #[test]
    fn every_operation_does_what_the_rfc_says() {
        let start = || json!({"a": {"b/c": 1}, "l": [1, 2], "n": null});
        for (operations, want) in [
            (
                json!([{"op": "add", "path": "/a/x", "value": {}}]),
                json!({"a": {"b/c": 1, "x": {}}, "l": [1, 2], "n": null}),
            ),
            (
                json!([{"op": "add", "path": "/l/-", "value": 3}]),
                json!({"a": {"b/c": 1}, "l": [1, 2, 3], "n": null}),
            ),
            (
                json!([{"op": "add", "path": "/l/0", "value": 0}]),
                json!({"a": {"b/c": 1}, "l": [0, 1, 2], "n": null}),
            ),
            (
                json!([{"op": "remove", "path": "/a/b~1c"}]),
                json!({"a": {}, "l": [1, 2], "n": null}),
            ),
            (
                json!([{"op": "remove", "path": "/l/-1"}]),
                json!({"a": {"b/c": 1}, "l": [1], "n": null}),
            ),
            (
                json!([{"op": "replace", "path": "/l/1", "value": 5}]),
                json!({"a": {"b/c": 1}, "l": [1, 5], "n": null}),
            ),
            (
                json!([{"op": "move", "from": "/l/0", "path": "/m"}]),
                json!({"a": {"b/c": 1}, "l": [2], "n": null, "m": 1}),
            ),
            (
                json!([{"op": "copy", "from": "/a", "path": "/l/0"}]),
                json!({"a": {"b/c": 1}, "l": [{"b/c": 1}, 1, 2], "n": null}),
            ),
            (json!([{"op": "test", "path": "/l/0", "value": 1}]), start()),
        ] {
            assert_eq!(
                patched(start(), operations.clone()),
                Ok(want),
                "{operations}"
            );
        }
        for operations in [
            json!([{"op": "add", "path": "/x/y", "value": 1}]),
            json!([{"op": "add", "path": "/n/y", "value": 1}]),
            json!([{"op": "add", "path": "/l/3", "value": 1}]),
            json!([{"op": "remove", "path": "/x"}]),
            json!([{"op": "replace", "path": "/l/2", "value": 1}]),
            json!([{"op": "test", "path": "/l/0", "value": 2}]),
            json!([{"op": "other", "path": "/l"}]),
        ] {
            assert!(
                patched(start(), operations.clone()).is_err(),
                "{operations}"
            );
        }
    }
}
