//! Starts and stops etcd and kube-apiserver.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::common::PROGRAM;

/// The token of a user with all permissions.
pub const ADMIN: &str = "admin-token";
/// The token of a user with the permissions that a test gives.
pub const LIMITED: &str = "limited-token";
/// The name of that user.
pub const LIMITED_USER: &str = "limited";

/// The maximum time until a server is ready: far more than any machine needs.
const PATIENCE: Duration = Duration::from_secs(900);

/// A cluster for tests.
pub struct Cluster {
    folder: tempfile::TempDir,
    /// The kubeconfig of the user with all permissions.
    pub kubeconfig: PathBuf,
    /// The address; empty for an existing cluster.
    pub url: String,
    processes: Vec<Child>,
}

impl Cluster {
    /// The cluster that `GATEWAYCTL_E2E_KUBECONFIG` names, else a new one; `None`, with a message, if that is not
    /// possible. Only one test uses it, because the others need a cluster in a certain state.
    pub fn any() -> Option<Self> {
        let Some(path) = std::env::var_os("GATEWAYCTL_E2E_KUBECONFIG") else {
            return Self::start();
        };
        Some(Cluster {
            folder: tempfile::tempdir().expect("a folder"),
            kubeconfig: path.into(),
            url: String::new(),
            processes: Vec::new(),
        })
    }

    /// A new cluster; `None`, with a message, if that is not possible.
    pub fn start() -> Option<Self> {
        let Some(etcd) = etcd() else {
            return skip("there is no etcd (Debian: etcd-server)");
        };
        let apiserver = match apiserver() {
            Ok(apiserver) => apiserver,
            Err(why) => return skip(why),
        };
        Some(Self::run(etcd, &apiserver))
    }

    fn run(etcd: PathBuf, apiserver: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let [client, peer, port] = [free_port(), free_port(), free_port()];
        let client = format!("http://127.0.0.1:{client}");
        let peer = format!("http://127.0.0.1:{peer}");
        let key = rcgen::KeyPair::generate().expect("a key");
        std::fs::write(at("accounts.key"), key.serialize_pem()).expect("the key");
        std::fs::write(at("accounts.pub"), key.public_key_pem()).expect("the key");
        let tokens = format!(
            "{ADMIN},admin,admin,\"system:masters\"\n{LIMITED},{LIMITED_USER},limited,\"limited\"\n"
        );
        std::fs::write(at("tokens.csv"), tokens).expect("the tokens");
        let mut processes = Vec::new();
        processes.push(start(
            Command::new(etcd)
                .args(["--data-dir", &at("etcd"), "--unsafe-no-fsync"])
                .args([
                    "--listen-client-urls",
                    &client,
                    "--advertise-client-urls",
                    &client,
                ])
                .args([
                    "--listen-peer-urls",
                    &peer,
                    "--initial-advertise-peer-urls",
                    &peer,
                ])
                .args(["--initial-cluster", &format!("default={peer}")]),
            &at("etcd.log"),
        ));
        processes.push(start(
            Command::new(apiserver)
                .args(["--etcd-servers", &client, "--bind-address", "127.0.0.1"])
                .args([
                    "--secure-port",
                    &port.to_string(),
                    "--cert-dir",
                    &at("certificates"),
                ])
                .args([
                    "--token-auth-file",
                    &at("tokens.csv"),
                    "--authorization-mode",
                    "RBAC",
                ])
                .args(["--service-account-issuer", "https://kubernetes.default.svc"])
                .args(["--service-account-key-file", &at("accounts.pub")])
                .args(["--service-account-signing-key-file", &at("accounts.key")])
                .args(["--service-cluster-ip-range", "10.96.0.0/16"]),
            &at("apiserver.log"),
        ));
        let url = format!("https://127.0.0.1:{port}");
        let kubeconfig = folder.path().join("kubeconfig");
        let cluster = Cluster {
            kubeconfig,
            url,
            folder,
            processes,
        };
        std::fs::write(&cluster.kubeconfig, cluster.config("test", ADMIN)).expect("the kubeconfig");
        cluster.wait();
        cluster
    }

    /// A kubeconfig with one context.
    pub fn config(&self, context: &str, token: &str) -> String {
        let authority = self.folder.path().join("certificates/apiserver.crt");
        format!(
            "apiVersion: v1
kind: Config
clusters: [{{name: {context}, cluster: {{server: \"{}\", certificate-authority: \"{}\"}}}}]
users: [{{name: {context}, user: {{token: {token}}}}}]
contexts: [{{name: {context}, context: {{cluster: {context}, user: {context}}}}}]
current-context: {context}
",
            self.url,
            authority.display()
        )
    }

    /// A folder that is removed together with the cluster.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn wait(&self) {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            // The server creates this namespace after everything else is ready.
            let ready = super::talk::get(self, "/api/v1/namespaces/default");
            if ready.is_ok_and(|answer| answer.is_success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log =
            std::fs::read_to_string(self.folder.path().join("apiserver.log")).unwrap_or_default();
        panic!(
            "the API server is not ready:\n{}",
            log.lines().rev().take(20).collect::<Vec<_>>().join("\n")
        );
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn skip<T>(why: &str) -> Option<T> {
    println!("skipped: {why}");
    None
}

fn start(command: &mut Command, log: &str) -> Child {
    let log = std::fs::File::create(log).expect("a log");
    let log_too = log.try_clone().expect("a log");
    command
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too)
        .spawn()
        .expect("the server starts")
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn etcd() -> Option<PathBuf> {
    on_path("etcd").or_else(|| Some(PathBuf::from("/usr/sbin/etcd")).filter(|it| it.is_file()))
}

/// The server, built once and kept in the target folder.
fn apiserver() -> Result<PathBuf, &'static str> {
    static BUILT: OnceLock<Result<PathBuf, &'static str>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if let Some(path) = on_path("kube-apiserver") {
            return Ok(path);
        }
        let target = Path::new(PROGRAM)
            .ancestors()
            .nth(2)
            .expect("the target folder");
        let binary = target.join("apiserver/kube-apiserver");
        if binary.is_file() {
            return Ok(binary);
        }
        if on_path("go").is_none() {
            return Err("there is no Go to build kube-apiserver with");
        }
        println!("building kube-apiserver, which takes some minutes and is done once");
        let built = Command::new("go")
            .args(["build", "-trimpath", "-ldflags=-s -w", "-o"])
            .arg(&binary)
            .arg(".")
            .env("GOFLAGS", "-mod=readonly -buildvcs=false")
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/apiserver"))
            .status();
        match built {
            Ok(status) if status.success() => Ok(binary),
            _ => Err("kube-apiserver can't be built"),
        }
    });
    built.clone()
}
