//! Files that users edit, and the commands that examine them.

use crate::common::{APP, ENVOY, INDEX, LOCK, MINIMAL, Project, REFERENCE, Run};
use serde_json::Value;
use std::collections::BTreeSet;

/// [`MINIMAL`], rendered, with the replicas changed in cluster.toml afterwards.
fn changed() -> Project {
    let project = Project::new().minimal("").rendered();
    project.write(
        "cluster.toml",
        format!("{MINIMAL}\n[proxy]\nreplicas = 2\n"),
    );
    project
}

#[test]
fn what_is_rendered_is_there_and_the_second_time_nothing_is_written() {
    let project = Project::new().config(REFERENCE);
    project
        .run(["render", "--check"])
        .code(1)
        .warns("is rendered, but doesn't exist");
    let first = project.run(["render"]).success();
    assert_eq!(first.stderr, "");
    let files = project.files();
    let second = project.run(["render"]).success();
    assert_eq!(second.stdout, "unchanged  16 files\n");
    assert_eq!(project.files(), files);
    project.run(["render", "--check"]).success();
    project
        .run(["render", "--check", "--quiet"])
        .success()
        .never_says("ok");
}

#[test]
fn a_file_edited_by_hand_is_shown_and_kept() {
    let project = changed();
    project.edit(ENVOY, "name: envoy-external", "name: envoy-outside");
    let edited = project.read(ENVOY);
    let run = project.run(["render"]);
    assert_eq!(project.read(ENVOY), edited);
    snapshot!("edited", run.clone());
    run.code(1)
        .warns("tree/edited")
        .says("-")
        .says("+        replicas: 2");

    project
        .run(["render", "--check"])
        .code(1)
        .warns("tree/out-of-date");
    project
        .run(["render", "--force"])
        .success()
        .says("overwrote");
    assert!(!project.read(ENVOY).contains("envoy-outside"));
    project.run(["render", "--check"]).success();
}

#[test]
fn a_file_edited_to_what_is_rendered_is_no_edit() {
    let project = Project::new().minimal("").rendered();
    let after = Project::new().minimal("[proxy]\nreplicas = 2\n").rendered();
    project.write("cluster.toml", after.read("cluster.toml"));
    project.write(ENVOY, after.read(ENVOY));
    project.run(["render"]).success();
    assert_eq!(project.files(), after.files());
}

#[test]
fn a_file_of_somebody_elses_is_kept() {
    let project = Project::new().minimal("").file(ENVOY, "kind: Theirs\n");
    let run = project.run(["render"]);
    assert_eq!(project.read(ENVOY), "kind: Theirs\n");
    assert!(
        project.path(&format!("{APP}/helmrelease.yaml")).is_file(),
        "the others are written"
    );
    snapshot!("foreign", run.clone());
    run.code(1).warns("tree/foreign");
    project.run(["render", "--force"]).success();
    project.run(["render", "--check"]).success();
}

#[test]
fn a_secret_in_the_way_is_not_shown() {
    let secret = "apiVersion: v1\nkind: Secret\nstringData:\n  password: hunter2\n";
    let project = Project::new().minimal("").file(ENVOY, secret);
    project
        .run(["render"])
        .code(1)
        .warns("tree/foreign")
        .never_says("hunter2");
    project.run(["diff"]).code(1).never_says("hunter2");
}

#[test]
fn a_tree_that_exists_is_taken_over() {
    let rendered = Project::new().minimal("").rendered();
    let project = Project::new().minimal("");
    for (path, bytes) in rendered.files().iter().filter(|(path, _)| *path != LOCK) {
        project.write(path, bytes);
    }
    // The same objects in another YAML style.
    project.edit(ENVOY, "kind: EnvoyProxy\n", "kind: \"EnvoyProxy\" # ours\n");
    project.run(["render"]).success();
    assert_eq!(project.files(), rendered.files());
}

#[test]
fn what_is_no_longer_rendered_is_removed_unless_it_was_edited() {
    let files = "[layout.files]\ngateways = \"{short}.yaml\"\nrelease = \"release.yaml\"\n";
    let project = Project::new().minimal(files).rendered();
    let (external, internal) = (
        format!("{APP}/external.yaml"),
        format!("{APP}/internal.yaml"),
    );
    project.write(&format!("{APP}/mine.yaml"), "kind: Mine\n");
    project.edit(&internal, "10.10.30.25", "10.10.30.27");
    project.write("cluster.toml", MINIMAL);
    let run = project.run(["render"]).success();
    run.says(&format!("removed  {external}"))
        .warns("was kept because it was edited by hand");
    assert!(!project.path(&external).exists());
    assert!(project.read(&internal).contains("10.10.30.27"));
    assert_eq!(project.read(&format!("{APP}/mine.yaml")), "kind: Mine\n");
    project.run(["render"]).success().never_says(&internal);
}

