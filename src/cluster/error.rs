//! Errors when asking the API server.

use std::time::Duration;

/// A failure, with what happened, where, why it matters and what to do about it.
///
/// `Display` says what happened and where in one line; [`Error::told`] says everything.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is no kubeconfig, so the cluster's address is not known.
    #[error("there is no kubeconfig: looked at {}", .looked.join(", "))]
    NoKubeconfig {
        /// The files that were looked for.
        looked: Vec<String>,
    },
    /// A kubeconfig can't be read, or has values that can't be used.
    #[error("{place}: {problem}")]
    Kubeconfig {
        /// The files.
        place: String,
        /// What is wrong with them.
        problem: String,
    },
    /// The kubeconfig has no context with this name.
    #[error("{place} has no context `{context}`")]
    UnknownContext {
        /// The files.
        place: String,
        /// The requested context.
        context: String,
        /// The existing contexts.
        known: Vec<String>,
    },
    /// The kubeconfig has no current context.
    #[error("{place} has no current context")]
    NoContext {
        /// The files.
        place: String,
        /// The existing contexts.
        known: Vec<String>,
    },
    /// The program for credentials failed, or a file with credentials can't be read.
    #[error("no credentials for {server}: {problem}")]
    Credentials {
        /// The server's address.
        server: String,
        /// What went wrong.
        problem: String,
    },
    /// The connection failed.
    #[error("{server} can't be reached: {problem}")]
    Unreachable {
        /// The server's address.
        server: String,
        /// The system's message.
        problem: String,
    },
    /// The server's TLS certificate, or ours, is not accepted.
    #[error("the certificate of {server} is not accepted: {problem}")]
    Certificate {
        /// The server's address.
        server: String,
        /// What is wrong with it.
        problem: String,
        /// Whether it has expired.
        expired: bool,
    },
    /// HTTP status 401.
    #[error("{server} doesn't accept the credentials of context `{context}`")]
    Unauthorized {
        /// The server's address.
        server: String,
        /// The context.
        context: String,
    },
    /// HTTP status 403.
    #[error("no permission for {request}: {message}")]
    Forbidden {
        /// The request, such as `PATCH /api/v1/…`.
        request: String,
        /// The server's message.
        message: String,
    },
    /// A request was not answered in time.
    #[error("{server} did not answer {request} within {} s", .after.as_secs())]
    Stalled {
        /// The server's address.
        server: String,
        /// The request.
        request: String,
        /// The time that was waited.
        after: Duration,
    },
    /// The time limit for the whole command is exceeded.
    #[error("the time limit of {} s was exceeded, during {request} to {server}", .after.as_secs())]
    OutOfTime {
        /// The server's address.
        server: String,
        /// The last request.
        request: String,
        /// The time limit.
        after: Duration,
    },
    /// HTTP status 429 or 5xx, several times.
    #[error("{server} answered {status} to {request}, {tries} times: {message}")]
    Busy {
        /// The server's address.
        server: String,
        /// The request.
        request: String,
        /// The last status.
        status: u16,
        /// The number of attempts.
        tries: u32,
        /// The server's message.
        message: String,
    },
    /// The server refuses the object.
    #[error("the API server refuses {object}: {message}")]
    Refused {
        /// The object.
        object: String,
        /// The server's message.
        message: String,
    },
    /// The server didn't write the object.
    #[error("the API server did not write {object}: {status}, {message}")]
    NotWritten {
        /// The object.
        object: String,
        /// The HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// Other managers own fields of the object.
    #[error("{object} has fields that others set: {message}")]
    Conflict {
        /// The object.
        object: String,
        /// The server's message.
        message: String,
    },
    /// The answer is not one that an API server gives.
    #[error("{server} gave no usable answer to {request}: {problem}")]
    Answer {
        /// The server's address.
        server: String,
        /// The request.
        request: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The value of a Flux variable is not known.
    #[error("{object}: {problem}")]
    Variable {
        /// The object.
        object: String,
        /// Which variable, and why.
        problem: String,
    },
    /// A definition was applied but not established.
    #[error("{name} was applied, but is not established after {} s: {problem}", .after.as_secs())]
    NotEstablished {
        /// The definition.
        name: String,
        /// The condition that prevents it, or that there is none yet.
        problem: String,
        /// The time that was waited.
        after: Duration,
    },
}

/// The reason and the remedy for a failure.
struct Explanation {
    why: &'static str,
    help: String,
}

impl Error {
    /// Whether further requests are pointless.
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

    /// What to do about it.
    pub fn help(&self) -> String {
        self.words().help
    }

    /// The whole text for the user: what and where, why, and what to do about it.
    pub fn told(&self) -> String {
        let Explanation { why, help } = self.words();
        format!("{self}\n  why: {why}\n  help: {help}")
    }

    fn words(&self) -> Explanation {
        let told = |why: &'static str, help: &str| Explanation {
            why,
            help: help.to_owned(),
        };
        match self {
            Error::NoKubeconfig { .. } => told(
                "the address of the cluster is not known, and this doesn't run inside a cluster",
                "give the file with `--kubeconfig FILE` or `export KUBECONFIG=FILE`",
            ),
            Error::Kubeconfig { .. } => told(
                "without it, the address of the cluster is not known",
                "compare with the output of `kubectl config view`",
            ),
            Error::UnknownContext { known, .. } | Error::NoContext { known, .. } => Explanation {
                why: "another context may be another cluster, so no other is used instead",
                help: contexts(known),
            },
            Error::Credentials { .. } => told(
                "the server needs credentials",
                "run `kubectl version` with the same context, which uses the same credentials; if it fails too, log in again",
            ),
            Error::Unreachable { .. } => told(
                "nothing is known about a cluster that doesn't answer",
                "check the address in the kubeconfig, the VPN or tunnel, and whether the control plane is running",
            ),
            Error::Certificate { expired: true, .. } => told(
                "the server's identity can't be verified, so nothing was sent",
                "renew it (`kubeadm certs renew all`; k3s and Talos do so on a restart), and check this machine's clock",
            ),
            Error::Certificate { .. } => told(
                "the server's identity can't be verified, so nothing was sent",
                "the kubeconfig's `certificate-authority-data` must be that of the cluster; download the kubeconfig again",
            ),
            Error::Unauthorized { .. } => told(
                "the token or client certificate is unknown to the server, or has expired",
                "log in again, or download the kubeconfig again",
            ),
            Error::Forbidden { .. } => told(
                "the state in the cluster is unknown; it is left out and doesn't count as equal",
                "a dry run needs the verbs `get` and `patch` on the kind (and `create` for what doesn't exist yet), finding what would be pruned needs `list`, and `status` needs `get`",
            ),
            Error::Stalled { .. } => told(
                "everything that was not asked yet is unknown",
                "run it again; if it happens again, look at the API server and at etcd",
            ),
            Error::OutOfTime { .. } => told(
                "everything that was not asked yet is unknown",
                "allow more time with `--timeout SECONDS`",
            ),
            Error::Busy { status: 429, .. } => told(
                "the server rejects requests; everything that was not asked yet is unknown",
                "run it again later; `kubectl get --raw /metrics | grep flowcontrol` shows what keeps it busy",
            ),
            Error::Busy { .. } => told(
                "the server, or a webhook that it calls, fails; everything that was not asked yet is unknown",
                "run it again; if the message names a webhook, look at the Service behind it",
            ),
            Error::Refused { .. } => told(
                "Flux would get the same answer, and would apply nothing of the object's Kustomization",
                "change what the message names; to change an immutable field, delete the object and create it again",
            ),
            Error::NotWritten { .. } => told(
                "the cluster still has what it had before: no definition, or the older one",
                "change what the message names, and apply again; definitions that were already written stay as they are",
            ),
            Error::Conflict { .. } => told(
                "applying it would take these fields away from the managers that set them",
                "`--force-conflicts` takes them",
            ),
            Error::Answer { .. } => told(
                "something other than a Kubernetes API server may answer there",
                "check the address in the kubeconfig, and proxies on the way",
            ),
            Error::Variable { .. } => told(
                "without the value it is not known what Flux would apply, so the object is not compared",
                "make the ConfigMap or Secret in `postBuild.substituteFrom` readable for you, or give the variable a default",
            ),
            Error::NotEstablished { .. } => told(
                "the API server doesn't serve the kind yet",
                "allow more time with `--timeout SECONDS`, or see the reason with `kubectl describe crd`",
            ),
        }
    }
}

fn contexts(known: &[String]) -> String {
    match known {
        [] => "it has no contexts; `kubectl config set-context` creates one".to_owned(),
        known => format!("use `--context` with one of {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests;
