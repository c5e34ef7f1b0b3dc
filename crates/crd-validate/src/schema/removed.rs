//! API versions that the newest releases don't serve any more: the release that removed them, and their replacement.

use std::sync::LazyLock;

use serde::Deserialize;

/// An API version that the newest release in the catalogue doesn't serve any more: an entry in
/// `schemas/removed.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removed {
    group: String,
    version: String,
    #[serde(default)]
    kinds: Vec<String>,
    /// The release that removed it: `Kubernetes 1.25`.
    pub by: String,
    /// The `group/version` to use instead, followed by the kind if it differs; `None` if there is no replacement.
    pub now: Option<String>,
}

#[derive(Deserialize)]
struct RemovedVersions {
    removed: Vec<Removed>,
}

const TEXT: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../schemas/removed.toml"
));

/// The removal of `kind` in `version` of `group`; `None` if none is known.
pub(crate) fn find(group: &str, version: &str, kind: &str) -> Option<&'static Removed> {
    static TABLE: LazyLock<Vec<Removed>> = LazyLock::new(|| {
        toml::from_str::<RemovedVersions>(TEXT).map_or_else(|_| Vec::new(), |table| table.removed)
    });
    TABLE.iter().find(|it| {
        let is_kind = it.kinds.is_empty() || it.kinds.iter().any(|known| known == kind);
        is_kind && it.group == group && it.version == version
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Catalogue, Selection};

    #[test]
    fn what_is_gone_is_not_served_by_the_newest_release_and_its_successor_is() {
        let table: RemovedVersions = toml::from_str(TEXT).expect("schemas/removed.toml");
        let catalogue = Catalogue::embedded();
        let newest = Selection::newest(&catalogue);
        let serves = |group: &str, version: &str, kind: Option<&str>| {
            let mut entries = catalogue.entries().iter().filter(|it| newest.has(&it.set));
            entries.any(|it| {
                it.group == group
                    && kind.is_none_or(|kind| it.kind == kind)
                    && it.served.iter().any(|it| it == version)
            })
        };
        for gone in &table.removed {
            let kinds = gone.kinds.iter().map(|kind| Some(kind.as_str()));
            let kinds: Vec<_> = if gone.kinds.is_empty() {
                vec![None]
            } else {
                kinds.collect()
            };
            for kind in kinds {
                assert!(!serves(&gone.group, &gone.version, kind), "{gone:?}");
                let Some(now) = &gone.now else { continue };
                let (api, renamed) = now
                    .split_once(' ')
                    .unwrap_or((now, kind.unwrap_or_default()));
                let (group, version) = api.split_once('/').expect("a group and a version");
                let kind = Some(renamed).filter(|it| !it.is_empty());
                assert!(serves(group, version, kind), "{gone:?}");
            }
        }
    }
}
