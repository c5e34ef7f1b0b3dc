//! Rewrites of every path that lose the slash.

use crate::lint::LintContext;
use crate::lint::front::GATEWAY_API;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"joined-path", Warning, "A rewrite that joins the new prefix and the path without a slash.",
    r#"
`ReplacePrefixMatch` replaces the prefix that the rule matches. If that is `/`, Envoy Gateway has Envoy replace the
slash itself, so `/orders` becomes `/shoporders` with the new prefix `/shop`, and a slash at the end of the new prefix
is removed. Match a longer prefix, or let an HTTPRouteFilter rewrite the path by a regular expression.

## Wrong

```yaml
rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /shop}}}]
```

## Right

```yaml
rules:
  - matches: [{path: {type: PathPrefix, value: /}}]
    filters: [{type: ExtensionRef, extensionRef: {group: gateway.envoyproxy.io, kind: HTTPRouteFilter, name: shop}}]
---
kind: HTTPRouteFilter
metadata: {name: shop}
spec: {urlRewrite: {path: {type: ReplaceRegexMatch, replaceRegexMatch: {pattern: '^/(.*)$', substitution: '/shop/\1'}}}}
```
"#
}

/// Reports rewrites of the prefix `/` to a longer one.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let routes = context.of_kind(GATEWAY_API, "HTTPRoute");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in routes.flat_map(|route| joined(route.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn joined(route: &Object) -> Vec<Diagnostic> {
    let rules = Pointer::root().key("spec").key("rules");
    let mut found = Vec::new();
    for (nth, rule) in list(&route.node, &["spec", "rules"]).iter().enumerate() {
        if !matches_everything(rule) {
            continue;
        }
        for (at, filter) in list(rule, &["filters"]).iter().enumerate() {
            let Some(to) = text(filter, &["urlRewrite", "path", "replacePrefixMatch"]) else {
                continue;
            };
            if to == "/" || variable::in_text(to) {
                continue;
            }
            let place = rules.index(nth).key("filters").index(at);
            let place = ["urlRewrite", "path", "replacePrefixMatch"]
                .iter()
                .fold(place, |at, key| at.key(*key));
            let to = to.trim_end_matches('/');
            let message =
                format!("`/orders` becomes `{to}orders`, because the prefix `/` is replaced");
            found.push(
                finding(CODE, route, &place, message)
                    .why("the backend gets paths that it doesn't know")
                    .help(format!("match a longer prefix, or write an HTTPRouteFilter with `replaceRegexMatch: {{pattern: '^/(.*)$', substitution: '{to}/\\1'}}`")),
            );
        }
    }
    found
}

/// Whether a rule matches by the prefix `/` only, which is the default.
fn matches_everything(rule: &Node) -> bool {
    let matches = list(rule, &["matches"]);
    let is_slash = |it: &Node| {
        let kind = text(it, &["path", "type"]).unwrap_or("PathPrefix");
        kind == "PathPrefix" && text(it, &["path", "value"]).unwrap_or("/") == "/"
    };
    matches.iter().all(is_slash)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn the_prefix_slash_is_not_replaced_by_a_word() {
        let says = |from: &str, to: &str| {
            let text = format!(
                "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: a, namespace: shop}}
spec:
  rules:
    - matches: [{{path: {{type: PathPrefix, value: {from}}}}}]
      filters: [{{type: URLRewrite, urlRewrite: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: {to}}}}}}}]
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(
            says("/", "/shop/"),
            [
                "warning envoy/joined-path /spec/rules/0/filters/0/urlRewrite/path/replacePrefixMatch: `/orders` becomes `/shoporders`, because the prefix `/` is replaced"
            ]
        );
        assert_eq!(says("/api", "/shop"), [""; 0]);
        assert_eq!(says("/", "/"), [""; 0]);
    }
}
