//! Entries of lists that are there twice in meaning, although the schema takes them.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use crate::lint::front::GATEWAY_API;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"duplicate-entry", Warning, "A hostname or a header that is listed twice.",
    r#"
A route lists a hostname twice, or a filter sets the same header twice: names of headers are the same in upper and lower
case. One of the entries has no effect. Usually another name was meant.

## Wrong

```yaml
hostnames: [shop.example.com, shop.example.com]
```

## Right

```yaml
hostnames: [shop.example.com, shop.example.org]
```
"#
}

/// The kinds of routes with hostnames.
const KINDS: [&str; 3] = ["GRPCRoute", "HTTPRoute", "TLSRoute"];

/// The filters that change headers.
const FILTERS: [&str; 2] = ["requestHeaderModifier", "responseHeaderModifier"];

/// Reports the second of two entries that mean the same.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let routes = KINDS.iter();
    let routes = routes.flat_map(|kind| context.of_kind(GATEWAY_API, kind));
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in routes.flat_map(|route| twice(route.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn twice(route: &Object) -> Vec<Diagnostic> {
    let spec = Pointer::root().key("spec");
    let mut found = Vec::new();
    let hostnames = list(&route.node, &["spec", "hostnames"]);
    let names: Vec<&str> = hostnames.iter().filter_map(Node::as_str).collect();
    if let Some((at, name)) = second(&names) {
        let message = format!("the hostname {name} is listed twice");
        found.push(
            finding(CODE, route, &spec.key("hostnames").index(at), message)
                .why("the second one has no effect; maybe another hostname is meant, which then gets no answer")
                .help("write the hostname that is meant, or remove it"),
        );
    }
    for (nth, rule) in list(&route.node, &["spec", "rules"]).iter().enumerate() {
        for (at, filter) in list(rule, &["filters"]).iter().enumerate() {
            for key in FILTERS {
                let headers = list(filter, &[key, "set"]);
                let names: Vec<&str> = headers
                    .iter()
                    .filter_map(|it| text(it, &["name"]))
                    .collect();
                let Some((which, name)) = second(&names) else {
                    continue;
                };
                let place = spec.key("rules").index(nth).key("filters").index(at);
                let place = place.key(key).key("set").index(which).key("name");
                let message = format!("the header {name} is set twice");
                found.push(
                    finding(CODE, route, &place, message)
                        .why("only one of the values reaches the other side")
                        .help("write the header that is meant, or remove it"),
                );
            }
        }
    }
    found
}

/// The first name that is there a second time, and where.
fn second<'n>(names: &[&'n str]) -> Option<(usize, &'n str)> {
    let mut seen = BTreeSet::new();
    let mut all = names.iter().enumerate();
    all.find(|(_, name)| !variable::in_text(name) && !seen.insert(name.to_ascii_lowercase()))
        .map(|(at, name)| (at, *name))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn hostnames_and_headers_are_listed_once() {
        let says = |spec: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: a, namespace: shop}}
spec: {{{spec}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(says("hostnames: [a.example.com, b.example.com]"), [""; 0]);
        assert_eq!(
            says("hostnames: [a.example.com, b.example.com, a.example.com]"),
            [
                "warning reference/duplicate-entry /spec/hostnames/2: the hostname a.example.com is listed twice"
            ]
        );
        let sets = |names: &str| {
            says(&format!(
                "rules: [{{filters: [{{type: RequestHeaderModifier, requestHeaderModifier: {{set: [{names}]}}}}]}}]"
            ))
        };
        assert_eq!(
            sets("{name: X-A, value: b}, {name: x-a, value: c}"),
            [
                "warning reference/duplicate-entry /spec/rules/0/filters/0/requestHeaderModifier/set/1/name: the header x-a is set twice"
            ]
        );
    }
}
