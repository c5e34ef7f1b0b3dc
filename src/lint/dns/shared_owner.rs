//! Two external-dns that take each other's records for their own.

use crate::lint::LintContext;
use envoy_gateway::exposure::dns::Publishers;
use envoy_gateway::exposure::publisher::Publisher;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Pointer;

manifest::code! {
    "dns"/"shared-owner", Warning, "Two external-dns with the same owner in the same zone.",
    r#"
external-dns marks its records with the owner in `txtOwnerId` (`default` without one), and deletes records of
its own for which it finds no object. Two of them write to the same provider with the same owner, but select
different objects. Each deletes the records of the other one. Give each an owner of its own, or domains of its
own.

## Wrong

```yaml
# external-dns for envoy-external
provider: { name: cloudflare }
extraArgs: [--gateway-name=envoy-external]
---
# external-dns for envoy-internal
provider: { name: cloudflare }
extraArgs: [--gateway-name=envoy-internal]
```

## Right

```yaml
# external-dns for envoy-external
provider: { name: cloudflare }
txtOwnerId: external
extraArgs: [--gateway-name=envoy-external]
---
# external-dns for envoy-internal
provider: { name: cloudflare }
txtOwnerId: internal
extraArgs: [--gateway-name=envoy-internal]
```
"#
}

/// Reports the second of two external-dns with the same provider and owner.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let objects: Vec<&Object> = context.all().map(|one| one.object).collect();
    let publishers = Publishers::find(objects.iter().copied());
    let mut found = Vec::new();
    let mut seen: Vec<&Publisher<'_>> = Vec::new();
    for publisher in publishers.all() {
        let first = seen.iter().find(|first| {
            let objects = first.object.zip(publisher.object);
            are_alike(first, publisher)
                && objects.is_some_and(|(one, other)| context.may_share_cluster(one, other))
        });
        found.extend(first.and_then(|first| report(first, publisher)));
        seen.push(publisher);
    }
    found
}

fn are_alike(one: &Publisher<'_>, other: &Publisher<'_>) -> bool {
    let share_domain = one.filter.domains.is_empty()
        || other.filter.domains.is_empty()
        || one
            .filter
            .domains
            .iter()
            .any(|domain| other.filter.domains.contains(domain));
    // The image of a webhook does not tell to which server it writes.
    let is_known = |publisher: &Publisher<'_>| {
        publisher.filter.reads_annotations && !publisher.filter.is_open && !publisher.is_webhook
    };
    is_known(one)
        && is_known(other)
        && share_domain
        && one.provider.is_some()
        && one.provider == other.provider
        && one.owner.is_some()
        && one.owner == other.owner
}

fn report(first: &Publisher<'_>, second: &Publisher<'_>) -> Option<Diagnostic> {
    let object = second.object?;
    let name = Pointer::root().key("metadata").key("name");
    let owner = second.owner.unwrap_or_default();
    let message = format!(
        "{} and {} write to {} with the same owner, `{owner}`",
        first.by,
        second.by,
        second.provider.as_deref().unwrap_or_default()
    );
    Some(
        finding(CODE, object, &name, message)
        .related(first.span, "the other one")
        .why("each takes the records of the other one for its own, finds no object for them, and deletes them")
        .help("give each its own `txtOwnerId`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;

    #[test]
    fn each_external_dns_owns_its_records() {
        let release = |name: &str, provider: &str, owner: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: network}}
spec:
  chart: {{spec: {{chart: external-dns, version: 1.23.0}}}}
  values: {{provider: {{name: {provider}}}, sources: [gateway-httproute]{owner}}}
---
"
            )
        };
        let says = |provider: &str, owner: &str| {
            let both = [
                release("a", "cloudflare", ""),
                release("b", provider, owner),
            ];
            told(check, "1.9.0", &[("a.yaml", &both.concat())])
        };
        assert_eq!(
            says("cloudflare", ""),
            [
                "warning dns/shared-owner /metadata/name: HelmRelease network/a and HelmRelease network/b write to cloudflare with the same owner, `default`"
            ]
        );
        assert_eq!(says("cloudflare", ", txtOwnerId: b"), [""; 0]);
        assert_eq!(says("ovh", ""), [""; 0]);
    }
}
