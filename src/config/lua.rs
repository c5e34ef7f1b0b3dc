//! `[lua]`

use super::types::{Count, Text, Texts};
use manifest::diagnostic::Spanned;

object_table! {
    /// An EnvoyExtensionPolicy for each gateway that runs a Lua script on every request.
    pub struct Lua {
        /// Blocks requests whose `User-Agent` holds one of these texts. They are compared letter by letter:
        /// no character of them is special.
        pub block_user_agents: Texts,
        /// The status of a blocked request. Default: 403.
        pub status: Option<Spanned<Count>>,
        /// A script of your own, relative to `cluster.toml`, in place of `block_user_agents`.
        pub script: Option<Text>,
        /// The gateways that it runs on. Default: all.
        pub gateways: Texts,
        /// The script's file name in `resources/`. Default: the script's own, or `block-user-agents.lua`.
        pub file: Option<Text>,
        /// The ConfigMap's name after the gateway's. Default: `-extensions`.
        pub config_map_suffix: Option<Text>,
    }
}