#[test]
fn a_file_removed_by_hand_is_written_again() {
    let project = Project::new().minimal("").rendered();
    let files = project.files();
    std::fs::remove_file(project.path(ENVOY)).expect("removed");
    project.run(["render", "--check"]).code(1);
    project.run(["render"]).success();
    assert_eq!(project.files(), files);
}

#[test]
fn the_namespaces_kustomization_keeps_what_others_wrote() {
    let theirs = "---\n# ours, since 2023\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: network\ncomponents: [ ../../components/common ]   # shared\nresources:\n    - ./echo/ks.yaml # a demo\n    # - ./off/ks.yaml\n    - \"./vpn/ks.yaml\"\n\npatches: []\n";
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n";
    let component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";
    let mut project = Project::new()
        .minimal("")
        .file(INDEX, theirs)
        .file("kubernetes/components/common/kustomization.yaml", component);
    for name in ["echo", "echo2", "vpn"] {
        project = project.file(&format!("kubernetes/apps/network/{name}/ks.yaml"), manifest);
    }
    let project = project.rendered();
    let ours = "    - ./namespace.yaml\n    - ./envoy-gateway/ks.yaml\n";
    let want = theirs.replace(
        "    - \"./vpn/ks.yaml\"\n",
        &format!("    - \"./vpn/ks.yaml\"\n{ours}"),
    );
    assert_eq!(project.read(INDEX), want);
    project.run(["render", "--check"]).success();

    // Additional entries are not reported as edits.
    project.edit(INDEX, "./echo/ks.yaml", "./echo2/ks.yaml");
    project.run(["render"]).success().never_says("by hand");
    assert!(project.read(INDEX).contains("./echo2/ks.yaml # a demo"));

    project.write(
        "cluster.toml",
        format!("{MINIMAL}\n[namespace]\nkustomization = false\n"),
    );
    project.run(["render"]).success();
    assert!(project.path(INDEX).is_file(), "it is theirs too");
}

#[test]
fn a_kustomization_that_can_not_be_added_to_is_kept() {
    for text in [
        "resources: [./echo/ks.yaml]\n",
        "resources:\n  - a: [\n",
        "a: 1\n---\nb: 2\n",
    ] {
        let project = Project::new().minimal("").file(INDEX, text);
        project.run(["render"]).code(1).warns(INDEX);
        assert_eq!(project.read(INDEX), text);
        assert_eq!(project.files().len(), 2, "nothing is written");
    }
    let project = Project::new().minimal("").file(INDEX, b"# caf\xe9\n");
    project
        .run(["render"])
        .code(1)
        .warns(&format!("{INDEX} can't be read"));
}

#[test]
fn the_lock_is_not_guessed_at() {
    for lock in [
        "",
        "not JSON",
        "{}",
        "{\"format\": \"gatewayctl/lock/v99\"}",
    ] {
        let project = Project::new().minimal("").rendered().file(LOCK, lock);
        let before = project.files();
        project.run(["render"]).code(2).warns(LOCK);
        assert_eq!(project.files(), before, "{lock}");
    }
    // Without a lock, files that equal the rendered ones are taken over.
    let project = changed();
    std::fs::remove_file(project.path(LOCK)).expect("removed");
    project.run(["render"]).code(1).warns("tree/foreign");
}

#[test]
fn out_and_stdout_leave_the_root_alone() {
    let project = Project::new().minimal("");
    project.run(["render", "--out", "elsewhere"]).success();
    assert!(project.path(&format!("elsewhere/{ENVOY}")).is_file());
    assert!(!project.path("kubernetes").exists());
    let printed = project.run(["render", "--stdout"]).success();
    let envoy = project.read(&format!("elsewhere/{ENVOY}"));
    printed.says(&format!("# Source: {ENVOY}\n{envoy}"));
    let all: Vec<Value> =
        serde_yaml::from_multiple(&project.run(["render", "--stdout"]).stdout).expect("YAML");
    assert!(all.len() > 10);
    project.run(["render", "--check", "--stdout"]).code(2);
    project.run(["render", "--frobnicate"]).code(2);
}

