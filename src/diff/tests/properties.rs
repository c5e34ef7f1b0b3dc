//! Properties that hold for any two objects.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use super::object;
use crate::diff::{
    Content, Diff, FieldChange, FieldDiff, File, Value, diff, json, markdown, terminal,
};
use manifest::value::{Kind, Node, Pointer};

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (0..4i64).prop_map(Json::from),
        "[a-c]{0,2}".prop_map(Json::from),
        "[a-b\n]{0,6}".prop_map(Json::from),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-d]",
        Just("name".to_owned()),
        Just("parentRefs".to_owned()),
        Just("kind".to_owned())
    ]
}

fn map(value: impl Strategy<Value = Json> + Clone) -> impl Strategy<Value = Json> {
    prop::collection::btree_map(key(), value, 0..4)
        .prop_map(|map| Json::Object(map.into_iter().collect()))
}

/// Trees of maps and scalars only.
fn maps() -> impl Strategy<Value = Json> {
    map(scalar().prop_recursive(4, 24, 4, map))
}

/// Trees with lists, some of which have keys.
fn tree() -> impl Strategy<Value = Json> {
    let value = scalar().prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            map(inner.clone()),
            prop::collection::vec(inner, 0..5).prop_map(Json::Array)
        ]
    });
    map(value)
}

fn named(mut tree: Json) -> Node {
    if let Some(map) = tree.as_object_mut() {
        map.insert("kind".to_owned(), Json::from("Any"));
        map.insert("metadata".to_owned(), serde_json::json!({"name": "it"}));
    }
    Node::from_json(tree)
}

fn compared(old: &Json, new: &Json) -> Diff {
    let side = |tree: &Json| {
        let object = object("a.yaml", named(tree.clone()));
        [File {
            path: "a.yaml".to_owned(),
            content: Content::Objects(vec![object]),
        }]
    };
    diff(&side(old), &side(new), None)
}

fn fields(diff: &Diff) -> impl Iterator<Item = &FieldDiff> {
    diff.objects.iter().flat_map(|object| &object.fields)
}

/// The same tree with the keys of every map in reverse order.
fn reversed(tree: &Json) -> Json {
    match tree {
        Json::Object(map) => Json::Object(
            map.iter()
                .rev()
                .map(|(key, value)| (key.clone(), reversed(value)))
                .collect::<Map<_, _>>(),
        ),
        Json::Array(items) => items.iter().map(reversed).collect(),
        scalar => scalar.clone(),
    }
}

/// All scalars, with their pointers.
fn leaves(node: &Node, at: &Pointer, found: &mut Vec<(String, String)>) {
    match &node.kind {
        Kind::Map(map) => map
            .iter()
            .for_each(|(key, value)| leaves(value, &at.key(key), found)),
        Kind::List(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| leaves(item, &at.index(index), found));
        }
        _ => found.push((at.to_string(), node.to_json().to_string())),
    }
}

/// The text of a value, independent of the order of its keys.
fn text(value: &Value) -> String {
    let mut json = seen(value).to_json();
    json.sort_all_objects();
    json.to_string()
}

fn seen(value: &Value) -> &Node {
    match value {
        Value::Shown(node) => node,
        Value::Hidden => panic!("nothing here is secret"),
    }
}

