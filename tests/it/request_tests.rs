//! `gatewayctl test`: requests as unit tests.

use crate::common::{MINIMAL, Project};
use serde_json::Value;

/// An external blog behind a password, and an internal wiki.
const APPS: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: blog, namespace: blog}
spec:
  parentRefs: [{name: envoy-external, namespace: network, sectionName: https}]
  hostnames: [blog.example.com]
  rules:
    - backendRefs: [{name: blog, port: 8080}]
    - matches: [{path: {type: PathPrefix, value: /api}, method: POST}]
      filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /v1}}}]
      backendRefs: [{name: api, port: 80}, {name: api-next, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki, namespace: docs}
spec:
  parentRefs: [{name: envoy-internal, namespace: network, sectionName: https}]
  hostnames: [wiki.example.com]
  rules: [{backendRefs: [{name: wiki, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: blog-login, namespace: blog}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: blog}]
  basicAuth: {users: {name: blog-users}}
";

/// Only the home network gets through the internal gateway.
const TABLES: &str = r#"
[security_policies.internal-only]
gateways = ["envoy-internal"]
spec.authorization.defaultAction = "Deny"
spec.authorization.rules = [{ action = "Allow", principal = { clientCIDRs = ["10.10.30.0/24"] } }]

[networks]
home = "10.10.30.0/24"
guests = ["10.10.40.0/24"]
"#;

/// A rendered project with the applications, and tests in `cluster.toml`.
fn project(tests: &str) -> Project {
    Project::new()
        .config(format!("{MINIMAL}{TABLES}{tests}"))
        .file("kubernetes/apps/apps.yaml", APPS)
        .rendered()
}

const RIGHT: &str = r#"
[[test]]
name = "the blog is public, and only over TLS"
request = { url = "https://blog.example.com/", from = "internet" }
expect = { route = "blog/blog", backend = "blog:8080", guards = ["basic auth"], client_ip = "as sent", tls = "1.2" }

[[test]]
name = "plain HTTP is redirected"
request = { url = "http://blog.example.com/a", from = "internet" }
expect = { redirect = "https://blog.example.com/a", status = 301, tls = false }

[[test]]
name = "whoever has no password is refused"
request = { url = "https://blog.example.com/", method = ["GET", "POST"], path = ["/", "/login"] }
expect = { status = 401, refused = "basic auth", reachable = true }

[[test]]
name = "the API is rewritten and shared out"
request = { url = "https://blog.example.com/api/posts", method = "POST", signed_in = true }
expect = { backend = ["blog/api:80", "api-next"], path = "/v1/posts", refused = false, gateway = "envoy-external", listener = "https" }

[[test]]
name = "the wiki is not there from outside"
request = { url = "https://wiki.example.com/", from = ["internet", "203.0.113.7"] }
expect = { reachable = false }

[[test]]
name = "the wiki is for the home network"
request = { url = "https://wiki.example.com/", from = ["home", "10.10.30.7"] }
expect = { backend = "docs/wiki:80", refused = false, guards = ["authorization"] }

[[test]]
name = "guests are refused"
request = { url = "https://wiki.example.com/", from = "guests" }
expect = { refused = "authorization", status = 403 }
"#;

#[test]
fn tests_that_hold_pass() {
    project(RIGHT)
        .run(["test"])
        .success()
        .says("7 tests, 12 requests: 12 passed\n")
        .says("coverage: 3 of 4 listeners, 4 of 4 rules of routes; --coverage lists the others\n");
    project(RIGHT)
        .run(["test", "--coverage"])
        .success()
        .says("  no test touches listener network/envoy-internal: http\n");
    project(RIGHT)
        .run(["-q", "test"])
        .success()
        .never_says("passed");
}

#[test]
fn what_fails_is_told_at_its_line_with_the_object_that_decides() {
    let tests = r#"
[[test]]
name = "the blog is open"
request = { url = "https://blog.example.com/", from = "internet" }
expect = { route = "blog/shop", guards = [], refused = false, client_ip = "192.0.2.7", tls = "1.3", gateway = "envoy-internal" }

[[test]]
name = "the wiki is for everybody at home"
request = { url = "https://wiki.example.com/", from = ["home", "guests"] }
expect = { backend = "wiki:80", refused = false }

[[test]]
name = "the wiki is public"
request = { url = "https://wiki.example.com/", from = "internet" }
expect = { reachable = true }

[[test]]
name = "the wiki answers"
request = { url = "https://wiki.example.com/", from = "10.10.30.7" }
expect = { status = 200 }
"#;
    let run = project(tests).run(["test"]).code(1);
    snapshot!("failures", run);
}

#[test]
fn each_combination_of_hosts_paths_methods_and_headers_is_a_request() {
    let tests = r#"
[[test]]
name = "nothing is there"
request = { host = ["a.example.com", "b.example.com:8443"], path = ["/", "/x?y=1"], method = ["GET", "PUT"], headers = { X-A = ["1", "2"] } }
expect = { reachable = false }
"#;
    project(tests)
        .run(["-v", "test"])
        .success()
        .says("1 test, 16 requests: 16 passed")
        .says("ok: nothing is there: PUT https://b.example.com:8443/x?y=1 with x-a: 2\n");
}

#[test]
fn a_network_is_tried_at_the_borders_of_what_rules_allow() {
    let tests = r#"
[[test]]
name = "the LAN reads the wiki"
request = { url = "https://wiki.example.com/", from = "10.10.0.0/16" }
expect = { refused = false }
"#;
    project(tests)
        .run(["test"])
        .code(1)
        .says("expected no refusal, but the client is refused by authorization")
        .says("GET https://wiki.example.com/ from 10.10.0.0/16 (10.10.0.1)");
}

#[test]
fn what_is_not_known_fails_unless_it_is_allowed() {
    let test = |more: &str| {
        format!(
            "\n[[test]]\nname = \"the wiki\"\n{more}request = {{ url = \"https://wiki.example.com/\" }}\nexpect = {{ refused = false }}\n"
        )
    };
    project(&test(""))
        .run(["test"])
        .code(1)
        .says("error[test/unknown]: the wiki: expected no refusal, but that is not known: the decision of SecurityPolicy network/internal-only depends on the client's address")
        .says("1 test, 1 request: 0 passed, 1 failed (1 because something is not known)");
    project(&test("allow_unknown = true\n"))
        .run(["test"])
        .success();
}

#[test]
fn mistakes_in_tests_are_told_once_at_their_place() {
    let files = Project::new()
        .config(format!("{MINIMAL}{TABLES}"))
        .file(
            "tests/wrong.toml",
            r#"[[test]]
name = "misspelt"
request = { url = "https://wiki.example.com/", form = "home" }
expect = { route = "docs/wiki" }

[[test]]
request = { url = "wiki.example.com", from = "gusts", method = "A B" }
expect = { guards = ["basic-auth"], tls = "1.4", status = 20, client_ip = "me" }

[[test]]
name = "nothing is asked"
expect = { route = "docs/wiki" }

[[test]]
name = "nothing is expected"
request = { url = "https://wiki.example.com/" }
"#,
        )
        .file("tests/of-another-tool.toml", "[tool]\nname = \"x\"\n")
        .rendered();
    snapshot!("mistakes", files.run(["test"]).code(1));
}

#[test]
fn a_key_that_is_unknown_in_cluster_toml_is_an_error_as_everywhere() {
    let tests = "\n[[test]]\nname = \"a\"\nrequest = { url = \"https://wiki.example.com/\" }\nexpect = { rute = \"docs/wiki\" }\n";
    Project::new()
        .config(format!("{MINIMAL}{TABLES}{tests}"))
        .run(["validate"])
        .code(1)
        .says("error[config/unknown-key]: [test[0].expect] has no key `rute`")
        .says("= help: write `route`\n");
}

#[test]
fn without_a_test_there_is_nothing_to_pass() {
    project("").run(["test"]).code(2).warns("there is no test");
}

#[test]
fn what_happens_today_is_recorded_and_holds() {
    let project = project("");
    project
        .run(["test", "--record"])
        .success()
        .says("tests/recorded.toml: 7 tests");
    snapshot!("recorded", project.read("tests/recorded.toml"));
    project
        .run(["test"])
        .success()
        .says("7 tests, 7 requests: 7 passed")
        .says("coverage: 4 of 4 listeners, 4 of 4 rules of routes\n");
    project.write("tests/recorded.toml", "# mine\n");
    project
        .run(["test", "--record"])
        .code(2)
        .warns("tests/recorded.toml exists already, and is not overwritten");
    assert_eq!(project.read("tests/recorded.toml"), "# mine\n");
    project
        .run(["test", "--record=-"])
        .success()
        .says("[[test]]");
    project
        .run(["test", "--record=../outside.toml"])
        .code(2)
        .warns("can't be created in the root");
}

#[test]
fn a_refactoring_that_changes_something_fails_the_recorded_tests() {
    let project = project("");
    project.run(["test", "--record"]).success();
    project.edit(
        "kubernetes/apps/apps.yaml",
        "basicAuth: {users: {name: blog-users}}",
        "cors: {allowOrigins: ['*']}",
    );
    project
        .run(["test"])
        .code(1)
        .says("expected guards basic auth, but nothing guards the backend");
}

#[test]
fn programs_get_the_same_as_json_junit_and_annotations() {
    let tests = r#"
[[test]]
name = "a & b"
request = { url = "https://blog.example.com/", from = "internet" }
expect = { route = "blog/blog" }

[[test]]
name = "c <d>"
request = { url = "https://blog.example.com/", from = "internet" }
expect = { route = "blog/other" }
"#;
    let project = project(tests);
    let json = project.run(["test", "--format", "json"]).code(1);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["schema"], "gatewayctl/test/v1");
    assert_eq!(json["summary"]["passed"], 1);
    assert_eq!(json["summary"]["failed"], 1);
    let failure = &json["requests"][1]["failures"][0];
    assert_eq!(failure["expectation"], "route");
    assert_eq!(failure["expected"], "route blog/other");
    assert_eq!(failure["found"], "HTTPRoute blog/blog takes the request");
    assert_eq!(failure["file"], "cluster.toml");
    assert_eq!(failure["because"]["file"], "kubernetes/apps/apps.yaml");
    assert_eq!(json["coverage"][0]["routes"]["total"], 4);

    let xml = project.run(["test", "--format", "junit"]).code(1).stdout;
    let xml = roxmltree::Document::parse(&xml).expect("XML");
    let cases: Vec<_> = xml
        .descendants()
        .filter(|it| it.has_tag_name("testcase"))
        .collect();
    assert_eq!(cases.len(), 2);
    assert_eq!(cases[0].attribute("classname"), Some("a & b"));
    assert_eq!(
        cases[0].attribute("name"),
        Some("GET https://blog.example.com/ from the Internet")
    );
    assert!(!cases[0].has_children());
    let failure = cases[1].descendants().find(|it| it.has_tag_name("failure"));
    assert_eq!(
        failure.and_then(|it| it.attribute("type")),
        Some("test/failed")
    );

    project
        .run(["test", "--format", "github"])
        .code(1)
        .says("::error file=cluster.toml,line=30,col=20,")
        .says("2 tests, 2 requests: 1 passed, 1 failed");
}

/// A repository of two clusters without a `cluster.toml`.
fn clusters(tests: &str) -> Project {
    let gateway = |domain: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: external, namespace: network}}
