//! Cooldown periods that have no effect.

use crate::lint::LintContext;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "keda"/"cooldown-without-zero", Warning, "A cooldown period of an object that is never scaled to zero.",
    r#"
KEDA waits for `cooldownPeriod` only before it scales to zero (or to `idleReplicaCount`). Between the minimum and the
maximum, the HorizontalPodAutoscaler decides. It removes replicas after its own stabilization window, which is five
minutes by default. In `cluster.toml`, write the window into `spec` of `[autoscaling]`.

## Wrong

```yaml
kind: ScaledObject
spec:
  minReplicaCount: 1
  cooldownPeriod: 600
```

## Right

```yaml
kind: ScaledObject
spec:
  minReplicaCount: 1
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: 600
```
"#
}

/// Reports `cooldownPeriod` where the minimum is not zero.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let pointer = Pointer::root().key("spec").key("cooldownPeriod");
    let scaled = context.of_kind("keda.sh", "ScaledObject");
    let found = scaled
        .filter(|one| !super::is_paused(one.object))
        .filter_map(|one| {
            let spec = one.object.node.get("spec")?;
            spec.get("cooldownPeriod")?;
            // The default is zero.
            let least = spec.get("minReplicaCount")?.to_json().as_u64()?;
            if least == 0 || spec.get("idleReplicaCount").is_some() {
                return None;
            }
            let message = format!(
                "`cooldownPeriod` has no effect, because {} is never scaled to zero",
                one.object.name()
            );
            Some(
                finding(CODE, one.object, &pointer, message)
                    .related(
                        one.object.place_to_change(&Pointer::root().key("spec").key("minReplicaCount")),
                        "the minimum",
                    )
                    .why("down to a minimum of one or more, the HorizontalPodAutoscaler decides when replicas are removed, by default after five minutes")
                    .help("remove it, or set `advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds` instead"),
            )
        })
        .collect();
    super::once_for_each_setting(found)
}

#[cfg(test)]
mod tests {
    use crate::lint::keda::autoscalers::tests::scaled;
    use crate::lint::support::found_in;

    #[test]
    fn a_cooldown_is_for_scaling_to_zero() {
        let says = |rest: &str| found_in(&format!("{}\n", scaled("a", "x", rest)));
        assert_eq!(
            says("minReplicaCount: 1\n  cooldownPeriod: 300"),
            [
                "warning keda/cooldown-without-zero a.yaml:7 `cooldownPeriod` has no effect, because a is never scaled to zero"
            ]
        );
        assert_eq!(says("minReplicaCount: 0\n  cooldownPeriod: 300"), [""; 0]);
        assert_eq!(says("cooldownPeriod: 300"), [""; 0]);
        assert_eq!(
            says("minReplicaCount: 1\n  idleReplicaCount: 0\n  cooldownPeriod: 300"),
            [""; 0]
        );
    }
}