#[test]
fn a_folder_below_the_root_will_do() {
    let project = Project::new().minimal("").file("a/b/c.txt", "");
    project.shell("cd a/b && \"$PROGRAM\" render").success();
    assert!(project.path(ENVOY).is_file());
    project
        .shell("cd / && \"$PROGRAM\" -C \"$OLDPWD\" render --check")
        .success();
    Project::new()
        .run(["render"])
        .code(2)
        .warns("there is no cluster.toml in this folder or above");
}

#[test]
fn a_difference_is_shown_in_each_format() {
    let project = changed();
    project.edit("cluster.toml", "10.10.30.26", "10.10.30.28");
    let text = project.run(["diff"]).code(1);
    snapshot!("diff_text", text);
    let markdown = project.run(["diff", "--format", "markdown"]).code(1);
    snapshot!("diff_markdown", markdown);
    let json = project.run(["diff", "--format", "json"]).code(1);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    snapshot!("diff_json", format!("{json:#}\n"));
    project.run(["render"]).success();
    project.run(["diff"]).success();
    let json = project.run(["diff", "--format", "json"]).success();
    assert!(
        serde_json::from_str::<Value>(&json.stdout).is_ok(),
        "{json}"
    );
}

#[test]
fn another_order_or_style_is_no_difference() {
    let project = Project::new().minimal("").rendered();
    project.edit(
        ENVOY,
        "kind: EnvoyProxy\n",
        "kind: \"EnvoyProxy\" # a remark\n",
    );
    let release = format!("{APP}/helmrelease.yaml");
    let text = project.read(&release);
    let document: Value = serde_yaml::from_multiple(&text).expect("YAML").remove(0);
    // JSON is valid YAML, and the order of keys doesn't matter.
    let backwards: serde_json::Map<String, Value> = document
        .as_object()
        .expect("an object")
        .clone()
        .into_iter()
        .rev()
        .collect();
    project.write(&release, Value::Object(backwards).to_string());
    project.run(["diff"]).success();
}

#[test]
fn a_revision_is_compared_with() {
    let project = Project::new().minimal("").rendered();
    project
        .shell("git init -q && git add -A && git commit -qm first")
        .success();
    project.run(["diff", "--against", "git:HEAD"]).success();
    project.edit("cluster.toml", "10.10.30.26", "10.10.30.28");
    project.run(["render"]).success();
    project.run(["diff"]).success();
    let run = project.run(["diff", "--against", "git:HEAD"]).code(1);
    snapshot!("diff_git", run);
    project
        .run(["diff", "--against", "git:nobody"])
        .code(2)
        .warns("there is no revision `nobody`");
    project.run(["diff", "--against", "git:--help"]).code(2);
    project.run(["diff", "--against", "git:"]).code(2);
    project.run(["diff", "--against", "svn:1"]).code(2);
    Project::new()
        .minimal("")
        .run(["diff", "--against", "git:HEAD"])
        .code(2);
    // A project that is not at the top of the repository.
    let below = Project::new().file("sub/cluster.toml", MINIMAL);
    below
        .shell("git init -q && \"$PROGRAM\" render -C sub && git add -A && git commit -qm first")
        .success();
    below
        .run(["diff", "-C", "sub", "--against", "git:HEAD"])
        .success();
}

#[test]
fn a_diff_of_what_can_not_be_rendered_is_no_change() {
    let project = Project::new().config("domian = 1");
    project.run(["diff"]).code(2).warns("config/unknown-key");
}

#[test]
fn why_leads_back_to_cluster_toml() {
    let project = Project::new().minimal("").rendered();
    let text = project.read(ENVOY);
    let line = 1 + text
        .lines()
        .position(|line| line.contains("10.10.30.26"))
        .expect("the address");
    let by_line = project.run(["why", &format!("{ENVOY}:{line}")]).success();
    snapshot!("why", by_line);
    project
        .run(["why", "app/envoy.yaml", "/metadata/name"])
        .success()
        .says("cluster.toml:7:");
    project
        .run(["why", ENVOY, "/spec/nothing"])
        .code(2)
        .warns("no object of");
    project
        .run(["why", ENVOY, "spec"])
        .code(2)
        .warns("is not a JSON pointer");
    project.run(["why", &format!("{ENVOY}:99999")]).code(2);
    project
        .run(["why", "envoy.yml"])
        .code(2)
        .warns("is not rendered");
}

