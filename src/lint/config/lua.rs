//! Checks that Envoy's LuaJIT can load a Lua script.

use manifest::diagnostic::{Diagnostic, SourceId, Sources, Span};

manifest::code! {
    "config"/"lua", Error, "A Lua script that can't be parsed.",
    r#"
A Lua script can't be parsed. Envoy would refuse it, and a failing Lua policy makes every route of its target
answer with status 500. So a single missing `end` breaks everything that the gateway serves.

## Wrong

```lua
function envoy_on_request(request_handle)
  if request_handle:headers():get("x-block") then
    request_handle:respond({[":status"] = "403"}, "")
end
```

## Right

```lua
function envoy_on_request(request_handle)
  if request_handle:headers():get("x-block") then
    request_handle:respond({[":status"] = "403"}, "")
  end
end
```

To block user agents, you don't need a script: `[lua] block_user_agents = ["GPTBot"]`.
"#
}

/// Reports why a script can't be loaded.
pub fn check(sources: &Sources, source: SourceId) -> Option<Diagnostic> {
    let refusal = luajit_syntax::check(sources.get(source).text()).err()?;
    let message = format!("not Lua: {}", refusal.message);
    let span = Span::new(source, refusal.range.start, refusal.range.end);
    let found = Diagnostic::new(CODE, message)
        .at(span)
        .why("Envoy can't load the script, so every request to its gateways is answered with 500")
        .help("fix the script at this place; Envoy runs LuaJIT, which is Lua 5.1 with `goto`");
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(usize, usize, String)> {
        let mut sources = Sources::default();
        let id = sources.add("x.lua", text);
        let problem = check(&sources, id)?;
        let place = problem.span.map(|span| sources.locate(span))?;
        Some((place.line, place.column, problem.message))
    }

    #[test]
    fn a_script_that_envoy_loads_is_left_alone() {
        assert_eq!(found("goto a\n::a::\nlocal x = 0xffULL"), None);
    }

    #[test]
    fn the_first_mistake_is_told_with_its_place() {
        let script = "function envoy_on_request(handle)\n  local x = = 1\nend\n";
        let told = "not Lua: expected a value instead of `=`".to_owned();
        assert_eq!(found(script), Some((2, 13, told)));
    }
}
