//! PersistentVolumes and claims to them.

use super::config::{not_negative, quantity_of};
use super::forms::{ABSOLUTE, SUBDOMAIN};
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
        let zero = Quantity::parse("0");
        if quantity_of(walk, &storage)
            .zip(zero)
            .is_some_and(|(value, zero)| value <= zero)
        {
            walk.wrong(&storage, "a quantity of more than 0");
        }
    }
    walk.form(&spec.get("storageClassName"), SUBDOMAIN);
    selectors::selector(walk, &spec.get("selector"));
}

fn access_modes(walk: &mut BuiltinWalk<'_>, modes: &Place<'_, '_>) {
    walk.required(modes);
    for mode in modes.items() {
        let text = mode.text_or_empty();
        if !ACCESS_MODES.contains(&text) && !walk.is_open(text) {
            walk.wrong(
                modes,
                "`ReadWriteOnce`, `ReadOnlyMany`, `ReadWriteMany` or `ReadWriteOncePod`",
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
    if capacity.get("storage").is_null() && !capacity.is_empty() {
        walk.says(
            &capacity,
            "has no `storage`",
            "write `storage` with the size",
        );
    }
    for (_, value) in capacity.entries() {
        not_negative(walk, &value);
    }
    match volumes::sources(spec).len() {
        0 => walk.says(
            spec,
            "has no volume",
            "write the kind of volume, like `csi` or `nfs`",
        ),
        1 => {}
        _ => walk.says(spec, "has several volumes", "keep one of them"),
    }
    volumes::source(walk, spec);
    let local = spec.get("local");
    if !local.is_null() {
        walk.required(&local.get("path"));
        if spec.get("nodeAffinity").is_null() {
            walk.missing(&spec.get("nodeAffinity"));
        }
    }
    walk.form(&spec.get("nfs").get("path"), ABSOLUTE);
    walk.form(&spec.get("storageClassName"), SUBDOMAIN);
}
