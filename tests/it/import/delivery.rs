//! Front doors that Argo CD, Helm or kustomize apply.

use crd_validate::schema::Catalogue;
use gatewayctl::import::import;

use super::{comes_back, differences, files, imported};
use crate::common::{MINIMAL, Project};

const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: envoy }
spec: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: internal }
spec:
  gatewayClassName: envoy
  listeners:
    - { name: http, protocol: HTTP, port: 80, allowedRoutes: { namespaces: { from: All } } }
";

/// An Application with this source.
fn application(name: &str, source: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{ name: {name}, namespace: argocd }}\nspec:\n  \
         project: edge\n  source: {source}\n  destination: {{ server: 'https://kubernetes.default.svc', namespace: edge }}\n  \
         syncPolicy:\n    automated: {{ prune: true, selfHeal: true }}\n    syncOptions: [ServerSideApply=true]\n"
    )
}

const CHART: &str = "{ chart: gateway-helm, repoURL: docker.io/envoyproxy, targetRevision: v1.8.3, helm: { valuesObject: { deployment: { replicas: 2 } } } }";

#[test]
fn applications_become_settings_and_no_kustomization_is_added() {
    let chart = application("eg", CHART);
    let folder = application(
        "eg-gateways",
        "{ repoURL: 'https://git.example.com/home.git', targetRevision: main, path: apps/edge/gateways }",
    );
    let text = format!(
        "# file: apps/edge/chart.yaml\n{chart}# file: apps/edge/gateways.yaml\n{folder}# file: apps/edge/gateways/all.yaml\n{GATEWAY}"
    );
    let tree = files(&text);
    let import = imported(&tree, "");
    assert_eq!(differences(&import), "", "{}", import.config);
    let parts = [
        "version = \"v1.8.3\"",
        "deployment.replicas = 2",
        "kind = \"argocd\"",
        "project = \"edge\"",
        "repository = \"https://git.example.com/home.git\"",
        "revision = \"main\"",
        "kustomization = false",
    ];
    for part in parts {
        assert!(import.config.contains(part), "{part}\n{}", import.config);
    }
    let rendered = import.compiled.files.iter();
    let rendered: Vec<&str> = rendered.map(|file| file.path.as_str()).collect();
    assert_eq!(
        rendered,
        [
            "apps/edge/chart.yaml",
            "apps/edge/gateways.yaml",
            "apps/edge/gateways/all.yaml"
        ]
    );
    assert!(
        !import.compiled.has_errors(),
        "{:?}",
        import.compiled.diagnostics
    );
    comes_back("the tree", &tree, &import, "");
}

#[test]
fn what_is_rendered_for_another_delivery_is_imported_again() {
    let argocd = "[delivery]\nkind = \"argocd\"\n\n[argocd]\nrepository = \"https://git.example.com/home.git\"\nproject = \"edge\"\nself_heal = false\nconfig.sync_wave = 3\n";
    let kustomize = "[delivery]\nkind = \"kustomize\"\n";
    for tables in [argocd, kustomize] {
        let project = Project::new().minimal(tables).rendered();
        let tree = super::read(&project.root());
        let import = imported(&tree, "");
        assert_eq!(differences(&import), "", "{}", import.config);
        for line in tables.lines().filter(|line| line.contains(" = ")) {
            let value = line.split('.').next_back().unwrap_or(line);
            assert!(import.config.contains(value), "{line}\n{}", import.config);
        }
        assert!(
            !import.compiled.has_errors(),
            "{:?}",
            import.compiled.diagnostics
        );
        comes_back(tables, &tree, &import, "");
    }
}

#[test]
fn a_chart_keeps_its_templates_without_a_kustomization() {
    let chart = "apiVersion: v2\nname: edge\nversion: 0.1.0\ndependencies:\n  - { name: gateway-helm, version: 1.8.3, repository: 'oci://docker.io/envoyproxy' }\n";
    let tree = files(&format!(
        "# file: charts/edge/Chart.yaml\n{chart}# file: charts/edge/values.yaml\nreplicas: 2\n# file: charts/edge/templates/all.yaml\n{GATEWAY}"
    ));
    let import = imported(&tree, "");
    assert_eq!(differences(&import), "", "{}", import.config);
    assert!(
        import.config.contains("version = \"1.8.3\""),
        "{}",
        import.config
    );
    let rendered = import.compiled.files.iter();
    let rendered: Vec<&str> = rendered.map(|file| file.path.as_str()).collect();
    assert_eq!(rendered, ["charts/edge/templates/all.yaml"]);
    assert!(
        !import.compiled.has_errors(),
        "{:?}",
        import.compiled.diagnostics
    );
    comes_back("the chart", &tree, &import, "");
}

#[test]
fn templates_with_expressions_are_named() {
    let gateway = GATEWAY.replace("name: internal", "name: {{ .Values.name }}-internal");
    let tree = files(&format!(
        "# file: charts/edge/Chart.yaml\napiVersion: v2\nname: edge\nversion: 0.1.0\n# file: charts/edge/templates/class.yaml\n{GATEWAY}# file: charts/edge/templates/all.yaml\n{gateway}"
    ));
    let Err((failure, _)) = import(&tree, "", &Catalogue::embedded()) else {
        panic!("templates with expressions are no manifests");
    };
    assert_eq!(
        failure.to_string(),
        "charts/edge/templates is in a Helm chart whose templates are not plain YAML\n  help: `helm template` writes what the \
         chart makes; import that, or choose another folder with `--path`"
    );
}

#[test]
fn variables_keep_the_delivery_of_flux() {
    let project = Project::new()
        .config(MINIMAL.replace("\"example.com\"", "\"${DOMAIN}\""))
        .rendered();
    let mut tree = super::read(&project.root());
    tree.texts
        .retain(|path, text| !path.ends_with("ks.yaml") && !text.contains("toolkit.fluxcd.io/"));
    let import = imported(&tree, "");
    assert!(!import.config.contains("[delivery]"), "{}", import.config);
    assert!(
        !import.compiled.has_errors(),
        "{:?}",
        import.compiled.diagnostics
    );
}
