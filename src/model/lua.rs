//! Lua scripts that run on every request.

use serde::Serialize;

use super::ObjectInput;
use super::gateway::Gateway;
use super::names::{self, Rule};
use super::route::chosen;
use crate::config::codes;
use crate::config::{Cluster, Count, Text};
use manifest::diagnostic::{Diagnostic, Spanned};

/// The script and the policies that run it.
#[derive(Clone, Debug)]
pub struct Lua {
    /// The source of the script.
    pub script: Script,
    /// The script's file name in `resources/`.
    pub file: Text,
    /// The EnvoyExtensionPolicies, one for each gateway.
    pub policies: Vec<ObjectInput<LuaPolicy>>,
}

/// The source of the Lua script.
#[derive(Clone, Debug)]
pub enum Script {
    /// The script is rendered from the template that blocks user agents.
    Block(BlockUserAgents),
    /// The script is a file of the user, relative to `cluster.toml`.
    File(Text),
}

/// The values for the template of the script that blocks user agents.
#[derive(Clone, Debug, Serialize)]
pub struct BlockUserAgents {
    /// Texts that a blocked `User-Agent` contains.
    pub patterns: Vec<Text>,
    /// The HTTP status of the response to a blocked request.
    pub status: Spanned<Count>,
}

/// The values for the template of an EnvoyExtensionPolicy that runs Lua.
#[derive(Clone, Debug, Serialize)]
pub struct LuaPolicy {
    /// The name of the policy, which is the gateway's name.
    pub name: Text,
    /// The name of the ConfigMap with the script.
    pub config_map: Text,
}

/// Builds the script and its policies, if `[lua]` is given.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Option<Lua> {
    let table = cluster.lua.as_ref()?;
    if let (Some(script), true) = (&table.script, table.block_user_agents.is_given()) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "`script` and `block_user_agents` are both given",
            )
            .at(table.block_user_agents.span)
            .related(script.span, "the script")
            .why("the list is turned into a script, and a gateway runs only one script")
            .help("keep one of them; your own script can contain the list"),
        );
    }
    let default_file = |name: &str| Spanned::unwritten(name.to_owned());
    let (script, file) = match &table.script {
        Some(path) => {
            names::check_path("a script", path, problems);
            let last = path.rsplit('/').next().unwrap_or_default();
            (Script::File(path.clone()), path.with(last.to_owned()))
        }
        None => (
            Script::Block(block(table, problems)),
            default_file("block-user-agents.lua"),
        ),
    };
    let file = table.file.clone().unwrap_or(file);
    names::check_file("a script's file name", &file, &[".lua"], problems);
    let suffix = table.config_map_suffix.clone();
    let suffix = suffix.unwrap_or_else(|| default_file("-extensions"));
    let policies = chosen(gateways, &table.gateways, problems)
        .into_iter()
        .map(|gateway| {
            let config_map = gateway.with(format!("{}{}", gateway.value, suffix.value));
            names::check(
                Rule::Subdomain,
                "a ConfigMap's name",
                &match suffix.span {
                    Some(_) => suffix.with(config_map.value.clone()),
                    None => config_map.clone(),
                },
                problems,
            );
            ObjectInput {
                values: LuaPolicy {
                    name: gateway,
                    config_map,
                },
                overlay: table.overlay(),
            }
        });
    Some(Lua {
        policies: policies.collect(),
        script,
        file,
    })
}

fn block(table: &crate::config::lua::Lua, problems: &mut Vec<Diagnostic>) -> BlockUserAgents {
    if table.block_user_agents.is_empty() {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                "[lua] has neither `block_user_agents` nor `script`",
            )
            .at(table.block_user_agents.span)
            .why("each gateway would run a script that does nothing")
            .help("add `block_user_agents = [\"GPTBot\"]` or `script = \"my.lua\"`"),
        );
    }
    for pattern in table
        .block_user_agents
        .iter()
        .filter(|pattern| pattern.is_empty())
    {
        problems.push(
            Diagnostic::new(codes::CONFIG_INVALID_VALUE, "an empty user agent")
                .at(pattern.span)
                .why("every user agent contains the empty text, so all requests would be blocked")
                .help("remove it"),
        );
    }
    let status = table
        .status
        .clone()
        .unwrap_or(Spanned::unwritten(Count::Number(403)));
    if !matches!(status.value, Count::Number(200..=599)) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                "the status of a blocked request must be between 200 and 599",
            )
            .at(status.span)
            .why("clients understand no other status")
            .help("write 403 (forbidden) or 404 (not found)"),
        );
    }
    BlockUserAgents {
        patterns: table.block_user_agents.to_vec(),
        status,
    }
}
