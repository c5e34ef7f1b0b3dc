//! Tests of what counts as a difference.

use super::{file, of_texts, opaque};
use crate::diff::{Change, Content, FieldChange, File, ListKeys, Value, diff};
use manifest::value::Pointer;

const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: envoy-external, namespace: network}
";

/// The changed fields in a gateway's `spec`, as `pointer path`.
fn paths(old: &str, new: &str) -> Vec<String> {
    let diff = of_texts(&format!("{GATEWAY}{old}"), &format!("{GATEWAY}{new}"));
    let fields = diff.objects.iter().flat_map(|object| &object.fields);
    fields
        .map(|field| format!("{} {}", field.pointer, field.path))
        .collect()
}

#[test]
fn order_of_maps_and_style_of_strings_are_ignored() {
    let old = "spec:\n  a: 'x'\n  b: \"on\"\n  c: {d: 1, e: 2.0}\n  f: |-\n    one\n    two\n";
    let new = "spec:\n  c:\n    e: 2\n    d: 0x1\n  f: \"one\\ntwo\"\n  b: 'on' # said\n  a: x\n";
    assert_eq!(paths(old, new), [""; 0]);
}

#[test]
fn whole_numbers_past_two_to_the_53_differ() {
    assert_eq!(
        paths("spec: {a: 9007199254740993}", "spec: {a: 9007199254740992}"),
        ["/spec/a spec.a"]
    );
}

#[test]
fn listeners_are_matched_by_name_and_their_order_is_one_change() {
    let old = "spec: {listeners: [{name: http, port: 80}, {name: https, port: 443}]}";
    let new = "spec: {listeners: [{name: https, port: 8443}, {name: http, port: 80}]}";
    assert_eq!(
        paths(old, new),
        [
            "/spec/listeners spec.listeners",
            "/spec/listeners/0/port spec.listeners[https].port"
        ]
    );
}

#[test]
fn keys_of_the_schema_are_looked_up_by_pointer() {
    let text = |first: u8, second: u8| {
        format!("{GATEWAY}spec: {{list: [{{id: {first}, name: a}}, {{id: {second}, name: b}}]}}")
    };
    let (old, new) = ([file("a.yaml", &text(1, 2))], [file("a.yaml", &text(2, 1))]);
    let keys: &ListKeys = &|object, pointer| {
        (object.kind() == "Gateway" && *pointer == Pointer::root().key("spec").key("list"))
            .then(|| vec!["id".to_owned()])
    };
    let changes = diff(&old, &new, Some(keys)).objects.remove(0).fields;
    let paths: Vec<&str> = changes.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(
        paths,
        ["spec.list", "spec.list[2].name", "spec.list[1].name"]
    );
}

#[test]
fn a_new_version_of_a_kind_is_a_field() {
    let old =
        "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: {name: ssh}\n";
    let diff = of_texts(old, &old.replace("v1alpha2", "v1"));
    assert_eq!(diff.objects[0].fields[0].pointer.to_string(), "/apiVersion");
    assert_eq!(diff.objects.len(), 1);
    let other_group = of_texts(old, &old.replace("networking", "other"));
    assert_eq!(other_group.objects.len(), 2);
}

#[test]
fn an_object_in_another_file_has_moved() {
    let (old, new) = (
        file("a.yaml", GATEWAY),
        file("b.yaml", &format!("{GATEWAY}spec: {{x: 1}}\n")),
    );
    let diff = diff(&[old], &[new], None);
    assert_eq!(diff.objects.len(), 1);
    assert_eq!(
        diff.objects[0].change,
        Change::Moved {
            from: "a.yaml".to_owned(),
            to: "b.yaml".to_owned()
        }
    );
    assert_eq!(diff.objects[0].fields.len(), 1);
}

#[test]
fn objects_without_a_name_are_matched_only_in_their_file() {
    let text = |entry: &str| {
        format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [{entry}]\n"
        )
    };
    let old = [
        file("a/kustomization.yaml", &text("x")),
        file("b/kustomization.yaml", &text("y")),
    ];
    let new = [
        file("b/kustomization.yaml", &text("y")),
        file("c/kustomization.yaml", &text("x")),
    ];
    let diff = diff(&old, &new, None);
    let changes: Vec<_> = diff
        .objects
        .iter()
        .map(|object| object.change.clone())
        .collect();
    let (a, c) = (
        "a/kustomization.yaml".to_owned(),
        "c/kustomization.yaml".to_owned(),
    );
    assert_eq!(
        changes,
        [Change::Removed { file: a }, Change::Added { file: c }]
    );
}

