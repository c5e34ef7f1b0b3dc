//! The exact findings on small schemas and on the embedded ones.

use super::Structure;
use crate::Request;
use crate::kind;
use crate::schema::import::{self, Keep};
use crate::schema::lock::Locked;
use crate::schema::{Catalogue, Lookup, Selection, Set};
use manifest::diagnostic::{Severity, Sources};
use manifest::{self, Object};

/// A catalogue with one kind, `Thing`, whose `spec` has the given properties.
fn things(spec: &str) -> Catalogue {
    things_changed(spec, |text| text)
}

/// The same, with changes to the compiled text.
fn things_changed(spec: &str, change: impl Fn(String) -> String) -> Catalogue {
    let crd = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  group: example.com\n  \
         names: {{kind: Thing, plural: things}}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: \
         true\n    storage: true\n    subresources: {{status: {{}}}}\n    schema:\n      openAPIV3Schema:\n        \
         type: object\n        properties:\n          status: {{type: object, required: [a], properties: {{a: \
         {{type: string}}}}}}\n          spec:\n            type: object\n{spec}"
    );
    let mut sources = Sources::default();
    let id = sources.add("crd.yaml", crd.as_str());
    let (documents, problems) = manifest::read(&sources, id);
    assert_eq!(problems, []);
    let text = import::compile(&documents[0].node, Keep::Facts).expect("a CRD");
    let text = change(text);
    let mut catalogue = Catalogue::empty();
    let set = Set::new("things", "1.0.0", None);
    let listed = Locked::new(&set, "widgets.json".to_owned(), &text, "widgets.yaml", "");
    catalogue.add(&listed, text).expect("a compiled file");
    catalogue
}

/// The findings on a manifest: `LINE:COLUMN code: message; help`.
fn said(catalogue: &Catalogue, selection: &Selection, text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let id = sources.add("thing.yaml", text);
    let (mut documents, problems) = manifest::read(&sources, id);
    assert_eq!(problems, []);
    let object = Object::new(documents.remove(0).node, "thing.yaml");
    let found = catalogue.look_up(selection, object.group(), object.version(), object.kind());
    let mut findings: Vec<_> = kind::check(&object, &found).into_iter().collect();
    if let Lookup::Known(schema) = found {
        findings.extend(Structure::new(catalogue).check(&object, &schema, Request::default()));
    }
    findings
        .into_iter()
        .map(|it| {
            let place = sources.locate(it.span.expect("a place"));
            assert!(it.why.is_some() && it.object.is_some() && it.pointer.is_some());
            let help = it.help.expect("a help");
            let severity = match it.severity {
                Severity::Error => "",
                other => &format!("{} ", other.as_str()),
            };
            let (line, column) = (place.line, place.column);
            format!(
                "{line}:{column} {severity}{}: {}; {help}",
                it.code, it.message
            )
        })
        .collect()
}

#[test]
fn a_value_whose_pattern_cant_be_used_is_not_taken_for_right() {
    let spec = "            properties: {a: {type: string, pattern: ^x$}}\n";
    let object = "apiVersion: example.com/v1\nkind: Thing\nspec: {a: b}\n";
    for (pattern, problem) in [
        ("(", "is not a valid regular expression"),
        (
            "((a{1,1000}){1,1000}){1,1000}",
            "is too large to be compiled",
        ),
    ] {
        let catalogue = things_changed(spec, |text| text.replace("^x$", pattern));
        let selection = Selection::newest(&catalogue);
        for _ in 0..3 {
            assert_eq!(
                said(&catalogue, &selection, object),
                [format!(
                    "3:11 schema/unreadable: `spec.a` can't be checked: its pattern {problem}; \
                     the pattern in the CustomResourceDefinition is `{pattern}`"
                )]
            );
        }
    }
}

/// The findings on a `Thing` with the given `spec`, indented by two.
fn of_thing(schema: &str, spec: &str) -> Vec<String> {
    let catalogue = things(schema);
    let selection = Selection::newest(&catalogue);
    let text = format!("apiVersion: example.com/v1\nkind: Thing\nspec:\n{spec}");
    said(&catalogue, &selection, &text)
}

