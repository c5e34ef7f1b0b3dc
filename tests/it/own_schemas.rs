//! A project's own schemas: they are imported into `schemas/` beside `cluster.toml` and take precedence over those in
//! the program.

use crate::common::Project;

/// A CRD with a rule, as its project releases it.
const WIDGETS: &str = r#"apiVersion: apiextensions.k8s.io/v1
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
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer}
              x-kubernetes-validations:
                - rule: self.size > 1
                  message: a widget is larger than one
"#;

fn widget(size: &str) -> String {
    format!("apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: one\nspec:\n  {size}\n")
}

#[test]
fn an_unknown_kind_is_not_checked_until_its_definition_is_imported() {
    let project = Project::new().minimal("");
    project.write("widget.yaml", widget("size: 3"));
    snapshot!("unknown", project.run(["validate", "widget.yaml"]));
    project
        .run(["validate", "widget.yaml"])
        .success()
        .says("note[schema/unchecked-kind]");
    project
        .run(["validate", "widget.yaml", "--strict"])
        .code(1)
        .says("error[schema/unchecked-kind]");

    project.write("crds/widgets.yaml", WIDGETS);
    project
        .run(["schemas", "import", "crds"])
        .success()
        .says("1 schema in ./schemas");
    project.run(["validate", "widget.yaml"]).success();
    project.write("widget.yaml", widget("size: 1"));
    snapshot!("rule", project.run(["validate", "widget.yaml"]));
    project.write("widget.yaml", widget("sise: 3"));
    snapshot!("field", project.run(["validate", "widget.yaml"]));
}

#[test]
fn what_kubectl_and_helm_print_is_imported_from_standard_input() {
    let project = Project::new().minimal("");
    let item = WIDGETS.replace('\n', "\n    ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n  - {item}\n");
    project
        .run_with(["schemas", "import", "-"], list.as_bytes())
        .success()
        .says("1 schema in ./schemas");
    let template = format!(
        "---\n# Source: widgets/values.yaml\napiVersion: v1\nkind: ConfigMap\n---\n{WIDGETS}"
    );
    project
        .run_with(["schemas", "import", "-"], template.as_bytes())
        .success();
    project.write("widget.yaml", widget("size: 3"));
    project.run(["validate", "widget.yaml"]).success();
}

#[test]
fn an_imported_definition_wins_over_the_one_in_the_program() {
    let project = Project::new().minimal("");
    let own = WIDGETS
        .replace("group: example.com", "group: keda.sh")
        .replace(
            "kind: Widget, plural: widgets",
            "kind: ScaledObject, plural: scaledobjects",
        )
        .replace("name: v1", "name: v1alpha1");
    project.write("crd.yaml", own);
    project.write(
        "scaled.yaml",
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: one\nspec:\n  size: 3\n",
    );
    project
        .run(["validate", "scaled.yaml"])
        .code(1)
        .says("`spec.size` is not a field");
    project.run(["schemas", "import", "crd.yaml"]).success();
    project.run(["validate", "scaled.yaml"]).success();
}

#[test]
fn the_list_names_each_schema_with_its_hash_and_verify_compares_them() {
    let project = Project::new().minimal("");
    project.write("widgets.yaml", WIDGETS);
    project.run(["schemas", "import", "widgets.yaml"]).success();
    snapshot!("list", project.run(["schemas", "list", "own", "--verbose"]));
    project
        .run(["schemas", "verify"])
        .success()
        .says(" in this program, 1 in ./schemas");

    project.edit("schemas/own/example.com_widgets.json", "integer", "number");
    project.write("widget.yaml", widget("size: 3"));
    snapshot!("changed", project.run(["schemas", "verify"]));
    snapshot!("damaged", project.run(["validate", "widget.yaml"]));
    project.run(["schemas", "import", "widgets.yaml"]).success();
    project.run(["validate", "widget.yaml"]).success();
}

#[test]
fn a_schema_that_cant_be_read_is_a_failure_and_no_verdict() {
    let project = Project::new().minimal("");
    project.write("widgets.yaml", WIDGETS);
    project.run(["schemas", "import", "widgets.yaml"]).success();
    project.edit("schemas/own/example.com_widgets.json", "integer", "whole");
    project.write("widget.yaml", widget("size: 3"));
    project
        .run(["validate", "widget.yaml"])
        .code(2)
        .warns("schemas/own/example.com_widgets.json: import its CustomResourceDefinition again")
        .warns("unknown variant `whole`");
}

