//! Why the API server could not be asked, or what it answered instead.

use std::time::Duration;

/// A failure: what, where, why it matters and what to do.
///
/// `Display` says what and where in one line; [`Error::told`] says all of it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing says where the cluster is.
    #[error("there is no kubeconfig: looked at {}", .looked.join(", "))]
    NoKubeconfig {
        /// The files that were looked for.
        looked: Vec<String>,
    },
    /// A kubeconfig can't be read, or says something that can't be used.
    #[error("{place}: {problem}")]
    Kubeconfig {
        /// The files.
        place: String,
        /// What is wrong with them.
        problem: String,
    },
    /// The kubeconfig has no context of this name.
    #[error("{place} has no context `{context}`")]
    UnknownContext {
        /// The files.
        place: String,
        /// As asked for.
        context: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The kubeconfig doesn't say which context is in use.
    #[error("{place} has no current context")]
    NoContext {
        /// The files.
        place: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The program that gives credentials did not, or a file of them can't be read.
    #[error("no credentials for {server}: {problem}")]
    Credentials {
        /// The server's address.
        server: String,
        /// What went wrong.
        problem: String,
    },
    /// No connection.
    #[error("{server} can't be reached: {problem}")]
    Unreachable {
        /// The server's address.
        server: String,
        /// What the system said.
        problem: String,
    },
    /// TLS found the server's certificate, or ours, wrong.
    #[error("the certificate of {server} is not accepted: {problem}")]
    Certificate {
        /// The server's address.
        server: String,
        /// What is wrong with it.
        problem: String,
        /// Whether it is out of date.
        expired: bool,
    },
    /// 401.
    #[error("{server} doesn't accept the credentials of context `{context}`")]
    Unauthorized {
        /// The server's address.
        server: String,
        /// The context.
        context: String,
    },
    /// 403.
    #[error("no permission for {request}: {message}")]
    Forbidden {
        /// What was asked, as `PATCH /api/v1/…`.
        request: String,
        /// The server's own words.
        message: String,
    },
    /// A request was not answered in time.
    #[error("{server} stopped answering: nothing came for {} s after {request}", .after.as_secs())]
    Stalled {
        /// The server's address.
        server: String,
        /// What was asked.
        request: String,
        /// How long was waited.
        after: Duration,
    },
    /// The time for the whole command is over.
    #[error("the time is over: {} s, at {request} to {server}", .after.as_secs())]
    OutOfTime {
        /// The server's address.
        server: String,
        /// What was asked last.
        request: String,
        /// The time that there was.
        after: Duration,
    },
    /// 429 or 5xx, several times.
    #[error("{server} answered {status} to {request}, {tries} times: {message}")]
    Busy {
        /// The server's address.
        server: String,
        /// What was asked.
        request: String,
        /// The last status.
        status: u16,
        /// How often.
        tries: u32,
        /// The server's own words.
        message: String,
    },
    /// The server will not have the object.
    #[error("the API server refuses {object}: {message}")]
    Refused {
        /// The object.
        object: String,
        /// The server's own words.
        message: String,
    },
    /// The server would not write the object.
    #[error("the API server did not write {object}: {status}, {message}")]
    NotWritten {
        /// The object.
        object: String,
        /// The HTTP status.
        status: u16,
        /// The server's own words.
        message: String,
    },
    /// Fields of the object belong to others.
    #[error("{object} has fields that others set: {message}")]
    Conflict {
        /// The object.
        object: String,
        /// The server's own words.
        message: String,
    },
    /// An answer that is none.
    #[error("{server} gave no usable answer to {request}: {problem}")]
    Answer {
        /// The server's address.
        server: String,
        /// What was asked.
        request: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A text with a Flux variable whose value can't be told.
    #[error("{object}: {problem}")]
    Variable {
        /// The object.
        object: String,
        /// Which variable, and why.
        problem: String,
    },
    /// A definition that the server took did not become established.
    #[error("{name} was applied and is not established after {} s: {problem}", .after.as_secs())]
    NotEstablished {
        /// The definition.
        name: String,
        /// The condition that is in the way, or that none came.
        problem: String,
        /// How long was waited.
        after: Duration,
    },
}

/// A failure's reason and remedy.
struct Told {
    why: &'static str,
    help: String,
}

impl Error {
    /// Whether asking for anything else is pointless.
    pub fn ends_all(&self) -> bool {
        !matches!(
            self,
            Error::Forbidden { .. }
                | Error::Refused { .. }
                | Error::NotWritten { .. }
                | Error::Conflict { .. }
                | Error::Variable { .. }
                | Error::NotEstablished { .. }
        )
    }

    /// Why it matters.
    pub fn why(&self) -> &'static str {
        self.words().why
    }

    /// What to do.
    pub fn help(&self) -> String {
        self.words().help
    }

    /// All of it, for people: what and where, why, what to do.
    pub fn told(&self) -> String {
        let Told { why, help } = self.words();
        format!("{self}\n  why: {why}\n  help: {help}")
    }

    fn words(&self) -> Told {
        let told = |why: &'static str, help: &str| Told {
            why,
            help: help.to_owned(),
        };
        match self {
            Error::NoKubeconfig { .. } => told(
                "nothing says where the cluster is, and this doesn't run inside one",
                "name the file: `--kubeconfig FILE`, or `export KUBECONFIG=FILE`",
            ),
            Error::Kubeconfig { .. } => told(
                "without it nothing says where the cluster is",
                "compare with what `kubectl config view` says of it",
            ),
            Error::UnknownContext { known, .. } | Error::NoContext { known, .. } => Told {
                why: "another context may be another cluster: none is taken in its place",
                help: contexts(known),
            },
            Error::Credentials { .. } => told(
                "the server would not know who asks",
                "run `kubectl version` with the same context: it takes the same credentials; log in anew where it fails, too",
            ),
            Error::Unreachable { .. } => told(
                "nothing can be said about a cluster that doesn't answer",
                "check the address in the kubeconfig, the VPN or tunnel to it, and whether the control plane runs",
            ),
            Error::Certificate { expired: true, .. } => told(
                "nobody can tell who answers there, so nothing was sent",
                "renew it (`kubeadm certs renew all`; k3s and Talos do so on a restart), and check this machine's clock",
            ),
            Error::Certificate { .. } => told(
                "nobody can tell who answers there, so nothing was sent",
                "the kubeconfig's `certificate-authority-data` must be the cluster's own: fetch the kubeconfig anew",
            ),
            Error::Unauthorized { .. } => told(
                "the token or client certificate is unknown there, or out of date",
                "log in anew, or fetch the kubeconfig anew",
            ),
            Error::Forbidden { .. } => told(
                "what the cluster has of this stays unknown; it is left out, not taken for the same",
                "a dry run needs the verbs `get` and `patch` on the kind (`create` for `validate`), looking for what is pruned needs `list`, `status` needs `get`",
            ),
            Error::Stalled { .. } => told(
                "what was not asked yet stays unknown",
                "run it again; if it happens again, look at the API server and at etcd",
            ),
            Error::OutOfTime { .. } => told(
                "what was not asked yet stays unknown",
                "give it more time: `--timeout SECONDS`",
            ),
            Error::Busy { status: 429, .. } => told(
                "the server turns requests away; what was not asked yet stays unknown",
                "run it again later; `kubectl get --raw /metrics | grep flowcontrol` shows who keeps it busy",
            ),
            Error::Busy { .. } => told(
                "the server, or a webhook behind it, fails; what was not asked yet stays unknown",
                "run it again; if the message names a webhook, look at the Service behind it",
            ),
            Error::Refused { .. } => told(
                "Flux would get the same answer, and apply nothing of the object's Kustomization",
                "change what the message names; an immutable field changes only if the object is made anew",
            ),
            Error::NotWritten { .. } => told(
                "the cluster has what it had before: nothing of this kind, or the older definition",
                "change what the message names, and apply it again: what was written stays, and is not written twice",
            ),
            Error::Conflict { .. } => told(
                "to apply it would take these fields from whoever set them",
                "`--force-conflicts` takes them",
            ),
            Error::Answer { .. } => told(
                "something other than a Kubernetes API server may answer there",
                "check the address in the kubeconfig, and proxies on the way",
            ),
            Error::Variable { .. } => told(
                "what Flux would apply can't be told without the value, so it is not compared",
                "make the ConfigMap or Secret in `postBuild.substituteFrom` readable for you, or give the variable a default",
            ),
            Error::NotEstablished { .. } => told(
                "the API server doesn't serve the kind yet",
                "give it more time: `--timeout SECONDS`; else `kubectl describe crd` says what is in the way",
            ),
        }
    }
}

