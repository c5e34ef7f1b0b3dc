//! Containers of proxies whose limit is below what they request.

use crate::lint::LintContext;
use crate::lint::field;
use crate::lint::front::ENVOY_GATEWAY;
use cel_k8s::quantity::Quantity;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"limit-below-request", Error, "A container of the proxies whose limit is below its request.",
    r#"
Kubernetes refuses a Pod that requests more of a resource than its limit allows. The schema of an EnvoyProxy can't
compare the two, so the API server takes it, and the mistake only shows when Envoy Gateway can't update the Deployment.

## Wrong

```yaml
resources: {requests: {memory: 1Gi}, limits: {memory: 512Mi}}
```

## Right

```yaml
resources: {requests: {memory: 512Mi}, limits: {memory: 1Gi}}
```
"#
}

/// Reports limits below requests in EnvoyProxies.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let proxies = context.of_kind(ENVOY_GATEWAY, "EnvoyProxy");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in proxies.flat_map(|proxy| below(proxy.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn below(proxy: &Object) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for place in field::find(&proxy.node, "**.resources.limits") {
        let Some(resources) = place.parent() else {
            continue;
        };
        let limits = proxy.node.at(&place).and_then(Node::as_map);
        for (resource, limit) in limits.into_iter().flat_map(|it| it.iter()) {
            let request = resources.clone().key("requests").key(resource);
            let request = proxy.node.at(&request);
            let Some((limit_text, request_text)) = texts(limit).zip(request.and_then(texts)) else {
                continue;
            };
            let both = Quantity::parse(&limit_text).zip(Quantity::parse(&request_text));
            if both.is_some_and(|(limit, request)| limit < request) {
                let message = format!(
                    "the limit of `{resource}` is {limit_text}, and {request_text} are requested"
                );
                let at: Pointer = place.clone().key(resource);
                found.push(
                    finding(CODE, proxy, &at, message)
                        .why("Kubernetes refuses the Deployment, so the proxies don't change or never start")
                        .help(format!("raise the limit to at least {request_text}, or remove it")),
                );
            }
        }
    }
    found
}

/// A quantity as text; numbers are quantities, too.
fn texts(node: &Node) -> Option<String> {
    match node.as_str() {
        Some(text) => Some(text.to_owned()),
        None => node.as_i64().map(|number| number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_limit_is_at_least_what_is_requested() {
        let says = |request: &str, limit: &str| {
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: a, namespace: network}}
spec: {{provider: {{kubernetes: {{envoyDeployment: {{container: {{resources: {{requests: {{{request}}}, limits: {{{limit}}}}}}}}}}}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            says("memory: 1Gi", "memory: 512Mi"),
            [
                "error envoy/limit-below-request /spec/provider/kubernetes/envoyDeployment/container/resources/limits/memory: the limit of `memory` is 512Mi, and 1Gi are requested"
            ]
        );
        assert_eq!(
            says("cpu: 100m, memory: 1Gi", "cpu: 1, memory: 1024Mi"),
            [""; 0]
        );
        assert_eq!(says("memory: 1Gi", "cpu: 1"), [""; 0]);
        assert_eq!(says("memory: '${MEMORY}'", "memory: 1Mi"), [""; 0]);
    }
}
