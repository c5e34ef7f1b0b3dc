//! Which files belong to whom: what is removed with a setting, what stays for others, and what is never touched.

use crate::common::{APP, ENVOY, INDEX, LOCK, MINIMAL, Project};
use sha2::{Digest, Sha256};

const NAMESPACE: &str = "kubernetes/apps/network/namespace.yaml";
const KS: &str = "kubernetes/apps/network/envoy-gateway/ks.yaml";

/// Adds the user's own kustomization of the namespace, with a manifest that it lists.
fn with_theirs(project: Project) -> Project {
    project.file(INDEX, THEIRS).file(
        "kubernetes/apps/network/echo.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: echo\n",
    )
}

const THEIRS: &str = "# ours, since 2023\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: network\nresources:\n  - ./echo.yaml # a demo\n  # - ./off.yaml\n";

fn minimal(tables: &str) -> String {
    format!("{MINIMAL}\n{tables}")
}

#[test]
fn an_entry_goes_with_its_file_and_everything_else_stays() {
    // A setting, and what is left of our entries in the namespace's kustomization.
    let settings = [
        (
            "[layout]\napp = \"edge\"\n",
            "./namespace.yaml ./edge/ks.yaml",
        ),
        ("[layout]\npath = \"apps/front\"\n", ""),
        (
            "[layout.files]\nflux = \"flux.yaml\"\n",
            "./namespace.yaml ./envoy-gateway/flux.yaml",
        ),
        ("[namespace]\nmanifest = false\n", "./envoy-gateway/ks.yaml"),
        ("[namespace]\nname = \"edge\"\n", ""),
        ("[flux]\nenabled = false\n", "./namespace.yaml"),
        // From now on the user maintains it; nothing that is still rendered may be missing from it.
        (
            "[namespace]\nkustomization = false\n",
            "./namespace.yaml ./envoy-gateway/ks.yaml",
        ),
    ];
    for (setting, left) in settings {
        let project = with_theirs(Project::new().minimal("")).rendered();
        project.write("cluster.toml", minimal(setting));
        let run = project.run(["render"]).success();
        assert_eq!(run.stderr, "", "{setting}");
        let index = project.read(INDEX);
        let mut want = THEIRS.replace("  # - ./off.yaml\n", "");
        for entry in left.split_whitespace() {
            want.push_str(&format!("  - {entry}\n"));
        }
        want.push_str("  # - ./off.yaml\n");
        assert_eq!(index, want, "{setting}");
        project.run(["render", "--check"]).success();
        project.run(["diff"]).success();
        project.run(["validate"]).success();
    }
}

#[test]
fn a_kustomization_that_we_made_goes_too_unless_somebody_has_a_part_in_it() {
    let moved = minimal("[layout]\npath = \"apps/front\"\n");
    let project = Project::new().minimal("").rendered();
    project.write("cluster.toml", &moved);
    project
        .run(["render"])
        .success()
        .says(&format!("removed  {INDEX}"));
    assert!(
        !project.path("kubernetes").exists(),
        "nothing is left of it"
    );
    let fresh = Project::new().config(&moved).rendered();
    assert_eq!(project.files(), fresh.files());

    // A comment counts as somebody's work.
    let project = Project::new().minimal("").rendered();
    project.edit(INDEX, "namespace: network\n", "namespace: network # ours\n");
    project.write("cluster.toml", &moved);
    project.run(["render"]).success();
    let index = project.read(INDEX);
    assert!(
        index.contains("network # ours\n") && index.contains("resources: []\n"),
        "{index}"
    );
    project.run(["render", "--check"]).success();

    // And back again.
    project.write("cluster.toml", MINIMAL);
    project.run(["render"]).success();
    assert!(
        project
            .read(INDEX)
            .contains("network # ours\nresources:\n  - ./namespace.yaml\n")
    );
}

#[test]
fn an_entry_stays_with_a_file_that_stays() {
    let project = Project::new().minimal("").rendered();
    project.edit(
        NAMESPACE,
        "name: network\n",
        "name: network\n  labels:\n    mine: \"true\"\n",
    );
    project.write("cluster.toml", minimal("[namespace]\nmanifest = false\n"));
    project
        .run(["render"])
        .success()
        .warns("was kept because it was edited by hand");
    assert!(project.path(NAMESPACE).is_file());
    assert!(project.read(INDEX).contains("- ./namespace.yaml\n"));
}

