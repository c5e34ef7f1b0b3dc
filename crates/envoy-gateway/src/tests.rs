//! Tests the conditions that small sets of objects get, by the version of the controller.

use crate::condition::is_bad;
use crate::{Knowledge, Settings, resolve};
use flux_repo::fixture::tree;

const DOOR: &str = "
# door.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: v1
kind: Namespace
metadata: {name: network}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: network}
spec: {ports: [{port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: network}
spec:
  parentRefs: [{name: external}]
  hostnames: [app.example.com]
  rules: [{backendRefs: [{name: app, port: 80}]}]
";

/// The conditions that need attention, as `Kind name Type=Status Reason`, if nothing else exists.
fn bad_by(minor: (u64, u64), files: &str) -> Vec<String> {
    let tree = tree(files);
    let mut settings = Settings {
        knowledge: Knowledge::Complete,
        ..Settings::default()
    };
    settings.features.minor = minor;
    let resolved = resolve(&tree.objects, &settings);
    let all = resolved.verdicts();
    let bad = all
        .iter()
        .filter(|it| is_bad(it.condition.kind, it.condition.status));
    bad.map(|it| {
        let condition = it.condition;
        format!(
            "{} {} {}={} {}",
            it.object.kind(),
            it.object.name(),
            condition.kind,
            condition.status,
            condition.reason
        )
    })
    .collect()
}

fn bad(files: &str) -> Vec<String> {
    bad_by((1, 9), files)
}

fn policy(kind: &str, spec: &str) -> String {
    format!(
        "{DOOR}
# policy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: {kind}
metadata: {{name: one, namespace: network}}
spec: {{targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: external}}], {spec}}}
"
    )
}

/// Checks that a policy with some settings is refused, and with others is not.
fn assert_refused(kind: &str, wrong: &[&str], right: &[&str]) {
    let refused = format!("{kind} one Accepted=False Invalid");
    for spec in wrong {
        assert_eq!(bad(&policy(kind, spec)), [refused.as_str()], "{spec}");
    }
    for spec in right {
        assert_eq!(bad(&policy(kind, spec)), [""; 0], "{spec}");
    }
}

#[test]
fn settings_of_backends_that_envoy_gateway_refuses() {
    assert_refused(
        "BackendTrafficPolicy",
        &[
            "loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP, tableSize: 1000}}",
            "retry: {perRetry: {backOff: {baseInterval: 0s}}}",
            "retry: {perRetry: {backOff: {baseInterval: 2s, maxInterval: 1s}}}",
            "bandwidthLimit: {request: {limit: {value: 1000, unit: Second}}}",
            "bandwidthLimit: {response: {limit: {value: 50Ki, unit: Minute}}}",
            "rateLimit: {global: {rules: [{clientSelectors: [{headers: [{name: x, type: Distinct, invert: true}]}], limit: {requests: 1, unit: Hour}}]}}",
            "rateLimit: {global: {rules: [{clientSelectors: [{queryParams: [{name: x, type: Distinct, value: a}]}], limit: {requests: 1, unit: Hour}}]}}",
            "telemetry: {metrics: {routeStatName: '%POD%'}}",
            "responseOverride: [{match: {statusCodes: [{value: 404}]}, response: {body: {type: ValueRef, valueRef: {kind: ConfigMap, name: none, group: ''}}}}]",
        ],
        &[
            "loadBalancer: {type: ConsistentHash, consistentHash: {type: SourceIP, tableSize: 1009}}",
            "retry: {perRetry: {backOff: {baseInterval: 1s, maxInterval: 2s}}}",
            "bandwidthLimit: {request: {limit: {value: 1Ki, unit: Second}}}",
            "bandwidthLimit: {response: {limit: {value: '${LIMIT}', unit: Second}}}",
            "rateLimit: {global: {rules: [{clientSelectors: [{headers: [{name: x, type: Distinct}]}], limit: {requests: 1, unit: Hour}}]}}",
            "telemetry: {metrics: {routeStatName: 'app-%ROUTE_NAME%'}}",
        ],
    );
}

