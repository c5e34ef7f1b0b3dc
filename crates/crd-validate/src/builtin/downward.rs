//! Fields of a pod that its containers and volumes refer to.

use super::BuiltinWalk;
use super::place::Place;
use k8s_syntax::names;

/// The fields that a variable of a container can have.
pub(super) const OF_VARIABLES: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.host",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// The fields that a file of a volume can have.
const OF_FILES: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];

/// The resources of a container that can be referred to, besides those of huge pages.
const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

/// Checks a reference to a field of the pod.
pub(super) fn field(walk: &mut BuiltinWalk<'_>, reference: &Place<'_, '_>, known: &[&str]) {
    if reference.is_null() {
        return;
    }
    let (version, path) = (reference.get("apiVersion"), reference.get("fieldPath"));
    walk.required(&path);
    let Some(text) = walk.known_text(&path) else {
        return;
    };
    let version = version.text_or_empty();
    if !matches!(version, "" | "v1") && !walk.is_open(version) {
        walk.says(
            &path,
            "is not known in this version of pods",
            "write `apiVersion: v1`",
        );
        return;
    }
    match text
        .strip_suffix("']")
        .and_then(|text| text.split_once("['"))
    {
        Some(("metadata.labels", key)) if names::is_qualified_name(key) => {}
        Some(("metadata.annotations", key)) if names::is_qualified_name(&key.to_lowercase()) => {}
        Some(("metadata.labels" | "metadata.annotations", _)) => {
            walk.wrong(reference, "the key of a label or annotation");
        }
        None if known.contains(&text) => {}
        _ => walk.wrong(&path, "a field like `metadata.name`"),
    }
}

/// Checks a reference to a resource of a container.
pub(super) fn resource(walk: &mut BuiltinWalk<'_>, reference: &Place<'_, '_>) {
    let name = reference.get("resource");
    walk.required(&name);
    if let Some(text) = walk.known_text(&name) {
        let is_huge = ["limits.hugepages-", "requests.hugepages-"]
            .iter()
            .any(|start| text.starts_with(start));
        if !is_huge && !RESOURCES.contains(&text) {
            walk.wrong(&name, "a resource like `limits.memory`");
        }
    }
}

/// Checks the files of a volume with fields of the pod.
pub(super) fn files(walk: &mut BuiltinWalk<'_>, source: &Place<'_, '_>) {
    let items = source.get("items");
    for item in items.items() {
        let path = item.get("path");
        walk.required(&path);
        walk.form(&path, super::forms::RELATIVE);
        super::volumes::mode(walk, &item.get("mode"));
        let (of_pod, of_container) = (item.get("fieldRef"), item.get("resourceFieldRef"));
        match (of_pod.is_null(), of_container.is_null()) {
            (true, true) => walk.says(
                &item,
                "has nothing that it could contain",
                "write `fieldRef` or `resourceFieldRef`",
            ),
            (false, false) => walk.says(&item, "has two contents", "keep one of the two"),
            (false, true) => field(walk, &of_pod, OF_FILES),
            (true, false) => {
                let container = of_container.get("containerName");
                match container.is_empty() {
                    true => walk.missing(&container),
                    false => resource(walk, &of_container),
                }
            }
        }
    }
}
