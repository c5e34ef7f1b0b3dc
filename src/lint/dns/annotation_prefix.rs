//! Annotations with a prefix that the installed external-dns doesn't read.

use super::annotations::{DnsAnnotation, annotations};
use crate::lint::LintContext;
use envoy_gateway::exposure::dns::Publishers;
use envoy_gateway::exposure::publisher::{AnnotationPrefixes, PrefixReason};
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;

manifest::code! {
    "dns"/"annotation-prefix", Warning, "An annotation with a prefix that external-dns doesn't read.",
    r#"
external-dns 0.22 (chart 1.22) and later read annotations with the prefix `external-dns.kubernetes.io/`,
earlier versions those with `external-dns.alpha.kubernetes.io/`, and none reads both by default. If the prefix
doesn't fit, targets and hostnames of annotations are ignored, and with `policy: sync` the records that come
from them are deleted. Rename the annotations, or set `annotationPrefix` in the values of external-dns' chart
(the flag `--annotation-prefix`). Until all are renamed, the objects may have both annotations. If only the
version of the chart shows what is installed, this is a note.

## Wrong

```yaml
# external-dns 0.22
kind: Gateway
metadata:
  annotations:
    external-dns.alpha.kubernetes.io/target: external.example.com
```

## Right

```yaml
# external-dns 0.22
kind: Gateway
metadata:
  annotations:
    external-dns.kubernetes.io/target: external.example.com
```
"#
}

/// Reports, once for each cluster, annotations that none of its external-dns reads.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let all = annotations(context);
    if all.is_empty() {
        return Vec::new();
    }
    let objects: Vec<&Object> = context.all().map(|one| one.object).collect();
    let publishers = Publishers::find(objects.iter().copied());
    let external_dns: Vec<(&Object, Option<&AnnotationPrefixes>)> = publishers
        .all()
        .iter()
        .filter(|publisher| publisher.filter.reads_annotations)
        .filter_map(|publisher| Some((publisher.object?, publisher.prefixes.as_ref())))
        .collect();
    let mut told: Vec<&Object> = Vec::new();
    let mut found = Vec::new();
    for one in gateways_first(&all) {
        let near = external_dns
            .iter()
            .filter(|(publisher, _)| context.may_share_cluster(publisher, one.object));
        // Each of them must be known, because another one may read the annotation.
        let known: Option<Vec<(&Object, &AnnotationPrefixes)>> = near
            .map(|(publisher, prefixes)| Some((*publisher, (*prefixes)?)))
            .collect();
        let known = known.unwrap_or_default();
        let Some((publisher, prefixes)) = known.first() else {
            continue;
        };
        let is_read = |(_, prefixes): &(&Object, &AnnotationPrefixes)| {
            prefixes.read.iter().any(|prefix| prefix == one.prefix)
        };
        if known.iter().any(is_read) || one.has_both {
            continue;
        }
        let is_told = told
            .iter()
            .any(|there| context.may_share_cluster(there, one.object));
        if is_told {
            continue;
        }
        told.push(one.object);
        let alike = all.iter().filter(|other| {
            other.prefix == one.prefix
                && !other.has_both
                && context.may_share_cluster(other.object, one.object)
        });
        found.push(unread(one, publisher, prefixes, alike.count()));
    }
    found
}

/// The annotations of gateways before the others, because most routes depend on them.
fn gateways_first<'d, 'a>(all: &'d [DnsAnnotation<'a>]) -> Vec<&'d DnsAnnotation<'a>> {
    let mut sorted: Vec<&DnsAnnotation> = all.iter().collect();
    sorted.sort_by_key(|one| one.object.kind() != "Gateway");
    sorted
}

fn unread(
    one: &DnsAnnotation<'_>,
    publisher: &Object,
    prefixes: &AnnotationPrefixes,
    count: usize,
) -> Diagnostic {
    let read = prefixes.read.first().map_or("", String::as_str);
    let others = match count {
        0 | 1 => String::new(),
        2 => ", here and at one more place".to_owned(),
        _ => format!(", here and at {} more places", count - 1),
    };
    let message = format!(
        "{} doesn't read annotations with the prefix `{}`{others}",
        publisher.name(),
        one.prefix
    );
    let why = match prefixes.by {
        PrefixReason::Setting => format!("its settings say that it reads `{read}`"),
        PrefixReason::Image | PrefixReason::Chart => {
            format!("by its version, it reads `{read}`; external-dns changed its default in 0.22")
        }
    };
    let pointer = manifest::value::Pointer::root().key("metadata").key("name");
    let finding = finding(CODE, one.object, &one.pointer, message)
        .related(publisher.span(&pointer), "this external-dns")
        .why(format!("{why}; so it ignores the annotation, and may delete the records that came from it"))
        .help(format!(
            "write `{read}{}`, or set `annotationPrefix: {}` in the values of external-dns; in cluster.toml, `dns.annotation_prefix`",
            one.name, one.prefix
        ));
    match prefixes.by {
        PrefixReason::Chart => finding.severity(Severity::Note),
        PrefixReason::Image | PrefixReason::Setting => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told as said;

    #[test]
    fn the_version_of_external_dns_decides_the_prefix() {
        let says = |prefix: &str, version: &str, values: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: a, namespace: b, annotations: {{{prefix}/target: x.example.com}}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: dns, namespace: b}}
spec:
  chart: {{spec: {{chart: external-dns, version: {version}}}}}
  values: {{sources: [gateway-httproute]{values}}}
"
            );
            said(check, "1.9.0", &[("a.yaml", &text)])
        };
        let (old, new) = (
            "external-dns.alpha.kubernetes.io",
            "external-dns.kubernetes.io",
        );
        let told = |severity: &str, prefix: &str| {
            [format!(
                "{severity} dns/annotation-prefix /metadata/annotations/{prefix}~1target: dns doesn't read annotations with the prefix `{prefix}/`"
            )]
        };
        assert_eq!(says(old, "1.22.0", ""), told("note", old));
        assert_eq!(
            says(old, "1.21.1", ", image: {tag: v0.22.0}"),
            told("warning", old)
        );
        assert_eq!(says(new, "1.21.1", ""), told("note", new));
        assert_eq!(says(old, "1.21.1", ""), [""; 0]);
        assert_eq!(says(new, "1.22.0", ""), [""; 0]);
        let pinned = format!(", annotationPrefix: {old}/");
        assert_eq!(says(old, "1.22.0", &pinned), [""; 0]);
        assert_eq!(says(new, "1.22.0", &pinned), told("warning", new));
        let both = ", extraArgs: [--enable-legacy-annotation-prefix]";
        assert_eq!(says(old, "1.23.0", both), [""; 0]);
    }
}
