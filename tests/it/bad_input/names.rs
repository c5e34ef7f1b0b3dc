//! Names and paths that Kubernetes refuses, or that would lead out of the root.

use super::refused;
use crate::common::{ENVOY, MINIMAL, Project};

/// Every place in `cluster.toml` that becomes a path or a part of one. `@` is replaced by the text.
const PLACES: &[(&str, &str)] = &[
    (
        "a gateway's name",
        "[gateways.\"@\"]\naddress = \"10.10.30.27\"\n[layout.files]\ngateways = \"{gateway}.yaml\"",
    ),
    (
        "a gateway's name, short",
        "[gateways.\"envoy-@\"]\naddress = \"10.10.30.27\"\n[layout.files]\nlua = \"{short}.yaml\"\n[lua]\nblock_user_agents = [\"x\"]",
    ),
    ("namespace.name", "[namespace]\nname = \"@\""),
    ("layout.path", "[layout]\npath = \"@\""),
    ("layout.app", "[layout]\napp = \"@\""),
    ("layout.folder", "[layout]\nfolder = \"@\""),
    ("layout.config_folder", "[layout]\nconfig_folder = \"@\""),
    ("layout.templates", "[layout]\ntemplates = \"@\""),
    ("layout.files.proxy", "[layout.files]\nproxy = \"@\""),
    (
        "layout.files.gateways",
        "[layout.files]\ngateways = \"@.yaml\"",
    ),
    (
        "layout.files.release",
        "[layout.files]\nrelease = \"app/@.yaml\"",
    ),
    (
        "lua.file",
        "[lua]\nblock_user_agents = [\"x\"]\nfile = \"@.lua\"",
    ),
    ("lua.script", "[lua]\nscript = \"@\""),
    (
        "ssh.namespace",
        "[ssh]\nnamespace = \"@\"\nbackend = { name = \"forgejo\" }",
    ),
    (
        "tcp.NAME.namespace",
        "[tcp.db]\nport = 5432\nnamespace = \"@\"\nbackend = { name = \"db\" }",
    ),
    (
        "udp.NAME.namespace",
        "[udp.dns]\nport = 53\nnamespace = \"@\"\nbackend = { name = \"dns\" }",
    ),
];

/// Texts that lead to other folders, written as TOML strings.
const ESCAPES: &[&str] = &[
    "..",
    "../x",
    "../../../../../../x",
    "x/../../../../../../../x",
    "/gatewayctl-escaped",
    "a\\u0000b",
    "a\\\\..\\\\..\\\\b",
    "C:\\\\x",
    "~/x",
    "a//b",
    "",
    ".git/hooks",
    "a\\nb",
    "${X}/../../../../../../../x",
    "${X/../../../../../../../x}",
];

#[test]
fn no_text_leads_out_of_the_root() {
    for (place, table) in PLACES {
        for escape in ESCAPES {
            let what = format!("{place} = {escape}");
            let project = Project::new().minimal(&table.replace('@', escape));
            let before = project.files();
            let run = project.run(["render"]);
            // As a part of a longer name the text may be valid: `envoy-` and nothing, `a` and `.yaml`. What matters
            // is that nothing is written elsewhere, which each run of a project checks.
            assert!(matches!(run.code, Some(0 | 1)), "{what}\n{run}");
            if run.code == Some(1) {
                assert_eq!(project.files(), before, "{what}: nothing is written");
            }
            let inside = |path: &String| {
                path.starts_with("kubernetes/")
                    || path.starts_with('.')
                    || path == "cluster.toml"
                    || path.starts_with("${X}/")
            };
            assert!(
                project.files().keys().all(inside),
                "{what}\n{:?}",
                project.files().keys()
            );
            assert!(!project.path(".git").exists(), "{what}: Git's own folder");
        }
    }
    assert!(!std::path::Path::new("/gatewayctl-escaped").exists());
}

#[test]
fn a_text_that_leads_elsewhere_is_shown_at_its_place() {
    let mut mistakes = Vec::new();
    for (place, table) in PLACES {
        mistakes.push((*place, format!("{MINIMAL}\n{}", table.replace('@', "../x"))));
    }
    snapshot!("path_escape", refused(&mistakes));
}

