//! Checks the settings of EnvoyExtensionPolicies.

use super::client::check_data;
use super::{Content, lacking};
use crate::Resolver;
use crate::fault::{Fault, Faults};
use crate::grant::ReferenceGrantFrom;
use crate::index::{ENVOY_GATEWAY, Key};
use crate::read::{list, text};
use crate::view::GatewayId;
use manifest::Object;
use manifest::value::{Map, Node};

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
            faults.keep(
                resolver
                    .secret(from, reference)
                    .map_err(|fault| fault.at("wasm")),
            );
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
                faults.keep(check_script(resolver, owner, script).map_err(|fault| fault.at("lua")));
            }
        }
        let owner = content.owner(&["extProc"]);
        for processor in list(spec, &["extProc"]) {
            let found = resolver.check_services(owner, list(processor, &["backendRefs"]), *gateway);
            faults.keep(found.map_err(|fault| fault.at("extProc")));
        }
        check_modules(resolver, spec, *gateway, faults);
    }
}

/// Whether the ConfigMap of a script contains one: under `lua`, else under any key.
fn check_script(resolver: &Resolver<'_, '_>, owner: &Object, script: &Node) -> Result<(), Fault> {
    let Some(reference) = script.get("valueRef") else {
        return Ok(());
    };
    let key = Key {
        namespace: owner.namespace(),
        name: text(reference, &["name"]).unwrap_or_default(),
    };
    let object = resolver.index.find("ConfigMap", key, Fault::invalid)?;
    let data = object.node.get("data").and_then(Node::as_map);
    match data.is_none_or(Map::is_empty) {
        true => Err(Fault::invalid(format!(
            "ConfigMap {key} contains no script (`lua`)"
        ))),
        false => Ok(()),
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
        if !registered
            .iter()
            .any(|it| text(it, &["name"]) == Some(name))
        {
            let message = format!(
                "dynamicModule: the EnvoyProxy registers no module `{name}` (`dynamicModules`)"
            );
            faults.push(lacking(resolver, gateway, message));
        }
    }
}
