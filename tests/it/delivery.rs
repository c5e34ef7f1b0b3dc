//! Trees for Argo CD and for kustomize alone, and what is refused in them.

use crate::common::{INDEX, MINIMAL, Project};

const ARGOCD: &str = "[delivery]
kind = \"argocd\"

[argocd]
repository = \"https://git.example.com/home.git\"
";

const KUSTOMIZE: &str = "[delivery]
kind = \"kustomize\"
";

const APP: &str = "kubernetes/apps/network/envoy-gateway";

/// The parts of a file with several objects.
fn objects(text: &str) -> Vec<&str> {
    text.split("\n---\n").skip(1).collect()
}

/// Builds every folder with a kustomization, if kustomize is at hand.
#[track_caller]
fn builds(project: &Project) {
    let script = "command -v kustomize > /dev/null || { echo skipped; exit 0; }
        for file in $(find . -name kustomization.yaml); do kustomize build \"${file%/*}\" > /dev/null || exit 1; done";
    project.shell(script).success();
}

#[test]
fn argo_cd_gets_an_application_for_the_chart_and_one_for_the_gateways() {
    let project = Project::new().minimal(ARGOCD).rendered();
    let text = project.read(&format!("{APP}/application.yaml"));
    let applications = objects(&text);
    let [chart, folder] = applications.as_slice() else {
        panic!("{text}");
    };
    let parts = [
        "name: envoy-gateway\n  namespace: argocd\n",
        "chart: gateway-helm\n    repoURL: docker.io/envoyproxy\n    targetRevision: 1.9.0\n",
        "valuesObject:\n        config:\n",
        "- CreateNamespace=true\n      - ServerSideApply=true",
    ];
    for part in parts {
        assert!(chart.contains(part), "{part}\n{chart}");
    }
    let parts = [
        "argocd.argoproj.io/sync-wave: \"1\"",
        "path: kubernetes/apps/network/envoy-gateway/config\n    repoURL: https://git.example.com/home.git\n    targetRevision: HEAD\n",
        "- SkipDryRunOnMissingResource=true\n",
        "retry:\n      limit: 10\n",
    ];
    for part in parts {
        assert!(folder.contains(part), "{part}\n{folder}");
    }
    let index = project.read(INDEX);
    assert!(index.contains("  - ./envoy-gateway/application.yaml\n"));
    // It would also move the Applications out of the namespace of Argo CD.
    assert!(!index.contains("namespace:"), "{index}");
    project
        .run(["validate"])
        .success()
        .says("ok: 4 files, 9 objects, nothing found");
    project.run(["render", "--check"]).success();
    builds(&project);
}

#[test]
fn a_value_of_the_chart_is_found_at_its_line() {
    let project = Project::new().minimal(ARGOCD);
    project.edit(
        "cluster.toml",
        "\"1.9.0\"",
        "\"1.9.0\"\nvalues.deployment.replicas = 3",
    );
    let project = project.rendered();
    let file = format!("{APP}/application.yaml");
    let why = project.run([
        "why",
        &file,
        "/spec/source/helm/valuesObject/deployment/replicas",
    ]);
    why.success().says("cluster.toml:6:30");
}

#[test]
fn kustomize_alone_gets_folders_that_set_their_namespace() {
    let project = Project::new().minimal(KUSTOMIZE).rendered();
    let folder = project.read(&format!("{APP}/config/kustomization.yaml"));
    assert!(folder.contains("namespace: network\n"), "{folder}");
    let index = project.read(INDEX);
    assert!(
        index.ends_with("resources:\n  - ./namespace.yaml\n  - ./envoy-gateway/config\n"),
        "{index}"
    );
    let values = project.read(&format!("{APP}/values.yaml"));
    let command = "# helm upgrade --install envoy-gateway oci://docker.io/envoyproxy/gateway-helm --version 1.9.0 \
                   --namespace network --create-namespace --values kubernetes/apps/network/envoy-gateway/values.yaml\n";
    assert!(values.contains(command), "{values}");
    assert!(values.contains("type: GatewayNamespace\n"), "{values}");
    let files = project.files();
    let flux = files.values().filter(|text| {
        let text = String::from_utf8_lossy(text);
        text.contains("toolkit.fluxcd.io")
    });
    assert_eq!(flux.count(), 0);
    project
        .run(["validate"])
        .success()
        .says("ok: 5 files, 8 objects, nothing found");
    builds(&project);
}

