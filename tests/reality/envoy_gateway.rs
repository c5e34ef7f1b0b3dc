//! Runs Envoy Gateway, which runs Envoy.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::envoy::Admin;
use crate::tools::Tools;

/// The maximum time for anything to happen: far more than any machine needs.
const PATIENCE: Duration = Duration::from_secs(600);

/// The version that Envoy Gateway looks for in its data folder.
const ENVOY: &str = "1.39.0";

/// A running Envoy Gateway; it ends with this value, and Envoy ends with it.
pub struct EnvoyGateway {
    folder: tempfile::TempDir,
    process: Child,
}

impl EnvoyGateway {
    /// Starts it in the network namespace of this thread with these objects. `extension_apis` is what the chart's
    /// values say under this name.
    pub fn start(tools: &Tools, objects: &[Value], extension_apis: &Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["resources", "config", "state", "runtime"] {
            std::fs::create_dir(at(name)).expect("a folder");
        }
        let bin = at("data").join("envoy-versions").join(ENVOY).join("bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        std::os::unix::fs::symlink(&tools.envoy, bin.join("envoy")).expect("a link to Envoy");
        write_resources(&at("resources"), objects);
        let mut extension_apis = extension_apis.clone();
        // Services are replaced by Backends.
        extension_apis["enableBackend"] = json!(true);
        let config = json!({
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "EnvoyGateway",
            "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
            "provider": {"type": "Custom", "custom": {
                "resource": {"type": "File", "file": {"paths": [at("resources")]}},
                "infrastructure": {"type": "Host", "host": {
                    "configHome": at("config"), "dataHome": at("data"), "stateHome": at("state"),
                    "runtimeDir": at("runtime"),
                }},
            }},
            "extensionApis": extension_apis,
        });
        std::fs::write(at("envoy-gateway.yaml"), config.to_string()).expect("its configuration");
        let certificates = Command::new(&tools.envoy_gateway)
            .args(["certgen", "--local", "--config-home"])
            .arg(at("config"))
            .output()
            .expect("Envoy Gateway runs");
        assert!(certificates.status.success(), "{certificates:?}");
        let log = File::create(at("log")).expect("a log");
        // Should the test be killed, Linux ends Envoy Gateway, which has asked for the same for its Envoy.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(&tools.envoy_gateway)
            .args(["server", "--config-path"])
            .arg(at("envoy-gateway.yaml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("Envoy Gateway starts");
        EnvoyGateway { folder, process }
    }

    /// Waits until Envoy has taken or refused its first configuration.
    pub fn envoy(&mut self) -> Admin {
        self.wait("Envoy is ready", |gateway| {
            let admin = Admin::at(&gateway.admin_address()?);
            admin.is_live().then_some(admin)
        })
    }

    /// Waits until something is so.
    pub fn wait<T>(&mut self, what: &str, mut get: impl FnMut(&Self) -> Option<T>) -> T {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(got) = get(self) {
                return got;
            }
            let ended = self.process.try_wait().expect("its state");
            let log = self.log();
            // It stays and waits for better files.
            let unreadable = log.contains("failed to reload resources");
            assert!(
                ended.is_none() && !unreadable && Instant::now() < until,
                "{what}: never; Envoy Gateway said:\n{log}",
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What Envoy Gateway and Envoy wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn admin_address(&self) -> Option<String> {
        let runs = std::fs::read_dir(self.folder.path().join("runtime")).ok()?;
        let files = runs
            .flatten()
            .map(|run| run.path().join("admin-address.txt"));
        let mut addresses = files.filter_map(|file| std::fs::read_to_string(file).ok());
        addresses.find(|address| !address.is_empty())
    }
}

impl Drop for EnvoyGateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One file for each object, because Envoy Gateway takes only one GatewayClass from a file. JSON is YAML.
fn write_resources(folder: &Path, objects: &[Value]) {
    for (nth, object) in objects.iter().enumerate() {
        let file: PathBuf = folder.join(format!("{nth}.yaml"));
        std::fs::write(file, object.to_string()).expect("an object");
    }
}
