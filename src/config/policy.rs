//! `[security_policies.NAME]`, `[patch_policies.NAME]`, `[extension_policies.NAME]`

use super::types::{Text, Texts};

object_table! {
    /// A policy whose `spec` is written with the CRD's own keys. Its `targetRefs` are derived from
    /// `gateways`.
    pub struct Policy {
        /// The gateways that the policy targets. Default: all.
        pub gateways: Texts,
        /// The listener that the policy targets (`sectionName`). Default: all listeners of the gateway.
        pub listener: Option<Text>,
    }
}
