//! Lua scripts that Envoy Gateway refuses.

use super::lua_calls::wrong_call;
use super::scripts::REFUSED;
use crate::lint::LintContext;
use crate::lint::config::lua;
use crate::lint::front::text;
use manifest::diagnostic::{Diagnostic, Location, SourceId, Sources, Span};
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"lua-script", Error, "A Lua script that Envoy Gateway refuses.",
    r#"
Envoy Gateway checks a script before it sends it to Envoy: it runs each of its functions once, with stand-ins
for Envoy's objects. If the script is not valid Lua, defines neither `envoy_on_request` nor `envoy_on_response`,
or calls a method that doesn't exist, its policy is refused, and every route of the policy's targets answers
with status 500. A name that nothing defines has the same effect; where the check doesn't get, the script
fails when a request does. The check has no `require`, `bit` and `debug`; scripts that need them pass only if the
EnvoyProxy has `luaValidation: InsecureSyntax`.

## Wrong

```yaml
lua:
  - type: Inline
    inline: |
      function on_request(handle) end
```

## Right

```yaml
lua:
  - type: Inline
    inline: |
      function envoy_on_request(handle) end
```
"#
}

/// The functions that Envoy calls. A script has at least one of them.
pub(super) const ENTRIES: [&str; 2] = ["envoy_on_request", "envoy_on_response"];

/// Reports why Envoy Gateway refuses a script. `file` is the file that contains it, if it has one of its own.
pub(crate) fn report(
    object: &Object,
    pointer: &Pointer,
    text: &str,
    file: &str,
    context: &LintContext<'_>,
) -> Option<Diagnostic> {
    let of_file = match file {
        "" => String::new(),
        file => format!(" of {file}"),
    };
    // Flux may fill in anything.
    let plain = variable::replaced(text, "x");
    // Rendered scripts are checked where they are rendered.
    if context.model.is_none() || file.is_empty() {
        let mut sources = Sources::default();
        let id = sources.add(file, plain.as_str());
        if let Some(problem) = lua::check(&sources, id) {
            let place = match problem.span {
                Some(span) => place_of(text, &plain, sources.locate(span)),
                None => String::new(),
            };
            let message = format!("{place}{of_file}: {}", problem.message);
            return Some(
                finding(CODE, object, pointer, message)
                    .why(REFUSED)
                    .help("fix that line; Envoy runs LuaJIT, which is Lua 5.1 with `goto`"),
            );
        }
    }
    if ENTRIES.iter().any(|entry| plain.contains(entry)) {
        let is_rendered = context.model.is_some() && !file.is_empty();
        let wrong = wrong_call(&plain, is_run(context)).filter(|_| !is_rendered)?;
        let mut sources = Sources::default();
        let id = sources.add(file, plain.as_str());
        let span = Span::new(id, wrong.range.start, wrong.range.end);
        let place = place_of(text, &plain, sources.locate(span));
        let message = format!("{place}{of_file}: {}", wrong.message);
        let found = finding(CODE, object, pointer, message);
        return Some(
            found
                .severity(wrong.severity())
                .why(wrong.why())
                .help(wrong.help),
        );
    }
    let [request, response] = ENTRIES;
    let message = format!("the script{of_file} has neither `{request}` nor `{response}`");
    Some(
        finding(CODE, object, pointer, message)
            .why(REFUSED)
            .help(format!(
                "define `function {request}(handle)` or `function {response}(handle)`"
            )),
    )
}

/// Whether Envoy Gateway runs scripts to check them: no EnvoyProxy says otherwise.
fn is_run(context: &LintContext<'_>) -> bool {
    let mut proxies = context.of_kind("gateway.envoyproxy.io", "EnvoyProxy");
    proxies.all(|it| matches!(text(it.object, &["spec", "luaValidation"]), "" | "Strict"))
}

/// Reports a call in a rendered script that can't work, at its place in the script. `is_run` says whether Envoy Gateway
/// runs the script to check it.
pub(crate) fn check_rendered(
    sources: &Sources,
    source: SourceId,
    is_run: bool,
) -> Option<Diagnostic> {
    let wrong = wrong_call(sources.get(source).text(), is_run)?;
    let span = Span::new(source, wrong.range.start, wrong.range.end);
    let (severity, why) = (wrong.severity(), wrong.why());
    let found = Diagnostic::new(CODE, wrong.message).at(span);
    Some(found.severity(severity).why(why).help(wrong.help))
}

/// The line and column of a mistake, and the line itself. If Flux replaces something in the line, the column is not
/// known.
fn place_of(text: &str, plain: &str, place: Location) -> String {
    /// How many characters of a line are shown.
    const SHOWN: usize = 80;
    let line_of = |text: &'_ str| {
        text.split('\n')
            .nth(place.line.saturating_sub(1))
            .map(str::to_owned)
    };
    let written = line_of(text).unwrap_or_default();
    let column = match line_of(plain).is_some_and(|plain| plain == written) {
        true => format!(", column {}", place.column),
        false => String::new(),
    };
    let shown: String = written.trim().chars().take(SHOWN).collect();
    let shown = match shown.len() < written.trim().len() {
        true => format!("{shown}…"),
        false => shown,
    };
    match shown.is_empty() {
        true => format!("line {}{column}", place.line),
        false => format!("line {}{column} (`{shown}`)", place.line),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::reference::scripts::check;
    use crate::lint::support::told;

    fn inline(script: &str) -> Vec<String> {
        let policy = format!(
            "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {{name: x}}
spec: {{lua: [{{type: Inline, inline: \"{script}\"}}]}}
"
        );
        told(check, "1.9.0", &[("a.yaml", &policy)])
    }

    #[test]
    fn inline_scripts_are_read() {
        assert_eq!(inline("function envoy_on_response(h) end"), [""; 0]);
        assert_eq!(
            inline("x = = 1"),
            [
                "error reference/lua-script /spec/lua/0/inline: line 1, column 5 (`x = = 1`): not Lua: expected a \
               value instead of `=`"
            ]
        );
        assert_eq!(
            inline("x = 1"),
            [
                "error reference/lua-script /spec/lua/0/inline: the script has neither `envoy_on_request` nor \
              `envoy_on_response`"
            ]
        );
    }
}
