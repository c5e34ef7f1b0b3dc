//! Compares the findings before and after an upgrade of Envoy Gateway.
//!
//! Both sides are checked completely, each against its own schemas and gates. Findings that only the new side has are
//! caused by the upgrade. Findings on both sides existed before; [`check`](crate::lint) reports those.

use std::collections::BTreeSet;

pub(crate) use super::flux::crds_stay_old;
pub(crate) use super::version::changes::PROJECTS;
use super::version::changes::{self, Instead};
use super::version::deprecated_field;
use crd_validate::codes::SCHEMA_DEPRECATED_VERSION;
use crd_validate::schema::Version;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use manifest::Object;
use manifest::diagnostic::{Code, Diagnostic, ObjectRef, Severity, Span};
use manifest::value::pointer::Step;

/// What is found with one version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side<'a> {
    /// All findings.
    pub findings: &'a [Diagnostic],
}

/// The effects of an upgrade.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upgrade {
    /// New errors.
    pub breaks: Vec<Diagnostic>,
    /// New warnings and notes.
    pub warns: Vec<Diagnostic>,
    /// What is deprecated in the new version, whether it was before or not.
    pub deprecated: Vec<Diagnostic>,
    /// What behaves differently.
    pub changes: Vec<Diagnostic>,
    /// The number of errors on both sides.
    pub already_broken: usize,
    /// What a change wants to be written otherwise, and how.
    pub mends: Vec<Mend>,
}

/// A project that is upgraded.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    /// Its name.
    pub project: String,
    /// The version that runs.
    pub from: Version,
    /// The version to run.
    pub to: Version,
}

/// A text to write otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Mend {
    /// Where it is.
    pub span: Span,
    /// Its path in the object.
    pub path: String,
    /// What is replaced in it.
    pub old: String,
    /// What replaces it.
    pub new: &'static str,
}

impl Upgrade {
    /// Adds what the changes of a project touch.
    fn add_changes(&mut self, objects: &[Object], step: &Move) {
        for places in changes::between(&step.project, objects, &step.from, &step.to) {
            self.mends.extend(places.iter().filter_map(mend));
            for finding in changes::findings(&step.project, &places) {
                let is_told = |other: &Diagnostic| {
                    let below = other.pointer.as_deref().zip(finding.pointer.as_deref());
                    other.object == finding.object
                        && below.is_some_and(|(there, here)| there.starts_with(here))
                };
                match finding.severity {
                    Severity::Error if !self.breaks.iter().any(is_told) => {
                        self.breaks.push(finding)
                    }
                    Severity::Warning if !self.deprecated.iter().any(is_told) => {
                        self.deprecated.push(finding);
                    }
                    Severity::Note => self.changes.push(finding),
                    Severity::Error | Severity::Warning => {}
                }
            }
        }
    }
}

/// The text to write otherwise at a place. What is rendered is changed in `cluster.toml`.
fn mend(place: &changes::Touched<'_>) -> Option<Mend> {
    if place.object.origins.is_some() {
        return None;
    }
    let (Step::Key(key), above) = (place.pointer.steps().last()?, place.pointer.parent()?) else {
        return None;
    };
    let key_span = || place.object.node.at(&above)?.as_map()?.entry(key)?.key_span;
    let value = place.object.node.at(&place.pointer)?;
    let word = match place.change.touches {
        changes::Touches::Words(_, words, _) => words.first().copied(),
        _ => None,
    };
    let (span, old, new) = match place.change.instead {
        Instead::Nothing => return None,
        Instead::Key(new) => (key_span()?, key.as_str(), new),
        Instead::Value(new) => (value.span?, value.as_str()?, new),
        Instead::Start(new) if key.contains(word?) => (key_span()?, word?, new),
        Instead::Start(new) => (value.span?, word?, new),
    };
    let old = old.to_owned();
    Some(Mend {
        span,
        path: place.pointer.dotted(),
        old,
        new,
    })
}

