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
        (
            "jwt: {providers: [{name: p, issuer: i, remoteJWKS: {uri: https://id.example.com/keys}}]}",
            vec![],
            "401",
        ),
        (
            "jwt: {optional: true, providers: [{name: p, issuer: i, remoteJWKS: {uri: https://id.example.com/keys}}]}",
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

fn route(name: &str, rules: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: network}}
spec: {{hostnames: [shop.example.com], parentRefs: [{{name: external}}], rules: [{rules}]}}
"
    )
}

#[test]
fn a_rule_with_a_refused_filter_answers_500() {
    let rules = "{matches: [{path: {value: /good}}], backendRefs: [{name: good, port: 80}]}, \
                 {filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: 'a/b', value: x}]}}], backendRefs: [{name: bad, port: 80}]}, \
                 {matches: [{path: {value: /pattern, type: RegularExpression}, headers: [{name: a, value: '[', type: RegularExpression}]}], backendRefs: [{name: odd, port: 80}]}";
    let text = route("shop", rules);
    assert_eq!(ends(&text, "http://shop.example.com/good", &[]), "good");
    assert_eq!(ends(&text, "http://shop.example.com/", &[]), "500");
    // A rule with a match that is refused is left out, so the next one answers.
    assert_eq!(ends(&text, "http://shop.example.com/pattern", &[]), "500");
}

#[test]
fn cookies_of_filters_count_as_part_of_the_match() {
    let filter = "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: {name: beta, namespace: network}
spec: {matches: [{cookies: [{name: beta, value: 'on'}]}]}
";
    let rules = "{backendRefs: [{name: stable, port: 80}]}, \
                 {filters: [{type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: beta}}], backendRefs: [{name: beta, port: 80}]}";
    let text = format!("{}{filter}", route("shop", rules));
    let url = "http://shop.example.com/";
    assert_eq!(ends(&text, url, &[]), "stable");
    assert_eq!(ends(&text, url, &["Cookie: a=b; beta=on"]), "beta");
}

#[test]
fn preflights_are_answered_where_another_method_is_routed() {
    let rules = "{matches: [{method: POST}], filters: [{type: CORS, cors: {allowOrigins: ['https://example.com']}}], backendRefs: [{name: shop, port: 80}]}";
    let text = route("shop", rules);
    let ask = |method: &str, headers: &[&str]| {
        let mut request = Request::get("http://shop.example.com/").expect("a URL");
        request.set_method(method).expect("a method");
        for line in headers {
            request.add_header(line).expect("a header");
        }
        match outcomes(&text, &request).as_slice() {
            [Outcome::Response { status, .. }] => *status,
            [Outcome::Backends(_)] => 0,
            other => panic!("{other:?}"),
        }
    };
    let preflight = [
        "Origin: https://example.com",
        "Access-Control-Request-Method: POST",
    ];
    assert_eq!(ask("OPTIONS", &preflight), 200);
    let foreign = [
        "Origin: https://example.org",
        "Access-Control-Request-Method: POST",
    ];
    assert_eq!(ask("OPTIONS", &foreign), 200);
    assert_eq!(ask("OPTIONS", &[]), 404);
    assert_eq!(ask("POST", &preflight), 0);
}

#[test]
fn a_dynamic_resolver_can_not_stand_beside_another_backend() {
    let backends = "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: any, namespace: network}
spec: {type: DynamicResolver}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: fixed, namespace: network}
spec: {endpoints: [{fqdn: {hostname: backend.example.com, port: 80}}]}
";
    let to = |names: &[&str]| {
        let refs = names
            .iter()
            .map(|name| format!("{{group: gateway.envoyproxy.io, kind: Backend, name: {name}}}"));
        let refs = refs.collect::<Vec<_>>().join(", ");
        let text = route("shop", &format!("{{backendRefs: [{refs}]}}"));
        ends(
            &format!("{text}{backends}"),
            "http://shop.example.com/",
            &[],
        )
    };
    assert_eq!(to(&["any"]), "any");
    assert_eq!(to(&["any", "fixed"]), "500");
}

