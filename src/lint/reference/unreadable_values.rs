//! Values of charts in texts that are no YAML.

use crate::lint::LintContext;
use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, field};
use envoy_gateway::helm_routes::HELM;
use envoy_gateway::read::{list, text};
use flux_repo::ARGO_CD;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::read::parse_any;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "reference"/"unreadable-values", Error, "Values of a chart in a text that is not valid YAML.",
    r#"
An Application of Argo CD can have the values of a chart as a text (`helm.values`), and a HelmRelease can take them
from a ConfigMap. The API server doesn't look into such a text. If it is not YAML, or not a map, the chart is not
installed or updated.

## Wrong

```yaml
kind: Application
spec:
  source:
    helm:
      values: |
        config:
          envoyGateway: [
```

## Right

```yaml
kind: Application
spec:
  source:
    helm:
      valuesObject:
        config: { envoyGateway: {} }
```
"#
}

/// Reports texts that can't be read.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for application in context.of_kind(ARGO_CD, "Application") {
        for path in ["spec.source.helm.values", "spec.sources[].helm.values"] {
            for place in field::find(&application.object.node, path) {
                let one = unreadable(application.object, &place, application.object.name());
                found.extend(one.filter(|one| !found.contains(one)));
            }
        }
    }
    for release in context.of_kind(HELM, "HelmRelease") {
        for entry in list(&release.object.node, &["spec", "valuesFrom"]) {
            let one = in_config_map(context, &release, entry);
            found.extend(one.filter(|one| !found.contains(one)));
        }
    }
    found
}

fn in_config_map(
    context: &LintContext<'_>,
    release: &Applied<'_>,
    entry: &Node,
) -> Option<Diagnostic> {
    let is_single = text(entry, &["targetPath"]).is_some();
    if is_single || text(entry, &["kind"]) != Some("ConfigMap") {
        return None;
    }
    let key = text(entry, &["valuesKey"]).unwrap_or("values.yaml");
    let map = context.named(text(entry, &["name"])?).find(|it| {
        it.object.kind() == "ConfigMap"
            && it.object.namespace() == release.object.namespace()
            && context.may_share_cluster(it.object, release.object)
    })?;
    let place = Pointer::root().key("data").key(key);
    let of = release.object.name();
    is_sure(context, &map).then(|| unreadable(map.object, &place, of))?
}

fn unreadable(object: &Object, place: &Pointer, of: &str) -> Option<Diagnostic> {
    let written = object.node.at(place)?.as_str()?;
    if variable::in_text(written) || written.trim().is_empty() {
        return None;
    }
    let source = object.node.span?.source;
    let (problem, help) = match parse_any(written, source, 0) {
        Err(problem) => (
            format!("are not valid YAML: {}", problem.message),
            "correct the indentation, the quotes or the brackets",
        ),
        Ok(node) if node.as_map().is_none() => (
            "are not a map".to_owned(),
            "write the keys of the chart's values",
        ),
        Ok(_) => return None,
    };
    let message = format!("the values of {of} {problem}");
    Some(
        finding(CODE, object, place, message)
            .why("the chart is not installed or updated, and only its status says so")
            .help(help),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn values_in_a_text_are_yaml() {
        let says = |values: &str| {
            let text = format!(
                "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: eg, namespace: argocd}}
spec: {{source: {{chart: gateway-helm, helm: {{values: '{values}'}}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(says("config: {}"), [""; 0]);
        assert_eq!(says("config: ${CONFIG}"), [""; 0]);
        assert_eq!(
            says("config"),
            [
                "error reference/unreadable-values /spec/source/helm/values: the values of eg are not a map"
            ]
        );
        assert_eq!(says("config: [").len(), 1);
    }

    #[test]
    fn values_in_a_config_map_are_yaml() {
        let text = "apiVersion: v1
kind: ConfigMap
metadata: {name: values, namespace: network}
data: {values.yaml: just a text}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: eg, namespace: network}
spec: {valuesFrom: [{kind: ConfigMap, name: values}]}
";
        assert_eq!(
            told(check, "1.9.0", &[("a.yaml", text)]),
            ["error reference/unreadable-values /data/values.yaml: the values of eg are not a map"]
        );
    }
}
