use super::check;
use crate::check::across::support;
use crate::codes;
use manifest::diagnostic::Diagnostic;

const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: http, port: 80, protocol: HTTP}
    - name: https
      port: 443
      protocol: HTTPS
      hostname: \"*.example.com\"
      allowedRoutes: {namespaces: {from: All}}
      tls: {certificateRefs: [{name: example-com-tls}]}
";

fn route(parent: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app, namespace: apps}}
spec:
  parentRefs: [{{name: external, namespace: network, {parent}}}]
  {spec}
"
    )
}

fn policy(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: {kind}
metadata: {{name: {name}, namespace: network}}
spec: {spec}
"
    )
}

/// The findings on manifests, each as `code pointer: message (help)`.
fn said(text: &str) -> Vec<String> {
    let found = support::found(check, "1.9.0", &[("a.yaml", text)]);
    // No test for other findings redirects plain HTTP.
    let found = found
        .iter()
        .filter(|it| it.code != codes::ATTACHMENT_NO_REDIRECT);
    let line = |it: &Diagnostic| {
        let pointer = it.pointer.clone().unwrap_or_default();
        format!(
            "{} {pointer}: {} ({})",
            it.code,
            it.message,
            it.help.clone().unwrap_or_default()
        )
    };
    found.map(line).collect()
}

#[test]
fn a_listener_that_is_not_there_is_told_with_those_that_are() {
    let text = GATEWAY.to_owned() + &route("sectionName: htp", "rules: []");
    assert_eq!(
        said(&text),
        [
            "attachment/no-listener /spec/parentRefs/0/sectionName: Gateway network/external has no listener `htp` (it has `http`, `https`)"
        ]
    );
}

#[test]
fn routes_that_are_not_let_in_are_told() {
    let text = GATEWAY.to_owned() + &route("sectionName: http", "rules: []");
    assert_eq!(
        said(&text),
        [
            "attachment/not-allowed /spec/parentRefs/0: Gateway network/external doesn't accept this route: no listener of the parent allows HTTPRoute from namespace `apps` (extend `allowedRoutes` of the listener, or attach the route to another one)"
        ]
    );
    let text = GATEWAY.to_owned() + &route("sectionName: https", "hostnames: [app.example.org]");
    assert_eq!(
        said(&text),
        [
            "attachment/no-hostname /spec/hostnames: no hostname of the route matches a listener of Gateway network/external (*.example.com) (use a hostname that the listener's hostname covers, or attach the route to another listener)"
        ]
    );
}

#[test]
fn what_is_not_given_is_not_told() {
    let rules = "rules: [{backendRefs: [{name: app, port: 80}]}]";
    let text = GATEWAY.to_owned() + &route("sectionName: https", rules);
    assert_eq!(said(&text), [""; 0]);
    let other =
        route("sectionName: nothing", rules).replace("namespace: network", "namespace: other");
    assert_eq!(said(&(GATEWAY.to_owned() + &other)), [""; 0]);
    let open = route("sectionName: https", "hostnames: [\"app.${DOMAIN}\"]");
    assert_eq!(said(&(GATEWAY.to_owned() + &open)), [""; 0]);
}

#[test]
fn ports_and_grants_are_told_where_the_service_is_given() {
    let service = "---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: data}
spec: {ports: [{port: 80}]}
";
    let of = |backend: &str| {
        let rules = format!("rules: [{{backendRefs: [{backend}]}}]");
        said(&(GATEWAY.to_owned() + service + &route("sectionName: https", &rules)))
    };
    assert_eq!(
        of("{name: app, namespace: data, port: 80}"),
        [
            "reference/not-permitted /spec/rules/0/backendRefs/0: rule 0: backend 0: no ReferenceGrant in namespace `data` allows HTTPRoute of namespace `apps` to refer to Service data/app (add a ReferenceGrant in the other namespace)"
        ]
    );
    let same = service.replace("namespace: data", "namespace: apps");
    let rules = "rules: [{backendRefs: [{name: app, port: 8080}]}]";
    assert_eq!(
        said(&(GATEWAY.to_owned() + &same + &route("sectionName: https", rules))),
        [
            "reference/port /spec/rules/0/backendRefs/0: rule 0: backend 0: Service apps/app has no TCP port 8080 (write a port of the Service, not of its containers)"
        ]
    );
}

#[test]
fn of_two_policies_for_one_target_the_second_is_told() {
    let spec = "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]}";
    let text = GATEWAY.to_owned()
        + &policy("ClientTrafficPolicy", "b", spec)
        + &policy("ClientTrafficPolicy", "a", spec);
    assert_eq!(
        said(&text),
        [
            "attachment/policy-conflict /spec/targetRefs/0: Gateway network/external already has a ClientTrafficPolicy: network/a (write the settings of both into one policy)"
        ]
    );
    // There are two gateways with the same name, so it is not known which policy is for which gateway.
    assert_eq!(said(&(text + "---" + GATEWAY)), [""; 0]);
}