#[test]
fn the_same_object_twice_is_matched_within_its_file_first() {
    let old = [
        file("a.yaml", &format!("{GATEWAY}x: 1\n")),
        file("b.yaml", &format!("{GATEWAY}x: 2\n")),
    ];
    let new = [
        file("b.yaml", &format!("{GATEWAY}x: 2\n")),
        file("a.yaml", &format!("{GATEWAY}x: 1\n")),
    ];
    assert!(diff(&old, &new, None).is_empty());
}

#[test]
fn secrets_are_compared_and_not_shown() {
    let secret = |word: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\ndata: {{same: c2FtZQ==, other: {word}}}\nstringData: {{list: [{word}]}}\n"
        )
    };
    let diff = of_texts(&secret("b2xk"), &secret("bmV3"));
    let fields = &diff.objects[0].fields;
    assert_eq!(fields.len(), 2);
    for field in fields {
        let hidden = FieldChange::Changed {
            old: Value::Hidden,
            new: Value::Hidden,
            lines: None,
        };
        assert_eq!(field.change, hidden, "{}", field.path);
    }
    let added = super::diff(&[], &[file("a.yaml", &secret("bmV3"))], None);
    for diff in [diff, added] {
        let shown = [
            crate::diff::terminal::text(&diff, false),
            crate::diff::markdown::markdown(&diff),
            crate::diff::json::json(&diff).to_string(),
        ];
        for text in shown {
            assert!(
                text.contains("(hidden)") && !text.contains("bmV3") && !text.contains("b2xk"),
                "{text}"
            );
        }
    }
}

#[test]
fn opaque_files_are_compared_as_bytes() {
    let old = [
        opaque("a.lua", "one\n"),
        opaque("b.lua", "x"),
        opaque("same.lua", "s"),
    ];
    let new = [
        opaque("a.lua", "two\n"),
        opaque("c.lua", ""),
        opaque("same.lua", "s"),
    ];
    let diff = diff(&old, &new, None);
    let paths: Vec<&str> = diff.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a.lua", "b.lua", "c.lua"]);
    assert_eq!(
        diff.files[0].lines.as_deref(),
        Some("@@ -1 +1 @@\n-one\n+two\n")
    );
}

#[test]
fn documents_that_are_not_objects_are_compared_too() {
    assert_eq!(of_texts("[1, 2]", "[1, 3]").objects[0].fields.len(), 2);
    assert_eq!(of_texts("text", "3").objects[0].fields.len(), 1);
    assert_eq!(of_texts("- a", "a: 1").objects[0].fields.len(), 1);
}

#[test]
fn the_format_of_a_file_is_detected() {
    let kinds = [
        ("a.yaml", "kind: A\n---\nkind: B\n", Some(2)),
        ("a.JSON", "{\"kind\": \"A\"}", Some(1)),
        ("a.yaml", "", Some(0)),
        ("a.yaml", "kind: [", None),
        ("a.lua", "kind: A", None),
        ("yaml", "kind: A", None),
    ];
    for (path, text, want) in kinds {
        let found = match File::read(path, text.into()).content {
            Content::Objects(objects) => Some(objects.len()),
            Content::Opaque(_) => None,
        };
        assert_eq!(found, want, "{path}: {text:?}");
    }
}

#[test]
fn a_broken_manifest_of_a_secret_is_not_shown() {
    let broken = |word: &str| {
        [File::read(
            "a.yaml",
            format!("kind: Secret\ndata: {{a: {word}\n").into(),
        )]
    };
    let diff = diff(&broken("b2xk"), &broken("bmV3"), None);
    assert!(diff.files[0].hidden && diff.files[0].lines.is_none());
    assert!(crate::diff::terminal::text(&diff, false).contains("(hidden)"));
    assert_eq!(crate::diff::json::json(&diff)["files"][0]["hidden"], true);
}

#[test]
fn many_documents_without_a_name_are_compared_quickly() {
    let text = "---\n{a: 1}\n".repeat(9_000);
    let side = |extra: &str| [file("a.yaml", &format!("{text}{extra}"))];
    assert_eq!(
        diff(&side(""), &side("---\n{a: 2}\n"), None).objects.len(),
        1
    );
}
