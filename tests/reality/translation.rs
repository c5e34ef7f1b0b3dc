//! The translation of Envoy Gateway without its servers: what Envoy would get, in a fraction of a second instead of the
//! ten that the controller needs to start. It is for the tests that ask about many configurations.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::surroundings::{Certificate, list};
use crate::tools::Tools;

/// A running translation, which answers one configuration after the other. It ends with the thread that started it.
#[derive(Debug)]
pub struct Translator {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What the controller makes of a configuration.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Translation {
    /// Why the controller can't read the objects.
    pub unreadable: Option<String>,
    /// What it finds wrong while it translates.
    pub errors: Vec<String>,
    /// Lists of objects with their status.
    objects: Value,
    /// What Envoy would get: by proxy (`NAMESPACE/GATEWAY`) and type (`listeners`, `routes`, …).
    pub proxies: BTreeMap<String, Resources>,
}

/// What one Envoy gets.
pub type Resources = BTreeMap<String, Vec<Value>>;

impl Translator {
    /// Starts it.
    pub fn start(tools: &Tools) -> Self {
        // It may ask for what policies refer to, such as the configuration of an identity provider. Without a network, it
        // asks nobody.
        let mut process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net"])
            .arg(&tools.translator)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the translation starts");
        let questions = process.stdin.take().expect("its input");
        let answers = BufReader::new(process.stdout.take().expect("its output"));
        Translator {
            process,
            questions,
            answers,
        }
    }

    /// Translates objects whose Services are replaced by Backends, with the chart's settings of the controller.
    pub fn translate(
        &mut self,
        objects: &[Value],
        settings: &Value,
        certificate: &Certificate,
    ) -> Translation {
        let mut settings = settings.clone();
        settings["extensionApis"]["enableBackend"] = json!(true);
        self.translate_as_given(objects, &settings, certificate)
    }

    /// Translates objects.
    pub fn translate_as_given(
        &mut self,
        objects: &[Value],
        settings: &Value,
        certificate: &Certificate,
    ) -> Translation {
        // The certificate of the controller itself, which `certgen` makes.
        let own = certificate.secret("envoy-gateway-system", "envoy");
        // What it signs the cookies of logins with, which `certgen` makes, too.
        let hmac = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": "envoy-gateway-system", "name": "envoy-oidc-hmac"},
            "data": {"hmac-secret": data_encoding::BASE64.encode(&[7; 32])},
        });
        let objects: Vec<&Value> = objects.iter().chain([&own, &hmac]).collect();
        let question = json!({
            "objects": objects,
            "extensionApis": settings["extensionApis"],
            "rateLimit": settings["rateLimit"],
        });
        writeln!(self.questions, "{question}").expect("the translation reads");
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the translation answers");
        serde_json::from_str(&line).expect("an answer")
    }
}

impl Drop for Translator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Translation {
    /// The objects with their status.
    pub fn objects(&self) -> impl Iterator<Item = &Value> {
        let lists = self.objects.as_object().into_iter().flatten();
        lists.flat_map(|(_, objects)| list(objects))
    }

    /// The conditions of all objects that say that something is refused, each with its object.
    pub fn refusals(&self) -> Vec<String> {
        let mut found = Vec::new();
        for object in self.objects() {
            let metadata = &object["metadata"];
            let name = format!("{} {}", object["kind"], metadata["name"]);
            conditions(&object["status"], &mut |condition| {
                let is_bad = match condition["type"].as_str() {
                    Some("Accepted" | "Programmed" | "ResolvedRefs") => {
                        condition["status"] == "False"
                    }
                    Some("Conflicted") => condition["status"] == "True",
                    _ => false,
                };
                // The controller has no addresses without a cluster.
                if is_bad && condition["reason"] != "AddressNotAssigned" {
                    found.push(format!("{name}: {}", condition["message"]));
                }
            });
        }
        found
    }
}

fn conditions(value: &Value, tell: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|it| conditions(it, tell)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "conditions" => list(value).iter().for_each(&mut *tell),
                    _ => conditions(value, tell),
                }
            }
        }
        _ => {}
    }
}
