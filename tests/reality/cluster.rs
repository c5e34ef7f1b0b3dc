//! Objects as a cluster has them, with Services, endpoints and the labels of namespaces: traced in this process, and
//! translated by Envoy Gateway for one Envoy a gateway.

use std::collections::BTreeSet;

use envoy_gateway::helm_routes::Charted;
use envoy_gateway::{Knowledge, Settings, resolve};
use envoy_simulate::lua::{InProcess, refused_scripts};
use envoy_simulate::{ClientCertificate, TraceInputs, Tracer};
use manifest::Object;
use manifest::value::Node;
use serde_json::{Value, json};

use crate::conditions::{self, Conditions};
use crate::echo;
use crate::envoy_from_files::EnvoyFromFiles;
use crate::namespace;
use crate::request::{GATEWAY, Outcome, Request};
use crate::services::{add_backends, backend_name, missing_services};
use crate::surroundings::{self, Backend, Certificate};
use crate::table::happened;
use crate::tools::Tools;
use crate::translation::{Resources, Translation, Translator};

/// The controller that GatewayClasses name.
const CONTROLLER: &str = "gateway.envoyproxy.io/gatewayclass-controller";

/// A request to a gateway, by its namespace and name.
#[derive(Clone, Debug)]
pub struct Question {
    pub gateway: String,
    pub request: Request,
    pub method: String,
    /// The certificate that the client shows, as `trace` takes it; the request has it in curl's arguments.
    pub shown: ClientCertificate,
}

/// What a cluster has.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The objects as they are applied.
    pub objects: Vec<Value>,
    /// The settings of the controller.
    pub settings: Settings,
}

/// The text of a field.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The namespace and the name of an object, as one text.
pub fn name_of(object: &Value) -> String {
    let metadata = &object["metadata"];
    format!("{}/{}", text(metadata, "namespace"), text(metadata, "name"))
}

impl Cluster {
    /// Adds what is made in a cluster, or is not in a repository because it is secret: the namespaces, the certificates of
    /// listeners, and the Services that anything refers to.
    pub fn completed(mut self) -> Self {
        let names = surroundings::hostnames(&self.objects);
        let certificate = Certificate::new(names.iter().map(String::as_str));
        surroundings::add_secrets(&mut self.objects, &certificate);
        let services = missing_services(&self.objects);
        self.objects.extend(services);
        surroundings::add_namespaces(&mut self.objects);
        self
    }

    /// The names of the classes that Envoy Gateway is responsible for.
    pub fn classes(&self) -> BTreeSet<&str> {
        let classes = self
            .objects
            .iter()
            .filter(|it| it["kind"] == "GatewayClass");
        let own = classes.filter(|it| it["spec"]["controllerName"] == CONTROLLER);
        own.filter_map(|it| it["metadata"]["name"].as_str())
            .collect()
    }

    /// The gateways of a class.
    pub fn gateways(&self, class: &str) -> Vec<&Value> {
        let gateways = self.objects.iter().filter(|it| it["kind"] == "Gateway");
        gateways
            .filter(|it| it["spec"]["gatewayClassName"] == class)
            .collect()
    }

    /// What gatewayctl says will happen, in the words of [`happened`]. If it isn't known, the reason follows `unknown: `.
    pub fn foretell(&self, questions: &[Question]) -> Vec<Vec<String>> {
        self.resolved(|inputs| {
            let tracer = Tracer::new(inputs);
            let foretold = questions.iter().map(|question| {
                let traced = tracer.trace(&question.for_trace(), Some(&question.gateway));
                match traced.gateways.first() {
                    Some(way) => outcomes(&way.outcome),
                    None => vec!["no gateway takes the request".to_owned()],
                }
            });
            foretold.collect()
        })
    }

    /// The conditions that gatewayctl says the controller will write.
    pub fn foretell_conditions(&self) -> Conditions {
        self.resolved(|inputs| conditions::foretold(inputs.resolved))
    }

