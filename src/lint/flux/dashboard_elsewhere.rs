//! Objects for Grafana in another namespace than their Grafana.

use crate::lint::{Applied, LintContext};
use envoy_gateway::selector::{Labels, selects};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "flux"/"dashboard-elsewhere", Warning, "A dashboard that no Grafana imports.",
    r#"
`instanceSelector` of a GrafanaDashboard (or a GrafanaDatasource, GrafanaFolder and so on) selects a Grafana by its
labels. The grafana-operator looks for it only in the namespace of the dashboard, unless
`allowCrossNamespaceImport: true` is set. This is reported if the selected Grafana is in another namespace, or if all
Grafanas of the cluster are known, and none has these labels.

## Wrong

```yaml
kind: Grafana
metadata: { name: grafana, namespace: observability, labels: { dashboards: grafana } }
---
kind: GrafanaDashboard
metadata: { name: envoy, namespace: network }
spec:
  instanceSelector: { matchLabels: { dashboards: grafana } }
```

## Right

```yaml
kind: Grafana
metadata: { name: grafana, namespace: observability, labels: { dashboards: grafana } }
---
kind: GrafanaDashboard
metadata: { name: envoy, namespace: network }
spec:
  allowCrossNamespaceImport: true
  instanceSelector: { matchLabels: { dashboards: grafana } }
```
"#
}

const GRAFANA: &str = "grafana.integreatly.org";

/// Reports objects whose `instanceSelector` reaches no Grafana.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let grafanas: Vec<Applied> = context.of_kind(GRAFANA, "Grafana").collect();
    if grafanas.is_empty() {
        return Vec::new();
    }
    let users = context.all().filter(|one| one.object.group() == GRAFANA);
    users
        .filter_map(|user| unreached(context, &user, &grafanas))
        .collect()
}

fn unreached(
    context: &LintContext<'_>,
    user: &Applied<'_>,
    grafanas: &[Applied<'_>],
) -> Option<Diagnostic> {
    let pointer = Pointer::root().key("spec").key("instanceSelector");
    let selector = user.object.node.at(&pointer)?;
    let near: Vec<&Applied> = grafanas
        .iter()
        .filter(|one| context.may_share_cluster(one.object, user.object))
        .collect();
    let mut selected = Vec::new();
    for one in &near {
        if selects(Some(selector), &labels(one)) != Some(false) {
            selected.push(one.object);
        }
    }
    let (kind, name) = (user.object.kind(), user.object.name());
    if selected.is_empty() {
        let first = near.first()?.object;
        let message = format!("{kind} {name} selects no Grafana by its labels");
        return Some(
            finding(CODE, user.object, &pointer, message)
                .related(
                    first.span(&Pointer::root().key("metadata").key("name")),
                    "a Grafana without these labels",
                )
                .why("no Grafana imports it")
                .help("write labels into `instanceSelector.matchLabels` that the Grafana has in `metadata.labels`"),
        );
    }
    let may_cross = user
        .object
        .node
        .path(&["spec", "allowCrossNamespaceImport"]);
    let own = user.object.namespace();
    let is_known = |namespace: &str| !namespace.is_empty() && !variable::in_text(namespace);
    let is_elsewhere = selected
        .iter()
        .all(|one| is_known(one.namespace()) && one.namespace() != own);
    if may_cross.and_then(Node::as_bool) == Some(true) || !is_known(own) || !is_elsewhere {
        return None;
    }
    let grafana = selected.first()?;
    let message = format!(
        "{kind} {name} is in the namespace {own}, and the Grafana that it selects is in {}",
        grafana.namespace()
    );
    Some(
        finding(CODE, user.object, &pointer, message)
            .related(
                grafana.span(&Pointer::root().key("metadata").key("name")),
                "the Grafana",
            )
            .why("the grafana-operator imports nothing from other namespaces, so it doesn't appear in Grafana")
            .help("add `allowCrossNamespaceImport: true` to `spec`"),
    )
}

/// The labels of a Grafana. A patch may add others.
fn labels(grafana: &Applied<'_>) -> Labels {
    let mut labels = Labels {
        is_open: grafana.way.is_some_and(|way| !way.patched_by.is_empty()),
        ..Labels::default()
    };
    labels.add(grafana.object.node.path(&["metadata", "labels"]));
    labels
}

#[cfg(test)]
mod tests {
    use crate::lint::support::found_in;

    #[test]
    fn a_dashboard_is_where_its_grafana_looks() {
        let says = |namespace: &str, rest: &str, label: &str| {
            found_in(&format!(
                "
# a.yaml
apiVersion: grafana.integreatly.org/v1beta1
kind: Grafana
metadata: {{name: grafana, namespace: observability, labels: {{dashboards: grafana}}}}
# b.yaml
apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaDashboard
metadata: {{name: envoy, namespace: {namespace}}}
spec:
  {rest}
  instanceSelector: {{matchLabels: {{dashboards: {label}}}}}
"
            ))
        };
        assert_eq!(
            says("network", "", "grafana"),
            [
                "warning flux/dashboard-elsewhere b.yaml:6 GrafanaDashboard envoy is in the namespace network, and the Grafana that it selects is in observability"
            ]
        );
        assert_eq!(says("observability", "", "grafana"), [""; 0]);
        assert_eq!(
            says("network", "allowCrossNamespaceImport: true", "grafana"),
            [""; 0]
        );
        assert_eq!(
            says("observability", "", "other"),
            [
                "warning flux/dashboard-elsewhere b.yaml:6 GrafanaDashboard envoy selects no Grafana by its labels"
            ]
        );
    }
}
