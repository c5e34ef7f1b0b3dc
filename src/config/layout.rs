//! `[layout]`

use super::types::{Pairs, Text, Toggle};
use manifest::diagnostic::Spanned;

table! {
    /// Where files go and what they are called.
    pub struct Layout {
        /// The namespace's folder, from the root. Default: `kubernetes/apps/` and the namespace.
        pub path: Option<Text>,
        /// The app's folder in it. Default: `envoy-gateway`.
        pub app: Option<Text>,
        /// The folder of the chart, and of all else where there is only one. Default: `app`.
        pub folder: Option<Text>,
        /// A second folder, for the gateways and what belongs to them, with a Kustomization of its own
        /// that depends on the first. Default: none.
        pub config_folder: Option<Text>,
        /// File names by what they hold: `proxy`, `class`, `gateways`, `lua`, `traffic` (or `backend_traffic` and
        /// `client_traffic`), `policies`, `redirect`, `routes`, `certificates`, `addresses`, `release`, `source`,
        /// `pod_monitor`, `service_monitor`, `dashboards`, `autoscaling`; or a single object: `"SecurityPolicy/oidc"`.
        /// In what belongs to a gateway `{gateway}` stands for its name, `{short}` for the name without `envoy-`: a
        /// file for each. A name may have folders in front (`external/gateway.yaml`). `flux` is the file with the
        /// Flux Kustomizations, in the app's folder. Default of `flux`: `ks.yaml`.
        pub files: Pairs,
        /// The host of the schema comment over each document, or `false` for none.
        pub schemas: Option<Toggle<SchemaComment>>,
        /// Whether each file starts with a line that says what made it. Default: `true`.
        pub header: Option<Spanned<bool>>,
        /// A folder with templates that replace the built-in ones of the same name.
        pub templates: Option<Text>,
        /// Whether resources are listed as `./name.yaml` or `name.yaml`. Default: `true`, with `./`.
        pub dot_slash: Option<Spanned<bool>>,
    }
}

table! {
    /// The schema comment over each document.
    pub struct SchemaComment {
        /// Where `{group}/{kind}_{version}.json` is found.
        pub host: Option<Text>,
    }
}
