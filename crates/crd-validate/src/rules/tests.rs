//! Findings on small schemas and on the embedded ones.

use crate::Passes;
use crate::schema::import::{self, Keep};
use crate::schema::lock::Locked;
use crate::schema::{Catalogue, Lookup, Selection, Set};
use manifest::diagnostic::Sources;
use manifest::{self, Object};

/// A catalogue with one kind, `Thing`, whose `spec` has the given schema.
///
/// The function `frobnicate` doesn't exist, so an import refuses it. It is there as in a file of an earlier version, which
/// didn't.
fn things(spec: &str) -> Catalogue {
    let readable = spec.replace(".frobnicate()", ".reverse()");
    let crd = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  group: example.com\n  \
         names: {{kind: Thing, plural: things}}\n  scope: Cluster\n  versions:\n  - name: v1\n    served: \
         true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n\
         \x20         spec:\n            type: object\n{readable}"
    );
    let mut sources = Sources::default();
    let id = sources.add("crd.yaml", crd.as_str());
    let (documents, problems) = manifest::read(&sources, id);
    assert_eq!(problems, []);
    let text = import::compile(&documents[0].node, Keep::Messages).expect("a CRD");
    let text = text.replace(".reverse()", ".frobnicate()");
    let mut catalogue = Catalogue::empty();
    let set = Set::new("things", "1.0.0", None);
    let listed = Locked::new(&set, "widgets.json".to_owned(), &text, "widgets.yaml", "");
    catalogue.add(&listed, text).expect("a compiled file");
    catalogue
}

/// The findings on a manifest: `LINE:COLUMN code POINTER: message`.
fn said(catalogue: &Catalogue, text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let id = sources.add("thing.yaml", text);
    let (mut documents, problems) = manifest::read(&sources, id);
    assert_eq!(problems, []);
    let object = Object::new(documents.remove(0).node, "thing.yaml");
    let selection = Selection::newest(catalogue);
    let lookup = catalogue.look_up(&selection, object.group(), object.version(), object.kind());
    let Lookup::Known(schema) = lookup else {
        panic!("no schema: {text}");
    };
    let found = Passes::new(catalogue).check(&object, &schema);
    let lines = found.into_iter().map(|it| {
        assert!(it.why.is_some() && it.help.is_some() && it.object.is_some());
        let place = sources.locate(it.span.expect("a place"));
        let pointer = it.pointer.unwrap_or_default();
        format!(
            "{}:{} {} {pointer}: {}",
            place.line, place.column, it.code, it.message
        )
    });
    lines.collect()
}

/// The findings on a `Thing` with the given `spec`, which is on line 4.
fn of_thing(schema: &str, spec: &str) -> Vec<String> {
    let head = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: thing}\n";
    said(&things(schema), &format!("{head}spec: {spec}"))
}

#[test]
fn a_rule_that_fails_is_found_where_it_stands() {
    let schema = "
            x-kubernetes-validations:
              - {rule: self.min <= self.max, message: min is above max}
              - {rule: \"self.min != 7\", fieldPath: .min, messageExpression: \"'not ' + string(self.min)\"}
            properties:
              min: {type: integer, default: 0}
              max: {type: integer, default: 10}
              list:
                type: array
                items: {type: object, properties: {a: {type: string, x-kubernetes-validations: [{rule: self != 'x'}]}}}
";
    assert_eq!(of_thing(schema, "{min: 3}"), Vec::<String>::new());
    assert_eq!(
        of_thing(schema, "{min: 11}"),
        ["4:7 rule/failed /spec: `spec`: min is above max"]
    );
    assert_eq!(
        of_thing(schema, "{min: 7}"),
        ["4:13 rule/failed /spec/min: `spec`: not 7"]
    );
    assert_eq!(
        of_thing(schema, "{list: [{a: w}, {a: x}]}"),
        ["4:27 rule/failed /spec/list/1/a: `spec.list[1].a` breaks a rule of Thing: `self != 'x'`"]
    );
}

#[test]
fn the_hundredth_object_of_a_kind_is_judged_as_the_first() {
    let catalogue = things(
        "
            properties:
              silent: {type: object, properties: {a: {type: string}}}
              list:
                type: array
                items: {type: object, additionalProperties: {type: string, x-kubernetes-validations: [{rule: self != 'x'}]}}
",
    );
    let head = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: thing}\n";
    for _ in 0..100 {
        assert_eq!(
            said(
                &catalogue,
                &format!("{head}spec: {{silent: {{a: x}}, list: [{{a: w}}, {{b: x}}]}}")
            ),
            [
                "4:43 rule/failed /spec/list/1/b: `spec.list[1].b` breaks a rule of Thing: `self != 'x'`"
            ]
        );
    }
}

