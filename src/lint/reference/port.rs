//! References to a port that the Service doesn't have. [`attachment`](crate::lint::attachment) finds them.

manifest::code! {
    "reference"/"port", Error, "A reference to a port that the Service doesn't have.",
    r#"
The Service exists but has no such port. A `backendRef` uses the Service's `port`, not the port of the
container (`targetPort`), and the protocol must match (UDP for a UDPRoute, TCP for all others). Requests get
status 500.

## Wrong

```yaml
# The Service has port 80, its targetPort is 8080.
backendRefs: [{name: app, port: 8080}]
```

## Right

```yaml
backendRefs: [{name: app, port: 80}]
```
"#
}

/// What to do about it.
pub(crate) const HELP: &str = "write a port of the Service, not of its containers";

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
    fn a_port_is_told_where_the_service_is_at_hand() {
        let same = SERVICE.replace("namespace: data", "namespace: apps");
        let rules = "rules: [{backendRefs: [{name: app, port: 8080}]}]";
        assert_eq!(
            said(&(GATEWAY.to_owned() + &same + &route("sectionName: https", rules))),
            [
                "reference/port /spec/rules/0/backendRefs/0: rule 0: backend 0: Service apps/app has no TCP port 8080 (write a port of the Service, not of its containers)"
            ]
        );
    }
}
