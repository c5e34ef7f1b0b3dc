//! `[flux]`, `[namespace]`

use super::types::{Pairs, Text, Texts};
use manifest::diagnostic::Spanned;
use manifest::value::Node;

object_table! {
    /// The Flux Kustomizations in `ks.yaml`.
    pub struct Flux {
        /// `false`: none, they are made elsewhere.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the Kustomization. Default: the name of the app's folder.
        pub name: Option<Text>,
        /// Whether `ks.yaml` gives the namespace itself. Default: `false`, the namespace's kustomization sets it.
        pub namespaced: Option<Spanned<bool>>,
        /// Default: `1h`.
        pub interval: Option<Text>,
        /// How soon a failure is tried again.
        pub retry_interval: Option<Text>,
        /// How long applying may take.
        pub timeout: Option<Text>,
        /// Whether what is no longer rendered is deleted. Default: `true`.
        pub prune: Option<Spanned<bool>>,
        /// Whether Flux waits until all is ready. Default: `true` where a second folder depends on it and there are
        /// no `health_checks`.
        pub wait: Option<Spanned<bool>>,
        /// Where Flux reads this repository from.
        pub source: SourceRef,
        /// The path from the root of what Flux reads to the folder that the tree is rendered in. Default: the path from
        /// the root of the Git repository. To be given where another source than a GitRepository holds a part of one.
        pub path_prefix: Option<Text>,
        /// Kustomizations that come first: `name` or `namespace/name`.
        pub depends_on: Texts,
        /// Objects whose health counts, in Flux's own keys.
        pub health_checks: Vec<Node>,
        /// Post-build substitution, in Flux's own keys.
        pub post_build: Option<Node>,
        /// Decryption, in Flux's own keys.
        pub decryption: Option<Node>,
        /// Labels that Flux adds to all objects (`commonMetadata.labels`).
        pub common_labels: Pairs,
        /// The second Kustomization, where there are two folders. It depends on the first.
        pub config: FluxConfig,
    }
}

object_table! {
    /// What the second Kustomization has in place of the first one's.
    pub struct FluxConfig {
        /// Its name. Default: the first one's, `-` and the folder.
        pub name: Option<Text>,
        /// Whether Flux waits until all is ready.
        pub wait: Option<Spanned<bool>>,
        /// Kustomizations that come first, besides the first one: `name` or `namespace/name`.
        pub depends_on: Texts,
        /// Objects whose health counts, in Flux's own keys.
        pub health_checks: Vec<Node>,
        /// Labels that Flux adds to all objects (`commonMetadata.labels`).
        pub common_labels: Pairs,
    }
}

table! {
    /// Where Flux reads this repository from.
    pub struct SourceRef {
        /// Default: `GitRepository`.
        pub kind: Option<Text>,
        /// Default: `flux-system`.
        pub name: Option<Text>,
        /// Default: `flux-system`.
        pub namespace: Option<Text>,
    }
}

table! {
    /// The namespace, and its kustomization.
    pub struct Namespace {
        /// Its name. Default: `network`.
        pub name: Option<Text>,
        /// Whether `namespace.yaml` is written. Default: `true`.
        pub manifest: Option<Spanned<bool>>,
        /// Whether the namespace's `kustomization.yaml` is kept up: our entries are added, all others stay.
        /// Default: `true`.
        pub kustomization: Option<Spanned<bool>>,
        /// Whether each object gives the namespace itself. Default: `false`, Flux sets it.
        pub in_objects: Option<Spanned<bool>>,
        /// Labels of the Namespace.
        pub labels: Pairs,
        /// Annotations of the Namespace. Flux is told never to prune it.
        pub annotations: Pairs,
        /// kustomize components of the namespace (`../../components/common`).
        pub components: Texts,
    }
}