/// The change of a field with its sides swapped, without what depends on the direction.
fn swapped(field: &FieldDiff, swap: bool) -> String {
    let kind = match (&field.change, swap) {
        (FieldChange::Added(value), false) | (FieldChange::Removed(value), true) => {
            format!("added {}", text(value))
        }
        (FieldChange::Removed(value), false) | (FieldChange::Added(value), true) => {
            format!("removed {}", text(value))
        }
        (FieldChange::Changed { old, new, .. }, false)
        | (
            FieldChange::Changed {
                old: new, new: old, ..
            },
            true,
        ) => {
            format!("changed {} {}", text(old), text(new))
        }
        (FieldChange::Reordered { .. }, _) => "reordered".to_owned(),
    };
    // The index of a moved list entry in a path is that of the new side.
    let path: String = field.path.chars().filter(|c| !c.is_ascii_digit()).collect();
    format!("{path} {kind}")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_differs_from_itself(tree in tree()) {
        prop_assert!(compared(&tree, &tree).is_empty());
    }

    #[test]
    fn the_order_of_keys_is_ignored(old in tree(), new in tree()) {
        prop_assert!(compared(&old, &reversed(&old)).is_empty());
        let sorted = |diff: Diff| {
            let mut all: Vec<String> = fields(&diff).map(|field| swapped(field, false)).collect();
            all.sort();
            all
        };
        prop_assert_eq!(sorted(compared(&old, &new)), sorted(compared(&reversed(&old), &reversed(&new))));
    }

    #[test]
    fn every_difference_is_found(old in tree(), new in tree()) {
        prop_assert_eq!(compared(&old, &new).is_empty(), named(old) == named(new));
    }

    #[test]
    fn every_changed_leaf_is_reported_once(old in maps(), new in maps()) {
        let (mut was, mut is) = (Vec::new(), Vec::new());
        leaves(&named(old.clone()), &Pointer::root(), &mut was);
        leaves(&named(new.clone()), &Pointer::root(), &mut is);
        let (mut gone, mut come) = (Vec::new(), Vec::new());
        for field in fields(&compared(&old, &new)) {
            match &field.change {
                FieldChange::Added(value) => leaves(seen(value), &field.pointer, &mut come),
                FieldChange::Removed(value) => leaves(seen(value), &field.pointer, &mut gone),
                FieldChange::Changed { old, new, .. } => {
                    leaves(seen(old), &field.pointer, &mut gone);
                    leaves(seen(new), &field.pointer, &mut come);
                }
                FieldChange::Reordered { .. } => prop_assert!(false, "there is no list"),
            }
        }
        let minus = |a: &[(String, String)], b: &[(String, String)]| {
            let mut left: Vec<_> = a.iter().filter(|leaf| !b.contains(leaf)).cloned().collect();
            left.sort();
            left
        };
        gone.sort();
        come.sort();
        prop_assert_eq!(gone, minus(&was, &is));
        prop_assert_eq!(come, minus(&is, &was));
    }

    #[test]
    fn pointers_lead_to_what_they_report(old in tree(), new in tree()) {
        let (was, is) = (named(old.clone()), named(new.clone()));
        let mut pointers = BTreeMap::<(String, bool), usize>::new();
        for field in fields(&compared(&old, &new)) {
            let (there, value) = match &field.change {
                FieldChange::Added(value) | FieldChange::Changed { new: value, .. } => (is.at(&field.pointer), value),
                FieldChange::Removed(value) => (was.at(&field.pointer), value),
                FieldChange::Reordered { .. } => continue,
            };
            prop_assert_eq!(there, Some(seen(value)), "{}", field.path);
            let side = matches!(field.change, FieldChange::Removed(_));
            *pointers.entry((field.pointer.to_string(), side)).or_default() += 1;
        }
        prop_assert!(pointers.values().all(|count| *count == 1));
    }

    #[test]
    fn swapping_sides_swaps_what_is_added_and_removed(old in tree(), new in tree()) {
        let sorted = |diff: Diff, swap| {
            let mut all: Vec<String> = fields(&diff).map(|field| swapped(field, swap)).collect();
            all.sort();
            all
        };
        prop_assert_eq!(sorted(compared(&old, &new), false), sorted(compared(&new, &old), true));
    }

    #[test]
    fn no_format_panics_or_lets_an_escape_through(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}", name in "\\PC{0,10}") {
        let tree = serde_json::json!({"data": {"k": text.clone(), text.clone(): 1}, "metadata": {"name": name}});
        let path = text.replace('\0', "");
        let file = File { path, content: Content::Objects(vec![object("a", Node::from_json(tree))]) };
        let other = File { path: "b".to_owned(), content: Content::Opaque(text.into_bytes()) };
        let diff = diff(&[], &[file, other], None);
        let shown = [terminal::text(&diff, false), markdown::markdown(&diff)];
        prop_assert!(shown.iter().all(|text| !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')));
        prop_assert!(json::json(&diff)["schema"] == json::FORMAT);
    }
}
