//! `[layout]`

use super::types::{Pairs, Text, Toggle};
use manifest::diagnostic::Spanned;

/// The name of the app's folder if the configuration names none.
pub const DEFAULT_APP: &str = "envoy-gateway";

table! {
    /// Where files are written and how they are named.
    pub struct Layout {
        /// The namespace's folder, relative to the root. Default: `kubernetes/apps/` followed by the
        /// namespace. If the file describes several clusters, `{cluster}` is replaced by the cluster's name, and
        /// the default is `kubernetes/{cluster}/apps/` followed by the namespace.
        pub path: Option<Text>,
        /// The app's folder, inside `path`. Default: `envoy-gateway`.
        pub app: Option<Text>,
        /// The folder for the chart, and for everything else if there is only one folder. Default: `app`; without
        /// Flux, which needs no folder for the chart, `config`.
        pub folder: Option<Text>,
        /// A second folder, for the gateways and the objects that belong to them. It has its own
        /// Kustomization, which depends on the first. Only with Flux. Default: none.
        pub config_folder: Option<Text>,
        /// File names by their content: `proxy`, `class`, `gateways`, `lua`, `traffic` (or `backend_traffic`
        /// and `client_traffic`), `policies`, `redirect`, `routes`, `external`, `grants`, `certificates`, `addresses`, `release`,
        /// `source`, `pod_monitor`, `service_monitor`, `dashboards`, `autoscaling`; or a single object:
        /// `"SecurityPolicy/oidc"`. For objects that belong to a gateway, `{gateway}` is replaced by its name
        /// and `{short}` by its name without `envoy-`, so that each gateway gets its own file. A file name
        /// may contain folders (`external/gateway.yaml`). In the app's folder, `flux` is the file with the Flux
        /// Kustomizations (default: `ks.yaml`), `argocd` the one with the Applications of Argo CD
        /// (`application.yaml`), and `values` the one with the chart's values for `helm upgrade` (`values.yaml`).
        pub files: Pairs,
        /// The host of the schema comment above each document, or `false` for no comment.
        pub schemas: Option<Toggle<SchemaComment>>,
        /// Whether each file starts with a line that says which tool wrote it. Default: `true`.
        pub header: Option<Spanned<bool>>,
        /// A folder with templates that replace the built-in templates of the same name.
        pub templates: Option<Text>,
        /// Whether each folder gets a `kustomization.yaml` that lists its files. `false` is for folders of which
        /// everything is applied, such as a directory of Argo CD or the templates of a chart. Default: `true`.
        pub kustomization: Option<Spanned<bool>>,
        /// Whether resources are listed as `./name.yaml` (`true`) or `name.yaml`. Default: `true`.
        pub dot_slash: Option<Spanned<bool>>,
    }
}

table! {
    /// The schema comment above each document.
    pub struct SchemaComment {
        /// The host that serves `{group}/{kind}_{version}.json`.
        pub host: Option<Text>,
    }
}
