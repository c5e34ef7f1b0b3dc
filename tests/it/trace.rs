//! The output of `trace`: text, JSON, and the exit code.

use crate::common::{MINIMAL, Project};
use serde_json::Value;

/// Two applications behind the gateways of [`MINIMAL`], and one behind both.
const APPS: &str = r"apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki, namespace: apps}
spec:
  hostnames: [wiki.example.com]
  parentRefs: [{name: envoy-internal, namespace: network, sectionName: https}]
  rules:
    - backendRefs: [{name: wiki, port: 80}]
    - matches: [{path: {type: PathPrefix, value: /api}}]
      filters:
        - type: URLRewrite
          urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
      backendRefs:
        - {name: api, port: 8080, weight: 90}
        - {name: api-next, port: 8080, weight: 10}
    - matches: [{path: {type: Exact, value: /old}}]
      filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplaceFullPath, replaceFullPath: /new}}}]
    - matches: [{path: {type: Exact, value: /circle}}]
      filters: [{type: RequestRedirect, requestRedirect: {hostname: wiki.example.com}}]
    - matches: [{path: {type: Exact, value: /empty}}]
---
apiVersion: v1
kind: Service
metadata: {name: wiki, namespace: apps}
spec:
  ports: [{port: 80, targetPort: 3000}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: apps}
spec:
  hostnames: [shop.example.com]
  parentRefs:
    - {name: envoy-internal, namespace: network, sectionName: https}
    - {name: envoy-external, namespace: network, sectionName: https}
  rules: [{backendRefs: [{name: shop, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: {name: git, namespace: dev, annotations: {external-dns.alpha.kubernetes.io/hostname: git.example.com}}
spec:
  parentRefs: [{name: envoy-internal, namespace: network, sectionName: ssh}]
  rules: [{backendRefs: [{name: git, port: 22}]}]
";

const TABLES: &str = r#"[client_traffic]
client_ip = { trusted_cidrs = ["10.42.0.0/16"] }

[backend_traffic]
retry = { attempts = 2, on = ["reset"] }
timeouts = { request = "30s" }

[redirect]
status = 301

[lua]
block_user_agents = ["GPTBot"]
gateways = ["envoy-external"]

[ssh]
namespace = "dev"
gateways = ["envoy-internal"]
backend = { name = "git", port = 22 }

[cert_manager]
issuer = "letsencrypt"

[cert_manager.certificates.example-com]

[security_policies.internal-only]
gateways = ["envoy-internal"]
spec.authorization.defaultAction = "Deny"

[[security_policies.internal-only.spec.authorization.rules]]
name = "home"
action = "Allow"
principal = { clientCIDRs = ["10.10.30.0/24"] }
"#;

/// A rendered project with applications beside it.
fn project() -> Project {
    Project::new()
        .config(format!("{MINIMAL}\n{TABLES}"))
        .file("apps/apps.yaml", APPS)
        .rendered()
}

fn traced(arguments: &[&str]) -> crate::common::Run {
    let all = ["trace"].iter().chain(arguments).chain(&["--in", "."]);
    project().run(all.copied())
}

#[test]
fn the_way_to_a_backend_is_told_step_by_step() {
    let run = traced(&["https://wiki.example.com/page", "--from", "10.10.30.7"]).success();
    snapshot!("backend", run);
}

#[test]
fn the_longest_path_wins_and_parts_are_shared_out() {
    let run = traced(&["https://wiki.example.com/api/v1", "--from", "10.10.30.7"]).success();
    snapshot!("rewrite", run);
}

#[test]
fn whoever_is_not_allowed_is_stopped_by_the_rule_that_says_so() {
    let headers = ["-H", "X-Forwarded-For: 203.0.113.7"];
    let arguments = ["https://wiki.example.com", "--from", "10.42.0.1"];
    let run = traced(&[&arguments[..], &headers[..]].concat()).code(1);
    snapshot!("denied", run);
}

#[test]
fn both_gateways_are_shown_and_the_script_answers_at_one() {
    let agent = ["-H", "User-Agent: GPTBot/1.1"];
    let arguments = ["https://shop.example.com", "--from", "10.10.30.7"];
    let run = traced(&[&arguments[..], &agent[..]].concat()).code(1);
    snapshot!("script", run);
    traced(&[&arguments[..], &agent[..], &["--gateway", "envoy-internal"]].concat())
        .success()
        .never_says("envoy-external");
}

#[test]
fn without_tls_a_redirect_is_given_and_a_circle_is_told() {
    traced(&["http://wiki.example.com/a?b=1", "--from", "10.10.30.7"])
        .success()
        .says("=> 301 to https://wiki.example.com/a?b=1");
    traced(&["https://wiki.example.com/old", "--from", "10.10.30.7"])
        .success()
        .says("=> 302 to https://wiki.example.com/new");
    traced(&["https://wiki.example.com/circle", "--from", "10.10.30.7"])
        .code(1)
        .says(
            "a redirect loop: https://wiki.example.com/circle to https://wiki.example.com/circle",
        );
}

#[test]
fn where_nothing_answers_it_is_said_how_that_looks() {
    for (url, told) in [
        (
            "https://wiki.example.com/empty",
            "=> 500: there is no backend to send the request to",
        ),
        (
            "https://wiki.example.com:8443",
            "=> no answer: connection refused: no listener on port 8443",
        ),
        (
            "https://wiki.example.com:80",
            "=> no answer: the TLS handshake fails, because the listener expects plain text",
        ),
        (
            "http://wiki.example.com:443",
            "=> no answer: the listener expects TLS",
        ),
    ] {
        traced(&[url, "--from", "10.10.30.7"]).code(1).says(told);
    }
    traced(&["https://none.example.com", "--gateway", "envoy-external"])
        .code(1)
        .says("=> 404: no route at this listener matches the host");
    traced(&["https://a.b.example.com", "--gateway", "envoy-external"])
        .code(1)
        .says("the certificate is valid for example.com, *.example.com");
}

#[test]
fn connections_that_are_not_http_have_a_way_too() {
    let run = traced(&["ssh://git.example.com", "--from", "10.10.30.7"]).success();
    snapshot!("stream", run);
}

#[test]
fn who_the_client_is_is_not_made_up() {
    traced(&["https://wiki.example.com"])
        .success()
        .says("? client      the client's address is not known")
        .says("depends on the client's address");
}

#[test]
fn programs_get_the_same_as_json() {
    let arguments = [
        "https://wiki.example.com/page",
        "--from",
        "10.10.30.7",
        "--format",
        "json",
    ];
    let run = traced(&arguments).success();
    let json: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["schema"], "gatewayctl/trace/v1");
    assert_eq!(json["request"]["url"], "https://wiki.example.com/page");
    let way = &json["ways"][0];
    assert_eq!(way["gateway"]["name"], "envoy-internal");
    assert_eq!(way["outcome"]["kind"], "backends");
    assert_eq!(way["outcome"]["backends"][0]["name"], "wiki");
    assert_eq!(way["outcome"]["is_failure"], false);
    let steps = way["steps"].as_array().expect("steps");
    let route = steps.iter().find(|step| step["stage"] == "route");
    let at = &route.expect("a route")["at"];
    assert_eq!(at["file"], "apps/apps.yaml");
    assert_eq!(at["line"], 8);
}

#[test]
fn without_paths_the_rendered_objects_are_looked_at_with_their_lines_in_cluster_toml() {
    let run = project().run([
        "trace",
        "http://wiki.example.com",
        "--gateway",
        "envoy-external",
    ]);
    run.success()
        .says("=> 301 to https://wiki.example.com/")
        .says("app/envoy.yaml:39, from cluster.toml:8");
}

#[test]
fn what_is_no_request_is_refused() {
    for (arguments, told) in [
        (
            ["wiki.example.com", "--from", "10.10.30.7"],
            "write a complete URL, such as https://wiki.example.com",
        ),
        (
            ["https://wiki.example.com", "-X", "A B"],
            "a method is one word",
        ),
        (
            ["https://wiki.example.com", "-H", "no colon"],
            "write 'Name: value'",
        ),
    ] {
        traced(&arguments).code(2).warns(told);
    }
}

/// A gateway that asks clients for a certificate.
const MUTUAL: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: one, namespace: network}
spec:
  gatewayClassName: envoy
  listeners: [{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: own}]}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: network}
