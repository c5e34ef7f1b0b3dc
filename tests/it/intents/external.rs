//! `[external.NAME]`

use super::file;

#[test]
fn a_host_by_its_address_gets_a_backend_and_a_route_on_https_only() {
    let rendered = file(
        "[external.nas]\naddress = \"10.10.30.40\"\nport = 5000\ngateways = \"envoy-internal\"\n",
        "external.yaml",
    );
    assert_eq!(
        rendered,
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: nas
spec:
  parentRefs:
    - name: envoy-internal
      namespace: network
      sectionName: https
  hostnames:
    - nas.example.com
  rules:
    - backendRefs:
        - group: gateway.envoyproxy.io
          kind: Backend
          name: nas
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata:
  name: nas
spec:
  endpoints:
    - ip:
        address: 10.10.30.40
        port: 5000
"
    );
}

#[test]
fn the_certificate_of_a_host_is_validated_by_its_name() {
    let rendered = file(
        "[external.git]\nhostnames = [\"git.example.com\", \"code.example.com\"]\naddress = \"git.internal.example.com\"\n\
         gateways = [\"envoy-external\", \"envoy-internal\"]\ntls.ca = \"internal-ca\"\npath = \"/code\"\nhost_header = \"git.internal.example.com\"\n\
         headers.X-Forwarded-Prefix = \"/code\"\ntimeout = \"30s\"\nbackend.protocols = \"gateway.envoyproxy.io/ws\"\n",
        "external.yaml",
    );
    let route = "  rules:
    - matches:
        - path:
            type: PathPrefix
            value: /code
      filters:
        - type: URLRewrite
          urlRewrite:
            hostname: git.internal.example.com
        - type: RequestHeaderModifier
          requestHeaderModifier:
            set:
              - name: X-Forwarded-Prefix
                value: /code
      backendRefs:
        - group: gateway.envoyproxy.io
          kind: Backend
          name: git
      timeouts:
        request: 30s
";
    assert!(rendered.contains(route), "{rendered}");
    let objects = "spec:
  appProtocols:
    - gateway.envoyproxy.io/ws
  endpoints:
    - fqdn:
        hostname: git.internal.example.com
        port: 443
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata:
  name: git
spec:
  targetRefs:
    - group: gateway.envoyproxy.io
      kind: Backend
      name: git
  validation:
    hostname: git.internal.example.com
    caCertificateRefs:
      - group: \"\"
        kind: ConfigMap
        name: internal-ca
";
    assert!(rendered.ends_with(objects), "{rendered}");
}

#[test]
fn backends_are_enabled_in_the_chart_where_a_host_needs_one() {
    let tables = "[external.nas]\naddress = \"10.10.30.40\"\ngateways = \"envoy-internal\"\ntls.insecure = true\n";
    let release = file(tables, "helmrelease.yaml");
    assert!(release.contains("enableBackend: true"), "{release}");
    let rendered = file(tables, "external.yaml");
    assert!(
        rendered.ends_with("        port: 443\n  tls:\n    insecureSkipVerify: true\n"),
        "{rendered}"
    );
}
