//! Autoscalers whose minimum of replicas is above their maximum.

use crate::lint::LintContext;
use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "keda"/"minimum-above-maximum", Error, "An autoscaler whose minimum is above its maximum.",
    r#"
The minimum number of replicas is greater than the maximum, or the idle number is not less than the minimum.
KEDA's admission webhook or the API server refuses such an object, and Flux then applies nothing from its
Kustomization. The default maximum of a ScaledObject is 100, and the default minimum is 0.

## Wrong

```yaml
kind: ScaledObject
spec:
  minReplicaCount: 3
  maxReplicaCount: 2
```

## Right

```yaml
kind: ScaledObject
spec:
  minReplicaCount: 2
  maxReplicaCount: 3
```
"#
}

/// Reports a minimum of replicas above the maximum.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    const ROWS: [(&str, &str, &str, &str, u64, &str); 3] = [
        (
            "keda.sh",
            "ScaledObject",
            "minReplicaCount",
            "maxReplicaCount",
            100,
            "KEDA refuses the object, so nothing is scaled",
        ),
        (
            "keda.sh",
            "ScaledObject",
            "idleReplicaCount",
            "minReplicaCount",
            0,
            "KEDA refuses the object, so nothing is scaled",
        ),
        (
            "autoscaling",
            "HorizontalPodAutoscaler",
            "minReplicas",
            "maxReplicas",
            1,
            "the API server refuses the object, so nothing of its Flux Kustomization is applied",
        ),
    ];
    let mut found = Vec::new();
    for (group, kind, low, high, default, why) in ROWS {
        for of in context.of_kind(group, kind) {
            let number = |key: &str| {
                of.object
                    .node
                    .path(&["spec", key])
                    .map(|node| node.to_json().as_u64())
            };
            let (Some(Some(least)), most) = (number(low), number(high)) else {
                continue;
            };
            let Some(most) = most.unwrap_or(Some(default)) else {
                continue;
            };
            // KEDA requires fewer replicas when idle, not the same number.
            let is_wrong = if low == "idleReplicaCount" {
                least >= most
            } else {
                least > most
            };
            if !is_wrong {
                continue;
            }
            let pointer = Pointer::root().key("spec");
            let name = of.object.name();
            found.push(
                finding(CODE, of.object, &pointer.key(low), format!("{name} has {least} as `{low}` and {most} as `{high}`"))
                    .related(other_bound(of.object, &pointer.key(high)), "the other bound")
                    .why(why)
                    .help(if low == "idleReplicaCount" {
                        "`idleReplicaCount` must be less than `minReplicaCount`; remove it unless you scale to zero"
                    } else {
                        "make the maximum at least as large as the minimum"
                    }),
            );
        }
    }
    found
}

/// The place of a bound, where it is given.
fn other_bound(object: &Object, pointer: &Pointer) -> Option<Span> {
    object.node.at(pointer)?;
    object.place_to_change(pointer)
}

#[cfg(test)]
mod tests {
    use crate::lint::keda::autoscalers::tests::scaled;
    use crate::lint::support::found_in;

    #[test]
    fn bounds_are_the_right_way_round() {
        let bounds = |text: &str| found_in(&format!("{}\n", scaled("a", "x", text)));
        assert_eq!(bounds("minReplicaCount: 2\n  maxReplicaCount: 2"), [""; 0]);
        assert_eq!(bounds("maxReplicaCount: 0"), [""; 0]);
        assert_eq!(
            bounds("minReplicaCount: 3\n  maxReplicaCount: 2"),
            [
                "error keda/minimum-above-maximum a.yaml:6 a has 3 as `minReplicaCount` and 2 as `maxReplicaCount`"
            ]
        );
        assert_eq!(
            bounds("minReplicaCount: 1\n  idleReplicaCount: 1"),
            [
                "error keda/minimum-above-maximum a.yaml:7 a has 1 as `idleReplicaCount` and 1 as `minReplicaCount`"
            ]
        );
    }
}
