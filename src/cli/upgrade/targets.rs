//! The versions that `--to` asks for, and the versions that run now.

use anyhow::{Context, bail};

use super::installed::Installed;
use crate::lint::upgrade::{Move, PROJECTS};
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::{Catalogue, Reason, Selection, Unknown, Version, set};
use envoy_gateway::controller::helm_charts::WrittenVersion;

/// A project and the version to look at.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The name of the project.
    pub project: String,
    /// The version, without a leading `v`.
    pub version: Version,
}

impl Target {
    /// Reads `VERSION`, which is one of Envoy Gateway, or `PROJECT@VERSION`.
    pub(super) fn parse(text: &str) -> Self {
        let (project, version) = text.split_once('@').unwrap_or((ENVOY_GATEWAY, text));
        Target {
            project: project.to_owned(),
            version: Version::new(version),
        }
    }

    /// The version in the catalogue whose schemas are used for this one: itself, or another one of the same minor version.
    pub(super) fn in_catalogue(&self, catalogue: &Catalogue) -> Option<Version> {
        let versions = catalogue.versions(&self.project).into_iter();
        let same = versions.filter(|it| it.minor().is_some() && it.minor() == self.version.minor());
        same.min_by_key(|it| it.distance(&self.version)).cloned()
    }
}

/// The name of a project, as it writes it.
pub(super) fn title(project: &str) -> &str {
    let known = PROJECTS.iter().find(|it| it.name == project);
    known.map_or_else(|| set::title(project), |it| it.title)
}

/// The versions in force, with the versions to look at.
///
/// # Errors
/// If neither the catalogue nor the tables of changes know a version.
pub(super) fn looked_ahead(
    before: &Selection,
    catalogue: &Catalogue,
    targets: &[Target],
) -> anyhow::Result<Selection> {
    let mut after = before.clone();
    for target in targets {
        let Target { project, version } = target;
        let Err(unknown) = after.declare(catalogue, project, version.as_str(), None, "--to") else {
            continue;
        };
        let read = PROJECTS.iter().find(|it| it.name == project);
        let is_read = read.is_some_and(|read| {
            let last = Version::new(read.covers.1);
            version.minor().is_some() && (*version <= last || version.minor() == last.minor())
        });
        if !is_read {
            let unknown = match unknown {
                Unknown::Project { given, mut known } => {
                    known.extend(PROJECTS.iter().map(|it| it.name.to_owned()));
                    known.sort();
                    known.dedup();
                    Unknown::Project { given, known }
                }
                other => other,
            };
            return Err(anyhow::anyhow!("{unknown}; {}", unknown.help()))
                .with_context(|| format!("--to {project}@{version}"));
        }
    }
    Ok(after)
}

/// The version of a project that runs now.
#[derive(Clone, Debug)]
pub(super) struct Running {
    /// The project, and its version before and after.
    pub step: Move,
    /// The version as it is written; `None` if nothing says it.
    pub shown: Option<String>,
    /// What to tell about it.
    pub note: Option<String>,
}

/// The version that runs: the lowest that is installed, or else the declared one, or else the minor version before.
///
/// # Errors
/// If the version to look at is not a version.
pub(super) fn running(
    target: &Target,
    installed: &[Installed<'_>],
    before: &Selection,
) -> anyhow::Result<Running> {
    let step = |from: Version| Move {
        project: target.project.clone(),
        from,
        to: target.version.clone(),
    };
    let declared = before
        .of(&target.project)
        .and_then(|chosen| match &chosen.reason {
            Reason::Like { declared, .. } => Some(declared.clone()),
            Reason::Declared(_) => Some(chosen.set.version.clone()),
            Reason::Bundled(_) => Some(chosen.set.version.clone()),
            Reason::Assumed => None,
        });
    let known = installed.iter().filter_map(|one| match &one.version {
        WrittenVersion::Exact(version) => Some((Version::new(version), one, false)),
        WrittenVersion::AtLeast(version) => Some((Version::new(version), one, true)),
        WrittenVersion::Unknown => None,
    });
    if let Some((from, one, is_range)) = known.min_by(|a, b| a.0.cmp(&b.0)) {
        // The version of the chart may be another one.
        let shown = match is_range {
            true => one.shown().to_owned(),
            false => from.to_string(),
        };
        let note = is_range.then(|| {
            format!(
                "{} allows several versions; the first one counts here, {from}",
                one.object.file
            )
        });
        return Ok(Running {
            step: step(from),
            shown: Some(shown),
            note,
        });
    }
    if let Some(from) = declared {
        let shown = Some(from.to_string());
        return Ok(Running {
            step: step(from),
            shown,
            note: None,
        });
    }
    let Some((major, minor)) = target.version.minor() else {
        bail!("--to {}: this is not a version", target.version);
    };
    let from = Version::new(&format!("{major}.{}.0", minor.saturating_sub(1)));
    let why = match installed.first() {
        Some(one) => format!(
            "{} doesn't say which {} runs",
            one.object.file,
            title(&target.project)
        ),
        None => format!("nothing says which {} runs", title(&target.project)),
    };
    Ok(Running {
        note: Some(format!(
            "{why}, so this is what changes since {major}.{}",
            minor.saturating_sub(1)
        )),
        step: step(from),
        shown: None,
    })
}
