//! Lua on every request.

use serde::Serialize;

use super::Laid;
use super::gateway::Gateway;
use super::names::{self, Rule};
use super::route::chosen;
use crate::codes;
use crate::config::{Cluster, Count, Text};
use manifest::diagnostic::{Diagnostic, Spanned};

/// The script, and the policies that run it.
#[derive(Clone, Debug)]
pub struct Lua {
    /// The script.
    pub script: Script,
    /// The script's file name in `resources/`.
    pub file: Text,
    /// One policy for each gateway.
    pub policies: Vec<Laid<LuaPolicy>>,
}

/// Where the script comes from.
#[derive(Clone, Debug)]
pub enum Script {
    /// From a template.
    Block(BlockUserAgents),
    /// From a file, relative to `cluster.toml`.
    File(Text),
}

/// User-agent blocking, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct BlockUserAgents {
    /// Texts that a blocked `User-Agent` holds.
    pub patterns: Vec<Text>,
    /// The status of a blocked request.
    pub status: Spanned<Count>,
}

/// An EnvoyExtensionPolicy, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct LuaPolicy {
    /// Its name: the gateway's.
    pub name: Text,
    /// The ConfigMap with the script.
    pub config_map: Text,
}

/// The script and its policies, where `[lua]` is given.
pub fn build(
    cluster: &Cluster,
    gateways: &[Laid<Gateway>],
    problems: &mut Vec<Diagnostic>,
) -> Option<Lua> {
    let table = cluster.lua.as_ref()?;
    if let (Some(script), true) = (&table.script, table.block_user_agents.is_given()) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "a script of your own, and a list of user agents",
            )
            .at(table.block_user_agents.span)
            .related(script.span, "the script")
            .why("the list is made into a script; a gateway runs one of the two")
            .help("keep one; a script of your own can hold the list itself"),
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
            Laid {
                of: LuaPolicy {
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
            Diagnostic::new(codes::CONFIG_MISSING_KEY, "[lua] has nothing to run")
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
                .why("every user agent holds the empty text: all requests would be blocked")
                .help("take it out"),
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
                "a blocked request needs a status from 200 to 599",
            )
            .at(status.span)
            .why("Envoy would answer nothing that a client understands")
            .help("write 403 (forbidden) or 404 (not found)"),
        );
    }
    BlockUserAgents {
        patterns: table.block_user_agents.to_vec(),
        status,
    }
}
