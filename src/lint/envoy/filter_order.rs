//! Orders of Envoy's filters that contradict themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"filter-order", Error, "An order of Envoy's filters that contradicts itself.",
    r#"
`filterOrder` of an EnvoyProxy moves filters before or after others, one entry after the other. If a filter comes before
itself, or two entries contradict each other, Envoy Gateway refuses the EnvoyProxy, and with it the class or the gateway
that refers to it. If a filter has two entries, only the last one counts where they differ.

## Wrong

```yaml
filterOrder:
  - { name: envoy.filters.http.cors, before: envoy.filters.http.jwt_authn }
  - { name: envoy.filters.http.jwt_authn, before: envoy.filters.http.cors }
```

## Right

```yaml
filterOrder:
  - { name: envoy.filters.http.cors, before: envoy.filters.http.jwt_authn }
```
"#
}

const REFUSED: &str = "the controller refuses the EnvoyProxy, and its gateways are not programmed";

/// Reports EnvoyProxies with such an order.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for proxy in context.of_kind(ENVOY_GATEWAY, "EnvoyProxy") {
        for one in contradictions(proxy.object) {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
    found
}

fn contradictions(proxy: &Object) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // For each filter, those that come after it.
    let mut later: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for (at, entry) in list(&proxy.node, &["spec", "filterOrder"])
        .iter()
        .enumerate()
    {
        let Some((name, first, second)) = order(entry) else {
            continue;
        };
        let place = Pointer::root().key("spec").key("filterOrder").index(at);
        let key = if text(entry, &["before"]).is_some() {
            "before"
        } else {
            "after"
        };
        if first == second {
            let message = format!("the filter `{name}` can't come {key} itself");
            found.push(
                finding(CODE, proxy, &place.key(key), message)
                    .why(REFUSED)
                    .help("name another filter, or remove the entry"),
            );
        } else if leads_to(&later, second, first) {
            let message = format!(
                "`{first}` can't come before `{second}`, because an earlier entry says the opposite"
            );
            found.push(
                finding(CODE, proxy, &place, message)
                    .why(REFUSED)
                    .help("remove one of the entries"),
            );
        } else if !named.insert(name) {
            let message = format!("the filter `{name}` has two entries");
            found.push(
                finding(CODE, proxy, &place.key("name"), message)
                    .why("the last entry moves the filter again, so the first one may have no effect")
                    .help("keep the entry that is meant"),
            );
        } else {
            later.entry(first).or_default().insert(second);
        }
    }
    found
}

/// The filter that an entry moves, the one that is to come first, and the one after it.
fn order(entry: &Node) -> Option<(&str, &str, &str)> {
    let name = text(entry, &["name"])?;
    match (text(entry, &["before"]), text(entry, &["after"])) {
        (Some(before), _) => Some((name, name, before)),
        (None, Some(after)) => Some((name, after, name)),
        (None, None) => None,
    }
}

/// Whether `to` comes after `from`, directly or by other filters.
fn leads_to<'a>(later: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![from];
    while let Some(filter) = left.pop() {
        if filter == to {
            return true;
        }
        if seen.insert(filter) {
            left.extend(later.get(filter).into_iter().flatten().copied());
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn an_order_that_contradicts_itself_is_told() {
        let with = |order: &str| {
            let order = order.replace('~', "envoy.filters.http.");
            let text = format!(
                "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: a, namespace: network}}
spec: {{filterOrder: [{order}]}}
"
            );
            let found = told(check, "1.9.0", &[("a.yaml", &text)]);
            let short = |one: &String| one.replace("envoy.filters.http.", "~");
            found.iter().map(short).collect::<Vec<_>>()
        };
        assert_eq!(
            with("{name: ~cors, before: ~fault}, {name: ~jwt_authn, after: ~fault}"),
            [""; 0]
        );
        assert_eq!(
            with("{name: ~cors, before: ~cors}"),
            [
                "error envoy/filter-order /spec/filterOrder/0/before: the filter `~cors` can't come before itself"
            ]
        );
        assert_eq!(
            with(
                "{name: ~cors, before: ~fault}, {name: ~fault, before: ~lua}, {name: ~cors, after: ~lua}"
            ),
            [
                "error envoy/filter-order /spec/filterOrder/2: `~lua` can't come before `~cors`, because an earlier entry says the opposite"
            ]
        );
        assert_eq!(
            with("{name: ~cors, before: ~fault}, {name: ~cors, after: ~lua}"),
            [
                "error envoy/filter-order /spec/filterOrder/1/name: the filter `~cors` has two entries"
            ]
        );
    }
}
