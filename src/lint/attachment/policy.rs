//! Policies whose targets don't exist, or already have another policy of the same kind.

use super::route::meant;
use super::{Look, Missing, list, refused, spec};
use crate::codes;
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::index::Key;
use envoy_gateway::policy::{Outcome, Policy, PolicyTarget, Scope};
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

const NOTHING: &str =
    "the policy applies to nothing: it protects nothing, and its settings have no effect";

impl Look<'_, '_> {
    pub(super) fn policy(&self, policy: &Policy<'_>) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.is_open(policy.object) {
            return found;
        }
        for target in &policy.targets {
            let scope = target.scope;
            if !self.is_open_key(scope.kind(), scope.key()) {
                found.extend(self.target(policy, target));
            }
        }
        if let Some(condition) = policy.condition(kind::ACCEPTED, Status::False)
            && condition.reason == "Invalid"
        {
            found.push(refused(policy.object, &spec(), condition));
        }
        found
    }

    fn target(&self, policy: &Policy<'_>, target: &PolicyTarget<'_>) -> Option<Diagnostic> {
        let place = place_of(policy.object, target);
        match target.outcome {
            Outcome::Conflicts => Some(self.conflict(policy, target, &place)),
            Outcome::NoSection => self.no_section(policy, target, &place),
            Outcome::NotFound => self.no_target(policy, target, &place),
            Outcome::Holds => None,
        }
    }

    fn conflict(
        &self,
        policy: &Policy<'_>,
        target: &PolicyTarget<'_>,
        place: &Pointer,
    ) -> Diagnostic {
        let (scope, kind) = (target.scope, policy.object.kind());
        let same = |it: &&Policy<'_>| {
            let mut targets = it.targets.iter();
            it.kind == policy.kind
                && targets.any(|it| it.scope == scope && it.outcome == Outcome::Holds)
        };
        let winner = self.resolved.policies().iter().find(same);
        let name = winner
            .map(|it| Key::of(it.object).to_string())
            .unwrap_or_default();
        let (message, help) = match target.is_selected {
            true => (
                format!("the selector matches {scope}, which already has a {kind}: {name}"),
                "select only the intended gateways with `matchLabels`, or write the settings of both into one policy",
            ),
            false => (
                format!("{scope} already has a {kind}: {name}"),
                "write the settings of both into one policy",
            ),
        };
        let one = finding(
            codes::ATTACHMENT_POLICY_CONFLICT,
            policy.object,
            place,
            message,
        )
        .why("only the oldest policy applies, or the first by name; this one has no effect there")
        .help(help);
        match winner {
            Some(winner) => one.related(
                winner.object.span(&place_of_scope(winner, target)),
                "the policy that applies",
            ),
            None => one,
        }
    }

    fn no_section(
        &self,
        policy: &Policy<'_>,
        target: &PolicyTarget<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let scope = target.scope;
        let names = self.sections(target);
        let given = scope.section().unwrap_or_default();
        if variable::in_text(given) || names.iter().any(|name| variable::in_text(name)) {
            return None;
        }
        let message = format!("{} {} has no `{given}`", scope.kind(), scope.key());
        Some(
            finding(
                codes::ATTACHMENT_NO_TARGET,
                policy.object,
                &place.key("sectionName"),
                message,
            )
            .why(NOTHING)
            .help(format!("it has {}", list(&names))),
        )
    }

    /// A gateway that doesn't exist, although it would have to be among the given objects.
    fn no_target(
        &self,
        policy: &Policy<'_>,
        target: &PolicyTarget<'_>,
        place: &Pointer,
    ) -> Option<Diagnostic> {
        let key = match target.scope {
            Scope::Gateway(key) | Scope::GatewayListener(key, _) => key,
            _ => return None,
        };
        let missing = self.missing_gateway(policy.object, key, true)?;
        let message = format!("there is no Gateway {key}");
        let one = finding(
            codes::ATTACHMENT_NO_TARGET,
            policy.object,
            &place.key("name"),
            message,
        );
        Some(match missing {
            Missing::Among(there) => one.why(NOTHING).help(meant(key.name, &there)),
            Missing::In(namespace) => one.severity(Severity::Warning).why(NOTHING).help(format!(
                "a policy can only target objects in its own namespace; move it to `{namespace}`"
            )),
        })
    }

    /// The names of the sections that a target has.
    fn sections(&self, target: &PolicyTarget<'_>) -> Vec<&str> {
        let whole = target.scope.whole();
        let listeners = self.resolved.listeners().iter();
        let of_owner = listeners
            .filter(|it| it.object.kind() == whole.kind() && Key::of(it.object) == whole.key());
        let routes = self.resolved.routes().iter();
        let rules = routes.filter(|it| it.kind.as_str() == whole.kind() && it.key() == whole.key());
        let rules = rules.flat_map(|it| it.rules.iter().filter_map(|rule| rule.name));
        of_owner.map(|it| it.name).chain(rules).collect()
    }
}

/// The path in the policy where a target is named.
fn place_of(policy: &Object, target: &PolicyTarget<'_>) -> Pointer {
    let is_it = |node: &Node| {
        let text = |key: &str| node.get(key).and_then(Node::as_str);
        text("kind") == Some(target.scope.kind())
            && text("name") == Some(target.scope.key().name)
            && text("sectionName") == target.scope.section()
    };
    if target.is_selected {
        return spec().key("targetSelectors");
    }
    let all = policy
        .node
        .path(&["spec", "targetRefs"])
        .and_then(Node::as_list);
    match all.and_then(|all| all.iter().position(is_it)) {
        Some(at) => spec().key("targetRefs").index(at),
        None => spec().key("targetRef"),
    }
}

fn place_of_scope(policy: &Policy<'_>, target: &PolicyTarget<'_>) -> Pointer {
    let its = policy.targets.iter().find(|it| it.scope == target.scope);
    its.map_or_else(spec, |its| place_of(policy.object, its))
}
