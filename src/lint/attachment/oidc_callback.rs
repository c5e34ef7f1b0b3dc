//! Addresses to which a login leads that no route of the policy has.

use std::collections::BTreeSet;

use crate::lint::front::{ENVOY_GATEWAY, GATEWAY_API};
use crate::lint::reference::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::read::{has, list, text};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

manifest::code! {
    "attachment"/"oidc-callback", Error, "A login that leads to an address that no route of the policy has.",
    r#"
After a login, the provider sends the browser to `redirectURL`, by default `/oauth2/callback` at the host of the
request. Envoy handles that request only on a route that the policy targets. If the route has another hostname, or
matches no such path, the request gets 404 or goes to another backend, and nobody can log in.

## Wrong

```yaml
kind: SecurityPolicy
spec:
  targetRefs: [{ kind: HTTPRoute, name: admin }] # matches /admin
  oidc: { redirectURL: "https://shop.example.com/oauth2/callback" }
```

## Right

```yaml
kind: SecurityPolicy
spec:
  targetRefs: [{ kind: HTTPRoute, name: admin }] # matches /admin
  oidc: { redirectURL: "https://shop.example.com/admin/oauth2/callback" }
```
"#
}

/// The path of the default address.
const DEFAULT: &str = "/oauth2/callback";

/// Reports addresses that the routes of a policy don't have.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let policies = context.of_kind(ENVOY_GATEWAY, "SecurityPolicy");
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for policy in policies.filter(|it| has(&it.object.node, &["spec", "oidc"])) {
        let Some(routes) = routes(context, &policy) else {
            continue;
        };
        if let Some(one) = wrong(policy.object, &routes)
            && told.insert((policy.object.file.as_str(), policy.object.name()))
        {
            found.push(one);
        }
    }
    found
}

/// The routes that a policy targets; `None` if it targets anything else, or not all of them are known.
fn routes<'a>(context: &LintContext<'a>, policy: &Applied<'_>) -> Option<Vec<&'a Object>> {
    let spec = policy.object.node.get("spec")?;
    let one = spec.get("targetRef").into_iter();
    let all: Vec<&Node> = one.chain(list(spec, &["targetRefs"])).collect();
    if all.is_empty() || has(spec, &["targetSelectors"]) {
        return None;
    }
    let mut routes = Vec::new();
    for target in all {
        let name = text(target, &["name"])?;
        if text(target, &["kind"]) != Some("HTTPRoute") || has(target, &["sectionName"]) {
            return None;
        }
        let of_name = context.named(name).filter(|it| {
            it.object.kind() == "HTTPRoute"
                && it.object.group() == GATEWAY_API
                && it.object.namespace() == policy.object.namespace()
                && context.may_share_cluster(it.object, policy.object)
        });
        let of_name: Vec<Applied<'_>> = of_name.collect();
        let [route] = of_name.as_slice() else {
            return None;
        };
        if !is_sure(context, route) {
            return None;
        }
        routes.push(route.object);
    }
    Some(routes)
}

