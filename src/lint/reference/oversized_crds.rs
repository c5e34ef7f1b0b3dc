//! Charts whose CRDs are too large for the way in which Argo CD applies objects.

use crate::lint::LintContext;
use envoy_gateway::read::{flag, list, text};
use flux_repo::ARGO_CD;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"oversized-crds", Warning, "CRDs that Argo CD can't apply on the client's side.",
    r#"
Unless it is told otherwise, Argo CD keeps each object in one of its annotations, and an annotation can't be larger than
256 KiB. Some CRDs of Envoy Gateway and of the Prometheus operator are larger, so the API server refuses them
(`metadata.annotations: Too long`). Server-side apply needs no such annotation.

## Wrong

```yaml
kind: Application
spec:
  source: { repoURL: docker.io/envoyproxy, chart: gateway-helm, targetRevision: 1.9.0 }
```

## Right

```yaml
kind: Application
spec:
  source: { repoURL: docker.io/envoyproxy, chart: gateway-helm, targetRevision: 1.9.0 }
  syncPolicy: { syncOptions: [ServerSideApply=true] }
```
"#
}

/// Charts with such CRDs.
const CHARTS: [&str; 4] = [
    "gateway-crds-helm",
    "gateway-helm",
    "kube-prometheus-stack",
    "prometheus-operator-crds",
];

/// Options with which Argo CD writes no such annotation.
const OPTIONS: [&str; 2] = ["ServerSideApply=true", "Replace=true"];

/// Reports Applications that install such a chart without the option.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let applications = context.of_kind(ARGO_CD, "Application");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in applications.filter_map(|it| oversized(it.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn oversized(object: &Object) -> Option<Diagnostic> {
    let options = list(&object.node, &["spec", "syncPolicy", "syncOptions"]).iter();
    let mut options = options.filter_map(Node::as_str);
    if options.any(|it| OPTIONS.contains(&it) || it.contains('$')) {
        return None;
    }
    let spec = Pointer::root().key("spec");
    let one = object.node.path(&["spec", "source"]);
    let one = one.map(|node| (spec.key("source"), node));
    let several = list(&object.node, &["spec", "sources"]).iter().enumerate();
    let several = several.map(|(at, node)| (spec.key("sources").index(at), node));
    let (place, chart) = one.into_iter().chain(several).find_map(|(place, source)| {
        let chart = text(source, &["chart"])?;
        let chart = chart.rsplit('/').next().unwrap_or(chart);
        let is_left_out = flag(source, &["helm", "skipCrds"]) == Some(true);
        (CHARTS.contains(&chart) && !is_left_out).then_some((place.key("chart"), chart))
    })?;
    let message = format!("CRDs of `{chart}` are too large for Argo CD's annotation");
    Some(
        finding(CODE, object, &place, message)
            .why("the API server refuses them with `metadata.annotations: Too long`, so the objects that need them can't be applied")
            .help("add `syncPolicy: {syncOptions: [ServerSideApply=true]}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn large_crds_are_applied_by_the_server() {
        let says = |chart: &str, rest: &str| {
            let text = format!(
                "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: a, namespace: argocd}}
spec: {{source: {{repoURL: docker.io/envoyproxy, chart: {chart}{rest}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            says("gateway-helm", "}"),
            [
                "warning reference/oversized-crds /spec/source/chart: CRDs of `gateway-helm` are too large for Argo CD's annotation"
            ]
        );
        let option = "}, syncPolicy: {syncOptions: [ServerSideApply=true]}";
        assert_eq!(says("gateway-helm", option), [""; 0]);
        assert_eq!(says("gateway-helm", ", helm: {skipCrds: true}}"), [""; 0]);
        assert_eq!(says("podinfo", "}"), [""; 0]);
    }
}
