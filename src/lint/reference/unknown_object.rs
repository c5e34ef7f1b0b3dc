//! References to objects that are there under another name or in another namespace.
//! [`attachment`](crate::lint::attachment) finds them.

use super::instead::Instead;
use envoy_gateway::index::Key;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "reference"/"unknown-object", Error, "A reference to an object that has another name or namespace.",
    r#"
A route, a policy or a listener refers to a Service, Backend, HTTPRouteFilter, Secret or ConfigMap that is not among
the manifests, while one with a similar name is, or one with this name in another namespace. Without a `namespace`,
the object is in the namespace of what refers to it. Requests that need the object are answered with 500, or the
policy is refused. Nothing is reported if a chart, cert-manager or another tool may create the object.

## Wrong

```yaml
kind: Service
metadata: {name: authelia, namespace: security}
---
kind: HTTPRoute
metadata: {name: login, namespace: network}
spec: {rules: [{backendRefs: [{name: authelia, port: 80}]}]}
```

## Right

```yaml
kind: HTTPRoute
metadata: {name: login, namespace: security}
spec: {rules: [{backendRefs: [{name: authelia, port: 80}]}]}
```
"#
}

/// Reports a reference to an object that doesn't exist.
pub(crate) fn report(
    from: &Object,
    place: &Pointer,
    kind: &str,
    key: Key<'_>,
    instead: Instead<'_>,
) -> Diagnostic {
    let found = finding(
        CODE,
        from,
        &place.key("name"),
        format!("there is no {kind} {key}"),
    )
    .why("requests that need it are answered with 500, or the policy is refused");
    match instead {
        Instead::Named(name) => found.help(format!("write `{name}`")),
        Instead::In(namespace) if matches!(kind, "Service" | "Backend") => {
            found.severity(Severity::Warning).help(format!(
                "it is in namespace `{namespace}`: add `namespace: {namespace}` and a ReferenceGrant there, or move the {} beside it",
                from.kind()
            ))
        }
        Instead::In(namespace) => found.severity(Severity::Warning).help(format!(
            "it is in namespace `{namespace}`; move it to `{}`, because the reference can't leave that namespace",
            key.namespace
        )),
    }
}
