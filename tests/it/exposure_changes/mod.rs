//! Changes that open or close something are told first by `diff --against git:REV`, and harmless changes are not told as
//! such. The repository of these tests has one cluster, or two that share their applications.

mod changes;
mod harmless;

use crate::common::{Project, Run};

/// The files of the repository, each after a line `=== PATH`.
const FILES: &str = include_str!("repository.txt");

/// One change of the repository.
struct Case {
    name: &'static str,
    change: fn(&Project),
}

/// The repository, committed. The second cluster is a copy of the first one under another name.
fn repository(clusters: &[&str]) -> Project {
    let project = Project::new();
    for part in FILES.split("=== ").skip(1) {
        let (path, text) = part.split_once('\n').expect("a path and a text");
        match path.contains("clusters/home/") {
            false => project.write(path, text),
            true => {
                for cluster in clusters {
                    let own =
                        |it: &str| it.replace("clusters/home", &format!("clusters/{cluster}"));
                    let domain = match *cluster {
                        "home" => "example.com".to_owned(),
                        other => format!("{other}.example.com"),
                    };
                    let text =
                        own(text).replace("DOMAIN: example.com", &format!("DOMAIN: {domain}"));
                    project.write(&own(path), text);
                }
            }
        }
    }
    project
        .shell("git init -q && git add -A && git commit -qm first")
        .success();
    project
}

/// The difference after a change.
fn changed(clusters: &[&str], case: &Case) -> Run {
    let project = repository(clusters);
    (case.change)(&project);
    project.run(["diff", "--against", "git:HEAD"])
}

#[test]
fn the_repository_of_these_tests_is_right() {
    let project = repository(&["home"]);
    project.run(["validate"]).success();
    snapshot!("exposure", project.run(["exposure"]).success());
    let both = repository(&["home", "lab"]);
    both.run(["validate"]).success();
    both.run(["exposure", "--cluster", "lab"])
        .success()
        .says("player.lab.example.com")
        .never_says("player.example.com");
}
