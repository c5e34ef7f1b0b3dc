//! The kinds in a document, and what their fields require.

use serde_json::{Value, json};

use super::facts::BYTES;
use super::*;
use crate::schema::compiled::Compiled;
use crate::schema::node::{Schema, Type};

/// A document as a server returns it: two versions of a Kubernetes kind with a status, a kind of a CRD, a request
/// that is not stored, and a subresource.
fn document() -> Value {
    let operation = |group: &str, version: &str, kind: &str| {
        let name = json!({"group": group, "version": version, "kind": kind});
        json!({"x-kubernetes-group-version-kind": name})
    };
    let both = |group: &str, version: &str, kind: &str| json!({"get": operation(group, version, "Lists"), "post": operation(group, version, kind)});
    let object = |group: &str, version: &str, kind: &str, spec: Value| {
        let name = json!({"group": group, "version": version, "kind": kind});
        json!({
            "description": "Prose.\n\nDeprecated: prose.",
            "type": "object",
            "required": ["spec"],
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
                "spec": spec,
            },
            "x-kubernetes-group-version-kind": [name],
        })
    };
    let refer = |name: &str| json!({"$ref": format!("#/definitions/{name}")});
    json!({
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.37.2"},
        "paths": {
            "/apis/mill/v1/namespaces/{namespace}/mills": both("mill", "v1", "Mill"),
            "/apis/mill/v1/namespaces/{namespace}/mills/{name}/status": {},
            "/apis/mill/v1/namespaces/{namespace}/mills/{name}/stop": both("mill", "v1", "Stop"),
            "/apis/mill/v1/mills": {"get": operation("mill", "v1", "MillList")},
            "/apis/mill/v1alpha1/namespaces/{namespace}/mills": both("mill", "v1alpha1", "Mill"),
            "/apis/mill/v1/reviews": {"post": operation("mill", "v1", "Review")},
            "/apis/example.com/v1/widgets": both("example.com", "v1", "Widget"),
        },
        "definitions": {
            "io.k8s.api.mill.v1.Mill": object("mill", "v1", "Mill", refer("io.k8s.api.mill.v1.Spec")),
            "io.k8s.api.mill.v1alpha1.Mill": object("mill", "v1alpha1", "Mill", json!({"type": "object"})),
            "io.k8s.api.mill.v1.Review": object("mill", "v1", "Review", json!({"type": "object"})),
            "io.k8s.api.mill.v1.Stop": object("mill", "v1", "Stop", json!({"type": "object"})),
            "com.example.v1.Widget": object("example.com", "v1", "Widget", json!({
                "type": "object",
                "x-kubernetes-validations": [{"rule": "true", "message": "Prose."}],
                "properties": {
                    "key": {"type": "string", "format": "byte", "default": ""},
                    "list": {"type": "array", "items": {"type": "string"}},
                },
            })),
            "io.k8s.api.mill.v1.Spec": {
                "type": "object",
                "properties": {
                    "again": refer("io.k8s.api.mill.v1.Spec"),
                    "args": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "atomic"},
                    "any": refer("io.k8s.apimachinery.pkg.runtime.RawExtension"),
                    "cpu": refer("io.k8s.apimachinery.pkg.api.resource.Quantity"),
                    "key": {"type": "string", "format": "byte", "default": ""},
                    "pods": {
                        "type": "array",
                        "items": refer("io.k8s.api.core.v1.ServicePort"),
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["port", "protocol"],
                        "x-kubernetes-patch-strategy": "merge",
                    },
                    "size": {"type": "integer", "format": "int32", "description": "Prose."},
                    "socket": refer("io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
                    "values": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
            "io.k8s.api.core.v1.ServicePort": {
                "type": "object",
                "required": ["port"],
                "properties": {
                    "port": {"type": "integer", "format": "int32"},
                    "protocol": {"type": "string"},
                },
            },
            "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {"type": "object"},
            "io.k8s.apimachinery.pkg.runtime.RawExtension": {"type": "object"},
            "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
            "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": "string", "format": "int-or-string"},
        },
    })
}

fn compiled(document: Value) -> Result<Vec<Compiled>, Error> {
    let texts = compile(&Node::from_json(document), Keep::Facts)?;
    let files = texts.into_iter().map(Compiled::read);
    Ok(files.map(|file| file.expect("a compiled file")).collect())
}

/// The node in the kind's last version, by the names of fields.
fn at<'a>(kind: &'a Compiled, path: &[&str]) -> &'a Schema {
    let version = kind.header().versions.last().expect("a version");
    let step = |node: &'a Schema, name: &&str| match *name {
        "[]" => kind.node(node.items.expect("a list")),
        name => kind.node(node.child(name).expect(name)),
    };
    path.iter().fold(kind.node(version.root), step)
}

fn error(document: Value) -> String {
    compiled(document).expect_err("refused").to_string()
}

#[test]
fn kinds_that_can_be_created_and_read_back_become_files() {
    let kinds = compiled(document()).expect("kinds");
    let headers: Vec<&Header> = kinds.iter().map(Compiled::header).collect();
    let told = |header: &Header| {
        let version = |it: &KindVersion| {
            let deprecated = if it.deprecated { " deprecated" } else { "" };
            let status = if it.status { " with status" } else { "" };
            format!("{}{deprecated}{status}", it.name)
        };
        let versions: Vec<String> = header.versions.iter().map(version).collect();
        let (group, plural, scope) = (&header.group, &header.plural, header.scope);
        format!("{group} {plural} {scope:?}: {}", versions.join(", "))
    };
    assert_eq!(
        headers.into_iter().map(told).collect::<Vec<_>>(),
        [
            "example.com widgets Cluster: v1",
            "mill mills Namespaced: v1alpha1 deprecated, v1 deprecated with status",
        ],
        "a CRD's prose deprecates nothing"
    );
}