#[test]
fn another_delivery_takes_the_place_of_the_one_before() {
    let project = Project::new().minimal("").rendered();
    for tables in [ARGOCD, KUSTOMIZE, "", KUSTOMIZE, ARGOCD, ""] {
        project.write("cluster.toml", format!("{MINIMAL}\n{tables}"));
        project.run(["render"]).success();
        project.run(["render", "--check"]).success();
        project.run(["validate"]).success().says("nothing found");
        builds(&project);
    }
    assert!(!project.path(&format!("{APP}/application.yaml")).exists());
    assert!(!project.path(&format!("{APP}/values.yaml")).exists());
    let index = project.read(INDEX);
    assert!(index.contains("./envoy-gateway/ks.yaml") && !index.contains("application.yaml"));
}

#[test]
fn what_needs_flux_is_refused_at_its_line() {
    let tables = format!(
        "[flux]\ndepends_on = \"cert-manager\"\npost_build = {{ substitute = {{ A = \"b\" }} }}\n\n\
         [layout]\nconfig_folder = \"config\"\n\n{KUSTOMIZE}"
    );
    let project = Project::new().minimal(&tables);
    let run = project.run(["validate"]).code(1);
    insta::assert_snapshot!(run.stdout);
    project.run(["render"]).code(1);
    assert!(!project.path("kubernetes").exists());

    let other = Project::new().minimal("[argocd]\nproject = \"edge\"\n");
    let run = other.run(["validate"]).code(1);
    run.says("`argocd.project` is for `delivery.kind = \"argocd\"`, not for \"flux\"");
}

#[test]
fn a_variable_of_flux_is_refused_once_at_its_line() {
    let text = MINIMAL.replace("\"example.com\"", "\"${SECRET_DOMAIN}\"");
    let project = Project::new().config(format!("{text}\n{ARGOCD}"));
    let run = project.run(["validate"]).code(1);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn an_application_without_a_repository_is_refused() {
    let project = Project::new().minimal("[delivery]\nkind = \"argocd\"\n");
    let run = project.run(["validate"]).code(1);
    insta::assert_snapshot!(run.stdout);
    let elsewhere = Project::new().minimal(
        "[delivery]\nkind = \"argocd\"\n\n[argocd]\nenabled = false\n\n[layout]\nkustomization = false\n",
    );
    let run = elsewhere.rendered().run(["validate"]).success();
    run.says("nothing found");
}

#[test]
fn a_kustomization_that_moves_the_applications_is_reported() {
    let index = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: network\nresources:\n  - ./echo.yaml\n";
    let echo = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: echo\n";
    let project = Project::new()
        .minimal(ARGOCD)
        .file(INDEX, index)
        .file("kubernetes/apps/network/echo.yaml", echo);
    let run = project.run(["validate"]).code(1);
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn folders_without_a_kustomization_need_somebody_who_takes_every_file() {
    let off = "\n[layout]\nkustomization = false\n";
    let project = Project::new().minimal(&format!("{ARGOCD}{off}")).rendered();
    assert!(
        !project
            .path(&format!("{APP}/config/kustomization.yaml"))
            .exists()
    );
    project.run(["validate"]).success().says("nothing found");

    let lua = "\n[lua]\nblock_user_agents = [\"GPTBot\"]\n";
    let project = Project::new().minimal(&format!("{KUSTOMIZE}{off}{lua}"));
    let run = project.run(["validate"]).code(1);
    run.says("the folders have no kustomization, but `delivery.kind = \"kustomize\"` needs one")
        .says("the folders have no kustomization, but [lua] needs one");
}

#[test]
fn one_argo_cd_has_the_applications_of_all_clusters() {
    let text = MINIMAL
        .replace("address = \"10.10.30.26\"\n", "")
        .replace("address = \"10.10.30.25\"\n", "");
    let clusters = ["staging", "production"].map(|name| {
        let net = name.len();
        format!("[clusters.{name}]\ngateways.envoy-external.address = \"10.10.{net}.26\"\ngateways.envoy-internal.address = \"10.10.{net}.25\"\n")
    });
    let destination = "destination.name = \"{cluster}\"\n";
    let project = Project::new()
        .config(format!(
            "{text}\n{ARGOCD}{destination}\n{}",
            clusters.concat()
        ))
        .rendered();
    for name in ["staging", "production"] {
        let file = format!("kubernetes/{name}/apps/network/envoy-gateway/application.yaml");
        let text = project.read(&file);
        assert!(
            text.contains(&format!("name: {name}-envoy-gateway\n")),
            "{text}"
        );
        assert!(
            text.contains(&format!("name: {name}-envoy-gateway-config\n")),
            "{text}"
        );
        assert!(
            text.contains(&format!("destination:\n    name: {name}\n")),
            "{text}"
        );
    }
    project
        .run(["validate"])
        .success()
        .says("2 clusters, nothing found");
}
