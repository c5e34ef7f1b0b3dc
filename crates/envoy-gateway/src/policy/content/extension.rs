//! Checks the settings of EnvoyExtensionPolicies.

use super::client::check_data;
use super::units::check_durations;
use super::{Content, lacking};
use crate::Resolver;
use crate::fault::{Fault, Faults};
use crate::grant::ReferenceGrantFrom;
use crate::index::{ENVOY_GATEWAY, Key};
use crate::read::{has, list, text};
use crate::tls::data;
use crate::view::GatewayId;
use manifest::Object;
use manifest::value::{Node, variable};

/// The key of a Secret with which images are pulled.
const PULL_SECRET_KEY: &str = ".dockerconfigjson";

pub(crate) fn check<'a>(
    resolver: &mut Resolver<'a, '_>,
    content: &Content<'a, '_>,
    faults: &mut Faults,
) {
    let spec = content.spec;
    let owner = content.owner(&["wasm"]);
    let from = ReferenceGrantFrom {
        group: ENVOY_GATEWAY,
        kind: "EnvoyExtensionPolicy",
        namespace: owner.namespace(),
    };
    for wasm in list(spec, &["wasm"]) {
        for source in ["http", "image"] {
            if let Some(reference) = wasm.path(&["code", source, "tls", "caCertificateRef"]) {
                faults.keep(
                    check_data(resolver, from, reference, &["ca.crt"])
                        .map_err(|fault| fault.at("wasm")),
                );
            }
        }
        if let Some(reference) = wasm.path(&["code", "image", "pullSecretRef"]) {
            let found = resolver.secret(from, reference).and_then(|secret| {
                match data(secret, PULL_SECRET_KEY) {
                    Some(_) => Ok(()),
                    None => Err(Fault::invalid(format!(
                        "Secret {} has no `{PULL_SECRET_KEY}`",
                        Key::of(secret)
                    ))),
                }
            });
            faults.keep(found.map_err(|fault| fault.at("wasm")));
        }
    }
    for gateway in content.gateways {
        let scripts = list(spec, &["lua"]);
        let owner = content.owner(&["lua"]);
        if !scripts.is_empty() && !resolver.settings.features_for(Some(owner)).lua {
            faults.push(Fault::invalid(
                "lua: the controller's configuration doesn't enable it (`enableLua`)",
            ));
        } else {
            for script in scripts {
                let found = check_script(resolver, owner, script, *gateway);
                faults.keep(found.map_err(|fault| fault.at("lua")));
            }
        }
        let owner = content.owner(&["extProc"]);
        for processor in list(spec, &["extProc"]) {
            let found = resolver.check_services(owner, list(processor, &["backendRefs"]), *gateway);
            faults.keep(found.map_err(|fault| fault.at("extProc")));
            check_durations(processor, &[&["messageTimeout"]], faults);
            check_settings(processor, faults);
        }
        check_modules(resolver, spec, *gateway, faults);
    }
}

/// Checks a script: it must be there, name a function that Envoy calls, be Lua, and not be among those that fail when the
/// controller runs them.
fn check_script(
    resolver: &Resolver<'_, '_>,
    owner: &Object,
    script: &Node,
    gateway: GatewayId,
) -> Result<(), Fault> {
    let is_inline = text(script, &["type"]) != Some("ValueRef");
    let text = match script.get("valueRef").filter(|_| !is_inline) {
        None => text(script, &["inline"]),
        Some(reference) => script_of(resolver, owner, reference)?,
    };
    let is_read = |text: &&str| resolver.settings.reads_scripts && !variable::in_text(text);
    let Some(text) = text.filter(is_read) else {
        return Ok(());
    };
    if !ENTRIES.iter().any(|entry| text.contains(entry)) {
        return Err(Fault::invalid(format!(
            "the script defines neither `{}` nor `{}`",
            ENTRIES[0], ENTRIES[1]
        )));
    }
    let gateway = resolver.view.gateway(gateway);
    let settings = gateway.and_then(|it| it.infra.settings.as_ref());
    let validation = settings.and_then(|it| it.get("luaValidation")?.as_str());
    if validation == Some("Disabled") {
        return Ok(());
    }
    match luajit_syntax::check(text) {
        Ok(_) => {
            let refused = resolver.settings.refused_scripts.get(text);
            match refused.filter(|_| validation.is_none_or(|it| it == "Strict")) {
                Some(why) => Err(Fault::invalid(format!(
                    "the script fails when the controller runs it: {why}"
                ))),
                None => Ok(()),
            }
        }
        Err(refusal) => {
            let (line, _) = luajit_syntax::line_and_column(text, refusal.range.start);
            let message = format!("line {line} is not Lua: {}", refusal.message);
            Err(Fault::invalid(message))
        }
    }
}

