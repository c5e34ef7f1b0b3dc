//! What a running Envoy says of itself.

use std::process::Command;

use serde_json::Value;

/// The administration interface of an Envoy.
#[derive(Clone, Debug)]
pub struct Admin {
    address: String,
}

/// A listener of Envoy's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyListener {
    /// Its name.
    pub name: String,
    /// Why Envoy refused it.
    pub refused: Option<String>,
    /// Its configuration in use; `Null` if there is none.
    pub active: Value,
}

impl Admin {
    /// The interface at an address with a port.
    pub fn at(address: &str) -> Self {
        Admin {
            address: address.trim().to_owned(),
        }
    }

    /// Whether Envoy has got its first configuration.
    pub fn is_live(&self) -> bool {
        self.get("/ready")
            .is_some_and(|state| state.trim() == "LIVE")
    }

    /// The listeners that Envoy Gateway sent.
    pub fn listeners(&self) -> Vec<EnvoyListener> {
        let dump = self.get("/config_dump?resource=dynamic_listeners");
        let dump: Value =
            serde_json::from_str(&dump.expect("the configuration")).expect("it is JSON");
        let listeners = dump["configs"].as_array().cloned().unwrap_or_default();
        let listeners = listeners.iter().map(|listener| EnvoyListener {
            name: listener["name"].as_str().unwrap_or_default().to_owned(),
            refused: listener["error_state"]["details"]
                .as_str()
                .map(str::to_owned),
            active: listener["active_state"]["listener"].clone(),
        });
        listeners.collect()
    }

    fn get(&self, path: &str) -> Option<String> {
        let output = Command::new("curl")
            .args(["--disable", "--noproxy", "*", "--silent", "--fail"])
            .arg(format!("http://{}{path}", self.address))
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(said)
    }
}
