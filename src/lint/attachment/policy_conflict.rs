//! Policies of the same kind that target the same object.

use super::cluster::{ClusterAttachments, spec};
use super::policies::place_of;
use envoy_gateway::index::Key;
use envoy_gateway::policy::{Outcome, Policy, PolicyTarget};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "attachment"/"policy-conflict", Error, "Two policies of the same kind that target the same object.",
    r#"
Two policies of the same kind target the same object. Only one of them applies: the older one, or the first by
name. The other one has no effect at all. The settings of two policies are not merged, unless one of them
targets a route and has a `mergeType`.

## Wrong

```yaml
# Two ClientTrafficPolicies:
kind: ClientTrafficPolicy
metadata: {name: timeouts}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-external}]}
---
kind: ClientTrafficPolicy
metadata: {name: tls}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-external}]}
```

## Right

```yaml
# One, with the settings of both:
kind: ClientTrafficPolicy
metadata: {name: envoy-external}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: envoy-external}]}
```
"#
}

impl ClusterAttachments<'_, '_> {
    /// Reports a target that already has another policy of the kind.
    pub(super) fn conflict(
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
            CODE,
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
}

fn place_of_scope(policy: &Policy<'_>, target: &PolicyTarget<'_>) -> Pointer {
    let its = policy.targets.iter().find(|it| it.scope == target.scope);
    its.map_or_else(spec, |its| place_of(policy.object, its))
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, policy, said, two_gateways};

    #[test]
    fn of_two_policies_for_one_target_the_second_is_told() {
        let spec =
            "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]}";
        let text = GATEWAY.to_owned()
            + &policy("ClientTrafficPolicy", "b", spec)
            + &policy("ClientTrafficPolicy", "a", spec);
        assert_eq!(
            said(&text),
            [
                "attachment/policy-conflict /spec/targetRefs/0: Gateway network/external already has a ClientTrafficPolicy: network/a (write the settings of both into one policy)"
            ]
        );
        // There are two gateways with the same name, so it is not known which policy is for which gateway.
        assert_eq!(said(&(text + "---" + GATEWAY)), [""; 0]);
    }

    #[test]
    fn a_selector_that_reaches_a_gateway_with_a_policy_of_its_own_is_told() {
        let own =
            "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}]}";
        let all = "{targetSelectors: [{group: gateway.networking.k8s.io, kind: Gateway}]}";
        let text = two_gateways()
            + &policy("ClientTrafficPolicy", "a", own)
            + &policy("ClientTrafficPolicy", "b", all);
        assert_eq!(
            graded(&text),
            [
                "error attachment/policy-conflict ClientTrafficPolicy /spec/targetSelectors: the selector matches Gateway network/external, which already has a ClientTrafficPolicy: network/a"
            ]
        );
    }
}
