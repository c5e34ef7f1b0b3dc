//! Several clusters from one description: what differs, what is shared, and where each value comes from.

use crate::common::{MINIMAL, Project, Run};
use serde_json::Value as Json;

/// What all clusters have in common.
const COMMON: &str = r#"domain = "example.com"
certificates = "example-com-tls"

[chart]
version = "1.9.0"

[proxy]
replicas = 2

[gateways.envoy-external]
[gateways.envoy-internal]
"#;

const STAGING: &str = r#"
[clusters.staging]
domain = "staging.example.com"
gateways.envoy-external.address = "10.10.30.26"
gateways.envoy-internal.address = "10.10.30.25"
"#;

const PRODUCTION: &str = r#"
[clusters.production]
proxy.replicas = 4
gateways.envoy-external.address = "10.10.40.26"
gateways.envoy-internal.address = "10.10.40.25"
"#;

/// The file with the gateways of a cluster.
fn envoy(cluster: &str) -> String {
    format!("kubernetes/{cluster}/apps/network/envoy-gateway/app/envoy.yaml")
}

fn two(tables: &str) -> String {
    format!("{COMMON}{STAGING}{PRODUCTION}{tables}")
}

fn json(run: &Run) -> Json {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

#[test]
fn each_cluster_has_its_own_tree_and_lock() {
    let project = Project::new().config(two("")).rendered();
    let (staging, production) = (
        project.read(&envoy("staging")),
        project.read(&envoy("production")),
    );
    assert!(staging.contains("replicas: 2\n") && staging.contains("10.10.30.26"));
    assert!(
        staging.contains("external.staging.example.com"),
        "{staging}"
    );
    assert!(production.contains("replicas: 4\n") && production.contains("10.10.40.26"));
    assert!(production.contains("external.example.com"), "{production}");
    let lock = project.read(".gatewayctl.staging.lock");
    assert!(lock.contains("\"cluster\": \"staging\""), "{lock}");
    assert!(!lock.contains("kubernetes/production"), "{lock}");
    assert!(!project.path(".gatewayctl.lock").exists());

    project.run(["render", "--check"]).success();
    project.run(["diff"]).success().says("no difference");
    let validated = project.run(["validate"]).success();
    assert!(
        validated.stdout.ends_with("2 clusters, nothing found\n"),
        "{validated}"
    );
    project
        .run(["render"])
        .success()
        .says("unchanged  14 files");
    let printed = project.run(["render", "--stdout", "--cluster", "staging"]);
    printed.success().never_says("kubernetes/production");
}

#[test]
fn a_mistake_in_what_is_shared_is_told_once_with_its_line() {
    let project = Project::new().config(two("").replace("replicas = 2", "replcas = 2"));
    let run = project.run(["validate"]).code(1);
    assert_eq!(
        run.stdout.matches("[config/unknown-key]").count(),
        1,
        "{run}"
    );
    let run = run
        .says("cluster.toml:8:1")
        .says("clusters: staging, production");
    run.says("write `replicas`").says("1 error in");
    project.run(["render"]).code(1).warns("cluster.toml:8:1");
    assert!(!project.path("kubernetes").exists(), "nothing is written");

    let report = json(&project.run(["validate", "--format", "json"]).code(1));
    assert_eq!(
        report["diagnostics"][0]["clusters"],
        serde_json::json!(["staging", "production"])
    );
    assert_eq!(report["clusters"][0]["name"], "staging");
    assert_eq!(report["clusters"][1]["errors"], 1);
    assert_eq!(report["summary"]["errors"], 1);
}

#[test]
fn every_format_says_in_which_clusters_something_is_found() {
    let wrong = two("").replace("replicas = 2", "replcas = 2");
    let wrong = wrong.replace("address = \"10.10.40.26\"", "address = \"10.10.40.266\"");
    let project = Project::new().config(wrong);
    let report = |format: &str| project.run(["validate", "--format", format]).code(1);

    let sarif = json(&report("sarif"));
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let clusters: Vec<&Json> = results
        .iter()
        .map(|it| &it["properties"]["clusters"])
        .collect();
    let both = serde_json::json!(["staging", "production"]);
    assert_eq!(clusters, [&both, &serde_json::json!(["production"])]);
    let text = results[0]["message"]["text"].as_str().expect("a message");
    assert!(
        text.contains("\n\nClusters: staging, production\n\n"),
        "{text}"
    );

    report("github")
        .says("%0Aclusters: staging, production%0A")
        .says("%0Acluster: production%0A");
    report("junit")
        .says("\nclusters: staging, production\n")
        .says("\ncluster: production\n");
}

#[test]
fn a_mistake_of_one_cluster_is_told_for_it_only() {
    let wrong = two("").replace("address = \"10.10.40.26\"", "address = \"10.10.40.266\"");
    let project = Project::new().config(wrong);
    let run = project.run(["validate"]).code(1);
    run.says("cluster: production\n").says("cluster.toml:20:35");
    project.run(["validate", "--cluster", "staging"]).success();
    project.run(["validate", "--cluster", "production"]).code(1);
    // What is wrong with one of them is no reason to write half of the rest.
    project.run(["render"]).code(1);
    assert!(!project.path("kubernetes").exists());
    project.run(["render", "--cluster", "staging"]).success();
    assert!(project.path("kubernetes/staging").exists());
    assert!(!project.path("kubernetes/production").exists());
}

#[test]
fn a_rendered_mistake_shows_the_shared_line_once() {
    let project = Project::new().config(two("").replace(
        "[proxy]\n",
        "[proxy]\nspec = { logging = { level = { default = \"loud\" } } }\n",
    ));
    let run = project.run(["validate"]).code(1);
    assert_eq!(run.stdout.matches("\nerror").count() + 1, 1, "{run}");
    run.says("cluster.toml:8:")
        .says("clusters: staging, production");
}

#[test]
fn clusters_that_would_write_the_same_files_are_refused() {
    let layout = "[layout]\npath = \"kubernetes/apps/network\"\n";
    let project = Project::new()
        .config(format!("{layout}\n").replace('\n', "\n") + "")
        .config(two("").replace("[proxy]", &format!("{layout}\n[proxy]")));
    let run = project.run(["render"]).code(1);
    run.warns("several clusters would write `kubernetes/apps/network/envoy-gateway/app/envoy.yaml` and 6 other files: staging, production")
        .warns("cluster.toml:8:8")
        .warns("kubernetes/{cluster}/apps/network");
    assert!(!project.path("kubernetes").exists());
    project.run(["validate"]).code(1).says("config/duplicate");
    project.run(["diff"]).code(2);

    project.edit("cluster.toml", "kubernetes/apps", "clusters/{cluster}/apps");
    project.run(["render"]).success();
    assert!(
        project
            .path("clusters/staging/apps/network/envoy-gateway/app/envoy.yaml")
            .is_file()
    );
    project.run(["validate"]).success();
}

#[test]
fn an_unknown_cluster_is_refused_with_the_nearest() {
    let project = Project::new().config(two(""));
    for command in [
        "render", "validate", "diff", "exposure", "clusters", "graph",
    ] {
        let run = project.run([command, "--cluster", "stagin"]).code(2);
        run.warns("cluster.toml describes no cluster `stagin`; did you mean `staging`? It describes staging, production");
    }
}

#[test]
fn commands_that_need_one_cluster_say_which_there_are() {
    let project = Project::new().config(two("")).rendered();
    let file = envoy("staging");
    let commands: [&[&str]; 4] = [
        &["trace", "https://a.example.com/"],
        &["graph"],
        &["status"],
        &["why", &file],
    ];
    for command in commands {
        let run = project.run(command.iter().copied()).code(2);
        run.warns("cluster.toml describes 2 clusters, production, staging: choose one with `--cluster NAME`");
        let mut with = command.to_vec();
        with.extend(["--cluster", "staging"]);
        assert_ne!(project.run(with).code, Some(2), "{command:?}");
    }
    // The versions are the same in both, so a field has one meaning.
    project.run(["explain", "Gateway.spec.listeners"]).success();
    project.edit(
        "cluster.toml",
        "[clusters.staging]\n",
        "[clusters.staging]\nchart.version = \"1.8.0\"\n",
    );
    project.run(["explain", "Gateway.spec.listeners"]).code(2);
    project
        .run(["explain", "Gateway.spec.listeners", "--cluster", "staging"])
        .success();
}

#[test]
fn why_and_explain_show_what_a_value_is_over() {
    let project = Project::new().config(two("")).rendered();
    let file = envoy("production");
    let replicas = "/spec/provider/kubernetes/envoyDeployment/replicas";
    let run = project
        .run(["why", "--cluster", "production", &file, replicas])
        .success();
    assert!(
        run.stdout.ends_with(
            "  is    4\n  from  cluster.toml:19:18  proxy.replicas = 4\n  over  cluster.toml:8:12  replicas = 2\n"
        ),
        "{run}"
    );
    project.run(["explain", "proxy.replicas"]).success().says(
        "\nstaging: 2, set in cluster.toml:8\nproduction: 4, set in cluster.toml:19, over cluster.toml:8\n",
    );
    let one = project.run([
        "explain",
        "clusters.production.proxy.replicas",
        "--cluster",
        "staging",
    ]);
    one.success()
        .says("\nstaging: 2, set in cluster.toml:8\n")
        .never_says("production:");
}

#[test]
fn a_file_extends_others_and_the_nearer_value_counts() {
    let project = Project::new()
        .file("common/base.toml", COMMON.replace("[proxy]", "[proxy]\ndrain_timeout = \"60s\"\nlog_level = \"info\""))
        .file(
            "common/large.toml",
            "extends = \"base.toml\"\nremove = [\"proxy.drain_timeout\"]\n[proxy]\nreplicas = 3\n",
        )
        .config("extends = [\"common/large.toml\"]\n[proxy]\nlog_level = \"debug\"\n[gateways.envoy-external]\naddress = \"10.10.30.26\"\n[gateways.envoy-internal]\naddress = \"10.10.30.25\"\n")
        .rendered();
    let file = "kubernetes/apps/network/envoy-gateway/app/envoy.yaml";
    let text = project.read(file);
    assert!(
        text.contains("replicas: 3\n") && text.contains("debug"),
        "{text}"
    );
    assert!(!text.contains("60s"), "{text}");
    let run = project.run([
        "why",
        file,
        "/spec/provider/kubernetes/envoyDeployment/replicas",
    ]);
    run.success().says("  from  common/large.toml:4:12  replicas = 3\n  over  common/base.toml:10:12  replicas = 2\n");
    project
        .run(["explain", "proxy.log_level"])
        .success()
        .says("\n\"debug\", set in cluster.toml:3, over common/base.toml:9\n");
    project.run(["validate"]).success();

    // A mistake in a common file is shown there.
    project.edit("common/base.toml", "log_level", "log_levle");
    let run = project.run(["validate"]).code(1);
    run.says("common/base.toml:9:1")
        .says("[proxy] has no key `log_levle`");
}

#[test]
fn repositories_extend_a_file_beside_their_folder() {
    let project = Project::new()
        .file("clusters/common/cluster.toml", COMMON)
        .file(
            "clusters/staging/cluster.toml",
            "extends = \"../common/cluster.toml\"\n[gateways.envoy-external]\naddress = \"10.10.30.26\"\n[gateways.envoy-internal]\naddress = \"10.10.30.25\"\n",
        );
    project.run(["-C", "clusters/staging", "render"]).success();
    let common = "clusters/common/cluster.toml";
    project.edit(common, "[proxy]", "[prox]");
    let run = project.run(["-C", "clusters/staging", "validate"]).code(1);
    run.says("../common/cluster.toml:7:").says("no key `prox`");
    // In a Git repository, nothing outside of it is read.
    std::fs::create_dir(project.path("clusters/staging/.git")).expect("a folder");
    let run = project.run(["-C", "clusters/staging", "validate"]).code(1);
    run.says("../common/cluster.toml can't be read: it is outside of the repository");
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_repository() {
    let project = Project::new()
        .config("extends = \"common.toml\"\n")
        .file(".git/HEAD", "");
    let outside = project.around().join("outside.toml");
    std::fs::write(&outside, COMMON).expect("a file");
    std::os::unix::fs::symlink(&outside, project.path("common.toml")).expect("a link");
    let run = project.run(["validate"]).code(1);
    run.says("common.toml can't be read: it is outside of the repository")
        .never_says("domain");
}

#[test]
fn files_that_can_not_be_extended_are_told_at_their_place() {
    let extended = |text: &str| {
        let project = Project::new()
            .file("a.toml", "extends = \"b.toml\"\n")
            .file("b.toml", "extends = \"a.toml\"\n")
            .file("broken.toml", "domain = \n")
            .config(MINIMAL.replacen("domain", &format!("extends = {text}\ndomain"), 1));
        project.run(["validate"]).code(1)
    };
    extended("\"nothing.toml\"")
        .says("nothing.toml can't be read: there is no such file")
        .says("cluster.toml:1:11");
    extended("\"cluster.toml\"")
        .says("the files extend each other in a circle: cluster.toml, cluster.toml");
    extended("[\"a.toml\"]")
        .says("in a circle: a.toml, b.toml, a.toml")
        .says("b.toml:1:11");
    extended("\"/etc/hosts\"").says("\"/etc/hosts\" is no relative path");
    extended("\"broken.toml\"")
        .says("config/syntax")
        .says("broken.toml:1:");
    extended("3").says("`extends` is the number `3`");
    extended("\".\"").says("can't be read");
}

#[test]
fn only_so_many_files_extend_each_other() {
    let mut project = Project::new().config("extends = \"1.toml\"\n");
    for at in 1..20 {
        project = project.file(
            &format!("{at}.toml"),
            format!("extends = \"{}.toml\"\n", at + 1),
        );
    }
    project
        .run(["validate"])
        .code(1)
        .says("more than 8 files extend each other");
    let twice = |next: &str| format!("extends = [{}]\n", vec![format!("{next:?}"); 60].join(", "));
    let project = Project::new()
        .config(twice("a.toml"))
        .file("a.toml", twice("b.toml"))
        .file("b.toml", twice("c.toml"))
        .file("c.toml", COMMON);
    project
        .run(["validate"])
        .code(1)
        .says("more than 64 are needed");
}

#[test]
fn keys_are_taken_away_from_what_is_shared() {
    let tables = "[autoscaling]\nmin = 1\nmax = 3\n";
    let config = two("")
        .replace("[proxy]\n", &format!("{tables}[proxy]\n"))
        .replace(
            "[clusters.staging]\n",
            "[clusters.staging]\nremove = [\"gateways.envoy-internal\", 'proxy.\"replicas\"']\n",
        );
    let config = config
        .replace("gateways.envoy-internal.address = \"10.10.30.25\"\n", "")
        .replace(tables, "");
    let project = Project::new().config(config).rendered();
    let staging = project.read(&envoy("staging"));
    assert!(
        !staging.contains("envoy-internal") && !staging.contains("replicas"),
        "{staging}"
    );
    assert!(
        project
            .read(&envoy("production"))
            .contains("envoy-internal")
    );

    project.edit(
        "cluster.toml",
        "gateways.envoy-internal\",",
        "gateways.envoy-intern\",",
    );
    let run = project.run(["validate"]).code(1);
    run.says("there is no `gateways.envoy-intern` to take away")
        .says("there is `envoy-internal`")
        .says("cluster: staging\n");
    project.edit("cluster.toml", "gateways.envoy-intern\",", "a b\",");
    project.run(["validate"]).code(1).says("\"a b\" is no key");
}

#[test]
fn clusters_have_names_and_tables() {
    let wrong = |text: &str| {
        Project::new()
            .config(format!("{MINIMAL}{text}"))
            .run(["validate"])
            .code(1)
    };
    wrong("[clusters.\"../x\"]\n").says("a cluster can't be called \"../x\"");
    wrong("[clusters.Main]\n").says("a cluster can't be called \"Main\"");
    wrong("[clusters]\nmain = 3\n").says("`clusters.main` is not a table");
    wrong("[clusters.main.clusters.x]\n").says("[clusters.main] has no key `clusters`");
    wrong("[clusters.main]\nreplicas = 3\n")
        .says("cluster.toml has no key `replicas`")
        .says("cluster: main");
    let many: String = (0..300).map(|at| format!("[clusters.c{at}]\n")).collect();
    wrong(&many).says("300 clusters are described, more than 256");
}

#[test]
fn one_described_cluster_needs_no_option() {
    let project = Project::new()
        .config(format!("{COMMON}{STAGING}"))
        .rendered();
    project
        .run(["why", &envoy("staging"), "/metadata/name"])
        .success();
    project
        .run(["clusters"])
        .success()
        .says("staging  kubernetes/staging/apps/network  2\n");
}

#[test]
fn an_edit_of_one_clusters_file_is_shown_and_kept() {
    let project = Project::new().config(two("")).rendered();
    project.edit(&envoy("staging"), "replicas: 2", "replicas: 7");
    project.edit(
        "cluster.toml",
        "[proxy]\n",
        "[proxy]\nlog_level = \"debug\"\n",
    );
    let run = project.run(["render"]).code(1);
    run.says("\n-        replicas: 7\n");
    let run = project.run(["render"]).code(1);
    run.warns("was edited by hand since it was rendered")
        .warns("cluster: staging");
    assert!(project.read(&envoy("staging")).contains("replicas: 7"));
    assert!(
        project.read(&envoy("production")).contains("debug"),
        "the others are written"
    );
    project.run(["render", "--check"]).code(1);
    project.run(["render", "--force"]).success();
    project.run(["render", "--check"]).success();
}

#[test]
fn what_was_rendered_for_a_removed_cluster_goes_away_unless_it_was_edited() {
    let project = Project::new().config(two("")).rendered();
    let production = format!("{COMMON}{PRODUCTION}");
    project.write("cluster.toml", &production);
    let check = project.run(["render", "--check"]).code(1);
    check
        .warns("is no longer rendered, but still exists")
        .warns("cluster: staging");
    let diff = project.run(["diff"]).code(1);
    diff.says("Gateway").never_says("10.10.40");
    project.run(["validate"]).success();
    let run = project.run(["render"]).success();
    run.says(&format!("removed  {}", envoy("staging")));
    assert!(!project.path("kubernetes/staging").exists());
    assert!(!project.path(".gatewayctl.staging.lock").exists());
    assert_eq!(
        project.files(),
        Project::new().config(&production).rendered().files()
    );

    // With somebody's work in it, that stays.
    let project = Project::new().config(two("")).rendered();
    let index = "kubernetes/staging/apps/network/kustomization.yaml";
    project.edit(&envoy("staging"), "replicas: 2", "replicas: 7");
    project.edit(index, "resources:\n", "resources:\n  - ./echo.yaml\n");
    project.write(
        "kubernetes/staging/apps/network/echo.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: echo\n",
    );
    project.write("cluster.toml", &production);
    let run = project.run(["render"]).success();
    run.warns("was kept because it was edited by hand")
        .warns("cluster: staging");
    assert!(project.path(&envoy("staging")).is_file());
    let index = project.read(index);
    assert!(
        index.contains("./echo.yaml") && !index.contains("ks.yaml"),
        "{index}"
    );
    assert!(!project.path(".gatewayctl.staging.lock").exists());
    project
        .run(["render"])
        .success()
        .never_says("edited by hand");
}

#[test]
fn one_cluster_leaves_the_others_alone() {
    let project = Project::new().config(two("")).rendered();
    project.write("cluster.toml", format!("{COMMON}{PRODUCTION}"));
    project.run(["render", "--cluster", "production"]).success();
    assert!(
        project.path("kubernetes/staging").exists(),
        "it is for all clusters to remove it"
    );
}

#[test]
fn a_renamed_cluster_takes_its_files_over() {
    let layout = "layout.path = \"kubernetes/apps/network\"\n";
    let named = |name: &str| {
        let staging = STAGING.replace("staging]\n", &format!("{name}]\n{layout}"));
        format!("{COMMON}{staging}{PRODUCTION}")
    };
    let project = Project::new().config(named("staging")).rendered();
    project.write(
        "cluster.toml",
        named("test").replace("replicas = 2", "replicas = 3"),
    );
    let run = project.run(["render"]).success();
    run.says("updated  kubernetes/apps/network/envoy-gateway/app/envoy.yaml")
        .never_says("removed");
    assert!(!project.path(".gatewayctl.staging.lock").exists());
    project.run(["render", "--check"]).success();
}

#[test]
fn a_description_of_one_cluster_becomes_one_of_several_and_back() {
    let one = MINIMAL;
    let project = Project::new().config(one).rendered();
    let path = "layout.path = \"kubernetes/apps/network\"\n";
    let other = PRODUCTION.replace("proxy.replicas = 4\n", "");
    project.write(
        "cluster.toml",
        format!("{one}[clusters.main]\n{path}{other}"),
    );
    let run = project.run(["render"]).success();
    run.never_says("removed")
        .says("created  kubernetes/production/");
    assert!(!project.path(".gatewayctl.lock").exists());
    project.run(["render", "--check"]).success();

    project.write("cluster.toml", one);
    project
        .run(["render"])
        .success()
        .says("removed  kubernetes/production/");
    assert_eq!(
        project.files(),
        Project::new().config(one).rendered().files()
    );
}

#[test]
fn clusters_are_not_judged_by_the_manifests_of_others() {
    let flux = |cluster: &str| {
        format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: apps, namespace: flux-system}}\nspec:\n  interval: 1h\n  path: ./kubernetes/{cluster}/apps\n  prune: true\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n"
        )
    };
    let route = |gateway: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: wiki, namespace: web}}\nspec:\n  hostnames: [wiki.example.com]\n  parentRefs: [{{name: {gateway}, namespace: network}}]\n  rules: [{{backendRefs: [{{name: wiki, port: 80}}]}}]\n"
        )
    };
    // The gateway `only` is in production.
    let project = Project::new()
        .config(two("").replace(
            "[clusters.production]\n",
            "[clusters.production]\ngateways.only.address = \"10.10.40.27\"\n",
        ))
        .file("kubernetes/staging/flux/apps.yaml", flux("staging"))
        .file("kubernetes/production/flux/apps.yaml", flux("production"))
        .file(
            "kubernetes/staging/apps/wiki/route.yaml",
            route("envoy-external"),
        )
        .file("kubernetes/production/apps/wiki/route.yaml", route("only"))
        .rendered();
    project
        .run(["validate"])
        .never_says("attachment/no-gateway");
    let exposed = json(&project.run(["exposure", "--format", "json"]).success());
    assert_eq!(exposed["gateways"][0]["cluster"], "staging", "{exposed}");
    project.edit(
        "kubernetes/staging/apps/wiki/route.yaml",
        "envoy-external",
        "only",
    );
    let run = project.run(["validate"]);
    run.says("attachment/no-gateway")
        .says("kubernetes/staging/apps/wiki/route.yaml")
        .says("cluster: staging");
}

