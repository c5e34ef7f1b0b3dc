//! Objects that become intents: nothing of them is left for `spec`.

use super::{comes_back, differences, files, imported};

const DOOR: &str = "# file: kubernetes/apps/network/envoy-gateway/app/kustomization.yaml
resources: [./helmrelease.yaml, ./ocirepository.yaml, ./envoy.yaml]
# file: kubernetes/apps/network/envoy-gateway/app/ocirepository.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: envoy-gateway }
spec:
  interval: 15m
  url: oci://docker.io/envoyproxy/gateway-helm
  ref: { tag: v1.9.0 }
  layerSelector: { mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy }
# file: kubernetes/apps/network/envoy-gateway/app/helmrelease.yaml
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: envoy-gateway }
spec:
  interval: 1h
  chartRef: { kind: OCIRepository, name: envoy-gateway }
  install: { crds: CreateReplace, remediation: { retries: -1 } }
  upgrade: { crds: Skip, cleanupOnFail: true, remediation: { retries: 3, strategy: rollback } }
  values:
    config:
      envoyGateway:
        provider: { type: Kubernetes, kubernetes: { deploy: { type: GatewayNamespace } } }
        extensionApis: { enableBackend: true }
        rateLimit: { backend: { type: Redis, redis: { url: \"redis.databases.svc:6379\" } } }
# file: kubernetes/apps/network/envoy-gateway/app/envoy.yaml
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: { name: envoy }
spec:
  provider:
    type: Kubernetes
    kubernetes:
      envoyDeployment:
        container:
          env: [{ name: A, value: b }]
          securityContext: { readOnlyRootFilesystem: true }
        pod:
          nodeSelector: { edge: \"true\" }
          tolerations: [{ key: edge, operator: Exists }]
          imagePullSecrets: [{ name: registry }]
      envoyHpa:
        minReplicas: 2
        maxReplicas: 5
        metrics:
          - type: Resource
            resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } }
      envoyPDB: { minAvailable: 1 }
      envoyService: { name: edge }
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: envoy }
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: { group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: internal }
spec:
  gatewayClassName: envoy
  listeners:
    - name: https
      protocol: HTTPS
      port: 443
      hostname: \"*.example.com\"
      allowedRoutes: { namespaces: { from: All } }
      tls:
        certificateRefs: [{ kind: Secret, name: example-com-tls }]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: { name: envoy }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: internal }]
  compression: [{ type: Brotli }, { type: Gzip }]
  rateLimit:
    type: Global
    global:
      rules:
        - limit: { requests: 10, unit: Second }
          clientSelectors:
            - sourceCIDR: { type: Distinct, value: 0.0.0.0/0 }
              headers: [{ name: x-plan, type: Exact, value: free }, { name: x-user, type: Distinct }]
              methods: [{ value: GET }]
        - limit: { requests: 100, unit: Minute }
  responseOverride:
    - match: { statusCodes: [{ type: Value, value: 404 }, { type: Range, range: { start: 500, end: 599 } }] }
      response: { statusCode: 503, contentType: text/html, body: { type: ValueRef, valueRef: { group: \"\", kind: ConfigMap, name: pages } } }
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: { name: envoy }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: internal }]
  connection: { maxAcceptPerSocketEvent: 0, connectionLimit: { value: 100, closeDelay: 5s } }
  headers: { lateResponseHeaders: { set: [{ name: X-Frame-Options, value: DENY }], remove: [server] } }
  tls: { clientValidation: { optional: true, caCertificateRefs: [{ kind: ConfigMap, name: partners }] } }
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: { name: authelia }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: internal, sectionName: https }]
  extAuth:
    failOpen: false
    headersToExtAuth: [cookie]
    http:
      backendRefs: [{ name: authelia, namespace: security, port: 9091 }]
      path: /api/authz/ext-authz/
      headersToBackend: [Remote-User]
  authorization:
    defaultAction: Deny
    rules:
      - { action: Deny, principal: { clientCIDRs: [10.10.30.128/25] } }
      - { action: Allow, principal: { clientCIDRs: [10.10.30.0/24] } }
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: { name: wiki }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: wiki }]
  oidc:
    provider: { issuer: https://id.example.com }
    clientID: wiki
    clientSecret: { name: oidc }
    scopes: [email]
    cookieNames: { accessToken: a }
  jwt:
    providers:
      - name: id
        issuer: https://id.example.com
        remoteJWKS: { uri: https://id.example.com/jwks }
        claimToHeaders: [{ claim: sub, header: x-user }]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: { name: cors }
spec:
  targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: internal }]
  cors: { allowMethods: [GET] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: nas }
spec:
  parentRefs: [{ name: internal, namespace: network, sectionName: https }]
  hostnames: [nas.example.com]
  rules:
    - backendRefs: [{ group: gateway.envoyproxy.io, kind: Backend, name: nas }]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: { name: nas }
spec:
  endpoints: [{ ip: { address: 10.10.30.40, port: 5001 } }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: nas }
