//! Small trees in the forms that people use.

use crd_validate::schema::Catalogue;
use gatewayctl::import::{Fate, Import, import};

use super::{comes_back, differences, files, imported, is_generated};

const CLASS: &str = "---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: envoy }
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
";

const GATEWAY: &str = "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: internal
spec:
  gatewayClassName: envoy
  listeners:
    - name: https
      protocol: HTTPS
      port: 443
      allowedRoutes: { namespaces: { from: All } }
      tls:
        certificateRefs: [{ kind: Secret, name: example-com-tls }]
";

const CHART: &str = "---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: { name: envoy-gateway }
spec:
  interval: 15m
  url: oci://docker.io/envoyproxy/gateway-helm
  ref: { tag: v1.9.0 }
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: envoy-gateway }
spec:
  interval: 1h
  chartRef: { kind: OCIRepository, name: envoy-gateway }
";

const OWN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: own }\n";

fn flux(name: &str, path: &str) -> String {
    format!(
        "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{ name: {name}, namespace: flux-system }}\n\
         spec:\n  interval: 10m\n  path: {path}\n  prune: true\n  targetNamespace: network\n  sourceRef: {{ kind: GitRepository, name: flux-system }}\n"
    )
}

/// Imports a tree without differences, and imports the result again.
#[track_caller]
fn whole(text: &str) -> Import {
    let files = files(text);
    let import = imported(&files, "");
    assert_eq!(differences(&import), "", "{}", import.config);
    comes_back("the tree", &files, &import, "");
    import
}

fn kept(import: &Import) -> Vec<String> {
    let all = import
        .outcomes
        .iter()
        .filter(|one| matches!(one.fate, Fate::Kept(_)));
    all.map(|one| format!("{} {}", one.object.kind, one.object.name))
        .collect()
}

#[test]
fn flat_with_flux_elsewhere() {
    let import = whole(&format!(
        "# file: kubernetes/infra/gateway/kustomization.yaml\nresources:\n- all.yaml\n- own.yaml\n\
         # file: kubernetes/infra/gateway/all.yaml\n{CLASS}{GATEWAY}{CHART}\
         # file: kubernetes/infra/gateway/own.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: own }}\n\
         # file: kubernetes/flux/infra.yaml\n{}",
        flux("gateway", "./kubernetes/infra/gateway")
    ));
    assert_eq!(kept(&import), ["ConfigMap own"]);
    for part in [
        "app = \"infra\"",
        "folder = \"gateway\"",
        "dot_slash = false",
        "flux.enabled = false",
    ] {
        let part = part.replace("flux.enabled", "enabled");
        assert!(
            import.config.contains(&part),
            "no {part} in\n{}",
            import.config
        );
    }
}

#[test]
fn flat_without_flux_and_without_a_kustomization() {
    let import = whole(&format!(
        "# file: clusters/a/gateway/gateway.yml\n{CLASS}{GATEWAY}# file: clusters/a/gateway/own.yaml\n{OWN}\
         # file: clusters/a/gateway/sub/kustomization.yaml\nresources: [a.yaml]\n# file: clusters/a/gateway/sub/a.yaml\n{OWN}"
    ));
    assert!(
        import
            .notes
            .iter()
            .any(|note| note.contains("no chart was found")),
        "{:?}",
        import.notes
    );
    assert!(
        import
            .config
            .contains("resources = [\"./own.yaml\", \"./sub\"]"),
        "{}",
        import.config
    );
}

#[test]
fn at_the_top_of_the_repository() {
    let text = format!(
        "# file: gateway/kustomization.yaml\nresources: [gateway.yaml]\n# file: gateway/gateway.yaml\n{CLASS}{GATEWAY}"
    );
    let import = whole(&text);
    assert_eq!(import.count(is_generated), 3, "{}", import.config);
}

#[test]
fn a_release_from_a_helm_repository() {
    let import = import_of_release("v1.8.2");
    assert_eq!(kept(&import), ["HelmRepository envoy"]);
    let version = "version = \"v1.8.2\"";
    assert!(import.config.contains(version), "{}", import.config);
    assert!(!import.config.contains("[versions]"), "{}", import.config);
}

