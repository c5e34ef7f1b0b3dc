//! Fallbacks of ScaledObjects that KEDA refuses, or that have no effect.

use crate::lint::LintContext;
use envoy_gateway::read::{int, list, text};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "keda"/"unusable-fallback", Warning, "A fallback of a ScaledObject that can't do what is written.",
    r#"
If KEDA can't read the metrics of a trigger, `fallback` gives the number of replicas that it scales to. That number goes
through the HorizontalPodAutoscaler, which keeps it between `minReplicaCount` and `maxReplicaCount`. The triggers `cpu`
and `memory` are read by Kubernetes, not by KEDA, so KEDA refuses a fallback for them alone. It refuses negative
numbers, too.

## Wrong

```yaml
minReplicaCount: 2
maxReplicaCount: 6
fallback: {failureThreshold: 3, replicas: 10}
```

## Right

```yaml
minReplicaCount: 2
maxReplicaCount: 6
fallback: {failureThreshold: 3, replicas: 6}
```
"#
}

/// The number of replicas that a ScaledObject scales to at most, if it doesn't say so.
const MOST: i64 = 100;

const REFUSED: &str = "KEDA refuses the object, so nothing is scaled";

/// Reports fallbacks that KEDA refuses, and those outside of the bounds of the ScaledObject.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let scaled = context.of_kind("keda.sh", "ScaledObject");
    let found = scaled.filter_map(|one| unusable(one.object)).collect();
    super::once_for_each_setting(found)
}

fn unusable(object: &Object) -> Option<Diagnostic> {
    let place = Pointer::root().key("spec").key("fallback");
    object.node.at(&place)?;
    let name = object.name();
    let number = |path: &[&str]| int(&object.node, path);
    for key in ["failureThreshold", "replicas"] {
        if number(&["spec", "fallback", key]).is_some_and(|it| it < 0) {
            let message = format!("`{key}` of the fallback of {name} is negative");
            let found = finding(CODE, object, &place.key(key), message);
            let help = format!("write a `{key}` of at least 0");
            return Some(found.severity(Severity::Error).why(REFUSED).help(help));
        }
    }
    let triggers = list(&object.node, &["spec", "triggers"]);
    let mut kinds = triggers.iter().map(|it| text(it, &["type"]));
    if !triggers.is_empty() && kinds.all(|kind| matches!(kind, Some("cpu" | "memory"))) {
        let message = format!("{name} has a fallback, but only triggers for CPU and memory");
        let found = finding(CODE, object, &place, message);
        let help =
            "remove `fallback`, or add a trigger that KEDA reads itself, such as `prometheus`";
        return Some(found.severity(Severity::Error).why(REFUSED).help(help));
    }
    let replicas = number(&["spec", "fallback", "replicas"])?;
    let least = number(&["spec", "minReplicaCount"]).unwrap_or(0);
    let most = number(&["spec", "maxReplicaCount"]).unwrap_or(MOST);
    let (bound, key) = match replicas {
        _ if least > most => return None,
        it if it < least => (least, "minReplicaCount"),
        it if it > most => (most, "maxReplicaCount"),
        _ => return None,
    };
    let message = format!("the fallback of {name} is {replicas} replicas, and `{key}` is {bound}");
    Some(
        finding(CODE, object, &place.key("replicas"), message)
            .why(format!(
                "without metrics, there are {bound} replicas and not {replicas}"
            ))
            .help(format!("write `replicas: {bound}`, or change `{key}`")),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn a_fallback_is_within_the_bounds_and_for_a_metric() {
        let says = |fallback: &str, trigger: &str| {
            let text = format!(
                "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: web, namespace: web}}
spec:
  scaleTargetRef: {{name: web}}
  minReplicaCount: 2
  maxReplicaCount: 6
  fallback: {{{fallback}}}
  triggers: [{{type: {trigger}}}]
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let code = "keda/unusable-fallback /spec/fallback";
        let of = |replicas: &str| {
            says(
                &format!("failureThreshold: 3, replicas: {replicas}"),
                "prometheus",
            )
        };
        assert_eq!(of("2"), [""; 0]);
        assert_eq!(of("6"), [""; 0]);
        assert_eq!(
            of("1"),
            [format!(
                "warning {code}/replicas: the fallback of web is 1 replicas, and `minReplicaCount` is 2"
            )]
        );
        assert_eq!(
            of("10"),
            [format!(
                "warning {code}/replicas: the fallback of web is 10 replicas, and `maxReplicaCount` is 6"
            )]
        );
        assert_eq!(
            of("-1"),
            [format!(
                "error {code}/replicas: `replicas` of the fallback of web is negative"
            )]
        );
        assert_eq!(
            says("failureThreshold: 3, replicas: 4", "cpu"),
            [format!(
                "error {code}: web has a fallback, but only triggers for CPU and memory"
            )]
        );
    }
}
