//! Policies that select their targets by label, and select nothing or too much.

use std::collections::BTreeSet;

use super::{Look, is_known, is_patched, spec};
use crate::check::across::Applied;
use crate::codes;
use envoy_gateway::RouteKind;
use envoy_gateway::helm_routes::{HELM, release_namespace};
use envoy_gateway::index::GATEWAY_API;
use envoy_gateway::policy::{Outcome, Policy, Scope};
use envoy_gateway::read::{list, text};
use envoy_gateway::selector::{Labels, selects};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::Node;

impl<'a> Look<'_, 'a> {
    pub(super) fn selectors(&self, policy: &Policy<'a>) -> Vec<Diagnostic> {
        if self.is_open(policy.object) || !is_known(policy.object.namespace()) {
            return Vec::new();
        }
        let all = list(&policy.object.node, &["spec", "targetSelectors"]);
        let mut found: Vec<Diagnostic> = all
            .iter()
            .enumerate()
            .filter_map(|(at, by)| self.selects_nothing(policy, at, by))
            .collect();
        found.extend(self.selects_too_much(policy));
        found
    }

    /// A selector that matches none of the objects that it can select, if all of these are given.
    fn selects_nothing(&self, policy: &Policy<'_>, at: usize, by: &Node) -> Option<Diagnostic> {
        let kind = text(by, &["kind"])?;
        let candidates = self.candidates(policy, kind, by)?;
        if candidates.is_empty() {
            return None;
        }
        let may_select = |one: &&Applied<'_>| selects(Some(by), &self.labels(one)) != Some(false);
        if candidates.iter().any(may_select) {
            return None;
        }
        let names: BTreeSet<&str> = candidates.iter().map(|one| one.object.name()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let message = match names.as_slice() {
            [only] => {
                format!("the selector doesn't match {kind} `{only}`, the only one in its scope")
            }
            all => format!(
                "the selector matches none of the {} {kind}s in its scope",
                all.len()
            ),
        };
        let place = spec().key("targetSelectors").index(at);
        Some(
            finding(codes::ATTACHMENT_NO_TARGET, policy.object, &place, message)
                .severity(Severity::Warning)
                .why("the policy applies to nothing through it")
                .help(format!(
                    "use labels that the {kind} has (in `metadata.labels`, or added by a kustomization or by Flux's `commonMetadata`)"
                )),
        )
    }

    /// The given objects that a selector can select; `None` if there may be others.
    fn candidates(&self, policy: &Policy<'_>, kind: &str, by: &Node) -> Option<Vec<&Applied<'a>>> {
        let is_route = RouteKind::parse(kind).is_some();
        if !(is_route || kind == "Gateway")
            || text(by, &["group"]).is_some_and(|group| group != GATEWAY_API)
        {
            return None;
        }
        let own = policy.object.namespace();
        let is_all = match text(by, &["namespaces", "from"]) {
            None | Some("Same") => false,
            Some("All") => true,
            Some(_) => return None,
        };
        let in_reach = |namespace: &str| is_all || namespace == own || !is_known(namespace);
        // Charts may create routes with unknown labels.
        let may_make = |one: &Applied<'_>| {
            let object = one.object;
            object.group() == HELM
                && object.kind() == "HelmRelease"
                && in_reach(release_namespace(object))
        };
        if is_route && self.all.iter().any(may_make) {
            return None;
        }
        let all = self.all.iter().filter(|one| {
            let object = one.object;
            object.kind() == kind && object.group() == GATEWAY_API && in_reach(object.namespace())
        });
        Some(all.collect())
    }

    fn labels(&self, one: &Applied<'_>) -> Labels {
        let mut labels = Labels {
            is_open: is_patched(self.whole, one)
                || one.way.is_some_and(|way| way.is_partly_unknown),
            ..Labels::default()
        };
        labels.add(one.object.node.path(&["metadata", "labels"]));
        labels
    }

    /// A policy that is named after one gateway, but whose selector matches others too.
    fn selects_too_much(&self, policy: &Policy<'_>) -> Option<Diagnostic> {
        let selected: Vec<&str> = policy
            .targets
            .iter()
            .filter(|it| it.is_selected && it.outcome != Outcome::NotFound)
            .filter_map(|it| match it.scope {
                Scope::Gateway(key) => Some(key.name),
                _ => None,
            })
            .collect();
        let named: Vec<&&str> = selected
            .iter()
            .filter(|name| is_named_after(policy.object.name(), name, &selected))
            .collect();
        let [meant] = named.as_slice() else {
            return None;
        };
        let others: Vec<&str> = selected
            .iter()
            .filter(|name| name != meant)
            .copied()
            .collect();
        if others.is_empty() {
            return None;
        }
        let message = format!(
            "the selector of `{}` matches more than Gateway `{meant}`: {}",
            policy.object.name(),
            super::list(&others)
        );
        let place = spec().key("targetSelectors");
        Some(
            finding(codes::ATTACHMENT_SELECTOR_REACH, policy.object, &place, message)
                .why("the settings also apply to the other gateways, and conflict with policies of their own")
                .help(format!("name the gateway in `targetRefs`, or add `matchLabels` that only `{meant}` has")),
        )
    }
}

/// Whether a policy is named after a gateway: it has the same name, or one that contains the gateway's name if that
/// has two words or more. A name whose words all occur in another gateway's name (`envoy` beside `envoy-internal`)
/// doesn't count.
fn is_named_after(policy: &str, gateway: &str, all: &[&str]) -> bool {
    let words = |name: &str| name.split('-').map(str::to_owned).collect::<Vec<String>>();
    let own = words(gateway);
    let is_general = all.iter().filter(|other| **other != gateway).any(|other| {
        let other = words(other);
        own.iter().all(|word| other.contains(word))
    });
    let within = words(policy)
        .windows(own.len())
        .any(|part| part == own.as_slice());
    !is_general && (policy == gateway || (own.len() > 1 && within))
}
