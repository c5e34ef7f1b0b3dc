//! `gatewayctl explain` by words, and without any.

use crate::common::Project;

#[test]
fn a_word_finds_codes_keys_and_fields() {
    let project = Project::new();
    let run = project.run(["explain", "retry"]).success();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "keys of cluster.toml:",
            "  backend_traffic.retry: When and how often failed requests are retried."
        ]
    );
    assert!(
        lines.contains(&"  BackendTrafficPolicy.spec.retry: object"),
        "{}",
        run.stdout
    );
    let run = project.run(["explain", "keda"]).success();
    assert!(
        run.stdout.contains("  keda/two-autoscalers: "),
        "{}",
        run.stdout
    );

    // A name that is nearly right is told, too.
    project
        .run(["explain", "config/unknown-kee"])
        .code(2)
        .warns("did you mean `config/unknown-key`?");
    project
        .run(["explain", "zzz"])
        .code(2)
        .warns("no code, key or field is called `zzz`");
}

#[test]
fn without_a_word_there_is_an_index() {
    let run = Project::new().run(["explain"]).success();
    for part in [
        "codes of findings, by group:\n",
        "  keda/: minimum-above-maximum, ",
        "\nkeys of cluster.toml:\n",
        "  gateways: The gateways, by name.\n",
    ] {
        assert!(run.stdout.contains(part), "{part}:\n{}", run.stdout);
    }
}