#[test]
fn exposure_and_tests_are_told_by_cluster() {
    let test = "[[test]]\nname = \"http is redirected\"\nrequest = { url = \"http://a.example.com/\" }\nexpect = { status = 301 }\n";
    let only = "[[test]]\nname = \"staging only\"\ncluster = \"staging\"\nrequest = { url = \"http://a.example.com/\" }\nexpect = { status = 200 }\n";
    let config = two("").replace("[proxy]", &format!("{test}{only}[proxy]"));
    let project = Project::new().config(config).rendered();
    let exposure = project.run(["exposure"]).success();
    exposure
        .says("cluster production\n")
        .says("cluster staging\n");
    let run = project.run(["test"]).code(1);
    run.says("cluster: staging\n")
        .says("2 tests, 3 requests: 2 passed, 1 failed")
        .says("coverage of production:");
    project
        .run(["test", "--cluster", "production"])
        .success()
        .says("1 request: 1 passed");
    project.edit(
        "cluster.toml",
        "cluster = \"staging\"",
        "cluster = \"stagin\"",
    );
    let run = project.run(["test"]).code(1);
    run.says("there is no cluster `stagin`");
}

#[test]
fn an_entry_that_fits_in_one_cluster_is_used() {
    let ignore =
        "[[validate.ignore]]\ncode = \"network/invalid-address\"\nreason = \"it is a test\"\n";
    let config = two("").replace("[proxy]", &format!("{ignore}[proxy]"));
    let unused = "nothing is found that fits";
    let run = Project::new().config(&config).run(["validate"]).success();
    run.says(unused).says("clusters: staging, production");
    let used = Project::new().config(config.replace("\"10.10.30.26\"", "\"10.10.30.266\""));
    used.run(["validate"]).success().never_says(unused);
    // What is for another cluster is not known to be unused.
    let one = used.run(["validate", "--cluster", "production"]);
    one.success().never_says(unused);
}