#[test]
fn explain_knows_codes_keys_and_fields() {
    let project = Project::new();
    let run = |what: &str| project.run(["explain", what]);
    run("config/unknown-key")
        .success()
        .says("# config/unknown-key")
        .says("## Right");
    run("proxy.replicas").success().says("proxy.replicas:");
    run("gateways").success().says("gateways.NAME");
    run("Gateway.spec.listeners.port")
        .success()
        .says("integer")
        .says("65535");
    run("config/unknown-kye")
        .code(2)
        .warns("did you mean `config/unknown-key`?");
    run("Gateway.spec.listners").code(2).warns("no field");
    run("").code(2);
    // The version that cluster.toml declares is used.
    let field = "ClientTrafficPolicy.spec.clientIPDetection.directSourceIP";
    run(field).success();
    let older = Project::new().config(MINIMAL.replace("1.9.0", "1.8.3"));
    older.run(["explain", field]).code(2);
}

#[test]
fn the_schema_for_editors_takes_the_reference_and_refuses_what_render_refuses() {
    let printed = Project::new().run(["config-schema"]).success().stdout;
    let schema: Value = serde_json::from_str(&printed).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let json = |text: &str| -> Value {
        let table: toml::Table = text.parse().expect("TOML");
        serde_json::to_value(table).expect("JSON")
    };
    let configs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let configs = std::fs::read_dir(configs).expect("a folder");
    let configs = configs.map(|entry| entry.expect("an entry").path());
    let configs = configs.map(|path| std::fs::read_to_string(path).expect("a text"));
    let good = [REFERENCE, MINIMAL].map(str::to_owned);
    for good in good.into_iter().chain(configs) {
        let errors: Vec<String> = validator
            .iter_errors(&json(&good))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    let bad = [
        "domian = \"example.com\"",
        "domain = 3",
        "[proxy]\nreplicas = \"two\"",
        "[proxy]\nkind = \"Daemonset\"",
        "[gateways.a]\nadress = \"10.10.30.26\"",
        "[gateways.a.listeners.b]\nport = [1]",
        "[gateways.a.listeners.b]\nprotocol = \"http\"",
        "[lua]\nblock_user_agents = [1]",
    ];
    for text in bad {
        assert!(!validator.is_valid(&json(text)), "{text}");
        Project::new()
            .config(format!("{text}\n"))
            .run(["validate"])
            .code(1);
    }
    // One mistake is reported once, at its place, and `validate` refuses it, too.
    let mistakes = [
        ("[proxy]\nip_family = \"ipv4\"", "/proxy/ip_family"),
        ("[proxy]\nlog_level = \"loud\"", "/proxy/log_level"),
        ("[proxy]\nreplicas = \"two\"", "/proxy/replicas"),
        (
            "[proxy]\ndrain_timeout = \"1 hour\"",
            "/proxy/drain_timeout",
        ),
        (
            "[client_traffic.tls]\nmin_version = 1.4",
            "/client_traffic/tls/min_version",
        ),
        (
            "[client_traffic]\nclient_ip.trusted_cidrs = [\"10.0.0.0/8\", \"x\"]",
            "/client_traffic/client_ip/trusted_cidrs/1",
        ),
        (
            "[backend_traffic]\ncompression = [\"Gzip\", \"Zip\"]",
            "/backend_traffic/compression/1",
        ),
        ("[cilium]\npools = \"10.10.30\"", "/cilium/pools"),
        ("[redirect]\nstatus = \"x\"", "/redirect/status"),
        ("[flux]\ninterval = \"soon\"", "/flux/interval"),
        ("[lua]\nblock_user_agents = [1]", "/lua/block_user_agents/0"),
        ("[autoscaling]\nmin = \"a\"", "/autoscaling/min"),
    ];
    let reported = |text: &str| -> Vec<String> {
        let value = json(text);
        let errors = validator.iter_errors(&value);
        errors
            .map(|error| error.instance_path().to_string())
            .collect()
    };
    for (text, place) in mistakes {
        let config = format!("{MINIMAL}\n{text}\n");
        assert_eq!(reported(&config), [place], "{text}");
        Project::new().config(config).run(["validate"]).code(1);
    }
    for text in [
        "address = \"10.10.30.256\"",
        "address = [\"10.10.30.26\", \"gateway\"]",
    ] {
        let config = MINIMAL.replace("address = \"10.10.30.26\"", text);
        assert_ne!(config, MINIMAL);
        assert_eq!(reported(&config).len(), 1, "{text}");
        Project::new().config(config).run(["validate"]).code(1);
    }
    // A variable may stand where its value is not known.
    let variables =
        "[proxy]\nip_family = \"${FAMILY}\"\nreplicas = \"${N}\"\ndrain_timeout = \"${T}\"";
    assert_eq!(reported(&format!("{MINIMAL}\n{variables}\n")), [""; 0]);
    assert_eq!(
        schema["$defs"]["Redirect"]["properties"]["status"]["default"],
        301
    );
    let policies = &schema["$defs"]["Chart"]["properties"]["enable_envoy_patch_policy"];
    assert!(policies["default"].is_null(), "it depends on other keys");
}

/// The closed sets of words are those of the CRDs that they are passed on to.
#[test]
fn the_words_of_the_schema_for_editors_are_those_of_the_crds() {
    let sets: Vec<_> = gatewayctl::config::values::closed_sets().collect();
    assert!(sets.len() > 12, "{sets:?}");
    for (field, words) in sets {
        let page = Project::new().run(["explain", field]).success().stdout;
        let listed = page
            .lines()
            .find_map(|line| line.trim().strip_prefix("one of: "));
        let listed = listed.unwrap_or_else(|| panic!("{field} has no words: {page}"));
        let mut listed: Vec<&str> = listed.split(", ").map(|it| it.trim_matches('"')).collect();
        let mut words = words.to_vec();
        listed.sort_unstable();
        words.sort_unstable();
        assert_eq!(words, listed, "{field}");
    }
}

#[test]
fn shells_and_man_are_served() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish"] {
        project
            .run(["completions", shell])
            .success()
            .says("gatewayctl")
            .says("config-schema");
    }
    project.run(["completions", "tcsh"]).code(2);
    project
        .run(["man"])
        .success()
        .says(".TH")
        .says("\\-\\-against")
        .says("\\-\\-check");
    project.run(["--help"]).success().says("render");
    project
        .run(["--version"])
        .success()
        .says(env!("CARGO_PKG_VERSION"));
    project.run([]).code(2);
}

