//! Compares our parser of Flux variables with Flux's own `envsubst`, which needs Go.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use manifest::value::variable;
use serde_json::Value;

/// The program that parses texts with Flux's own parser.
fn envsubst() -> Result<PathBuf, &'static str> {
    let target = Path::new(env!("CARGO_BIN_EXE_gatewayctl")).parent();
    let target = target.and_then(Path::parent).expect("the target folder");
    let binary = target.join("envsubst/envsubst");
    if Command::new("go").arg("version").output().is_err() {
        return Err("there is no Go");
    }
    let built = Command::new("go")
        .args(["build", "-trimpath", "-o"])
        .arg(&binary)
        .arg(".")
        .env("GOFLAGS", "-mod=readonly -buildvcs=false")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/envsubst"))
        .status();
    match built {
        Ok(status) if status.success() => Ok(binary),
        _ => Err("Flux' envsubst can't be built"),
    }
}

/// Generated texts of special characters and some ordinary ones.
fn texts(count: usize) -> Vec<String> {
    const PARTS: &[&str] = &[
        "$", "$", "{", "}", "${", "${A", "${B}", "A", "_b1", ":", "=", "-", "?", "+", "/", "#",
        "%", "^", ",", "\\", "$$", " ", "é", "€", "²", "٣", "\n", "0", "\"", "/#", "//", ":=",
        ":-", "}}",
    ];
    let mut state: u64 = 1;
    let mut below = |most: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % most
    };
    let mut text = || {
        let length = 1 + below(14);
        (0..length)
            .map(|_| PARTS[below(PARTS.len())])
            .collect::<String>()
    };
    (0..count).map(|_| text()).collect()
}

#[test]
fn variables_are_read_as_flux_reads_them() {
    let binary = match envsubst() {
        Ok(binary) => binary,
        Err(why) => return println!("skipped: {why}"),
    };
    let mut texts = texts(60_000);
    for kept in [
        "",
        "$",
        "$$",
        "$$$",
        "${A}",
        "$${A}",
        "$$${A}",
        "${A:-${B:-${C}}}",
        "${A/./-}",
        "${A//\\//-}",
        "${A:0:3}",
        "${A^^}x${B,,}",
        "${#A}",
        "${A:é}",
        "${A:1:${B}}",
        "${A/${B}/${C}}",
        "${A:-$${B}}",
        "${A/$$x/$$y}",
    ] {
        texts.push(kept.to_owned());
    }
    let mut child = Command::new(binary)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("envsubst");
    let input = serde_json::to_vec(&texts).expect("JSON");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(&input).expect("the texts");
    drop(stdin);
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success());
    let readings: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(readings.len(), texts.len());
    let (mut with_variables, mut unreadable) = (0, 0);
    for (text, reading) in texts.iter().zip(&readings) {
        let found: Vec<_> = variable::all(text).collect();
        let is_readable = found.iter().all(|one| one.is_readable);
        assert_eq!(
            is_readable,
            !reading.is_null(),
            "{text:?}\n{found:?}\n{reading}"
        );
        if !is_readable {
            unreadable += 1;
            continue;
        }
        let names: Vec<&str> = found.iter().map(|one| one.name).collect();
        assert_eq!(serde_json::json!(names), reading["names"], "{text:?}");
        assert_eq!(
            variable::replaced(text, "\u{1}"),
            reading["replaced"],
            "{text:?}"
        );
        assert_eq!(variable::in_text(text), !names.is_empty(), "{text:?}");
        with_variables += usize::from(!names.is_empty());
    }
    println!(
        "{} texts: {with_variables} with variables, {unreadable} that can't be read",
        texts.len()
    );
    assert!(with_variables > 1_000 && unreadable > 1_000);
}
