//! `[extra]`

use super::types::Texts;
use crate::value::Node;

table! {
    /// Your own manifests beside the generated ones: listed in the kustomization, never touched.
    pub struct Extra {
        /// Files and folders beside the chart's (`./externalsecret.yaml`).
        pub resources: Texts,
        /// Files and folders in the second folder.
        pub config_resources: Texts,
        /// Laid over the first folder's `kustomization.yaml`: kustomize's own keys.
        pub kustomization: Option<Node>,
        /// Laid over the second folder's `kustomization.yaml`: kustomize's own keys.
        pub config_kustomization: Option<Node>,
    }
}