const FIELDS: &str = "
            required: [name]
            properties:
              name: {type: string, minLength: 2, maxLength: 4, pattern: '^[a-zé]+$'}
              count: {type: integer, minimum: 1, maximum: 3}
              ratio: {type: number, minimum: 0, exclusiveMinimum: true, multipleOf: 0.5}
              on: {type: boolean}
              port: {x-kubernetes-int-or-string: true}
              mode: {type: string, enum: [Fast, Slow], default: Fast}
              answer: {type: string, enum: ['Yes', 'No']}
              address: {type: string, format: ipv4}
              note: {type: string, nullable: true}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: integer}}}
              labels: {type: object, maxProperties: 1, additionalProperties: {type: string}}
              timeout: {type: object, properties: {request: {type: string}, idle: {type: string}}}
              tags: {type: array, maxItems: 2, x-kubernetes-list-type: set, items: {type: string}}
              ports:
                type: array
                minItems: 1
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port, protocol]
                items:
                  type: object
                  required: [port]
                  properties: {port: {type: integer}, protocol: {type: string, default: TCP}}
";

#[test]
fn what_the_schema_allows_is_not_spoken_of() {
    for spec in [
        "  {name: éa, count: 3.0, ratio: 1.5, on: true, port: 80, mode: Slow, address: 10.10.30.26}",
        "  {name: ab, port: http, note: null, free: {any: [1], known: 2}, labels: {a: b}}",
        "  {name: ab, tags: [a, b]}",
        "  {name: ab, ports: [{port: 53}, {port: 53, protocol: UDP}]}",
        "  {name: '${NAME}', count: '${COUNT:=3}', on: '${ON}', address: '${A}', mode: '${M/./-}'}",
        "  {name: 'prefix-${NAME}-that-is-long', '${KEY}': 1}",
    ] {
        assert_eq!(of_thing(FIELDS, spec), Vec::<String>::new(), "{spec}");
    }
}

#[test]
fn a_null_is_refused_by_apply_and_dropped_by_create() {
    let catalogue = things(FIELDS);
    let selection = Selection::newest(&catalogue);
    let count = |spec: &str, request: Request| {
        let text = format!(
            "apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {spec}\n"
        );
        let mut sources = Sources::default();
        let id = sources.add("thing.yaml", text.as_str());
        let (mut documents, _) = manifest::read(&sources, id);
        let object = Object::new(documents.remove(0).node, "thing.yaml");
        let found = catalogue.look_up(&selection, "example.com", "v1", "Thing");
        let Lookup::Known(schema) = found else {
            panic!("the kind is known");
        };
        let examined = Structure::new(&catalogue).examine(&object, &schema, request);
        examined.findings.len()
    };
    for (spec, by_apply, by_create) in [
        ("{name: ab, count: null, mode: null}", 1, 0),
        ("{name: ab, note: null}", 0, 0),
        ("{name: ab, ports: [{port: 53, protocol: null}]}", 0, 0),
        ("{name: null}", 1, 1),
        ("{name: ab, labels: {a: null}}", 1, 0),
        ("{name: ab, free: {any: null}}", 0, 0),
    ] {
        assert_eq!(count(spec, Request::Apply), by_apply, "{spec}");
        assert_eq!(count(spec, Request::Create), by_create, "{spec}");
    }
}

#[test]
fn wrong_types_say_what_to_write() {
    let spec = "
  name: 12
  count: '3'
  ratio: fast
  on: 'true'
  port: 1.5
  answer: no
  labels: [a]
  tags: a
";
    assert_eq!(
        of_thing(FIELDS, spec),
        [
            "5:9 schema/type: `spec.name` must be a string, not a number; put it in quotes, as it is written",
            "6:10 schema/type: `spec.count` must be an integer, not a string; write it without quotes: `3`",
            "7:10 schema/type: `spec.ratio` must be a number, not a string; write a number",
            "8:7 schema/type: `spec.on` must be `true` or `false`, not a string; write it without quotes: `true`",
            "9:9 schema/type: `spec.port` must be an integer or a string, not a number with a fraction; write a \
             number, or a string in quotes",
            "10:11 schema/value: `spec.answer` can't be \"no\"; write `No`; the allowed values are `Yes` and `No`",
            "11:11 schema/type: `spec.labels` must be a map, not a list; write keys, without the `-` before them",
            "12:9 schema/type: `spec.tags` must be a list, not a string; write a list: `- ` before each entry",
        ]
    );
}

