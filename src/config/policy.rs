//! `[security_policies.NAME]`, `[patch_policies.NAME]`, `[extension_policies.NAME]`

use super::types::{Text, Texts};

object_table! {
    /// A policy whose `spec` is given in the CRD's own keys; the targets are made from `gateways`.
    pub struct Policy {
        /// The gateways that it is for. Default: all.
        pub gateways: Texts,
        /// The listener that it is for (`sectionName`). Default: all of the gateway.
        pub listener: Option<Text>,
    }
}
