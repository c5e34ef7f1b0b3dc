//! Tests of the whole module: import, embedded files, selection and look-up.

use std::path::{Path, PathBuf};

use super::files::{self, Difference, Input};
use super::import::{self, Keep};
use super::lock::{Lock, Locked};
use super::node::{Additional, Type};
use super::*;
use manifest::diagnostic::Sources;
use manifest::value::{Node, Pointer};

const WIDGETS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          description: Prose.
          type: object
          required: [spec]
          properties:
            description: {type: string, description: A field that is called description.}
            spec:
              type: object
              properties:
                size: {type: integer, minimum: 1, format: int32, description: How large.}
                other: {type: integer, format: int32, minimum: 1}
                labels: {type: object, additionalProperties: {type: string}}
              x-kubernetes-validations:
                - {rule: "self.size > 0", message: Somebody's words, fieldPath: .size, reason: FieldValueInvalid}
    - name: v1beta1
      served: true
      storage: false
      deprecated: true
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties: {spec: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"#;

fn document(text: &str) -> Node {
    let mut sources = Sources::default();
    let id = sources.add("crd.yaml", text);
    let (mut documents, problems) = manifest::read(&sources, id);
    assert_eq!(problems, []);
    documents.remove(0).node
}

fn compiled(text: &str, keep: Keep) -> compiled::Compiled {
    let text = import::compile(&document(text), keep).expect("a CRD");
    compiled::Compiled::read(text).expect("a compiled file")
}

fn input(text: &str) -> Input {
    Input {
        path: "widgets/v1.0.0/widgets.yaml".to_owned(),
        text: text.to_owned(),
        set: Set::of_path("widgets/v1.0.0/widgets.yaml"),
    }
}

#[test]
fn a_compiled_file_holds_facts_and_no_prose() {
    let kind = compiled(WIDGETS, Keep::Facts);
    let header = kind.header();
    assert_eq!((header.kind.as_str(), header.versions.len()), ("Widget", 2));
    assert!(header.versions[0].status && header.versions[1].deprecated);
    let root = kind.node(header.versions[0].root);
    assert_eq!(root.required, ["spec"]);
    assert!(root.properties.contains_key("description"), "a field");
    let spec = kind.node(root.properties["spec"]);
    assert_eq!(spec.properties["size"], spec.properties["other"], "equal");
    assert_eq!(
        kind.node(spec.properties["size"]).type_,
        Some(Type::Integer)
    );
    let labels = kind.node(spec.properties["labels"]);
    assert!(matches!(
        labels.additional_properties,
        Some(Additional::Schema(_))
    ));
    assert_eq!(spec.rules[0].rule, "self.size > 0");
    assert_eq!(spec.rules[0].field_path.as_deref(), Some(".size"));
    assert_eq!(spec.rules[0].message, None);
    let kept = compiled(WIDGETS, Keep::Messages);
    let root = kept.node(kept.header().versions[0].root);
    let rule = &kept.node(root.properties["spec"]).rules[0];
    assert_eq!(rule.message.as_deref(), Some("Somebody's words"));
}

#[test]
fn a_schema_that_is_not_structural_is_refused_with_its_place() {
    let wrong = |from: &str, to: &str| {
        let text = WIDGETS.replace(from, to);
        let error = import::compile(&document(&text), Keep::Facts).expect_err("refused");
        error.to_string()
    };
    assert_eq!(
        wrong("minimum: 1, format", "minimun: 1, format"),
        "v1.properties.spec.properties.size: not a structural schema: unknown field `minimun`, expected one of \
         `type`, `format`, `nullable`, `x-kubernetes-int-or-string`, `x-kubernetes-preserve-unknown-fields`, \
         `x-kubernetes-embedded-resource`, `enum`, `default`, `minimum`, `exclusiveMinimum`, `maximum`, \
         `exclusiveMaximum`, `multipleOf`, `minLength`, `maxLength`, `pattern`, `minItems`, `maxItems`, \
         `uniqueItems`, `minProperties`, `maxProperties`, `x-kubernetes-list-type`, \
         `x-kubernetes-list-map-keys`, `x-kubernetes-map-type`, `required`, `properties`, \
         `additionalProperties`, `items`, `allOf`, `anyOf`, `oneOf`, `not`, `x-kubernetes-validations`"
    );
    assert_eq!(
        wrong("  group: example.com\n", ""),
        "the CustomResourceDefinition has no spec.group"
    );
}

#[test]
fn rules_and_patterns_that_nobody_can_read_are_refused_with_their_places() {
    let wrong = |from: &str, to: &str| {
        let text = WIDGETS.replace(from, to);
        let imported = files::import(&[input(&text)], Lock::default(), Keep::Facts).expect("list");
        let problems = imported.problems.iter().map(|problem| {
            let span = problem.span.expect("a place");
            let written = text.get(span.range()).unwrap_or_default();
            format!("{} {}: at {written}", problem.code, problem.message)
        });
        problems.collect::<Vec<_>>()
    };
    assert_eq!(
        wrong("self.size > 0", "self.size.frobnicate() > 0"),
        [
            "schema/unreadable v1.properties.spec: the rule `self.size.frobnicate() > 0` can't be parsed: there is no \
             function `frobnicate` with these arguments: at \"self.size.frobnicate() > 0\""
        ]
    );
    assert_eq!(
        wrong("self.size > 0", "string(self.size).matches('(?<!0)1')"),
        [
            "schema/unreadable v1.properties.spec: the rule `string(self.size).matches('(?<!0)1')` can't be parsed: the \
             pattern `(?<!0)1` is not a valid regular expression: at \"string(self.size).matches('(?<!0)1')\""
        ]
    );
    assert_eq!(
        wrong("self.size > 0", "self.size >"),
        [
            "schema/unreadable v1.properties.spec: the rule `self.size >` can't be parsed: a value is expected instead of \
             the end: at \"self.size >\""
        ]
    );
    assert_eq!(
        wrong("minimum: 1, format", "pattern: 'a(b', format"),
        [
            "schema/unreadable v1.properties.spec.properties.size: not a structural schema: the pattern `a(b` is not a valid \
             regular expression: at 'a(b'"
        ]
    );
}

#[test]
fn files_that_hold_no_crd_are_passed_over_and_broken_ones_are_named() {
    let text = format!("{WIDGETS}---\nkind: ConfigMap\napiVersion: v1\n---\na: [\n");
    let imported = files::import(&[input(&text)], Lock::default(), Keep::Facts).expect("a list");
    let paths: Vec<&str> = imported
        .files
        .iter()
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(
        paths,
        ["widgets/v1.0.0/example.com_widgets.json", "lock.json"]
    );
    assert_eq!(imported.problems.len(), 1);
    let nameless = Input {
        set: None,
        ..input(WIDGETS)
    };
    let imported = files::import(&[nameless], Lock::default(), Keep::Facts).expect("a list");
    assert_eq!(
        imported.problems[0].message,
        "the file's folders don't say which project and version it belongs to"
    );
}

#[test]
fn nothing_that_a_crd_or_a_flag_says_leaves_the_folder() {
    let text = WIDGETS.replace("plural: widgets", "plural: ../../../x");
    let outside = Input {
        set: Some(Set::new("../..", "..", Some("/etc"))),
        ..input(&text)
    };
    let imported = files::import(&[outside], Lock::default(), Keep::Facts).expect("a list");
    assert_eq!(
        imported.files[0].0,
        "_../_/_etc/example.com_.._.._.._x.json"
    );
}

#[test]
fn a_tampered_file_is_named() {
    let imported = files::import(&[input(WIDGETS)], Lock::default(), Keep::Facts).expect("a list");
    let text = |at: usize| String::from_utf8(imported.files[at].1.clone()).expect("a text");
    let (path, schema) = (imported.files[0].0.as_str(), text(0));
    let lock = Lock::parse(&text(1)).expect("a list");
    assert_eq!(files::verify(&lock, [(path, Some(schema.clone()))]), []);
    let tampered = schema.replace("\"minimum\":1", "\"minimum\":0");
    assert_eq!(
        files::verify(&lock, [(path, Some(tampered)), ("else.json", Some(schema))]),
        [
            Difference::Changed(path.to_owned()),
            Difference::Unlisted("else.json".to_owned())
        ]
    );
    let missing = Difference::Missing(path.to_owned());
    assert_eq!(files::verify(&lock, []), [missing]);
}

#[test]
fn every_embedded_schema_loads_and_is_as_listed() {
    let lock = Lock::parse(embedded::LOCK).expect("a list");
    let unpacked = embedded::files().iter().map(|it| (it.path, it.unpack()));
    assert_eq!(files::verify(&lock, unpacked), []);
    assert_eq!(lock.files().len(), embedded::files().len());
    for packed in embedded::files() {
        let text = packed.unpack().expect("not damaged");
        assert!(!text.contains("\"description\":\""), "{}", packed.path);
        let kind = compiled::Compiled::read(text).expect("a compiled file");
        let nodes = (0..kind.node_count())
            .map(|id| kind.node(node::NodeId(u32::try_from(id).expect("few"))));
        let mut rules = nodes.flat_map(|node| &node.rules);
        assert!(
            rules.all(|rule| rule.message.is_none() && rule.message_expression.is_none()),
            "{}",
            packed.path
        );
    }
}

fn inputs_below(folder: &Path) -> Vec<Input> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name();
    let files = files.into_iter().map(|entry| entry.expect("a file"));
    files
        .filter(|entry| entry.path().extension().is_some_and(|it| it == "yaml"))
        .map(|entry| {
            let path = entry.path().to_string_lossy().replace('\\', "/");
            Input {
                set: Set::of_path(&path),
                text: std::fs::read_to_string(entry.path()).expect("a text"),
                path,
            }
        })
        .collect()
}

#[test]
fn the_embedded_schemas_are_what_their_sources_give() {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut inputs = inputs_below(&root.join("schemas/sources"));
    let given = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let crds = given.unwrap_or_else(|| root.join("../shared")).join("crds");
    if crds.is_dir() {
        // Files that are not in the catalogue yet are not sources of it.
        let committed = Lock::parse(embedded::LOCK).expect("a list");
        let is_of = |set: &Set, file: &Locked| {
            file.project == set.project
                && file.version == set.version.as_str()
                && file.channel == set.channel
        };
        let is_listed = |input: &Input| {
            let set = input.set.as_ref();
            set.is_some_and(|set| committed.files().iter().any(|file| is_of(set, file)))
        };
        inputs.extend(inputs_below(&crds).into_iter().filter(is_listed));
    } else {
        eprintln!("only the project's own sources: no {}", crds.display());
    }
    inputs.extend(kubernetes());
    let imported = files::import(&inputs, Lock::default(), Keep::Facts).expect("a list");
    assert_eq!(imported.problems, []);
    let (lock, schemas) = imported.files.split_last().expect("a list");
    for (path, bytes) in schemas {
        let committed = std::fs::read(root.join("schemas").join(path)).expect("committed");
        assert!(committed == *bytes, "{path} is not what its source gives");
    }
    assert!(!schemas.is_empty());
    let given = Lock::parse(std::str::from_utf8(&lock.1).expect("a text")).expect("a list");
    let listed = Lock::parse(embedded::LOCK).expect("a list");
    for file in given.files() {
        assert_eq!(listed.get(&file.path), Some(file));
    }
}

/// The file in Kubernetes' source that describes its own kinds.
const SWAGGER: &str = "swagger.json";

/// Kubernetes' own kinds, from the file in `GATEWAYCTL_SWAGGER`: `api/openapi-spec/swagger.json` of the release in
/// the catalogue.
fn kubernetes() -> Option<Input> {
    let Some(path) = std::env::var_os("GATEWAYCTL_SWAGGER") else {
        eprintln!("without Kubernetes' own kinds: GATEWAYCTL_SWAGGER names no file");
        return None;
    };
    let catalogue = Catalogue::embedded();
    let newest = Selection::newest(&catalogue);
    Some(Input {
        path: SWAGGER.to_owned(),
        text: std::fs::read_to_string(path).expect("a text"),
        set: newest.of("core").map(|chosen| chosen.set.clone()),
    })
}

#[test]
fn versions_are_declared_with_or_without_v_and_unknown_ones_name_the_nearest() {
    let catalogue = Catalogue::embedded();
    let mut selection = Selection::newest(&catalogue);
    let eg = |selection: &Selection| selection.of("envoy-gateway").map(|it| it.set.to_string());
    let api = |selection: &Selection| selection.of("gateway-api").map(|it| it.set.to_string());
    let declared = selection.declare(&catalogue, "envoy-gateway", "v1.7.5", None, "cluster.toml");
    assert_eq!(declared, Ok(()));
    assert_eq!(eg(&selection).as_deref(), Some("envoy-gateway@1.7.5"));
    assert_eq!(
        api(&selection).as_deref(),
        Some("gateway-api@1.4.1:experimental")
    );
    let clause = selection.of("gateway-api").map(Chosen::clause);
    assert_eq!(clause.as_deref(), Some("Envoy Gateway 1.7.5 brings 1.4.1"));
    let mut declare = |project: &str, version: &str, channel: Option<&str>| {
        let result = selection.declare(&catalogue, project, version, channel, "--use");
        result.map_err(|error| format!("{error}: {}", error.help()))
    };
    assert_eq!(declare("gateway-api", "1.6.1", Some("standard")), Ok(()));
    assert_eq!(declare("envoy-gateway", "1.9.0", None), Ok(()));
    let error = |text: &str| Err(text.to_owned());
    assert_eq!(
        declare("keda", "2.30.0", None),
        error(
            "the catalogue has no KEDA 2.30.0: the known ones, nearest first: 2.21.0, 2.20.2, 2.19.0, 2.18.3"
        )
    );
    assert_eq!(
        declare("envoy-gatway", "1.7.2", None),
        error("the catalogue has no project `envoy-gatway`: write `envoy-gateway`")
    );
    assert_eq!(
        declare("gateway-api", "1.6.1", Some("beta")),
        error("Gateway API 1.6.1 has no channel `beta`: the known ones are experimental, standard")
    );
    assert_eq!(
        declare("keda", "2.20.2", Some("beta")),
        error("KEDA 2.20.2 has no channel `beta`: remove the channel; the project has no channels")
    );
    assert_eq!(
        api(&selection).as_deref(),
        Some("gateway-api@1.6.1:standard"),
        "declared, so it follows nothing"
    );
}

#[test]
fn a_look_up_finds_the_schema_or_says_what_there_is() {
    let catalogue = Catalogue::embedded();
    let mut selection = Selection::newest(&catalogue);
    for (project, version) in [("envoy-gateway", "1.8.3"), ("keda", "2.19.0")] {
        selection
            .declare(&catalogue, project, version, None, "cluster.toml")
            .expect("a version");
    }
    let find = |group: &str, version: &str, kind: &str| match catalogue
        .look_up(&selection, group, version, kind)
    {
        Lookup::Known(schema) => format!("{} {}", schema.entry.set, schema.version.name),
        Lookup::NotServed {
            entry, elsewhere, ..
        } => format!(
            "served {:?}, elsewhere {:?}",
            entry.served,
            elsewhere.map(Set::to_string)
        ),
        Lookup::OtherVersion { elsewhere, .. } => format!("in {elsewhere}"),
        Lookup::KindUnknown { groups, .. } => format!("unknown, groups {groups:?}"),
        Lookup::Damaged(entry) => format!("damaged {}", entry.kind),
    };
    let gateway = "gateway.networking.k8s.io";
    assert_eq!(
        find("keda.sh", "v1alpha1", "ScaledObject"),
        "keda@2.19.0 v1alpha1"
    );
    assert_eq!(find("", "v1", "ConfigMap"), "core@1.37.2 v1");
    assert_eq!(
        find(gateway, "v1", "TCPRoute"),
        r#"served ["v1alpha2"], elsewhere Some("gateway-api@1.6.1:experimental")"#
    );
    assert_eq!(
        find("networking.k8s.io", "v1", "Gateway"),
        r#"unknown, groups ["gateway.networking.k8s.io"]"#
    );
    let older = selection.declare(&catalogue, "envoy-gateway", "1.5.9", None, "cluster.toml");
    assert_eq!(older, Ok(()));
    let found = catalogue.look_up(&selection, gateway, "v1", "ListenerSet");
    assert!(
        matches!(&found, Lookup::OtherVersion { elsewhere, .. }
            if elsewhere.to_string() == "gateway-api@1.5.1:experimental"),
        "{found:?}"
    );
}

#[test]
fn a_users_own_schema_goes_before_the_embedded_one() {
    let mut catalogue = Catalogue::empty();
    let text = import::compile(&document(WIDGETS), Keep::Messages).expect("a CRD");
    let set = Set::new("widgets", "1.0.0", None);
    let listed = Locked::new(&set, "widgets.json".to_owned(), &text, "widgets.yaml", "");
    catalogue.add(&listed, text).expect("a compiled file");
    let selection = Selection::newest(&catalogue);
    let found = catalogue.look_up(&selection, "example.com", "v1", "Widget");
    let Lookup::Known(schema) = found else {
        panic!("{found:?}");
    };
    let at = |text: &str| schema.has(&Pointer::parse(text).expect("a pointer"));
    assert!(at("/spec/size") && at("/spec/labels/any") && !at("/spec/sise"));
}

#[test]
fn what_a_user_imported_without_a_version_holds_whatever_is_declared() {
    let text = |served: &str| {
        let crd = WIDGETS.replace("group: example.com", "group: keda.sh");
        let crd = crd
            .replace("Widget", "ScaledObject")
            .replace("name: v1", &format!("name: {served}"));
        import::compile(&document(&crd), Keep::Messages).expect("a CRD")
    };
    let mut catalogue = Catalogue::embedded();
    let set = Set::own();
    let compiled = text("v3");
    let listed = Locked::new(&set, "own/x.json".to_owned(), &compiled, "x.yaml", "");
    catalogue.add(&listed, compiled).expect("a compiled file");
    let mut selection = Selection::newest(&catalogue);
    let declared = selection.declare(&catalogue, "keda", "2.19.0", None, "cluster.toml");
    assert_eq!(declared, Ok(()));
    let found = catalogue.look_up(&selection, "keda.sh", "v3", "ScaledObject");
    let Lookup::Known(schema) = found else {
        panic!("{found:?}");
    };
    assert_eq!(
        (schema.entry.own_path(), schema.chosen.set.title().as_str()),
        (Some("own/x.json"), "your own schemas")
    );
    // The embedded schema has v1alpha1, but the cluster whose CRD was imported doesn't serve it.
    let found = catalogue.look_up(&selection, "keda.sh", "v1alpha1", "ScaledObject");
    assert!(
        matches!(found, Lookup::NotServed { entry, .. } if entry.set.is_own()),
        "{found:?}"
    );
}

#[test]
fn a_compiled_file_that_was_changed_by_hand_is_refused() {
    let text = import::compile(&document(WIDGETS), Keep::Facts).expect("a CRD");
    let set = Set::own();
    let listed = Locked::new(
        &set,
        "own/widgets.json".to_owned(),
        &text,
        "widgets.yaml",
        "",
    );
    let mut catalogue = Catalogue::empty();
    let no_schema = catalogue
        .add(&listed, "{}".to_owned())
        .expect_err("refused");
    assert_eq!(
        no_schema.to_string(),
        "not a compiled schema: it has a single line"
    );
    let changed = text.replace("\"integer\"", "\"string\"");
    catalogue
        .add(&listed, changed)
        .expect("the first line is read");
    let selection = Selection::newest(&catalogue);
    let found = catalogue.look_up(&selection, "example.com", "v1", "Widget");
    assert!(matches!(found, Lookup::Damaged(_)), "{found:?}");
}
