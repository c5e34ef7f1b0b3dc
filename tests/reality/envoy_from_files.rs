//! An Envoy that reads its configuration from files, as the translation of Envoy Gateway gives it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::envoy::Admin;
use crate::tools::Tools;
use crate::translation::Resources;

/// The address of the administration interface; every Envoy has a network namespace of its own.
const ADMIN: &str = "127.0.0.1:19000";

/// The maximum time for Envoy to read its configuration: far more than any machine needs.
const PATIENCE: Duration = Duration::from_secs(600);

/// A running Envoy; it ends with this value.
#[derive(Debug)]
pub struct EnvoyFromFiles {
    folder: tempfile::TempDir,
    process: Child,
}

impl EnvoyFromFiles {
    /// Starts Envoy in the network namespace of this thread.
    pub fn start(tools: &Tools, resources: &Resources) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bootstrap = write(folder.path(), resources);
        let log = File::create(folder.path().join("log")).expect("a log");
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(&tools.envoy)
            .args(["--disable-hot-restart", "--concurrency", "1"])
            .args(["--log-level", "warn", "--config-path"])
            .arg(bootstrap)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("Envoy starts");
        EnvoyFromFiles { folder, process }
    }

    /// Waits until it has read all files.
    pub fn admin(&mut self) -> Admin {
        let admin = Admin::at(ADMIN);
        let until = Instant::now() + PATIENCE;
        while !admin.is_live() {
            let ended = self.process.try_wait().expect("its state");
            let log = std::fs::read_to_string(self.folder.path().join("log"));
            assert!(
                ended.is_none() && Instant::now() < until,
                "Envoy does not get ready: {}",
                log.unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
        admin
    }
}

impl Drop for EnvoyFromFiles {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Writes all files, and returns that with which Envoy begins. Routes and secrets have a file each, as Envoy asks for them
/// one by one. Endpoints are written into their clusters, because Envoy needs an instance of inotify for each file, and
/// the system allows only 128.
fn write(folder: &Path, resources: &Resources) -> PathBuf {
    let files = Files { folder };
    let all = |kind: &str| resources.get(kind).map_or(&[][..], Vec::as_slice);
    for kind in ["routes", "secrets"] {
        for one in all(kind) {
            let file = files.of(kind, one["name"].as_str().unwrap_or_default());
            let mut one = one.clone();
            // Logins of routes have secrets.
            files.refer(&mut one);
            write_resources(&file, &[one]);
        }
    }
    for kind in ["listeners", "clusters"] {
        let mut found = all(kind).to_vec();
        for one in &mut found {
            put_in_endpoints(one, all("endpoints"));
        }
        found.iter_mut().for_each(|it| files.refer(it));
        write_resources(&folder.join(kind).with_extension("json"), &found);
    }
    let from = |kind: &str| source(&folder.join(kind).with_extension("json"));
    let (address, port) = ADMIN.split_once(':').expect("an address with a port");
    let port: u16 = port.parse().expect("a port");
    let bootstrap = json!({
        "node": {"id": "reality", "cluster": "reality"},
        "admin": {"address": {"socketAddress": {"address": address, "portValue": port}}},
        "dynamicResources": {"ldsConfig": from("listeners"), "cdsConfig": from("clusters")},
    });
    let file = folder.join("bootstrap.json");
    std::fs::write(&file, bootstrap.to_string()).expect("the first file");
    file
}

/// Puts its endpoints into a cluster that would ask for them.
fn put_in_endpoints(cluster: &mut Value, endpoints: &[Value]) {
    let asked = &cluster["edsClusterConfig"]["serviceName"];
    let name = asked.as_str().or(cluster["name"].as_str());
    let name = name.map(str::to_owned);
    let Some(fields) = cluster.as_object_mut() else {
        return;
    };
    if fields.remove("edsClusterConfig").is_some() {
        let is_it = |it: &&Value| it["clusterName"].as_str() == name.as_deref();
        let nothing = || json!({"clusterName": name});
        let own = endpoints.iter().find(is_it).cloned();
        fields.insert("type".to_owned(), json!("STATIC"));
        fields.insert("loadAssignment".to_owned(), own.unwrap_or_else(nothing));
    }
}

fn source(file: &Path) -> Value {
    json!({"pathConfigSource": {"path": file}, "resourceApiVersion": "V3"})
}

fn write_resources(file: &Path, resources: &[Value]) {
    let response = json!({"versionInfo": "1", "resources": resources});
    std::fs::write(file, response.to_string()).expect("a file of Envoy");
}

/// The files of resources that others refer to.
struct Files<'f> {
    folder: &'f Path,
}

impl Files<'_> {
    fn of(&self, kind: &str, name: &str) -> PathBuf {
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        // Envoy knows JSON by the end of a file's name.
        let file = self.folder.join(format!("{kind}-{name}.json"));
        if !file.exists() {
            write_resources(&file, &[]);
        }
        file
    }

    /// Replaces all references to the controller's server by references to files.
    fn refer(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|it| self.refer(it)),
            Value::Object(fields) => {
                for (name, config, kind) in [
                    ("routeConfigName", "configSource", "routes"),
                    ("name", "sdsConfig", "secrets"),
                ] {
                    self.refer_at(fields, name, config, kind);
                }
                fields.values_mut().for_each(|it| self.refer(it));
            }
            _ => {}
        }
    }

    fn refer_at(&self, fields: &mut Map<String, Value>, name: &str, config: &str, kind: &str) {
        let name = fields.get(name).and_then(Value::as_str).map(str::to_owned);
        if let (Some(name), Some(config)) = (name, fields.get_mut(config))
            && config.get("ads").is_some()
        {
            *config = source(&self.of(kind, &name));
        }
    }
}