/// The functions that Envoy calls. A script has at least one of them.
const ENTRIES: [&str; 2] = ["envoy_on_request", "envoy_on_response"];

/// The script in a ConfigMap: under `lua`, else under its only key. `None` if the controller takes any of several.
fn script_of<'a>(
    resolver: &Resolver<'a, '_>,
    owner: &Object,
    reference: &Node,
) -> Result<Option<&'a str>, Fault> {
    let key = Key {
        namespace: owner.namespace(),
        name: text(reference, &["name"]).unwrap_or_default(),
    };
    let object = resolver.index.find("ConfigMap", key, Fault::invalid)?;
    let data = object.node.get("data").and_then(Node::as_map);
    let Some(data) = data.filter(|data| !data.is_empty()) else {
        return Err(Fault::invalid(format!(
            "ConfigMap {key} contains no script (`lua`)"
        )));
    };
    let only = data.iter().next().filter(|_| data.len() == 1);
    Ok(data
        .get("lua")
        .or(only.map(|(_, value)| value))
        .and_then(Node::as_str))
}

/// Checks the settings for the backends of an external service.
pub(super) fn check_settings(service: &Node, faults: &mut Faults) {
    if let Some(settings) = service.get("backendSettings") {
        super::cluster::check(settings, faults);
    }
}

/// Checks that the EnvoyProxy registers the dynamic modules by these names.
fn check_modules(
    resolver: &Resolver<'_, '_>,
    spec: &Node,
    gateway: GatewayId,
    faults: &mut Faults,
) {
    let settings = resolver
        .view
        .gateway(gateway)
        .and_then(|it| it.infra.settings.as_ref());
    let registered = settings.map_or(&[][..], |it| list(it, &["dynamicModules"]));
    for module in list(spec, &["dynamicModule"]) {
        let name = text(module, &["name"]).unwrap_or_default();
        let entry = registered
            .iter()
            .find(|it| text(it, &["name"]) == Some(name));
        if let Some(source) = entry.and_then(|it| it.get("source")) {
            faults.keep(check_source(source).map_err(|fault| fault.at(name)));
        }
        if entry.is_none() {
            let message = format!(
                "dynamicModule: the EnvoyProxy registers no module `{name}` (`dynamicModules`)"
            );
            faults.push(lacking(resolver, gateway, message));
        }
    }
}

/// Whether the source of a dynamic module is complete.
fn check_source(source: &Node) -> Result<(), Fault> {
    if text(source, &["type"]) != Some("Remote") {
        return match has(source, &["local"]) {
            true => Ok(()),
            false => Err(Fault::invalid("the module's source has no `local`")),
        };
    }
    let url = text(source, &["remote", "url"]).unwrap_or_default();
    let is_web = url.starts_with("http://") || url.starts_with("https://");
    match is_web && has(source, &["remote", "sha256"]) {
        true => Ok(()),
        false => Err(Fault::invalid(
            "the module's source needs `remote.url` (HTTP or HTTPS) and `remote.sha256`",
        )),
    }
}
