//! Which folders of a repository are different clusters'.

use std::collections::HashMap;

use super::paths::folder;
use super::scope::is_cluster_scoped;
use super::{Delivery, is_flux_kustomization};
use crate::manifest::Object;

/// The kinds of which a cluster has only one of a name, and that no repository holds twice for one cluster.
const TELLING: [&str; 6] = [
    "CiliumLoadBalancerIPPool",
    "Gateway",
    "GatewayClass",
    "HelmRelease",
    "Kustomization",
    "Namespace",
];

/// Two folders, side by side, that are two clusters'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    one: String,
    other: String,
}

impl Split {
    /// Whether two files may belong to one cluster, as far as this split tells.
    pub fn may_share(&self, file: &str, other: &str) -> bool {
        let (one, two) = (within(file, &self.one), within(file, &self.other));
        let (third, fourth) = (within(other, &self.one), within(other, &self.other));
        !((one && fourth) || (two && third))
    }
}

fn within(file: &str, folder: &str) -> bool {
    file.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The folders at which the paths of two objects of one identity part.
pub fn splits(objects: &[Object], delivery: &Delivery) -> Vec<Split> {
    let mut seen: HashMap<(&str, String, &str), Vec<&str>> = HashMap::new();
    let mut splits = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        let is_telling = TELLING.contains(&object.kind()) && !super::is_kustomization(object);
        if !is_telling || object.name().is_empty() || object.name().contains("${") {
            continue;
        }
        let namespace = match delivery.ways(at) {
            _ if is_cluster_scoped(object.group(), object.kind()) => String::new(),
            [way, ..] if way.namespace.is_some() => way.namespace.clone().unwrap_or_default(),
            _ => object.namespace().to_owned(),
        };
        // Flux Kustomizations without a namespace usually all go into one.
        let is_known = !namespace.is_empty()
            || is_flux_kustomization(object)
            || is_cluster_scoped(object.group(), object.kind());
        if !is_known {
            continue;
        }
        let files = seen
            .entry((object.kind(), namespace, object.name()))
            .or_default();
        for file in files.iter() {
            if let Some(split) = part(file, &object.file)
                && !splits.contains(&split)
                && splits.len() < MOST_SPLITS
            {
                splits.push(split);
            }
        }
        if files.len() < MOST_SPLITS {
            files.push(&object.file);
        }
    }
    splits
}

/// More clusters than anybody keeps in one repository.
const MOST_SPLITS: usize = 64;

/// The first folders in which two paths differ; `None` where one of them has no folder of its own there.
fn part(file: &str, other: &str) -> Option<Split> {
    let (one, two) = (folder(file), folder(other));
    let common = one
        .split('/')
        .zip(two.split('/'))
        .take_while(|(a, b)| a == b)
        .count();
    let upto = |path: &str| {
        let parts: Vec<&str> = path.split('/').take(common + 1).collect();
        (parts.len() == common + 1 && !path.is_empty()).then(|| parts.join("/"))
    };
    Some(Split {
        one: upto(one)?,
        other: upto(two)?,
    })
}
