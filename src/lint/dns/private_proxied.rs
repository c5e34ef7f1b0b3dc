//! Private addresses that Cloudflare is to proxy.

use super::published::Name;
use envoy_gateway::exposure::publisher::Publisher;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer};

manifest::code! {
    "dns"/"private-proxied", Error, "A record that Cloudflare is to proxy, and that points to a private address.",
    r#"
external-dns publishes the names of a gateway at Cloudflare with a private address, and asks Cloudflare to proxy them.
Cloudflare refuses such records (error 9003), because it can't reach the address. Give the gateway a public target, such
as the name of a tunnel, by the annotation `target`, or don't let Cloudflare proxy the names.

## Wrong

```yaml
# external-dns with --cloudflare-proxied
kind: Gateway
metadata:
  annotations:
    external-dns.kubernetes.io/target: 10.10.30.26
```

## Right

```yaml
# external-dns with --cloudflare-proxied
kind: Gateway
metadata:
  annotations:
    external-dns.kubernetes.io/target: external.example.com
```
"#
}

/// Reports the private address of a name's gateway.
pub(crate) fn report(name: &Name<'_, '_>, address: &str, publisher: &Publisher<'_>) -> Diagnostic {
    let metadata = Pointer::root().key("metadata");
    let annotations = metadata.key("annotations");
    let map = name.gateway.node.at(&annotations).and_then(Node::as_map);
    let key = map
        .and_then(|map| map.iter().find(|(key, _)| key.ends_with("/target")))
        .map(|(key, _)| key.to_owned());
    let pointer = match (name.target, key) {
        (Some(_), Some(key)) => annotations.key(key),
        _ => metadata.key("name"),
    };
    let message = format!(
        "Cloudflare can't proxy for {address}, the private address of {}",
        name.gateway.name()
    );
    finding(CODE, name.gateway, &pointer, message)
        .related(
            publisher.span,
            format!("this publishes {}", name.hostname),
        )
        .why("Cloudflare refuses such a record, so the gateway's names are not published")
        .help("annotate the Gateway with a public `target`, such as the name of a tunnel, or set `cloudflare-proxied: \"false\"` on its routes")
}