#[test]
fn a_former_lock_is_read_and_its_entries_are_found() {
    let project = with_theirs(Project::new().minimal("")).rendered();
    let mut lock: serde_json::Value = serde_json::from_str(&project.read(LOCK)).expect("JSON");
    lock["schema"] = "gatewayctl/lock/v1".into();
    lock["files"][INDEX] = serde_json::json!({"ownership": "shared"});
    project.write(LOCK, lock.to_string());
    // Only the record of entries is missing, so nothing is out of date.
    project.run(["render", "--check"]).success();
    project.write("cluster.toml", minimal("[layout]\napp = \"edge\"\n"));
    project.run(["render"]).success();
    let index = project.read(INDEX);
    assert!(
        index.contains("./edge/ks.yaml") && !index.contains("envoy-gateway"),
        "{index}"
    );
    assert!(project.read(LOCK).contains("\"gatewayctl/lock/v2\""));
}

#[test]
fn what_is_listed_and_will_not_be_there_is_an_error_before_anything_is_written() {
    let project = with_theirs(Project::new().minimal(""));
    project.edit(INDEX, "  # - ./off.yaml\n", "  - ./envoy-old/ks.yaml\n");
    let before = project.files();
    for command in [&["render"][..], &["render", "--check"], &["validate"]] {
        let run = project.run(command.iter().copied()).code(1);
        let said = run.stdout.clone() + &run.stderr;
        assert!(said.contains("error[reference/missing-file]"), "{run}");
        assert!(
            said.contains("`./envoy-old/ks.yaml` is listed and not there"),
            "{run}"
        );
        assert!(said.contains(&format!("{INDEX}:7:5")), "{run}");
        assert_eq!(said.matches("missing-file").count(), 1, "{run}");
        assert_eq!(project.files(), before);
    }
    // An entry from `cluster.toml` is reported at its place there.
    let project = Project::new().minimal("[extra]\nresources = [\"./mine.yaml\"]\n");
    project.run(["render"]).code(1).warns("cluster.toml:14:14");
    assert_eq!(project.files().len(), 1);
    project.write(
        &format!("{APP}/mine.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\n",
    );
    project.run(["render"]).success();
}

#[test]
fn what_somebody_else_lists_is_not_removed_from_under_it() {
    // A kustomization of the user's own, in a folder above.
    let above = "kubernetes/apps/kustomization.yaml";
    let list = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ./network\n";
    let project = Project::new().minimal("").file(above, list).rendered();
    project.write("cluster.toml", minimal("[layout]\npath = \"apps/front\"\n"));
    let before = project.files();
    project
        .run(["render"])
        .code(1)
        .warns(&format!("{above}:4:5"))
        .warns("`./network` is a folder without a kustomization.yaml");
    assert_eq!(project.files(), before);
    project.run(["validate"]).code(1);
    project.write(
        above,
        list.replace("  - ./network\n", "")
            .replace("resources:", "resources: []"),
    );
    project.run(["render"]).success();

    // One of our kustomizations, which was edited by hand and is kept, lists a file that would be removed.
    let cilium = "[cilium]\npools = \"10.10.30.0/24\"\npool = { name = \"front\" }\n";
    let project = Project::new().minimal(cilium).rendered();
    let list = format!("{APP}/kustomization.yaml");
    project.edit(&list, "resources:\n", "# mine\nresources:\n");
    project.write("cluster.toml", MINIMAL);
    project
        .run(["render"])
        .code(1)
        .warns("tree/edited")
        .warns("`./addresses.yaml` is listed and not there");
    assert!(project.path(&format!("{APP}/addresses.yaml")).is_file());
    project.run(["render", "--force"]).success();
    assert!(!project.path(&format!("{APP}/addresses.yaml")).exists());
}

#[test]
fn what_would_go_is_not_warned_of() {
    let cilium = "[cilium]\npools = \"10.10.30.0/24\"\npool = { name = \"front\" }\n";
    let project = Project::new().minimal(cilium).rendered();
    let addresses = format!("{APP}/addresses.yaml");
    assert!(project.path(&addresses).is_file());
    project.write("cluster.toml", MINIMAL);
    project.run(["validate"]).success().never_says(&addresses);
    // If it was edited by hand it stays, and the user has to maintain it.
    project.edit(&addresses, "name: front", "name: back");
    project.run(["validate"]).warns_or_says(&addresses);
}

trait Said {
    fn warns_or_says(self, text: &str) -> Self;
}

impl Said for crate::common::Run {
    #[track_caller]
    fn warns_or_says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(said, "no {text:?} in {self}");
        self
    }
}

