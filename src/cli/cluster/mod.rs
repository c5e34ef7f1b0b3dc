//! How commands work with a live cluster. Without the feature `live`, every call fails and says that it is missing.

use std::path::PathBuf;

#[cfg(not(feature = "live"))]
mod absent;
#[cfg(feature = "live")]
mod live;

#[cfg(not(feature = "live"))]
pub use absent::{apply, definitions, diff, judge, status};
#[cfg(feature = "live")]
pub(super) use live::{apply, definitions, diff, judge, status};

/// Which cluster to ask, and with which credentials.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct Connection {
    /// The kubeconfig [default: the files in KUBECONFIG, else ~/.kube/config, else the Pod's service account]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The time limit for everything that the cluster is asked, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// The field manager for dry runs.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct Manager {
    /// The field manager that dry runs use; by default the one that Flux uses
    #[arg(long, value_name = "NAME", default_value = "kustomize-controller")]
    pub field_manager: String,
}

/// The result of asking a cluster for a difference.
pub(super) struct ClusterDiff {
    /// How the live objects differ from what Flux would apply.
    pub diff: crate::diff::Diff,
    /// The address of the API server.
    pub server: String,
    /// The context of the kubeconfig.
    pub context: String,
    /// What the user has to know about the comparison.
    pub notes: Vec<String>,
    /// What could not be compared: what, where, why and what to do about it.
    pub failures: Vec<String>,
    /// The number of objects.
    pub objects: usize,
    /// The number of objects that were compared.
    pub compared: usize,
}

/// The result of asking a cluster for its judgement.
pub(super) struct ClusterJudgement {
    /// The findings.
    pub diagnostics: Vec<manifest::diagnostic::Diagnostic>,
    /// The number of objects that the API server judged.
    pub judged: usize,
    /// What the user has to know about the judgement.
    pub notes: Vec<String>,
    /// What could not be judged: what, where, why and what to do about it.
    pub failures: Vec<String>,
}

/// The result of asking a cluster for what its controllers wrote.
pub(super) struct Written {
    /// One answer for each object, in the same order.
    pub answers: Vec<envoy_gateway::written::LiveObject>,
    /// The address of the API server.
    pub server: String,
    /// The context of the kubeconfig.
    pub context: String,
    /// What the user has to know about the answers.
    pub notes: Vec<String>,
    /// What could not be read: what, where, why and what to do about it.
    pub failures: Vec<String>,
}

/// A CustomResourceDefinition that is installed in the cluster.
pub(super) struct Definition {
    /// Its name.
    pub name: String,
    /// The whole definition, as JSON.
    pub text: String,
}

/// The result of applying CustomResourceDefinitions.
pub(super) struct ApplyReport {
    /// Each definition that was applied, with what was done: created, changed or unchanged.
    pub done: Vec<(String, &'static str)>,
    /// The definitions that were not tried, because the API server failed before.
    pub not_tried: Vec<String>,
    /// The definitions that may not replace what is installed. If there are any, nothing was written.
    pub refused: Vec<String>,
    /// What went wrong: what, where, why and what to do about it.
    pub failures: Vec<String>,
}

/// How to apply CustomResourceDefinitions.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "live"), allow(dead_code))]
pub(super) struct ApplyOptions<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// Whether to take over fields that other managers set.
    pub force_conflicts: bool,
    /// Whether versions in which objects are stored may be removed.
    pub allow_downgrade: bool,
    /// Whether the standard channel may replace the experimental one.
    pub allow_standard: bool,
    /// How long to wait until a definition is established, in seconds.
    pub wait: u64,
}
