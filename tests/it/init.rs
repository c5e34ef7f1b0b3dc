//! `gatewayctl init`: its questions, asked on a terminal, and what it says of wrong answers.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::common::{PROGRAM, Project};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Runs `init` on a terminal, on which somebody types lines. Returns what the terminal shows, and the exit code.
fn on_a_terminal(project: &Project, typed: &str) -> (String, Option<i32>) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).expect("a terminal");
    unlockpt(&terminal).expect("a terminal");
    let name = ptsname(&terminal, Vec::new()).expect("its name");
    let name = name.into_string().expect("UTF-8");
    let side = || {
        let mut options = File::options();
        Stdio::from(options.read(true).write(true).open(&name).expect("opens"))
    };
    let mut child = Command::new(PROGRAM)
        .arg("init")
        .current_dir(project.root())
        .env("NO_COLOR", "1")
        .stdin(side())
        .stdout(side())
        .stderr(side())
        .spawn()
        .expect("the program runs");
    let mut terminal = File::from(terminal);
    terminal.write_all(typed.as_bytes()).expect("typed");
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    // Linux reports an error when the last program has closed the terminal.
    while let Ok(read @ 1..) = terminal.read(&mut buffer) {
        shown.extend_from_slice(&buffer[..read]);
    }
    let code = child.wait().expect("it ends").code();
    let shown = String::from_utf8_lossy(&shown).replace("\r\n", "\n");
    (shown, code)
}

#[test]
fn a_wrong_answer_is_asked_again_at_once() {
    let project = Project::new();
    let typed =
        "exam ple\nexample.com\n\n1.2.3\n\n10.10.30.300\n\n10.10.30.26\n10.10.30.26\n10.10.30.25\n";
    let (shown, code) = on_a_terminal(&project, typed);
    assert_eq!(code, Some(0), "{shown}");
    for part in [
        "The domain that the gateways serve: ",
        "  a domain can't be \"exam ple\"\n  help: use lowercase letters",
        "The Secret with its TLS certificate [example-com-tls]: ",
        "The address of envoy-external: ",
        "  \"10.10.30.300\" is not an IP address\n",
        "request the same address, 10.10.30.26\n",
        "  an answer is needed\n",
        "wrote ./cluster.toml\n",
    ] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    // There is no file yet whose lines could be shown.
    assert!(!shown.contains("-->"), "{shown}");
    project.run(["validate"]).success();
}

#[test]
fn an_existing_file_is_seen_before_the_first_question() {
    let project = Project::new().minimal("");
    let (shown, code) = on_a_terminal(&project, "");
    assert_eq!(code, Some(2));
    assert_eq!(
        shown,
        "error: ./cluster.toml: exists already, and was not changed\n"
    );
}

const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: envoy-internal, namespace: network}
spec:
  gatewayClassName: envoy
  listeners: [{name: http, port: 80, protocol: HTTP}]
";

#[test]
fn gateways_that_exist_are_offered_to_import() {
    let project = Project::new().file("kubernetes/network/gateway.yaml", GATEWAY);
    let (shown, code) = on_a_terminal(&project, "\n");
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.trim_start().starts_with("there are gateways in `kubernetes/network` already; `gatewayctl import` writes the cluster.toml of gateways that exist.\nBegin other ones beside them? (yes or no) [no]: "),
        "{shown}"
    );
    assert_eq!(project.files().len(), 1, "nothing was written");

    let gateway = "envoy-external=10.10.30.26";
    let run = project.run(["init", "--domain", "example.com", "--gateway", gateway]);
    run.success()
        .warns("note: there are gateways in `kubernetes/network` already");
}

#[test]
fn wrong_flags_are_explained_without_lines_of_a_file_that_is_not_there() {
    let project = Project::new();
    let said = |flags: &[&str]| {
        let run = project.run(["init"].iter().chain(flags).copied());
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(project.files().is_empty());
        run.stderr
    };
    let address = said(&["--domain", "example.com", "--gateway", "a=10.10.30.300"]);
    assert!(
        address.starts_with("error: --gateway a 10.10.30.300: "),
        "{address}"
    );
    assert!(address.ends_with("nothing was written\n"), "{address}");
    let chart = said(&[
        "--domain",
        "example.com",
        "--gateway",
        "a=10.10.30.26",
        "--chart",
        "0.1.0",
    ]);
    assert!(chart.starts_with("error: --chart 0.1.0: "), "{chart}");
    assert!(!chart.contains("-->"), "{chart}");
}
