//! Traces of requests through small sets of manifests.

use proptest::prelude::*;

use super::lua::InProcess;
use super::{Outcome, Request, TraceInputs, trace};
use envoy_gateway::helm_routes::{ReleaseValues, charted};
use envoy_gateway::{Settings, resolve};
use manifest::diagnostic::Sources;
use manifest::{Object, read};

const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network, annotations: {external-dns.alpha.kubernetes.io/target: external.example.com}}
spec:
  gatewayClassName: envoy
  addresses: [{value: 10.10.30.26}]
  listeners:
    - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
    - {name: https, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: tls}]}}
    - {name: vault, port: 443, protocol: TLS, hostname: vault.example.com, tls: {mode: Passthrough}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: TLSRoute
metadata: {name: vault, namespace: network}
spec:
  hostnames: [vault.example.com]
  parentRefs: [{name: external, sectionName: vault}]
  rules: [{backendRefs: [{name: vault, port: 8200}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: network}
spec:
  hostnames: [app.example.com, 'x.${DOMAIN}']
  parentRefs: [{name: external}]
  rules:
    - backendRefs: [{name: app, port: 80}]
    - matches: [{path: {value: /fixed}}]
      filters: [{type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: fixed}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: all, namespace: network}
spec:
  hostnames: ['*.example.com']
  parentRefs: [{name: external}]
  rules: [{matches: [{path: {value: /all}}], backendRefs: [{name: all, port: 80}]}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: fixed, namespace: network}
spec: {directResponse: {statusCode: 418}}
";

fn objects(text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text);
    let (documents, problems) = read(&sources, id);
    assert!(problems.is_empty(), "{problems:?}");
    let object = |node| Object::new(node, "a.yaml");
    documents.into_iter().map(|it| object(it.node)).collect()
}

fn outcomes(more: &str, request: &Request) -> Vec<Outcome> {
    let objects = objects(&format!("{GATEWAY}---\n{more}"));
    let charted = charted(&objects, &ReleaseValues::default());
    let resolved = resolve(
        objects.iter().chain(charted.objects()),
        &Settings::default(),
    );
    let inputs = TraceInputs {
        resolved: &resolved,
        objects: &objects,
        charted: &charted,
        generated: &[],
        runner: &InProcess::default(),
    };
    let gateways = trace(&inputs, request, None).gateways;
    gateways
        .into_iter()
        .map(|gateway_trace| gateway_trace.outcome)
        .collect()
}

/// The outcome of a request that reaches a single gateway, in a few words.
fn ends(more: &str, url: &str, headers: &[&str]) -> String {
    let mut request = Request::get(url).expect("a URL");
    request.from = "10.10.30.7".parse().ok();
    for line in headers {
        request.add_header(line).expect("a header");
    }
    match outcomes(more, &request).as_slice() {
        [Outcome::Backends(shares)] => shares.iter().map(|it| it.name.clone()).collect(),
        [Outcome::Response { status, .. }] => status.to_string(),
        [
            Outcome::Redirect {
                status, location, ..
            },
        ] => format!("{status} {location}"),
        [Outcome::Closed(_)] => "closed".to_owned(),
        [Outcome::Unknown(_)] => "unknown".to_owned(),
        other => format!("{other:?}"),
    }
}

fn policy(spec: &str) -> String {
    format!(
        "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {{name: guard, namespace: network}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, name: app}}]
  {spec}
"
    )
}

#[test]
fn the_closest_hostname_has_all_of_its_requests() {
    for (url, want) in [
        ("https://app.example.com/", "app"),
        ("https://app.example.com/fixed", "418"),
        ("https://b.example.com/all", "all"),
        // The wildcard's route would match, but Envoy doesn't look at it.
        ("https://app.example.com/all", "app"),
        ("https://b.example.com/", "404"),
        ("https://vault.example.com/", "vault"),
        ("tls://vault.example.com", "vault"),
        ("https://x.example.org/", "unknown"),
        ("https://x.${DOMAIN}/", "app"),
        ("https://app.example.com/a%2Fb", "307 /a/b"),
        ("https://10.10.30.26/", "404"),
        ("tcp://app.example.com:443", "unknown"),
        ("udp://app.example.com:443", "closed"),
    ] {
        assert_eq!(ends("", url, &[]), want, "{url}");
    }
    assert_eq!(
        ends("", "https://app.example.com/", &["Host: b.example.com"]),
        "404"
    );
}

#[test]
fn a_route_that_a_chart_makes_is_no_missing_route() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: wiki, namespace: network}
spec:
  values:
    route:
      app:
        hostnames: ['{{ .Release.Name }}.example.org']
        parentRefs: [{name: external, namespace: network}]
";
    assert_eq!(ends(release, "https://wiki.example.org/", &[]), "unknown");
    assert_eq!(ends(release, "https://other.example.net/", &[]), "404");
    assert_eq!(ends(release, "https://app.example.com/", &[]), "app");
}

#[test]
fn guards_stop_who_does_not_say_who_he_is() {
    let oidc = "oidc: {provider: {issuer: 'https://id.example.com'}, clientID: a, clientSecret: {name: s}}";
    let key = "apiKeyAuth: {credentialRefs: [{name: k}], extractFrom: [{headers: [X-Key]}]}";
    let url = "https://app.example.com/";
    for (spec, headers, want) in [
        (oidc, vec![], "302 https://id.example.com"),
        (oidc, vec!["Cookie: session=1"], "app"),
        (key, vec![], "401"),
        (key, vec!["X-Key: 1"], "app"),
        ("basicAuth: {users: {name: u}}", vec![], "401"),
        (
            "basicAuth: {users: {name: u}}",
            vec!["Authorization: Basic YTpi"],
            "app",
        ),
        ("jwt: {providers: [{name: p, issuer: i}]}", vec![], "401"),
        (
            "jwt: {optional: true, providers: [{name: p, issuer: i}]}",
            vec![],
            "app",
        ),
        ("authorization: {defaultAction: Deny}", vec![], "403"),
        ("authorization: {defaultAction: Allow}", vec![], "app"),
        (
            "authorization: {rules: [{action: Allow, principal: {clientCIDRs: [10.10.30.0/24]}}]}",
            vec![],
            "app",
        ),
    ] {
        assert_eq!(
            ends(&policy(spec), url, &headers),
            want,
            "{spec} {headers:?}"
        );
    }
}

#[test]
fn a_policy_that_is_refused_answers_with_500() {
    let broken = policy(
        "authorization: {rules: [{action: Allow, principal: {clientCIDRs: [10.10.30.0/99]}}]}",
    );
    assert_eq!(ends(&broken, "https://app.example.com/", &[]), "500");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_makes_it_panic(
        scheme in "https?|tls|ssh|wss|[a-z]{0,3}",
        host in "(app|b|vault)\\.example\\.com|[a-z*.${}\\[\\]:@-]{0,12}|\\PC{0,8}",
        rest in "(:[0-9]{0,6})?(/[a-z%2F.?&=/#]{0,16}|\\PC{0,12})",
        header in "[A-Za-z-]{0,8}:? ?\\PC{0,12}",
        method in "GET|OPTIONS|\\PC{0,4}",
    ) {
        if let Ok(mut request) = Request::get(&format!("{scheme}://{host}{rest}")) {
            let _ = request.add_header(&header);
            let _ = request.set_method(&method);
            outcomes(&policy("authorization: {defaultAction: Allow}"), &request);
        }
    }
}
