use super::*;
use crate::lint::support::objects;

fn told(project: &str, text: &str, from: &str, to: &str) -> Vec<String> {
    let all = objects("a.yaml", text);
    let touched = between(project, &all, &Version::new(from), &Version::new(to));
    let findings = touched.iter().flat_map(|places| findings(project, places));
    findings
        .map(|one| {
            let at = one.pointer.unwrap_or_default();
            format!("{} {at}: {}", one.severity.as_str(), one.message)
        })
        .collect()
}

const PROXY: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: x}
spec: {telemetry: {tracing: {samplingFraction: {numerator: 1}}}}
";

#[test]
fn only_what_lies_between_the_two_versions_is_told() {
    let told = |from, to| told("envoy-gateway", PROXY, from, to);
    assert_eq!(
        told("1.7.5", "1.8.3"),
        [
            "note /spec/telemetry/tracing/samplingFraction: from Envoy Gateway 1.8.0 on, a hundred times as many requests are traced"
        ]
    );
    assert_eq!(told("1.7.5", "1.9.0").len(), 2);
    assert_eq!(told("1.9.0", "1.9.0"), [""; 0]);
    assert_eq!(told("1.9.0", "1.7.5"), [""; 0]);
}

#[test]
fn a_patch_release_may_bring_a_change_of_the_next_minor_version() {
    let route = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x}
spec: {rules: [{filters: [{type: ExtensionRef, extensionRef: {group: a, kind: B, name: c}}]}]}
";
    let told = |from, to| told("envoy-gateway", route, from, to).len();
    assert_eq!(told("1.6.5", "1.6.6"), 1);
    assert_eq!(told("1.6.5", "1.7.0"), 1);
    assert_eq!(told("1.6.6", "1.7.0"), 0);
}

#[test]
fn words_are_told_once() {
    let gateway = "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: x
  annotations:
    external-dns.alpha.kubernetes.io/target: a.example.com
    external-dns.alpha.kubernetes.io/hostname: b.example.com
";
    assert_eq!(
        told("external-dns", gateway, "0.21.0", "0.22.0"),
        [
            "error /metadata/annotations/external-dns.alpha.kubernetes.io~1target: from external-dns 0.22.0 on, annotations with the prefix `external-dns.alpha.kubernetes.io/` are not read (here and at one more place)"
        ]
    );
    let both = gateway.replace(
            "  annotations:\n",
            "  annotations:\n    external-dns.kubernetes.io/target: a.example.com\n    external-dns.kubernetes.io/hostname: b.example.com\n",
        );
    assert_eq!(told("external-dns", &both, "0.21.0", "0.22.0"), [""; 0]);
}

#[test]
fn entries_are_whole_and_within_what_was_read() {
    for project in PROJECTS {
        let (first, last) = project.covers;
        let (first, last) = (Version::new(first), Version::new(last));
        assert!(first.minor().is_some() && last.minor().is_some() && first < last);
        for change in project.changes {
            assert!(
                !change.message.is_empty() && !change.why.is_empty(),
                "{change:?}"
            );
            assert!(
                !change.help.is_empty() && !change.at.is_empty(),
                "{change:?}"
            );
            for at in change.at {
                let at = Version::new(at);
                assert!(
                    at.minor().is_some() && first < at && at <= last,
                    "{change:?}"
                );
            }
        }
    }
}
