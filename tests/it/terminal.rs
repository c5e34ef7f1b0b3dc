//! Nothing reaches a terminal, a log or another program that could have an effect there, whatever files, folders,
//! objects, schemas and arguments contain. Every command is run on one hostile tree.

use std::process::Stdio;

use crate::common::{APP, MINIMAL, Project};
use manifest::diagnostic::printable::is_hidden;

/// Reverses text, hides it, breaks lines, and controls a terminal; with a colour that the program itself never uses.
const EVIL: &str = "x\u{1b}[7;35my\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{feff}\u{61c}";

/// A line that GitHub Actions would obey, after one that it would not.
const COMMAND: &str = "x\n::error file=x::PWNED\r\n  ##[error]PWNED";

/// The colour of [`EVIL`].
const COLOUR: &str = "\u{1b}[7;35m";

/// A string in double quotes that is valid in YAML, JSON and TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            c if is_hidden(c) => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// Objects with hostile names and values, and a comment.
fn manifests(evil: &str) -> String {
    let evil = quoted(evil);
    format!(
        "# \u{202e}\u{200b} ##[error]PWNED
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {{name: envoy}}
spec: {{controllerName: gateway.envoyproxy.io/gatewayclass-controller}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {evil}, namespace: {evil}, annotations: {{{evil}: {evil}}}}}
spec:
  gatewayClassName: envoy
  bogus: 1
  {evil}: {evil}
  listeners:
    - {{name: {evil}, port: 80, protocol: HTTP, hostname: {evil}}}
    - {{name: http, port: 81, protocol: HTTP, allowedRoutes: {{namespaces: {{from: All}}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {evil}, namespace: {evil}}}
spec:
  hostnames: [{evil}, a.example.com]
  parentRefs: [{{name: {evil}, sectionName: {evil}}}, {{name: {evil}, sectionName: http}}]
  rules:
    - matches: [{{path: {{value: {evil}}}}}, {{path: {{value: /}}}}]
      filters: [{{type: RequestRedirect, requestRedirect: {{hostname: {evil}}}}}]
      backendRefs: [{{name: {evil}, port: 80}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {{name: {evil}, namespace: {evil}}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, name: {evil}}}]
  lua: [{{type: Inline, inline: {evil}}}]
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {evil}, namespace: {evil}}}
spec: {{path: {evil}, prune: true, postBuild: {{substitute: {{A: {evil}}}}}}}
"
    )
}

/// A definition in which every text is hostile.
fn definition(evil: &str) -> String {
    let evil = quoted(evil);
    format!(
        "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: evils.example.com}}
spec:
  group: example.com
  scope: Namespaced
  names: {{kind: Evil, plural: evils}}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              description: {evil}
              properties:
                {evil}: {{type: string, pattern: {evil}, format: {evil}, enum: [{evil}], default: {evil}}}
                word: {{type: string, pattern: {evil}, format: {evil}, enum: [{evil}], default: {evil}}}
              x-kubernetes-validations: [{{rule: {evil}, message: {evil}}}]
"
    )
}

/// A project in which every text is hostile, with a rendered file that somebody edited.
fn hostile() -> Project {
    let spec = format!(
        "# \u{202e}\u{200b}\n[gateways.envoy-external.spec.infrastructure.annotations]\n\"example.com/a\" = {}\n",
        quoted(EVIL)
    );
    let project = Project::new().minimal(&spec).rendered();
    for file in ["envoy.yaml", "helmrelease.yaml", "ocirepository.yaml"] {
        let path = format!("{APP}/{file}");
        let text = project.read(&path);
        let edit = format!("# {COLOUR}\u{202e}\n# \r ##[error]PWNED\n::error::PWNED\n");
        project.write(&path, edit + &text);
    }
    for (name, evil) in [("a", EVIL), ("b", COMMAND)] {
        project.write(&format!("tree/{name}.yaml"), manifests(evil));
        project.write(&format!("crds/{name}.yaml"), definition(evil));
    }
    for evil in [EVIL, COMMAND] {
        let name = evil.replace('/', "");
        project.write(&format!("tree/{name}/{name}.yaml"), manifests(evil));
        project.write(&format!("tree/{name}/{name}.lua"), evil);
        project.write(&format!("broken/{name}.yaml"), format!("{evil}: [\n"));
        project.write(&format!("broken/{name}.json"), b"\xff\xfe{");
        project.write(&format!("crds/{name}.yaml"), definition(evil));
    }
    project.write("broken/raw.yaml", format!("{EVIL}: \"{EVIL}\n# {COMMAND}"));
    project.write("broken/.gitignore", "*.json\n");
    project.write(
        "broken.toml",
        format!("{MINIMAL}\n[{}]\n{} = 1\n", quoted(EVIL), quoted(COMMAND)),
    );
    project.write("raw.toml", format!("# {EVIL}\n{EVIL} = \"{COMMAND}"));
    project.write("clean.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n");
    project
}

