//! Text in scripts and dashboards that Flux would replace, and text that makes its substitution fail.

use std::collections::HashSet;

use super::{Applied, Whole};
use crate::codes;
use flux_repo::{DeliveryPath, GeneratedObject, KeyContent, Substitutes, is_left_as_it_is};
use manifest::diagnostic::{Diagnostic, Severity, SourceId, Span};
use manifest::value::pointer::Step;
use manifest::value::{Kind, Node, Pointer, variable};
use manifest::{Object, finding};

/// Checks everything that is applied by Flux Kustomizations with substitution.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for one in whole.all() {
        let Some((flux, given)) = substituting(whole, one.way) else {
            continue;
        };
        if is_left_as_it_is(one.object, one.way) {
            continue;
        }
        let mut at = Pointer::root();
        each_text(&one.object.node, &mut at, &mut |pointer, text| {
            found.extend(in_object(&one, flux, given, pointer, text));
        });
    }
    for generated in whole.delivery.generated() {
        let map = &generated.generator;
        let way = generated.ways.first();
        if map.kind == "Secret" || way.is_some_and(|way| map.is_left_as_it_is(way)) {
            continue;
        }
        found.extend(in_files(whole, generated, way));
    }
    found
}

/// The Flux Kustomization that applies an object, if it substitutes something.
fn substituting<'a>(
    whole: &Whole<'a>,
    way: Option<&DeliveryPath>,
) -> Option<(&'a Object, &'a Substitutes)> {
    whole
        .substitutes(way)
        .filter(|(_, given)| given.is_something())
}

/// Calls `with` for each string that contains `${`.
fn each_text(node: &Node, at: &mut Pointer, with: &mut impl FnMut(&Pointer, &str)) {
    match &node.kind {
        Kind::String(text) if text.contains("${") => with(at, text),
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                at.push(Step::Key(key.to_owned()));
                each_text(value, at, with);
                at.pop();
            }
        }
        Kind::List(items) => {
            for (nth, value) in items.iter().enumerate() {
                at.push(Step::Index(nth));
                each_text(value, at, with);
                at.pop();
            }
        }
        _ => {}
    }
}

fn in_object(
    one: &Applied<'_>,
    flux: &Object,
    given: &Substitutes,
    pointer: &Pointer,
    text: &str,
) -> Option<Diagnostic> {
    let stops = variable::all(text).find(|variable| !variable.is_readable);
    if let Some(stops) = stops {
        return Some(unreadable(
            finding(
                codes::FLUX_UNREADABLE_VARIABLE,
                one.object,
                pointer,
                stops_at(text, stops.at),
            ),
            flux,
        ));
    }
    let name = own(text, given)?;
    let is_lua =
        one.object.kind() == "EnvoyExtensionPolicy" || pointer.to_string().ends_with(".lua");
    Some(replaced(
        finding(
            codes::FLUX_REPLACED_IN_SCRIPT,
            one.object,
            pointer,
            message(name),
        ),
        flux,
        is_lua,
    ))
}

/// What is generated from files.
fn in_files(
    whole: &Whole<'_>,
    generated: &GeneratedObject,
    way: Option<&DeliveryPath>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(by) = whole.objects.get(generated.by) else {
        return found;
    };
    let Some((flux, given)) = substituting(whole, way) else {
        return found;
    };
    for (_, content) in &generated.generator.keys {
        let KeyContent::File(path) = content else {
            continue;
        };
        let Some(source) = whole.texts.get(path) else {
            continue;
        };
        let text = whole.sources.get(*source).text();
        let stops = variable::all(text).find(|variable| !variable.is_readable);
        let one = match (stops, own(text, given)) {
            (Some(stops), _) => {
                let one =
                    Diagnostic::new(codes::FLUX_UNREADABLE_VARIABLE, stops_at(text, stops.at));
                unreadable(placed(one, path, *source, text, stops.at), flux)
            }
            (None, Some(name)) => {
                let at = variable::all(text)
                    .find(|one| one.name == name)
                    .map_or(0, |one| one.at);
                let one = Diagnostic::new(codes::FLUX_REPLACED_IN_SCRIPT, message(name));
                replaced(
                    placed(one, path, *source, text, at),
                    flux,
                    path.ends_with(".lua"),
                )
            }
            (None, None) => continue,
        };
        found.push(one.related(
            by.span(&generated.generator.pointer),
            format!(
                "the ConfigMap {} is made of it here",
                generated.generator.name
            ),
        ));
    }
    found
}

fn placed(one: Diagnostic, path: &str, source: SourceId, text: &str, at: usize) -> Diagnostic {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.find(['}', '\n']).map_or(rest.len(), |end| end + 1);
    one.at(Span::new(source, at, at + end)).in_file(path)
}

/// The beginning of the text that Flux can't parse.
fn stops_at(text: &str, at: usize) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let end = line.find('}').map_or(line.len(), |end| end + 1);
    let shown: String = line.get(..end).unwrap_or(line).chars().take(24).collect();
    format!("Flux can't parse `{shown}`")
}

fn unreadable(one: Diagnostic, flux: &Object) -> Diagnostic {
    let pointer = Pointer::root().key("spec").key("postBuild");
    one.related(flux.span(&pointer), format!("{} substitutes here", flux.name()))
        .why("its substitution fails, so nothing of the Flux Kustomization is applied")
        .help("write `$${` for a literal `${`, or annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled`")
}

fn message(name: &str) -> String {
    format!("Flux replaces ${{{name}}}, which is a variable of the text itself")
}

fn replaced(one: Diagnostic, flux: &Object, is_lua: bool) -> Diagnostic {
    let pointer = Pointer::root().key("spec").key("postBuild");
    let one = one.related(
        flux.span(&pointer),
        format!("{} substitutes here", flux.name()),
    );
    let one = if is_lua {
        one.severity(Severity::Error)
            .why("Envoy runs the script with the value of a Flux variable of that name in its place, or an empty string")
    } else {
        one.why("the applied object has the value of a Flux variable of that name in its place, or an empty string")
    };
    one.help(
        "write `$${…}`, or annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled`",
    )
}

/// A variable that the text itself sets and that Flux has no value for by name, so it is meant for the text.
fn own<'a>(text: &'a str, given: &Substitutes) -> Option<&'a str> {
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
            assert_eq!(own(text, &none), want, "{text}");
        }
        let given = Substitutes {
            given: [("target".to_owned(), String::new())].into(),
            ..none
        };
        assert_eq!(own("target=/x\ncp a ${target}", &given), None);
    }
}