#[test]
fn settings_of_security_that_envoy_gateway_refuses() {
    let jwt = |provider: &str| format!("jwt: {{providers: [{{name: one, {provider}}}]}}");
    let wrong = [
        jwt("issuer: ':', remoteJWKS: {uri: 'https://id.example.com/keys'}"),
        jwt("remoteJWKS: {uri: id.example.com}"),
        jwt("localJWKS: {type: ValueRef, valueRef: {kind: ConfigMap, name: none, group: ''}}"),
        jwt("localJWKS: {type: Inline}"),
    ];
    let right = [
        jwt(
            "issuer: 'https://id.example.com', remoteJWKS: {uri: 'https://id.example.com/keys', cacheDuration: 5m}",
        ),
        jwt("issuer: id, localJWKS: {type: Inline, inline: '{}'}"),
    ];
    assert_refused(
        "SecurityPolicy",
        &wrong.each_ref().map(String::as_str),
        &right.each_ref().map(String::as_str),
    );
    assert_refused(
        "SecurityPolicy",
        &["authorization: {defaultAction: Deny, rules: [{action: Allow, cel: 'request.path =='}]}"],
        &[
            "authorization: {defaultAction: Deny, rules: [{action: Allow, cel: 'request.path == \"/\"'}]}",
        ],
    );
}

#[test]
fn scripts_that_envoy_gateway_refuses() {
    const BROKEN: &str = "lua: [{type: Inline, inline: 'function envoy_on_request(h'}]";
    assert_refused(
        "EnvoyExtensionPolicy",
        &[BROKEN, "lua: [{type: Inline, inline: 'x = 1'}]"],
        &["lua: [{type: Inline, inline: 'function envoy_on_request(h) end'}]"],
    );
    let unchecked = policy("EnvoyExtensionPolicy", BROKEN).replace(
        "  listeners: [",
        "  infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: proxy}}\n  listeners: [",
    );
    let proxy = "
# proxy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: proxy, namespace: network}
spec: {luaValidation: Disabled}
";
    assert_eq!(bad(&format!("{unchecked}{proxy}")), [""; 0]);
}

#[test]
fn settings_of_clients_that_envoy_gateway_refuses() {
    assert_refused(
        "ClientTrafficPolicy",
        &[],
        &["http1: {http10: {}}", "tls: {ciphers: [NONE]}"],
    );
    // The only route has a hostname, which is the default one.
    assert_refused(
        "ClientTrafficPolicy",
        &[],
        &["http1: {http10: {useDefaultHost: true}}"],
    );
    let two = policy(
        "ClientTrafficPolicy",
        "http1: {http10: {useDefaultHost: true}}",
    )
    .replace("[app.example.com]", "[app.example.com, www.example.com]");
    assert_eq!(
        bad(&two),
        ["ClientTrafficPolicy one Accepted=False Invalid"]
    );
}

#[test]
fn access_logs_need_cel() {
    let door = DOOR.replace(
        "  listeners: [",
        "  infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: proxy}}\n  listeners: [",
    );
    let with = |cel: &str| {
        format!(
            "{door}
# proxy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: proxy, namespace: network}}
spec: {{telemetry: {{accessLog: {{settings: [{{matches: ['{cel}'], sinks: [{{type: File, file: {{path: /dev/stdout}}}}]}}]}}}}}}
"
        )
    };
    assert_eq!(bad(&with("response.code >= 400")), [""; 0]);
    assert_eq!(
        bad(&with("response.code >=")),
        ["Gateway external Accepted=False InvalidParameters"]
    );
}

#[test]
fn a_gateway_is_accepted_if_one_of_its_listeners_is() {
    let with = |listeners: &str| {
        DOOR.replace(
            "[{name: http, port: 80, protocol: HTTP}]",
            &format!("[{listeners}]"),
        )
    };
    let gateway = |files: &str| -> Vec<String> {
        let all = bad(files).into_iter();
        all.filter(|it| it.starts_with("Gateway external Accepted"))
            .collect()
    };
    assert_eq!(gateway(DOOR), [""; 0]);
    let one = with("{name: http, port: 80, protocol: HTTP}, {name: odd, port: 81, protocol: ODD}");
    assert_eq!(
        gateway(&one),
        ["Gateway external Accepted=False UnsupportedProtocol"]
    );
    let none = with("{name: odd, port: 81, protocol: ODD}");
    assert_eq!(
        gateway(&none),
        [
            "Gateway external Accepted=False ListenersNotValid",
            "Gateway external Accepted=False UnsupportedProtocol"
        ]
    );
}

