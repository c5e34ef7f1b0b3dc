//! The releases of projects: which exist, and which of them have the same CRDs.
//!
//! The catalogue only has the releases whose CRDs differ from those before. `cargo xtask catalogue` writes this list and
//! the schemas together.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::version::Version;

static TEXT: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../schemas/releases.json"
));

/// The releases of all projects, by project, in the form of `releases.json`.
pub type Releases = BTreeMap<String, ProjectReleases>;

/// The releases of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectReleases {
    /// The Helm charts that install the project.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<String>,
    /// The newest version of these charts, if charts and project count differently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_chart: Option<String>,
    /// The releases, without pre-releases and without a leading `v`, oldest first. Some may be missing.
    pub releases: Vec<String>,
    /// The releases whose CRDs are those of an earlier one, with that one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub same_crds: BTreeMap<String, String>,
}

impl ProjectReleases {
    /// The newest version of the project's charts.
    pub fn newest_chart(&self) -> Option<Version> {
        let newest = self.releases.iter().map(|text| Version::new(text)).max();
        let own = self.newest_chart.as_deref().map(Version::new);
        own.or(newest)
    }

    /// The newest known patch release of each minor version.
    pub fn last_patches(&self) -> BTreeMap<(u64, u64), Version> {
        let releases = self.releases.iter().map(|text| Version::new(text));
        let mut last = BTreeMap::new();
        for version in releases {
            if let Some(minor) = version.minor() {
                let newest = last.entry(minor).or_insert_with(|| version.clone());
                *newest = version.max(newest.clone());
            }
        }
        last
    }
}

/// Parses a list of releases.
///
/// # Errors
/// If the text is not in the form of `releases.json`.
pub fn parse(text: &str) -> Result<Releases, serde_json::Error> {
    serde_json::from_str(text)
}

/// The releases that are known to this program.
pub fn known() -> &'static Releases {
    static KNOWN: OnceLock<Releases> = OnceLock::new();
    KNOWN.get_or_init(|| parse(TEXT).unwrap_or_default())
}

/// The project that a Helm chart installs, with its releases.
pub fn of_chart(chart: &str) -> Option<(&'static str, &'static ProjectReleases)> {
    let mut all = known().iter();
    let (project, releases) =
        all.find(|(_, releases)| releases.charts.iter().any(|name| name == chart))?;
    Some((project, releases))
}

/// The earlier release in the catalogue that has the same CRDs as this one.
pub(crate) fn same_crds(project: &str, version: &Version) -> Option<Version> {
    let releases = known().get(project)?;
    let same = releases.same_crds.get(version.as_str())?;
    Some(Version::new(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_valid_and_sorted() {
        let all = parse(TEXT).expect("a list of releases");
        assert!(!all.is_empty());
        for (project, of) in &all {
            let versions: Vec<Version> = of.releases.iter().map(|it| Version::new(it)).collect();
            assert!(versions.is_sorted(), "{project}");
            assert!(versions.iter().all(Version::is_stable), "{project}");
            for (release, same) in &of.same_crds {
                assert!(of.releases.contains(release), "{project} {release}");
                assert!(of.releases.contains(same), "{project} {same}");
            }
        }
    }

    #[test]
    fn a_chart_that_counts_differently_has_its_own_newest_version() {
        let (project, releases) = of_chart("external-dns").expect("a chart");
        let newest = releases.newest_chart().map(|it| it.to_string());
        assert_eq!(project, "external-dns");
        assert!(newest.is_some_and(|it| it.starts_with("1.")));
        assert!(of_chart("of-nobody").is_none());
    }
}
