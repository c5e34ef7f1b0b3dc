//! Input of excessive size is refused, within 256 MiB of memory. `tests/growth.rs` checks that the work grows no
//! faster than the input.

use crate::common::{ENVOY, INDEX, LOCK, MINIMAL, NO_HANGING, Project, Run};

/// The maximum data size of a process that refuses its input, in KiB: all memory that it can write to. This doesn't
/// include the program's own code, which is large in debug builds.
const MOST_MEMORY: u64 = 256 << 10;

/// Runs `gatewayctl ARGS` with a memory limit by the system: beyond it, allocation fails. It runs with two threads on
/// any machine, because the stack of each thread counts.
pub fn bounded(project: &Project, args: &str) -> Run {
    // On other systems this limit means less.
    let memory = if cfg!(target_os = "linux") {
        format!("ulimit -d {MOST_MEMORY} && ")
    } else {
        String::new()
    };
    project.shell(&format!(
        "{memory}{NO_HANGING} && RAYON_NUM_THREADS=2 exec \"$PROGRAM\" {args}"
    ))
}

/// A sparse file of 100 MB.
fn huge(project: &Project, path: &str) {
    project.write(path, "");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(project.path(path));
    file.and_then(|file| file.set_len(100_000_000))
        .expect("a large file");
}

#[test]
fn a_configuration_of_100_mb_is_refused() {
    let project = Project::new();
    huge(&project, "cluster.toml");
    for command in ["render", "validate", "render --check"] {
        let run = bounded(&project, command).code(1);
        assert!(format!("{run}").contains("config/too-large"), "{run}");
    }
    bounded(&project, "diff").code(2).warns("config/too-large");
    assert_eq!(project.files().len(), 1);
}

#[test]
fn other_files_of_100_mb_are_refused() {
    let script = Project::new().minimal("[lua]\nscript = \"huge.lua\"");
    huge(&script, "huge.lua");
    bounded(&script, "render")
        .code(1)
        .warns("\"huge.lua\" can't be read");

    let template = Project::new().minimal("[layout]\ntemplates = \"templates\"");
    huge(&template, "templates/gateway.yaml.j2");
    bounded(&template, "render")
        .code(1)
        .warns("templates/gateway.yaml.j2 can't be read");

    let index = Project::new().minimal("");
    huge(&index, INDEX);
    let run = bounded(&index, "render");
    assert!(matches!(run.code, Some(1 | 2)), "{run}");
    assert_eq!(index.read(INDEX).len(), 100_000_000, "it was left alone");

    let manifest = Project::new();
    huge(&manifest, "huge.yaml");
    bounded(&manifest, "validate huge.yaml")
        .code(1)
        .says("config/too-large");
    bounded(&manifest, "validate .")
        .code(1)
        .says("config/too-large");
    bounded(&manifest, "validate - < huge.yaml")
        .code(1)
        .says("config/too-large");
    bounded(&manifest, "validate - < /dev/zero")
        .code(1)
        .says("config/too-large");

    let edited = Project::new().minimal("").rendered();
    huge(&edited, ENVOY);
    bounded(&edited, "render").code(1).warns("tree/edited");
    bounded(&edited, "render --check")
        .code(1)
        .warns("tree/out-of-date");
    let run = bounded(&edited, "diff");
    assert!(matches!(run.code, Some(1 | 2)), "{run}");

    let lock = Project::new().minimal("").rendered();
    huge(&lock, LOCK);
    bounded(&lock, "render").code(2).warns(LOCK);
}

#[test]
fn toml_beyond_any_measure_is_refused() {
    let deep = 200_000;
    let many: String = (0..60_000).map(|at| format!("[g.a{at}]\n")).collect();
    let bombs = [
        ("lists in lists", format!("a = {}", "[".repeat(deep))),
        (
            "closed lists in lists",
            format!("domain = {}{}", "[".repeat(deep), "]".repeat(deep)),
        ),
        ("tables in tables", format!("a = {}", "{a=".repeat(deep))),
        ("a dotted key", format!("{}a = 1", "a.".repeat(deep))),
        ("a dotted header", format!("[{}a]", "a.".repeat(deep))),
        (
            "an overlay in an overlay",
            format!("{MINIMAL}\n[proxy.spec]\n{}a = 1", "a.".repeat(deep)),
        ),
        ("mistakes upon mistakes", many),
        ("broken lines", "= \n".repeat(300_000)),
        ("a line without an end", "x".repeat(1_000_000)),
        (
            "unknown keys",
            (0..60_000).map(|at| format!("k{at} = 1\n")).collect(),
        ),
    ];
    for (what, text) in bombs {
        let project = Project::new().config(&text);
        let run = bounded(&project, "render");
        assert_eq!(
            run.code,
            Some(1),
            "{what}\n{}",
            run.stderr.get(..2000).unwrap_or(&run.stderr)
        );
        assert_eq!(project.files().len(), 1, "{what}");
    }
}

