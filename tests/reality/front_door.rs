//! A front door: files as a user has them, run gateway by gateway.

use std::net::IpAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::common::Project;
use crate::echo;
use crate::envoy::{Admin, EnvoyListener};
use crate::envoy_from_files::EnvoyFromFiles;
use crate::envoy_gateway::EnvoyGateway;
use crate::flux;
use crate::foretold;
use crate::namespace::{self, Namespace};
use crate::request::{GATEWAY, Outcome, Request};
use crate::surroundings::{self, Certificate, Surroundings};
use crate::table::{Row, Table, happened};
use crate::tools::Tools;
use crate::translation::{Resources, Translation, Translator};

/// Files as a user has them.
pub struct FrontDoor {
    /// The name in tables.
    pub name: String,
    /// The files.
    pub project: Project,
    /// The objects, as Flux would apply them.
    pub objects: Vec<Value>,
}

/// The file with the manifests that no `cluster.toml` renders.
const APPS: &str = "apps.yaml";

impl FrontDoor {
    /// What a `cluster.toml` renders, built as Flux builds it, and manifests beside it.
    pub fn rendered(name: &str, config: &str, apps: &str) -> Self {
        Self::rendered_by(&["render"], name, config, apps)
    }

    /// Like [`rendered`](Self::rendered), for one of several clusters.
    pub fn of_cluster(name: &str, cluster: &str, config: &str, apps: &str) -> Self {
        Self::rendered_by(&["render", "--cluster", cluster], name, config, apps)
    }

    fn rendered_by(render: &[&str], name: &str, config: &str, apps: &str) -> Self {
        let project = Project::new().config(config).file(APPS, apps);
        project.run(render.iter().copied()).success();
        let root = project.root();
        let mut folders: Vec<String> = kustomizations(&project);
        folders.sort();
        // A folder below another one is built by that one.
        folders.dedup_by(|one, above| one.starts_with(&format!("{above}/")));
        let mut objects: Vec<Value> = folders
            .iter()
            .flat_map(|folder| flux::applied(&root, folder))
            .collect();
        objects.extend(flux::parse(apps));
        FrontDoor {
            name: name.to_owned(),
            project,
            objects,
        }
    }

    /// Manifests only.
    pub fn manifests(name: &str, text: &str) -> Self {
        FrontDoor {
            name: name.to_owned(),
            project: Project::new().file(APPS, text),
            objects: flux::parse(text),
        }
    }

    /// The names of the gateways.
    pub fn gateways(&self) -> Vec<String> {
        let gateways = self.objects.iter().filter(|it| it["kind"] == "Gateway");
        let names = gateways.filter_map(|it| it["metadata"]["name"].as_str());
        names.map(str::to_owned).collect()
    }

    /// What the chart's values say about the controller.
    fn settings(&self) -> Value {
        let values = self.objects.iter().filter(|it| it["kind"] == "HelmRelease");
        let mut values = values.map(|it| &it["spec"]["values"]["config"]["envoyGateway"]);
        let mut settings = values
            .find(|it| it.is_object())
            .cloned()
            .unwrap_or_else(|| json!({}));
        if settings["extensionApis"].is_null() {
            settings["extensionApis"] = json!({});
        }
        settings
    }

    /// The file with the certificate that clients trust.
    fn authority(&self, around: &Surroundings) -> PathBuf {
        let file = self.project.around().join("certificate.pem");
        std::fs::write(&file, around.certificate.pem()).expect("the certificate");
        file
    }

    /// Translates all gateways at once.
    pub fn translate(&self, translator: &mut Translator) -> Translated<'_> {
        let gateways = self.gateways();
        let gateways: Vec<&str> = gateways.iter().map(String::as_str).collect();
        let around = surroundings::complete(self.objects.clone(), &gateways);
        let translation =
            translator.translate(&around.objects, &self.settings(), &around.certificate);
        Translated {
            front_door: self,
            authority: self.authority(&around),
            around,
            translation,
        }
    }

    /// Runs gateways in a network namespace of their own: with several names, all of them.
    pub fn run<T: Send>(
        &self,
        tools: &Tools,
        gateways: &[&str],
        then: impl FnOnce(&mut Running<'_>) -> T + Send,
    ) -> T {
        namespace::in_new(|namespace| {
            let address: IpAddr = GATEWAY.parse().expect("an address");
            namespace.add_address(address);
            let around = surroundings::complete(self.objects.clone(), gateways);
            let authority = self.authority(&around);
            let _echoes = echo::start(&around.backends, &around.certificate);
            let mut envoy_gateway =
                EnvoyGateway::start(tools, &around.objects, &self.settings()["extensionApis"]);
            let envoy = envoy_gateway.envoy();
            then(&mut Running {
                front_door: self,
                gateway: gateways.first().copied().unwrap_or_default(),
                namespace,
                authority,
                certificate: None,
                envoy,
                process: Process::EnvoyGateway(envoy_gateway),
            })
        })
    }
}

