//! Kubeconfigs with impossible values, files in them that are not regular files, and programs for credentials that
//! never end.

use std::sync::atomic::Ordering;

use super::fake::{Does, Fake};
use crate::common::{Project, Run};

/// Runs `diff` against the server of a kubeconfig with this `user`.
fn with_user(fake: &Fake, user: &str, more: &[&str]) -> Run {
    let text = std::fs::read_to_string(fake.kubeconfig()).expect("a kubeconfig");
    let text = text.replace("token: s3cret-token", user);
    with_config(&text, more)
}

fn with_config(text: &str, more: &[&str]) -> Run {
    let project = Project::new().minimal("").file("kubeconfig", text);
    let made = std::process::Command::new("mkfifo")
        .arg(project.path("pipe"))
        .status();
    assert!(made.expect("mkfifo").success());
    let args = ["diff", "--against", "cluster", "--kubeconfig", "kubeconfig"];
    project.run([&args[..], more].concat()).never_says("s3cret")
}

fn exec(script: &str) -> String {
    format!(
        "exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: sh, args: [\"-c\", {script:?}]}}"
    )
}

#[track_caller]
fn told(run: Run, what: &str) {
    run.code(2)
        .warns(what)
        .warns("\n  why: ")
        .warns("\n  help: ");
}

#[test]
fn what_no_header_can_carry_is_told_and_not_quoted() {
    let fake = Fake::start(|_| Does::Answer);
    for user in [
        "token: \"s3cret\\nX-Evil: 1\"",
        "token: \"s3cret\\u0000\"",
        "token: ok, as: \"s3cret\\r\\n\"",
        "token: ok, as-groups: [\"a\", \"s3cret\\n\"]",
        "token: ok, as: a, as-user-extra: {b: [\"s3cret\\n\"]}",
        "auth-provider: {name: oidc, config: {id-token: \"s3cret\\n\"}}",
    ] {
        told(
            with_user(&fake, user, &[]),
            "contains a character that is not allowed in a request header",
        );
    }
    told(
        with_user(
            &fake,
            &exec("printf '{\"status\": {\"token\": \"s3cret\\\\n\"}}'"),
            &[],
        ),
        "its `token` contains a character",
    );
    told(
        with_user(
            &fake,
            "auth-provider: {name: gcp, config: {cmd-path: /bin/cat, cmd-args: /dev/zero}}",
            &[],
        ),
        "its `auth-provider` runs a program",
    );
    assert_eq!(fake.requests.load(Ordering::SeqCst), 0);
}

#[test]
fn files_that_a_kubeconfig_names_are_files() {
    let fake = Fake::start(|_| Does::Answer);
    for (path, is) in [("/dev/zero", "a device"), ("pipe", "a pipe")] {
        for user in [
            format!("tokenFile: {path}"),
            format!("client-certificate: {path}, client-key: {path}"),
        ] {
            told(
                with_user(&fake, &user, &[]),
                &format!("it is {is}, not a regular file"),
            );
        }
        let text = std::fs::read_to_string(fake.kubeconfig()).expect("a kubeconfig");
        let text = text.replace(
            "cluster: {server",
            &format!("cluster: {{certificate-authority: {path}, server"),
        );
        told(
            with_config(&text, &[]),
            &format!("it is {is}, not a regular file"),
        );
    }
    let large = format!("{}# {}\n", "apiVersion: v1\n", "x".repeat(5 << 20));
    told(with_config(&large, &[]), "it has more than 4194304 bytes");
}

#[test]
fn a_token_may_come_from_a_file_beside_the_kubeconfig() {
    let fake = Fake::start(|_| Does::Answer);
    let text = std::fs::read_to_string(fake.kubeconfig()).expect("a kubeconfig");
    let text = text.replace("token: s3cret-token", "tokenFile: token");
    let project = Project::new()
        .minimal("")
        .file("conf/kubeconfig", text)
        .file("conf/token", "ok\n");
    let args = [
        "diff",
        "--against",
        "cluster",
        "--kubeconfig",
        "conf/kubeconfig",
    ];
    project.run(args).code(1);
}

#[test]
fn programs_for_credentials_end_with_the_time_that_there_is() {
    let fake = Fake::start(|_| Does::Answer);
    let ran = |script: &str, more: &[&str]| with_user(&fake, &exec(script), more);
    ran("echo '{\"status\": {\"token\": \"ok\"}}'", &[]).code(1);
    ran("echo 'status: {token: ok}'", &[]).code(1);
    told(
        ran("exec sleep 1000", &["--timeout", "1"]),
        "the kubeconfig's exec plugin was still running after ",
    );
    told(
        ran("exec cat /dev/zero", &[]),
        "the kubeconfig's exec plugin printed more than 1048576 bytes, and was stopped",
    );
    for nonsense in ["echo s3cret", "echo '[]'", "echo '{\"status\": 1}'", "true"] {
        told(
            ran(nonsense, &[]),
            "printed something other than an ExecCredential",
        );
    }
    told(
        ran("echo '{\"status\": {}}'", &[]),
        "gave neither a token nor a certificate with its key",
    );
    told(
        ran("exit 3", &[]),
        "the kubeconfig's exec plugin ended with exit status: 3",
    );
}