#[test]
fn values_out_of_bounds_say_the_bounds() {
    let spec = "
  name: Abcdé
  count: 4
  ratio: 0
  mode: fast
  address: 10.10.30.256
  labels: {a: b, c: d}
  ports: []
  tags: [a, b, a]
";
    assert_eq!(
        of_thing(FIELDS, spec),
        [
            "5:9 schema/value: `spec.name` has 5 characters; give at most 4 characters",
            "5:9 schema/value: `spec.name` can't be \"Abcdé\"; write a string that matches `^[a-zé]+$`",
            "6:10 schema/value: `spec.count` can't be 4; write at least 1 and at most 3",
            "7:10 schema/value: `spec.ratio` can't be 0; write more than 0",
            // To the API server, no integer is a multiple of a number below 1.
            "7:10 schema/value: `spec.ratio` can't be 0; write a multiple of 0.5",
            "8:9 schema/value: `spec.mode` can't be \"fast\"; write `Fast`; the allowed values are `Fast` and `Slow`",
            "9:12 schema/value: `spec.address` can't be \"10.10.30.256\"; write an IPv4 address, like \
             `10.10.30.26`",
            "10:11 schema/value: `spec.labels` has 2 keys; give at most 1 key",
            "11:10 schema/value: `spec.ports` is empty; give at least 1 entry",
            "12:9 schema/value: `spec.tags` has 3 entries; give at most 2 entries",
            "12:16 schema/list-key: `spec.tags[2]` is \"a\", which is at [0] already; remove one of the two",
        ]
    );
}

#[test]
fn missing_fields_and_repeated_keys_are_found() {
    let spec = "
  name: null
  ports:
    - protocol: TCP
    - port: 53
    - port: 53
      protocol: TCP
";
    assert_eq!(
        of_thing(FIELDS, spec),
        [
            "5:9 schema/type: `spec.name` must be a string, not null; write a string, or remove the entry",
            "7:7 schema/required: `spec.ports[0].port` is missing; add `port:`, an integer",
            "9:7 schema/list-key: `spec.ports[2]` has port: 53, protocol: \"TCP\", the same as [1]; give each \
             entry a key of its own, or remove one of the two",
        ]
    );
}

#[test]
fn an_unknown_field_is_named_or_placed() {
    let spec = "
  name: ab
  cuont: 1
  idle: 1s
  timeout:
    mode: Fast
    Request: 1s
    frobnicate: true
  free: {any: 1, known: x}
";
    assert_eq!(
        of_thing(FIELDS, spec),
        [
            "6:3 schema/unknown-field: `spec.cuont` is not a field of Thing; write `count`",
            "7:3 schema/unknown-field: `spec.idle` is not a field of Thing; it belongs under `spec.timeout`",
            "9:5 schema/unknown-field: `spec.timeout.mode` is not a field of Thing; it belongs under `spec`",
            "10:5 schema/unknown-field: `spec.timeout.Request` is not a field of Thing; write `request`",
            "11:5 schema/unknown-field: `spec.timeout.frobnicate` is not a field of Thing; remove it; the fields here \
             are `idle` and `request`",
            "12:25 schema/type: `spec.free.known` must be an integer, not a string; write an integer",
        ]
    );
}

const FORMS: &str = "
            properties:
              either: {type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{required: [a]}, {required: [b]}]}
              some: {type: object, properties: {a: {type: string}, b: {type: string}}, anyOf: [{required: [a]}, {required: [b]}]}
              never: {type: object, properties: {a: {type: string}, b: {type: string}}, not: {required: [a, b]}}
              size: {x-kubernetes-int-or-string: true, anyOf: [{type: integer, maximum: 3}, {type: string, maxLength: 1}]}
              address: {type: string, anyOf: [{format: ipv4}, {format: ipv6}]}
              both: {type: string, allOf: [{maxLength: 3}, {pattern: '^[a-z]*$'}]}
              told:
                type: object
                properties: {type: {type: string, default: IP}, value: {type: string}}
                oneOf:
                - properties: {type: {enum: [IP]}, value: {format: ipv4}}
                - properties: {type: {not: {enum: [IP]}}}
";

