//! Variables of scripts and dashboards that Flux replaces.

use std::collections::HashSet;

use flux_repo::Substitutes;
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Pointer, variable};

manifest::code! {
    "flux"/"replaced-in-script", Warning, "A variable of a script or dashboard that Flux replaces.",
    r#"
As soon as a Flux Kustomization substitutes variables, Flux replaces `${NAME}` in all texts of its objects,
including scripts and dashboards. This variable is defined by the script or dashboard itself and not intended
for Flux. Flux replaces it with a setting of the same name. If there is none, the substitution fails since
kustomize-controller 1.9, and nothing of the Flux Kustomization is applied; before, the variable becomes an
empty string. Write `$${NAME}`, or disable substitution for the object with the annotation
`kustomize.toolkit.fluxcd.io/substitute: disabled`.

## Wrong

```yaml
kind: ConfigMap
metadata:
  name: backup
data:
  run.sh: |
    target=/backup
    cp -r /data "${target}"
```

## Right

```yaml
kind: ConfigMap
metadata:
  name: backup
  annotations:
    kustomize.toolkit.fluxcd.io/substitute: disabled
data:
  run.sh: |
    target=/backup
    cp -r /data "${target}"
```
"#
}

/// A variable that the text itself sets and that Flux has no value for by name, so it is meant for the text.
pub(crate) fn own_variable<'a>(text: &'a str, given: &Substitutes) -> Option<&'a str> {
    let set = names_set(text);
    variable::all(text)
        .map(|variable| variable.name)
        .find(|name| !given.given.contains_key(*name) && set.holds(name))
}

/// The names of the variables that a text sets.
struct NamesSet<'a> {
    names: HashSet<&'a str>,
    is_dashboard: bool,
}

impl NamesSet<'_> {
    fn holds(&self, name: &str) -> bool {
        self.names.contains(name) || self.is_dashboard && name.starts_with("__")
    }
}

/// The variables that a script sets, or a dashboard declares.
fn names_set(text: &str) -> NamesSet<'_> {
    let is_dashboard = text.contains("\"panels\"") || text.contains("\"templating\"");
    let names = match is_dashboard {
        true => declared(text).collect(),
        false => set_by_lines(text),
    };
    NamesSet {
        names,
        is_dashboard,
    }
}

/// The variables that a dashboard declares: `"name": "NAME"`.
fn declared(text: &str) -> impl Iterator<Item = &str> {
    text.split("\"name\":").skip(1).filter_map(|after| {
        let after = after.strip_prefix(' ').unwrap_or(after);
        let (name, _) = after.strip_prefix('"')?.split_once('"')?;
        Some(name)
    })
}

/// The variables that lines set, except for lines that set a variable to Flux's value of it.
fn set_by_lines(text: &str) -> HashSet<&str> {
    let mut variables = variable::all(text).peekable();
    let mut names = HashSet::new();
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        end += line.len();
        let mut given = Vec::new();
        while let Some(variable) = variables.next_if(|variable| variable.at < end) {
            given.push(variable.name);
        }
        names.extend(set_by(line).filter(|name| !given.contains(name)));
    }
    names
}

/// The variables that a line sets: `name=`, `local name`, `for name in`, `read name` and so on in other languages.
/// There are at most four.
fn set_by(line: &str) -> impl Iterator<Item = &str> {
    const BEFORE: [&str; 9] = [
        "local", "export", "readonly", "declare", "for", "read", "const", "let", "var",
    ];
    let mut words = line
        .split(|c: char| c.is_whitespace() || c == ';' || c == ',')
        .filter(|word| !word.is_empty())
        .peekable();
    let is_after = words.next_if(|first| BEFORE.contains(first)).is_some();
    let most = if is_after { 4 } else { 1 };
    words
        .take(most)
        .filter_map(move |word| match word.split_once('=') {
            Some((name, rest)) => (!rest.starts_with('=')).then_some(name),
            None => is_after.then_some(word),
        })
}

/// Says which variable is replaced.
pub(crate) fn message(name: &str) -> String {
    format!("Flux replaces ${{{name}}}, which is a variable of the text itself")
}

/// Adds the consequences and what to do about it. `flux` is the Flux Kustomization that substitutes.
pub(crate) fn explained(one: Diagnostic, flux: &Object, is_lua: bool) -> Diagnostic {
    let pointer = Pointer::root().key("spec").key("postBuild");
    let one = one.related(
        flux.span(&pointer),
        format!("{} substitutes here", flux.name()),
    );
    let one = if is_lua {
        one.severity(Severity::Error)
            .why("if Flux has no variable of that name, nothing of the Flux Kustomization is applied (before kustomize-controller 1.9: Envoy runs the script with an empty string in its place)")
    } else {
        one.why("if Flux has no variable of that name, nothing of the Flux Kustomization is applied (before kustomize-controller 1.9: the text has an empty string in its place)")
    };
    one.help(
        "write `$${…}`, or annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_texts_own_variables_are_those_that_it_sets() {
        let none = Substitutes::default();
        for (text, want) in [
            ("target=/x\ncp a ${target}", Some("target")),
            ("  local a, name = 1, 2\nreturn \"${name}\"", Some("name")),
            ("for f in *; do\n echo ${f}\ndone", Some("f")),
            ("read -r line\necho ${line}", Some("line")),
            ("echo ${SECRET_DOMAIN}\n", None),
            ("host: ${A}\nb: A=1", None),
            ("DOMAIN=${DOMAIN}\nURL=https://${DOMAIN}", None),
            ("export DOMAIN=\"${DOMAIN}\"\necho ${DOMAIN}", None),
            ("${target}=1", None),
            (
                "{\"panels\": [{\"expr\": \"x[${__range}]\"}]}",
                Some("__range"),
            ),
            (
                "{\"panels\": [], \"__inputs\": [{\"name\": \"DS_X\"}], \"a\": \"${DS_X}\"}",
                Some("DS_X"),
            ),
            ("{\"panels\": [], \"a\": \"${DOMAIN}\"}", None),
        ] {
            assert_eq!(own_variable(text, &none), want, "{text}");
        }
        let given = Substitutes {
            given: [("target".to_owned(), String::new())].into(),
            ..none
        };
        assert_eq!(own_variable("target=/x\ncp a ${target}", &given), None);
    }
}
