//! Several gateways that are scaled by the same sum.

use std::collections::BTreeMap;

use super::gateway_workloads;
use crate::lint::LintContext;
use crate::lint::front::text;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "keda"/"shared-metric", Warning, "Several gateways that are scaled by the same query.",
    r#"
The ScaledObjects of several gateways have the same Prometheus query, so each gateway is scaled by the
requests of all of them together. If one is busy, all get more proxies. Restrict each query to the proxies of
its own gateway. In `cluster.toml`, `{gateway}` in a query stands for the gateway's name.

## Wrong

```yaml
kind: ScaledObject # of envoy-external
spec:
  triggers:
    - type: prometheus
      metadata: { query: sum(rate(envoy_http_downstream_rq_total[2m])) }
---
kind: ScaledObject # of envoy-internal
spec:
  triggers:
    - type: prometheus
      metadata: { query: sum(rate(envoy_http_downstream_rq_total[2m])) }
```

## Right

```yaml
kind: ScaledObject # of envoy-external
spec:
  triggers:
    - type: prometheus
      metadata:
        query: sum(rate(envoy_http_downstream_rq_total{pod=~"envoy-external-.*"}[2m]))
```
"#
}

/// A trigger on a query: the ScaledObject, the path of the query, and the name of what is scaled.
type Use<'a> = (&'a Object, Pointer, &'a str);

/// Reports each query about Envoy by which several gateways are scaled.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let workloads = gateway_workloads(context);
    let mut by_query: BTreeMap<&str, Vec<Use<'_>>> = BTreeMap::new();
    for one in context.of_kind("keda.sh", "ScaledObject") {
        let target = text(one.object, &["spec", "scaleTargetRef", "name"]);
        if !workloads.contains(target) {
            continue;
        }
        let list = Pointer::root().key("spec").key("triggers");
        let triggers = one.object.node.at(&list).and_then(Node::as_list);
        for (at, trigger) in triggers.unwrap_or_default().iter().enumerate() {
            let query = trigger.path(&["metadata", "query"]).and_then(Node::as_str);
            if let Some(query) = query.filter(|query| query.contains("envoy_")) {
                let pointer = list.index(at).key("metadata").key("query");
                by_query
                    .entry(query)
                    .or_default()
                    .push((one.object, pointer, target));
            }
        }
    }
    let mut found = Vec::new();
    for uses in by_query.values() {
        let Some((first, pointer, target)) = uses.first() else {
            continue;
        };
        let other = uses
            .iter()
            .skip(1)
            .find(|(object, _, other)| other != target && context.may_share_cluster(first, object));
        let Some((object, at, other)) = other else {
            continue;
        };
        let message = format!("{target} and {other} are scaled by the same sum of both");
        found.push(
            finding(CODE, first, pointer, message)
                .related(object.span(at), "the other one")
                .why("if one gateway is busy, the other one gets more proxies, too")
                .help("restrict the query to the gateway's own proxies, such as by `pod=~\"NAME-.*\"`; in cluster.toml, `{gateway}` in the query stands for the gateway's name"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::lint::keda::autoscalers::tests::{scaled, unfixed};
    use crate::lint::support::found_in;

    #[test]
    fn each_gateway_is_scaled_by_its_own_requests() {
        let one = |name: &str, query: &str| {
            let rest = format!(
                "minReplicaCount: 1\n  triggers: [{{type: prometheus, metadata: {{serverAddress: a, query: '{query}', threshold: '1'}}}}]"
            );
            scaled(name, name, &rest)
        };
        let second = unfixed()
            .split("---")
            .last()
            .unwrap_or_default()
            .replace("external", "internal");
        let front = format!(
            "{}---{}",
            unfixed(),
            second.replace("10.10.30.26", "10.10.30.27")
        );
        let says = |external: &str, internal: &str| {
            let both = [one("external", external), one("internal", internal)].concat();
            found_in(&format!("{front}{both}\n"))
        };
        assert_eq!(
            says("sum(envoy_a[2m])", "sum(envoy_a[2m])"),
            [
                "warning keda/shared-metric external.yaml:7 external and internal are scaled by the same sum of both"
            ]
        );
        assert_eq!(says("sum(envoy_a[2m])", "sum(envoy_b[2m])"), [""; 0]);
        assert_eq!(says("sum(probe[2m])", "sum(probe[2m])"), [""; 0]);
    }
}
