//! `[lua]`

use super::types::{Count, Text, Texts};
use manifest::diagnostic::Spanned;

object_table! {
    /// An EnvoyExtensionPolicy for each gateway, which runs a Lua script on every request.
    pub struct Lua {
        /// Blocks requests whose `User-Agent` contains one of these texts. The texts are compared literally;
        /// no character has a special meaning.
        pub block_user_agents: Texts,
        /// The HTTP status of the response to a blocked request. Default: 403.
        pub status: Option<Spanned<Count>>,
        /// The path of your own script, relative to `cluster.toml`, instead of `block_user_agents`.
        pub script: Option<Text>,
        /// The gateways that run the script. Default: all.
        pub gateways: Texts,
        /// The script's file name in `resources/`. Default: the name of your own script, or
        /// `block-user-agents.lua`.
        pub file: Option<Text>,
        /// The suffix that is appended to the gateway's name to form the ConfigMap's name. Default:
        /// `-extensions`.
        pub config_map_suffix: Option<Text>,
    }
}
