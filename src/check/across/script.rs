//! Lua in EnvoyExtensionPolicies: whether it is given, can be parsed, and defines a function that Envoy calls.
//!
//! Envoy Gateway takes the key `lua` of the ConfigMap, else any key (`getLuaBodyFromLocalObjectReference`). It
//! requires the name of an entry function in the text, and runs it once to validate it (`internal/gatewayapi`,
//! 1.9.0).

use super::Whole;
use crate::check::lua;
use crate::codes;
use flux_repo::{Generator, KeyContent, is_kustomization};
use manifest::diagnostic::{Diagnostic, Location, Severity, Sources, suggest};
use manifest::value::path::nearest;
use manifest::value::{Kind, Map, Node, Pointer, variable};
use manifest::{Object, finding};

/// The key that Envoy Gateway looks for.
const KEY: &str = "lua";

/// The functions that Envoy calls. A script has at least one of them.
const ENTRIES: [&str; 2] = ["envoy_on_request", "envoy_on_response"];

const REFUSED: &str =
    "Envoy Gateway refuses the policy, and every route of its targets is answered with 500";

/// The given ConfigMaps.
struct Maps<'a> {
    /// The ones that are in manifests.
    given: Vec<&'a Object>,
    /// Those that kustomizations make.
    made: Vec<Made<'a>>,
    /// Whether kustomize may have been configured with more name references than the built-in ones.
    is_taught: bool,
}

/// A ConfigMap that a kustomization makes.
struct Made<'a> {
    maker: &'a Object,
    /// The name that it is applied with, but for the hash.
    name: String,
    map: &'a Generator,
}

fn maps<'a>(whole: &Whole<'a>) -> Maps<'a> {
    let made = whole.delivery.generated().iter();
    let made = made.filter(|it| it.generator.kind == "ConfigMap");
    let made = made.filter_map(|it| Some((whole.objects.get(it.by)?, it)));
    let made = made.flat_map(|(maker, it)| {
        let map = &it.generator;
        it.names().map(move |name| Made { maker, name, map })
    });
    let mut makers = whole.objects.iter().filter(|it| is_kustomization(it));
    let is_map = |it: &&Object| it.kind() == "ConfigMap" && it.group().is_empty();
    Maps {
        given: whole.objects.iter().filter(is_map).collect(),
        made: made.collect(),
        is_taught: makers.any(|it| it.node.get("configurations").is_some()),
    }
}

/// Checks the scripts of policies.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let is_policy =
        |it: &&Object| it.kind() == "EnvoyExtensionPolicy" && it.group() == "gateway.envoyproxy.io";
    let policies: Vec<&Object> = whole.objects.iter().filter(is_policy).collect();
    if policies.is_empty() {
        return Vec::new();
    }
    let maps = maps(whole);
    let mut found = Vec::new();
    for object in policies {
        let list = Pointer::root().key("spec").key("lua");
        let scripts = object
            .node
            .at(&list)
            .and_then(Node::as_list)
            .unwrap_or_default();
        for (at, item) in scripts.iter().enumerate() {
            let pointer = list.index(at);
            if let Some(text) = item.get("inline").and_then(Node::as_str) {
                found.extend(text_of(object, &pointer.key("inline"), text, "", whole));
            }
            let reference = item.get("valueRef");
            if let Some(name) = reference.and_then(|it| it.get("name")?.as_str())
                && !variable::in_text(name)
            {
                let pointer = pointer.key("valueRef").key("name");
                found.extend(referred(whole, &maps, object, &pointer, name));
            }
        }
    }
    found
}

/// Checks the ConfigMap that a policy names.
fn referred(
    whole: &Whole<'_>,
    maps: &Maps<'_>,
    object: &Object,
    pointer: &Pointer,
    name: &str,
) -> Option<Diagnostic> {
    let reaches = |map: &&Object| {
        let (here, there) = (object.namespace(), map.namespace());
        here.is_empty() || there.is_empty() || here == there
    };
    let within = || maps.given.iter().copied().filter(reaches);
    let of_name = within().filter(|map| map.name() == name);
    if let Some(map) = nearest(&object.file, of_name, |map| &map.file).first() {
        return given(whole, object, pointer, map);
    }
    let of_name = maps.made.iter().filter(|made| made.name == name);
    if let Some(made) = nearest(&object.file, of_name, |made| &made.maker.file).first() {
        if made.map.has_hash && !maps.is_taught {
            return Some(hashed(object, pointer, made));
        }
        return generated(whole, object, pointer, made);
    }
    let made = maps.made.iter().map(|made| made.name.as_str());
    let known = within().map(Object::name).chain(made);
    let message = format!("no ConfigMap {name} is in the given files");
    let said = finding(codes::REFERENCE_MISSING_SCRIPT, object, pointer, message)
        .why(format!("if the cluster has none either, {REFUSED}"));
    Some(match suggest::nearest(name, known) {
        Some(meant) => said.help(format!("did you mean `{meant}`?")),
        None => said
            .severity(Severity::Note)
            .help("add it, or a `configMapGenerator` for it, unless something else creates it"),
    })
}