#[test]
fn sections_and_settings_that_cannot_be_used_are_told() {
    let of = |spec: &str| said(&(GATEWAY.to_owned() + &policy("BackendTrafficPolicy", "a", spec)));
    assert_eq!(
        of(
            "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external, sectionName: htp}]}"
        ),
        [
            "attachment/no-target /spec/targetRefs/0/sectionName: Gateway network/external has no `htp` (it has `http`, `https`)"
        ]
    );
    assert_eq!(
        of(
            "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}], connection: {bufferLimit: 100m}}"
        ),
        [
            "attachment/refused /spec: the controller can't use it: `connection.bufferLimit` is not a whole number of bytes (change the setting that the message names)"
        ]
    );
}

#[test]
fn listeners_in_conflict_are_told() {
    let text = GATEWAY.replace("port: 80, protocol: HTTP}", "port: 443, protocol: HTTP}");
    let found = said(&text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
            found[0].starts_with("attachment/listener-conflict /spec/listeners/0: listener `http` conflicts with another: protocols that can't share a port: network/external/http, network/external/https"),
            "{found:?}"
        );
}

/// The findings on manifests, each as `severity code Kind pointer: message`.
fn graded(text: &str) -> Vec<String> {
    let found = support::found(check, "1.9.0", &[("a.yaml", text)]);
    let line = |it: &Diagnostic| {
        assert!(
            it.why.is_some() && it.help.is_some() && it.span.is_some(),
            "{it:?}"
        );
        let kind = it
            .object
            .as_ref()
            .map(|it| it.kind.clone())
            .unwrap_or_default();
        let pointer = it.pointer.clone().unwrap_or_default();
        format!(
            "{} {} {kind} {pointer}: {}",
            it.severity.as_str(),
            it.code,
            it.message
        )
    };
    found.iter().map(line).collect()
}

/// `external`, and a second gateway `internal` in the same namespace.
fn two_gateways() -> String {
    let internal = GATEWAY
        .replace("name: external", "name: internal")
        .replace("metadata: {", "metadata: {labels: {reach: lan}, ");
    format!("{GATEWAY}---{internal}")
}

#[test]
fn a_gateway_that_is_not_there_is_told_where_others_of_its_namespace_are() {
    let to = |name: &str| {
        let route = route("sectionName: https", "rules: []");
        let route = route.replace("name: external, namespace: network", name);
        said(&(GATEWAY.to_owned() + &route))
    };
    assert_eq!(
        to("name: extrenal, namespace: network"),
        [
            "attachment/no-gateway /spec/parentRefs/0/name: there is no Gateway network/extrenal (write `external`)"
        ]
    );
    for silent in [
        "name: \"${GATEWAY}\", namespace: network",
        "name: x, namespace: network, kind: Service, group: \"\"",
        "name: external, namespace: other",
    ] {
        let found = to(silent);
        assert_eq!(found, [""; 0], "{silent}");
    }
    let own = route("", "rules: []").replace(", namespace: network, ", "");
    assert_eq!(
        graded(&(GATEWAY.to_owned() + &own)),
        [
            "warning attachment/no-gateway HTTPRoute /spec/parentRefs/0: there is no Gateway apps/external"
        ]
    );
    let spec = "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: internal}]}";
    assert_eq!(
        graded(&(GATEWAY.to_owned() + &policy("SecurityPolicy", "a", spec))),
        [
            "error attachment/no-target SecurityPolicy /spec/targetRefs/0/name: there is no Gateway network/internal"
        ]
    );
    let far = policy("SecurityPolicy", "a", &spec.replace("internal", "external"));
    assert_eq!(
        graded(&(GATEWAY.to_owned() + &far.replace("namespace: network", "namespace: apps"))),
        [
            "warning attachment/no-target SecurityPolicy /spec/targetRefs/0/name: there is no Gateway apps/external"
        ]
    );
}

