//! The volumes of pods, and their sources.

use super::forms::{ABSOLUTE, DRIVER, LABEL, NO_PARENT, RELATIVE};
use super::place::Place;
use super::{BuiltinWalk, downward, selectors, storage};

/// The kinds of volumes in the order in which the server looks for them, with the fields that each needs.
const SOURCES: &[(&str, &[&str])] = &[
    ("emptyDir", &[]),
    ("hostPath", &["path"]),
    ("gitRepo", &["repository"]),
    ("gcePersistentDisk", &["pdName"]),
    ("awsElasticBlockStore", &["volumeID"]),
    ("secret", &["secretName"]),
    ("nfs", &["server", "path"]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("glusterfs", &["endpoints", "path"]),
    ("flocker", &[]),
    ("persistentVolumeClaim", &["claimName"]),
    ("rbd", &["monitors", "image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &["monitors"]),
    ("quobyte", &["registry", "volume"]),
    ("downwardAPI", &[]),
    ("fc", &[]),
    ("flexVolume", &["driver"]),
    ("configMap", &["name"]),
    ("azureFile", &["secretName", "shareName"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("storageos", &[]),
    ("projected", &[]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("local", &["path"]),
    ("csi", &["driver"]),
    ("ephemeral", &["volumeClaimTemplate"]),
    ("image", &[]),
];

/// The kinds of PersistentVolumes in the order in which the server looks for them.
const PERSISTENT: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

/// The kinds of volume that a volume of a pod has.
fn sources(volume: &Place<'_, '_>) -> Vec<&'static str> {
    let all = SOURCES.iter().map(|(source, _)| *source);
    all.filter(|source| !volume.get(source).is_null()).collect()
}

/// The kinds of volume that a PersistentVolume has.
pub(super) fn persistent(spec: &Place<'_, '_>) -> Vec<&'static str> {
    let all = PERSISTENT.iter().copied();
    all.filter(|source| !spec.get(source).is_null()).collect()
}

/// Checks that there is only one kind of volume, and what it needs. The server doesn't look into the others.
pub(super) fn source(walk: &mut BuiltinWalk<'_>, volume: &Place<'_, '_>, given: &[&str]) {
    walk.only_one(volume, given);
    let Some(name) = given.first() else { return };
    let source = volume.get(name);
    let fields = SOURCES.iter().find(|(known, _)| known == name);
    for field in fields.map_or(&[][..], |(_, fields)| fields) {
        // The server's own document calls some of these fields optional.
        walk.required(&source.get(field));
    }
    match *name {
        "hostPath" => walk.form(&source.get("path"), NO_PARENT),
        "nfs" => nfs(walk, &source),
        "csi" => walk.form(&source.get("driver"), DRIVER),
        "configMap" | "secret" => items(walk, &source),
        "downwardAPI" => {
            mode(walk, &source.get("defaultMode"));
            downward::files(walk, &source);
        }
        "ephemeral" => ephemeral(walk, &source.get("volumeClaimTemplate")),
        "projected" => projected(walk, &source),
        _ => {}
    }
}

fn nfs(walk: &mut BuiltinWalk<'_>, source: &Place<'_, '_>) {
    walk.form(&source.get("path"), ABSOLUTE);
}

/// The fields of a claim's metadata that a pod can't give.
const NOT_OF_CLAIMS: &[&str] = &[
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// Checks the claim that is made for a pod.
fn ephemeral(walk: &mut BuiltinWalk<'_>, template: &Place<'_, '_>) {
    if template.is_null() {
        return;
    }
    let metadata = template.get("metadata");
    for key in NOT_OF_CLAIMS {
        let field = metadata.get(key);
        if !field.is_empty() {
            walk.says(&field, "can't be given here", "remove it");
        }
    }
    selectors::labels(walk, &metadata.get("labels"));
    storage::claim(walk, &template.get("spec"));
}

fn projected(walk: &mut BuiltinWalk<'_>, source: &Place<'_, '_>) {
    mode(walk, &source.get("defaultMode"));
    let sources = source.get("sources");
    for source in sources.items() {
        for part in ["configMap", "secret"] {
            let part = source.get(part);
            if !part.is_null() {
                walk.required(&part.get("name"));
            }
            items(walk, &part);
        }
        downward::files(walk, &source.get("downwardAPI"));
        let token = source.get("serviceAccountToken");
        if !token.is_null() {
            walk.required(&token.get("path"));
            let seconds = token.get("expirationSeconds");
            if seconds.number().is_some_and(|seconds| seconds < 600) {
                walk.wrong(&seconds, "a number of at least 600");
            }
        }
    }
}

/// Checks the permissions of a file.
pub(super) fn mode(walk: &mut BuiltinWalk<'_>, mode: &Place<'_, '_>) {
    if mode
        .number()
        .is_some_and(|mode| !(0..=0o777).contains(&mode))
    {
        walk.wrong(mode, "a number from 0 to 0777 (octal)");
    }
}

fn items(walk: &mut BuiltinWalk<'_>, source: &Place<'_, '_>) {
    mode(walk, &source.get("defaultMode"));
    let items = source.get("items");
    for item in items.items() {
        let (key, path) = (item.get("key"), item.get("path"));
        walk.required(&key);
        walk.required(&path);
        walk.form(&path, RELATIVE);
        mode(walk, &item.get("mode"));
    }
}

/// Checks the volumes of a pod.
pub(super) fn check(walk: &mut BuiltinWalk<'_>, volumes: &Place<'_, '_>) {
    let mut names = std::collections::HashSet::new();
    for volume in volumes.items() {
        let name = volume.get("name");
        walk.required(&name);
        walk.form(&name, LABEL);
        if let Some(text) = name.text().filter(|text| !walk.is_open(text))
            && !text.is_empty()
            && !names.insert(text.to_owned())
        {
            walk.twice(&name);
        }
        source(walk, &volume, &sources(&volume));
    }
}
