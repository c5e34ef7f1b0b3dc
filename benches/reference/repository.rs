//! A repository with more than 700 routes and 5,000 YAML files, like that of a large cluster: a Flux Kustomization
//! and a kustomization for each application, most of them with a HelmRelease, some with a route beside it.

use std::fmt::Write as _;
use std::path::Path;

/// The number of applications. Each has [`FILES`] files.
pub const APPS: usize = 1_250;
/// The number of files of an application: `ks.yaml`, `kustomization.yaml`, a HelmRelease with its chart, and a route
/// or a ConfigMap.
const FILES: usize = 4;
/// How many applications have an HTTPRoute of their own. Of the others, every second one has one in its values.
const ROUTES: usize = 425;
/// The number of namespaces.
const NAMESPACES: usize = 50;

/// The number of files and routes, as a title.
pub fn title() -> String {
    let charted = (APPS - ROUTES) / 2;
    format!(
        "a repository of {} YAML files and {} routes, {charted} of them in the values of charts",
        APPS * FILES + NAMESPACES + 4,
        ROUTES + charted
    )
}

/// Writes the repository to `folder`.
pub fn write(folder: &Path) {
    let put = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        std::fs::write(path, text).expect("it is written");
    };
    front(&put);
    for namespace in 0..NAMESPACES {
        let mut list = String::new();
        for app in (namespace..APPS).step_by(NAMESPACES) {
            let _ = writeln!(list, "  - ./app-{app}/ks.yaml");
        }
        put(
            &format!("apps/space-{namespace}/kustomization.yaml"),
            &format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: space-{namespace}
resources:
{list}"
            ),
        );
    }
    for app in 0..APPS {
        let namespace = app % NAMESPACES;
        let at = format!("apps/space-{namespace}/app-{app}");
        put(&format!("{at}/ks.yaml"), &flux(app, namespace, &at));
        let second = if app < ROUTES {
            "httproute"
        } else {
            "configmap"
        };
        put(
            &format!("{at}/app/kustomization.yaml"),
            &format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ./helmrelease.yaml
  - ./{second}.yaml
"
            ),
        );
        let has_route = app >= ROUTES && (app - ROUTES).is_multiple_of(2);
        put(
            &format!("{at}/app/helmrelease.yaml"),
            &release(app, has_route),
        );
        let text = if app < ROUTES {
            route(app)
        } else {
            settings(app)
        };
        put(&format!("{at}/app/{second}.yaml"), &text);
    }
}

/// The gateways with their policies and addresses.
fn front(put: &dyn Fn(&str, &str)) {
    put(
        "apps/network/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: network
resources:
  - ./envoy/ks.yaml
",
    );
    put(
        "apps/network/envoy/ks.yaml",
        &flux_of("envoy", "network", "apps/network/envoy"),
    );
    put(
        "apps/network/envoy/app/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ./envoy.yaml
",
    );
    let mut text = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: https-redirect}
spec:
  parentRefs: [{name: external, sectionName: http}, {name: internal, sectionName: http}]
  rules: [{filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]}]
---
apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: {name: front}
spec: {blocks: [{cidr: 10.10.30.0/24}]}
"
    .to_owned();
    for (name, address) in [("external", "10.10.30.26"), ("internal", "10.10.30.25")] {
        let _ = write!(
            text,
            "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}}}
spec:
  gatewayClassName: envoy
  infrastructure: {{annotations: {{lbipam.cilium.io/ips: {address}}}}}
  listeners:
    - {{name: http, protocol: HTTP, port: 80}}
    - name: https
      protocol: HTTPS
      port: 443
      hostname: '*.example.com'
      allowedRoutes: {{namespaces: {{from: All}}}}
      tls: {{certificateRefs: [{{name: example-com-tls}}]}}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata: {{name: {name}}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: {name}}}]
  http3: {{}}
"
        );
    }
    put("apps/network/envoy/app/envoy.yaml", &text);
}

fn flux(app: usize, namespace: usize, at: &str) -> String {
    flux_of(&format!("app-{app}"), &format!("space-{namespace}"), at)
}

fn flux_of(name: &str, namespace: &str, at: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: {name}
spec:
  interval: 1h
  path: ./{at}/app
  postBuild:
    substituteFrom: [{{kind: Secret, name: cluster-secrets}}]
  prune: true
  sourceRef: {{kind: GitRepository, name: flux-system, namespace: flux-system}}
  targetNamespace: {namespace}
"
    )
}

/// The release of an application, in the form of the chart that most people use.
fn release(app: usize, has_route: bool) -> String {
    let route = "    route:
      app:
        hostnames: ['{{ .Release.Name }}.example.com']
        parentRefs: [{name: internal, namespace: network, sectionName: https}]
        rules: [{backendRefs: [{identifier: app, port: 8080}]}]
";
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: app-{app}
spec:
  interval: 1h
  url: oci://registry.example.com/helm/app-template
  ref: {{tag: 4.4.0}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: app-{app}
spec:
  interval: 1h
  chartRef: {{kind: OCIRepository, name: app-{app}}}
  values:
    controllers:
      app:
        annotations: {{reloader.stakater.com/auto: 'true'}}
        containers:
          app:
            image: {{repository: registry.example.com/app-{app}, tag: 1.{app}.0}}
            env: {{TZ: Europe/Zurich, APP_PORT: 8080, APP_URL: 'https://app-{app}.${{SECRET_DOMAIN}}'}}
            probes: {{liveness: {{enabled: true}}, readiness: {{enabled: true}}}}
            resources: {{requests: {{cpu: 10m}}, limits: {{memory: 256Mi}}}}
            securityContext: {{readOnlyRootFilesystem: true, allowPrivilegeEscalation: false}}
    defaultPodOptions:
      securityContext: {{runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000}}
    persistence:
      config: {{existingClaim: app-{app}}}
      tmp: {{type: emptyDir}}
    service:
      app:
        controller: app
        ports: {{http: {{port: 8080}}}}
{}",
        if has_route { route } else { "" }
    )
}

fn route(app: usize) -> String {
    let gateway = if app.is_multiple_of(3) {
        "external"
    } else {
        "internal"
    };
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: app-{app}
spec:
  hostnames: ['app-{app}.example.com']
  parentRefs:
    - name: {gateway}
      namespace: network
      sectionName: https
  rules:
    - matches: [{{path: {{type: PathPrefix, value: /}}}}]
      backendRefs: [{{name: app-{app}, port: 8080}}]
"
    )
}

fn settings(app: usize) -> String {
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: app-{app}
data:
  settings.yaml: |
    server: {{port: 8080, url: 'https://app-{app}.${{SECRET_DOMAIN}}'}}
"
    )
}