/// A translation of a front door, and the certificate that its clients trust.
pub struct Translated<'a> {
    front_door: &'a FrontDoor,
    authority: PathBuf,
    around: Surroundings,
    /// What the controller makes of it.
    pub translation: Translation,
}

impl Translated<'_> {
    /// Runs the Envoy of a gateway in a network namespace of its own.
    pub fn run<T: Send>(
        &self,
        tools: &Tools,
        gateway: &str,
        then: impl FnOnce(&mut Running<'_>) -> T + Send,
    ) -> T {
        let proxies = &self.translation.proxies;
        let suffix = format!("/{gateway}");
        let own = proxies.iter().find(|(name, _)| name.ends_with(&suffix));
        // Merged gateways have one, which is named after the class.
        let proxy = own.or_else(|| proxies.iter().find(|(name, _)| !name.contains('/')));
        let nothing = Resources::new();
        let resources = proxy.map_or(&nothing, |(_, resources)| resources);
        namespace::in_new(|namespace| {
            namespace.add_address(GATEWAY.parse().expect("an address"));
            let _echoes = echo::start(&self.around.backends, &self.around.certificate);
            let mut process = EnvoyFromFiles::start(tools, resources);
            let envoy = process.admin();
            then(&mut Running {
                front_door: self.front_door,
                gateway,
                namespace,
                authority: self.authority.clone(),
                certificate: Some(&self.around.certificate),
                envoy,
                process: Process::Envoy(process),
            })
        })
    }
}

/// The folders with a kustomization, relative to the root.
fn kustomizations(project: &Project) -> Vec<String> {
    let files = project.files();
    let folders = files
        .keys()
        .filter_map(|path| path.strip_suffix("/kustomization.yaml"));
    folders.map(str::to_owned).collect()
}

/// A running gateway.
pub struct Running<'a> {
    /// The files.
    pub front_door: &'a FrontDoor,
    /// The gateway's name.
    pub gateway: &'a str,
    /// Where it runs.
    pub namespace: &'a Namespace,
    /// The certificate that clients trust.
    pub authority: PathBuf,
    certificate: Option<&'a Certificate>,
    /// The Envoy of the gateway.
    pub envoy: Admin,
    process: Process,
}

/// What must go on while a gateway runs.
enum Process {
    /// Envoy Gateway with its Envoy.
    EnvoyGateway(EnvoyGateway),
    /// An Envoy alone.
    Envoy(#[allow(dead_code, reason = "it ends when it is dropped")] EnvoyFromFiles),
}

impl Running<'_> {
    /// What Envoy Gateway wrote; nothing if only its translation was asked.
    pub fn log(&self) -> String {
        match &self.process {
            Process::EnvoyGateway(envoy_gateway) => envoy_gateway.log(),
            Process::Envoy(_) => String::new(),
        }
    }

    /// The file with a certificate for a client, and its key: one that the gateway trusts (its own, which signs itself), or
    /// another.
    pub fn client_certificate(&self, is_trusted: bool) -> String {
        let other = Certificate::new(["client.example.com"]);
        let certificate = match &self.certificate {
            Some(own) if is_trusted => own,
            _ => &other,
        };
        let file = self.authority.with_file_name(match is_trusted {
            true => "trusted.pem",
            false => "untrusted.pem",
        });
        std::fs::write(&file, certificate.with_key()).expect("a certificate");
        file.to_string_lossy().into_owned()
    }

    /// Sends a request.
    pub fn send(&self, request: &Request) -> Outcome {
        request.send(self.namespace, &self.authority)
    }

    /// The listeners that Envoy refused.
    pub fn refused(&self) -> Vec<EnvoyListener> {
        let mut listeners = self.envoy.listeners();
        listeners.retain(|it| it.refused.is_some());
        listeners
    }

    /// Sends a request, and compares what happens with what `trace` says.
    pub fn compare(&self, table: &mut Table, request: &Request) -> Outcome {
        let outcome = self.send(request);
        let foretold = foretold::trace(&self.front_door.project, self.gateway, request);
        table.add(Row {
            input: format!("{}, {}", self.front_door.name, self.gateway),
            question: request.to_string(),
            foretold,
            happened: happened(&outcome),
        });
        outcome
    }

    /// Compares the listeners that Envoy refused with those that `validate` has an error for.
    pub fn compare_refusals(&self, table: &mut Table) -> Vec<EnvoyListener> {
        let refused = self.refused();
        let said = foretold::refusals(&self.front_door.project, self.gateway);
        let yes_or_no = |it: bool| if it { "refused" } else { "accepted" }.to_owned();
        table.add(Row {
            input: format!("{}, {}", self.front_door.name, self.gateway),
            question: "does Envoy take all listeners?".to_owned(),
            foretold: vec![yes_or_no(!said.is_empty())],
            happened: yes_or_no(!refused.is_empty()),
        });
        refused
    }
}
