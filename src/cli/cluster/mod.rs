//! What commands have to do with a live cluster. Without the feature `live` they say that it is missing.

use std::path::PathBuf;

#[cfg(not(feature = "live"))]
mod absent;
#[cfg(feature = "live")]
mod live;

#[cfg(not(feature = "live"))]
pub use absent::{apply, definitions, diff, judge, status};
#[cfg(feature = "live")]
pub use live::{apply, definitions, diff, judge, status};

/// Which cluster, and who asks.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub struct Connection {
    /// The kubeconfig [default: the files of KUBECONFIG, else ~/.kube/config, else the Pod's own account]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// How long all of it may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// The field manager as which dry runs are made.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub struct Manager {
    /// The field manager as which objects are applied in dry runs: Flux's own
    #[arg(long, value_name = "NAME", default_value = "kustomize-controller")]
    pub field_manager: String,
}

/// What came of asking a cluster for a difference.
pub struct Asked {
    /// How what lives there differs from what Flux would apply.
    pub diff: crate::diff::Diff,
    /// The server's address, and the context that names it.
    pub server: String,
    /// The context.
    pub context: String,
    /// What has to be known of the comparison.
    pub notes: Vec<String>,
    /// What could not be told: what, where, why and what to do.
    pub failures: Vec<String>,
    /// How many objects there are.
    pub objects: usize,
    /// How many of them were compared.
    pub compared: usize,
}

/// What came of asking a cluster for its judgement.
pub struct Judged {
    /// Findings.
    pub diagnostics: Vec<manifest::diagnostic::Diagnostic>,
    /// How many objects the server judged.
    pub judged: usize,
    /// What has to be known of it.
    pub notes: Vec<String>,
    /// What could not be told: what, where, why and what to do.
    pub failures: Vec<String>,
}

/// What came of asking a cluster for what its controllers wrote.
pub struct Written {
    /// One for each object, in order.
    pub answers: Vec<envoy_gateway::written::Answer>,
    /// The server's address.
    pub server: String,
    /// The context that names it.
    pub context: String,
    /// What has to be known of it.
    pub notes: Vec<String>,
    /// What could not be told: what, where, why and what to do.
    pub failures: Vec<String>,
}

/// A CustomResourceDefinition that the cluster has.
pub struct Definition {
    /// Its name.
    pub name: String,
    /// All of it, as JSON.
    pub text: String,
}

/// What came of applying CustomResourceDefinitions.
pub struct Applied {
    /// Each definition that was written, and what became of it.
    pub done: Vec<(String, &'static str)>,
    /// Those that were not come to, since the server failed before.
    pub not_tried: Vec<String>,
    /// Those that may not take the place of what is installed. With any, nothing was written.
    pub refused: Vec<String>,
    /// What went wrong: what, where, why and what to do.
    pub failures: Vec<String>,
}

/// How CustomResourceDefinitions are applied.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "live"), allow(dead_code))]
pub struct How<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// Whether fields that others set are taken from them.
    pub force_conflicts: bool,
    /// Whether versions may go in which objects are stored.
    pub allow_downgrade: bool,
    /// Whether the standard channel may take the place of the experimental one.
    pub allow_standard: bool,
    /// How long to wait until a definition is established, in seconds.
    pub wait: u64,
}
