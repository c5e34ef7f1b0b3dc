//! Changes of behaviour that the API server doesn't see: an object is valid as before, but has another effect from a
//! version on. They are in [`changes`](super::changes).

manifest::code! {
    "version"/"behaviour", Note, "A setting whose behaviour changes in a newer version.",
    r#"
`gatewayctl upgrade --to VERSION` reports this: the object is still valid without a change, but from that
version on Envoy Gateway treats it differently. You only have to change the object if you don't want the new
behaviour.

## Wrong

```yaml
# written before Envoy Gateway 1.8, which traces a hundred times as many requests with it
kind: EnvoyProxy
spec:
  telemetry: { tracing: { samplingFraction: { numerator: 1, denominator: 10 } } }
```

## Right

```yaml
kind: EnvoyProxy
spec:
  telemetry: { tracing: { samplingFraction: { numerator: 1, denominator: 1000 } } }
```
"#
}
