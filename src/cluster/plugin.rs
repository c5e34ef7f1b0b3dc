//! Runs the programs for credentials (`exec` in a kubeconfig) as client-go does, with limits.
//!
//! See "client-go credential plugins" in Kubernetes' documentation, `client.authentication.k8s.io/v1`.

use std::io::IsTerminal;
use std::process::{Command, Stdio};
use std::time::Duration;

use data_encoding::BASE64;
use kube::config::{AuthInfo, Cluster, ExecConfig, ExecInteractiveMode};
use serde_json::{Value as Json, json};

use crate::bounds::program::{self, Bounds};

/// The maximum output of such a program, in bytes.
const LARGEST: u64 = 1 << 20;

/// The extension of a cluster that is passed to its plugin.
const EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Runs the program for a user's credentials, if there is one, and sets the credentials that it prints.
///
/// # Errors
/// What is wrong, as a sentence. The output is not quoted, because it may contain a token.
pub(super) fn replace(
    user: &mut AuthInfo,
    cluster: &Cluster,
    time: Duration,
) -> Result<(), String> {
    let Some(exec) = user.exec.take() else {
        return Ok(());
    };
    // A token or certificate in the kubeconfig takes precedence, as in client-go.
    if user.token.is_some() || user.token_file.is_some() {
        return Ok(());
    }
    let said = run(&exec, cluster, time)?;
    let status = &said["status"];
    let text = |key: &str| status[key].as_str().map(str::to_owned);
    let encoded = |pem: &str| BASE64.encode(pem.as_bytes());
    match (
        text("token"),
        text("clientCertificateData"),
        text("clientKeyData"),
    ) {
        (None, None, _) | (None, _, None) => {
            Err("the exec plugin gave neither a token nor a certificate with its key".to_owned())
        }
        (token, certificate, key) => {
            if let (Some(certificate), Some(key)) = (certificate, key) {
                user.client_certificate_data = Some(encoded(&certificate));
                user.client_key_data = Some(encoded(&key).into());
            }
            user.token = token.map(Into::into);
            Ok(())
        }
    }
}

fn run(exec: &ExecConfig, cluster: &Cluster, time: Duration) -> Result<Json, String> {
    let Some(program) = &exec.command else {
        return Err("the kubeconfig's `exec` names no `command`".to_owned());
    };
    let is_interactive = match exec.interactive_mode {
        Some(ExecInteractiveMode::Never) => false,
        Some(ExecInteractiveMode::Always) => true,
        Some(ExecInteractiveMode::IfAvailable) | None => std::io::stdin().is_terminal(),
    };
    let mut command = Command::new(program);
    command.args(exec.args.iter().flatten());
    for pair in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (pair.get("name"), pair.get("value")) {
            command.env(name, value);
        }
    }
    command.env(
        "KUBERNETES_EXEC_INFO",
        info(exec, cluster, is_interactive).to_string(),
    );
    // Prompts go to the terminal. Otherwise its messages are dropped, because they may contain secrets.
    match is_interactive {
        true => command.stdin(Stdio::inherit()).stderr(Stdio::inherit()),
        false => command.stdin(Stdio::null()).stderr(Stdio::null()),
    };
    let bounds = Bounds {
        time,
        bytes: LARGEST,
    };
    let ran = program::run(&mut command, None, bounds)
        .map_err(|failure| format!("the kubeconfig's exec plugin {failure}"))?;
    if !ran.status.success() {
        let status = ran.status;
        return Err(format!("the kubeconfig's exec plugin ended with {status}"));
    }
    // Most plugins print JSON; client-go accepts YAML too.
    let text = String::from_utf8_lossy(&ran.printed);
    let said: Option<Json> = serde_yaml::from_str(&text).ok();
    said.filter(|said| said["status"].is_object())
        .ok_or_else(|| "the exec plugin printed something other than an ExecCredential".to_owned())
}

/// The information that is passed to the program.
fn info(exec: &ExecConfig, cluster: &Cluster, is_interactive: bool) -> Json {
    let mut spec = json!({"interactive": is_interactive});
    if exec.provide_cluster_info {
        let mut extensions = cluster.extensions.iter().flatten();
        let config = extensions.find(|it| it.name == EXTENSION);
        let all = [
            ("server", json!(cluster.server)),
            ("tls-server-name", json!(cluster.tls_server_name)),
            (
                "insecure-skip-tls-verify",
                json!(cluster.insecure_skip_tls_verify),
            ),
            (
                "certificate-authority-data",
                json!(cluster.certificate_authority_data),
            ),
            ("proxy-url", json!(cluster.proxy_url)),
            ("config", json!(config.map(|it| &it.extension))),
        ];
        let known = all.into_iter().filter(|(_, value)| !value.is_null());
        spec["cluster"] = known
            .map(|(key, value)| (key.to_owned(), value))
            .collect::<serde_json::Map<_, _>>()
            .into();
    }
    json!({"kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec})
}
