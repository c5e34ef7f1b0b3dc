//! Checks of names that Kubernetes accepts, and of paths that must stay inside a folder.
//!
//! The rules are those of apimachinery's `validation` package (RFC 1123 labels and subdomains, qualified
//! names).

use crate::config::codes;
use crate::config::{Pairs, Text};
use k8s_syntax::names;
use manifest::diagnostic::Diagnostic;
use manifest::value::variable;

/// The rule that a name must follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// At most 63 of `a-z`, `0-9` and `-`: for namespaces, Services, and names that are used as label values.
    Label,
    /// Labels with dots between them, at most 253 characters: for most objects.
    Subdomain,
    /// A subdomain, optionally with `*.` in front: for hostnames of listeners.
    Hostname,
}

/// Whether a name follows a rule. A Flux variable in the name is treated as valid text.
pub fn follows(rule: Rule, name: &str) -> bool {
    let name = variable::replaced(name, "x");
    match rule {
        Rule::Label => names::is_dns_label(&name),
        Rule::Subdomain => names::is_dns_subdomain(&name),
        Rule::Hostname => {
            let name = name.strip_prefix("*.").unwrap_or(&name);
            names::is_dns_subdomain(name) && name.split('.').all(names::is_dns_label)
        }
    }
}

/// Reports a name that breaks a rule; `what` says whose name it is (`the gateway's name`).
pub fn check(rule: Rule, what: &str, name: &Text, problems: &mut Vec<Diagnostic>) {
    if follows(rule, name) {
        return;
    }
    let (allowed, longest) = match rule {
        Rule::Label => ("lowercase letters, digits and, not first or last, `-`", 63),
        Rule::Subdomain => (
            "lowercase letters, digits and, not first or last, `-` and `.`",
            253,
        ),
        Rule::Hostname => (
            "lowercase letters, digits, `-` and `.`, and `*.` at the beginning",
            253,
        ),
    };
    let code = if escapes(name) {
        codes::CONFIG_PATH_ESCAPE
    } else {
        codes::CONFIG_INVALID_NAME
    };
    let mut help = format!("use {allowed}, at most {longest} characters");
    let better = suggestion(name);
    if follows(rule, &better) && better != name.value {
        help = format!("{help}: `{better}`");
    }
    problems.push(
        Diagnostic::new(code, format!("{what} can't be {:?}", name.value))
            .at(name.span)
            .why("the API server would refuse the object, and names are used as file names")
            .help(help),
    );
}

fn suggestion(name: &str) -> String {
    let text: String = name
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    text.trim_matches(['-', '.']).to_owned()
}

/// Whether a name would lead out of its folder if it were used as a path.
fn escapes(text: &str) -> bool {
    text.contains(['/', '\\', '\0']) || text == ".." || text == "."
}

/// Reports a path that is not relative, leaves the root, or is not valid on every file system.
pub fn check_path(what: &str, path: &Text, problems: &mut Vec<Diagnostic>) {
    let bad = path.is_empty()
        || path.starts_with(['/', '~'])
        || path.contains(['\\', '\0', ':'])
        || path.chars().any(char::is_control)
        || path
            .trim_end_matches('/')
            .split('/')
            .any(|part| part.is_empty() || part == ".." || part.len() > 255)
        || path.len() > 1024;
    if bad {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_PATH_ESCAPE,
                format!("{what} can't be {:?}", path.value),
            )
            .at(path.span)
            .why("files are only written inside the folder that contains cluster.toml")
            .help("write a relative path without `..`, such as `kubernetes/apps/network`"),
        );
    }
}

/// Reports a file name that is a path, is hidden, or doesn't have one of the endings.
pub fn check_file(what: &str, name: &Text, endings: &[&str], problems: &mut Vec<Diagnostic>) {
    let fits = !escapes(name)
        && !name.starts_with('.')
        && name.len() <= 255
        && !name.chars().any(char::is_control)
        && endings.iter().any(|ending| name.ends_with(ending));
    if !fits {
        let code = if escapes(name) {
            codes::CONFIG_PATH_ESCAPE
        } else {
            codes::CONFIG_INVALID_NAME
        };
        problems.push(
            Diagnostic::new(code, format!("{what} can't be {:?}", name.value))
                .at(name.span)
                .why("it is used as a file name, and files are only written inside the output folder")
                .help(format!("write a file name that ends in {}", endings.join(" or "))),
        );
    }
}

/// Reports keys of labels and annotations, and values of labels, that Kubernetes would refuse.
pub fn check_pairs(what: &str, pairs: &Pairs, are_labels: bool, problems: &mut Vec<Diagnostic>) {
    for (key, value) in &pairs.0 {
        if !names::is_qualified_name(&variable::replaced(key, "x")) {
            problems.push(
                Diagnostic::new(codes::CONFIG_INVALID_NAME, format!("{what} can't have the key {:?}", key.value))
                    .at(key.span)
                    .why("the API server would refuse the object")
                    .help("write `name` or `prefix/name`; the prefix is a DNS name, the name has up to 63 letters, digits, `-`, `_` and `.`"),
            );
        }
        if are_labels && !variable::in_text(value) && !names::is_label_value(value) {
            problems.push(
                Diagnostic::new(codes::CONFIG_INVALID_VALUE, format!("a label's value can't be {:?}", value.value))
                    .at(value.span)
                    .why("the API server would refuse the object")
                    .help("use up to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at the beginning and the end"),
            );
        }
    }
}

/// The gateway's name without `envoy-` in front, from which file names and hostnames are derived.
pub fn short(gateway: &str) -> &str {
    gateway
        .strip_prefix("envoy-")
        .filter(|short| !short.is_empty())
        .unwrap_or(gateway)
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::diagnostic::Spanned;

    #[test]
    fn rules_are_those_of_kubernetes() {
        assert!(follows(Rule::Label, "envoy-external"));
        assert!(follows(Rule::Subdomain, "a.b-c.d"));
        assert!(follows(Rule::Hostname, "*.example.com"));
        assert!(follows(Rule::Subdomain, "${SECRET_DOMAIN/./-}-tls"));
        let long = "a".repeat(64);
        for name in [
            "", "-a", "a-", "A", "a_b", "a/b", "../a", "a.b", "a\0", &long,
        ] {
            assert!(!follows(Rule::Label, name), "{name:?}");
        }
        for name in ["a..b", ".a", "*", "*.*.a", "a.*.b"] {
            assert!(!follows(Rule::Hostname, name), "{name:?}");
        }
    }

    #[test]
    fn paths_that_lead_outside_are_refused() {
        let refused = |path: &str| {
            let mut problems = Vec::new();
            check_path("it", &Spanned::unwritten(path.to_owned()), &mut problems);
            !problems.is_empty()
        };
        for path in [
            "../x",
            "/etc",
            "a/../../b",
            "a//b",
            "~/x",
            "a\\b",
            "a\0",
            "",
            "C:x",
        ] {
            assert!(refused(path), "{path:?}");
        }
        for path in ["kubernetes/apps/network", "clusters/main", "a/b/"] {
            assert!(!refused(path), "{path:?}");
        }
    }
}
