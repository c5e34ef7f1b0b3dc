//! What is asked of the Go module proxy, through `go`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use crd_validate::schema::Version;
use serde::Deserialize;

/// A module in the module cache.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Module {
    /// `MODULE`.
    #[serde(default)]
    pub path: String,
    /// `v1.2.3`.
    #[serde(default)]
    pub version: String,
    /// The folder with its files.
    pub dir: Option<PathBuf>,
    /// Why there is none.
    pub error: Option<String>,
}

/// `go`, with settings of its own: files can be removed from the cache, and a module that needs a newer Go gets it.
fn go() -> Command {
    let mut go = Command::new("go");
    go.env("GOFLAGS", "-modcacherw");
    go.env("GOTOOLCHAIN", "auto");
    // No module here may change which versions there are.
    go.env("GO111MODULE", "on").env("GOWORK", "off");
    go.current_dir(std::env::temp_dir());
    go
}

/// The releases of a module that the proxy lists, without pre-releases.
///
/// # Errors
/// If `go` can't be run, or the proxy doesn't answer.
pub fn releases(module: &str) -> anyhow::Result<Vec<Version>> {
    let output = go()
        .args(["list", "-m", "-versions", module])
        .output()
        .context("`go` can't be run: install Go")?;
    if !output.status.success() {
        bail!("{}", last_line(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let versions = text.split_whitespace().skip(1).map(Version::new);
    Ok(versions.filter(Version::is_stable).collect())
}

/// Downloads modules that are given as `MODULE@VERSION`, several at a time. One that can't be had has an error.
///
/// # Errors
/// If `go` can't be run, or its answer can't be read.
pub fn download(modules: &[String]) -> anyhow::Result<Vec<Module>> {
    if modules.is_empty() {
        return Ok(Vec::new());
    }
    let output = go()
        .args(["mod", "download", "-json"])
        .args(modules)
        .output()
        .context("`go` can't be run: install Go")?;
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Module>();
    let answers: Result<Vec<Module>, _> = answers.collect();
    let answers = answers.context("`go mod download` printed something else than modules")?;
    if answers.is_empty() {
        bail!("`go mod download`: {}", last_line(&output.stderr));
    }
    Ok(answers)
}

/// The module that makes CRDs of Go types.
const CONTROLLER_GEN: &str = "sigs.k8s.io/controller-tools/cmd/controller-gen@v0.21.0";

/// Makes CRDs of the types in `package`, a folder below `module`, and writes them to `into`.
///
/// # Errors
/// If `go` can't be run, or the types can't be compiled.
pub fn crds_of_types(module: &Path, package: &str, into: &Path) -> anyhow::Result<()> {
    // It is installed outside of the module, whose own dependencies may be older.
    let tools = module.join("bin");
    let installed = go()
        .args(["install", CONTROLLER_GEN])
        .env("GOBIN", &tools)
        .output()
        .context("`go` can't be run: install Go")?;
    if !installed.status.success() {
        bail!("controller-gen: {}", last_line(&installed.stderr));
    }
    let output = Command::new(tools.join("controller-gen"))
        .arg("crd:allowDangerousTypes=true")
        .arg(format!("paths=./{package}"))
        .arg(format!("output:crd:dir={}", into.display()))
        .env("GOFLAGS", "-modcacherw")
        .env("GOTOOLCHAIN", "auto")
        .env("GOWORK", "off")
        .current_dir(module)
        .output()
        .context("controller-gen can't be run")?;
    if !output.status.success() {
        bail!("controller-gen: {}", last_line(&output.stderr));
    }
    Ok(())
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().next_back().unwrap_or("no answer").to_owned()
}