#[test]
fn parents_in_the_values_of_a_chart_are_told_where_they_stand() {
    let release = |block: &str| {
        let text = format!(
            "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: app, namespace: apps}}
spec:
  values:
    route:
      app: {block}
"
        );
        graded(&(GATEWAY.to_owned() + &text))
    };
    let parent = "parentRefs: [{name: external, namespace: network, sectionName: https}]";
    for (block, want) in [
        (format!("{{{parent}, hostnames: [app.example.com]}}"), None),
        (
            format!("{{{parent}, hostnames: ['{{{{ .Values.host }}}}']}}"),
            None,
        ),
        (
            format!("{{{parent}, hostnames: ['{{{{ .Release.Name }}}}.example.com']}}"),
            None,
        ),
        (
            format!("{{enabled: false, {}}}", parent.replace("https", "x")),
            None,
        ),
        (
            format!("{{{parent}, hostnames: ['{{{{ .Release.Name }}}}.example.org']}}"),
            Some(
                "error attachment/no-hostname HelmRelease /spec/values/route/app/hostnames: no hostname of the route matches a listener of Gateway network/external (*.example.com)",
            ),
        ),
        (
            format!("{{{}}}", parent.replace("https", "htps")),
            Some(
                "error attachment/no-listener HelmRelease /spec/values/route/app/parentRefs/0/sectionName: Gateway network/external has no listener `htps`",
            ),
        ),
        (
            format!("{{{}}}", parent.replace("external", "extrenal")),
            Some(
                "error attachment/no-gateway HelmRelease /spec/values/route/app/parentRefs/0/name: there is no Gateway network/extrenal",
            ),
        ),
        (
            format!("{{{}}}", parent.replace("https", "http")),
            Some(
                "error attachment/not-allowed HelmRelease /spec/values/route/app/parentRefs/0: Gateway network/external doesn't accept this route: no listener of the parent allows HTTPRoute from namespace `apps`",
            ),
        ),
        (
            format!("{{kind: TCPRoute, {parent}}}"),
            Some(
                "error attachment/not-allowed HelmRelease /spec/values/route/app/parentRefs/0: Gateway network/external doesn't accept this route: no listener of the parent allows TCPRoute from namespace `apps`",
            ),
        ),
    ] {
        let found = release(&block);
        let found: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|it| !it.contains("no-redirect"))
            .collect();
        assert_eq!(found, want.into_iter().collect::<Vec<_>>(), "{block}");
    }
}

/// The findings on a redirect in the gateway's namespace, attached as `parent` says.
fn redirect(parent: &str, hostnames: &str, to: &str) -> Vec<String> {
    let spec = format!(
        "{hostnames}
  rules: [{{filters: [{{type: RequestRedirect, requestRedirect: {{{to}}}}}]}}]"
    );
    let route = route(parent, spec.trim()).replace("namespace: apps", "namespace: network");
    graded(&(GATEWAY.to_owned() + &route))
}

#[test]
fn a_redirect_that_leads_to_itself_is_told() {
    let https = "scheme: https, statusCode: 301";
    assert_eq!(redirect("sectionName: http", "", https), [""; 0]);
    assert_eq!(
        redirect("sectionName: https", "", https),
        [
            "error attachment/redirect-loop HTTPRoute /spec/parentRefs/0/sectionName: the redirect leads to itself, because listener `https` of Gateway network/external is already for https"
        ]
    );
    assert_eq!(
        redirect("", "", https),
        [
            "warning attachment/redirect-loop HTTPRoute /spec/parentRefs/0: the redirect leads to itself at listener `https` of Gateway network/external, which is already for https"
        ]
    );
    assert!(redirect("", "hostnames: [a.example.com]", https)[0].starts_with("error"));
}

#[test]
fn a_redirect_to_somewhere_else_is_no_loop() {
    let bare = "hostnames: [example.com, a.example.com]";
    for (hostnames, to) in [
        (bare, "hostname: www.example.com, scheme: https"),
        ("", "hostname: www.example.com"),
        ("", "scheme: https, port: 8443"),
        ("", "scheme: http"),
        (
            "",
            "scheme: https, path: {type: ReplaceFullPath, replaceFullPath: /app}",
        ),
    ] {
        let found = redirect("sectionName: https", hostnames, to);
        let loops = found.iter().filter(|it| it.contains("loop")).count();
        assert_eq!(loops, 0, "{hostnames} {to}: {found:?}");
    }
    let www = "hostnames: [a.example.com, www.example.com]";
    let found = redirect("sectionName: https", www, "hostname: www.example.com");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn plain_http_without_a_redirect_is_told_where_routes_are_given() {
    assert_eq!(graded(GATEWAY), [""; 0]);
    let app = route("sectionName: https", "rules: []");
    let text = GATEWAY.to_owned() + &app;
    assert_eq!(
        graded(&text),
        [
            "warning attachment/no-redirect Gateway /spec/listeners/0: no route is attached to listener `http`: plain HTTP is not redirected to https"
        ]
    );
    let solver = "---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: acme}
spec: {acme: {solvers: [{http01: {gatewayHTTPRoute: {}}}]}}
";
    assert_eq!(graded(&(text.clone() + solver)), [""; 0]);
    let plain =
        route("sectionName: http", "rules: []").replace("namespace: apps", "namespace: network");
    assert_eq!(
        graded(&(text + &plain.replace("name: app,", "name: plain,"))),
        [""; 0]
    );
}

#[test]
fn selectors_that_match_nothing_are_told() {
    let of = |kind: &str, labels: &str| {
        let spec = format!(
            "{{targetSelectors: [{{group: gateway.networking.k8s.io, kind: {kind}, {labels}}}]}}"
        );
        graded(&(two_gateways() + &policy("SecurityPolicy", "lan", &spec)))
    };
    assert_eq!(of("Gateway", "matchLabels: {reach: lan}"), [""; 0]);
    assert_eq!(of("Gateway", "matchLabels: {reach: \"${X}\"}"), [""; 0]);
    assert_eq!(
        of("Gateway", "matchLabels: {reach: wan}"),
        [
            "warning attachment/no-target SecurityPolicy /spec/targetSelectors/0: the selector matches none of the 2 Gateways in its scope"
        ]
    );
    // No route of that namespace is given.
    assert_eq!(of("HTTPRoute", "matchLabels: {reach: wan}"), [""; 0]);
}

#[test]
fn labels_that_flux_adds_are_counted() {
    let files = |label: &str| {
        let flux = format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: front, namespace: flux-system}}
spec:
  path: ./front
  commonMetadata: {{labels: {{reach: {label}}}}}
"
        );
        let spec = "{targetSelectors: [{kind: Gateway, matchLabels: {reach: wan}}]}";
        let front = GATEWAY.to_owned() + &policy("SecurityPolicy", "a", spec);
        let tree = [("ks.yaml", flux.as_str()), ("front/a.yaml", front.as_str())];
        support::told(check, "1.9.0", &tree)
    };
    assert_eq!(files("wan"), [""; 0]);
    assert_eq!(
        files("lan"),
        [
            "warning attachment/no-target /spec/targetSelectors/0: the selector doesn't match Gateway `external`, the only one in its scope"
        ]
    );
}