fn contexts(known: &[String]) -> String {
    match known {
        [] => "it has no contexts; `kubectl config set-context` makes one".to_owned(),
        known => format!("write `--context` and one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> String {
        value.to_owned()
    }

    #[test]
    fn a_failure_says_what_where_why_and_what_to_do() {
        let server = || text("https://10.10.30.1:6443");
        let request = || text("GET /api/v1/namespaces");
        let after = Duration::from_secs(5);
        let all = [
            Error::NoKubeconfig {
                looked: vec![text("~/.kube/config")],
            },
            Error::Kubeconfig {
                place: text("a"),
                problem: text("no YAML"),
            },
            Error::UnknownContext {
                place: text("a"),
                context: text("hoem"),
                known: vec![text("home")],
            },
            Error::NoContext {
                place: text("a"),
                known: Vec::new(),
            },
            Error::Credentials {
                server: server(),
                problem: text("`login` ended with 1"),
            },
            Error::Unreachable {
                server: server(),
                problem: text("connection refused"),
            },
            Error::Certificate {
                server: server(),
                problem: text("expired"),
                expired: true,
            },
            Error::Certificate {
                server: server(),
                problem: text("unknown issuer"),
                expired: false,
            },
            Error::Unauthorized {
                server: server(),
                context: text("home"),
            },
            Error::Forbidden {
                request: request(),
                message: text("no"),
            },
            Error::Stalled {
                server: server(),
                request: request(),
                after,
            },
            Error::OutOfTime {
                server: server(),
                request: request(),
                after,
            },
            Error::Busy {
                server: server(),
                request: request(),
                status: 429,
                tries: 5,
                message: text("slow down"),
            },
            Error::Busy {
                server: server(),
                request: request(),
                status: 503,
                tries: 5,
                message: text("etcd"),
            },
            Error::Refused {
                object: text("Gateway a/b"),
                message: text("no"),
            },
            Error::NotWritten {
                object: text("widgets.example.com"),
                status: 422,
                message: text("spec.versions: Required value"),
            },
            Error::Conflict {
                object: text("widgets.example.com"),
                message: text("spec"),
            },
            Error::Answer {
                server: server(),
                request: request(),
                problem: text("no JSON"),
            },
            Error::Variable {
                object: text("Gateway a/b"),
                problem: text("${A}"),
            },
            Error::NotEstablished {
                name: text("widgets.example.com"),
                problem: text("NamesAccepted is False"),
                after,
            },
        ];
        let told: Vec<String> = all.iter().map(|error| error.told()).collect();
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            omit_expression => true,
        }, { insta::assert_snapshot!(told.join("\n\n")) });
    }
}