#[test]
fn a_pattern_that_cant_be_compiled_is_refused_at_import() {
    let project = Project::new().minimal("");
    for (pattern, problem) in [
        ("(", "the pattern `(` is not a valid regular expression"),
        (
            "((a{1,1000}){1,1000}){1,1000}",
            "the pattern `((a{1,1000}){1,1000}){1,1000}` is too large to be compiled",
        ),
    ] {
        let field = format!("{{type: string, pattern: '{pattern}'}}");
        project.write("crd.yaml", WIDGETS.replace("{type: integer}", &field));
        project
            .run(["schemas", "import", "crd.yaml"])
            .code(1)
            .says(problem)
            .says("nothing was written");
    }
    // This is large for other engines, but within the API server's limits.
    let field = r"{type: string, pattern: '^\p{L}{1,63}$'}";
    let crd = WIDGETS.replace("{type: integer}", field);
    project.write("crd.yaml", crd.replace("self.size > 1", "self.size != 'b'"));
    project.run(["schemas", "import", "crd.yaml"]).success();
    project.write("widget.yaml", widget("size: é"));
    project.run(["validate", "widget.yaml"]).success();
    project.write("widget.yaml", widget("size: a!"));
    project
        .run(["validate", "widget.yaml"])
        .code(1)
        .says("write a string that matches");
}

#[test]
fn nothing_is_imported_where_one_definition_is_broken() {
    let project = Project::new().minimal("");
    project.write("crds/a.yaml", WIDGETS);
    project.write(
        "crds/b.yaml",
        WIDGETS.replace("type: integer", "type: whole"),
    );
    snapshot!("broken", project.run(["schemas", "import", "crds"]));
    assert!(
        !project
            .files()
            .keys()
            .any(|file| file.starts_with("schemas"))
    );
    project.write("crds/b.yaml", "kind: ConfigMap\n");
    project
        .run(["schemas", "import", "crds/b.yaml"])
        .code(2)
        .warns("there is no CustomResourceDefinition");
}

#[test]
fn a_list_that_leads_out_of_its_folder_is_not_followed() {
    let project = Project::new().minimal("");
    project.write("widgets.yaml", WIDGETS);
    project.run(["schemas", "import", "widgets.yaml"]).success();
    project.edit(
        "schemas/lock.json",
        "own/example.com_widgets.json",
        "../../widgets.json",
    );
    project
        .run(["validate"])
        .code(2)
        .warns("which is outside of its folder");
}

#[test]
fn a_whole_catalogue_says_by_its_folders_what_belongs_to_what() {
    let project = Project::new().minimal("");
    project.write("crds/widgets/v1.2.3/beta/widgets.yaml", WIDGETS);
    project.write("crds/README.yaml", "a: 1\n");
    let import = ["schemas", "import", "crds", "--by-folder"];
    project.run(import).success();
    let before = project.read("schemas/lock.json");
    project.read("schemas/widgets/v1.2.3/beta/example.com_widgets.json");
    project
        .run(["schemas", "list", "widgets"])
        .success()
        .says("  in schemas/: Widget");

    project.write("crds/more.yaml", WIDGETS);
    snapshot!("without_folder", project.run(import));
    assert_eq!(before, project.read("schemas/lock.json"));
}

#[test]
fn a_project_without_own_schemas_lists_those_in_the_program() {
    let project = Project::new();
    snapshot!("keda", project.run(["schemas", "list", "keda"]));
    project
        .run(["schemas", "list", "kda"])
        .code(2)
        .warns("there is no project `kda`; the known ones are argo-cd, cert-manager, ");
    project
        .run(["schemas", "import", "-"])
        .code(2)
        .warns("there is no CustomResourceDefinition");
}

