//! Names for which nothing publishes a DNS record.

use super::published::Name;
use envoy_gateway::exposure::publisher::Publisher;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "dns"/"unpublished", Warning, "A hostname that nothing publishes in DNS.",
    r#"
A publisher of DNS records selects the gateway and the route, but not this name: the name is outside of its
domains, or it doesn't read this kind of route. Nothing else publishes the name either, so clients don't find
the gateway. Names that are published outside of the cluster can be excluded with the annotation `controller:
none` on the route.

## Wrong

```yaml
# external-dns
sources: [gateway-httproute]
domainFilters: [example.com]
---
kind: HTTPRoute
spec:
  hostnames: [shop.example.org]
```

## Right

```yaml
# external-dns
sources: [gateway-httproute]
domainFilters: [example.com, example.org]
---
kind: HTTPRoute
spec:
  hostnames: [shop.example.org]
```
"#
}

/// Reports a name that `publisher` leaves out.
pub(crate) fn report(name: &Name<'_, '_>, publisher: &Publisher<'_>, is_kind: bool) -> Diagnostic {
    let spec = Pointer::root().key("spec");
    let hostnames = name.route.hostnames.iter();
    let at = hostnames.clone().position(|there| *there == name.hostname);
    let pointer = match at {
        Some(at) => spec.key("hostnames").index(at),
        None => spec.key("parentRefs").index(name.parent),
    };
    let kind = name.route.kind.as_str();
    let by = &publisher.by;
    let (reason, help) = match is_kind {
        true => (
            format!("{by} doesn't read {kind}s"),
            format!("add `gateway-{}` to its `sources`", kind.to_lowercase()),
        ),
        false => (
            format!("it is outside of the domains of {by}"),
            "add its domain to `domainFilters`, or correct the hostname".to_owned(),
        ),
    };
    let message = format!("nothing publishes {}: {reason}", name.hostname);
    finding(CODE, name.route.object, &pointer, message)
        .related(
            publisher.span,
            "this publishes the other names of the gateway",
        )
        .why("there is no DNS record for the name, so clients don't find the gateway")
        .help(help)
}
