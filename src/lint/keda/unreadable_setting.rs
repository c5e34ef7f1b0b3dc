//! Settings of triggers that KEDA can't read: numbers that are none, and addresses without a scheme.

use crate::lint::LintContext;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "keda"/"unreadable-setting", Error, "A setting of a trigger that KEDA can't read.",
    r#"
The settings of a trigger are texts, so the API server accepts anything. KEDA reads some of them as numbers, and the
address of Prometheus as a URL. If it can't, the trigger fails, and nothing is scaled by it. A threshold of 0 can't be
divided by.

## Wrong

```yaml
triggers:
  - type: prometheus
    metadata: { serverAddress: "prometheus:9090", query: "sum(requests)", threshold: "100rps" }
```

## Right

```yaml
triggers:
  - type: prometheus
    metadata: { serverAddress: "http://prometheus:9090", query: "sum(requests)", threshold: "100" }
```
"#
}

/// What KEDA reads a setting as.
#[derive(Clone, Copy, Debug)]
enum As {
    Number,
    NumberAboveZero,
    Url,
}

/// The types of triggers, their settings, and what KEDA reads these as (KEDA 2.20).
const SETTINGS: &[(&str, &str, As)] = &[
    ("prometheus", "threshold", As::NumberAboveZero),
    ("prometheus", "activationThreshold", As::Number),
    ("prometheus", "serverAddress", As::Url),
    ("cpu", "value", As::NumberAboveZero),
    ("memory", "value", As::NumberAboveZero),
    ("cron", "desiredReplicas", As::Number),
];

/// Reports such settings.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let kinds = ["ScaledObject", "ScaledJob"].into_iter();
    let scaled = kinds.flat_map(|kind| context.of_kind("keda.sh", kind));
    let found = scaled.flat_map(|one| of_object(one.object)).collect();
    super::once_for_each_setting(found)
}

fn of_object(object: &Object) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let triggers = list(&object.node, &["spec", "triggers"]).iter();
    for (at, trigger) in triggers.enumerate() {
        let kind = text(trigger, &["type"]).unwrap_or_default();
        for (_, key, reading) in SETTINGS.iter().filter(|(of, ..)| *of == kind) {
            let value = text(trigger, &["metadata", key]).unwrap_or_default();
            let Some(help) = unreadable(value, *reading) else {
                continue;
            };
            let place = Pointer::root().key("spec").key("triggers").index(at);
            let place = place.key("metadata").key(*key);
            let message = format!("KEDA can't use `{value}` as `{key}`");
            found.push(
                finding(CODE, object, &place, message)
                    .why("the trigger fails, so nothing is scaled by it")
                    .help(help),
            );
        }
    }
    found
}

/// What to write instead of a value that can't be read.
fn unreadable(value: &str, reading: As) -> Option<String> {
    if value.is_empty() || variable::in_text(value) {
        return None;
    }
    match reading {
        As::Url => {
            let looks_like_a_host = value.contains(['.', ':']) && !value.contains("://");
            looks_like_a_host.then(|| format!("write `http://{value}`"))
        }
        As::Number | As::NumberAboveZero => match value.parse::<f64>() {
            Ok(number) if number > 0.0 => None,
            Ok(_) if matches!(reading, As::Number) => None,
            Ok(_) => Some("write a number above 0".to_owned()),
            // `cpu` and `memory` also take quantities, such as `500m`.
            Err(_) => (!value.starts_with(|c: char| c.is_ascii_digit())
                || value.ends_with(|c: char| c.is_lowercase() && c != 'm' && c != 'k'))
            .then(|| "write a number, such as `\"100\"`".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn settings_can_be_read() {
        let with = |trigger: &str| {
            let text = format!(
                "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: a, namespace: b}}
spec: {{scaleTargetRef: {{name: a}}, triggers: [{{{trigger}}}]}}
"
            );
            let found = told(check, "1.9.0", &[("a.yaml", &text)]);
            let start = "error keda/unreadable-setting /spec/triggers/0/metadata/";
            let short = |one: &String| one.replace(start, "");
            found.iter().map(short).collect::<Vec<_>>()
        };
        assert_eq!(
            with(
                "type: prometheus, metadata: {serverAddress: 'http://a:9090', threshold: '100.5'}"
            ),
            [""; 0]
        );
        assert_eq!(
            with("type: prometheus, metadata: {serverAddress: '${URL}', threshold: '${LIMIT}'}"),
            [""; 0]
        );
        assert_eq!(with("type: cpu, metadata: {value: 500m}"), [""; 0]);
        assert_eq!(
            with("type: prometheus, metadata: {serverAddress: 'a:9090', threshold: two}"),
            [
                "threshold: KEDA can't use `two` as `threshold`",
                "serverAddress: KEDA can't use `a:9090` as `serverAddress`"
            ]
        );
        assert_eq!(
            with("type: prometheus, metadata: {serverAddress: 'http://a', threshold: '0'}"),
            ["threshold: KEDA can't use `0` as `threshold`"]
        );
    }
}
