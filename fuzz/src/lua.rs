//! Lua scripts: parses them like `validate`, and runs them like `trace`.

use envoy_simulate::lua::{Facts, InProcess, Job, Runner};
use gatewayctl::lint::config::lua;
use manifest::diagnostic::Sources;

use super::report;

/// Parses a script. The same text must give the same findings.
pub fn parse(text: &str) {
    let mut sources = Sources::default();
    let id = sources.add("script.lua", text);
    let found = lua::check(&sources, id);
    assert_eq!(found, lua::check(&sources, id));
    report::tell(found.into_iter().collect(), &sources);
}

/// Runs a script twice for the same request, and checks it twice as the controller does. The results must be equal.
pub fn run(text: &str) {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let facts = Facts {
        headers: vec![
            header(":method", "GET"),
            header(":path", "/a?b=c"),
            header(":authority", "www.example.com"),
            header("user-agent", "example/1.0"),
        ],
        client: Some("10.10.30.7".to_owned()),
        peer: Some("10.10.30.8".to_owned()),
        server_name: Some("www.example.com".to_owned()),
    };
    for is_check in [false, true] {
        let job = Job {
            name: "script.lua".to_owned(),
            script: text.to_owned(),
            facts: facts.clone(),
            is_check,
        };
        let [first, second] = [(); 2].map(|()| InProcess::default().run(&job));
        let first = first.expect("a run here always ends");
        assert_eq!(first, second.expect("a run here always ends"));
    }
}