fn wrong(policy: &Object, routes: &[&Object]) -> Option<Diagnostic> {
    let oidc = Pointer::root().key("spec").key("oidc");
    let written = text(&policy.node, &["spec", "oidc", "redirectURL"]);
    if written.is_some_and(variable::in_text) {
        return None;
    }
    let place = match written {
        Some(_) => oidc.key("redirectURL"),
        None => oidc,
    };
    let (host, path) = match written {
        None => (None, DEFAULT),
        Some(url) => {
            let (_, rest) = url.split_once("://")?;
            let (host, _) = rest.split_once('/')?;
            let path = rest.get(host.len()..)?;
            (Some(host).filter(|it| !it.contains('%')), path)
        }
    };
    let report = |message: String, help: String| {
        Some(
            finding(CODE, policy, &place, message)
                .why("Envoy doesn't handle the way back from the login there, so nobody can log in")
                .help(help),
        )
    };
    let hostnames = routes
        .iter()
        .map(|it| list(&it.node, &["spec", "hostnames"]));
    let hostnames: Vec<&[Node]> = hostnames.collect();
    let is_known = hostnames.iter().all(|it| !it.is_empty());
    // With a domain for its cookies, one login may be for several hosts.
    let is_shared = has(&policy.node, &["spec", "oidc", "cookieDomain"]);
    if let Some(host) = host.map(|it| it.split(':').next().unwrap_or(it))
        && is_known
        && !is_shared
    {
        let mut names = hostnames.iter().copied().flatten().filter_map(Node::as_str);
        let mut all = names.clone();
        if !names.any(|name| variable::in_text(name) || covers(name, host)) {
            let first = all.next().unwrap_or_default();
            return report(
                format!("the login leads to {host}, which is no hostname of the route"),
                format!("write `redirectURL: https://{first}{path}`, and allow it at the provider"),
            );
        }
    }
    if routes.iter().any(|it| matches_path(it, path)) {
        return None;
    }
    let route = routes.first()?;
    report(
        format!("the login leads to `{path}`, which HTTPRoute {} doesn't match", route.name()),
        "choose a path below one that the route matches for `redirectURL`, and allow it at the provider".to_owned(),
    )
}

/// Whether a hostname, which may be a wildcard, covers another one.
fn covers(name: &str, host: &str) -> bool {
    let below = name.strip_prefix('*').filter(|it| it.starts_with('.'));
    name.eq_ignore_ascii_case(host) || below.is_some_and(|it| host.ends_with(it))
}

/// Whether a rule of a route may match a path.
fn matches_path(route: &Object, path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let mut rules = list(&route.node, &["spec", "rules"]).iter();
    rules.any(|rule| {
        let matches = list(rule, &["matches"]);
        let is_match = |it: &Node| {
            let kind = text(it, &["path", "type"]).unwrap_or("PathPrefix");
            let value = text(it, &["path", "value"]).unwrap_or("/");
            match kind {
                "PathPrefix" => {
                    let rest = path.strip_prefix(value.trim_end_matches('/'));
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                        || variable::in_text(value)
                }
                "Exact" => value == path || variable::in_text(value),
                _ => true,
            }
        };
        matches.is_empty() || matches.iter().any(is_match)
    })
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn says(prefix: &str, oidc: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: shop, namespace: shop}}
spec:
  hostnames: [shop.example.com]
  rules: [{{matches: [{{path: {{type: PathPrefix, value: {prefix}}}}}]}}]
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata: {{name: login, namespace: shop}}
spec:
  targetRefs: [{{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}}]
  oidc: {{clientID: shop{oidc}}}
"
        );
        told(check, "1.9.0", &[("a.yaml", &text)])
    }

    #[test]
    fn a_login_comes_back_to_the_route() {
        let to = |url: &str| format!(", redirectURL: '{url}'");
        assert_eq!(says("/", ""), [""; 0]);
        assert_eq!(
            says("/admin", ""),
            [
                "error attachment/oidc-callback /spec/oidc: the login leads to `/oauth2/callback`, which HTTPRoute shop doesn't match"
            ]
        );
        let right = to("https://shop.example.com/admin/oauth2/callback");
        assert_eq!(says("/admin", &right), [""; 0]);
        let relative = to("%REQ(x-forwarded-proto)%://%REQ(:authority)%/admin/callback");
        assert_eq!(says("/admin", &relative), [""; 0]);
        let other = to("https://login.example.com/oauth2/callback");
        assert_eq!(
            says("/", &other),
            [
                "error attachment/oidc-callback /spec/oidc/redirectURL: the login leads to login.example.com, which is no hostname of the route"
            ]
        );
        assert_eq!(
            says("/", &format!("{other}, cookieDomain: example.com")),
            [""; 0]
        );
    }
}
