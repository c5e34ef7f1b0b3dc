//! `[validate]` in `cluster.toml` and `gatewayctl.toml`, and `validate cluster.toml`.

use crate::common::Project;
use serde_json::Value;

/// A route to a listener that doesn't exist, and one to a hostname that no listener has.
const REPOSITORY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: internal, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - name: http
      port: 80
      protocol: HTTP
      hostname: '*.example.com'
      allowedRoutes: {namespaces: {from: All}}
";

fn route(name: &str, section: &str, hostname: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: apps}}
spec:
  hostnames: [{hostname}]
  parentRefs: [{{name: internal, namespace: network, sectionName: {section}}}]
  rules: [{{backendRefs: [{{name: {name}, port: 80}}]}}]
"
    )
}

/// Two errors: `attachment/no-listener` for `wiki`, `attachment/no-hostname` for `shop`.
fn repository(settings: &str) -> Project {
    Project::new()
        .file("gateways.yaml", REPOSITORY)
        .file(
            "apps/wiki/route.yaml",
            route("wiki", "htp", "wiki.example.com"),
        )
        .file(
            "apps/shop/route.yaml",
            route("shop", "http", "shop.example.org"),
        )
        .file("gatewayctl.toml", settings)
}

#[test]
fn an_entry_of_ignore_fits_by_all_of_its_keys() {
    repository("")
        .run(["validate", "."])
        .code(1)
        .says("2 errors");
    for (entry, left) in [
        ("code = 'attachment'", 0),
        ("code = 'attachment/no-listener'", 1),
        ("kind = 'HTTPRoute', namespace = 'apps'", 0),
        ("kind = 'HTTPRoute', name = 'w*'", 1),
        ("kind = 'Gateway', name = 'w*'", 2),
        ("path = 'apps/**'", 0),
        ("path = './apps/*/route.yaml'", 0),
        ("path = 'apps/*.yaml'", 2),
        ("path = 'apps/shop/route.yaml'", 1),
        ("pointer = '/spec/parentRefs'", 1),
        ("pointer = '/spec/*/0/sectionName'", 1),
        ("path = 'apps/shop/**', pointer = '/spec/parentRefs'", 2),
    ] {
        let settings = format!("[validate]\nignore = [{{ {entry}, reason = 'ours' }}]\n");
        let run = repository(&settings).run(["validate", ".", "--format", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(report["summary"]["errors"], left, "{entry}\n{}", run.stdout);
    }
}

#[test]
fn reasons_are_printed_and_what_is_ignored_does_not_count() {
    let project = repository(
        "[[validate.ignore]]\ncode = 'attachment'\nreason = 'the gateway is in another repository'\n",
    );
    project.run(["validate", "."]).success().warns(
        "2 findings ignored by `[validate]` in gatewayctl.toml; --verbose lists the reasons",
    );
    project
        .run(["validate", ".", "-v"])
        .success()
        .warns("ignored 2 findings (code = \"attachment\"): the gateway is in another repository");
    for format in ["json", "sarif", "github", "junit"] {
        let run = project.run(["validate", ".", "--format", format]).success();
        assert!(
            !run.stdout.contains("no-listener"),
            "{format}: {}",
            run.stdout
        );
    }
    // The command line narrows down what is left.
    let project =
        repository("[[validate.ignore]]\ncode = 'attachment/no-listener'\nreason = 'x'\n");
    project
        .run(["validate", ".", "--ignore", "attachment/no-hostname"])
        .success();
    project
        .run(["validate", ".", "--select", "attachment"])
        .code(1)
        .says("attachment/no-hostname")
        .never_says("attachment/no-listener");
}

#[test]
fn an_entry_that_fits_nothing_is_a_note_if_everything_was_looked_at() {
    let project = repository("[[validate.ignore]]\npath = 'old/**'\nreason = 'a copy'\n");
    project
        .run(["validate", "."])
        .says("note[config/unused-ignore]: nothing is found that fits path = \"old/**\"")
        .says("gatewayctl.toml:2:8");
    project
        .run(["validate", "apps/wiki"])
        .never_says("config/unused-ignore");
}

#[test]
fn severities_are_those_of_the_code_before_those_of_its_group() {
    let with = |settings: &str| {
        let settings = format!("[validate]\n{settings}\n");
        let run = repository(&settings).run(["validate", ".", "--format", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let of = |kind: &str| report["summary"][kind].as_u64().expect("a number");
        (of("errors"), of("warnings"), run.code.unwrap_or(-1))
    };
    assert_eq!(with("severity = { attachment = 'warning' }"), (0, 2, 0));
    assert_eq!(
        with("severity = { 'attachment/no-listener' = 'off', attachment = 'warning' }"),
        (0, 1, 0)
    );
    assert_eq!(with("severity = { attachment = 'note' }"), (0, 0, 0));
    assert_eq!(
        with("deny = 'warnings'\nseverity = { attachment = 'warning' }"),
        (2, 0, 1)
    );
}

#[test]
fn what_is_wrong_with_the_settings_is_an_error_in_its_line() {
    for (settings, message) in [
        (
            "[validate]\nseverity = { 'attachment/no-listner' = 'off' }\n",
            "no code or group is called `attachment/no-listner`",
        ),
        (
            "[validate]\nignore = [{ code = 'atachment', reason = 'x' }]\n",
            "did you mean `attachment`?",
        ),
        (
            "[validate]\nignore = [{ code = 'attachment' }]\n",
            "an entry of `ignore` has no `reason`",
        ),
        (
            "[validate]\nignore = [{ reason = 'x' }]\n",
            "an entry of `ignore` says nothing about the findings that it is for",
        ),
        (
            "[validate]\nignore = [{ path = 'a[', reason = 'x' }]\n",
            "`a[` is not a pattern",
        ),
        (
            "[validate]\nignore = [{ pointer = 'spec', reason = 'x' }]\n",
            "`spec` is not a JSON pointer",
        ),
        (
            "[validate]\ndeny = 'errors'\n",
            "`validate.deny` can't be `errors`",
        ),
        (
            "[validate]\nignroe = []\n",
            "[validate] has no key `ignroe`",
        ),
        ("[x]\n[validete]\n", "gatewayctl.toml has no key `validete`"),
        ("[validate]\n'\n", "not TOML"),
    ] {
        repository(settings)
            .run(["validate", "."])
            .code(1)
            .says(message)
            .says("--> gatewayctl.toml:2:");
    }
}

#[test]
fn cluster_toml_has_the_same_table() {
    let ignore = "\n[[validate.ignore]]\ncode = 'attachment/no-hostname'\nreason = 'x'\n";
    let project = Project::new().minimal("").rendered();
    project.write("apps/gateways.yaml", REPOSITORY);
    project.write("apps/route.yaml", route("shop", "http", "shop.example.org"));
    project
        .run(["validate", "apps"])
        .code(1)
        .says("attachment/no-hostname");
    let text = project.read("cluster.toml");
    project.write("cluster.toml", text.clone() + ignore);
    project.run(["validate", "apps"]).success();
    project
        .run(["validate"])
        .success()
        .says("note[config/unused-ignore]")
        .says("cluster.toml:");
    project.write(
        "cluster.toml",
        text + "\n[validate.severity]\nnetwrok = 'off'\n",
    );
    project
        .run(["validate"])
        .code(1)
        .says("did you mean `network`?");
}

#[test]
fn cluster_toml_as_a_path_is_the_description() {
    let project = Project::new().minimal("").rendered();
    let whole = project.run(["validate"]).success();
    let named = project.run(["validate", "cluster.toml"]).success();
    assert_eq!(whole.stdout, named.stdout);
    project.write("cluster.toml", "domian = 'example.com'\n[gateways.a]\n");
    project
        .run(["validate", "./cluster.toml"])
        .code(1)
        .says("cluster.toml has no key `domian`");
    project.write("app.yaml", REPOSITORY);
    project
        .run(["validate", "cluster.toml", "app.yaml"])
        .code(2)
        .warns("cluster.toml is checked together with everything that it renders");
}

#[test]
fn the_cluster_toml_of_another_tool_is_told_from_a_description() {
    let project = Project::new();
    project.write(
        "cluster.toml",
        "[talos]\nnodes = ['a']\n[kubernetes]\nversion = '1.34'\n",
    );
    for args in [
        &["validate"][..],
        &["validate", "cluster.toml"],
        &["render"],
    ] {
        let run = project.run(args.iter().copied()).code(1);
        let told = run.stdout + &run.stderr;
        for part in [
            "cluster.toml is the file of another tool: gatewayctl has none of its keys (`talos`, `kubernetes`)",
            "--> cluster.toml:1:",
            "`gatewayctl import DIR` writes a cluster.toml",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
    // Manifests are checked as if it were not there.
    project.write("gateways.yaml", REPOSITORY);
    project.write(
        "gatewayctl.toml",
        "[validate]\nseverity = { schema = 'off' }\n",
    );
    project.run(["validate", "gateways.yaml"]).success();
}