#[test]
fn a_release_that_the_catalogue_lacks() {
    // It is checked like the nearest one of its minor version.
    let import = import_of_release("v1.8.77");
    let version = "version = \"v1.8.77\"";
    assert!(import.config.contains(version), "{}", import.config);
    assert!(!import.config.contains("[versions]"), "{}", import.config);

    let import = import_of_release("v1.77.0");
    let why = "# The catalogue has no v1.77.0";
    assert!(import.config.contains(why), "{}", import.config);
}

fn import_of_release(version: &str) -> Import {
    whole(&format!(
        "# file: apps/network/envoy/app/kustomization.yaml\nresources: [release.yaml, gateway.yaml, repository.yaml]\n\
         # file: apps/network/envoy/app/repository.yaml\n---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n\
         metadata: {{ name: envoy }}\nspec: {{ type: oci, url: oci://docker.io/envoyproxy, interval: 1h }}\n\
         # file: apps/network/envoy/app/release.yaml\n---\napiVersion: helm.toolkit.fluxcd.io/v2beta2\nkind: HelmRelease\n\
         metadata: {{ name: eg }}\nspec:\n  interval: 30m\n  chart:\n    spec:\n      chart: gateway-helm\n      version: {version}\n\
         \x20     sourceRef: {{ kind: HelmRepository, name: envoy }}\n\
         # file: apps/network/envoy/app/gateway.yaml\n{CLASS}{GATEWAY}\
         # file: apps/network/envoy/ks.yaml\n{}",
        flux("envoy", "apps/network/envoy/app")
    ))
}

#[test]
fn everything_in_one_file_with_objects_that_no_table_makes() {
    let import = whole(&format!(
        "# file: k8s/envoy/app/kustomization.yaml\nresources: [./all.yaml]\n# file: k8s/envoy/app/all.yaml\n{CLASS}{GATEWAY}{CHART}---\n\
         apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {{ name: grant, namespace: web }}\n\
         spec:\n  from: [{{ group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: network }}]\n  to: [{{ group: '', kind: Service }}]\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: page }}\ndata:\n  index.html: |\n    <p class=\"a\">\n    # not a comment\n    </p>\n\
         # file: k8s/envoy/ks.yaml\n{}",
        flux("envoy", "./k8s/envoy/app")
    ));
    let full = import.count(|fate| matches!(fate, Fate::Generated { in_full: true }));
    assert_eq!((full, kept(&import).len()), (2, 0), "{}", import.config);
    assert!(import.dropped.is_empty(), "{:?}", import.dropped);
}

#[test]
fn a_file_with_secrets_is_left_as_it_is() {
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: { name: oidc }\nstringData: { client-secret: very-secret }\n";
    let import = whole(&format!(
        "# file: k8s/envoy/app/kustomization.yaml\nresources: [./all.yaml, ./policy.yaml]\n# file: k8s/envoy/app/all.yaml\n{CLASS}{GATEWAY}{CHART}\
         # file: k8s/envoy/app/policy.yaml\n{secret}---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {{ name: oidc }}\n\
         spec:\n  targetRefs: [{{ group: gateway.networking.k8s.io, kind: Gateway, name: internal }}]\n  cors: {{ allowMethods: [GET] }}\n",
    ));
    assert_eq!(kept(&import), ["Secret oidc", "SecurityPolicy oidc"]);
    assert!(!import.config.contains("very-secret"));
}

