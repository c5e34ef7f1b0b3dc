//! `[dns]`, `[tunnel]`

use super::{file, object};
use crate::common::{APP, Project};

/// A public and an internal publisher, and the tunnel.
const FACTS: &str = "[tunnel]
id = \"${TUNNEL_ID}\"
gateways = \"envoy-external\"

[dns.publishers.cloudflare]
provider = \"cloudflare\"
version = \"0.22.0\"
gateways = \"envoy-external\"
domains = \"example.com\"

[dns.publishers.unifi]
provider = \"unifi\"
version = \"0.21.0\"
gateway_labels = { \"example.com/dns\" = \"internal\" }
target = \"10.10.30.25\"
gateways = \"envoy-internal\"
sources = \"gateway-httproute\"
";

/// A route at each of the gateways.
const ROUTES: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: blog, namespace: web}
spec:
  hostnames: [blog.example.com]
  parentRefs: [{name: envoy-external, namespace: network, sectionName: https}]
  rules: [{backendRefs: [{name: blog, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: web}
spec:
  hostnames: [shop.example.org]
  parentRefs: [{name: envoy-external, namespace: network, sectionName: https}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
";

#[test]
fn each_gateway_has_the_annotations_that_its_publishers_read() {
    let rendered = file(FACTS, "envoy.yaml");
    let gateway = |name: &str| -> String {
        let mut objects = rendered.split("---\n");
        let head = format!("kind: Gateway\nmetadata:\n  name: {name}\n");
        let found = objects.find(|object| object.contains(&head));
        let lines = found.unwrap_or_default().lines();
        let lines =
            lines.filter(|line| line.contains("example.com/dns") || line.contains("external-dns"));
        lines.fold(String::new(), |text, line| text + line.trim() + "\n")
    };
    assert_eq!(
        gateway("envoy-external"),
        "external-dns.kubernetes.io/target: external.example.com
external-dns.kubernetes.io/hostname: external.example.com
"
    );
    // It reads no Services, so a hostname on the Service would have no effect.
    assert_eq!(
        gateway("envoy-internal"),
        "example.com/dns: internal
external-dns.alpha.kubernetes.io/target: 10.10.30.25
"
    );
}

#[test]
fn the_hostname_of_a_gateway_leads_to_the_tunnel() {
    let rendered = file(
        "[tunnel]\nid = \"${TUNNEL_ID}\"\ngateways = \"envoy-external\"\nproxied = true\n[versions]\nexternal_dns = \"0.22.0\"\n",
        "dnsendpoint.yaml",
    );
    assert_eq!(
        rendered,
        "---
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata:
  name: cloudflare-tunnel
spec:
  endpoints:
    - dnsName: external.example.com
      recordType: CNAME
      targets:
        - ${TUNNEL_ID}.cfargotunnel.com
      providerSpecific:
        - name: external-dns.kubernetes.io/cloudflare-proxied
          value: \"true\"
"
    );
}

#[test]
fn the_hostname_of_a_gateway_can_be_a_record_of_its_own() {
    let tables = "[gateways.envoy-internal.dns]\nendpoint = { ttl = 300 }\n\n[gateways.envoy-external.dns]\nendpoint.targets = [\"192.0.2.7\", \"2001:db8::7\"]\nendpoint.name = \"router\"\n";
    assert_eq!(
        file(tables, "dnsendpoint.yaml"),
        "---
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata:
  name: router
spec:
  endpoints:
    - dnsName: external.example.com
      recordType: A
      targets:
        - 192.0.2.7
    - dnsName: external.example.com
      recordType: AAAA
      targets:
        - 2001:db8::7
---
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata:
  name: envoy-internal
spec:
  endpoints:
    - dnsName: internal.example.com
      recordType: A
      recordTTL: 300
      targets:
        - 10.10.30.25
"
    );
    let gateway = object(tables, "Gateway");
    assert!(!gateway.contains("/hostname: "), "{gateway}");
    assert!(gateway.contains("/target: "), "{gateway}");
}

#[test]
fn what_is_managed_elsewhere_is_taken_as_a_fact() {
    let project = Project::new()
        .minimal(FACTS)
        .file("kubernetes/apps/web/app/routes.yaml", ROUTES)
        .file(
            "kubernetes/apps/web/app/kustomization.yaml",
            "resources: [./routes.yaml]\n",
        )
        .rendered();
    let exposure = project.run(["exposure"]).stdout;
    assert!(
        exposure.contains("the tunnel of cluster.toml leads to it"),
        "{exposure}"
    );
    assert!(
        exposure.contains("dns.publishers.cloudflare -> external.example.com"),
        "{exposure}"
    );
    let trace = project.run(["trace", "https://blog.example.com/", "--from", "10.42.0.9"]);
    for told in [
        "blog.example.com leads to external.example.com",
        "published by dns.publishers.cloudflare for HTTPRoute web/blog",
        "from the Internet, DNSEndpoint network/cloudflare-tunnel leads to ${TUNNEL_ID}.cfargotunnel.com, and from there through the tunnel of cluster.toml to the gateway",
        "it sends the address of the client in the header CF-Connecting-IP",
    ] {
        assert!(trace.stdout.contains(told), "{told}\n{trace}");
    }
    let checked = project.run(["validate", "--select", "dns"]).stdout;
    assert!(
        checked.contains("nothing publishes shop.example.org: it is outside of the domains of dns.publishers.cloudflare"),
        "{checked}"
    );
    // Without the facts, nothing is known.
    let without = Project::new()
        .minimal("")
        .file("kubernetes/apps/web/app/routes.yaml", ROUTES)
        .rendered();
    let exposure = without.run(["exposure"]).stdout;
    assert!(!exposure.contains("tunnel"), "{exposure}");
    let checked = without.run(["validate", "--select", "dns"]).stdout;
    assert!(!checked.contains("nothing publishes"), "{checked}");
    let listed = project.read(&format!("{APP}/kustomization.yaml"));
    assert!(listed.contains("dnsendpoint.yaml"), "{listed}");
}