#[test]
fn a_release_is_imported_under_its_name_and_can_be_declared() {
    let project = Project::new();
    project.write("crds/widgets.yaml", WIDGETS);
    project
        .run(["schemas", "import", "crds", "--as", "widgets@1.2.0"])
        .success()
        .says("1 schema in ./schemas");
    project.write("widget.yaml", widget("size: 1"));
    project
        .run(["validate", "widget.yaml", "--use", "widgets@1.2.0"])
        .code(1)
        .says("rule/failed");
    // Another patch release of the minor version is checked as this one, and another minor version is unknown.
    project
        .run(["validate", "widget.yaml", "--use", "widgets@1.2.7"])
        .code(1)
        .says("note[version/nearest-release]: widgets 1.2.7 is checked as 1.2.0");
    project
        .run(["validate", "widget.yaml", "--use", "widgets@1.3.0"])
        .code(2)
        .warns("nearest first: 1.2.0");
    project
        .run(["schemas", "import", "crds", "--as", "widgets@newest"])
        .code(2)
        .warns("newest is not a version such as 1.9.1");
}

#[test]
fn a_patch_release_that_the_catalogue_lacks_is_checked_as_the_nearest_one() {
    let project = Project::new().minimal("");
    let text = std::fs::read_to_string(project.path("cluster.toml")).expect("a configuration");
    project.write("cluster.toml", text.replace("1.9.0", "1.9.99"));
    project
        .run(["validate"])
        .success()
        .says("note[version/nearest-release]: Envoy Gateway 1.9.99 is checked as 1.9");
}

/// The schema of a chart's values, with a reference to another schema.
const VALUES: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["mode"],
  "properties": {
    "mode": {"enum": ["light", "dark"]},
    "replicas": {"type": "integer"},
    "ports": {"type": "array", "items": {"$ref": "https://example.com/port.json"}}
  }
}
"#;

#[test]
fn the_values_of_a_chart_are_checked_against_its_imported_schema() {
    let project = Project::new();
    project.write("values.schema.json", VALUES);
    project.write(
        "port.json",
        r#"{"type": "object", "required": ["number"], "properties": {"number": {"type": "integer"}}}"#,
    );
    let import = [
        "schemas",
        "import",
        "--values",
        "lamp@2.1.0",
        "values.schema.json",
    ];
    project
        .run(import)
        .code(2)
        .warns("give it with `--ref https://example.com/port.json=FILE`");
    project
        .run([
            "schemas",
            "import",
            "--values",
            "lamp@2.1.0",
            "values.schema.json",
            "--ref",
            "https://example.com/port.json=port.json",
        ])
        .success()
        .says("the values of lamp 2.1.0 in ./schemas");
    project.run(["schemas", "verify"]).success();
    let release = |version: &str, values: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: lamp}}
spec:
  interval: 1h
  chart:
    spec:
      chart: lamp
      version: {version}
      sourceRef: {{kind: HelmRepository, name: lamps}}
  values: {values}
"
        )
    };
    let wrong = "{mode: '${MODE}', replicas: two, colour: red, ports: [{number: 1}, {}]}";
    project.write("release.yaml", release("2.1.0", wrong));
    project
        .run(["validate", "release.yaml"])
        .code(1)
        .says("error[schema/type]: `spec.values.replicas` must be of type integer, not a string")
        .says("error[schema/unknown-field]: `spec.values.colour` is not a value of the chart")
        .says("error[schema/required]: `spec.values.ports[1].number` is missing");
    // The chart's own defaults may have the missing mode.
    project.write("release.yaml", release("2.1.0", "{replicas: 2}"));
    project.run(["validate", "release.yaml"]).success();
    project.write("release.yaml", release("2.2.0", "{mode: grey}"));
    project
        .run(["validate", "release.yaml"])
        .success()
        .says("warning[schema/value]")
        .says("the schema of lamp 2.1.0");
}

#[test]
fn a_json_schema_of_a_kind_gives_its_structure() {
    let project = Project::new();
    let schema = r#"{"type": "object", "properties": {"apiVersion": {"type": "string"}, "kind": {"type": "string"},
        "metadata": {"type": "object"}, "spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}"#;
    project.write("widget_v1.json", schema);
    project
        .run(["schemas", "import", "widget_v1.json"])
        .code(2)
        .warns("--kind GROUP/VERSION/KIND");
    project
        .run([
            "schemas",
            "import",
            "widget_v1.json",
            "--kind",
            "example.com/v1/Widget",
        ])
        .success();
    project.write("widget.yaml", widget("sise: 3"));
    project
        .run(["validate", "widget.yaml"])
        .code(1)
        .says("help: write `size`");
}