#[test]
fn names_that_kubernetes_refuses_are_shown_at_their_place() {
    let with = |tables: &str| format!("{MINIMAL}\n{tables}");
    let long = "a".repeat(64);
    let said = refused(&[
        (
            "a gateway in capitals",
            MINIMAL.replace("gateways.envoy-external", "gateways.Envoy_External"),
        ),
        (
            "a gateway with a slash",
            MINIMAL.replace("gateways.envoy-external", "gateways.\"a/b\""),
        ),
        (
            "a gateway with a NUL",
            MINIMAL.replace("gateways.envoy-external", "gateways.\"a\\u0000b\""),
        ),
        (
            "a gateway with too many letters",
            MINIMAL.replace("gateways.envoy-external", &format!("gateways.{long}")),
        ),
        (
            "a gateway without a name",
            MINIMAL.replace("gateways.envoy-external", "gateways.\"\""),
        ),
        (
            "a domain",
            MINIMAL.replace("\"example.com\"", "\"*.example.com\""),
        ),
        (
            "a certificate",
            MINIMAL.replace("example-com-tls", "example com"),
        ),
        ("a namespace", with("[namespace]\nname = \"Network\"")),
        (
            "a namespace of routes",
            with("[ssh]\nnamespace = \"dev.git\""),
        ),
        (
            "a listener",
            with(
                "[gateways.envoy-internal.listeners.My_Listener]\nprotocol = \"TCP\"\nport = 5432",
            ),
        ),
        (
            "a hostname",
            with("[gateways.envoy-internal.listeners.https]\nhostname = \"a.*.example.com\""),
        ),
        (
            "a passthrough",
            with("[gateways.envoy-internal]\npassthrough = [\"https://vault\"]")
                .replace("[gateways.envoy-internal]\naddress = \"10.10.30.25\"\n", ""),
        ),
        (
            "a service",
            with("[ssh]\nnamespace = \"dev\"\nbackend = { name = \"forgejo/ssh\" }"),
        ),
        (
            "a policy",
            with("[security_policies.\"Internal Only\"]\nspec = {}"),
        ),
        (
            "a dashboard",
            with("[monitoring.dashboards.\"My Board\"]\nid = 1"),
        ),
        (
            "a release",
            with("[chart]\nname = \"-x\"").replace("[chart]\nversion = \"1.9.0\"\n", ""),
        ),
        ("a label", with("[redirect]\nlabels = { \"a b\" = \"x\" }")),
        (
            "a label's value",
            with("[redirect]\nlabels = { a = \"x y\" }"),
        ),
        (
            "an annotation",
            with("[redirect]\nannotations = { \"a/b/c\" = \"x\" }"),
        ),
    ]);
    snapshot!("names", said);
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A project whose folder at `path` is a link to a folder outside of it, which contains a file.
    fn linked(path: &str) -> Project {
        let project = Project::new().minimal("");
        let outside = project.around().join("outside");
        std::fs::create_dir(&outside).expect("a folder");
        std::fs::write(outside.join("envoy.yaml"), "theirs: true\n").expect("a file");
        let link = project.path(path);
        std::fs::create_dir_all(link.parent().expect("a folder")).expect("folders");
        symlink(&outside, &link).expect("a link");
        project
    }

    #[test]
    fn a_linked_folder_is_not_written_through() {
        for path in [
            "kubernetes",
            "kubernetes/apps/network",
            "kubernetes/apps/network/envoy-gateway/app",
        ] {
            let project = linked(path);
            let run = project
                .run(["render"])
                .code(1)
                .warns(&format!("`{path}` is a symbolic link"));
            let forced = project.run(["render", "--force"]).code(1);
            assert_eq!(run.stderr, forced.stderr, "--force or not");
            let link = std::fs::symlink_metadata(project.path(path)).expect("it is still there");
            assert!(link.is_symlink());
        }
        let said = linked("kubernetes/apps/network/envoy-gateway/app").run(["render"]);
        snapshot!("linked_folder", said);
    }

    #[test]
    fn a_linked_file_is_not_written_through() {
        let project = Project::new().minimal("").rendered();
        let outside = project.around().join("theirs.yaml");
        std::fs::write(&outside, "theirs: true\n").expect("a file");
        std::fs::remove_file(project.path(ENVOY)).expect("removed");
        symlink(&outside, project.path(ENVOY)).expect("a link");
        for force in [&["render"][..], &["render", "--force"]] {
            project
                .run(force.iter().copied())
                .code(1)
                .warns("is a symbolic link");
        }
        assert_eq!(
            std::fs::read_to_string(outside).expect("a file"),
            "theirs: true\n"
        );
    }

    #[test]
    fn a_linked_temporary_file_or_lock_is_not_written_through() {
        let project = Project::new().minimal("");
        let outside = project.around().join("theirs");
        std::fs::write(&outside, "theirs\n").expect("a file");
        // The temporary file that the first render of this project would use.
        let name = |path: &str| {
            use sha2::{Digest, Sha256};
            let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(path));
            format!(".gatewayctl-{hash:.16}.tmp")
        };
        symlink(&outside, project.path(&name(".gatewayctl.lock"))).expect("a link");
        let folder = project.path(crate::common::APP);
        std::fs::create_dir_all(&folder).expect("folders");
        symlink(&outside, folder.join(name("envoy.yaml"))).expect("a link");
        project.run(["render"]).success();
        assert_eq!(
            std::fs::read_to_string(&outside).expect("a file"),
            "theirs\n"
        );
        assert!(project.read(ENVOY).contains("kind: Gateway"));

        let project = Project::new().minimal("");
        symlink(&outside, project.path(".gatewayctl.lock")).expect("a link");
        let run = project.run(["render"]);
        assert_ne!(run.code, Some(0), "{run}");
        assert!(!project.path(ENVOY).exists(), "nothing is written");
    }

    #[test]
    fn a_linked_folder_of_templates_or_script_is_read() {
        // Reading through links is the user's own choice, because repositories may share these files.
        let project = Project::new().minimal("[lua]\nscript = \"shared/a.lua\"");
        let outside = project.around().join("shared");
        std::fs::create_dir(&outside).expect("a folder");
        std::fs::write(
            outside.join("a.lua"),
            "function envoy_on_request(handle) end\n",
        )
        .expect("a file");
        symlink(&outside, project.path("shared")).expect("a link");
        project.run(["render"]).success();
    }
}