/// kustomize renames the ConfigMap but not the reference, because it doesn't know the policy's kind.
fn hashed(object: &Object, pointer: &Pointer, made: &Made<'_>) -> Diagnostic {
    let message = format!(
        "kustomize adds a hash to the name of ConfigMap {}, but not to this reference",
        made.name
    );
    let name = made.map.pointer.key("name");
    finding(codes::REFERENCE_MISSING_SCRIPT, object, pointer, message)
        .related(made.maker.span(&name), "made here")
        .why(format!(
            "the cluster has no ConfigMap with the plain name: {REFUSED}"
        ))
        .help("add `generatorOptions: {disableNameSuffixHash: true}` to the kustomization")
}

/// Checks a ConfigMap in a manifest.
fn given(
    whole: &Whole<'_>,
    object: &Object,
    pointer: &Pointer,
    map: &Object,
) -> Option<Diagnostic> {
    if map.node.get("sops").is_some() {
        return None;
    }
    let data = match map.node.get("data").map(|data| &data.kind) {
        Some(Kind::Map(data)) => data.clone(),
        _ => Map::default(),
    };
    let keys: Vec<&str> = data.iter().map(|(key, _)| key).collect();
    let key = chosen(object, pointer, map, map.name(), &keys);
    match key {
        Ok(key) => {
            let text = data.get(key)?.as_str()?;
            let at = Pointer::root().key("data").key(key);
            text_of(map, &at, text, "", whole)
        }
        Err(said) => Some(*said),
    }
}

/// Checks a ConfigMap that a kustomization generates.
fn generated(
    whole: &Whole<'_>,
    object: &Object,
    pointer: &Pointer,
    made: &Made<'_>,
) -> Option<Diagnostic> {
    let Made { maker, name, map } = made;
    if !map.env_files.is_empty() {
        return None;
    }
    let keys: Vec<&str> = map.keys.iter().map(|(key, _)| key.as_str()).collect();
    let key = match chosen(object, pointer, maker, name, &keys) {
        Ok(key) => key,
        Err(said) => return Some(*said),
    };
    let (_, content) = map.keys.iter().find(|(known, _)| known == key)?;
    match content {
        KeyContent::Text(text) => text_of(object, pointer, text, "", whole),
        KeyContent::File(file) => text_of(object, pointer, whole.text(file)?, file, whole),
    }
}

/// The key that Envoy Gateway uses.
fn chosen<'k>(
    object: &Object,
    pointer: &Pointer,
    map: &Object,
    name: &str,
    keys: &[&'k str],
) -> Result<&'k str, Box<Diagnostic>> {
    let said = |message: String| {
        finding(codes::REFERENCE_MISSING_SCRIPT, object, pointer, message)
            .related(map.span(&Pointer::root().key("data")), "the ConfigMap")
            .help(format!("put the script under the key `{KEY}`"))
    };
    match keys {
        [only] => Ok(only),
        _ if keys.contains(&KEY) => Ok(KEY),
        [] => Err(Box::new(
            said(format!(
                "ConfigMap {name} has no key `{KEY}`, nor any other"
            ))
            .why(REFUSED),
        )),
        _ => Err(Box::new(
            said(format!(
                "ConfigMap {name} has {} keys, but none is `{KEY}`",
                keys.len()
            ))
            .severity(Severity::Warning)
            .why("Envoy Gateway uses any of them, and not always the same one"),
        )),
    }
}

