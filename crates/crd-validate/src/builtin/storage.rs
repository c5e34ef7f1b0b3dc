//! PersistentVolumes and claims to them.

use super::config::quantity_of;
use super::forms::{LABEL, SUBDOMAIN};
use super::place::Place;
use super::{BuiltinWalk, selectors, volumes};
use cel_k8s::quantity::Quantity;

const ACCESS_MODES: &[&str] = &[
    "ReadWriteOnce",
    "ReadOnlyMany",
    "ReadWriteMany",
    "ReadWriteOncePod",
];

/// Checks a claim.
pub(super) fn claim(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    access_modes(walk, &spec.get("accessModes"));
    let resources = spec.get("resources");
    let requests = resources.get("requests");
    let storage = requests.get("storage");
    if storage.is_null() {
        let place = resources.get("storage");
        walk.missing(&place);
    } else {
        positive(walk, &storage);
    }
    // The server drops what a claim can't be filled from in `dataSource`, but not in `dataSourceRef`.
    let source = spec.get("dataSource");
    let is_kept = match source.get("kind").text_or_empty() {
        "PersistentVolumeClaim" => source.get("apiGroup").is_empty(),
        "VolumeSnapshot" => source.get("apiGroup").text() == Some("snapshot.storage.k8s.io"),
        _ => false,
    };
    if is_kept {
        data_source(walk, &source);
    }
    data_source(walk, &spec.get("dataSourceRef"));
    walk.form(&spec.get("volumeAttributesClassName"), SUBDOMAIN);
    walk.form(&spec.get("storageClassName"), SUBDOMAIN);
    selectors::selector(walk, &spec.get("selector"));
}

/// Checks that a quantity is more than 0.
fn positive(walk: &mut BuiltinWalk<'_>, at: &Place<'_, '_>) {
    let zero = Quantity::parse("0");
    if quantity_of(walk, at)
        .zip(zero)
        .is_some_and(|(value, zero)| value <= zero)
    {
        walk.wrong(at, "a quantity of more than 0");
    }
}

/// Checks what a claim is filled from.
fn data_source(walk: &mut BuiltinWalk<'_>, source: &Place<'_, '_>) {
    if source.is_null() {
        return;
    }
    let (kind, group) = (source.get("kind"), source.get("apiGroup"));
    walk.required(&kind);
    walk.required(&source.get("name"));
    let text = kind.text_or_empty();
    if group.is_empty() && text != "PersistentVolumeClaim" && !walk.is_open(text) {
        walk.says(
            source,
            "has no group, so its kind must be `PersistentVolumeClaim`",
            "write `apiGroup`",
        );
    }
    walk.form(&group, SUBDOMAIN);
}

fn access_modes(walk: &mut BuiltinWalk<'_>, modes: &Place<'_, '_>) {
    walk.required(modes);
    for mode in modes.items() {
        let text = mode.text_or_empty();
        if !ACCESS_MODES.contains(&text) && !walk.is_open(text) {
            walk.says(
                modes,
                &format!("can't have {text:?}"),
                "write `ReadWriteOnce`, `ReadOnlyMany`, `ReadWriteMany` or `ReadWriteOncePod`",
            );
        }
    }
    if modes.len() > 1
        && modes
            .items()
            .any(|mode| mode.text() == Some("ReadWriteOncePod"))
    {
        walk.says(
            modes,
            "can't have other modes beside `ReadWriteOncePod`",
            "keep only that one",
        );
    }
}

/// Checks a volume.
pub(super) fn volume(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    access_modes(walk, &spec.get("accessModes"));
    let capacity = spec.get("capacity");
    walk.required(&capacity);
    let is_only_storage = capacity.entries().all(|(name, _)| name == "storage");
    if !is_only_storage && !capacity.is_empty() {
        walk.says(
            &capacity,
            "must have `storage` and nothing else",
            "write only `storage` with the size",
        );
    }
    for (_, value) in capacity.entries() {
        match value.is_null() {
            true => walk.missing(&value),
            false => positive(walk, &value),
        }
    }
    let sources = volumes::persistent(spec);
    if sources.is_empty() {
        walk.says(
            spec,
            "has no volume",
            "write the kind of volume, like `csi` or `nfs`",
        );
    }
    volumes::source(walk, spec, &sources);
    let affinity = spec.get("nodeAffinity");
    if !affinity.is_null() {
        let required = affinity.get("required");
        match required.is_null() {
            true => walk.missing(&required),
            false => {
                let terms = required.get("nodeSelectorTerms");
                walk.required(&terms);
                selectors::node_terms(walk, &terms);
            }
        }
    }
    csi(walk, &spec.get("csi"));
    let local = spec.get("local");
    if !local.is_null() && affinity.is_null() {
        walk.missing(&affinity);
    }
    walk.form(&spec.get("storageClassName"), SUBDOMAIN);
}

/// The Secrets that the driver of a volume may need.
const SECRETS: &[&str] = &[
    "controllerExpandSecretRef",
    "controllerPublishSecretRef",
    "nodeExpandSecretRef",
    "nodePublishSecretRef",
];

/// Checks a volume of a driver.
fn csi(walk: &mut BuiltinWalk<'_>, csi: &Place<'_, '_>) {
    if csi.is_null() {
        return;
    }
    walk.required(&csi.get("volumeHandle"));
    for key in SECRETS {
        let secret = csi.get(key);
        if !secret.is_null() {
            let (name, namespace) = (secret.get("name"), secret.get("namespace"));
            walk.required(&name);
            walk.required(&namespace);
            walk.form(&namespace, LABEL);
        }
    }
}
