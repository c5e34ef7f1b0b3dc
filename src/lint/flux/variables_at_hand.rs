//! The variables that a Flux Kustomization certainly has: those of `substitute`, and the keys of the ConfigMaps and
//! Secrets in `substituteFrom`. The keys of a Secret can be read even if SOPS has encrypted its values.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use flux_repo::{GeneratedObject, Substitutes, VariableSource, is_flux_kustomization, may_patch};
use manifest::Object;
use manifest::value::Node;

/// The variables of a Flux Kustomization, all of whose sources are given.
#[derive(Clone, Debug)]
pub(crate) struct VariablesAtHand {
    /// Their names.
    pub names: BTreeSet<String>,
    /// Whether nothing that is not given can add variables: everything that applies the Flux Kustomization is given, or
    /// the Flux Kustomization lists its sources itself.
    pub is_sure: bool,
}

/// The variables of the Flux Kustomization with this index; `None` if a source is not given, or a patch may add others.
pub(crate) fn variables_at_hand(
    context: &LintContext<'_>,
    flux: usize,
    given: &Substitutes,
) -> Option<VariablesAtHand> {
    let object = context.objects.get(flux)?;
    if may_get_more(context, flux, object) {
        return None;
    }
    let mut names: BTreeSet<String> = given.given.keys().cloned().collect();
    for source in &given.from {
        names.extend(keys(context, flux, object, source)?);
    }
    Some(VariablesAtHand {
        names,
        is_sure: !given.from.is_empty() || is_applied_by_given(context, flux),
    })
}

/// Whether a given patch may add variables to a Flux Kustomization.
fn may_get_more(context: &LintContext<'_>, flux: usize, object: &Object) -> bool {
    let ways = context.delivery.ways(flux).iter();
    let by = ways.flat_map(|way| &way.patched_by);
    let mut by = by.filter_map(|at| context.objects.get(*at));
    by.any(|by| {
        let text = || by.node.to_json().to_string();
        // A patch in a file of its own may contain anything.
        let is_elsewhere = || text().contains("\"path\"") || by.node.get("replacements").is_some();
        may_patch(by, object) && (text().contains("postBuild") || is_elsewhere())
    })
}

/// Whether the Flux Kustomization that applies this one is given, and known in full.
fn is_applied_by_given(context: &LintContext<'_>, flux: usize) -> bool {
    let ways = context.delivery.ways(flux);
    !ways.is_empty()
        && ways.iter().all(|way| {
            let by = way.flux.and_then(|by| context.objects.get(by));
            by.is_some_and(is_flux_kustomization) && !way.is_partly_unknown
        })
}

/// The keys of a source; `None` if it is not given, or may have further keys.
fn keys(
    context: &LintContext<'_>,
    flux: usize,
    object: &Object,
    source: &VariableSource,
) -> Option<BTreeSet<String>> {
    let namespace = context
        .copies_of(flux)
        .next()
        .map_or(object.namespace(), |one| one.object.namespace());
    let fits = |there: &str| there.is_empty() || namespace.is_empty() || there == namespace;
    let mut keys = BTreeSet::new();
    let mut is_given = false;
    for one in context.named(&source.name).filter(|one| {
        one.object.kind() == source.kind
            && one.object.group().is_empty()
            && fits(one.object.namespace())
            && context.may_share_cluster(one.object, object)
    }) {
        if context.delivery.may_be_patched(one.at, context.objects) {
            return None;
        }
        is_given = true;
        for key in ["data", "stringData"] {
            let map = one.object.node.get(key).and_then(Node::as_map).into_iter();
            keys.extend(
                map.flat_map(|map| map.iter())
                    .map(|(key, _)| key.to_owned()),
            );
        }
    }
    let external = context.of_kind("external-secrets.io", "ExternalSecret");
    for one in external.filter(|one| {
        source.kind == "Secret"
            && target_of(one.object) == source.name
            && fits(one.object.namespace())
            && context.may_share_cluster(one.object, object)
    }) {
        keys.extend(keys_of_external_secret(one.object)?);
        is_given = true;
    }
    let generated = context.delivery.generated().iter();
    for one in generated.filter(|one| is_generated_as(one, source)) {
        let by = context.objects.get(one.by)?;
        if !context.may_share_cluster(by, object) {
            continue;
        }
        let data = one
            .generator
            .data(|file| context.text(file).map(str::to_owned));
        keys.extend(data.ok()?.into_keys());
        is_given = true;
    }
    is_given.then_some(keys)
}

/// The name of the Secret that an ExternalSecret makes.
pub(crate) fn target_of(external: &Object) -> &str {
    let target = external.node.path(&["spec", "target", "name"]);
    let target = target.and_then(Node::as_str);
    let target = target.filter(|name| !name.is_empty());
    target.unwrap_or(external.name())
}

/// The keys of the Secret that an ExternalSecret makes; `None` if its store decides them.
fn keys_of_external_secret(external: &Object) -> Option<BTreeSet<String>> {
    let at = |path: &[&str]| external.node.path(path);
    let owned = |key: &str| key.to_owned();
    let template = ["spec", "target", "template"];
    let is_merged = at(&[&template[..], &["mergePolicy"]].concat()).is_some()
        || at(&[&template[..], &["templateFrom"]].concat()).is_some();
    let policy = at(&["spec", "target", "creationPolicy"]).and_then(Node::as_str);
    if is_merged || policy.is_some_and(|policy| policy != "Owner") {
        return None;
    }
    if let Some(data) = at(&[&template[..], &["data"]].concat()).and_then(Node::as_map) {
        return Some(data.iter().map(|(key, _)| owned(key)).collect());
    }
    if at(&["spec", "dataFrom"]).is_some() {
        return None;
    }
    let data = at(&["spec", "data"]).and_then(Node::as_list)?;
    let keys = data.iter().map(|one| one.get("secretKey")?.as_str());
    keys.map(|key| key.map(owned)).collect()
}

fn is_generated_as(one: &GeneratedObject, source: &VariableSource) -> bool {
    one.generator.kind == source.kind && one.names().any(|name| name == source.name)
}
