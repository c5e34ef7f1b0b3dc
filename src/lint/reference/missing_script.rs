//! ConfigMaps for Lua scripts, or their keys, that don't exist.

use super::scripts::{GeneratedMap, REFUSED};
use manifest::diagnostic::{Diagnostic, Severity, suggest};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "reference"/"missing-script", Error, "A ConfigMap for a Lua script, or its key, that doesn't exist.",
    r#"
An EnvoyExtensionPolicy reads its Lua script from a ConfigMap that doesn't exist, or that has no suitable key.
Envoy Gateway refuses the policy, and every route of its targets answers with status 500.

kustomize appends a hash to the names of the ConfigMaps that it generates, and updates references in the kinds
that it knows. It doesn't know EnvoyExtensionPolicy, so the hash must be disabled. Envoy Gateway uses the key
`lua`, or else any key.

## Wrong

```yaml
configMapGenerator:
  - name: envoy-external-extensions
    files: [resources/block-user-agents.lua]
```

## Right

```yaml
configMapGenerator:
  - name: envoy-external-extensions
    files: [resources/block-user-agents.lua]
generatorOptions:
  disableNameSuffixHash: true
```
"#
}

/// The key that Envoy Gateway looks for.
const KEY: &str = "lua";

/// Reports a ConfigMap that is not given. `known` are the names of those that are.
pub(crate) fn report_absent<'n>(
    object: &Object,
    pointer: &Pointer,
    name: &str,
    known: impl Iterator<Item = &'n str>,
) -> Diagnostic {
    let message = format!("no ConfigMap {name} is in the given files");
    let said = finding(CODE, object, pointer, message)
        .why(format!("if the cluster has none either, {REFUSED}"));
    match suggest::nearest(name, known) {
        Some(meant) => said.help(format!("did you mean `{meant}`?")),
        None => said
            .severity(Severity::Note)
            .help("add it, or a `configMapGenerator` for it, unless something else creates it"),
    }
}

/// Reports a ConfigMap with a hash in its name: kustomize renames the ConfigMap but not the reference, because it doesn't know the policy's kind.
pub(crate) fn report_hashed(
    object: &Object,
    pointer: &Pointer,
    made: &GeneratedMap<'_>,
) -> Diagnostic {
    let message = format!(
        "kustomize adds a hash to the name of ConfigMap {}, but not to this reference",
        made.name
    );
    let name = made.map.pointer.key("name");
    finding(CODE, object, pointer, message)
        .related(made.maker.span(&name), "made here")
        .why(format!(
            "the cluster has no ConfigMap with the plain name: {REFUSED}"
        ))
        .help("add `generatorOptions: {disableNameSuffixHash: true}` to the kustomization")
}

/// The key that Envoy Gateway uses, or the finding that there is none.
pub(crate) fn chosen_key<'k>(
    object: &Object,
    pointer: &Pointer,
    map: &Object,
    name: &str,
    keys: &[&'k str],
) -> Result<&'k str, Box<Diagnostic>> {
    let said = |message: String| {
        finding(CODE, object, pointer, message)
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

#[cfg(test)]
mod tests {
    use crate::lint::reference::scripts::check;
    use crate::lint::reference::scripts::tests::POLICY;
    use crate::lint::support::told;

    fn given(name: &str, data: &str) -> Vec<String> {
        let map = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: network}}\ndata: {data}\n"
        );
        told(check, "1.9.0", &[("a.yaml", POLICY), ("b.yaml", &map)])
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
    fn a_config_map_that_is_not_at_hand_is_an_error_where_its_name_looks_like_a_slip() {
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
