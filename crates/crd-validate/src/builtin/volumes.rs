//! The volumes of pods, and their sources.

use super::BuiltinWalk;
use super::forms::{ABSOLUTE, LABEL, NO_PARENT, RELATIVE};
use super::place::Place;

/// The kinds of volumes, with the fields that each needs.
const SOURCES: &[(&str, &[&str])] = &[
    ("awsElasticBlockStore", &["volumeID"]),
    ("azureDisk", &["diskName", "diskURI"]),
    ("azureFile", &["secretName", "shareName"]),
    ("cephfs", &["monitors"]),
    ("cinder", &["volumeID"]),
    ("configMap", &["name"]),
    ("csi", &["driver"]),
    ("downwardAPI", &[]),
    ("emptyDir", &[]),
    ("ephemeral", &["volumeClaimTemplate"]),
    ("fc", &[]),
    ("flexVolume", &["driver"]),
    ("flocker", &[]),
    ("gcePersistentDisk", &["pdName"]),
    ("gitRepo", &["repository"]),
    ("glusterfs", &["endpoints", "path"]),
    ("hostPath", &["path"]),
    ("image", &[]),
    ("iscsi", &["targetPortal", "iqn"]),
    ("local", &["path"]),
    ("nfs", &["server", "path"]),
    ("persistentVolumeClaim", &["claimName"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("projected", &[]),
    ("quobyte", &["registry", "volume"]),
    ("rbd", &["monitors", "image"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("secret", &["secretName"]),
    ("storageos", &[]),
    ("vsphereVolume", &["volumePath"]),
];

/// The kinds of volume that a value has.
pub(super) fn sources(volume: &Place<'_, '_>) -> Vec<&'static str> {
    let all = SOURCES.iter().map(|(source, _)| *source);
    all.filter(|source| !volume.get(source).is_null()).collect()
}

/// Checks what the kind of a volume needs.
pub(super) fn source(walk: &mut BuiltinWalk<'_>, volume: &Place<'_, '_>) {
    for (name, fields) in SOURCES {
        let source = volume.get(name);
        if source.is_null() {
            continue;
        }
        for field in *fields {
            // The server's own document calls some of these fields optional.
            walk.required(&source.get(field));
        }
        match *name {
            "hostPath" => walk.form(&source.get("path"), NO_PARENT),
            "nfs" => walk.form(&source.get("path"), ABSOLUTE),
            "configMap" | "secret" => items(walk, &source),
            "projected" => {
                let sources = source.get("sources");
                for source in sources.items() {
                    for part in ["configMap", "secret"] {
                        let part = source.get(part);
                        if !part.is_null() {
                            walk.required(&part.get("name"));
                        }
                        items(walk, &part);
                    }
                    let token = source.get("serviceAccountToken");
                    if !token.is_null() {
                        walk.required(&token.get("path"));
                    }
                }
            }
            _ => {}
        }
    }
}

fn items(walk: &mut BuiltinWalk<'_>, source: &Place<'_, '_>) {
    let mode = source.get("defaultMode");
    if mode
        .number()
        .is_some_and(|mode| !(0..=0o777).contains(&mode))
    {
        walk.wrong(&mode, "a number from 0 to 0777 (octal)");
    }
    let items = source.get("items");
    for item in items.items() {
        let (key, path) = (item.get("key"), item.get("path"));
        walk.required(&key);
        walk.required(&path);
        walk.form(&path, RELATIVE);
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
        if let [first, second, ..] = sources(&volume).as_slice() {
            let what = format!("has both `{first}` and `{second}`");
            walk.says(&volume.get(second), &what, "keep one of the two");
        }
        source(walk, &volume);
    }
}