/// Every command, with `evil` wherever an argument is free text.
fn commands(evil: &str) -> Vec<Vec<String>> {
    let mut all: Vec<String> = [
        "EVIL",
        "--EVIL",
        "--color EVIL",
        "--help",
        "help EVIL",
        "render EVIL",
        "render --EVIL",
        "-C EVIL validate",
        "--config EVIL validate",
        "--config broken.toml validate",
        "--config broken.toml render",
        "--config raw.toml validate",
        "init",
        "init --domain EVIL --certificate EVIL --gateway EVIL",
        "init --domain EVIL --certificate EVIL --gateway EVIL=EVIL --chart EVIL",
        "-C EVIL init --domain a.example.com --gateway a=10.10.30.26",
        "render",
        "render --check",
        "render --stdout",
        "-v render",
        "render --out EVIL",
        "diff",
        "diff --format json",
        "diff --format markdown",
        "diff --format EVIL",
        "diff --against EVIL",
        "diff --against git:EVIL",
        "validate --select EVIL",
        "validate --use EVIL tree",
        "validate --use EVIL@EVIL:EVIL tree",
        "validate --use envoy-gateway@EVIL tree",
        "validate EVIL",
        "validate --format EVIL",
        "-v validate tree broken",
        "import tree",
        "import tree --format json",
        "import tree --output -",
        "import tree --output EVIL/cluster.toml",
        "import tree --path EVIL",
        "import EVIL",
        "import broken --output new.toml",
        "import kubernetes --output -",
        "status",
        "status tree",
        "status tree broken",
        "status --complete tree --format json",
        "status EVIL",
        "exposure tree",
        "exposure tree --format json",
        "exposure",
        "graph tree",
        "graph tree --format dot",
        "graph tree --format svg",
        "graph tree --format html",
        "trace http://a.example.com:81/ --in tree",
        "trace http://a.example.com:81/ --in tree --format json",
        "trace http://a.example.com:81/EVIL --in tree --format json",
        "trace EVIL --in tree",
        "trace http://EVIL/EVIL --in tree",
        "trace http://a.example.com/ --in tree --gateway EVIL",
        "trace http://a.example.com/ --in tree --header EVIL",
        "trace http://a.example.com/ --in tree --header x:EVIL",
        "trace http://a.example.com/ --in tree --method EVIL",
        "trace http://a.example.com/ --in tree --from EVIL",
        "upgrade --to 1.8.3",
        "upgrade --to EVIL",
        "upgrade --to 1.9.0 tree broken",
        "upgrade --to 1.9.0 tree --format json",
        "why EVIL",
        "why kubernetes/apps/network/envoy-gateway/app/envoy.yaml",
        "why kubernetes/apps/network/envoy-gateway/app/envoy.yaml EVIL",
        "why kubernetes/apps/network/envoy-gateway/app/envoy.yaml:1",
        "explain EVIL",
        "explain Gateway.EVIL",
        "explain proxy.EVIL",
        "schemas import crds",
        "schemas import EVIL",
        "schemas import tree",
        "schemas import broken --into EVIL",
        "schemas import clean.yaml --project EVIL --version EVIL --into new",
        "schemas import clean.yaml --into EVIL",
        "schemas import crds/a.yaml",
        "schemas list",
        "-v schemas list",
        "schemas list EVIL",
        "schemas verify",
        "explain Evil.spec",
        "explain Evil.spec.word",
        "explain Evil.EVIL",
        "crds apply -f EVIL",
        "crds apply -f tree",
        "crds apply -f broken",
        "crds apply -f clean.yaml --kubeconfig EVIL",
        "crds apply -f clean.yaml --kubeconfig broken/raw.yaml",
        "crds apply -f clean.yaml --kubeconfig clean.yaml --context EVIL",
        "diff --against cluster --kubeconfig EVIL --field-manager EVIL",
        "completions EVIL",
        "completions bash",
        "man",
        "config-schema",
    ]
    .map(str::to_owned)
    .to_vec();
    for format in ["human", "json", "sarif", "github", "junit"] {
        for what in ["validate tree", "validate broken", "validate"] {
            all.push(format!("{what} --format {format}"));
        }
    }
    let words = |line: &String| {
        line.split(' ')
            .map(|word| word.replace("EVIL", evil))
            .collect()
    };
    all.iter().map(words).collect()
}

/// Removes the program's own colours.
fn without_styles(text: &str) -> String {
    let mut plain = String::new();
    let mut parts = text.split("\u{1b}[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';'));
        match end.filter(|end| part[*end..].starts_with('m')) {
            Some(end) => plain.push_str(&part[end + 1..]),
            None => plain.push_str(&format!("\u{1b}[{part}")),
        }
    }
    plain
}

