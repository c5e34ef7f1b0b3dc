//! Redirects that lead to themselves.
//!
//! A redirect to https belongs on the listener for plain HTTP. On an HTTPS listener it redirects to the URL that was
//! requested, unless it changes the hostname, the port or the path. (Gateway API 1.6, `HTTPRequestRedirectFilter`:
//! parts that are not set are taken from the request; if there is a scheme but no port, the port is that of the
//! scheme.)

use super::cluster::{ClusterAttachments, spec};
use envoy_gateway::index::Key;
use envoy_gateway::read::{has, int, list, text};
use envoy_gateway::{Attachment, Listener, Parent, Route, RouteKind, Target};
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::Node;

manifest::code! {
    "attachment"/"redirect-loop", Error, "A redirect that leads to itself.",
    r#"
A redirect to HTTPS is attached to a listener that already serves HTTPS. A browser that requests
https://app.example.com is redirected to https://app.example.com again and again, until it gives up. A route
without `sectionName` attaches to all listeners of its gateway, including those for HTTPS. The same happens
with a redirect to HTTP at a listener for plain HTTP. A redirect to another hostname, port or path is not a loop.

## Wrong

```yaml
parentRefs:
  - name: envoy-external
rules:
  - filters:
      - type: RequestRedirect
        requestRedirect: { scheme: https, statusCode: 301 }
```

## Right

```yaml
parentRefs:
  - name: envoy-external
    sectionName: http
rules:
  - filters:
      - type: RequestRedirect
        requestRedirect: { scheme: https, statusCode: 301 }
```
"#
}

/// Each rule of a route that redirects, with its redirect.
pub(super) fn redirects(route: &Object) -> impl Iterator<Item = (&Node, &Node)> {
    list(&route.node, &["spec", "rules"])
        .iter()
        .flat_map(|rule| {
            let filters = list(rule, &["filters"]).iter();
            filters.filter_map(move |filter| Some((rule, filter.get("requestRedirect")?)))
        })
}

/// Whether a rule matches by host and path alone. Other rules may not match the redirected request again.
fn matches_again(rule: &Node) -> bool {
    let matches = list(rule, &["matches"]);
    let is_plain = |it: &Node| {
        ["headers", "queryParams", "method"]
            .iter()
            .all(|key| !has(it, &[key]))
    };
    matches.is_empty() || matches.iter().any(is_plain)
}

/// The scheme of the requests at a listener, and its port; `None` for other protocols.
fn scheme_of(listener: &Listener<'_>) -> Option<(&'static str, i64)> {
    match listener.protocol {
        "HTTPS" => Some(("https", 443)),
        "HTTP" => Some(("http", 80)),
        _ => None,
    }
}

/// Whether a redirect changes neither scheme, port nor path of a request at a listener.
fn stays_at(redirect: &Node, listener: &Listener<'_>) -> bool {
    let Some((own, own_port)) = scheme_of(listener) else {
        return false;
    };
    let scheme = text(redirect, &["scheme"]);
    let keeps_port = match (int(redirect, &["port"]), scheme) {
        (Some(port), _) => port == listener.port,
        (None, Some(_)) => listener.port == own_port,
        (None, None) => true,
    };
    let keeps_scheme = scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case(own));
    keeps_scheme && keeps_port && !has(redirect, &["path"])
}

/// The hostnames that are redirected to themselves.
fn looping<'h>(redirect: &Node, attachment: &'h Attachment) -> Vec<&'h str> {
    let to = text(redirect, &["hostname"]);
    let same = |host: &&String| to.is_none_or(|to| to.eq_ignore_ascii_case(host));
    let hosts = attachment.hostnames.iter().filter(same);
    hosts.map(String::as_str).collect()
}

impl ClusterAttachments<'_, '_> {
    /// Reports the redirects of a route that lead to themselves.
    pub(super) fn redirects(&self, route: &Route<'_>) -> Vec<Diagnostic> {
        if route.kind != RouteKind::Http || self.is_open(route.object) {
            return Vec::new();
        }
        let all: Vec<(&Node, &Node)> = redirects(route.object)
            .filter(|(rule, _)| matches_again(rule))
            .collect();
        if all.is_empty() {
            return Vec::new();
        }
        let parents = route.parents.iter();
        parents
            .filter_map(|parent| self.loop_at(route, parent, &all))
            .collect()
    }

