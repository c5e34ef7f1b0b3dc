//! Settings that the controller can't use.

use envoy_gateway::condition::Condition;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "attachment"/"refused", Error, "Settings that the controller can't use.",
    r#"
The API server accepts the object, but the controller can't use it: it contains filters that exclude each
other, an invalid regular expression, or an invalid duration. If the object is a route, the rule is dropped or
answers with status 500. If it is a policy, all routes of its target answer with status 500.

## Wrong

```yaml
filters:
  - type: URLRewrite
    urlRewrite: {hostname: app.example.com}
  - type: URLRewrite
    urlRewrite: {hostname: www.example.com}
```

## Right

```yaml
filters:
  - type: URLRewrite
    urlRewrite: {hostname: app.example.com}
```
"#
}

/// What to do about the kinds that a listener allows.
pub(super) const HELP_FOR_KINDS: &str = "remove `allowedRoutes.kinds`; the protocol then decides";

/// What to do about a rule of a route.
pub(super) const HELP_FOR_RULE: &str = "change the rule accordingly";

/// Reports what a condition says of an object.
pub(super) fn report(object: &Object, pointer: &Pointer, condition: &Condition) -> Diagnostic {
    let message = format!("the controller can't use it: {}", condition.message);
    finding(CODE, object, pointer, message)
        .why("the controller reports it in the object's status, and requests that depend on it are answered with 500")
        .help("change the setting that the message names")
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, policy, said};

    #[test]
    fn settings_that_cannot_be_used_are_told() {
        let of =
            |spec: &str| said(&(GATEWAY.to_owned() + &policy("BackendTrafficPolicy", "a", spec)));
        assert_eq!(
            of(
                "{targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: external}], connection: {bufferLimit: 100m}}"
            ),
            [
                "attachment/refused /spec: the controller can't use it: `connection.bufferLimit` is not a whole number of bytes (change the setting that the message names)"
            ]
        );
    }
}
