//! A repository of 700 routes and 5,000 objects is resolved in no time, and twice as much in about twice as long.

use std::time::{Duration, Instant};

use gatewayctl::manifest::Object;
use gatewayctl::resolve::{Settings, Status, resolve};
use gatewayctl::value::Node;
use serde_json::{Value, json};

fn object(value: Value) -> Object {
    Object::new(Node::from_json(value), "a.yaml")
}

/// Two gateways, `routes` routes of two parents each with a Service, policies, and many other things.
fn repository(routes: usize, others: usize) -> Vec<Object> {
    let mut all = Vec::new();
    for name in ["external", "internal"] {
        all.push(
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": name, "namespace": "network"},
            "spec": {"gatewayClassName": "envoy", "listeners": [
                {"name": "http", "port": 80, "protocol": "HTTP"},
                {"name": "https", "port": 443, "protocol": "HTTPS", "hostname": "*.example.com",
                 "allowedRoutes": {"namespaces": {"from": "All"}},
                 "tls": {"certificateRefs": [{"name": "example-com-tls"}]}}]}}),
        );
        let target =
            json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name}]);
        for kind in [
            "ClientTrafficPolicy",
            "BackendTrafficPolicy",
            "SecurityPolicy",
        ] {
            all.push(json!({"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": kind,
                "metadata": {"name": name, "namespace": "network"}, "spec": {"targetRefs": target}}));
        }
    }
    for at in 0..routes {
        let (name, namespace) = (format!("app-{at}"), format!("namespace-{}", at % 50));
        let parent = |gateway: &str| json!({"name": gateway, "namespace": "network", "sectionName": "https"});
        all.push(
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
            "spec": {"hostnames": [format!("{name}.example.com")],
                "parentRefs": [parent("external"), parent("internal")],
                "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"name": name, "port": 80}]}]}}),
        );
        all.push(json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "namespace": namespace}, "spec": {"ports": [{"port": 80}]}}));
    }
    for at in 0..others {
        all.push(
            json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": format!("app-{at}"), "namespace": "apps"}, "spec": {}}),
        );
    }
    all.into_iter().map(object).collect()
}

fn timed(objects: &[Object]) -> Duration {
    let runs = (0..5).map(|_| {
        let start = Instant::now();
        let resolved = resolve(objects, &Settings::default());
        let took = start.elapsed();
        assert!(
            resolved
                .verdicts()
                .iter()
                .all(|it| it.condition.status != Status::False)
        );
        took
    });
    runs.min().unwrap_or_default()
}

#[test]
fn time_grows_with_the_size_and_no_faster() {
    let small = repository(700, 3_600);
    let large = repository(2_800, 14_400);
    let (small, large) = (timed(&small), timed(&large));
    println!("700 routes among 5,000 objects: {small:?}; four times as many: {large:?}");
    assert!(large < small * 16, "quadratic: {small:?}, {large:?}");
}
