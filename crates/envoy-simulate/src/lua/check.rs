//! How Envoy Gateway checks a script before it sends it to Envoy: it runs each of its entry functions once with stand-ins
//! for Envoy's objects (`internal/gatewayapi/luavalidator`, 1.9.0). If one ends with an error, the policy is refused.
//!
//! The controller uses another Lua than Envoy. What only one of them has is not known here, and not held against a script.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, Value};

use super::runner::{Job, NotRun, Runner};
use super::sandbox::{Facts, Run, Verdict, failed, memory_limit, prepared};
use super::state::{State, StopReason};
use envoy_gateway::index::Key;
use envoy_gateway::read::{list, text};
use manifest::Object;
use manifest::value::{Node, variable};

/// The stand-ins.
const STAND_INS: &str = include_str!("stand_ins.lua");

/// The functions that Envoy calls.
const ENTRIES: [&str; 2] = ["envoy_on_request", "envoy_on_response"];

/// Checks a script.
pub(super) fn check(script: &str, most_steps: u64) -> Run {
    let state = Rc::new(State::new(&Facts::default(), most_steps));
    let entries = ENTRIES.iter().filter(|entry| script.contains(**entry));
    let verdicts = entries.map(|entry| verdict(script, entry, &state));
    let passes = || Verdict::Passes {
        changed: Vec::new(),
    };
    let verdict = verdicts.fold(passes(), |first, next| match first {
        Verdict::Passes { .. } => next,
        first => first,
    });
    Run {
        verdict,
        logs: Vec::new(),
        headers: Vec::new(),
        steps: state.steps(),
    }
}

fn verdict(script: &str, entry: &str, state: &Rc<State>) -> Verdict {
    let ended = run(script, entry, state);
    match (state.ended(), ended) {
        (Some(StopReason::Memory), _) => Verdict::Limit(memory_limit()),
        (Some(StopReason::Steps), _) => Verdict::Limit("steps".to_owned()),
        (Some(StopReason::Unknown(what)), _) => Verdict::Unknown(what),
        (_, Ok(())) => Verdict::Passes {
            changed: Vec::new(),
        },
        (_, Err(error)) => failed(&error).unwrap_or_else(Verdict::Fails),
    }
}

fn run(script: &str, entry: &str, state: &Rc<State>) -> mlua::Result<()> {
    let lua: Lua = prepared(state)?;
    // The sandbox withholds nothing that the stand-ins need.
    let handle: Value = lua.load(STAND_INS).set_name("=stand-ins").eval()?;
    // The controller's Lua (gopher-lua) has no library for bits, so it refuses scripts that Envoy could run.
    lua.globals().set("bit", Value::Nil)?;
    let chunk = lua.load(script).set_name("=script");
    chunk
        .set_mode(ChunkMode::Text)
        .into_function()?
        .call::<()>(())?;
    match lua.globals().get::<Value>(entry)? {
        Value::Function(function) => Function::call::<()>(&function, handle),
        _ => Err(mlua::Error::runtime(format!(
            "`{entry}` is no global function"
        ))),
    }
}

/// The scripts of the policies among objects that the controller refuses because they fail when it runs them, each with
/// the error.
///
/// # Errors
/// If a script can't be run at all.
pub fn refused_scripts(
    objects: &[Object],
    runner: &dyn Runner,
) -> Result<BTreeMap<String, String>, NotRun> {
    let mut refused = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (name, script) in scripts(objects) {
        // What isn't Lua is refused before it is run.
        let is_plain = !variable::in_text(script) && luajit_syntax::check(script).is_ok();
        if !is_plain || !seen.insert(script) {
            continue;
        }
        let run = runner.run(&Job {
            name,
            script: script.to_owned(),
            facts: Facts::default(),
            is_check: true,
        })?;
        if let Verdict::Fails(why) = run.verdict {
            refused.insert(script.to_owned(), why);
        }
    }
    Ok(refused)
}

/// The scripts of all policies, inline and in ConfigMaps, each with a name for messages.
fn scripts(objects: &[Object]) -> Vec<(String, &str)> {
    let policies = objects
        .iter()
        .filter(|it| it.kind() == "EnvoyExtensionPolicy");
    let mut all = Vec::new();
    for policy in policies {
        for script in list(&policy.node, &["spec", "lua"]) {
            let name = || format!("`lua` of {} {},", policy.kind(), Key::of(policy));
            all.extend(text(script, &["inline"]).map(|it| (name(), it)));
            let Some(map) = text(script, &["valueRef", "name"]) else {
                continue;
            };
            let is_map = |it: &&Object| {
                it.kind() == "ConfigMap" && it.name() == map && it.namespace() == policy.namespace()
            };
            let maps = objects.iter().filter(is_map);
            let data = maps.filter_map(|it| it.node.get("data").and_then(Node::as_map));
            let texts = data.flat_map(|it| it.iter().filter_map(|(_, value)| value.as_str()));
            all.extend(texts.map(|it| (name(), it)));
        }
    }
    all
}