    fn resolved<T>(&self, look: impl FnOnce(&TraceInputs<'_>) -> T) -> T {
        let objects = self.objects.iter().cloned();
        let objects: Vec<Object> = objects
            .map(|it| Object::new(Node::from_json(it), "objects"))
            .collect();
        let runner = InProcess::default();
        let settings = Settings {
            knowledge: Knowledge::Complete,
            refused_scripts: refused_scripts(&objects, &runner).expect("scripts run"),
            ..self.settings.clone()
        };
        let charted = Charted::default();
        look(&TraceInputs {
            resolved: &resolve(&objects, &settings),
            objects: &objects,
            charted: &charted,
            generated: &[],
            runner: &runner,
        })
    }

    /// What Envoy Gateway makes of the gateways of a class.
    pub fn translate(&self, translator: &mut Translator, class: &str) -> Proxies {
        let is_kept = |it: &Value| match it["kind"].as_str() {
            Some("GatewayClass") => it["metadata"]["name"] == class,
            Some("Gateway") => it["spec"]["gatewayClassName"] == class,
            Some("Service") => true,
            _ => surroundings::is_read(it),
        };
        let kept = self.objects.iter().filter(|it| is_kept(it));
        let mut objects: Vec<Value> = kept.cloned().collect();
        for namespace in objects.iter_mut().filter(|it| it["kind"] == "Namespace") {
            // The API server adds it.
            let name = namespace["metadata"]["name"].clone();
            namespace["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
        }
        let backends = add_backends(&mut objects, &self.objects);
        let certificate = Certificate::new(["example.com"]);
        let of_release = self.settings.by_release.first().map(|(_, it)| it);
        let features = of_release.unwrap_or(&self.settings.features);
        let settings = json!({"extensionApis": {
            "enableBackend": features.backend,
            "enableEnvoyPatchPolicy": features.patch_policy,
            "enableLua": features.lua,
        }});
        let translation = translator.translate_as_given(&objects, &settings, &certificate);
        Proxies {
            translation,
            backends,
            certificate,
        }
    }
}

impl Question {
    fn for_trace(&self) -> envoy_simulate::Request {
        let mut request = envoy_simulate::Request::get(&self.request.url).expect("a URL");
        request.set_method(&self.method).expect("a method");
        for line in &self.request.headers {
            request.add_header(line).expect("a header");
        }
        request.from = self.request.from;
        request.verifies = false;
        request.certificate = Some(self.shown);
        request
    }
}

fn outcomes(outcome: &envoy_simulate::Outcome) -> Vec<String> {
    use envoy_simulate::Outcome;
    match outcome {
        Outcome::Backends(shares) => shares
            .iter()
            .map(|share| match (share.is_refused, share.port) {
                (true, _) => "500".to_owned(),
                (false, port) => backend_name(&share.kind, &share.namespace, &share.name, port),
            })
            .collect(),
        Outcome::Response { status, .. } => vec![status.to_string()],
        Outcome::Redirect {
            status, location, ..
        } => vec![format!("{status} to {location}")],
        Outcome::Closed(_) => vec!["no answer".to_owned()],
        Outcome::Unknown(why) => vec![format!("unknown: {why}")],
    }
}

/// What Envoy Gateway makes of a class.
pub struct Proxies {
    pub translation: Translation,
    backends: Vec<Backend>,
    certificate: Certificate,
}

impl Proxies {
    /// Starts the Envoy of a gateway and sends requests: the listeners that Envoy refuses, and what happens to each
    /// request.
    pub fn ask(&self, tools: &Tools, questions: &[Question]) -> (Vec<String>, Vec<String>) {
        let gateway = questions.first().map_or("", |it| it.gateway.as_str());
        let proxies = &self.translation.proxies;
        // Merged gateways have one, which is named after the class.
        let merged = || proxies.iter().find(|(name, _)| !name.contains('/'));
        let own = proxies.iter().find(|(name, _)| *name == gateway);
        let nothing = Resources::new();
        let resources = own.or_else(merged).map_or(&nothing, |(_, it)| it);
        namespace::in_new(|namespace| {
            namespace.add_address(GATEWAY.parse().expect("an address"));
            let _echoes = echo::start(&self.backends, &self.certificate);
            let mut envoy = EnvoyFromFiles::start(tools, resources);
            let listeners = envoy.admin().listeners();
            let refused = listeners.into_iter().filter_map(|it| {
                let why = it.refused?;
                Some(format!("{}: {why}", it.name))
            });
            let answers = questions.iter().map(|it| {
                let outcome = it.request.send_insecure(namespace);
                as_grpc(&outcome).unwrap_or_else(|| happened(&outcome))
            });
            (refused.collect(), answers.collect())
        })
    }
}

/// The status over HTTP of an answer that Envoy itself gives to a call of gRPC, in which it says 200 and the code of gRPC.
fn as_grpc(outcome: &Outcome) -> Option<String> {
    let Outcome::Answered(answer) = outcome else {
        return None;
    };
    let status = match answer.header("grpc-status")? {
        "12" => "404",
        "14" => "503",
        "7" => "403",
        _ => "500",
    };
    Some(status.to_owned())
}
