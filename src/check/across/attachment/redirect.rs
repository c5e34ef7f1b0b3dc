//! Redirects that lead to themselves.
//!
//! A redirect to https belongs at the listener for plain HTTP. At an HTTPS listener it answers with the address that
//! was asked for, unless it changes the hostname, the port or the path. (Gateway API 1.6, `HTTPRequestRedirectFilter`:
//! what is left out is taken from the request; without a port, a scheme that is given brings its own.)

use super::{Look, spec};
use crate::codes;
use envoy_gateway::index::Key;
use envoy_gateway::read::{has, int, list, text};
use envoy_gateway::{Attachment, Listener, Parent, Route, RouteKind, Target};
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::Node;

/// Each rule of a route that redirects, with what it redirects to.
pub(super) fn redirects(route: &Object) -> impl Iterator<Item = (&Node, &Node)> {
    list(&route.node, &["spec", "rules"])
        .iter()
        .flat_map(|rule| {
            let filters = list(rule, &["filters"]).iter();
            filters.filter_map(move |filter| Some((rule, filter.get("requestRedirect")?)))
        })
}

/// Whether a rule matches by host and path alone. Others may not match again what they redirected.
fn matches_again(rule: &Node) -> bool {
    let matches = list(rule, &["matches"]);
    let is_plain = |it: &Node| {
        ["headers", "queryParams", "method"]
            .iter()
            .all(|key| !has(it, &[key]))
    };
    matches.is_empty() || matches.iter().any(is_plain)
}

/// Whether a redirect leaves scheme, port and path of a request at an HTTPS listener as they are.
fn stays_at(redirect: &Node, listener: &Listener<'_>) -> bool {
    let scheme = text(redirect, &["scheme"]);
    let keeps_port = match (int(redirect, &["port"]), scheme) {
        (Some(port), _) => port == listener.port,
        (None, Some(_)) => listener.port == 443,
        (None, None) => true,
    };
    let keeps_scheme = scheme.is_none_or(|scheme| scheme.eq_ignore_ascii_case("https"));
    keeps_scheme && keeps_port && !has(redirect, &["path"])
}

/// The hostnames that lead to themselves.
fn looping<'h>(redirect: &Node, attachment: &'h Attachment) -> Vec<&'h str> {
    let to = text(redirect, &["hostname"]);
    let same = |host: &&String| to.is_none_or(|to| to.eq_ignore_ascii_case(host));
    let hosts = attachment.hostnames.iter().filter(same);
    hosts.map(String::as_str).collect()
}

impl Look<'_, '_> {
    /// The redirects of a route that lead to themselves.
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

    /// A redirect that leads to itself at one of a parent's listeners.
    fn loop_at(
        &self,
        route: &Route<'_>,
        parent: &Parent<'_>,
        all: &[(&Node, &Node)],
    ) -> Option<Diagnostic> {
        let at = |it: &Attachment| self.resolved.listener(it.listener);
        let found = parent.attachments.iter().find_map(|attachment| {
            let listener = at(attachment).filter(|it| it.protocol == "HTTPS")?;
            let hosts = all
                .iter()
                .filter(|(_, to)| stays_at(to, listener))
                .map(|(_, to)| looping(to, attachment))
                .find(|hosts| !hosts.is_empty())?;
            Some((listener, hosts))
        });
        let (listener, hosts) = found?;
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
                    "the redirect leads to itself: listener `{section}` of {name} is for https already"
                ),
            ),
            None => (
                place,
                format!(
                    "the redirect leads to itself at listener `{}` of {name}, which is for https already",
                    listener.name
                ),
            ),
        };
        let why = match exact {
            Some(host) => format!(
                "a browser that asks for https://{host}/ is sent to the same address again and again, until it gives up"
            ),
            None => "requests over https that no closer route answers are sent to the same address again and again".to_owned(),
        };
        let is_sure = exact.is_some() || !is_at_plain_http;
        Some(
            finding(
                codes::ATTACHMENT_REDIRECT_LOOP,
                route.object,
                &place,
                message,
            )
            .severity(if is_sure {
                Severity::Error
            } else {
                Severity::Warning
            })
            .why(why)
            .help(self.where_it_belongs(parent)),
        )
    }

    /// Whether a hostname is another route's too, at the same listener.
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
            None => "add a listener of protocol HTTP on port 80, and name it in `sectionName`"
                .to_owned(),
        }
    }
}
