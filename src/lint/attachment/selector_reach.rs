//! Selectors that match a gateway that is probably not intended.

use super::cluster::{ClusterAttachments, list, spec};
use envoy_gateway::policy::{Outcome, Policy, Scope};
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "attachment"/"selector-reach", Warning, "A selector that matches a gateway that is probably not intended.",
    r#"
A policy has the name of one gateway, but its selector matches others too. A selector without labels matches
all gateways of the namespace. So a policy for the internal gateway also applies to the external one, and it
conflicts with a policy that the other gateway has.

## Wrong

```yaml
kind: SecurityPolicy
metadata:
  name: envoy-internal
spec:
  targetSelectors:
    - kind: Gateway
```

## Right

```yaml
kind: SecurityPolicy
metadata:
  name: envoy-internal
spec:
  targetRefs:
    - group: gateway.networking.k8s.io
      kind: Gateway
      name: envoy-internal
```
"#
}

impl ClusterAttachments<'_, '_> {
    /// A policy that is named after one gateway, but whose selector matches others too.
    pub(super) fn selects_too_much(&self, policy: &Policy<'_>) -> Option<Diagnostic> {
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
            list(&others)
        );
        let place = spec().key("targetSelectors");
        Some(
            finding(CODE, policy.object, &place, message)
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

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{graded, policy, two_gateways};

    #[test]
    fn a_selector_that_reaches_more_than_its_name_says_is_told() {
        let named = |name: &str| {
            let spec = "{targetSelectors: [{group: gateway.networking.k8s.io, kind: Gateway}]}";
            graded(&(two_gateways() + &policy("ClientTrafficPolicy", name, spec)))
        };
        assert_eq!(
            named("external"),
            [
                "warning attachment/selector-reach ClientTrafficPolicy /spec/targetSelectors: the selector of `external` matches more than Gateway `external`: `internal`"
            ]
        );
        assert_eq!(named("external-auth"), [""; 0]);
        assert_eq!(named("envoy"), [""; 0]);
    }
}