/// The codes for deprecations.
const DEPRECATED: &[Code] = &[deprecated_field::CODE, SCHEMA_DEPRECATED_VERSION];

/// What identifies a finding on both sides, because its text may contain versions.
type Key = (Code, Option<ObjectRef>, Option<String>);

fn key(finding: &Diagnostic) -> Key {
    let object = finding.object.clone().map(|object| ObjectRef {
        // Its API version may have changed.
        api_version: String::new(),
        ..object
    });
    (finding.code, object, finding.pointer.clone())
}

/// Compares both sides. `objects` are all that a change may touch, which are more than those that are rendered. The returned
/// findings point into the sources of the new side.
pub(crate) fn compare(
    before: &Side<'_>,
    after: &Side<'_>,
    objects: &[Object],
    moves: &[Move],
) -> Upgrade {
    let known: BTreeSet<Key> = before.findings.iter().map(key).collect();
    let mut upgrade = Upgrade::default();
    for finding in after.findings {
        let is_new = !known.contains(&key(finding));
        // Reported below, because its meaning depends on both versions.
        if finding.code == crds_stay_old::CODE {
            continue;
        }
        if DEPRECATED.contains(&finding.code) {
            upgrade.deprecated.push(finding.clone());
        } else if !is_new {
            upgrade.already_broken += usize::from(finding.is_error());
        } else if finding.is_error() {
            upgrade.breaks.push(finding.clone());
        } else {
            upgrade.warns.push(finding.clone());
        }
    }
    for step in moves {
        upgrade.add_changes(objects, step);
        if step.project == ENVOY_GATEWAY {
            let crds = crds_stay_old::at_upgrade(objects, after.findings, &step.from, &step.to);
            for one in crds {
                match one.is_error() {
                    true => upgrade.breaks.push(one),
                    false => upgrade.warns.push(one),
                }
            }
        }
    }
    upgrade
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::check_all;
    use crate::lint::support::objects;
    use crd_validate::schema::Catalogue;
    use crd_validate::schema::Selection;

    fn upgraded(text: &str, from: &str, to: &str) -> Upgrade {
        let catalogue = Catalogue::embedded();
        let all = objects("a.yaml", text);
        let side = |version: &str| {
            let mut selection = Selection::newest(&catalogue);
            let declared = selection.declare(&catalogue, ENVOY_GATEWAY, version, None, "--use");
            declared.expect("a version of the catalogue");
            let findings = check_all(&all, &catalogue, &selection);
            (findings, selection)
        };
        let (before, after) = (side(from), side(to));
        let side = |(findings, _): &(Vec<Diagnostic>, Selection)| {
            let step = Move {
                project: ENVOY_GATEWAY.to_owned(),
                from: Version::new(from),
                to: Version::new(to),
            };
            let before = Side {
                findings: &before.0,
            };
            compare(&before, &Side { findings }, &all, &[step])
        };
        side(&after)
    }

    const POLICY: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {name: x}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: example}]
  clientIPDetection: {}
";

    #[test]
    fn what_only_the_new_version_refuses_breaks() {
        let upgrade = upgraded(POLICY, "1.8.3", "1.9.0");
        assert_eq!(upgrade.breaks.len(), 1, "{:?}", upgrade.breaks);
        assert_eq!(upgrade.breaks[0].code, crd_validate::codes::RULE_FAILED);
        let none = upgraded(POLICY, "1.7.5", "1.8.3");
        assert!(none.breaks.is_empty() && none.warns.is_empty());
    }

    #[test]
    fn what_was_broken_before_is_only_counted() {
        let broken = POLICY.replace("clientIPDetection", "clientIpDetection");
        let upgrade = upgraded(&broken, "1.8.3", "1.9.0");
        assert_eq!((upgrade.breaks.len(), upgrade.already_broken), (0, 1));
    }
}