#[test]
fn combinations_say_which_fields_go_together() {
    let spec = "
  either: {a: x, b: z}
  some: {}
  never: {a: x, b: z}
  size: 4
  address: here
  both: ABCD
  told: {type: IP, value: x}
";
    assert_eq!(
        of_thing(FORMS, spec),
        [
            "5:11 schema/combination: `spec.either` has `a` and `b`, but only one of them is allowed; keep one of \
             them",
            "6:9 schema/combination: `spec.some` needs one of several fields, but has none of them; add `a` or `b`",
            "7:10 schema/combination: `spec.never` can't have `a` with `b`; remove the fields that exclude the others",
            "8:9 schema/value: `spec.size` can't be 4; write at most 3",
            "9:12 schema/combination: `spec.address` has none of its allowed forms; write an IPv4 \
             address, like `10.10.30.26` or an IPv6 address, like `fd00::26`",
            "10:9 schema/value: `spec.both` has 4 characters; give at most 3 characters",
            "10:9 schema/value: `spec.both` can't be \"ABCD\"; write a string that matches `^[a-z]*$`",
            "11:27 schema/value: `spec.told.value` can't be \"x\"; write an IPv4 address, like `10.10.30.26`",
        ]
    );
    let right = "  {either: {a: x}, some: {b: z}, never: {a: x}, size: s, address: 'fd00::1', \
                 told: {type: Name, value: x}}";
    assert_eq!(of_thing(FORMS, right), Vec::<String>::new());
    let by_default = of_thing(FORMS, "  told: {value: x}");
    assert_eq!(
        by_default.len(),
        1,
        "the default of `type` counts: {by_default:?}"
    );
}

#[test]
fn metadata_is_a_map_with_texts_and_the_status_is_not_checked() {
    let catalogue = things(FIELDS);
    let selection = Selection::newest(&catalogue);
    let text = "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: a\n  labels: {on: true}\n  \
                annotations: [a]\nsops: {mac: x}\nstatus: {b: 1}\nextra: 1\nspec: {name: 'ENC[AES256_GCM,x]', \
                count: 'ENC[AES256_GCM,y,type:int]'}\n";
    assert_eq!(
        said(&catalogue, &selection, text),
        [
            "5:16 schema/type: `metadata.labels.on` must be a string, not a boolean; put it in quotes, as it is \
             written; unquoted, `yes`, `no`, `on`, `off`, `y` and `n` are booleans to kubectl, and strings to kustomize and Flux",
            "6:16 schema/type: `metadata.annotations` must be a map, not a list; write keys, without the `-` \
             before them",
            "8:10 schema/unknown-field: `status.b` is not a field of Thing; write `a`",
            "9:1 schema/unknown-field: `extra` is not a field of Thing; remove it; the fields here are `spec` and \
             `status`",
        ]
    );
}

#[test]
fn an_object_of_nothing_but_mistakes_gets_a_hundred_findings() {
    let spec: String = (0..5000).map(|n| format!("  x{n}: 1\n")).collect();
    assert_eq!(of_thing(FIELDS, &spec).len(), 100);
}

fn under(versions: &[(&str, &str, Option<&str>)], text: &str) -> Vec<String> {
    let catalogue = Catalogue::embedded();
    let mut selection = Selection::newest(&catalogue);
    for (project, version, channel) in versions {
        selection
            .declare(&catalogue, project, version, *channel, "cluster.toml")
            .expect("a version");
    }
    said(&catalogue, &selection, text)
}

const POLICY: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: all}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-external}]
  compressor: [{type: Zstd}]
";

#[test]
fn a_field_of_a_later_version_names_it() {
    let eg = "envoy-gateway";
    assert_eq!(
        under(&[(eg, "1.5.9", None)], POLICY),
        [
            "6:3 schema/unknown-field: `spec.compressor` needs Envoy Gateway 1.6.0 or later; cluster.toml declares \
             1.5.9; move to Envoy Gateway 1.6.0, or remove the field"
        ]
    );
    assert_eq!(under(&[(eg, "1.9.0", None)], POLICY), Vec::<String>::new());
}

#[test]
fn a_value_of_another_version_names_it() {
    let eg = "envoy-gateway";
    let old = POLICY.replace("compressor", "compression");
    assert_eq!(
        under(&[(eg, "1.5.9", None)], &old),
        [
            "6:24 schema/value: \"Zstd\" in `spec.compression[0].type` needs Envoy Gateway 1.6.0 or later; \
             cluster.toml declares 1.5.9; move to Envoy Gateway 1.6.0, or write another value"
        ]
    );
    let proxy = "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyProxy\nmetadata: {name: x}\nspec: \
                 {provider: {type: Custom}}\n";
    let said = under(&[(eg, "1.9.0", None)], proxy);
    assert!(
        said[0].contains(
            "\"Custom\" in `spec.provider.type` was removed in Envoy Gateway 1.9.0; 1.5.9 had it"
        ),
        "{said:?}"
    );
}

#[test]
fn a_field_of_the_other_channel_names_it() {
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nspec:\n  rules:\n    - sessionPersistence: {}\n";
    assert_eq!(
        under(&[("gateway-api", "1.6.1", Some("standard"))], route),
        [
            "5:7 schema/unknown-field: `spec.rules[0].sessionPersistence` is only in the experimental channel of Gateway API \
             1.6.1; install the experimental channel, or remove the field"
        ]
    );
}

