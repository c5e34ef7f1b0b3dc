//! The front doors of several clusters, imported into one description.

use crd_validate::schema::Catalogue;
use gatewayctl::import::clusters::import_all;

use crate::common::Project;

const CONFIG: &str = "domain = \"example.com\"
certificates = \"example-com-tls\"

[chart]
version = \"1.9.0\"
bootstrap = \"bootstrap/{cluster}/00-crds.yaml\"

[gateways.envoy-external]
[gateways.envoy-internal]

[client_traffic]
http3 = true

[layout]
path = \"clusters/{cluster}/network\"

[clusters.production]
proxy.replicas = 4
gateways.envoy-external.address = \"10.10.40.26\"
gateways.envoy-internal.address = \"10.10.40.25\"
gateways.partners.address = \"10.10.40.27\"

[clusters.staging]
domain = \"staging.example.com\"
gateways.envoy-external.address = \"10.10.30.26\"
gateways.envoy-internal.address = \"10.10.30.25\"
";

/// A rendered project without its description and its locks, and with the trees as text.
fn rendered(config: &str) -> Project {
    let project = Project::new().config(config).rendered();
    for path in project.files().keys() {
        if path == "cluster.toml" || path.starts_with(".gatewayctl") {
            std::fs::remove_file(project.path(path)).expect("the file is removed");
        }
    }
    project
}

#[test]
fn two_clusters_become_one_description_that_renders_both_again() {
    let project = rendered(CONFIG);
    let before = project.files();
    let run = project.run(["import", "."]).success();
    run.says("2 clusters: production, staging\n")
        .says(" 0 kept, 0 different; ");
    let config = project.read("cluster.toml");
    let shared = config
        .split("[clusters.production]")
        .next()
        .expect("what is shared");
    for line in [
        "path = \"clusters/{cluster}/network\"",
        "http3 = true",
        "version = \"1.9.0\"",
    ] {
        assert_eq!(config.matches(line).count(), 1, "{config}");
        assert!(shared.contains(line), "{config}");
    }
    project.run(["diff"]).success().says("no difference");
    project
        .run(["validate"])
        .success()
        .says("2 clusters, nothing found");
    project.run(["render"]).success();
    for (path, text) in &before {
        if !path.ends_with("00-crds.yaml") {
            assert_eq!(project.read(path).as_bytes(), text.as_slice(), "{path}");
        }
    }
    let again = project.run(["import", ".", "--output", "-"]).success();
    assert_eq!(again.stdout, config);
    let json = project.run(["import", ".", "--output", "again.toml", "--format", "json"]);
    json.success()
        .says("\"clusters\": [\n    \"production\",\n    \"staging\"\n  ]");
}

#[test]
fn one_folder_can_still_be_chosen() {
    let project = rendered(CONFIG);
    let run = project.run(["import", ".", "--path", "clusters/staging", "--output", "-"]);
    run.success()
        .never_says("[clusters.")
        .says("domain = \"staging.example.com\"");
}

#[test]
fn front_doors_of_one_cluster_or_without_likeness_are_named() {
    let other = CONFIG.replace(
        "gateways.envoy-external.address = \"10.10.30.26\"\ngateways.envoy-internal.address = \"10.10.30.25\"\n",
        "gateways.edge.address = \"10.10.30.26\"\nremove = [\"gateways.envoy-external\", \"gateways.envoy-internal\"]\n",
    );
    let run = rendered(&other).run(["import", "."]).code(2);
    run.warns("several folders have gateways, which can't be clusters of one cluster.toml: no Gateway has the same name in all of them, so they may be in the same cluster\n  clusters/production/network/envoy-gateway/app\n  clusters/staging/network/envoy-gateway/app\n  help: choose one with `--path clusters/production/network/envoy-gateway/app`");

    let unlike = "[clusters.staging]
domain = \"staging.example.com\"
certificates = \"staging-tls\"
chart.version = \"1.8.3\"
chart.deploy = \"ControllerNamespace\"
proxy = { replicas = 3, drain_timeout = \"30s\", log_level = \"debug\" }
client_traffic = { http3 = false, path = { merge_slashes = true } }
gateways.envoy-external.address = \"10.10.30.26\"
gateways.envoy-internal.address = \"10.10.30.25\"
";
    let start = CONFIG.find("[clusters.staging]").expect("the last cluster");
    let config = format!("{}{unlike}", &CONFIG[..start]);
    let tree = super::read(&rendered(&config).root());
    let folders = [
        "clusters/production/network/envoy-gateway/app",
        "clusters/staging/network/envoy-gateway/app",
    ];
    let folders = folders.map(str::to_owned);
    let Err(why) = import_all(&tree, &folders, &Catalogue::embedded()) else {
        panic!("they have little in common");
    };
    assert!(
        why.starts_with("they are too unlike, because only "),
        "{why}"
    );
}
