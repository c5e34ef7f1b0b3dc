//! `[rules]`: what must never be merged.

use crate::common::{MINIMAL, Project, Run};

/// A project with rules in `cluster.toml` and applications beside it.
fn validated(tables: &str, apps: &str) -> Run {
    let project = Project::new()
        .config(format!("{MINIMAL}{tables}"))
        .file("kubernetes/apps/apps.yaml", apps);
    project.shell("SOURCE_DATE_EPOCH=1795910400 \"$PROGRAM\" validate")
}

/// A route of any kind.
fn route(kind: &str, namespace: &str, name: &str, more: &str, gateway: &str) -> String {
    let version = match kind {
        "HTTPRoute" | "GRPCRoute" => "v1",
        _ => "v1alpha2",
    };
    format!(
        "---
apiVersion: gateway.networking.k8s.io/{version}
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  parentRefs: [{{name: {gateway}, namespace: network}}]
{more}  rules: [{{backendRefs: [{{name: {name}, port: 80}}]}}]
"
    )
}

fn http(namespace: &str, name: &str, gateway: &str) -> String {
    let host = format!("  hostnames: [{name}.example.com]\n");
    route("HTTPRoute", namespace, name, &host, gateway)
}

/// The lines of a run that begin a finding of the group.
fn told(run: &Run) -> Vec<&str> {
    run.stdout
        .lines()
        .filter(|line| line.contains("[guard/") || line.contains("[config/"))
        .collect()
}

