//! What a newer version refuses, or doesn't do any more.

manifest::code! {
    "version"/"removed", Error, "Something that a newer version doesn't have any more.",
    r#"
`gatewayctl upgrade --to VERSION` reports this: the newer version refuses the object, or doesn't do any more what
it says. The finding names the release and what to write instead. Change it before the upgrade, or together with it.

## Wrong

```yaml
# written before KEDA 2.18
kind: ScaledObject
spec:
  triggers:
    - type: cpu
      metadata: { type: Utilization, value: "70" }
```

## Right

```yaml
kind: ScaledObject
spec:
  triggers:
    - type: cpu
      metricType: Utilization
      metadata: { value: "70" }
```
"#
}
