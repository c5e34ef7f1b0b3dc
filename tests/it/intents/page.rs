//! The examples of the book's page about front doors are rendered as they stand.

use crate::common::Project;
use crate::durability::pairs::build;

#[test]
fn the_examples_of_the_book_render_build_and_are_valid() {
    let page = include_str!("../../../docs/src/front-doors.md");
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() > 5, "{}", examples.len());
    for example in examples {
        // An example with a domain is complete.
        let project = match example.starts_with("domain") {
            true => Project::new().config(example),
            false => Project::new().minimal(example),
        };
        let run = project.run(["render"]);
        assert_eq!(run.code, Some(0), "{example}\n{run}");
        // Without kustomize, they are only rendered and validated.
        build(&project, &project.files(), example);
        let run = project.run(["validate"]);
        assert!(!run.stdout.contains("error"), "{example}\n{run}");
        assert!(!example.contains("spec"), "{example}");
    }
}
