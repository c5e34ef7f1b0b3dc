//! `[extra]`

use super::types::Texts;
use manifest::value::Node;

table! {
    /// Your own manifests beside the generated ones: listed in the kustomization, never touched.
    pub struct Extra {
        /// Files and folders beside the chart's (`./externalsecret.yaml`). A generated file that is named here, or
        /// that is in a folder named here, stands in this place of the list and nowhere else.
        pub resources: Texts,
        /// The same for the second folder.
        pub config_resources: Texts,
        /// Objects in full, in Kubernetes' own keys, each with the `file` that it goes into: what no table makes.
        pub objects: Vec<Node>,
        /// Laid over the first folder's `kustomization.yaml`: kustomize's own keys.
        pub kustomization: Option<Node>,
        /// Laid over the second folder's `kustomization.yaml`: kustomize's own keys.
        pub config_kustomization: Option<Node>,
    }
}