#[test]
fn types_are_those_of_the_schema() {
    let schema = "
            x-kubernetes-validations:
              - rule: self.ratio == 1.0 && type(self.ratio) == double && self.ratio in [1.0]
              - rule: type(self.count) == int && type(self.port) in [int, string]
              - rule: self.wait > duration('1s') && self.day > timestamp('2024-01-01T00:00:00Z')
              - rule: size(self.blob) == 2
              - rule: self.__namespace__ == 'a' && self.x__dash__y__dot__z == 'b' && self.a__underscores__b == 'c'
              - rule: self.labels['x-y'] == 'd' && self.labels.all(k, k.startsWith('x'))
              - rule: '!has(self.note)'
            properties:
              ratio: {type: number}
              count: {type: integer}
              port: {x-kubernetes-int-or-string: true}
              wait: {type: string, format: duration}
              day: {type: string, format: date}
              blob: {type: string, format: byte}
              namespace: {type: string}
              x-y.z: {type: string}
              a__b: {type: string}
              labels: {type: object, additionalProperties: {type: string}}
              note: {type: string, nullable: true}
";
    let spec = "{ratio: 1, count: 3.0, port: 80, wait: 1m, day: '2024-02-29', blob: aGk=, namespace: a, x-y.z: b, \
                a__b: c, labels: {x-y: d}, note: null}";
    assert_eq!(of_thing(schema, spec), Vec::<String>::new());
}

#[test]
fn an_object_inside_an_object_says_what_it_is() {
    let schema = "
            properties:
              inner:
                type: object
                x-kubernetes-embedded-resource: true
                x-kubernetes-preserve-unknown-fields: true
                x-kubernetes-validations:
                  - rule: self.kind == 'Secret' && self.metadata.name == 'a' && !has(self.metadata.labels)
";
    let inner =
        "{inner: {apiVersion: v1, kind: Secret, metadata: {name: a, labels: {b: c}}, data: {}}}";
    assert_eq!(of_thing(schema, inner), Vec::<String>::new());
    assert_eq!(
        of_thing(schema, "{inner: {kind: Secret}}"),
        ["4:15 schema/required /spec/inner/apiVersion: `spec.inner.apiVersion` is missing"]
    );
}