#[test]
fn a_selector_that_reaches_more_than_its_name_says_is_told() {
    let named = |name: &str| {
        let spec = "{targetSelectors: [{group: gateway.networking.k8s.io, kind: Gateway}]}";
        graded(&(two_gateways() + &policy("ClientTrafficPolicy", name, spec)))
    };
    assert_eq!(
        named("external"),
        [
            "warning attachment/selector-reach ClientTrafficPolicy /spec/targetSelectors: the selector of `external` matches more than Gateway `external`: `internal`"
        ]
    );
    assert_eq!(named("external-auth"), [""; 0]);
    assert_eq!(named("envoy"), [""; 0]);
}

#[test]
fn a_selector_that_reaches_a_gateway_with_a_policy_of_its_own_is_told() {
    let own = "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]}";
    let all = "{targetSelectors: [{group: gateway.networking.k8s.io, kind: Gateway}]}";
    let text = two_gateways()
        + &policy("ClientTrafficPolicy", "a", own)
        + &policy("ClientTrafficPolicy", "b", all);
    assert_eq!(
        graded(&text),
        [
            "error attachment/policy-conflict ClientTrafficPolicy /spec/targetSelectors: the selector matches Gateway network/external, which already has a ClientTrafficPolicy: network/a"
        ]
    );
}

#[test]
fn each_cluster_of_a_repository_is_looked_at_by_itself() {
    let wrong = GATEWAY.to_owned() + &route("sectionName: htp", "rules: []");
    let right =
        GATEWAY.replace("name: https", "name: htp") + &route("sectionName: htp", "rules: []");
    let http = GATEWAY.replace("- {name: http,", "- {name: plain,");
    assert_ne!(http, GATEWAY);
    let tree = [
        ("main/a.yaml", wrong.as_str()),
        ("stage/a.yaml", right.as_str()),
    ];
    let found = support::told(check, "1.9.0", &tree);
    let found: Vec<&String> = found
        .iter()
        .filter(|it| it.contains("no-listener"))
        .collect();
    assert_eq!(
        found,
        [
            "error attachment/no-listener /spec/parentRefs/0/sectionName: Gateway network/external has no listener `htp`"
        ]
    );
    // An object that both clusters share is only reported if it is wrong in both.
    let shared = route("sectionName: htp", "rules: []");
    let plain = GATEWAY.replace("name: https", "name: htp");
    let tree = [
        ("main/a.yaml", GATEWAY),
        ("stage/a.yaml", plain.as_str()),
        ("base/a.yaml", shared.as_str()),
    ];
    let found = support::told(check, "1.9.0", &tree);
    assert!(
        found.iter().all(|it| !it.contains("no-listener")),
        "{found:?}"
    );
}

#[test]
fn what_a_patch_may_change_is_not_told() {
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [a.yaml]
patches: [{target: {kind: Gateway}, patch: \"[]\"}]
";
    let text = GATEWAY.to_owned() + &route("sectionName: htp", "rules: []");
    let tree = [
        ("kustomization.yaml", kustomization),
        ("a.yaml", text.as_str()),
    ];
    assert_eq!(support::told(check, "1.9.0", &tree), [""; 0]);
}
