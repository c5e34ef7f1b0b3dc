//! References to another namespace that no ReferenceGrant allows. [`attachment`](crate::lint::attachment) finds them.

manifest::code! {
    "reference"/"not-permitted", Error, "A reference to another namespace that no ReferenceGrant allows.",
    r#"
A reference points to another namespace, and no ReferenceGrant there allows it. For a route, requests get
status 500; a listener has no certificate. The grant must be in the namespace that the reference points to. It
names the kind and the namespace of the objects that may refer to it.

## Wrong

```yaml
# HTTPRoute in `apps`
backendRefs:
  - {name: db, namespace: data, port: 80}
```

## Right

```yaml
# beside it, in `data`:
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: apps, namespace: data}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: apps}]
  to: [{group: "", kind: Service}]
```
"#
}

/// What to do about it.
pub(crate) const HELP: &str = "add a ReferenceGrant in the other namespace";

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, route, said};

    const SERVICE: &str = "---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: data}
spec: {ports: [{port: 80}]}
";

    #[test]
    fn a_reference_to_another_namespace_is_told_where_the_service_is_at_hand() {
        let of = |backend: &str| {
            let rules = format!("rules: [{{backendRefs: [{backend}]}}]");
            said(&(GATEWAY.to_owned() + SERVICE + &route("sectionName: https", &rules)))
        };
        assert_eq!(
            of("{name: app, namespace: data, port: 80}"),
            [
                "reference/not-permitted /spec/rules/0/backendRefs/0: rule 0: backend 0: no ReferenceGrant in namespace `data` allows HTTPRoute of namespace `apps` to refer to Service data/app (add a ReferenceGrant to namespace `data` with `from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: apps}]` and `to: [{group: \"\", kind: Service}]`)"
            ]
        );
    }
}
