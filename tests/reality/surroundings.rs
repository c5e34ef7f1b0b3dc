//! What a cluster has around the objects: certificates, namespaces, and something behind every Service.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use crate::echo::Speaks;

const GATEWAY_API: &str = "gateway.networking.k8s.io";
/// The group of Envoy Gateway.
pub const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io";

/// A certificate for names, that signs itself.
pub struct Certificate {
    signed: rcgen::Certificate,
    key: rcgen::KeyPair,
}

impl Certificate {
    /// For these names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let signed = rcgen::CertificateParams::new(names)
            .and_then(|names| names.self_signed(&key))
            .expect("a certificate");
        Certificate { signed, key }
    }

    /// A Secret of type `kubernetes.io/tls`.
    pub fn secret(&self, namespace: &str, name: &str) -> Value {
        let base64 = |text: String| data_encoding::BASE64.encode(text.as_bytes());
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": namespace, "name": name},
            "type": "kubernetes.io/tls",
            "data": {
                "tls.crt": base64(self.signed.pem()),
                "tls.key": base64(self.key.serialize_pem()),
                "ca.crt": base64(self.signed.pem()),
            },
        })
    }

    /// The certificate as clients know it.
    pub fn pem(&self) -> String {
        self.signed.pem()
    }

    /// The certificate and its key, for a client.
    pub fn with_key(&self) -> String {
        format!("{}{}", self.signed.pem(), self.key.serialize_pem())
    }

    /// The settings of a server with this certificate.
    pub fn server(&self) -> Arc<rustls::ServerConfig> {
        server(&self.signed.pem(), &self.key.serialize_pem()).expect("a certificate and its key")
    }
}

/// The settings of a server with a certificate and its key, both as PEM; `None` if they are not such.
pub fn server(certificate: &str, key: &str) -> Option<Arc<rustls::ServerConfig>> {
    let certificates = CertificateDer::pem_slice_iter(certificate.as_bytes());
    let certificates = certificates.collect::<Result<Vec<_>, _>>().ok()?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .ok()?;
    Some(Arc::new(config))
}

/// Objects with what a cluster has around them.
pub struct Surroundings {
    /// All objects.
    pub objects: Vec<Value>,
    /// The certificate of all listeners and backends.
    pub certificate: Certificate,
    /// What must listen behind the gateways.
    pub backends: Vec<Backend>,
}

/// A backend that stands in for a Service.
#[derive(Clone, Debug)]
pub struct Backend {
    /// The name that it tells.
    pub name: String,
    /// What it speaks.
    pub speaks: Speaks,
    /// Where it listens, in the network namespace of the gateway.
    pub address: SocketAddr,
    /// Its own certificate, if it isn't that of all others.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// The port of the first backend. Every gateway has a network namespace of its own, in which all ports are free.
pub const FIRST_PORT: u16 = 20000;

/// Keeps what Envoy Gateway reads and adds what is missing; of the Gateways, keeps only these, because each runs on its
/// own.
pub fn complete(objects: Vec<Value>, gateways: &[&str]) -> Surroundings {
    let is_kept = |it: &Value| {
        let name = it["metadata"]["name"].as_str().unwrap_or_default();
        it["kind"] != "Gateway" || gateways.contains(&name)
    };
    let mut objects: Vec<Value> = objects
        .into_iter()
        .filter(is_read)
        .filter(is_kept)
        .collect();
    let names = hostnames(&objects);
    let certificate = Certificate::new(names.iter().map(String::as_str));
    add_secrets(&mut objects, &certificate);
    let backends = replace_services(&mut objects);
    add_namespaces(&mut objects);
    replace_namespace_selectors(&mut objects);
    Surroundings {
        objects,
        certificate,
        backends,
    }
}

/// The name of Envoy Gateway's stand-in for a Service, as backends call themselves.
pub fn backend_name(namespace: &str, name: &str, port: &Value) -> String {
    format!("Service {namespace}/{name}:{port}")
}

pub fn is_read(object: &Value) -> bool {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let kind = object["kind"].as_str().unwrap_or_default();
    match version.split_once('/') {
        Some((group, _)) => group == GATEWAY_API || group == ENVOY_GATEWAY,
        None => matches!(kind, "ConfigMap" | "Namespace" | "Secret"),
    }
}

/// The hostnames of all listeners and routes, and the domain of the examples.
pub fn hostnames(objects: &[Value]) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["example.com".to_owned(), "*.example.com".to_owned()]);
    let listeners = objects
        .iter()
        .flat_map(|it| list(&it["spec"]["listeners"]))
        .map(|it| &it["hostname"]);
    let routes = objects.iter().flat_map(|it| list(&it["spec"]["hostnames"]));
    names.extend(
        listeners
            .chain(routes)
            .filter_map(Value::as_str)
            .map(str::to_owned),
    );
    names
}

