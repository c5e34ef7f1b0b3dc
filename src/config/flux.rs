//! `[flux]`, `[namespace]`

use super::types::{Pairs, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

/// The name of the namespace if the configuration names none.
pub const DEFAULT_NAMESPACE: &str = "network";

object_table! {
    /// The Flux Kustomizations in `ks.yaml`.
    pub struct Flux {
        /// `false` doesn't write Kustomizations, because they are defined elsewhere.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the Kustomization. Default: the name of the app's folder (`layout.app`).
        pub name: Option<Text>,
        /// Whether the Kustomizations in `ks.yaml` set their namespace. Default: `false`, because the
        /// namespace's kustomization sets it.
        pub namespaced: Option<Spanned<bool>>,
        /// How often Flux reconciles. Default: `1h`.
        pub interval: Option<Text>,
        /// How long Flux waits before it retries after a failure.
        pub retry_interval: Option<Text>,
        /// The timeout of one reconciliation.
        pub timeout: Option<Text>,
        /// Whether Flux deletes objects that are no longer rendered. Default: `true`.
        pub prune: Option<Spanned<bool>>,
        /// Whether Flux waits until all objects are ready. Default: `true` if there is a second folder, which
        /// depends on the first, and no `health_checks` are given.
        pub wait: Option<Spanned<bool>>,
        /// The source from which Flux reads this repository.
        pub source: SourceRef,
        /// The path to the folder that the tree is rendered in, from the root of the source that Flux reads.
        /// Default: the path from the root of the Git repository. Set it if the source is not a GitRepository
        /// and contains only a part of the repository.
        pub path_prefix: Option<Text>,
        /// Kustomizations that must be ready before this one: `name` or `namespace/name`.
        pub depends_on: Texts,
        /// Objects whose health Flux checks, with Flux's own keys.
        pub health_checks: Vec<Node>,
        /// Post-build substitution, with Flux's own keys.
        pub post_build: Option<Node>,
        /// Decryption, with Flux's own keys.
        pub decryption: Option<Node>,
        /// Labels that Flux adds to all objects (`commonMetadata.labels`).
        pub common_labels: Pairs,
        /// The Kustomization of the second folder, if there is one. It depends on the first.
        pub config: FluxConfig,
    }
}

object_table! {
    /// Settings of the second Kustomization that differ from those of the first.
    pub struct FluxConfig {
        /// The name of the Kustomization. Default: the first one's name, `-`, and the folder's name.
        pub name: Option<Text>,
        /// How long Flux waits before it retries after a failure.
        pub retry_interval: Option<Text>,
        /// The timeout of one reconciliation.
        pub timeout: Option<Text>,
        /// Whether Flux waits until all objects are ready.
        pub wait: Option<Spanned<bool>>,
        /// Kustomizations that must be ready before this one, besides the first: `name` or `namespace/name`.
        pub depends_on: Texts,
        /// Objects whose health Flux checks, with Flux's own keys.
        pub health_checks: Vec<Node>,
        /// Labels that Flux adds to all objects (`commonMetadata.labels`).
        pub common_labels: Pairs,
    }
}

table! {
    /// The source from which Flux reads this repository.
    pub struct SourceRef {
        /// The kind of the source. Default: `GitRepository`.
        pub kind: Option<Text>,
        /// The name of the source. Default: `flux-system`.
        pub name: Option<Text>,
        /// The namespace of the source. Default: `flux-system`.
        pub namespace: Option<Text>,
    }
}

table! {
    /// The namespace and its kustomization.
    pub struct Namespace {
        /// The name of the namespace. Default: `network`.
        pub name: Option<Text>,
        /// Whether `namespace.yaml` is written. Default: `true`; with Argo CD `false`, because the chart's
        /// Application creates the namespace.
        pub manifest: Option<Spanned<bool>>,
        /// Whether the namespace's `kustomization.yaml` is updated: missing entries are added and all others
        /// stay. It lists what `[delivery]` needs: Flux Kustomizations, Applications, or the folders themselves.
        /// Default: `true`.
        pub kustomization: Option<Spanned<bool>>,
        /// Whether each object sets `metadata.namespace`. Default: `false`, because Flux sets it.
        pub in_objects: Option<Spanned<bool>>,
        /// Labels for the Namespace.
        pub labels: Pairs,
        /// Annotations for the Namespace. One that keeps Flux or Argo CD from pruning it is always written.
        pub annotations: Pairs,
        /// kustomize components that the namespace's kustomization uses (`../../components/common`).
        pub components: Texts,
    }
}
