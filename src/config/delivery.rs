//! `[delivery]`, `[argocd]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::{Count, Text, Texts};
use manifest::diagnostic::Spanned;

/// What applies the rendered files to the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryKind {
    /// Flux: an OCIRepository and a HelmRelease for the chart, and a Kustomization for each folder.
    #[default]
    Flux,
    /// Argo CD: an Application for the chart, and one for each folder.
    ArgoCd,
    /// `kubectl apply -k` for the folders, and Helm for the chart, with a file of values.
    Kustomize,
}

impl DeliveryKind {
    /// The name as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryKind::Flux => "flux",
            DeliveryKind::ArgoCd => "argocd",
            DeliveryKind::Kustomize => "kustomize",
        }
    }
}

table! {
    /// What applies the rendered files to the cluster.
    pub struct Delivery {
        /// `flux` writes an OCIRepository and a HelmRelease for the chart, and Kustomizations of Flux. `argocd` writes
        /// Applications of Argo CD (`[argocd]`). `kustomize` writes folders for `kubectl apply -k`, and
        /// `values.yaml` for `helm upgrade`. Only Flux replaces variables such as `${DOMAIN}`. Default: `flux`.
        pub kind: Option<Spanned<DeliveryKind>>,
    }
}

object_table! {
    /// The Applications of Argo CD, with `delivery.kind = "argocd"`: one for the chart, and one for each folder. Labels,
    /// annotations and `spec` are for the chart's.
    pub struct ArgoCd {
        /// `false` doesn't write Applications, because they are defined elsewhere, for example by an ApplicationSet.
        pub enabled: Option<Spanned<bool>>,
        /// The name of the chart's Application. Default: the name of the app's folder (`layout.app`). If the
        /// file describes several clusters, `{cluster}` is replaced by the cluster's name, and the default is
        /// `{cluster}-` followed by the name, because one Argo CD may have the Applications of all clusters.
        pub name: Option<Text>,
        /// The namespace in which Argo CD looks for Applications. Default: `argocd`.
        pub namespace: Option<Text>,
        /// The AppProject that the Applications belong to. Default: `default`.
        pub project: Option<Text>,
        /// The URL of the Git repository that contains the rendered files
        /// (`https://git.example.com/home.git`). It is required, because an Application names its repository.
        pub repository: Option<Text>,
        /// The branch, tag or commit that Argo CD applies. Default: `HEAD`, the repository's default branch.
        pub revision: Option<Text>,
        /// The path from the root of the repository to the folder that the tree is rendered in. Default: the
        /// path from the root of the Git repository that contains `cluster.toml`.
        pub path_prefix: Option<Text>,
        /// The cluster that the Applications apply to.
        pub destination: Destination,
        /// Whether Argo CD applies changes by itself. Default: `true`.
        pub automated: Option<Spanned<bool>>,
        /// Whether Argo CD deletes objects that are no longer rendered. Default: `true`.
        pub prune: Option<Spanned<bool>>,
        /// Whether Argo CD undoes changes that somebody makes in the cluster. Default: `true`.
        pub self_heal: Option<Spanned<bool>>,
        /// Further sync options, as `Name=value`. An option of the same name replaces the built-in one, such as
        /// `CreateNamespace=false`. Default: `ServerSideApply=true`, because the chart's CRDs are too large for
        /// anything else, `CreateNamespace=true` for the chart, and `SkipDryRunOnMissingResource=true` for the
        /// folders, whose CRDs come with the chart.
        pub sync_options: Texts,
        /// The sync wave of the chart's Application. Default: 0, for which no annotation is written.
        pub sync_wave: Option<Spanned<Count>>,
        /// Whether deleting an Application also deletes what it has applied: the gateways, and so every
        /// connection. Default: `false`.
        pub delete_objects: Option<Spanned<bool>>,
        /// The Applications of the folders.
        pub config: ArgoCdConfig,
    }
}

object_table! {
    /// Settings of the folders' Applications that differ from those of the chart's Application.
    pub struct ArgoCdConfig {
        /// The name of the Application. Default: the chart's, `-`, and the folder's name.
        pub name: Option<Text>,
        /// The sync wave. Default: 1, so that an Application above these two applies the chart first.
        pub sync_wave: Option<Spanned<Count>>,
        /// How often Argo CD tries again, at growing intervals, until the chart has brought the CRDs; 0
        /// means never. Default: 10.
        pub retries: Option<Spanned<Count>>,
    }
}

table! {
    /// The cluster that the Applications apply to.
    pub struct Destination {
        /// The URL of its API server. Default: `https://kubernetes.default.svc`, the cluster that Argo CD runs in.
        pub server: Option<Text>,
        /// The name that Argo CD knows it by, instead of `server`. If the file describes several clusters,
        /// `{cluster}` is replaced by the cluster's name.
        pub name: Option<Text>,
    }
}
