//! A public DNS provider that gets the names of an internal gateway, too.

use super::published::Name;
use envoy_gateway::exposure::publisher::Publisher;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "dns"/"unfiltered-publisher", Warning, "A publisher at a public provider that publishes the names of another publisher's gateway.",
    r#"
One publisher of DNS records is restricted to a gateway with a private address. Another one, which writes to a
public provider such as Cloudflare, has no filter on gateways, so it publishes the names of that gateway, too.
Everybody can read the internal names and addresses, and clients outside of the network get an address that
they can't reach.

## Wrong

```yaml
# external-dns for the router
provider: { name: webhook }
extraArgs: [--gateway-name=envoy-internal]
---
# external-dns for Cloudflare
provider: { name: cloudflare }
```

## Right

```yaml
# external-dns for the router
provider: { name: webhook }
extraArgs: [--gateway-name=envoy-internal]
---
# external-dns for Cloudflare
provider: { name: cloudflare }
extraArgs: [--gateway-name=envoy-external]
```
"#
}

/// Providers whose zones everybody can read.
const PUBLIC: [&str; 12] = [
    "akamai",
    "alibabacloud",
    "aws",
    "azure",
    "cloudflare",
    "digitalocean",
    "gandi",
    "godaddy",
    "google",
    "linode",
    "ns1",
    "ovh",
];

/// Whether a publisher writes to a public provider, and has no filter on gateways or routes.
pub(crate) fn is_open(publisher: &Publisher<'_>) -> bool {
    let filter = &publisher.filter;
    let is_public = publisher
        .provider
        .as_deref()
        .is_some_and(|it| PUBLIC.contains(&it));
    is_public
        && filter.reads_annotations
        && !filter.is_open
        && !is_restricted(publisher)
        && filter.labels.is_none()
        && filter.annotations.is_none()
        && filter.namespace.is_none()
}

/// Whether a publisher is restricted to some gateways.
pub(crate) fn is_restricted(publisher: &Publisher<'_>) -> bool {
    let filter = &publisher.filter;
    filter.gateway.is_some()
        || filter.stated_gateways.is_some()
        || filter.gateway_namespace.is_some()
        || filter.gateway_labels.is_some()
        || !filter.classes.is_empty()
}

/// Reports the open publisher, which publishes a name of the gateway that the other one is for. `object` installs it.
pub(crate) fn report(
    open: &Publisher<'_>,
    object: &Object,
    other: &Publisher<'_>,
    name: &Name<'_, '_>,
) -> Diagnostic {
    let place = Pointer::root().key("metadata").key("name");
    let gateway = name.gateway.name();
    let message = format!(
        "{} publishes the names of {gateway}, too, such as {}",
        open.by, name.hostname
    );
    finding(CODE, object, &place, message)
        .related(other.span, format!("this is restricted to {gateway}"))
        .why(format!(
            "the zone is public, so everybody can read the internal names, and gets the private address {}",
            name.leads_to()
        ))
        .help("restrict it to its own gateway (`--gateway-name` or `--gateway-label-filter` in `extraArgs`)")
}