#[test]
fn the_list_of_clusters_shows_what_differs_in_80_columns() {
    let project = Project::new().config(two(""));
    assert_eq!(
        project.run(["clusters"]).success().stdout,
        "\
cluster     folder                              gateways
staging     kubernetes/staging/apps/network     2
production  kubernetes/production/apps/network  2

key                              staging              production
domain                           staging.example.com  example.com
gateways.envoy-external.address  10.10.30.26          10.10.40.26
gateways.envoy-internal.address  10.10.30.25          10.10.40.25
proxy.replicas                   2                    4
"
    );
    let document = json(&project.run(["clusters", "--format", "json"]).success());
    assert_eq!(document["schema"], "gatewayctl/clusters/v1");
    let replicas = &document["differences"][3];
    assert_eq!(replicas["key"], "proxy.replicas");
    let production = serde_json::json!({"value": 4, "file": "cluster.toml", "line": 19, "over": [{"file": "cluster.toml", "line": 8}]});
    assert_eq!(replicas["values"]["production"], production);
    let many = Project::new().config(rehearsal());
    for line in many.run(["clusters"]).success().stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    Project::new()
        .minimal("")
        .run(["clusters"])
        .success()
        .says("describes one cluster");
    project.edit("cluster.toml", "[proxy]", "[prox]");
    project.run(["clusters"]).code(2).warns("no key `prox`");
}

