//! Flux variables in objects that Flux applies without substitution.

use super::Whole;
use crate::codes;
use flux_repo::{Delivery, is_flux_kustomization, may_patch};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Kind, Node, Pointer, pointer::Step, variable};

/// The groups in whose objects a `${…}` is never meant literally: it is in a name, a hostname or an address.
const GROUPS: [&str; 4] = [
    "gateway.networking.k8s.io",
    "gateway.envoyproxy.io",
    "cert-manager.io",
    "cilium.io",
];

/// Reports objects with variables that are applied by Flux Kustomizations without `postBuild`.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for one in whole.all() {
        let Some(at) = one.way.and_then(|way| way.flux) else {
            continue;
        };
        let Some((flux, substitutes)) = whole.substitutes(one.way) else {
            continue;
        };
        if !GROUPS.contains(&one.object.group()) || !substitutes.is_nothing() {
            continue;
        }
        // Annotations may be text for other programs.
        let Some(spec) = one.object.node.get("spec") else {
            continue;
        };
        let found_at = first_variable(spec, &mut Pointer::root().key("spec"));
        let Some((pointer, text)) = found_at else {
            continue;
        };
        if !is_all_known(whole.objects, whole.delivery, at) {
            continue;
        }
        let message = format!("{text} is not substituted here, and stays as it is");
        found.push(
            finding(codes::FLUX_NOT_SUBSTITUTED, one.object, &pointer, message)
                .related(flux.span(&Pointer::root().key("spec")), format!("{} has no `postBuild`", flux.name()))
                .why("the API server refuses it in a name, a hostname or an address, and Flux then applies nothing of its Kustomization")
                .help(format!("give {} `postBuild.substituteFrom`, or write the value itself", flux.name())),
        );
    }
    found
}

/// Whether a Flux Kustomization surely has no `postBuild`: what applies it is given, and doesn't patch it.
fn is_all_known(objects: &[Object], delivery: &Delivery, flux: usize) -> bool {
    let Some(object) = objects.get(flux) else {
        return false;
    };
    let ways = delivery.ways(flux);
    !ways.is_empty()
        && ways.iter().all(|way| {
            let patches = way.patched_by.iter().filter_map(|by| objects.get(*by));
            let is_applied = way
                .flux
                .and_then(|by| objects.get(by))
                .is_some_and(is_flux_kustomization);
            is_applied
                && !way.is_partly_unknown
                && !patches.into_iter().any(|by| may_patch(by, object))
        })
}

/// The first string with a variable. Scripts are skipped, because the variable may be the script's own.
fn first_variable<'a>(node: &'a Node, at: &mut Pointer) -> Option<(Pointer, &'a str)> {
    match &node.kind {
        Kind::String(text) if !text.contains('\n') && variable::in_text(text) => {
            Some((at.clone(), text))
        }
        Kind::Map(map) => map.iter().find_map(|(key, value)| {
            at.push(Step::Key(key.to_owned()));
            let found = first_variable(value, at);
            at.pop();
            found
        }),
        Kind::List(items) => items.iter().enumerate().find_map(|(nth, value)| {
            at.push(Step::Index(nth));
            let found = first_variable(value, at);
            at.pop();
            found
        }),
        _ => None,
    }
}