#[test]
fn a_new_project_is_begun_rendered_and_checked() {
    let project = Project::new();
    let flags = [
        "init",
        "--domain",
        "example.com",
        "--gateway",
        "envoy-external=10.10.30.26",
        "--gateway",
        "envoy-internal=10.10.30.25",
    ];
    project.run(flags).success().says("wrote");
    let text = project.read("cluster.toml");
    assert!(
        text.lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .count()
            < 25,
        "{text}"
    );
    project.run(["validate"]).success();
    project.run(["render"]).success();
    project.run(["render", "--check"]).success();

    project
        .run(flags)
        .code(2)
        .warns("exists already, and was not changed");
    assert_eq!(project.read("cluster.toml"), text);
    let other = Project::new();
    other.run(["init"]).code(2).warns("--domain is needed");
    other
        .run(["init", "--domain", "x", "--gateway", "a"])
        .code(2)
        .warns("write NAME=ADDRESS");
    other
        .run([
            "init",
            "--domain",
            "example.com",
            "--gateway",
            "a=10.10.30.300",
        ])
        .code(2)
        .warns("nothing was written");
    other
        .run([
            "init",
            "--domain",
            "a\"\nb = \"c",
            "--gateway",
            "a=10.10.30.26",
        ])
        .code(2);
    assert!(other.files().is_empty());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let project = Project::new().config(REFERENCE).rendered();
    let commands = [
        "explain config/syntax",
        "explain gateways",
        "config-schema",
        "completions bash",
        "man",
        "schemas list",
        "render --stdout",
        "validate --format json",
        "why kubernetes/apps/network/envoy-gateway/app/envoy.yaml",
        "--help",
    ];
    for command in commands {
        // The reader is gone before the first byte. The exit code and the messages must be the program's own.
        let script =
            format!("{{ sleep 0.1; \"$PROGRAM\" {command}; echo \"exit $?\" >&2; }} | true");
        let run = project.shell(&script);
        assert_eq!(run.stderr, "exit 0\n", "{command}");
    }
}

#[test]
fn findings_are_filtered_and_printed_for_programs() {
    let project = Project::new()
        .minimal("[proxy]\nreplicas = \"two\"\n")
        .file("x.yaml", "kind: [\n");
    let json = project.run(["validate", "--format", "json"]).code(1);
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(json["schema"], "gatewayctl/report/v1");
    let codes: BTreeSet<&str> = json["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["code"].as_str())
        .collect();
    assert_eq!(codes, BTreeSet::from(["config/wrong-type"]));
    project.run(["validate", "--ignore", "config"]).success();
    project.run(["validate", "--select", "network"]).success();
    project
        .run(["validate", "--select", "nonsense"])
        .code(2)
        .warns("nonsense");
    project
        .run(["validate", "x.yaml"])
        .code(1)
        .says("yaml/syntax");
    project
        .run(["validate", "nothing.yaml"])
        .code(2)
        .warns("no such file");
    let good: Run = project.run_with(
        ["validate", "-"],
        b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n",
    );
    good.success();
}