/// Checks a script. `file` is the file that contains it, if it has one of its own.
fn text_of(
    object: &Object,
    pointer: &Pointer,
    text: &str,
    file: &str,
    whole: &Whole<'_>,
) -> Option<Diagnostic> {
    let of_file = match file {
        "" => String::new(),
        file => format!(" of {file}"),
    };
    // Flux may fill in anything.
    let plain = variable::replaced(text, "x");
    // Rendered scripts are checked where they are rendered.
    if whole.model.is_none() || file.is_empty() {
        let mut sources = Sources::default();
        let id = sources.add(file, plain.as_str());
        if let Some(problem) = lua::check(&sources, id) {
            let place = match problem.span {
                Some(span) => place_of(text, &plain, sources.locate(span)),
                None => String::new(),
            };
            let message = format!("{place}{of_file}: {}", problem.message);
            return Some(
                finding(codes::REFERENCE_LUA_SCRIPT, object, pointer, message)
                    .why(REFUSED)
                    .help("fix that line; Envoy runs LuaJIT, which is Lua 5.1 with `goto`"),
            );
        }
    }
    if ENTRIES.iter().any(|entry| plain.contains(entry)) {
        return None;
    }
    let [request, response] = ENTRIES;
    let message = format!("the script{of_file} has neither `{request}` nor `{response}`");
    Some(
        finding(codes::REFERENCE_LUA_SCRIPT, object, pointer, message)
            .why(REFUSED)
            .help(format!(
                "define `function {request}(handle)` or `function {response}(handle)`"
            )),
    )
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
    use super::super::support::told;
    use super::*;

    const POLICY: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: x, namespace: network}
spec: {lua: [{type: ValueRef, valueRef: {group: '', kind: ConfigMap, name: example-extensions}}]}
";

    const GOOD: &str = "function envoy_on_request(handle)\nend\n";

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

    fn made(generator: &str, script: &str) -> Vec<String> {
        let kustomization = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [policy.yaml]\n{generator}\n"
        );
        let tree = [
            ("app/kustomization.yaml", kustomization.as_str()),
            ("app/policy.yaml", POLICY),
            ("app/resources/a.lua", script),
        ];
        told(check, "1.9.0", &tree)
    }

    fn given(name: &str, data: &str) -> Vec<String> {
        let map = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: network}}\ndata: {data}\n"
        );
        told(check, "1.9.0", &[("a.yaml", POLICY), ("b.yaml", &map)])
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

    #[test]
    fn scripts_that_a_kustomization_puts_into_a_config_map_are_read() {
        let plain = "generatorOptions: {disableNameSuffixHash: true}\n\
                     configMapGenerator: [{name: example-extensions, files: [lua=resources/a.lua]}]";
        assert_eq!(made(plain, GOOD), [""; 0]);
        let broken = made(plain, "if x then\n");
        assert!(
            broken[0].contains("of app/resources/a.lua: not Lua"),
            "{broken:?}"
        );
        let hashed = made(
            "configMapGenerator: [{name: example-extensions, files: [resources/a.lua]}]",
            GOOD,
        );
        assert_eq!(
            hashed,
            [
                "error reference/missing-script /spec/lua/0/valueRef/name: kustomize adds a hash to the name of \
              ConfigMap example-extensions, but not to this reference"
            ]
        );
        let own = "configMapGenerator: [{name: example-extensions, files: [resources/a.lua], options: \
                   {disableNameSuffixHash: true}}]";
        assert_eq!(made(own, GOOD), [""; 0]);
    }

    #[test]
    fn the_key_is_the_one_that_the_controller_takes() {
        let name = "example-extensions";
        assert_eq!(
            given(name, "{any.lua: 'function envoy_on_request(h) end'}"),
            [""; 0]
        );
        assert!(given(name, "{}")[0].contains("has no key `lua`, nor any other"));
        assert!(given(name, "{a: x, b: x}")[0].starts_with("warning"));
        assert_eq!(
            given(name, "{a: x, lua: 'function envoy_on_request(h) end'}"),
            [""; 0]
        );
    }

    #[test]
    fn a_config_map_that_is_not_given_is_an_error_where_its_name_looks_like_a_slip() {
        let told = given("example-extension", "{lua: ''}");
        assert!(
            told[0].starts_with("error reference/missing-script"),
            "{told:?}"
        );
        let told = given("other", "{lua: ''}");
        assert!(
            told[0].starts_with("note reference/missing-script"),
            "{told:?}"
        );
    }
}