#[test]
fn a_kind_that_is_not_there_says_what_is() {
    let of = |api: &str, kind: &str, version: &str| {
        let text = format!(
            "apiVersion: {api}\nkind: {kind}\nspec: {{rules: [{{backendRefs: [{{name: ssh, port: 22}}]}}]}}\n"
        );
        under(&[("envoy-gateway", version, None)], &text)
    };
    let gateway = "gateway.networking.k8s.io";
    assert_eq!(
        of(&format!("{gateway}/v1"), "TCPRoute", "1.8.3"),
        [
            "1:13 schema/unknown-kind: gateway.networking.k8s.io/v1 TCPRoute needs Gateway API 1.6.1 or later; \
             Envoy Gateway 1.8.3 brings 1.5.1; write `apiVersion: gateway.networking.k8s.io/v1alpha2`"
        ]
    );
    assert_eq!(
        of(&format!("{gateway}/v1"), "ListenerSet", "1.7.5"),
        [
            "1:13 schema/unknown-kind: gateway.networking.k8s.io/v1 ListenerSet needs Gateway API 1.5.1 or later; \
             Envoy Gateway 1.7.5 brings 1.4.1; move to Gateway API 1.5.1, or remove the object"
        ]
    );
    assert_eq!(
        of(&format!("{gateway}/v1"), "HTTPRuote", "1.9.0"),
        [
            "2:7 schema/unknown-kind: no schema for gateway.networking.k8s.io/v1 HTTPRuote; did you mean `kind: \
             HTTPRoute`?"
        ]
    );
    assert_eq!(
        of("example.com/v1", "Widget", "1.9.0"),
        [
            "2:7 note schema/unchecked-kind: no schema for example.com/v1 Widget; import its CRD with `gatewayctl \
             schemas import`"
        ]
    );
    assert_eq!(
        of(&format!("{gateway}/v1alpha2"), "HTTPRoute", "1.9.0"),
        [
            "1:13 schema/unknown-kind: gateway.networking.k8s.io/v1alpha2 HTTPRoute was removed: Gateway API 0.8 stopped \
             serving it; write `apiVersion: gateway.networking.k8s.io/v1`, and compare the fields"
        ]
    );
    assert_eq!(
        of(&format!("{gateway}/v1alpha2"), "TCPRoute", "1.9.0"),
        [
            "1:13 warning schema/deprecated-version: gateway.networking.k8s.io/v1alpha2 TCPRoute is deprecated in \
             Gateway API 1.6.1; write `apiVersion: gateway.networking.k8s.io/v1`"
        ]
    );
    assert_eq!(
        of("networking.k8s.io/v1", "Gateway", "1.9.0"),
        [
            "2:7 schema/unknown-kind: no schema for networking.k8s.io/v1 Gateway; Gateway exists in the \
             group `gateway.networking.k8s.io`; did you mean that one?"
        ]
    );
}

#[test]
fn the_pages_examples_are_wrong_and_right() {
    use crate::codes;
    use manifest::diagnostic::Code;
    let whole = |code: Code, block: &str| {
        let api = match () {
            () if block.contains("apiVersion:") => "",
            () if block.contains("kind: Cilium") => "apiVersion: cilium.io/v2\n",
            () if block.contains("kind: Gateway") => "apiVersion: gateway.networking.k8s.io/v1\n",
            () => "apiVersion: gateway.envoyproxy.io/v1alpha1\n",
        };
        let text = format!("{api}{block}");
        let version = [("envoy-gateway", "1.8.3", None)];
        let said = under(&version, &text);
        said.iter().any(|it| it.contains(&format!(" {code}: ")))
    };
    let elsewhere = [
        codes::SCHEMA_IMMUTABLE,
        codes::SCHEMA_METADATA,
        codes::SCHEMA_UNREADABLE,
    ];
    let codes = codes::DECLARED.iter().copied();
    for code in codes.filter(|code| code.group() == "schema" && !elsewhere.contains(code)) {
        let blocks: Vec<&str> = code.page().split("```").collect();
        let yaml: Vec<&str> = blocks
            .iter()
            .filter_map(|it| it.strip_prefix("yaml\n"))
            .collect();
        let [wrong, right] = yaml.as_slice() else {
            panic!("{code}: a wrong and a right example");
        };
        assert!(whole(code, wrong), "{code}: the wrong example is found");
        assert!(!whole(code, right), "{code}: the right one is not");
    }
}
