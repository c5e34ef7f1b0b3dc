//! Compares the findings before and after an upgrade of Envoy Gateway.
//!
//! Both sides are checked completely, each against its own schemas and gates. Findings that only the new side has are
//! caused by the upgrade. Findings on both sides existed before; [`check`](crate::lint) reports those.

use std::collections::BTreeSet;

use super::flux::crds_stay_old;
use super::version::{behaviour, deprecated_field};
use crd_validate::codes::SCHEMA_DEPRECATED_VERSION;
use crd_validate::schema::Selection;
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use manifest::Object;
use manifest::diagnostic::{Code, Diagnostic, ObjectRef};

/// The objects with one version, and the findings on them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side<'a> {
    /// The objects, as rendered for this version.
    pub objects: &'a [Object],
    /// All findings.
    pub findings: &'a [Diagnostic],
    /// The versions in force.
    pub selection: &'a Selection,
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

/// Compares both sides. The returned findings point into the sources of the new side.
pub(crate) fn compare(before: &Side<'_>, after: &Side<'_>) -> Upgrade {
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
    let version = |side: &Side<'_>| Some(side.selection.of(ENVOY_GATEWAY)?.set.version.clone());
    if let (Some(from), Some(to)) = (version(before), version(after)) {
        upgrade.changes = behaviour::between(after.objects, &from, &to);
        let crds = crds_stay_old::at_upgrade(after.objects, after.findings, &from, &to);
        for one in crds {
            match one.is_error() {
                true => upgrade.breaks.push(one),
                false => upgrade.warns.push(one),
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
        let side = |(findings, selection): &(Vec<Diagnostic>, Selection)| {
            compare(
                &Side {
                    objects: &all,
                    findings: &before.0,
                    selection: &before.1,
                },
                &Side {
                    objects: &all,
                    findings,
                    selection,
                },
            )
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
