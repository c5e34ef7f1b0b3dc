use super::*;

fn problems(text: &str) -> Vec<(String, usize, String)> {
    let mut sources = Sources::default();
    let id = sources.add("cluster.toml", text);
    let (_, problems) = load(&sources, id);
    problems
        .into_iter()
        .map(|problem| {
            let line = problem.span.map_or(0, |span| sources.locate(span).line);
            let text = format!("{} ({})", problem.message, problem.help.unwrap_or_default());
            (problem.code.to_string(), line, text)
        })
        .collect()
}

#[test]
fn all_wrong_keys_and_types_are_reported_together() {
    let found = problems(
        "domian = 'example.com'\n[proxy]\nreplicas = 'two'\nkind = 'Daemonset'\ndrain_timeout = 3\n\
             [gateways.a]\nadress = '10.10.30.26'\n[gateways.a.listeners.x]\nport = [1]\n",
    );
    let short: Vec<(&str, usize)> = found
        .iter()
        .map(|(code, line, _)| (code.as_str(), *line))
        .collect();
    assert_eq!(
        short,
        [
            ("config/unknown-key", 1),
            ("config/wrong-type", 3),
            ("config/invalid-value", 4),
            ("config/wrong-type", 5),
            ("config/unknown-key", 7),
            ("config/wrong-type", 9),
        ],
        "{found:#?}"
    );
    assert!(found[0].2.contains("write `domain`"), "{}", found[0].2);
    assert!(found[2].2.contains("write `DaemonSet`"), "{}", found[2].2);
}

#[test]
fn invalid_toml_is_reported_with_its_line() {
    let found = problems("domain = \"a\nx = 1\n[gateways\n");
    assert!(found.len() >= 2, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].1), ("config/syntax", 1));
}

#[test]
fn the_pages_of_findings_use_existing_keys() {
    use crate::codes;
    for code in codes::all() {
        let examples = code.page().split("```toml\n").skip(1);
        let right = code.page().split("## Right").nth(1).unwrap_or_default();
        for example in examples.filter_map(|rest| rest.split("\n```").next()) {
            let found = problems(example);
            let is_right = right.contains(example);
            if is_right {
                assert!(found.is_empty(), "{code}: {found:?}");
            } else {
                let of_this = |found: &(String, usize, String)| found.0 == code.as_str();
                assert!(found.iter().all(of_this), "{code}: {found:?}");
            }
        }
    }
}

#[test]
fn too_deep_nesting_is_reported_once_at_its_position() {
    let open = |count: usize| format!("domain = {}{}", "[".repeat(count), "]".repeat(count));
    let is_deep = |text: &str| {
        let found = problems(text);
        let says = |found: &(String, usize, String)| found.2.contains("nested more than 64 levels");
        assert!(!found.iter().any(says) || found.len() == 1, "{found:?}");
        found.iter().any(says)
    };
    assert!(!is_deep(&open(DEEPEST)) && is_deep(&open(DEEPEST + 1)));
    for unit in ["[", "{a=", "{a=[", "a."] {
        assert!(
            is_deep(&format!("x = 1\ny.{}", unit.repeat(1000))),
            "{unit}"
        );
        assert!(is_deep(&format!("x = {}", unit.repeat(1000))), "{unit}");
    }
    // Brackets in strings, in comments and on lines that close them don't count.
    let brackets = "[".repeat(1000);
    let quoted = format!("a = \"{brackets}\"\nb = '''\n{brackets}'''\n# {brackets}");
    assert!(!is_deep(&quoted));
    assert!(!is_deep(&"[a.b.c]\nd = 1.5\n".repeat(1000)));
}

#[test]
fn deep_and_odd_files_are_refused() {
    assert!(!problems(&format!("a = {}", "[".repeat(100_000))).is_empty());
    assert!(!problems(&format!("{}a = 1", "a.".repeat(100_000))).is_empty());
    assert!(!problems("x = 99999999999999999999\ny = 2020-01-01\nz = inf").is_empty());
}
