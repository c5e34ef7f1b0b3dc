//! Monitors whose labels are nearly those of Envoy Gateway.

use super::monitor_elsewhere::pairs;
use crate::lint::{Applied, LintContext};
use envoy_gateway::proxies::{OWNER_NAME, OWNER_NAMESPACE};
use envoy_gateway::read::list;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::{nearest, slip};
use manifest::value::{Pointer, variable};
use manifest::{finding, finding_on_key};

manifest::code! {
    "flux"/"misspelt-selector", Warning, "A monitor that selects nearly the labels of Envoy Gateway.",
    r#"
A ServiceMonitor or PodMonitor selects Services and Pods by their labels. A label that is nearly one of Envoy Gateway's
proxies (`app.kubernetes.io/name: envoy`, `app.kubernetes.io/component: proxy`) or of its controller (`control-plane:
envoy-gateway`) selects nothing, so Prometheus has no target, and nothing says so.

## Wrong

```yaml
kind: PodMonitor
metadata: { name: envoy-proxy }
spec: { selector: { matchLabels: { app.kubernetes.io/name: evnoy } } }
```

## Right

```yaml
kind: PodMonitor
metadata: { name: envoy-proxy }
spec: { selector: { matchLabels: { app.kubernetes.io/name: envoy } } }
```
"#
}

/// The labels of proxies and of the controller (charts 1.5 to 1.9), with their values, if these are always the same.
const LABELS: &[(&str, &[&str])] = &[
    ("app.kubernetes.io/name", &["envoy", "gateway-helm"]),
    ("app.kubernetes.io/component", &["proxy", "ratelimit"]),
    ("app.kubernetes.io/managed-by", &["envoy-gateway"]),
    ("app.kubernetes.io/instance", &[]),
    ("control-plane", &["envoy-gateway"]),
    (OWNER_NAME, &[]),
    (OWNER_NAMESPACE, &[]),
];

/// Reports such labels.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let kinds = ["PodMonitor", "ServiceMonitor"].into_iter();
    let monitors = kinds.flat_map(|kind| context.of_kind("monitoring.coreos.com", kind));
    let mut found: Vec<Diagnostic> = Vec::new();
    for monitor in monitors.filter(is_about_envoy) {
        let all = pairs(&monitor);
        let one = all
            .filter_map(|(key, value)| wrong(&monitor, key, value))
            .next();
        found.extend(one.filter(|one| !found.contains(one)));
    }
    found
}

/// Whether anything else in a monitor shows that it is meant for Envoy Gateway.
fn is_about_envoy(monitor: &Applied<'_>) -> bool {
    let object = monitor.object;
    let is_known = |(key, value): (&str, &str)| {
        let special = matches!(value, "envoy" | "gateway-helm" | "envoy-gateway");
        special
            && LABELS
                .iter()
                .any(|(known, values)| *known == key && values.contains(&value))
    };
    let endpoints = list(&object.node, &["spec", "podMetricsEndpoints"]).iter();
    let mut paths = endpoints.filter_map(|it| it.get("path")?.as_str());
    object.name().contains("envoy")
        || pairs(monitor).any(is_known)
        || paths.any(|path| path == "/stats/prometheus")
}

fn wrong(monitor: &Applied<'_>, key: &str, value: &str) -> Option<Diagnostic> {
    let object = monitor.object;
    if variable::in_text(key) || variable::in_text(value) {
        return None;
    }
    let place = Pointer::root()
        .key("spec")
        .key("selector")
        .key("matchLabels")
        .key(key);
    let why = "nothing is selected, so dashboards stay empty and alerts never fire";
    let message = |what: String| {
        format!(
            "{} selects {what}, which is not a label of Envoy Gateway",
            object.name()
        )
    };
    match LABELS.iter().find(|(known, _)| *known == key) {
        Some((_, values)) => {
            let meant =
                nearest(value, values.iter().copied()).filter(|_| !values.contains(&value))?;
            Some(
                finding(CODE, object, &place, message(format!("`{key}: {value}`")))
                    .why(why)
                    .help(format!("write `{key}: {meant}`")),
            )
        }
        None => {
            let meant = slip(key, LABELS.iter().map(|(known, _)| *known))?;
            Some(
                finding_on_key(CODE, object, &place, message(format!("by `{key}`")))
                    .why(why)
                    .help(format!("write `{meant}`")),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn labels_that_are_nearly_right_are_told() {
        let with = |name: &str, labels: &str| {
            let text = format!(
                "apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {{name: {name}, namespace: network}}
spec: {{selector: {{matchLabels: {{{labels}}}}}}}
"
            );
            let found = told(check, "1.9.0", &[("a.yaml", &text)]);
            let place = "warning flux/misspelt-selector /spec/selector/matchLabels/";
            let short = |one: &String| one.replace(place, "");
            found.iter().map(short).collect::<Vec<_>>()
        };
        assert_eq!(
            with("envoy", "app.kubernetes.io/name: evnoy"),
            [
                "app.kubernetes.io~1name: envoy selects `app.kubernetes.io/name: evnoy`, which is not a label of Envoy Gateway"
            ]
        );
        assert_eq!(
            with(
                "proxies",
                "app.kubernetes.io/name: envoy, app.kubernetes.io/componnt: proxy"
            ),
            [
                "app.kubernetes.io~1componnt: proxies selects by `app.kubernetes.io/componnt`, which is not a label of Envoy Gateway"
            ]
        );
        assert_eq!(
            with(
                "envoy",
                "app.kubernetes.io/name: envoy, app.kubernetes.io/component: proxy"
            ),
            [""; 0]
        );
        assert_eq!(with("app", "app.kubernetes.io/name: evnoy"), [""; 0]);
        assert_eq!(with("envoy", "app.kubernetes.io/name: grafana"), [""; 0]);
    }
}