#[test]
fn more_gateways_than_anybody_has_are_handled() {
    let many: String = (0..=255)
        .flat_map(|a| {
            (0..4).map(move |b| format!("[gateways.g{a}-{b}]\naddress = \"10.{a}.{b}.1\"\n"))
        })
        .collect();
    let project = Project::new().config(format!(
        "domain = \"example.com\"\n[chart]\nversion = \"1.9.0\"\n{many}"
    ));
    let run = project.run(["render", "-q"]);
    assert!(matches!(run.code, Some(0 | 1)), "{run}");
}

/// YAML that expands to much more than its text, or is nested deeper than the stack of any parser.
fn yaml_bombs() -> Vec<(&'static str, String)> {
    let mut billion = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        billion.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let mut merged = String::from("a0: &a0 {x0: 1, y0: 1}\n");
    for level in 1..30 {
        merged.push_str(&format!(
            "a{level}: &a{level} {{<<: [*a{0}, *a{0}], b: [*a{0}, *a{0}]}}\n",
            level - 1
        ));
    }
    let indented: String = (0..4000)
        .map(|at| format!("{}a:\n", " ".repeat(at)))
        .collect();
    vec![
        ("lists in lists", "[".repeat(1_000_000)),
        ("maps in maps", "{a: ".repeat(300_000)),
        ("lists in lists, by lines", "- ".repeat(300_000)),
        ("maps in maps, by lines", indented),
        ("keys of keys", "? ".repeat(300_000)),
        ("a billion by aliases", billion),
        ("a billion by merges", merged),
        ("one in itself", "a: &a [*a]\n".to_owned()),
        (
            "a long text by aliases",
            format!(
                "a: &a {}\nb: [{}]\n",
                "x".repeat(1_000_000),
                "*a, ".repeat(100_000)
            ),
        ),
        (
            "anchors",
            (0..200_000).map(|at| format!("- &a{at} x\n")).collect(),
        ),
        ("documents", "---\na: 1\n".repeat(200_000)),
        ("broken documents", "---\na: [\n".repeat(100_000)),
        (
            "a line without an end",
            format!("a: {}", "x".repeat(10_000_000)),
        ),
    ]
}

#[test]
fn yaml_beyond_any_measure_is_refused() {
    for (what, text) in yaml_bombs() {
        let project = Project::new().file("bomb.yaml", &text);
        let run = bounded(&project, "validate bomb.yaml");
        let shown: String = format!("{run}").chars().take(2000).collect();
        assert_eq!(run.code, Some(1), "{what}\n{shown}");
    }
}

#[test]
fn a_bomb_for_a_namespaces_kustomization_is_refused() {
    for (what, text) in yaml_bombs() {
        let project = Project::new().minimal("").file(INDEX, &text);
        let run = bounded(&project, "render");
        let shown: String = format!("{run}").chars().take(2000).collect();
        assert_eq!(run.code, Some(1), "{what}\n{shown}");
        assert_eq!(project.read(INDEX), text, "{what}: it was left alone");
    }
}

#[test]
fn a_bomb_in_the_place_of_a_rendered_file_is_left_alone() {
    let text = &yaml_bombs()[5].1;
    let project = Project::new().minimal("").file(ENVOY, text);
    bounded(&project, "render").code(1).warns("tree/foreign");
    bounded(&project, "diff").code(1);
    assert_eq!(&project.read(ENVOY), text);
}

#[test]
fn the_program_itself_needs_little() {
    let project = Project::new().config(crate::common::REFERENCE);
    bounded(&project, "render -q").success();
    bounded(&project, "render --check").success();
}