const GUARDED: &str = "
[rules.external]
requires = [\"auth or allow list\"]
";

const LOGIN: &str = "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {name: login, namespace: apps}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: app}]
  basicAuth: {users: {name: users}}
";

#[test]
fn what_is_external_must_be_guarded() {
    let run = validated(GUARDED, &http("apps", "app", "envoy-external")).code(1);
    snapshot!("missing_guard", run);
    let run = validated(GUARDED, &(http("apps", "app", "envoy-external") + LOGIN));
    assert!(told(&run).is_empty(), "{run}");
    let run = validated(GUARDED, &http("apps", "app", "envoy-internal"));
    assert!(told(&run).is_empty(), "{run}");
    let policy = "
[security_policies.office]
gateways = [\"envoy-external\"]
spec.authorization.defaultAction = \"Deny\"
spec.authorization.rules = [{ action = \"Allow\", principal = { clientCIDRs = [\"192.0.2.0/24\"] } }]
";
    let run = validated(
        &format!("{GUARDED}{policy}"),
        &http("apps", "app", "envoy-external"),
    );
    assert!(told(&run).is_empty(), "{run}");
}

#[test]
fn no_kind_of_route_gets_around_a_rule() {
    let charted = "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: player, namespace: apps}
spec:
  chart: {spec: {chart: app-template, version: 5.1.0, sourceRef: {kind: HelmRepository, name: bjw-s}}}
  values:
    controllers: {player: {containers: {app: {image: {repository: player, tag: 1.0.0}}}}}
    service: {app: {controller: player, ports: {http: {port: 80}}}}
    route:
      app:
        hostnames: [player.example.com]
        parentRefs: [{name: envoy-external, namespace: network}]
        rules: [{backendRefs: [{identifier: app, port: http}]}]
";
    let set = "---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: team, namespace: apps}
spec:
  parentRef: {name: envoy-external, namespace: network}
  listeners: [{name: team, port: 8080, protocol: HTTP, hostname: team.example.com}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: team, namespace: apps}
spec:
  parentRefs: [{kind: ListenerSet, name: team}]
  rules: [{backendRefs: [{name: team, port: 80}]}]
";
    let tables = format!(
        "{GUARDED}
[gateways.envoy-external.listeners.pass]
port = 8443
protocol = \"TLS\"
spec.tls.mode = \"Passthrough\"
namespaces = \"All\"

[gateways.envoy-external.spec.allowedListeners.namespaces]
from = \"All\"
"
    );
    let grpc = route(
        "GRPCRoute",
        "apps",
        "rpc",
        "  hostnames: [rpc.example.com]\n",
        "envoy-external",
    );
    let tls = route(
        "TLSRoute",
        "apps",
        "pass",
        "  hostnames: [pass.example.com]\n",
        "envoy-external",
    );
    let apps = format!("{charted}{set}{grpc}{tls}");
    let run = validated(&tables, &apps).code(1);
    let lines = told(&run).join("\n");
    for host in ["player", "team", "rpc", "pass"] {
        let line = format!(
            "error[guard/missing-guard]: {host}.example.com is on the external gateway network/envoy-external without auth or allow list"
        );
        assert!(lines.contains(&line), "{host}: {run}");
    }
    assert_eq!(told(&run).len(), 4, "{run}");
    // A chart's route is told at the value that it comes from.
    run.says("object: HelmRelease apps/player, /spec/values/route/app/hostnames/0");
}

#[test]
fn exceptions_have_a_reason_and_an_end() {
    let app = http("apps", "app", "envoy-external");
    let with = |exception: &str| {
        validated(
            &format!("{GUARDED}exceptions = [{{ {exception} }}]\n"),
            &app,
        )
    };
    let run = with("host = \"app.example.com\", reason = \"public\", until = \"2026-11-29\"");
    assert!(told(&run).is_empty(), "{run}");
    let run = with("host = \"app.example.com\", reason = \"public\", until = 2026-11-29");
    assert!(told(&run).is_empty(), "{run}");
    let run = with("host = \"*.example.com\", reason = \"public\", until = \"2026-11-28\"").code(1);
    snapshot!("expired", run);
    for (exception, want) in [
        (
            "host = \"app.example.com\", until = \"2027-01-31\"",
            "error[config/missing-key]: an exception from the rules has no `reason`",
        ),
        (
            "host = \"app.example.com\", reason = \"public\"",
            "error[config/missing-key]: an exception from the rules has no end",
        ),
        (
            "reason = \"public\", until = \"2027-01-31\"",
            "error[config/missing-key]: an exception from the rules doesn't say what it is for",
        ),
        (
            "host = \"a\", reason = \"public\", until = \"31.1.2027\"",
            "error[config/invalid-value]: `31.1.2027` is not a date",
        ),
        (
            "rule = \"nothing\", reason = \"public\", until = \"2027-01-31\"",
            "error[config/unknown-reference]: there is no rule `nothing`",
        ),
    ] {
        let run = with(exception).code(1);
        assert!(run.stdout.contains(want), "{want}: {run}");
    }
}

#[test]
fn namespaces_use_only_what_they_may() {
    let tables = "
[rules.namespaces]
never_external = [\"monitor*\"]

[[rules.allow]]
namespaces = [\"team-*\"]
gateways = [\"envoy-internal\"]
listeners = [\"https\"]
ports = [443]
hostnames = [\"*.apps.example.com\"]
";
    let host = |name: &str| format!("  hostnames: [{name}.example.com]\n");
    let apps = [
        http("monitoring", "grafana", "envoy-external"),
        http("monitoring", "alerts", "envoy-internal"),
        http("other", "other", "envoy-external"),
        route(
            "HTTPRoute",
            "team-a",
            "good",
            &host("good.apps"),
            "envoy-internal",
        )
        .replace(
            "namespace: network}]",
            "namespace: network, sectionName: https}]",
        ),
        route(
            "HTTPRoute",
            "team-b",
            "wrong-gateway",
            &host("b.apps"),
            "envoy-external",
        ),
        route(
            "HTTPRoute",
            "team-c",
            "wrong-host",
            &host("c"),
            "envoy-internal",
        )
        .replace(
            "namespace: network}]",
            "namespace: network, sectionName: https}]",
        ),
    ];
    let run = validated(tables, &apps.concat()).code(1);
    assert_eq!(
        told(&run),
        [
            "error[guard/never-external]: namespace monitoring must never be external, but grafana.example.com is on the external gateway network/envoy-external",
            "error[guard/disallowed-use]: namespace team-b may not use gateway network/envoy-external",
            "error[guard/disallowed-use]: namespace team-c may not use hostname c.example.com",
        ],
        "{run}"
    );
}

#[test]
fn tls_wildcards_and_policies_for_backends() {
    let tables = "
[rules]
tls_floor = \"1.3\"
forbid_wildcards = true
require_backend_policy = true
";
    let apps = route(
        "HTTPRoute",
        "apps",
        "all",
        "  hostnames: ['*.example.com']\n",
        "envoy-internal",
    );
    let run = validated(tables, &apps).code(1);
    let lines = told(&run);
    assert_eq!(
        lines,
        [
            "error[guard/tls-floor]: listener https of network/envoy-external accepts TLS 1.2, and the lowest version allowed is 1.3",
            "error[guard/tls-floor]: listener https of network/envoy-internal accepts TLS 1.2, and the lowest version allowed is 1.3",
            "error[guard/no-backend-policy]: no BackendTrafficPolicy applies to HTTPRoute apps/all at network/envoy-internal",
            "error[guard/wildcard]: HTTPRoute apps/all answers for *.example.com at network/envoy-internal",
        ],
        "{run}"
    );
    let right = "
[client_traffic]
tls = { min_version = \"1.3\" }

[backend_traffic]
timeouts = { request = \"30s\" }
";
    let run = validated(
        &format!("{tables}{right}"),
        &http("apps", "app", "envoy-internal"),
    );
    assert!(told(&run).is_empty(), "{run}");
    validated("[rules]\ntls_floor = \"1.4\"\n", "")
        .code(1)
        .says("error[config/invalid-value]: `1.4` is not a version of TLS");
}

#[test]
fn rules_of_ones_own_are_expressions() {
    let tables = "
[[rules.check]]
name = \"administration is internal\"
expression = \"!(public && host.startsWith('admin.'))\"
message = \"administration must not be public\"

[[rules.exceptions]]
rule = \"administration is internal\"
route = \"admin-old\"
reason = \"moves next month\"
until = \"2027-01-31\"
";
    let old = route(
        "HTTPRoute",
        "tools",
        "admin-old",
        "  hostnames: [admin.old.example.com]\n",
        "envoy-external",
    );
    let apps =
        http("tools", "admin", "envoy-external") + &http("apps", "app", "envoy-external") + &old;
    let run = validated(tables, &apps).code(1);
    snapshot!("custom_rule", run);
}

#[test]
fn an_expression_with_a_mistake_is_told_at_its_place() {
    let with = |expression: &str| {
        validated(
            &format!("\n[[rules.check]]\nexpression = \"{expression}\"\n"),
            &http("apps", "app", "envoy-external"),
        )
    };
    with("publik")
        .code(1)
        .says("error[config/invalid-value]: the expression is wrong: there is no `publik`")
        .says("cluster.toml:14:14")
        .says("help: write `public`");
    with("public || host")
        .code(1)
        .says("the expression is wrong: a string stands where true or false is needed");
    with("routes[1].name == 'app'").code(1).says(
        "error[guard/failed-expression]: the rule `routes[1].name == 'app'` can't be checked",
    );
    // Who publishes the record is not known, so it is only a note.
    with("dns.size() == 1").success().says(
        "note[guard/custom-rule]: dns.size() == 1: app.example.com at network/envoy-external",
    );
}

#[test]
fn a_gateway_that_may_be_external_is_told_and_can_be_named() {
    let gateway = "---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: main, namespace: network}
spec:
  gatewayClassName: envoy
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
";
    let repository = |rules: &str| {
        Project::new()
            .file("gatewayctl.toml", rules)
            .file("gateway.yaml", gateway)
            .file("app.yaml", http("apps", "app", "main"))
    };
    let rules = "[rules.external]\nrequires = [\"oidc\"]\n";
    let project = repository(rules);
    project.shell("git init -q").success();
    project
        .run(["validate"])
        .success()
        .says("note[guard/unknown-side]: it is not known whether gateway network/main is external");
    // The rules hold for named files, too.
    repository(&format!("{rules}gateways = [\"main\"]\n"))
        .run(["validate", "."])
        .code(1)
        .says("error[guard/missing-guard]: app.example.com is on the external gateway network/main without oidc")
        .says("gatewayctl.toml:2:13");
    repository("[rules.external]\nrequires = [\"odic\"]\n")
        .run(["validate", "."])
        .code(1)
        .says("error[config/invalid-value]: `odic` is not a guard")
        .says("help: write `oidc`");
}

#[test]
fn against_a_revision_only_new_violations_are_told() {
    let project = Project::new()
        .config(format!("{MINIMAL}{GUARDED}"))
        .file(
            "kubernetes/apps/old.yaml",
            http("apps", "old", "envoy-external"),
        )
        .rendered();
    project
        .shell("git init -q && git add -A && git commit -qm first")
        .success();
    project.run(["validate", "--against", "git:HEAD"]).success();
    project.write(
        "kubernetes/apps/new.yaml",
        http("apps", "new", "envoy-external"),
    );
    project
        .run(["validate", "--against", "git:HEAD"])
        .code(1)
        .says("new.example.com is on the external gateway")
        .never_says("old.example.com is on");
}