/// The certificates that cert-manager would issue.
pub fn add_secrets(objects: &mut Vec<Value>, certificate: &Certificate) {
    let is_there = |namespace: &Value, name: &Value| {
        objects.iter().any(|it| {
            it["kind"] == "Secret"
                && it["metadata"]["namespace"] == *namespace
                && it["metadata"]["name"] == *name
        })
    };
    let mut missing = BTreeSet::new();
    for object in objects.iter() {
        let listeners = list(&object["spec"]["listeners"]).iter();
        let own = listeners.flat_map(|it| list(&it["tls"]["certificateRefs"]));
        let authorities = list(&object["spec"]["tls"]["clientValidation"]["caCertificateRefs"]);
        let is_secret = |it: &&Value| it["kind"].as_str().is_none_or(|kind| kind == "Secret");
        for reference in own.chain(authorities).filter(is_secret) {
            let namespace = reference
                .get("namespace")
                .unwrap_or(&object["metadata"]["namespace"]);
            if !is_there(namespace, &reference["name"]) {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                missing.insert((text(namespace), text(&reference["name"])));
            }
        }
    }
    let secrets = missing
        .iter()
        .map(|(namespace, name)| certificate.secret(namespace, name));
    objects.extend(secrets);
}

/// Envoy Gateway reads no Services from files. Routes that refer to one are given a Backend, and what may refer to a
/// Service of another namespace may refer to its Backend.
fn replace_services(objects: &mut Vec<Value>) -> Vec<Backend> {
    let mut backends: BTreeMap<(String, String), (String, Speaks)> = BTreeMap::new();
    for object in objects.iter_mut() {
        let own = object["metadata"]["namespace"].clone();
        let speaks = match object["kind"].as_str() {
            Some("TCPRoute") => Speaks::Line,
            Some("TLSRoute") => Speaks::Https,
            _ => Speaks::Http,
        };
        let rules = object.pointer_mut("/spec/rules");
        for reference in rules.map(services).unwrap_or_default() {
            let namespace = reference.get("namespace").unwrap_or(&own);
            let namespace = namespace.as_str().unwrap_or_default().to_owned();
            let name = reference["name"].as_str().unwrap_or_default();
            let port = reference["port"].clone();
            let stand_in = format!("service-{name}-{port}");
            let backend = (backend_name(&namespace, name, &port), speaks);
            backends.insert((namespace, stand_in.clone()), backend);
            reference["group"] = json!(ENVOY_GATEWAY);
            reference["kind"] = json!("Backend");
            reference["name"] = json!(stand_in);
            if let Value::Object(fields) = reference {
                fields.remove("port");
            }
        }
        if object["kind"] == "ReferenceGrant" {
            let services = list(&object["spec"]["to"])
                .iter()
                .any(|it| it["kind"] == "Service");
            if let (true, Value::Array(to)) = (services, &mut object["spec"]["to"]) {
                to.push(json!({"group": ENVOY_GATEWAY, "kind": "Backend"}));
            }
        }
    }
    let mut listening = Vec::new();
    for (port, ((namespace, object), (name, speaks))) in (FIRST_PORT..).zip(backends) {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        objects.push(json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "Backend",
            "metadata": {"namespace": namespace, "name": object},
            "spec": {"endpoints": [{"ip": {"address": address.ip(), "port": address.port()}}]},
        }));
        listening.push(Backend {
            name,
            speaks,
            address,
            tls: None,
        });
    }
    listening
}

/// All references to Services below `backendRefs` and `backendRef`.
fn services(value: &mut Value) -> Vec<&mut Value> {
    match value {
        Value::Array(items) => items.iter_mut().flat_map(services).collect(),
        Value::Object(fields) => {
            let fields = fields.iter_mut();
            fields
                .flat_map(|(key, value)| match (key.as_str(), value) {
                    ("backendRefs", Value::Array(items)) => {
                        items.iter_mut().flat_map(reference).collect()
                    }
                    ("backendRef", value) => reference(value),
                    (_, value) => services(value),
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn reference(value: &mut Value) -> Vec<&mut Value> {
    let kind = value.get("kind").and_then(Value::as_str);
    let group = value.get("group").and_then(Value::as_str);
    match (group.unwrap_or_default(), kind.unwrap_or("Service")) {
        ("", "Service") => vec![value],
        _ => Vec::new(),
    }
}

/// Adds the namespaces of all objects.
pub fn add_namespaces(objects: &mut Vec<Value>) {
    let used = objects
        .iter()
        .filter_map(|it| it["metadata"]["namespace"].as_str());
    let used: BTreeSet<String> = used.map(str::to_owned).collect();
    for name in used {
        let is_it = |it: &&mut Value| it["kind"] == "Namespace" && it["metadata"]["name"] == *name;
        if objects.iter_mut().find(is_it).is_none() {
            objects
                .push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        }
    }
}

/// Envoy Gateway reads no labels of namespaces from files. Listeners that select namespaces by label allow all instead, so
/// what such a listener forbids can't be compared here.
fn replace_namespace_selectors(objects: &mut [Value]) {
    for object in objects.iter_mut().filter(|it| it["kind"] == "Gateway") {
        let listeners = object.pointer_mut("/spec/listeners");
        for listener in listeners
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(namespaces) = listener.pointer_mut("/allowedRoutes/namespaces")
                && namespaces["from"] == "Selector"
            {
                *namespaces = json!({"from": "All"});
            }
        }
    }
}

/// The items of a list; none if it is none.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
