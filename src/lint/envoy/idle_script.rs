//! Lua scripts whose functions Envoy never calls.

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"idle-script", Warning, "A Lua script without a function that Envoy calls.",
    r#"
Envoy calls the global functions `envoy_on_request` and `envoy_on_response` of a script. A function with another name,
or one that is `local`, is never called. Envoy Gateway only looks for these names anywhere in the text, so it accepts
the policy, and the script does nothing.

## Wrong

```lua
local function envoy_on_request(handle)
  handle:headers():add("x-tier", "front")
end
```

## Right

```lua
function envoy_on_request(handle)
  handle:headers():add("x-tier", "front")
end
```
"#
}

/// The functions that Envoy calls.
const HOOKS: [&str; 2] = ["envoy_on_request", "envoy_on_response"];

/// What may define a global in another way than by its name.
const OTHERWISE: [&str; 5] = ["_G", "setfenv", "rawset", "load", "require"];

/// Reports inline scripts in which no hook is defined.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let policies = context.of_kind(ENVOY_GATEWAY, "EnvoyExtensionPolicy");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in policies.flat_map(|policy| idle(policy.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn idle(policy: &Object) -> Vec<Diagnostic> {
    let place = Pointer::root().key("spec").key("lua");
    let scripts = list(&policy.node, &["spec", "lua"]).iter().enumerate();
    let found = scripts.filter_map(|(at, script)| {
        let code = text(script, &["inline"])?;
        // Without the names, Envoy Gateway refuses the policy, which is another finding.
        let is_named = HOOKS.iter().any(|hook| code.contains(hook));
        let is_open = OTHERWISE.iter().any(|word| code.contains(word)) || variable::in_text(code);
        if !is_named || is_open || HOOKS.iter().any(|hook| defines(code, hook)) {
            return None;
        }
        let is_local = HOOKS
            .iter()
            .any(|hook| code.contains(&format!("local function {hook}(")));
        let (message, help) = match is_local {
            true => ("the function of the script is `local`", "remove `local`"),
            false => (
                "the script has no global function `envoy_on_request` or `envoy_on_response`",
                "call the function `envoy_on_request` or `envoy_on_response`",
            ),
        };
        let place = place.index(at).key("inline");
        Some(
            finding(CODE, policy, &place, message)
                .why("Envoy never calls it, so requests pass as if there were no script")
                .help(help),
        )
    });
    found.collect()
}

/// Whether a script defines a global function, by `function NAME` or by `NAME =`.
fn defines(code: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let (Some(before), Some(after)) = (code.get(..at), code.get(at + name.len()..)) else {
            return false;
        };
        let line = before.rsplit('\n').next().unwrap_or_default();
        if before.ends_with(is_part) || after.starts_with(is_part) || line.contains("--") {
            return false;
        }
        let mut words = before.split_whitespace().rev();
        let (last, earlier) = (words.next(), words.next());
        let is_function = last == Some("function") && earlier != Some("local");
        let after = after.trim_start();
        let is_value = after.starts_with('=') && !after.starts_with("==") && last != Some("local");
        is_function || is_value
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_script_has_a_function_that_envoy_calls() {
        let says = |code: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {{name: a, namespace: network}}
spec: {{lua: [{{type: Inline, inline: '{code}'}}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let place = "warning envoy/idle-script /spec/lua/0/inline: ";
        assert_eq!(says("function envoy_on_request(h) end"), [""; 0]);
        assert_eq!(says("envoy_on_response = function(h) end"), [""; 0]);
        assert_eq!(says("_G[name] = 1 -- envoy_on_request"), [""; 0]);
        assert_eq!(
            says("local function envoy_on_request(h) end"),
            [format!("{place}the function of the script is `local`")]
        );
        assert_eq!(
            says("function envoy_on_requests(h) end"),
            [format!(
                "{place}the script has no global function `envoy_on_request` or `envoy_on_response`"
            )]
        );
    }
}
