//! Which version of each project is in force.

use std::collections::BTreeMap;
use std::fmt;

use super::bundle::{self, ENVOY_GATEWAY, GATEWAY_API};
use super::catalogue::Catalogue;
use super::releases;
use super::set::{Set, title};
use super::version::Version;
use manifest::diagnostic::suggest::nearest;

/// Why a version is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is declared, in `cluster.toml` or with `--use`.
    Declared(String),
    /// Another release is declared, which the catalogue doesn't have: one of the same minor version, unless a project's
    /// whole minor version is missing.
    Like {
        /// Where it is declared.
        by: String,
        /// The declared version.
        declared: Version,
        /// Whether the CRDs of both are known to be the same.
        is_same: bool,
    },
    /// Another project's version installs it.
    Bundled(Set),
    /// It is the newest release, and none is declared.
    Assumed,
}

/// The version of a project that is in force, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The version and the channel.
    pub set: Set,
    /// Why.
    pub reason: Reason,
}

impl Chosen {
    /// The version that is installed, as far as it is known: the declared one, even if another one is in force for it.
    pub fn declared(&self) -> &Version {
        match &self.reason {
            // A range has no numbers of its own.
            Reason::Like { declared, .. } if declared.minor().is_some() => declared,
            _ => &self.set.version,
        }
    }

    /// The reason, as the end of a sentence: `cluster.toml declares 1.7.5`.
    pub fn clause(&self) -> String {
        if self.set.is_own() {
            return "they are used for every version".to_owned();
        }
        let version = &self.set.version;
        match &self.reason {
            Reason::Declared(by) => format!("{by} declares {version}"),
            Reason::Like {
                by,
                declared,
                is_same: true,
            } => format!("{by} declares {declared}, whose CRDs are those of {version}"),
            Reason::Like { by, declared, .. } => {
                format!("{by} declares {declared}, which is checked as {version}")
            }
            Reason::Bundled(with) => format!("{} brings {version}", with.title()),
            Reason::Assumed => format!("{version} is assumed, because no version is declared"),
        }
    }
}

/// The version of each project that is in force: the newest release by default.
///
/// The Gateway API follows Envoy Gateway, whose chart installs it, unless it is declared itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    chosen: BTreeMap<String, Chosen>,
}

/// Something that the catalogue doesn't have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The project.
    Project {
        /// The name as given.
        given: String,
        /// All projects.
        known: Vec<String>,
    },
    /// The version.
    Version {
        /// The project.
        project: String,
        /// The version as given.
        given: String,
        /// All versions, the nearest one first.
        known: Vec<Version>,
    },
    /// The channel.
    Channel {
        /// The project and version, in the form for messages.
        of: String,
        /// The channel as given.
        given: String,
        /// All channels.
        known: Vec<String>,
    },
}

/// How many versions a message lists.
const SHOWN: usize = 5;

impl Unknown {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Unknown::Project { given, known } => match nearest(given, texts(known)) {
                Some(meant) => format!("write `{meant}`"),
                None => format!("the known ones are {}", known.join(", ")),
            },
            Unknown::Version { known, .. } => {
                let shown: Vec<String> = known.iter().take(SHOWN).map(Version::to_string).collect();
                let more = match known.len().saturating_sub(SHOWN) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("the known ones, nearest first: {}{more}", shown.join(", "))
            }
            Unknown::Channel { known, .. } if known.is_empty() => {
                "remove the channel; the project has no channels".to_owned()
            }
            Unknown::Channel { known, .. } => format!("the known ones are {}", known.join(", ")),
        }
    }
}

fn texts(words: &[String]) -> impl Iterator<Item = &str> {
    words.iter().map(String::as_str)
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Project { given, .. } => {
                write!(f, "the catalogue has no project `{given}`")
            }
            Unknown::Version { project, given, .. } => {
                write!(f, "the catalogue has no {} {given}", title(project))
            }
            Unknown::Channel { of, given, .. } => {
                write!(f, "{of} has no channel `{given}`")
            }
        }
    }
}