#[track_caller]
fn harmless(bytes: &[u8], args: &[String], is_coloured: bool) {
    let told = || {
        format!(
            "{args:?}:\n{}",
            String::from_utf8_lossy(bytes).escape_debug()
        )
    };
    let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("no UTF-8: {}", told()));
    assert!(!text.contains(COLOUR), "{}", told());
    let plain = match is_coloured {
        true => without_styles(text),
        false => text.to_owned(),
    };
    let hidden: String = plain.chars().filter(|c| is_hidden(*c)).collect();
    assert!(hidden.is_empty(), "{hidden:?} in {}", told());
    for line in plain.lines() {
        // Three colons precede the second place of a finding, and are not a command.
        let start = line.trim_start();
        let has_colons = start.starts_with("::") && !start.starts_with(":::");
        let is_command = has_colons || line.contains("##[");
        let is_report = args.iter().any(|it| it == "github")
            && ["::error ", "::warning ", "::notice "]
                .iter()
                .any(|it| line.starts_with(it))
            && !line.starts_with("::error file=x::PWNED");
        assert!(!is_command || is_report, "{line:?} in {}", told());
    }
}

fn try_all(evil: &str) {
    let project = hostile();
    let mut ran = 0;
    for colour in ["never", "always"] {
        for args in commands(evil) {
            let mut command = project.command();
            command.args(["--color", colour]).args(&args);
            command.env_remove("KUBECONFIG").env("HOME", "/nowhere");
            let output = command.stdin(Stdio::null()).output().expect("it runs");
            let code = output.status.code();
            assert!(
                code.is_some_and(|code| code < 3),
                "{args:?} ended with {code:?}:\n{}",
                String::from_utf8_lossy(&output.stderr)
            );
            for bytes in [&output.stdout, &output.stderr] {
                harmless(bytes, &args, colour == "always");
            }
            ran += usize::from(!output.stdout.is_empty() || !output.stderr.is_empty());
        }
    }
    assert!(ran > 200, "{ran} of the commands said something");
}

#[test]
fn nothing_that_acts_on_a_terminal_comes_out_of_any_command() {
    try_all(EVIL);
}

#[test]
fn no_text_becomes_a_command_of_a_ci_job() {
    try_all(COMMAND);
}

/// The guard has no visible effect on harmless text.
#[test]
fn help_and_edits_are_shown_as_they_are() {
    let project = Project::new().minimal("").rendered();
    project.edit(
        &format!("{APP}/helmrelease.yaml"),
        "interval: 1h",
        "interval: 2h",
    );
    for args in [
        &["--help"][..],
        &["render", "--help"],
        &["render"],
        &["man"],
    ] {
        let run = project.run(args.iter().copied());
        assert!(!run.stdout.is_empty(), "{run}");
        run.never_says("\\u{").never_says("\u{1b}");
    }
    let shown = project.run(["render"]).code(1);
    shown.says("-  interval: 2h\n+  interval: 1h\n");
    project.write(&format!("{APP}/helmrelease.yaml"), "# \u{1b}[31m\u{202e}\n");
    project
        .run(["render"])
        .code(1)
        .says("-# \\u{1b}[31m\\u{202e}\n");
}

#[test]
fn json_means_the_same_with_escapes() {
    let project = Project::new().file("a.yaml", manifests(EVIL));
    let status = project.run(["status", "a.yaml", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    let conditions = document["conditions"].as_array().expect("conditions");
    assert!(conditions.iter().any(|it| it["name"] == EVIL), "{status}");
    status.says("x\\u001b[7;35my\\u001b]0;t\\u0007\\u009b2J\\u202e\\u2066\\u200b\\ufeff\\u061c");
}

/// A quotation in a finding may contain newlines. The JUnit report must have the same text.
#[test]
fn junit_on_standard_output_starts_no_workflow_command() {
    let project = Project::new().file("a.yaml", manifests("a\n::error file=x::PWNED"));
    let run = project
        .run(["validate", "a.yaml", "--format", "junit"])
        .code(1);
    let document = roxmltree::Document::parse(&run.stdout).expect("XML");
    let words: String = document.descendants().filter_map(|it| it.text()).collect();
    assert!(words.contains("::error file=x::PWNED"), "{run}");
    assert!(!run.stdout.contains("::"), "{run}");
}

/// In the program's sources, only one file prints and only one reads.
#[test]
fn the_edges_read_and_print_in_one_place_each() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let prints = [
        "println!",
        "print!(",
        "io::stdout()",
        "io::stderr()",
        "dbg!",
    ];
    let reads = [
        "fs::read(",
        "fs::read_to_string",
        "File::open",
        "File::options",
        "Command::new",
    ];
    let mut wrong = Vec::new();
    for file in walkdir::WalkDir::new(&root) {
        let file = file.expect("an entry");
        let path = file
            .path()
            .strip_prefix(&root)
            .expect("a path below")
            .to_string_lossy()
            .into_owned();
        if !path.ends_with(".rs") || path.contains("tests") {
            continue;
        }
        let text = std::fs::read_to_string(file.path()).expect("a source");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let reads_itself = path.starts_with("cli") || path.starts_with("cluster");
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            let prints = path != "cli/output.rs" && prints.iter().any(|it| line.contains(it));
            let starts = ["cli/git.rs", "cli/scripts.rs", "cluster/plugin.rs"].contains(&&*path)
                && line.contains("Command::new");
            let reads = reads_itself && !starts && reads.iter().any(|it| line.contains(it));
            if prints || reads {
                wrong.push(format!("{path}: {}", line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