spec:
  targetRefs: [{ group: gateway.envoyproxy.io, kind: Backend, name: nas }]
  validation:
    hostname: nas.example.com
    caCertificateRefs: [{ group: \"\", kind: ConfigMap, name: home-ca }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: router }
spec:
  parentRefs: [{ name: internal, namespace: network }]
  hostnames: [router.home.example]
  rules:
    - matches: [{ path: { type: PathPrefix, value: / } }]
      filters: [{ type: URLRewrite, urlRewrite: { hostname: router.home.example } }]
      backendRefs: [{ group: gateway.envoyproxy.io, kind: Backend, name: router-host }]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: Backend
metadata: { name: router-host }
spec:
  appProtocols: [gateway.envoyproxy.io/ws]
  endpoints: [{ fqdn: { hostname: \"${ROUTER}\", port: 443 } }]
  tls: { insecureSkipVerify: true }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: old }
spec:
  parentRefs: [{ name: internal, namespace: network, sectionName: https }]
  hostnames: [old.example.com]
  rules:
    - filters:
        - type: RequestRedirect
          requestRedirect:
            scheme: https
            hostname: www.example.com
            port: 8443
            path: { type: ReplacePrefixMatch, replacePrefixMatch: /blog }
            statusCode: 302
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: robots }
spec:
  parentRefs: [{ name: internal, namespace: network, sectionName: https }]
  hostnames: [www.example.com]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /robots.txt } }]
      filters: [{ type: ExtensionRef, extensionRef: { group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: robots } }]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata: { name: robots }
spec:
  directResponse: { statusCode: 200, contentType: text/plain, body: { type: Inline, inline: \"none\" } }
";

#[test]
fn guards_hosts_limits_and_pods_become_intents_without_a_spec() {
    let files = files(DOOR);
    let import = imported(&files, "");
    assert_eq!(differences(&import), "", "{}", import.config);
    comes_back("the tree", &files, &import, "");
    let errors = import.compiled.diagnostics.iter();
    let errors: Vec<_> = errors.filter(|one| one.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{}", import.config);
    let config = &import.config;
    // Only the policy with nothing but CORS has a `spec`.
    let rest = config.replace(
        "[security_policies.cors]\nspec.cors.allowMethods = [\"GET\"]\n",
        "",
    );
    assert!(
        rest.len() < config.len() && !rest.contains("spec"),
        "{config}"
    );
    snapshot!("intents", config);
}

/// What says who reaches the gateways: records and policies, beside the objects above.
const WAYS: &str = "# file: kubernetes/apps/network/envoy-gateway/app/kustomization.yaml
resources: [./helmrelease.yaml, ./ocirepository.yaml, ./envoy.yaml]
# file: kubernetes/apps/network/envoy-gateway/app/envoy.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: envoy }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: external
  annotations: { external-dns.kubernetes.io/target: external.example.com }
spec:
  gatewayClassName: envoy
  infrastructure:
    annotations:
      external-dns.kubernetes.io/hostname: external.example.com
      lbipam.cilium.io/ips: 10.10.30.26
  listeners:
    - name: https
      protocol: HTTPS
      port: 443
      allowedRoutes: { namespaces: { from: All } }
      tls: { certificateRefs: [{ kind: Secret, name: example-com-tls }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: internal
  annotations: { external-dns.kubernetes.io/target: internal.example.com }
spec:
  gatewayClassName: envoy
  allowedListeners:
    namespaces: { from: Selector, selector: { matchLabels: { example.com/team: \"yes\" } } }
  infrastructure:
    annotations: { lbipam.cilium.io/ips: 10.10.30.25 }
  listeners:
    - name: https-wildcard.example.com
      protocol: HTTPS
      port: 443
      hostname: \"*.example.com\"
      allowedRoutes: { namespaces: { from: All } }
      tls: { certificateRefs: [{ kind: Secret, name: example-com-tls }] }
    - name: https-example.net
      protocol: HTTPS
      port: 443
      hostname: example.net
      allowedRoutes: { namespaces: { from: All } }
      tls: { certificateRefs: [{ kind: Secret, name: net }] }
    - name: https-wildcard.example.net
      protocol: HTTPS
      port: 443
      hostname: \"*.example.net\"
      allowedRoutes: { namespaces: { from: All } }
      tls: { certificateRefs: [{ kind: Secret, name: net }] }
---
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: { name: cloudflared }
spec:
  endpoints:
    - dnsName: external.example.com
      recordType: CNAME
      targets: [\"${TUNNEL_ID}.cfargotunnel.com\"]
---
apiVersion: externaldns.k8s.io/v1alpha1
kind: DNSEndpoint
metadata: { name: internal }
spec:
  endpoints:
    - dnsName: internal.example.com
      recordType: A
      targets: [10.10.30.25]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: internal }
spec:
  podSelector:
    matchLabels:
      gateway.envoyproxy.io/owning-gateway-name: internal
      gateway.envoyproxy.io/owning-gateway-namespace: network
  policyTypes: [Ingress]
  ingress:
    - from: [{ ipBlock: { cidr: 10.10.0.0/16 } }]
      ports: [{ protocol: TCP, port: 10443 }]
    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: vpn } } }]
      ports: [{ protocol: TCP, port: 10443 }]
    - ports: [{ protocol: TCP, port: 19002 }, { protocol: TCP, port: 19003 }]
    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: observability } } }]
      ports: [{ protocol: TCP, port: 19001 }]
";

#[test]
fn records_tunnels_domains_and_network_policies_become_intents_without_a_spec() {
    // The chart is the one above.
    let chart = DOOR.split("# file: ").skip(2).take(2);
    let text = chart.fold(WAYS.to_owned(), |text, file| text + "# file: " + file);
    let files = files(&text);
    let import = imported(&files, "");
    assert_eq!(differences(&import), "", "{}", import.config);
    comes_back("the tree", &files, &import, "");
    let errors = import.compiled.diagnostics.iter();
    let errors: Vec<_> = errors.filter(|one| one.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{}", import.config);
    assert!(!import.config.contains("spec"), "{}", import.config);
    snapshot!("ways", import.config);
}
