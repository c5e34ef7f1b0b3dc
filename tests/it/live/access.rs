//! Kubeconfigs, contexts, credentials and permissions.

use super::apiserver::{ADMIN, Cluster, LIMITED, LIMITED_USER};
use super::life::applied;
use super::talk::{apply_text, run};
use crate::common::{Project, REFERENCE, write_program};

#[test]
fn kubeconfigs_are_taken_as_kubectl_takes_them() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let project = Project::new().config(REFERENCE);
    let folder = cluster.folder();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    };
    let good = file("good", &cluster.config("good", ADMIN));
    let bad = file("bad", &cluster.config("bad", "wrong-token"));
    let plugin = folder.join("plugin");
    write_program(
        &plugin,
        &format!(
            "#!/bin/sh\necho '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"{ADMIN}\"}}}}'\n"
        ),
    );
    let plugin = plugin.to_string_lossy();
    let exec = |command: &str| {
        let user = format!(
            "user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: \"{command}\", interactiveMode: Never}}}}"
        );
        cluster
            .config("exec", ADMIN)
            .replace(&format!("user: {{token: {ADMIN}}}"), &user)
    };
    let exec_good = file("exec-good", &exec(&plugin));
    let exec_bad = file("exec-bad", &exec("/bin/false"));
    let broken = file("broken", "users: [{token: s3cret-token");
    let ask = |variable: &str, more: &[&str]| {
        let mut command = project.command();
        command
            .args(["diff", "--against", "cluster"])
            .args(more)
            .env("KUBECONFIG", variable)
            .env("HOME", "/nowhere");
        let output = command.output().expect("the program");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        crate::common::Run {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    };
    ask(&good, &[])
        .code(1)
        .says("namespace `network` doesn't exist yet");
    ask(
        &format!("{folder}/absent:{bad}:{good}", folder = folder.display()),
        &["--context", "good"],
    )
    .code(1);
    ask(&exec_good, &[]).code(1);
    ask("/nowhere", &["--kubeconfig", &good]).code(1);

    ask(&format!("{bad}:{good}"), &[])
        .code(2)
        .warns("doesn't accept the credentials of context `bad`")
        .warns("log in again");
    ask(&good, &["--context", "hoem"])
        .code(2)
        .warns("has no context `hoem`")
        .warns("use `--context` with one of good");
    ask(&exec_bad, &[])
        .code(2)
        .warns("no credentials for")
        .warns("the kubeconfig's exec plugin ended with exit status: 1");
    ask("/nowhere/config", &[])
        .code(2)
        .warns("there is no kubeconfig: looked at /nowhere/config")
        .warns("--kubeconfig FILE");
    ask(&broken, &[])
        .code(2)
        .warns("it is not a valid kubeconfig")
        .never_says("s3cret-token");
}

#[test]
fn without_permission_for_one_kind_the_rest_is_shown_and_it_is_no_success() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (project, _) = applied(&cluster);
    apply_text(
        &cluster,
        &format!(
            "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: limited}}
rules:
  - {{apiGroups: ['gateway.networking.k8s.io', 'kustomize.toolkit.fluxcd.io', ''], resources: ['*'], verbs: [get, list, patch, create]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: limited}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: limited}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {LIMITED_USER}}}]
"
        ),
        "test",
    );
    std::fs::write(&cluster.kubeconfig, cluster.config("limited", LIMITED))
        .expect("the kubeconfig");
    let found = run(&project, &cluster, &["diff", "--against", "cluster"]).code(2);
    let found = found
        .says("incomplete: only ")
        .never_says("no difference")
        .warns("no permission for GET /apis/keda.sh/v1alpha1/namespaces/network/scaledobjects/")
        .warns("a dry run needs the verbs");
    found.warns("it is not known whether Flux would delete some of them");
    let json = run(
        &project,
        &cluster,
        &["diff", "--against", "cluster", "--format", "json"],
    )
    .code(2);
    json.says("\"complete\": false").says("\"failures\": [");
    run(&project, &cluster, &["validate", "--against", "cluster"])
        .code(2)
        .warns("no permission for PATCH");
    run(&project, &cluster, &["status", "--against", "cluster"])
        .code(2)
        .says("incomplete: only ")
        .says("not known")
        .warns("no permission for GET /apis/gateway.envoyproxy.io/v1alpha1/namespaces/network/")
        .warns("`status` needs `get`");
}