/// A description of 40 clusters with 4 gateways each.
fn rehearsal() -> String {
    let mut text = COMMON.replace("[gateways.envoy-external]\n[gateways.envoy-internal]\n", "");
    for cluster in 0..40 {
        text.push_str(&format!(
            "[clusters.site-{cluster:02}]\ndomain = \"site-{cluster:02}.example.com\"\n"
        ));
        for (at, gateway) in ["envoy-external", "envoy-internal", "partners", "admin"]
            .iter()
            .enumerate()
        {
            let address = 10 + at;
            text.push_str(&format!(
                "gateways.{gateway}.address = \"10.10.{cluster}.{address}\"\n"
            ));
        }
    }
    text
}

#[test]
fn forty_clusters_are_rendered_and_checked() {
    let project = Project::new().config(rehearsal());
    let run = project.run(["render"]).success();
    assert_eq!(run.stdout.matches("created  ").count(), 40 * 7, "{run}");
    run.says("280 files created; ");
    project.run(["render", "--check"]).success();
    let run = project.run(["validate"]).success();
    run.says("280 files").says("40 clusters, nothing found");
    let again = project.run(["render"]).success();
    assert_eq!(again.stdout, "unchanged  280 files\n");
}

#[test]
fn the_findings_have_the_same_order_in_every_run() {
    let wrong = rehearsal().replace("replicas = 2", "replicas = 2\nunknown = 3");
    let project = Project::new().config(wrong.replace("10.10.7.10", "10.10.7.300"));
    let first = project.run(["validate", "--format", "json"]).code(1).stdout;
    for _ in 0..3 {
        assert_eq!(project.run(["validate", "--format", "json"]).stdout, first);
    }
}

#[test]
fn the_schema_knows_the_tables_of_clusters() {
    let schema = json(&Project::new().run(["config-schema"]).success());
    let properties = &schema["properties"];
    assert_eq!(
        properties["clusters"]["additionalProperties"]["$ref"],
        "#/$defs/ClusterTable"
    );
    let table = &schema["$defs"]["ClusterTable"];
    assert!(
        table["properties"]["gateways"].is_object() && table["properties"]["remove"].is_object()
    );
    assert!(table["properties"]["clusters"].is_null());
    assert!(properties["extends"].is_object());
}