#[test]
fn rules_on_changes_run_where_they_ask_to() {
    let schema = "
            x-kubernetes-validations:
              - rule: self.a == oldSelf.a
              - {rule: \"oldSelf.hasValue() || self.a == 'x'\", optionalOldSelf: true, message: start with x}
              - rule: \"self.a != 'oldSelf'\"
            properties: {a: {type: string}}
";
    assert_eq!(of_thing(schema, "{a: x}"), Vec::<String>::new());
    assert_eq!(
        of_thing(schema, "{a: w}"),
        ["4:7 rule/failed /spec: `spec`: start with x"]
    );
}

#[test]
fn a_rule_that_can_not_be_read_or_evaluated_is_never_passed_over() {
    let schema = "
            x-kubernetes-validations:
              - rule: self.a.frobnicate()
              - rule: self.missing > 1
              - rule: size(self.a)
            properties: {a: {type: string}, missing: {type: integer}}
";
    assert_eq!(
        of_thing(schema, "{a: x}"),
        [
            "4:7 rule/unreadable /spec: a rule on `spec` can't be parsed: there is no function `frobnicate` with these arguments",
            "4:7 rule/unreadable /spec: a rule on `spec` can't be evaluated: no such key: missing",
            "4:7 rule/unreadable /spec: a rule on `spec` can't be evaluated: its result is int, not bool",
        ]
    );
}

#[test]
fn a_rule_that_takes_too_much_work_is_stopped() {
    let schema = "
            x-kubernetes-validations:
              - rule: self.l.all(a, self.l.all(b, self.l.all(c, a + b + c > 0)))
            properties: {l: {type: array, items: {type: integer}}}
";
    let items = vec!["1"; 300].join(", ");
    assert_eq!(
        of_thing(schema, &format!("{{l: [{items}]}}")),
        ["4:7 rule/unreadable /spec: a rule on `spec` takes too much work"]
    );
}

#[test]
fn a_flux_variable_leaves_open_only_what_hangs_on_it() {
    let schema = "
            x-kubernetes-validations:
              - {rule: \"self.host.endsWith('.example.com')\", message: another domain}
              - {rule: \"self.mode == 'b' || self.host == 'a'\", message: host or mode}
              - {rule: \"has(self.host) && self.mode != 'c'\", message: no c}
            properties: {host: {type: string}, mode: {type: string}}
";
    let of = |mode: &str| of_thing(schema, &format!("{{host: '${{HOST}}', mode: {mode}}}"));
    assert_eq!(of("b"), Vec::<String>::new());
    assert_eq!(of("d"), Vec::<String>::new());
    assert_eq!(of("c"), ["4:7 rule/failed /spec: `spec`: no c"]);
}

#[test]
fn rules_run_where_the_structure_lets_the_api_server_run_them() {
    let schema = "
            x-kubernetes-validations: [{rule: \"self.a != 'bad'\", message: bad}]
            properties: {a: {type: string, pattern: ^x}, n: {type: integer}}
";
    let codes = |spec: &str| -> Vec<String> {
        let words = of_thing(schema, spec);
        words
            .iter()
            .filter_map(|it| it.split(' ').nth(1).map(str::to_owned))
            .collect()
    };
    assert_eq!(codes("{a: bad}"), ["schema/value", "rule/failed"]);
    assert_eq!(codes("{a: bad, n: text}"), ["schema/value", "schema/type"]);
}

/// The messages on changing a `Thing` with one `spec` to one with another.
fn changing(schema: &str, before: &str, after: &str) -> Vec<String> {
    let catalogue = things(schema);
    let thing = |spec: &str| {
        let text = format!(
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {spec}\n"
        );
        let mut sources = Sources::default();
        let id = sources.add("thing.yaml", text.as_str());
        let (mut documents, _) = manifest::read(&sources, id);
        Object::new(documents.remove(0).node, "thing.yaml")
    };
    let selection = Selection::newest(&catalogue);
    let Lookup::Known(schema) = catalogue.look_up(&selection, "example.com", "v1", "Thing") else {
        panic!("the kind is known");
    };
    let found = Passes::new(&catalogue).check_change(&thing(before), &thing(after), &schema);
    found
        .into_iter()
        .map(|it| it.pointer.unwrap_or_default())
        .collect()
}

#[test]
fn rules_on_changes_see_the_earlier_value() {
    let schema = "
            properties:
              name: {type: string, x-kubernetes-validations: [{rule: self == oldSelf}]}
              first: {type: string, x-kubernetes-validations: [{rule: \"oldSelf.hasValue() && self == oldSelf.value() || self == 'a'\", optionalOldSelf: true}]}
              set: {type: array, x-kubernetes-list-type: set, items: {type: string}}
              list:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [k]
                items:
                  type: object
                  required: [k]
                  properties:
                    k: {type: string, default: z}
                    v: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf}]}
              open:
                type: object
                additionalProperties: {type: integer, x-kubernetes-validations: [{rule: self >= oldSelf}]}
";
    let none: [&str; 0] = [];
    for (before, after, want) in [
        ("{name: a}", "{name: a, set: [b]}", &none[..]),
        ("{name: a}", "{name: b}", &["/spec/name"]),
        ("{}", "{name: b}", &none),
        ("{name: a}", "{}", &none),
        (
            "{list: [{k: a, v: 2}, {k: b, v: 1}]}",
            "{list: [{k: b, v: 1}, {k: a, v: 1}]}",
            &["/spec/list/1/v"],
        ),
        (
            "{list: [{v: 2}]}",
            "{list: [{k: z, v: 1}]}",
            &["/spec/list/0/v"],
        ),
        ("{list: [{k: a, v: 2}]}", "{list: [{k: b, v: 1}]}", &none),
        (
            "{open: {a: 2, b: 1}}",
            "{open: {a: 1, b: 1, c: 0}}",
            &["/spec/open/a"],
        ),
        ("{name: '${A}'}", "{name: b}", &none),
        ("{first: x}", "{first: x, set: [a]}", &none),
    ] {
        assert_eq!(changing(schema, before, after), want, "{before} to {after}");
    }
}

#[test]
fn metadata_is_checked_as_the_api_server_checks_it() {
    let thing = |metadata: &str| {
        let text = format!("apiVersion: example.com/v1\nkind: Thing\nmetadata: {metadata}");
        let said = said(&things(""), &text);
        let cut = said.iter().filter_map(|it| it.split_once(' '));
        cut.map(|(_, words)| words.to_owned()).collect::<Vec<_>>()
    };
    for fine in [
        "{name: a.b-c}",
        "{name: a, generateName: a-}",
        "{name: '${NAME}', labels: {'${KEY}': '${A:=a b}'}}",
        "{name: a, labels: {example.com/A_b: '', b: v1.2}, annotations: {Example.com/a: any text}}",
        "{name: a, finalizers: [example.com/a], creationTimestamp: null}",
        "{name: a, ownerReferences: [{apiVersion: v1, kind: K, name: o, uid: u, controller: true}]}",
    ] {
        assert_eq!(thing(fine), Vec::<String>::new(), "{fine}");
    }
    let wrong: &[(&str, &[&str])] = &[
        (
            "{}",
            &["schema/required /metadata/name: `metadata.name` is missing"],
        ),
        (
            "{name: A_b}",
            &["schema/metadata /metadata/name: `metadata.name` can't be \"A_b\""],
        ),
        (
            "{name: a, namespace: b}",
            &[
                "schema/metadata /metadata/namespace: Thing is cluster-scoped, but `metadata.namespace` is set",
            ],
        ),
        (
            "{name: a, labels: {-a: b, c: d e}}",
            &[
                "schema/metadata /metadata/labels/-a: `metadata.labels` can't have the key \"-a\"",
                "schema/metadata /metadata/labels/c: the label `c` can't be \"d e\"",
            ],
        ),
        (
            "{name: a, lables: {}}",
            &[
                "schema/unknown-field /metadata/lables: `metadata.lables` is not a field of `metadata`",
            ],
        ),
        (
            "{name: 1}",
            &["schema/type /metadata/name: `metadata.name` must be a string"],
        ),
        (
            "{name: a, finalizers: [a b], ownerReferences: [{kind: K, name: o, apiVersion: v1, x: 1}]}",
            &[
                "schema/required /metadata/ownerReferences/0/uid: `metadata.ownerReferences[0].uid` is missing",
                "schema/unknown-field /metadata/ownerReferences/0/x: `metadata.ownerReferences[0].x` is not a field \
                 of an owner",
                "schema/metadata /metadata/finalizers/0: `metadata.finalizers[0]` can't be \"a b\"",
            ],
        ),
    ];
    for (metadata, words) in wrong {
        assert_eq!(thing(metadata), *words, "{metadata}");
    }
    let large = format!("{{name: a, annotations: {{a: {}}}}}", "x".repeat(262_144));
    assert_eq!(
        thing(&large),
        ["schema/metadata /metadata/annotations: `metadata.annotations` has 262145 bytes"]
    );
}

#[test]
fn names_that_become_part_of_dns_names_are_labels() {
    let catalogue = Catalogue::embedded();
    let of = |kind: &str, name: &str| {
        said(
            &catalogue,
            &format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}"),
        )
        .len()
    };
    assert_eq!(of("Namespace", "network"), 0);
    assert_eq!(of("Namespace", "a.b"), 1);
    assert_eq!(of("Namespace", "_"), 0, "kustomize fills it in");
    assert_eq!(of("ConfigMap", "a.b"), 0);
    assert_eq!(of("ConfigMap", "_"), 1);
}

#[test]
fn a_rule_that_looks_for_an_absent_field_speaks_in_the_tables_words() {
    let text = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: envoy}\nspec:\n  \
                gatewayClassName: envoy\n  listeners:\n  - {name: https, port: 443, protocol: HTTPS, tls: {mode: \
                Terminate}}";
    let said = said(&Catalogue::embedded(), text);
    assert!(
        matches!(said.as_slice(), [one] if one.contains("rule/failed /spec/listeners/0/tls: ")),
        "{said:?}"
    );
}

#[test]
fn the_pages_examples_are_wrong_and_right() {
    use crate::codes;
    let catalogue = Catalogue::embedded();
    for code in [codes::RULE_FAILED, codes::SCHEMA_METADATA] {
        let yaml = code
            .page()
            .split("```")
            .filter_map(|it| it.strip_prefix("yaml\n"));
        let found: Vec<bool> = yaml
            .map(|block| {
                let mut text = format!("apiVersion: gateway.networking.k8s.io/v1\n{block}");
                if !block.contains("metadata:") {
                    text.push_str("metadata: {name: example}\n");
                }
                let said = said(&catalogue, &text);
                said.iter().any(|it| it.contains(code.as_str()))
            })
            .collect();
        assert_eq!(found, [true, false], "{code}");
    }
}

#[test]
fn every_rule_of_the_catalogue_can_be_read() {
    let catalogue = Catalogue::embedded();
    let mut count = 0;
    for entry in catalogue.entries() {
        let compiled = entry.compiled().expect("a compiled file");
        for id in 0..compiled.node_count() {
            let id = crate::schema::node::NodeId(u32::try_from(id).expect("a number"));
            for rule in &compiled.node(id).rules {
                let read = super::program::Program::read(&rule.rule);
                assert!(read.is_ok(), "{}: {}: {read:?}", entry.kind, rule.rule);
                count += 1;
            }
        }
    }
    assert!(count > 1000, "{count}");
}
