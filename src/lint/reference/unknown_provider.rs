//! Authorization by tokens of a JWT provider that the policy doesn't have.

use crate::lint::LintContext;
use crate::lint::field;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::{has, list, text};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::finding;
use manifest::value::{Node, variable};

use super::names::is_sure;

manifest::code! {
    "reference"/"unknown-provider", Error, "Authorization by a JWT provider that the policy doesn't have.",
    r#"
A rule of `authorization` in a SecurityPolicy compares the claims or scopes of a token of a JWT provider, and the policy
has no provider with this name in `jwt.providers`. Envoy verifies no such token, so the rule never applies: nobody gets
in by it, or nobody is kept out by it. Policies with a `mergeType` are not checked, because another policy may have the
provider.

## Wrong

```yaml
jwt: {providers: [{name: example, remoteJWKS: {uri: "https://login.example.com/jwks"}}]}
authorization:
  rules: [{action: Allow, principal: {jwt: {provider: exmple, scopes: [admin]}}}]
```

## Right

```yaml
jwt: {providers: [{name: example, remoteJWKS: {uri: "https://login.example.com/jwks"}}]}
authorization:
  rules: [{action: Allow, principal: {jwt: {provider: example, scopes: [admin]}}}]
```
"#
}

/// Reports rules for unknown providers.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for policy in context.of_kind(ENVOY_GATEWAY, "SecurityPolicy") {
        let node = &policy.object.node;
        if !is_sure(context, &policy) || has(node, &["spec", "mergeType"]) {
            continue;
        }
        let providers = list(node, &["spec", "jwt", "providers"]).iter();
        let names: Vec<&str> = providers.filter_map(|it| text(it, &["name"])).collect();
        for place in field::find(node, "spec.authorization.rules[].principal.jwt.provider") {
            let Some(name) = node.at(&place).and_then(Node::as_str) else {
                continue;
            };
            let is_there = names.iter().any(|it| *it == name || variable::in_text(it));
            if is_there || variable::in_text(name) {
                continue;
            }
            let help = match nearest(name, names.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => "add the provider to `jwt.providers`".to_owned(),
            };
            let message = format!("there is no JWT provider `{name}` in the policy");
            let one = finding(CODE, policy.object, &place, message)
                .why("Envoy verifies no token of it, so the rule never applies")
                .help(help);
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_rule_is_for_a_provider_of_the_policy() {
        let with = |provider: &str, rest: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {{name: a, namespace: network}}
spec:
  {rest}
  jwt: {{providers: [{{name: example, remoteJWKS: {{uri: 'https://login.example.com/jwks'}}}}]}}
  authorization: {{rules: [{{action: Allow, principal: {{jwt: {{provider: {provider}, scopes: [a]}}}}}}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(with("example", ""), [""; 0]);
        assert_eq!(with("other", "mergeType: StrategicMerge"), [""; 0]);
        assert_eq!(
            with("exmple", ""),
            [
                "error reference/unknown-provider /spec/authorization/rules/0/principal/jwt/provider: there is no JWT provider `exmple` in the policy"
            ]
        );
    }
}