#[test]
fn two_configurations_in_one_root_leave_each_others_files_alone() {
    let staging = minimal("[layout]\npath = \"apps/staging\"\n");
    let production = minimal("[layout]\npath = \"apps/production\"\n");
    let project = Project::new()
        .file("staging.toml", &staging)
        .file("production.toml", &production);
    let render = |name: &str| project.run(["--config", name, "render"]);
    render("staging.toml").success();
    let first = project.files();
    render("production.toml").success();
    for (path, bytes) in &first {
        assert_eq!(project.files().get(path), Some(bytes), "{path}");
    }
    for name in ["staging.toml", "production.toml"] {
        project
            .run(["--config", name, "render", "--check"])
            .success();
        assert!(project.path(&format!(".gatewayctl.{name}.lock")).is_file());
    }
    // What belongs to the other configuration is neither written nor removed, not even with --force.
    project.write(
        "production.toml",
        minimal("[layout]\npath = \"apps/staging\"\n[proxy]\nreplicas = 3\n"),
    );
    let run = project
        .run(["--config", "production.toml", "render", "--force"])
        .code(1);
    run.warns("apps/staging/envoy-gateway/app/envoy.yaml` belongs to staging.toml: `.gatewayctl.staging.toml.lock` lists it");
    render("staging.toml").success().says("unchanged");
    for (path, bytes) in first.iter().filter(|(path, _)| path.starts_with("apps/")) {
        assert_eq!(project.files().get(path), Some(bytes), "{path}");
    }
}

#[test]
fn two_configurations_share_a_kustomization() {
    let project = Project::new().minimal("").file(
        "edge.toml",
        minimal("[layout]\napp = \"edge\"\n[namespace]\nmanifest = false\n"),
    );
    project.run(["render"]).success();
    let alone = project.read(INDEX);
    project.run(["--config", "edge.toml", "render"]).success();
    let both = project.read(INDEX);
    for entry in [
        "./namespace.yaml",
        "./envoy-gateway/ks.yaml",
        "./edge/ks.yaml",
    ] {
        assert_eq!(both.matches(entry).count(), 1, "{entry}: {both}");
    }
    project.run(["render", "--check"]).success();
    // Each removes only its own entries.
    project.write("edge.toml", minimal("[layout]\npath = \"apps/edge\"\n"));
    project.run(["--config", "edge.toml", "render"]).success();
    assert_eq!(project.read(INDEX), alone);
    project.run(["render", "--check"]).success();
}

#[test]
fn a_lock_removes_nothing_that_no_render_can_have_written() {
    let project = Project::new()
        .minimal("")
        .rendered()
        .file("README.md", "# Mine\n")
        .file("templates/a.yaml", "a: b\n")
        .file(".github/workflows/ci.yaml", "on: push\n");
    let mut lock: serde_json::Value = serde_json::from_str(&project.read(LOCK)).expect("JSON");
    let theirs = [
        "README.md",
        "cluster.toml",
        "templates/a.yaml",
        ".github/workflows/ci.yaml",
    ];
    for path in theirs {
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(project.read(path)));
        lock["files"][path] = serde_json::json!({ "sha256": hash });
    }
    project.write(LOCK, lock.to_string());
    let run = project.run(["render"]).success();
    for path in theirs {
        assert!(project.path(path).is_file(), "{path}: {run}");
        run.clone()
            .warns(&format!("`{path}` is in the lock and no longer rendered"));
    }
    project.run(["render", "--check"]).success();

    let twice = project.read(LOCK).replacen("\"files\": {", "\"files\": {\n    \"a.yaml\": {\"ownership\": \"shared\"},\n    \"a.yaml\": {\"ownership\": \"shared\"},", 1);
    project.write(LOCK, twice);
    project
        .run(["render"])
        .code(2)
        .warns("\"a.yaml\" appears twice");
}

#[test]
fn flux_is_told_the_path_from_the_repositorys_root() {
    let path_in = |project: &Project, ks: &str| {
        let text = project.read(ks);
        let line = text
            .lines()
            .find(|line| line.trim().starts_with("path:"))
            .expect("a path");
        line.trim().to_owned()
    };
    let below = format!("clusters/staging/{KS}");
    let project = Project::new().file("clusters/staging/cluster.toml", MINIMAL);
    let render = ["-C", "clusters/staging", "render"];
    // Without a repository, the folder itself is the root.
    project.run(render).success();
    assert_eq!(
        path_in(&project, &below),
        "path: ./kubernetes/apps/network/envoy-gateway/app"
    );
    project.shell("git init -q").success();
    project
        .run(render)
        .success()
        .says(&format!("updated  {KS}"));
    let want = "path: ./clusters/staging/kubernetes/apps/network/envoy-gateway/app";
    assert_eq!(path_in(&project, &below), want);
    project
        .run(["-C", "clusters/staging", "validate"])
        .success();
    project
        .run(["-C", "clusters/staging", "render", "--check"])
        .success();
    // From within the folder, and with another output folder.
    project
        .shell("cd clusters/staging && \"$PROGRAM\" render --check")
        .success();
    project
        .run(["-C", "clusters/staging", "render", "--out", "deploy"])
        .success();
    assert_eq!(
        path_in(&project, &format!("deploy/{KS}")),
        "path: ./deploy/kubernetes/apps/network/envoy-gateway/app"
    );
    // In a linked work tree, `.git` is a file.
    project
        .shell("git add -A && git commit -qm first && git worktree add -q ../root/tree HEAD && \"$PROGRAM\" -C tree/clusters/staging render --check")
        .success();

    // Another source may contain any part of the repository.
    let artifact = "[flux.source]\nkind = \"OCIRepository\"\n";
    project.write("clusters/staging/cluster.toml", minimal(artifact));
    project
        .run(render)
        .code(1)
        .warns("it is not known where this folder is in the OCIRepository");
    project.write(
        "clusters/staging/cluster.toml",
        minimal(&format!("[flux]\npath_prefix = \".\"\n{artifact}")),
    );
    project.run(render).success();
    assert_eq!(
        path_in(&project, &below),
        "path: ./kubernetes/apps/network/envoy-gateway/app"
    );
}