    /// Reports a redirect that leads to itself at one of a parent's listeners.
    fn loop_at(
        &self,
        route: &Route<'_>,
        parent: &Parent<'_>,
        all: &[(&Node, &Node)],
    ) -> Option<Diagnostic> {
        let at = |it: &Attachment| self.resolved.listener(it.listener);
        let found = parent.attachments.iter().find_map(|attachment| {
            let listener = at(attachment)?;
            let hosts = all
                .iter()
                .filter(|(_, to)| stays_at(to, listener))
                .map(|(_, to)| looping(to, attachment))
                .find(|hosts| !hosts.is_empty())?;
            Some((listener, hosts))
        });
        let (listener, hosts) = found?;
        let (scheme, _) = scheme_of(listener)?;
        if self.is_open(listener.object) {
            return None;
        }
        let is_at_plain_http = route
            .parents
            .iter()
            .flat_map(|it| &it.attachments)
            .any(|it| {
                at(it).is_some_and(|it| it.gateway == listener.gateway && it.protocol == "HTTP")
            });
        let exact = hosts.iter().find(|host| {
            !host.starts_with('*') && !self.is_served_by_another(route, listener, host)
        });
        let name = format!("{} {}", listener.object.kind(), Key::of(listener.object));
        let place = spec().key("parentRefs").index(parent.place);
        let (place, message) = match parent.reference.section {
            Some(section) => (
                place.key("sectionName"),
                format!(
                    "the redirect leads to itself, because listener `{section}` of {name} is already for {scheme}"
                ),
            ),
            None => (
                place,
                format!(
                    "the redirect leads to itself at listener `{}` of {name}, which is already for {scheme}",
                    listener.name
                ),
            ),
        };
        let why = match exact {
            Some(host) => format!(
                "a browser that requests {scheme}://{host}/ is redirected to the same URL until it gives up"
            ),
            None => format!(
                "requests over {scheme} that no more specific route matches are redirected to the same URL again and again"
            ),
        };
        let is_sure = exact.is_some() || !is_at_plain_http || scheme == "http";
        Some(
            finding(CODE, route.object, &place, message)
                .severity(if is_sure {
                    Severity::Error
                } else {
                    Severity::Warning
                })
                .why(why)
                .help(match scheme {
                    "http" => "redirect to another scheme, hostname, port or path: `scheme: https`"
                        .to_owned(),
                    _ => self.where_it_belongs(parent),
                }),
        )
    }

    /// Whether another route at the same listener has the hostname too.
    fn is_served_by_another(&self, route: &Route<'_>, listener: &Listener<'_>, host: &str) -> bool {
        let others = listener.routes.iter();
        others
            .filter_map(|id| self.resolved.route(*id))
            .filter(|other| !std::ptr::eq(*other, route))
            .any(|other| other.hostnames.contains(&host))
    }

    fn where_it_belongs(&self, parent: &Parent<'_>) -> String {
        let listeners = match parent.target {
            Target::Gateway(id) => self.resolved.gateway(id).map(|it| &it.listeners),
            Target::Set(id) => self.resolved.set(id).map(|it| &it.listeners),
            _ => None,
        };
        let plain = listeners
            .into_iter()
            .flatten()
            .filter_map(|id| self.resolved.listener(*id))
            .find(|it| it.protocol == "HTTP");
        match plain {
            Some(listener) => format!(
                "write `sectionName: {}`, the listener for plain HTTP",
                listener.name
            ),
            None => "add a listener with protocol HTTP on port 80, and name it in `sectionName`"
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, graded, route};

    /// The findings on a redirect in the gateway's namespace, attached as `parent` says.
    fn redirect(parent: &str, hostnames: &str, to: &str) -> Vec<String> {
        let spec = format!(
            "{hostnames}
  rules: [{{filters: [{{type: RequestRedirect, requestRedirect: {{{to}}}}}]}}]"
        );
        let route = route(parent, spec.trim()).replace("namespace: apps", "namespace: network");
        graded(&(GATEWAY.to_owned() + &route))
    }

    #[test]
    fn a_redirect_that_leads_to_itself_is_told() {
        let https = "scheme: https, statusCode: 301";
        assert_eq!(redirect("sectionName: http", "", https), [""; 0]);
        assert_eq!(
            redirect("sectionName: https", "", https),
            [
                "error attachment/redirect-loop HTTPRoute /spec/parentRefs/0/sectionName: the redirect leads to itself, because listener `https` of Gateway network/external is already for https"
            ]
        );
        assert_eq!(
            redirect("", "", https),
            [
                "warning attachment/redirect-loop HTTPRoute /spec/parentRefs/0: the redirect leads to itself at listener `https` of Gateway network/external, which is already for https"
            ]
        );
        assert!(redirect("", "hostnames: [a.example.com]", https)[0].starts_with("error"));
        assert_eq!(
            redirect("sectionName: http", "", "scheme: http, statusCode: 301"),
            [
                "error attachment/redirect-loop HTTPRoute /spec/parentRefs/0/sectionName: the redirect leads to itself, because listener `http` of Gateway network/external is already for http"
            ]
        );
    }

    #[test]
    fn a_redirect_to_somewhere_else_is_no_loop() {
        let bare = "hostnames: [example.com, a.example.com]";
        for (hostnames, to) in [
            (bare, "hostname: www.example.com, scheme: https"),
            ("", "hostname: www.example.com"),
            ("", "scheme: https, port: 8443"),
            ("", "scheme: http"),
            (
                "",
                "scheme: https, path: {type: ReplaceFullPath, replaceFullPath: /app}",
            ),
        ] {
            let found = redirect("sectionName: https", hostnames, to);
            let loops = found.iter().filter(|it| it.contains("loop")).count();
            assert_eq!(loops, 0, "{hostnames} {to}: {found:?}");
        }
        let www = "hostnames: [a.example.com, www.example.com]";
        let found = redirect("sectionName: https", www, "hostname: www.example.com");
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