#[test]
fn nulls_carriage_returns_variables_and_namespaces_everywhere() {
    let text = format!(
        "# file: k8s/envoy/app/kustomization.yaml\nresources: [./all.yaml]\n# file: k8s/envoy/app/all.yaml\n\
         {CLASS}---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata:\n  name: internal\n  namespace: network\n  annotations:\n\
         spec:\n  gatewayClassName: envoy\n  addresses: [{{ type: IPAddress, value: '${{IP}}' }}]\n  listeners:\n    - name: web\n      protocol: HTTP\n      port: 8080\n\
         ---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyProxy\nmetadata: {{ name: custom, namespace: network }}\nspec:\n  provider:\n    type: Kubernetes\n\
         \x20   kubernetes:\n      envoyDeployment: {{ replicas: '${{REPLICAS:=2}}', pod: {{ nodeSelector: {{ a: b }} }} }}\n\
         ---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: ClientTrafficPolicy\nmetadata: {{ name: internal, namespace: network }}\nspec:\n\
         \x20 targetRef: {{ group: gateway.networking.k8s.io, kind: Gateway, name: internal, sectionName: web }}\n  enableProxyProtocol: true\n"
    );
    let import = whole(&text.replace('\n', "\r\n"));
    assert!(kept(&import).is_empty(), "{:#?}", import.outcomes);
    assert!(
        import.config.contains("in_objects = true"),
        "{}",
        import.config
    );
}

#[test]
fn three_kustomizations_with_a_folder_more() {
    let import = whole(&format!(
        "# file: k8s/envoy/ks.yaml\n{}{}{}\
         # file: k8s/envoy/crds/kustomization.yaml\nresources: [crds.yaml]\n# file: k8s/envoy/crds/crds.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: crds }}\n\
         # file: k8s/envoy/app/kustomization.yaml\nresources: [release.yaml]\n# file: k8s/envoy/app/release.yaml\n{CHART}\
         # file: k8s/envoy/gateways/kustomization.yaml\nresources: [gateway.yaml]\n# file: k8s/envoy/gateways/gateway.yaml\n{CLASS}{GATEWAY}",
        flux("crds", "./k8s/envoy/crds"),
        flux("envoy", "./k8s/envoy/app"),
        flux("gateways", "./k8s/envoy/gateways"),
    ));
    assert!(
        import.config.contains("config_folder = \"gateways\""),
        "{}",
        import.config
    );
}

#[test]
fn an_overlay_with_patches_names_what_is_not_followed() {
    let import = whole(&format!(
        "# file: base/envoy/app/kustomization.yaml\nresources: [all.yaml]\npatches: [{{ path: patch.yaml }}]\nnamePrefix: a-\n\
         # file: base/envoy/app/all.yaml\n{CLASS}{GATEWAY}{CHART}"
    ));
    let notes = import.notes.join("\n");
    assert!(
        notes.contains("`patches` is kept") && notes.contains("`namePrefix`"),
        "{notes}"
    );
    assert!(
        import.config.contains("namePrefix = \"a-\""),
        "{}",
        import.config
    );
}

#[test]
fn a_kustomization_by_another_name_is_told_before_anything_is_written() {
    let files = files(&format!(
        "# file: k8s/envoy/app/kustomization.yml\nresources: [all.yaml]\n# file: k8s/envoy/app/all.yaml\n{CLASS}{GATEWAY}"
    ));
    let failure = import(&files, "", &Catalogue::embedded())
        .err()
        .expect("a failure")
        .0;
    assert!(
        failure
            .to_string()
            .contains("rename it to kustomization.yaml"),
        "{failure}"
    );
}

#[test]
fn comments_for_renovate_come_along() {
    let chart = CHART.replace("  ref: { tag: v1.9.0 }", "  ref:\n    # renovate: datasource=docker depName=envoyproxy/gateway-helm\n    tag: v1.9.0 # pinned");
    let files = files(&format!(
        "# file: k8s/envoy/app/kustomization.yaml\nresources: [all.yaml]\n# file: k8s/envoy/app/all.yaml\n{CLASS}{GATEWAY}{chart}"
    ));
    let import = imported(&files, "");
    let want =
        "# renovate: datasource=docker depName=envoyproxy/gateway-helm\nversion = \"v1.9.0\"";
    assert!(import.config.contains(want), "{}", import.config);
    let dropped: Vec<&str> = import
        .dropped
        .iter()
        .map(|(.., text)| text.as_str())
        .collect();
    assert_eq!(dropped, ["pinned"]);
}