spec:
  parentRefs: [{name: one}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: one, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: one}]
  tls: {clientValidation: {caCertificateRefs: [{name: authority}]}}
";

#[test]
fn the_certificate_of_the_client_decides_the_handshake() {
    let project = Project::new().file("manifests.yaml", MUTUAL);
    let ask = |more: &[&str]| {
        let arguments = ["trace", "--in", ".", "https://web.example.com/"];
        project.run(arguments.into_iter().chain(more.iter().copied()))
    };
    ask(&[])
        .success()
        .says("? client      clients must show a certificate");
    ask(&["--client-certificate", "trusted"])
        .success()
        .says("the handshake succeeds with what the client shows");
    ask(&["--client-certificate", "none"])
        .code(1)
        .says("=> no answer: the client shows no certificate, but must");
    ask(&["--client-certificate", "untrusted"])
        .code(1)
        .says("=> no answer: the policy's authorities did not sign the client's certificate");
}

#[test]
fn what_is_missing_does_not_exist_if_everything_is_given() {
    let project = Project::new().file("manifests.yaml", MUTUAL);
    let arguments = ["trace", "--in", ".", "https://web.example.com/"];
    project
        .run(arguments.into_iter().chain(["--complete"]))
        .code(1)
        .says("Secret network/own does not exist");
}

#[test]
fn a_client_that_verifies_nothing_takes_any_certificate() {
    let secret = "---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: own, namespace: network}
spec: {secretName: own, dnsNames: [other.example.com]}
";
    let manifests = format!("{MUTUAL}{secret}");
    let project = Project::new().file("manifests.yaml", manifests);
    let arguments = ["trace", "--in", ".", "https://web.example.com/"];
    project
        .run(arguments)
        .code(1)
        .says("clients that verify it close the connection");
    project
        .run(arguments.into_iter().chain(["--insecure"]))
        .success()
        .says("! certificate");
}

#[test]
fn a_script_that_fails_the_check_of_the_controller_makes_its_routes_answer_500() {
    let script = "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: script, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: web}]
  lua: [{type: Inline, inline: 'function envoy_on_response(handle) handle:unknownApi() end'}]
";
    let manifests = format!("{MUTUAL}{script}");
    let project = Project::new().file("manifests.yaml", manifests);
    let why = "the script fails when the controller runs it: script:1: attempt to call method 'unknownApi'";
    project
        .run(["trace", "--in", ".", "https://web.example.com/"])
        .code(1)
        .says(why)
        .says("=> 500");
    project.run(["status", "."]).code(1).says(why);
}
