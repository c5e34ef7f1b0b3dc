//! An API server with a few kinds that does what a test wants: it refuses requests, stalls, or closes connections.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value as Json, json};

/// A request: its method, its path without the query, and the number of requests before it.
pub struct Asked {
    pub method: String,
    pub path: String,
    pub before: usize,
}

/// How long a request stalls: longer than any timeout.
pub const STALL: Duration = Duration::from_secs(3600);

/// What the server does with a request.
pub enum Does {
    /// It answers like an API server in which no objects exist yet, and in which what is applied is returned.
    Answer,
    /// It answers with a status and headers.
    Status(u16, &'static str),
    /// It answers with a status and a body.
    Body(u16, String),
    /// It doesn't answer for a long time.
    Stall,
    /// It closes the connection.
    HangUp,
}

pub struct Fake {
    folder: tempfile::TempDir,
    pub requests: Arc<AtomicUsize>,
}

impl Fake {
    /// Starts a server on the loopback interface that does with each request what `how` says.
    pub fn start(how: impl Fn(&Asked) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (requests, how) = (Arc::new(AtomicUsize::new(0)), Arc::new(how));
        let count = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (how, count) = (Arc::clone(&how), Arc::clone(&count));
                std::thread::spawn(move || serve(stream, how.as_ref(), &count));
            }
        });
        let fake = Fake {
            folder: tempfile::tempdir().expect("a folder"),
            requests,
        };
        fake.config(&format!("server: \"http://127.0.0.1:{port}\""));
        fake
    }

    /// A kubeconfig for another server.
    pub fn elsewhere(cluster: &str) -> Self {
        let fake = Fake {
            folder: tempfile::tempdir().expect("a folder"),
            requests: Arc::default(),
        };
        fake.config(cluster);
        fake
    }

    fn config(&self, cluster: &str) {
        let text = format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{{cluster}}}}}]\nusers: [{{name: u, user: {{token: s3cret-token}}}}]\ncontexts: [{{name: test, context: {{cluster: c, user: u}}}}]\ncurrent-context: test\n"
        );
        std::fs::write(self.kubeconfig(), text).expect("a kubeconfig");
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }
}

fn serve(stream: TcpStream, how: &dyn Fn(&Asked) -> Does, count: &AtomicUsize) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    let mut stream = stream;
    while let Some((method, path, body)) = request(&mut reader) {
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let asked = Asked {
            method,
            path,
            before: count.fetch_add(1, Ordering::SeqCst),
        };
        let (status, headers, text) = match how(&asked) {
            Does::Answer => {
                let (status, json) = answer(&asked, &body);
                (status, "", json.to_string())
            }
            Does::Status(status, headers) => (
                status,
                headers,
                json!({"kind": "Status", "message": "not now"}).to_string(),
            ),
            Does::Body(status, text) => (status, "", text),
            Does::Stall => {
                std::thread::sleep(STALL);
                return;
            }
            Does::HangUp => return,
        };
        let length = text.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        if stream.write_all((head + &text).as_bytes()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut impl BufRead) -> Option<(String, String, Vec<u8>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, body))
}

/// The kinds that it serves: group, version, kind, plural.
const KINDS: &[(&str, &str, &str, &str)] = &[
    ("gateway.networking.k8s.io", "v1", "Gateway", "gateways"),
    ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
    (
        "gateway.envoyproxy.io",
        "v1alpha1",
        "EnvoyProxy",
        "envoyproxies",
    ),
];

/// Answers like a server before Kubernetes 1.30, with discovery group by group.
fn answer(asked: &Asked, body: &[u8]) -> (u16, Json) {
    let list = |of: &str| {
        let of_it = KINDS
            .iter()
            .filter(|kind| format!("{}/{}", kind.0, kind.1) == of);
        let resources: Vec<Json> = of_it
            .map(|kind| json!({"name": kind.3, "kind": kind.2, "namespaced": true, "verbs": ["get", "list", "patch"]}))
            .collect();
        json!({"kind": "APIResourceList", "groupVersion": of, "resources": resources})
    };
    let groups = || {
        let mut all: Vec<Json> = Vec::new();
        for kind in KINDS {
            let of = json!({"groupVersion": format!("{}/{}", kind.0, kind.1), "version": kind.1});
            let group = json!({"name": kind.0, "versions": [of], "preferredVersion": of});
            if !all.contains(&group) {
                all.push(group);
            }
        }
        all
    };
    match (asked.method.as_str(), asked.path.as_str()) {
        (_, "/api") => (200, json!({"kind": "APIVersions", "versions": ["v1"]})),
        (_, "/apis") => (200, json!({"kind": "APIGroupList", "groups": groups()})),
        (_, "/api/v1") => (200, list("v1")),
        (_, path) if path.starts_with("/api/v1/namespaces/") => (200, json!({"kind": "Namespace"})),
        ("PATCH" | "POST", _) => (200, serde_json::from_slice(body).unwrap_or_default()),
        (_, path) => match path.strip_prefix("/apis/") {
            Some(of) if of.matches('/').count() == 1 => (200, list(of)),
            _ if KINDS
                .iter()
                .any(|kind| path.ends_with(&format!("/{}", kind.3))) =>
            {
                (200, json!({"items": []}))
            }
            _ => (
                404,
                json!({"kind": "Status", "reason": "NotFound", "message": "not found"}),
            ),
        },
    }
}
