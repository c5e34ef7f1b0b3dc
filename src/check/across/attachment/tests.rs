
use super::*;
use crate::check::across::support;

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
    let line = |it: &Diagnostic| {
        let pointer = it.pointer.clone().unwrap_or_default();
        format!(
            "{} {pointer}: {} ({})",
            it.code,
            it.message,
            it.help.clone().unwrap_or_default()
        )
    };
    found.iter().map(line).collect()
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
            "attachment/not-allowed /spec/parentRefs/0: Gateway network/external doesn't take this route: no listener of the parent takes HTTPRoute from namespace `apps` (widen `allowedRoutes` of the listener, or attach the route to another one)"
        ]
    );
    let text = GATEWAY.to_owned() + &route("sectionName: https", "hostnames: [app.example.org]");
    assert_eq!(
        said(&text),
        [
            "attachment/no-hostname /spec/hostnames: no hostname of the route is one that Gateway network/external serves there (*.example.com) (write a hostname that the listener's covers, or attach the route to another listener)"
        ]
    );
}

#[test]
fn what_is_not_at_hand_is_not_told() {
    let rules = "rules: [{backendRefs: [{name: app, port: 80}]}]";
    let text = GATEWAY.to_owned() + &route("sectionName: https", rules);
    assert_eq!(said(&text), [""; 0]);
    let other = route("sectionName: nothing", rules).replace("name: external", "name: other");
    assert_eq!(said(&(GATEWAY.to_owned() + &other)), [""; 0]);
    let open = route("sectionName: https", "hostnames: [\"app.${DOMAIN}\"]");
    assert_eq!(said(&(GATEWAY.to_owned() + &open)), [""; 0]);
}

#[test]
fn ports_and_grants_are_told_where_the_service_is_at_hand() {
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
            "reference/not-permitted /spec/rules/0/backendRefs/0: rule 0: backend 0: no ReferenceGrant in `data` lets HTTPRoute of `apps` refer to Service data/app (add a ReferenceGrant in the other namespace)"
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
            "attachment/policy-conflict /spec/targetRefs/0: Gateway network/external has a ClientTrafficPolicy already: network/a (write the settings of both into one policy)"
        ]
    );
    // Two clusters in one repository: nobody can tell which policy is for which gateway.
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
            "attachment/refused /spec: the controller can't use it: `connection.bufferLimit` is no whole number of bytes (change what the message names)"
        ]
    );
}

#[test]
fn listeners_in_conflict_are_told() {
    let text = GATEWAY.replace("port: 80, protocol: HTTP}", "port: 443, protocol: HTTP}");
    let found = said(&text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
            found[0].starts_with("attachment/listener-conflict /spec/listeners/0: listener `http` is in conflict: protocols that can't share a port: network/external/http, network/external/https"),
            "{found:?}"
        );
}