#[test]
fn parameters_must_be_an_envoy_proxy_that_exists() {
    let with = |reference: &str| {
        DOOR.replace(
            "  listeners: [",
            &format!("  infrastructure: {{parametersRef: {reference}}}\n  listeners: ["),
        )
    };
    for reference in [
        "{group: example.com, kind: Parameters, name: one}",
        "{group: gateway.envoyproxy.io, kind: EnvoyProxy, name: none}",
    ] {
        assert_eq!(
            bad(&with(reference)),
            ["Gateway external Accepted=False InvalidParameters"],
            "{reference}"
        );
    }
}

#[test]
fn only_a_route_with_hostnames_loses_them_to_other_listeners() {
    let two = DOOR.replace(
        "[{name: http, port: 80, protocol: HTTP}]",
        "[{name: one, port: 80, protocol: HTTP, hostname: app.example.com}, {name: two, port: 80, protocol: HTTP, hostname: app.example.com}]",
    );
    let of_route = |files: &str| -> Vec<String> {
        let all = bad(files).into_iter();
        all.filter(|it| it.starts_with("HTTPRoute")).collect()
    };
    assert_eq!(
        of_route(&two),
        ["HTTPRoute app Accepted=False NoMatchingListenerHostname"]
    );
    let open = two.replace("  hostnames: [app.example.com]\n", "");
    assert_eq!(of_route(&open), [""; 0]);
}

#[test]
fn what_the_minor_version_decides() {
    let second = "
# second.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: second, namespace: network}
spec:
  parentRefs: [{name: external}]
  hostnames: [app.example.com]
  rules: [{backendRefs: [{name: app, port: 80}]}]
";
    let overlapping = format!("{DOOR}{second}");
    assert_eq!(bad_by((1, 8), &overlapping), [""; 0]);
    assert_eq!(
        bad_by((1, 9), &overlapping),
        [
            "HTTPRoute app RouteRulesOverlap=True RouteRulesOverlap",
            "HTTPRoute second RouteRulesOverlap=True RouteRulesOverlap"
        ]
    );
    let streams = format!(
        "{}
# a.yaml
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {{name: a, namespace: network}}
spec: {{parentRefs: [{{name: external}}], rules: [{{backendRefs: [{{name: app, port: 80}}]}}]}}
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {{name: b, namespace: network}}
spec: {{parentRefs: [{{name: external}}], rules: [{{backendRefs: [{{name: app, port: 80}}]}}]}}
",
        DOOR.replace("port: 80, protocol: HTTP", "port: 22, protocol: TCP")
            .replace("kind: HTTPRoute", "kind: TCPRoute")
            .replace("metadata: {name: app, namespace: network}\nspec:\n  parentRefs: [{name: external}]", "metadata: {name: app, namespace: network}\nspec:\n  parentRefs: [{name: none}]")
    );
    assert_eq!(bad_by((1, 9), &streams), [""; 0]);
    assert_eq!(
        bad_by((1, 8), &streams),
        ["TCPRoute b Accepted=False UnsupportedValue"]
    );
    let deprecated = policy("SecurityPolicy", "cors: {}").replace(
        "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]",
        "targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: external}",
    );
    assert_eq!(bad_by((1, 8), &deprecated), [""; 0]);
    assert_eq!(
        bad_by((1, 9), &deprecated),
        ["SecurityPolicy one Warning=True DeprecatedField"]
    );
}

#[test]
fn services_with_a_selector_get_their_endpoints_from_the_cluster() {
    // A slice that somebody has written for a machine outside the cluster.
    let slice = "---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: nas, namespace: network, labels: {kubernetes.io/service-name: nas}}
addressType: IPv4
ports: [{name: '', port: 5001, protocol: TCP}]
endpoints: [{addresses: [10.10.30.5]}]
";
    let with = |spec: &str| format!("{}{slice}", DOOR.replace("{ports: [{port: 80}]}", spec));
    assert_eq!(
        bad(&with("{ports: [{port: 80}], selector: {app: app}}")),
        [""; 0]
    );
    assert_eq!(
        bad(&with("{ports: [{port: 80}]}")),
        ["HTTPRoute app BackendsAvailable=False EndpointsNotFound"]
    );
}
