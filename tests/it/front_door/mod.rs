//! `graph` and `exposure` on the reference configuration together with the routes of some applications. The output is
//! in `snapshots/front-door.*`; `UPDATE=1 cargo test --test it front_door::` updates it.

use crate::common::{Project, REFERENCE};

const APPS: &str = include_str!("apps.yaml");

/// The reference configuration, rendered, with applications beside it.
fn project() -> Project {
    let project = Project::new().config(REFERENCE).file("apps.yaml", APPS);
    project.rendered()
}

fn printed(arguments: &[&str]) -> String {
    let run = project().run(arguments.iter().copied()).success();
    run.stdout
}

/// Compares a text with the stored one.
fn kept(file: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("snapshots")
        .join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("the snapshot is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{} is no longer what is printed; if that is meant, run: UPDATE=1 cargo test --test it front_door::",
        path.display()
    );
}

const EVERYTHING: [&str; 2] = ["kubernetes", "apps.yaml"];

#[test]
fn the_pictures_are_as_they_were() {
    for (format, file) in [
        ("svg", "front-door.svg"),
        ("mermaid", "front-door.mmd"),
        ("dot", "front-door.dot"),
    ] {
        let [tree, apps] = EVERYTHING;
        kept(file, &printed(&["graph", "--format", format, tree, apps]));
    }
}

#[test]
fn the_table_is_as_it_was() {
    let [tree, apps] = EVERYTHING;
    kept(
        "front-door.txt",
        &printed(&["exposure", "--in", tree, "--in", apps]),
    );
    kept(
        "front-door.json",
        &printed(&["exposure", "--format", "json", tree, apps]),
    );
}

#[test]
fn without_folders_it_is_the_project_that_is_drawn() {
    let text = printed(&["graph"]);
    assert!(text.starts_with("flowchart LR\n"), "{text}");
    assert!(text.contains("TCPRoute dev/ssh"), "{text}");
    assert!(!text.contains("blog"), "{text}");
    let text = printed(&["exposure"]);
    assert!(text.contains("port 22 (TCP)"), "{text}");
}

#[test]
fn the_same_objects_make_the_same_picture() {
    let [tree, apps] = EVERYTHING;
    let project = project();
    let draw = || {
        project
            .run(["graph", "--format", "html", tree, apps])
            .stdout
    };
    assert_eq!(draw(), draw());
}

#[test]
fn the_drawing_is_xml() {
    let [tree, apps] = EVERYTHING;
    let text = printed(&["graph", "--format", "svg", tree, apps]);
    let document = roxmltree::Document::parse(&text).expect("XML");
    let cards = document.descendants().filter(|it| {
        it.attribute("class")
            .is_some_and(|it| it.starts_with("node "))
    });
    assert!(cards.count() > 25);
    assert!(!text.contains("href"), "nothing is loaded");
}

#[test]
fn graphviz_reads_the_graph() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let [tree, apps] = EVERYTHING;
    let text = printed(&["graph", "--format", "dot", tree, apps]);
    let dot = Command::new("dot")
        .arg("-Tsvg")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut dot) = dot else {
        println!("skipped: there is no Graphviz here");
        return;
    };
    dot.stdin
        .take()
        .expect("a pipe")
        .write_all(text.as_bytes())
        .expect("it reads");
    let output = dot.wait_with_output().expect("it ends");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("blog.example.com"));
}

#[test]
fn a_diff_begins_with_what_it_exposes() {
    let project = Project::new().config(REFERENCE).rendered();
    let config = REFERENCE
        .replace(
            "trusted_cidrs = [\"10.42.0.0/16\"]",
            "trusted_cidrs = [\"10.0.0.0/8\"]",
        )
        .replace(
            "gateways = [\"envoy-internal\"]\nspec.auth",
            "gateways = [\"envoy-external\"]\nspec.auth",
        );
    assert_ne!(config, REFERENCE);
    project.write("cluster.toml", config);
    let text = project.run(["diff"]).stdout;
    let head: Vec<&str> = text.lines().take(8).collect();
    assert_eq!(head.first(), Some(&"exposure"), "{text}");
    assert!(
        text.contains("! guard-lost: listener http, listener https, listener ssh, listener tls-passthrough no longer guarded by authorization"),
        "{text}"
    );
    assert!(text.contains("! trust-widened: listener http"), "{text}");
    let json = project.run(["diff", "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["exposure"][0]["direction"], "wider");
    let text = project.run(["diff", "--format", "markdown"]).stdout;
    let at = |what: &str| {
        text.find(what)
            .unwrap_or_else(|| panic!("{what} in {text}"))
    };
    assert!(at("**Exposure**") < at("| object |"), "{text}");
}
