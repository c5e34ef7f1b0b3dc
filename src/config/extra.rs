//! `[extra]`

use super::types::Texts;
use manifest::value::Node;

table! {
    /// Your own manifests beside the generated ones. The kustomization lists them; they are never changed.
    pub struct Extra {
        /// Files and folders to list in the first folder's kustomization (`./externalsecret.yaml`). If a
        /// generated file, or a folder that contains one, is named here, it is listed at this position and
        /// not again.
        pub resources: Texts,
        /// Files and folders to list in the second folder's kustomization, in the same way.
        pub config_resources: Texts,
        /// Complete objects with Kubernetes' own keys, each with the `file` that it is written to, for kinds
        /// that no other table produces.
        pub objects: Vec<Node>,
        /// Merged over the first folder's `kustomization.yaml`, with kustomize's own keys.
        pub kustomization: Option<Node>,
        /// Merged over the second folder's `kustomization.yaml`, with kustomize's own keys.
        pub config_kustomization: Option<Node>,
    }
}
