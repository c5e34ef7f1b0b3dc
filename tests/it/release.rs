//! The scripts of a release: the installer, the formula for Homebrew, and the notes.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::common::{Project, write_program};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const TARGETS: [&str; 4] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-unknown-linux-musl",
];

/// What the archives contain: a small program that says its version, because packing the real one takes long.
const SAYS_VERSION: &str = concat!(
    "#!/bin/sh\necho gatewayctl ",
    env!("CARGO_PKG_VERSION"),
    "\n"
);

/// A release in a folder: for each target an archive with a program, and its checksum.
fn release() -> Project {
    let release = Project::new();
    write_program(&release.path("gatewayctl"), SAYS_VERSION);
    let packed = release.shell(&format!(
        "for target in {}; do
  tar -czf gatewayctl-$target.tar.gz gatewayctl
  {{ sha256sum gatewayctl-$target.tar.gz || shasum --algorithm 256 gatewayctl-$target.tar.gz; }} > gatewayctl-$target.tar.gz.sha256
done",
        TARGETS.join(" ")
    ));
    packed.success();
    release
}

/// Runs the installer with an empty home folder, which the returned project is.
fn install(release: &Project) -> (Project, std::process::Output) {
    let home = Project::new();
    let output = Command::new("sh")
        .arg(Path::new(ROOT).join(".github/install.sh"))
        .env("HOME", home.root())
        .env(
            "GATEWAYCTL_RELEASE",
            format!("file://{}", release.root().display()),
        )
        .env_remove("GATEWAYCTL_BIN")
        .output()
        .expect("sh runs");
    (home, output)
}

fn has_curl() -> bool {
    let has = Command::new("curl").arg("--version").output().is_ok();
    if !has {
        eprintln!("skipped: curl is not installed");
    }
    has
}

#[test]
fn the_installer_puts_the_program_into_the_home_folder() {
    if !has_curl() {
        return;
    }
    let (home, output) = install(&release());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let bin = home.path(".local/bin");
    let version = format!("gatewayctl {}\n", env!("CARGO_PKG_VERSION"));
    let note = "is not on your PATH; add it: export PATH=";
    assert!(said.starts_with(&version) && said.contains(note), "{said}");
    assert!(
        said.contains(&format!("installed in {}", bin.display())),
        "{said}"
    );
    assert_eq!(home.read(".local/bin/gatewayctl"), SAYS_VERSION);
    assert_eq!(std::fs::read_dir(&bin).expect("a folder").count(), 1);
}

#[test]
fn the_installer_refuses_another_archive_and_a_missing_one() {
    if !has_curl() {
        return;
    }
    let wrong = release();
    for target in TARGETS {
        wrong.write(&format!("gatewayctl-{target}.tar.gz"), "something else");
    }
    for (release, problem) in [
        (wrong, "its checksum differs; nothing was installed"),
        (Project::new(), "can't be downloaded"),
    ] {
        let (home, output) = install(&release);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(said.contains("error: ") && said.contains(problem), "{said}");
        assert!(home.files().is_empty());
    }
}