impl std::error::Error for Unknown {}

impl Selection {
    /// The newest release of each project, or the newest version if it has no release.
    pub fn newest(catalogue: &Catalogue) -> Self {
        let mut selection = Selection {
            chosen: BTreeMap::new(),
        };
        for project in catalogue.projects() {
            let versions = catalogue.versions(project);
            let releases = versions.iter().rev().find(|version| version.is_stable());
            if let Some(version) = releases.or(versions.last()) {
                let channel = default_channel(catalogue, project, version, None);
                selection.put(project, version, channel, Reason::Assumed);
            }
        }
        selection.follow(catalogue);
        selection
    }

    /// Declares a project's version, with or without a leading `v`. `by` says where it is declared. Without a
    /// channel, the one in force is kept if the version has it. If the catalogue doesn't have the release, it is checked
    /// as the nearest one of the same minor version, because fields only change with minor versions.
    ///
    /// # Errors
    /// If the catalogue doesn't have the minor version.
    pub fn declare(
        &mut self,
        catalogue: &Catalogue,
        project: &str,
        version: &str,
        channel: Option<&str>,
        by: &str,
    ) -> Result<(), Unknown> {
        let version = Version::new(version);
        let versions = catalogue.versions(project);
        if versions.is_empty() {
            return Err(Unknown::Project {
                given: project.to_owned(),
                known: catalogue
                    .projects()
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            });
        }
        let Some(fitting) = same_minor(catalogue, project, &version) else {
            return Err(unknown_version(project, &version, versions));
        };
        let now = self.of(project).and_then(|it| it.set.channel.clone());
        let channel = match channel {
            Some(given) => given_channel(catalogue, project, fitting, given)?,
            None => default_channel(catalogue, project, fitting, now.as_deref()),
        };
        self.put_like(catalogue, project, (fitting, &version), channel, by);
        Ok(())
    }

    /// Declares the release that is nearest to `version`, however far away it is. `by` says where it is declared. False if
    /// the catalogue has no release of the project.
    pub fn declare_nearest(
        &mut self,
        catalogue: &Catalogue,
        project: &str,
        version: &Version,
        by: &str,
    ) -> bool {
        let versions = catalogue.versions(project).into_iter();
        let releases = versions.filter(|it| it.is_stable());
        let nearest = releases.min_by_key(|it| it.distance(version));
        let Some(fitting) = same_minor(catalogue, project, version).or(nearest) else {
            return false;
        };
        let now = self.of(project).and_then(|it| it.set.channel.clone());
        let channel = default_channel(catalogue, project, fitting, now.as_deref());
        self.put_like(catalogue, project, (fitting, version), channel, by);
        true
    }

    /// Declares a range of releases within a minor version. Flux installs the newest one, so the newest one in the catalogue is
    /// in force. `by` says where the range is declared. False if the catalogue doesn't have the minor version.
    pub fn declare_range(
        &mut self,
        catalogue: &Catalogue,
        project: &str,
        (written, minor): (&str, (u64, u64)),
        by: &str,
    ) -> bool {
        let versions = catalogue.versions(project).into_iter();
        let mut of_minor = versions.filter(|it| it.is_stable() && it.minor() == Some(minor));
        let Some(newest) = of_minor.next_back() else {
            return false;
        };
        let now = self.of(project).and_then(|it| it.set.channel.clone());
        let channel = default_channel(catalogue, project, newest, now.as_deref());
        let declared = Version::new(written);
        self.put_like(catalogue, project, (newest, &declared), channel, by);
        true
    }

    /// Selects `fitting` for the `declared` version.
    fn put_like(
        &mut self,
        catalogue: &Catalogue,
        project: &str,
        (fitting, declared): (&Version, &Version),
        channel: Option<String>,
        by: &str,
    ) {
        let by = by.to_owned();
        let reason = match fitting == declared {
            true => Reason::Declared(by),
            false => Reason::Like {
                by,
                declared: declared.clone(),
                is_same: releases::same_crds(project, declared).as_ref() == Some(fitting),
            },
        };
        self.put(project, fitting, channel, reason);
        self.follow(catalogue);
    }

