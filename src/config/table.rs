//! Macros that define the tables of `cluster.toml`.

/// Defines a table. Every key is optional, unknown keys are rejected, and the doc comments become the user
/// reference.
macro_rules! table {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        #[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name { $($body)* }
    };
}

/// Defines a table that becomes one object. It also takes labels, annotations, overlays and removals.
macro_rules! object_table {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        table! {
            $(#[$meta])*
            pub struct $name {
                $($body)*
                /// Labels for the object.
                pub labels: $crate::config::types::Pairs,
                /// Annotations for the object.
                pub annotations: $crate::config::types::Pairs,
                /// Merged over the object's `spec`, with the CRD's own keys (`camelCase`, as upstream
                /// documents them). Maps are merged, everything else is replaced. The result is checked
                /// against the CRD of the declared version.
                pub spec: Option<manifest::value::Node>,
                /// Merged over the whole object, for fields that the other keys don't reach: `apiVersion`,
                /// `metadata.namespace`.
                pub object: Option<manifest::value::Node>,
                /// JSON pointers of fields to remove from the object at the end (`/spec/http3`).
                pub remove: $crate::config::types::Texts,
            }
        }

        impl $name {
            /// Everything that is merged over the object after its template.
            pub fn overlay(&self) -> $crate::config::types::Overlay {
                $crate::config::types::Overlay {
                    labels: self.labels.clone(),
                    annotations: self.annotations.clone(),
                    spec: self.spec.clone(),
                    object: self.object.clone(),
                    remove: self.remove.clone(),
                }
            }
        }
    };
}