#[test]
fn a_policy_that_can_not_be_applied_at_a_listener_changes_nothing_there() {
    let gateway = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: pair, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: one, port: 80, protocol: HTTP, hostname: one.example.com}
    - {name: two, port: 80, protocol: HTTP, hostname: two.example.com}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: pair, namespace: network}
spec: {parentRefs: [{name: pair}], rules: [{backendRefs: [{name: pair, port: 80}]}]}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: one, namespace: network}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: pair, sectionName: one}]
";
    let at = |spec: &str| {
        let objects = objects(&format!("{GATEWAY}---\n{gateway}  {spec}\n"));
        let resolved = resolve(&objects, &Settings::default());
        let charted = charted(&objects, &ReleaseValues::default());
        let inputs = TraceInputs {
            resolved: &resolved,
            objects: &objects,
            charted: &charted,
            generated: &[],
            runner: &InProcess::default(),
        };
        let request = Request::get("http://one.example.com/").expect("a URL");
        let traced = trace(&inputs, &request, Some("pair"));
        let one = traced.gateways.first().expect("a gateway");
        matches!(one.outcome, Outcome::Backends(_))
    };
    // Both listeners share their settings, so one of them can't have a policy of its own.
    assert!(at("timeout: {http: {requestReceivedTimeout: 5s}}"));
}

#[test]
fn the_route_of_a_chart_may_get_the_request() {
    let release = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: network}
spec:
  chart: {spec: {chart: shop}}
  values:
    httpRoute: {enabled: true, hostnames: [HOST], parentRefs: [{name: external, namespace: network}]}
---
";
    let with = |host: &str| {
        format!(
            "{}{}",
            release.replace("HOST", host),
            route("shop", "{backendRefs: [{name: shop, port: 80}]}")
        )
    };
    let url = "http://shop.example.com/";
    assert_eq!(ends(&with("other.example.com"), url, &[]), "shop");
    assert_eq!(ends(&with("shop.example.com"), url, &[]), "unknown");
    assert_eq!(ends(&with("'*.example.com'"), url, &[]), "shop");
}

#[test]
fn dns_is_said_as_far_as_its_publishers_are_known() {
    let says = |more: &str| {
        let text = route("shop", "{backendRefs: [{name: shop, port: 80}]}");
        let objects = objects(&format!("{GATEWAY}---\n{text}---\n{more}"));
        let resolved = resolve(&objects, &Settings::default());
        let charted = charted(&objects, &ReleaseValues::default());
        let inputs = TraceInputs {
            resolved: &resolved,
            objects: &objects,
            charted: &charted,
            generated: &[],
            runner: &InProcess::default(),
        };
        let request = Request::get("http://shop.example.com/").expect("a URL");
        let traced = trace(&inputs, &request, None);
        let steps = &traced.gateways.first().expect("a gateway").steps;
        let step = steps.first().expect("a step");
        format!("{}: {}", step.text, step.details.join("; "))
    };
    let publisher = |values: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: external-dns, namespace: network}}
spec: {{chart: {{spec: {{chart: external-dns}}}}, values: {{sources: [gateway-httproute], {values}}}}}
"
        )
    };
    let unknown = says("apiVersion: v1\nkind: Namespace\nmetadata: {name: network}\n");
    assert!(
        unknown.contains("no publisher of DNS records is in the given files"),
        "{unknown}"
    );
    let published = says(&publisher("domainFilters: [example.com]"));
    assert!(
        published
            .contains("published by HelmRelease network/external-dns for HTTPRoute network/shop"),
        "{published}"
    );
    let left_out = says(&publisher("domainFilters: [example.org]"));
    assert!(
        left_out.contains("no publisher of DNS records takes its route"),
        "{left_out}"
    );
    let written = says(
        "apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: {name: shop, namespace: network}
spec: {endpoints: [{dnsName: shop.example.com, recordType: A, targets: [10.10.30.26]}]}
",
    );
    assert!(
        written.starts_with(
            "shop.example.com leads to 10.10.30.26: published by DNSEndpoint network/shop"
        ),
        "{written}"
    );
}
