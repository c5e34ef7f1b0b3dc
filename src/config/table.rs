//! The two shapes that every table of `cluster.toml` has.

/// A table: every key optional, unknown keys refused, documented for people and editors.
macro_rules! table {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        #[derive(Clone, Debug, Default, serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name { $($body)* }
    };
}

/// A table that becomes one object: it takes labels, annotations, overlays and removals too.
macro_rules! object_table {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        table! {
            $(#[$meta])*
            pub struct $name {
                $($body)*
                /// Labels of the object.
                pub labels: $crate::config::types::Pairs,
                /// Annotations of the object.
                pub annotations: $crate::config::types::Pairs,
                /// Laid over the object's `spec`: the CRD's own keys (`camelCase`, as upstream documents them).
                /// Maps merge, anything else is replaced. Checked against the CRD of the declared version.
                pub spec: Option<manifest::value::Node>,
                /// Laid over the whole object, for what the others don't reach: `apiVersion`, `metadata.namespace`.
                pub object: Option<manifest::value::Node>,
                /// Paths to take out of the object at the end, as JSON pointers (`/spec/http3`).
                pub remove: $crate::config::types::Texts,
            }
        }

        impl $name {
            /// What is laid over the object.
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