#[test]
fn only_secrets_are_hidden_in_what_is_shown() {
    let project = Project::new().minimal("").rendered();
    // A file that was broken by hand can't be parsed, but refers to a Secret.
    project.edit(ENVOY, "kind: EnvoyProxy\n", "kind: EnvoyProxy: x\n");
    assert!(project.read(ENVOY).contains("kind: Secret\n"));
    project
        .run(["render"])
        .code(1)
        .says("-kind: EnvoyProxy: x\n")
        .never_says("(hidden)");
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  password: hunter2\n";
    let text = project.read(ENVOY);
    project.write(ENVOY, format!("{text}{secret}"));
    project
        .run(["render"])
        .code(1)
        .says("-kind: EnvoyProxy: x\n")
        .says("(hidden)")
        .never_says("hunter2");
}

#[cfg(unix)]
mod schemas {
    use super::*;
    use std::os::unix::fs::symlink;

    const CRD: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
";

    #[test]
    fn an_import_writes_through_no_link() {
        // Links instead of the folder, the list or a schema: what they lead to stays unchanged.
        for (link, target) in [
            ("schemas", "elsewhere"),
            ("schemas/lock.json", "elsewhere/lock.json"),
            (
                "schemas/own/example.com_widgets.json",
                "elsewhere/theirs.json",
            ),
        ] {
            let project = Project::new()
                .minimal("")
                .file("crd.yaml", CRD)
                .file("elsewhere/theirs.json", "theirs\n");
            let path = project.path(link);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
            symlink(project.path(target), &path).expect("a link");
            let before = project.files();
            let run = project.run(["schemas", "import", "crd.yaml"]);
            assert_eq!(run.code, Some(2), "{link}: {run}");
            assert!(run.stderr.contains("symbolic link"), "{link}: {run}");
            assert_eq!(project.files(), before, "{link}");
        }
        // The names of temporary files of an earlier version can't be used to escape either.
        let project = Project::new()
            .minimal("")
            .file("crd.yaml", CRD)
            .file("theirs", "theirs\n");
        std::fs::create_dir_all(project.path("schemas/own")).expect("folders");
        for name in ["lock.json.new", "own/example.com_widgets.json.new"] {
            symlink(
                project.path("theirs"),
                project.path(&format!("schemas/{name}")),
            )
            .expect("a link");
        }
        project.run(["schemas", "import", "crd.yaml"]).success();
        assert_eq!(project.read("theirs"), "theirs\n");
        project.run(["schemas", "import", "crd.yaml"]).success();
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let project = Project::new()
            .minimal("")
            .file("crd.yaml", CRD)
            .file("schemas/x", "");
        project.shell("mkfifo schemas/lock.json").success();
        let script = "timeout 60 \"$PROGRAM\" schemas import crd.yaml";
        project.shell(script).code(2).warns("is not a regular file");
        let project = Project::new().minimal("").rendered();
        std::fs::remove_file(project.path(ENVOY)).expect("removed");
        std::fs::remove_file(project.path(INDEX)).expect("removed");
        project.shell(&format!("mkfifo {ENVOY} {INDEX}")).success();
        project
            .shell("timeout 60 \"$PROGRAM\" render")
            .code(1)
            .warns("there is a folder, or something that is not a regular file");
    }
}

/// With `namespace.in_objects`, every object says where it belongs: a route of another namespace says its own.
#[test]
fn a_route_of_another_namespace_says_so_in_its_object() {
    let tables = "[namespace]\nin_objects = true\n[flux]\nenabled = false\n[ssh]\nnamespace = \"dev\"\ngateways = [\"envoy-internal\"]\nbackend = { name = \"git\", port = 22 }\n";
    let project = Project::new().minimal(tables).rendered();
    let route = "kubernetes/apps/network/envoy-gateway/routes-dev/routes.yaml";
    let route = project.read(route);
    assert!(route.contains("  name: ssh\n  namespace: dev\n"), "{route}");
    project.run(["validate"]).success();
}
