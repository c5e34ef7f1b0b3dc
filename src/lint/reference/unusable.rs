//! References to an object that can't be used there. [`attachment`](crate::lint::attachment) finds them.

manifest::code! {
    "reference"/"unusable", Error, "A reference to an object that can't be used there.",
    r#"
The referenced object exists but can't be used here: it is of a kind that can't be a backend, a Service of
type ExternalName, a Backend with a Unix socket, or a Secret without the required key. For a route, requests
get status 500; a listener is not sent to Envoy.

## Wrong

```yaml
# The Service `cloud` is of type ExternalName.
backendRefs: [{name: cloud, port: 443}]
```

## Right

```yaml
backendRefs:
  - {group: gateway.envoyproxy.io, kind: Backend, name: cloud}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: {name: cloud}
spec: {endpoints: [{fqdn: {hostname: cloud.example.com, port: 443}}]}
```
"#
}

/// What to do about the certificate of a listener.
pub(crate) const HELP_FOR_LISTENER: &str = "refer to a Secret of type kubernetes.io/tls";

/// What to do about the rule of a route.
pub(crate) const HELP_FOR_RULE: &str = "refer to an object that can be used there";
