//! Dashboards that are no JSON.

use crate::lint::LintContext;
use envoy_gateway::read::text;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "flux"/"unreadable-dashboard", Error, "A dashboard that is not valid JSON.",
    r#"
`spec.json` of a GrafanaDashboard is a text for the API server, and a dashboard for Grafana. If it is not valid JSON,
the operator reports an error in its log, and there is no dashboard, or it stays as it was. Numbers and lists of which
Flux variables are a part are not checked.

## Wrong

```yaml
kind: GrafanaDashboard
spec: { json: '{"title": "Proxies",}' }
```

## Right

```yaml
kind: GrafanaDashboard
spec: { json: '{"title": "Proxies"}' }
```
"#
}

/// Reports dashboards that can't be parsed.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let dashboards = context.of_kind("grafana.integreatly.org", "GrafanaDashboard");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in dashboards.filter_map(|it| unreadable(it.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn unreadable(object: &Object) -> Option<Diagnostic> {
    let json = text(&object.node, &["spec", "json"])?;
    let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(json) else {
        return None;
    };
    let line = json.lines().nth(error.line().saturating_sub(1));
    if line.is_some_and(|line| line.contains("${")) {
        return None;
    }
    let place = Pointer::root().key("spec").key("json");
    let message = format!("the dashboard {} is not valid JSON: {error}", object.name());
    Some(
        finding(CODE, object, &place, message)
            .why("Grafana doesn't get the dashboard, and only the log of the operator says so")
            .help("correct it, or export the dashboard from Grafana again"),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_dashboard_is_json() {
        let says = |json: &str| {
            let text = format!(
                "apiVersion: grafana.integreatly.org/v1beta1
kind: GrafanaDashboard
metadata: {{name: proxies, namespace: o11y}}
spec: {{json: '{json}'}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(says(r#"{"title": "a"}"#), [""; 0]);
        assert_eq!(says(r#"{"refresh": ${REFRESH}}"#), [""; 0]);
        assert_eq!(
            says(r#"{"title": "a",}"#),
            [
                "error flux/unreadable-dashboard /spec/json: the dashboard proxies is not valid JSON: key must be a string at line 1 column 15"
            ]
        );
    }
}