spec:
  gatewayClassName: envoy
  listeners: [{{name: http, port: 80, protocol: HTTP}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app, namespace: network}}
spec:
  parentRefs: [{{name: external}}]
  hostnames: [app.{domain}]
  rules: [{{backendRefs: [{{name: app, port: 80}}]}}]
"
        )
    };
    let flux = |name: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: flux-system}}
spec: {{path: ./clusters/{name}/apps, prune: true, interval: 1h, sourceRef: {{kind: GitRepository, name: flux-system}}}}
"
        )
    };
    let project = Project::new().file("gatewayctl.toml", tests);
    for (name, domain) in [("home", "example.com"), ("lab", "lab.example.com")] {
        project.write(&format!("clusters/{name}/apps.yaml"), flux(name));
        project.write(&format!("clusters/{name}/apps/app.yaml"), gateway(domain));
    }
    project.shell("git init -q").success();
    project
}

#[test]
fn each_cluster_is_tested_by_itself() {
    let test = |more: &str| {
        format!(
            "[[test]]\nname = \"app\"\n{more}request = {{ url = \"http://app.lab.example.com/\" }}\nexpect = {{ route = \"app\" }}\n"
        )
    };
    clusters(&test("cluster = \"lab\"\n"))
        .run(["test"])
        .success()
        .says("1 test, 1 request: 1 passed")
        .says("coverage of home: 0 of 1 listeners")
        .says("coverage of lab: 1 of 1 listeners");
    clusters(&test(""))
        .run(["test"])
        .code(1)
        .says("= cluster: home")
        .says("1 test, 2 requests: 1 passed, 1 failed");
    clusters(&test("cluster = \"labs\"\n"))
        .run(["test"])
        .code(1)
        .says("there is no cluster `labs`");
}

#[test]
fn files_on_the_command_line_need_no_configuration() {
    let project = Project::new().file("apps.yaml", APPS).file(
        "mine.toml",
        "[[test]]\nrequest = { url = \"https://blog.example.com/\" }\nexpect = { reachable = false }\n",
    );
    project
        .run(["test", "mine.toml", "--in", "apps.yaml"])
        .success()
        .says("1 test, 1 request: 1 passed");
    project
        .run(["test", "none.toml", "--in", "apps.yaml"])
        .code(2)
        .warns("none.toml: can't be read");
}