    /// The version of a project that is in force.
    pub fn of(&self, project: &str) -> Option<&Chosen> {
        self.chosen.get(project)
    }

    /// Whether a set is in force.
    pub fn has(&self, set: &Set) -> bool {
        self.of(&set.project)
            .is_some_and(|chosen| chosen.set == *set)
    }

    /// All versions that are in force, by project.
    pub fn all(&self) -> impl Iterator<Item = &Chosen> {
        self.chosen.values()
    }

    fn put(&mut self, project: &str, version: &Version, channel: Option<String>, reason: Reason) {
        let set = Set {
            project: project.to_owned(),
            version: version.clone(),
            channel,
        };
        self.chosen
            .insert(project.to_owned(), Chosen { set, reason });
    }

    /// Selects the Gateway API that the Envoy Gateway in force installs, unless another one is declared.
    fn follow(&mut self, catalogue: &Catalogue) {
        let is_declared =
            |chosen: &Chosen| matches!(chosen.reason, Reason::Declared(_) | Reason::Like { .. });
        let declared = self.of(GATEWAY_API).is_some_and(is_declared);
        let Some(with) = self.of(ENVOY_GATEWAY).filter(|_| !declared) else {
            return;
        };
        let reason = match &with.reason {
            Reason::Assumed => Reason::Assumed,
            _ => Reason::Bundled(Set {
                version: with.declared().clone(),
                ..with.set.clone()
            }),
        };
        if let Some(set) = bundle::gateway_api_of(&with.set.version)
            && catalogue.entries().iter().any(|entry| entry.set == set)
        {
            self.put(GATEWAY_API, &set.version, set.channel.clone(), reason);
        }
    }
}

/// The version itself if the catalogue has it, else the release with the same CRDs, else the nearest one of the same minor
/// version.
fn same_minor<'c>(
    catalogue: &'c Catalogue,
    project: &str,
    version: &Version,
) -> Option<&'c Version> {
    let versions = catalogue.versions(project);
    let find = |wanted: &Version| versions.iter().copied().find(|it| *it == wanted);
    if let Some(exact) = find(version) {
        return Some(exact);
    }
    if let Some(same) = releases::same_crds(project, version).and_then(|same| find(&same)) {
        return Some(same);
    }
    let same = versions.iter().copied();
    let same = same.filter(|it| it.minor().is_some() && it.minor() == version.minor());
    same.min_by_key(|it| it.distance(version))
}

fn unknown_version(project: &str, given: &Version, versions: Vec<&Version>) -> Unknown {
    let mut known: Vec<Version> = versions.into_iter().rev().cloned().collect();
    known.sort_by_key(|version| version.distance(given));
    Unknown::Version {
        project: project.to_owned(),
        given: given.to_string(),
        known,
    }
}

fn given_channel(
    catalogue: &Catalogue,
    project: &str,
    version: &Version,
    given: &str,
) -> Result<Option<String>, Unknown> {
    let known = catalogue.channels(project, version);
    if known.contains(&given) {
        return Ok(Some(given.to_owned()));
    }
    Err(Unknown::Channel {
        of: Set::new(project, version.as_str(), None).title(),
        given: given.to_owned(),
        known: known.into_iter().map(str::to_owned).collect(),
    })
}

/// The channel in force if the version has it, else `standard`, else the first one; `None` if there are no channels.
fn default_channel(
    catalogue: &Catalogue,
    project: &str,
    version: &Version,
    now: Option<&str>,
) -> Option<String> {
    let known = catalogue.channels(project, version);
    let wanted = now.into_iter().chain(["standard"]);
    let found = wanted.into_iter().find(|name| known.contains(name));
    found.or(known.first().copied()).map(str::to_owned)
}
