//! Services and what listens behind them, at addresses in the network namespace of the gateway.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::{name_of, text};
use crate::echo::Speaks;
use crate::surroundings::{Backend, ENVOY_GATEWAY, FIRST_PORT, list, server};

/// The name that a backend tells.
pub fn backend_name(kind: &str, namespace: &str, name: &str, port: Option<i64>) -> String {
    match port {
        Some(port) if kind == "Service" => format!("{kind} {namespace}/{name}:{port}"),
        _ => format!("{kind} {namespace}/{name}"),
    }
}

/// Services that are referred to and not given, with the ports that are referred to.
pub fn missing_services(objects: &[Value]) -> Vec<Value> {
    let mut wanted: BTreeSet<(String, String, i64)> = BTreeSet::new();
    for object in objects {
        let own = text(&object["metadata"], "namespace");
        let mut references = Vec::new();
        find_references(&object["spec"], &mut references);
        for reference in references {
            let namespace = reference["namespace"].as_str().unwrap_or(own);
            let port = reference["port"].as_i64().unwrap_or(80);
            wanted.insert((
                namespace.to_owned(),
                text(reference, "name").to_owned(),
                port,
            ));
        }
    }
    let is_given = |namespace: &str, name: &str| {
        let key = format!("{namespace}/{name}");
        let mut services = objects.iter().filter(|it| it["kind"] == "Service");
        services.any(|it| name_of(it) == key)
    };
    wanted.retain(|(namespace, name, _)| !is_given(namespace, name));
    let names: BTreeSet<_> = wanted
        .iter()
        .map(|(a, b, _)| (a.clone(), b.clone()))
        .collect();
    let service = |(namespace, name): (String, String)| {
        let ports = wanted
            .iter()
            .filter(|(a, b, _)| (a, b) == (&namespace, &name));
        let ports: Vec<Value> = ports
            .map(|(.., port)| json!({"name": format!("port-{port}"), "port": port, "protocol": "TCP"}))
            .collect();
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"namespace": namespace, "name": name},
            "spec": {"selector": {"app": name}, "ports": ports},
        })
    };
    names.into_iter().map(service).collect()
}

/// The references to Services below `backendRefs` and `backendRef`.
fn find_references<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|it| find_references(it, found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let references = match key.as_str() {
                    "backendRefs" => list(value),
                    "backendRef" => std::slice::from_ref(value),
                    _ => &[],
                };
                let is_service = |it: &&Value| {
                    text(it, "group").is_empty() && matches!(text(it, "kind"), "" | "Service")
                };
                found.extend(references.iter().filter(is_service));
                find_references(value, found);
            }
        }
        _ => {}
    }
}

/// Adds endpoints of all Services, and changes those of all Backends: something listens at each. `all` are the objects of
/// the cluster, also those that Envoy Gateway doesn't read.
pub fn add_backends(objects: &mut Vec<Value>, all: &[Value]) -> Vec<Backend> {
    let mut backends = Vec::new();
    let mut next = |name: String, tls| {
        let port = usize::from(FIRST_PORT) + backends.len();
        let port = u16::try_from(port).expect("few backends");
        backends.push(Backend {
            name,
            speaks: Speaks::Anything,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            tls,
        });
        port
    };
    let mut slices = Vec::new();
    for service in objects.iter().filter(|it| it["kind"] == "Service") {
        let tls = own_certificate(service, all);
        let metadata = &service["metadata"];
        let (namespace, name) = (text(metadata, "namespace"), text(metadata, "name"));
        let ports = list(&service["spec"]["ports"]).iter();
        let ports = ports.filter(|port| matches!(text(port, "protocol"), "" | "TCP"));
        let ports: Vec<Value> = ports
            .map(|port| {
                let own = backend_name("Service", namespace, name, port["port"].as_i64());
                let at = next(own, tls.clone());
                json!({"name": text(port, "name"), "port": at, "protocol": "TCP"})
            })
            .collect();
        slices.push(json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": namespace,
                "name": name,
                "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": true}}],
            "ports": ports,
        }));
    }
    for object in objects.iter_mut() {
        let is_backend = object["kind"] == "Backend"
            && text(object, "apiVersion").starts_with(ENVOY_GATEWAY)
            && !list(&object["spec"]["endpoints"]).is_empty();
        match object["kind"].as_str() {
            // Whatever sets defaults in a cluster.
            Some("Service") => {
                for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
                    if port.get("protocol").is_none() {
                        port["protocol"] = json!("TCP");
                    }
                }
            }
            _ if is_backend => {
                let port = next(format!("Backend {}", name_of(object)), None);
                object["spec"]["endpoints"] =
                    json!([{"ip": {"address": "127.0.0.1", "port": port}}]);
            }
            _ => {}
        }
    }
    objects.extend(slices);
    backends
}

/// The certificate that the pods of a Service have, from a Secret in a volume.
fn own_certificate(service: &Value, objects: &[Value]) -> Option<Arc<rustls::ServerConfig>> {
    let namespace = &service["metadata"]["namespace"];
    let mut deployments = objects.iter().filter(|it| {
        it["kind"] == "Deployment"
            && it["metadata"]["namespace"] == *namespace
            && it["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    });
    let volumes = list(&deployments.next()?["spec"]["template"]["spec"]["volumes"]);
    let secret = volumes
        .iter()
        .find_map(|it| it["secret"]["secretName"].as_str())?;
    let is_it = |it: &&Value| {
        it["kind"] == "Secret"
            && it["metadata"]["namespace"] == *namespace
            && it["metadata"]["name"] == secret
    };
    let data = &objects.iter().find(is_it)?["data"];
    let decoded = |key: &str| {
        let bytes = data_encoding::BASE64.decode(data[key].as_str()?.as_bytes());
        String::from_utf8(bytes.ok()?).ok()
    };
    server(&decoded("tls.crt")?, &decoded("tls.key")?)
}