#[test]
fn a_release_serves_no_alpha_version_until_it_is_told_to() {
    let mut document = document();
    document["info"]["version"] = json!("unversioned");
    let kinds = compiled(document).expect("kinds");
    let versions = &kinds[1].header().versions;
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].name, "v1");
}

#[test]
fn fields_are_read_as_go_reads_them() {
    let kinds = compiled(document()).expect("kinds");
    let mill = |path: &[&str]| at(&kinds[1], path);
    assert_eq!(mill(&[]).required, ["spec"]);
    assert_eq!(mill(&["metadata"]).type_, Some(Type::Object));
    let size = mill(&["spec", "size"]);
    assert_eq!(size.format.as_deref(), Some("int32"));
    assert!(mill(&["spec", "socket"]).int_or_string);
    assert!(mill(&["spec", "any"]).preserve_unknown_fields);
    assert!(
        mill(&["spec", "again"]).preserve_unknown_fields,
        "recursive"
    );
    assert!(!mill(&["spec"]).is_open());
    let cpu = mill(&["spec", "cpu"]);
    assert_eq!((cpu.type_, cpu.any_of.len()), (None, 2));
    let key = mill(&["spec", "key"]);
    assert_eq!(key.format.as_deref(), Some(BYTES));
    assert_eq!(key.default, None, "Go's zero value is not a default");
    assert!(mill(&["spec", "args", "[]"]).nullable);
    assert!(
        !mill(&["spec", "values", "any"]).nullable,
        "a null field is dropped"
    );
}

#[test]
fn what_the_server_asks_and_does_not_publish_is_there() {
    let kinds = compiled(document()).expect("kinds");
    let pods = at(&kinds[1], &["spec", "pods"]);
    assert_eq!(pods.list_map_keys, ["port", "protocol"]);
    let port = at(&kinds[1], &["spec", "pods", "[]", "port"]);
    assert_eq!(port.maximum, Some(65535.into()));
    let protocol = at(&kinds[1], &["spec", "pods", "[]", "protocol"]);
    assert_eq!(protocol.default, Some(json!("TCP")));
    assert!(protocol.enumeration.contains(&json!("SCTP")));
    assert!(
        !at(&kinds[1], &["spec", "pods", "[]"]).nullable,
        "it requires a port"
    );
}

#[test]
fn what_is_published_and_not_asked_is_left_out() {
    for (of, field, is_left_out) in [
        ("api.rbac.v1.RoleRef", "apiGroup", true),
        ("api.rbac.v1.RoleRef", "name", false),
        ("api.apps.v1.DeploymentSpec", "selector", false),
    ] {
        assert_eq!(
            facts::is_not_enforced(Some(of), field),
            is_left_out,
            "{of} {field}"
        );
    }
}

#[test]
fn a_crds_kind_is_what_its_schema_says() {
    let kinds = compiled(document()).expect("kinds");
    let spec = at(&kinds[0], &["spec"]);
    assert_eq!(spec.rules.len(), 1);
    assert_eq!(spec.rules[0].message, None);
    let key = at(&kinds[0], &["spec", "key"]);
    assert_eq!(key.format.as_deref(), Some("byte"));
    assert_eq!(key.default, Some(json!("")));
    assert!(!at(&kinds[0], &["spec", "list", "[]"]).nullable);
}

#[test]
fn a_document_that_cannot_be_read_says_why() {
    assert_eq!(
        error(json!({"openapi": "3.0.0"})),
        "the OpenAPI document has version 3.0.0; only version 2.0 is supported"
    );
    assert_eq!(
        error(json!({"swagger": "2.0"})),
        "the OpenAPI document has no kind that can be created"
    );
    let mut lost = document();
    lost["definitions"]["io.k8s.api.mill.v1.Spec"]["properties"]["args"] =
        json!({"type": "array", "items": {"$ref": "#/definitions/lost"}});
    assert_eq!(
        error(lost),
        "io.k8s.api.mill.v1.Mill.spec.args.items: the document has no definition `lost`"
    );
    let mut wrong = document();
    wrong["definitions"]["io.k8s.api.mill.v1.Spec"]["properties"]["size"] =
        json!({"type": "whole"});
    let said = error(wrong);
    assert!(
        said.starts_with(
            "io.k8s.api.mill.v1.Mill.spec.size: not a structural schema: unknown variant `whole`"
        ),
        "{said}"
    );
}

#[test]
fn a_document_without_an_end_is_refused() {
    let mut deep = document();
    for index in 0..200 {
        let next = format!("#/definitions/d{}", index + 1);
        deep["definitions"][format!("d{index}")] =
            json!({"type": "object", "properties": {"a": {"$ref": next}}});
    }
    deep["definitions"]["io.k8s.api.mill.v1.Mill"]["properties"]["spec"] =
        json!({"$ref": "#/definitions/d0"});
    let said = error(deep);
    assert!(
        said.ends_with("a: nested deeper than in any known kind"),
        "{said}"
    );
}
