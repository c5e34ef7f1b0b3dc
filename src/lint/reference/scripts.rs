//! The Lua scripts of EnvoyExtensionPolicies, inline or in ConfigMaps.
//!
//! Envoy Gateway takes the key `lua` of the ConfigMap, else any key (`getLuaBodyFromLocalObjectReference`). It
//! requires the name of an entry function in the text, and runs it once to validate it (`internal/gatewayapi`,
//! 1.9.0).

use super::{lua_script, missing_script};
use crate::lint::LintContext;
use flux_repo::{Generator, KeyContent, is_kustomization};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::path::nearest;
use manifest::value::{Kind, Map, Node, Pointer, variable};

/// What happens to a policy whose script can't be used.
pub(crate) const REFUSED: &str =
    "Envoy Gateway refuses the policy, and every route of its targets is answered with 500";

/// The given ConfigMaps.
struct ConfigMaps<'a> {
    /// The ones that are in manifests.
    given: Vec<&'a Object>,
    /// Those that kustomizations make.
    made: Vec<GeneratedMap<'a>>,
    /// Whether kustomize may have been configured with more name references than the built-in ones.
    is_taught: bool,
}

/// A ConfigMap that a kustomization makes.
pub(crate) struct GeneratedMap<'a> {
    /// The kustomization.
    pub maker: &'a Object,
    /// The name that it is applied with, but for the hash.
    pub name: String,
    /// Its generator.
    pub map: &'a Generator,
}

fn config_maps<'a>(context: &LintContext<'a>) -> ConfigMaps<'a> {
    let made = context.delivery.generated().iter();
    let made = made.filter(|it| it.generator.kind == "ConfigMap");
    let made = made.filter_map(|it| Some((context.objects.get(it.by)?, it)));
    let made = made.flat_map(|(maker, it)| {
        let map = &it.generator;
        it.names()
            .map(move |name| GeneratedMap { maker, name, map })
    });
    let mut makers = context.objects.iter().filter(|it| is_kustomization(it));
    let is_map = |it: &&Object| it.kind() == "ConfigMap" && it.group().is_empty();
    ConfigMaps {
        given: context.objects.iter().filter(is_map).collect(),
        made: made.collect(),
        is_taught: makers.any(|it| it.node.get("configurations").is_some()),
    }
}

/// Checks the scripts of policies.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let is_policy =
        |it: &&Object| it.kind() == "EnvoyExtensionPolicy" && it.group() == "gateway.envoyproxy.io";
    let policies: Vec<&Object> = context.objects.iter().filter(is_policy).collect();
    if policies.is_empty() {
        return Vec::new();
    }
    let maps = config_maps(context);
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
                found.extend(lua_script::report(
                    object,
                    &pointer.key("inline"),
                    text,
                    "",
                    context,
                ));
            }
            let reference = item.get("valueRef");
            if let Some(name) = reference.and_then(|it| it.get("name")?.as_str())
                && !variable::in_text(name)
            {
                let pointer = pointer.key("valueRef").key("name");
                found.extend(referred(context, &maps, object, &pointer, name));
            }
        }
    }
    found
}

/// Checks the ConfigMap that a policy names.
fn referred(
    context: &LintContext<'_>,
    maps: &ConfigMaps<'_>,
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
        return given(context, object, pointer, map);
    }
    let of_name = maps.made.iter().filter(|made| made.name == name);
    if let Some(made) = nearest(&object.file, of_name, |made| &made.maker.file).first() {
        if made.map.has_hash && !maps.is_taught {
            return Some(missing_script::report_hashed(object, pointer, made));
        }
        return generated(context, object, pointer, made);
    }
    let made = maps.made.iter().map(|made| made.name.as_str());
    let known = within().map(Object::name).chain(made);
    Some(missing_script::report_absent(object, pointer, name, known))
}

/// Checks a ConfigMap in a manifest.
fn given(
    context: &LintContext<'_>,
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
    let key = missing_script::chosen_key(object, pointer, map, map.name(), &keys);
    match key {
        Ok(key) => {
            let text = data.get(key)?.as_str()?;
            let at = Pointer::root().key("data").key(key);
            lua_script::report(map, &at, text, "", context)
        }
        Err(said) => Some(*said),
    }
}

/// Checks a ConfigMap that a kustomization generates.
fn generated(
    context: &LintContext<'_>,
    object: &Object,
    pointer: &Pointer,
    made: &GeneratedMap<'_>,
) -> Option<Diagnostic> {
    let GeneratedMap { maker, name, map } = made;
    if !map.env_files.is_empty() {
        return None;
    }
    let keys: Vec<&str> = map.keys.iter().map(|(key, _)| key.as_str()).collect();
    let key = match missing_script::chosen_key(object, pointer, maker, name, &keys) {
        Ok(key) => key,
        Err(said) => return Some(*said),
    };
    let (_, content) = map.keys.iter().find(|(known, _)| known == key)?;
    match content {
        KeyContent::Text(text) => lua_script::report(object, pointer, text, "", context),
        KeyContent::File(file) => {
            lua_script::report(object, pointer, context.text(file)?, file, context)
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::check;
    use crate::lint::support::told;

    pub const POLICY: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: x, namespace: network}
spec: {lua: [{type: ValueRef, valueRef: {group: '', kind: ConfigMap, name: example-extensions}}]}
";

    const GOOD: &str = "function envoy_on_request(handle)\nend\n";

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
}
