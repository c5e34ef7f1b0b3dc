//! The table of projects whose CRDs the catalogue has: `schemas/sources.toml`.

use std::path::Path;

use anyhow::Context;
use crd_validate::schema::Version;
use serde::Deserialize;

/// The whole table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// The projects.
    pub project: Vec<Project>,
}

/// A project whose CRDs are in a Go module.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its name in the catalogue.
    pub name: String,
    /// The Go module.
    pub module: String,
    /// Where the CRDs are in the module.
    #[serde(default)]
    pub crds: Vec<Crds>,
    /// The Go types to make a CRD of, if the module has none.
    pub types: Option<Types>,
    /// Which releases the catalogue has.
    pub releases: Policy,
    /// The first release that it has.
    pub from: Option<String>,
    /// Releases to ask for, because the proxy doesn't list all releases of some modules.
    #[serde(default)]
    pub known: Vec<String>,
    /// Releases that stay although newer ones of the same minor version came.
    #[serde(default)]
    pub keep: Vec<String>,
    /// The Helm charts that install the project.
    #[serde(default)]
    pub charts: Vec<String>,
    /// The `Chart.yaml` in the module, if the chart's versions differ from the project's.
    pub chart_file: Option<String>,
    /// A folder of the module with one folder for each release of this project, if the module is another project's.
    pub bundled_in: Option<String>,
}

/// Go types that a CRD is made of by `controller-gen`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Types {
    /// A file of this repository, in the folder of the catalogue, that is put beside the types.
    pub file: String,
    /// The folder of the types in the module.
    pub package: String,
    /// The plural of the kind in `file`.
    pub plural: String,
    /// The group that the kind has in the catalogue.
    pub group: String,
}

/// A folder or a file of CRDs in a module.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crds {
    /// Where it is. The first path that exists counts, because projects move their files.
    pub paths: Vec<String>,
    /// The channel of these CRDs.
    pub channel: Option<String>,
}

/// Which releases of a project the catalogue has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Every release whose CRDs differ from those of the release before.
    Every,
    /// The last release of each minor version.
    Minors,
    /// The newest release.
    Newest,
}

impl Sources {
    /// Reads the table.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }
}

impl Project {
    /// The releases to have, of all that exist, oldest first.
    pub fn wanted(&self, releases: &[Version]) -> Vec<Version> {
        let from = self.from.as_deref().map(Version::new);
        let mut known: Vec<&Version> = releases
            .iter()
            .filter(|version| from.as_ref().is_none_or(|from| *version >= from))
            .collect();
        known.sort();
        let is_kept = |version: &Version| self.keep.iter().any(|it| Version::new(it) == *version);
        let is_wanted = |at: usize, version: &Version| {
            let next = known.get(at + 1);
            match self.releases {
                Policy::Every => true,
                Policy::Minors => next.is_none_or(|next| next.minor() != version.minor()),
                Policy::Newest => next.is_none(),
            }
        };
        let all = known.iter().enumerate();
        all.filter(|(at, version)| is_wanted(*at, version) || is_kept(version))
            .map(|(_, version)| (*version).clone())
            .collect()
    }
}