/// A copy of the scripts, in a folder with the checksums of a release.
fn clone_with(release: &Project) -> Project {
    let clone = Project::new();
    let script = format!(
        "mkdir -p .github target/package
cp '{ROOT}'/.github/formula '{ROOT}'/.github/release-notes .github/
cp '{ROOT}'/Cargo.toml '{ROOT}'/CHANGELOG.md .
cp '{}'/*.sha256 target/package/",
        release.root().display()
    );
    clone.shell(&script).success();
    clone
}

#[test]
fn the_formula_has_the_address_and_the_checksum_of_each_archive() {
    let clone = clone_with(&release());
    let address = "https://example.com/gatewayctl/releases/download/v1.2.3";
    let run = clone
        .shell(&format!(".github/formula 1.2.3 {address}"))
        .success();
    for target in TARGETS {
        let archive = format!("gatewayctl-{target}.tar.gz");
        let sum = clone.read(&format!("target/package/{archive}.sha256"));
        let sum = sum.split(' ').next().expect("a checksum");
        let lines = format!("      url \"{address}/{archive}\"\n      sha256 \"{sum}\"\n");
        assert!(run.stdout.contains(&lines), "{}", run.stdout);
    }
    assert!(
        run.stdout
            .contains("  homepage \"https://example.com/gatewayctl\"\n  version \"1.2.3\"\n")
    );
    // Without a checksum there is no formula.
    std::fs::remove_file(clone.path("target/package/gatewayctl-x86_64-apple-darwin.tar.gz.sha256"))
        .expect("it is removed");
    let run = clone.shell(&format!(".github/formula 1.2.3 {address}"));
    assert!(run.code != Some(0), "{}", run.stdout);
}

#[test]
fn the_changelog_has_notes_for_this_version_and_a_release_without_notes_fails() {
    let clone = clone_with(&Project::new().file("a.sha256", ""));
    let version = env!("CARGO_PKG_VERSION");
    let run = clone
        .shell(&format!(".github/release-notes {version}"))
        .success();
    assert!(run.stdout.contains("\n- "), "{}", run.stdout);
    clone.edit(
        "CHANGELOG.md",
        "## 0.1.0\n",
        "## 0.2.0\n\n- New.\n\n## 0.1.0\n",
    );
    let run = clone.shell(".github/release-notes 0.2.0").success();
    assert_eq!(run.stdout.trim(), "- New.");
    let run = clone.shell(".github/release-notes 0.3.0").code(1);
    assert!(
        run.stderr.contains("CHANGELOG.md says nothing about 0.3.0"),
        "{}",
        run.stderr
    );
}

/// What stands behind a word in a file, up to the next character that no name of a target has.
fn named_after(text: &str, word: &str) -> BTreeSet<String> {
    let parts = text.split(word).skip(1);
    let is_of_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let names = parts.map(|rest| rest.chars().take_while(is_of_name).collect::<String>());
    names.filter(|name| !name.is_empty()).collect()
}

/// The installers, the action and the workflow are written in four languages. What they share are names.
#[test]
fn installers_and_the_action_download_what_the_workflow_releases() {
    let read = |path: &str| {
        let path = Path::new(ROOT).join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let workflow = read(".github/workflows/release.yaml");
    let (shell, powershell) = (read(".github/install.sh"), read(".github/install.ps1"));
    let action = read("action.yml");
    let released = named_after(&workflow, "target: ");
    let (windows, others): (BTreeSet<String>, BTreeSet<String>) = released
        .iter()
        .cloned()
        .partition(|target| target.contains("windows"));
    assert!(windows.len() == 1 && others.len() == 4, "{released:?}");
    assert_eq!(named_after(&shell, "target="), others);
    assert_eq!(named_after(&powershell, "{ '"), windows);
    assert_eq!(named_after(&action, "target="), released);
    // The package script names the archive and the checksum, and everybody who downloads them does it in the same way.
    let package = read(".github/package");
    for text in [&package, &shell, &powershell, &action] {
        assert!(text.contains("gatewayctl-$target.tar.gz"), "{text}");
        assert!(text.contains("$archive.sha256"), "{text}");
    }
    assert!(package.contains("program=gatewayctl.exe") && powershell.contains("gatewayctl.exe"));
    for (installer, text) in [("install.sh", &shell), ("install.ps1", &powershell)] {
        assert!(workflow.contains(installer), "{installer} is released");
        assert_eq!(text.matches("@RELEASE@").count(), 1, "{installer}");
        for variable in ["GATEWAYCTL_BIN", "GATEWAYCTL_RELEASE"] {
            assert!(text.contains(variable), "{installer}: {variable}");
        }
        assert!(text.contains("its checksum differs; nothing was installed"));
    }
}

/// A link of the name that the Flux CLI looks for.
#[test]
fn a_plugin_of_flux_is_the_same_program_by_another_name() {
    let plugins = Project::new().file(
        "a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    );
    let program = env!("CARGO_BIN_EXE_gatewayctl");
    std::os::unix::fs::symlink(program, plugins.path("flux-gateway")).expect("a link");
    plugins.shell("./flux-gateway validate a.yaml").success();
    let help = plugins.shell("./flux-gateway validate --help").success();
    assert!(
        help.stdout
            .contains("Usage: flux gateway validate [OPTIONS]"),
        "{}",
        help.stdout
    );
    let wrong = plugins.shell("./flux-gateway validate --unknown").code(2);
    assert!(
        wrong.stderr.contains("Usage: flux gateway validate"),
        "{}",
        wrong.stderr
    );
    let version = plugins.shell("./flux-gateway --version").success();
    assert!(
        version.stdout.starts_with("gatewayctl "),
        "{}",
        version.stdout
    );
}