#[test]
fn a_file_where_a_folder_is_needed_is_left_alone() {
    let project = Project::new()
        .minimal("")
        .file("kubernetes/apps/network/envoy-gateway", "theirs\n");
    let run = project
        .run(["render"])
        .code(1)
        .warns("is a file, but a folder is needed");
    snapshot!("file_for_a_folder", run);
    assert_eq!(
        project.read("kubernetes/apps/network/envoy-gateway"),
        "theirs\n"
    );

    let project = Project::new()
        .minimal("")
        .file(&format!("{ENVOY}/theirs"), "");
    project
        .run(["render", "--force"])
        .code(1)
        .warns("there is a folder");
    assert!(project.path(&format!("{ENVOY}/theirs")).is_file());
}

#[test]
fn two_groups_in_one_file_and_two_gateways_in_one_name() {
    let short = "[gateways.internal]\naddress = \"10.10.30.27\"\n[layout.files]\ngateways = \"{short}.yaml\"";
    // `envoy-internal` and `internal` have the same short name, so both go into one file, and nothing is lost.
    let project = Project::new().minimal(short);
    project.run(["render"]).success();
    let both = project.read("kubernetes/apps/network/envoy-gateway/app/internal.yaml");
    assert_eq!(both.matches("kind: Gateway\n").count(), 2, "{both}");

    let taken = "[layout]\napp = \"namespace.yaml\"";
    let project = Project::new().minimal(taken);
    project
        .run(["render"])
        .code(2)
        .warns("both as a file and as a folder");
    assert_eq!(project.files().len(), 1, "nothing is written");
}
