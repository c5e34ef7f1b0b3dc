//! Filters of a route's rule or backend: what contradicts itself, and what is not there.

use super::Resolver;
use super::backend_ref::{Protocol, Want};
use super::condition::kind;
use super::fault::{Fault, Faults};
use super::grant::From;
use super::index::{ENVOY_GATEWAY, Key};
use super::read::{has, int, list, text};
use super::rules::is_pattern;
use super::tls::{data, holds_any};
use super::view::{GatewayId, Reference, Route, RouteKind};
use crate::manifest::Object;
use crate::value::{Node, names, variable};

const UNSUPPORTED: &str = "UnsupportedValue";

/// What the filters of one rule add up to.
#[derive(Debug, Default)]
pub(super) struct Filters<'a> {
    /// Matches that an HTTPRouteFilter adds to the rule's own.
    pub matches: Vec<&'a Node>,
    /// Whether the host is rewritten by a pattern on the path.
    pub rewrites_host_by_path: bool,
    path: Option<Rewrite>,
    host: Option<Rewrite>,
    /// The status of a response that is given at once; 500 where a filter can't be used.
    response: Option<i64>,
    redirects: bool,
    mirrors: bool,
    has_matches: bool,
    headers: [usize; 2],
}

/// Whose rewrite it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rewrite {
    /// The Gateway API's own filter.
    Core,
    /// An HTTPRouteFilter.
    Extension,
}

/// The condition of what a person wrote wrong, as opposed to what is not there.
fn refused(message: impl Into<String>) -> Fault {
    Fault::new(UNSUPPORTED, message).of(kind::ACCEPTED)
}

impl<'a> Resolver<'a, '_> {
    /// Goes through filters in their order.
    pub(super) fn filters(
        &mut self,
        route: &Route<'a>,
        all: &'a [Node],
        under: &Reference<'a>,
        gateway: Option<GatewayId>,
        faults: &mut Faults,
    ) -> Filters<'a> {
        let mut filters = Filters::default();
        for node in all {
            if filters.response.is_some() {
                break;
            }
            let filter_type = text(node, &["type"]).unwrap_or_default();
            let is_http = route.kind == RouteKind::Http;
            let result = match filter_type {
                "URLRewrite" if is_http => rewrite(node.get("urlRewrite"), &mut filters),
                "RequestRedirect" if is_http => redirect(node.get("requestRedirect"), &mut filters),
                "CORS" if is_http => Ok(()),
                "RequestHeaderModifier" => {
                    headers(node.get("requestHeaderModifier"), 0, &mut filters)
                }
                "ResponseHeaderModifier" => {
                    headers(node.get("responseHeaderModifier"), 1, &mut filters)
                }
                "RequestMirror" => self.mirror(route, node, under, gateway, &mut filters),
                "ExtensionRef" => self.extension(route, node, &mut filters),
                other => {
                    filters.response = Some(500);
                    Err(refused(format!(
                        "a {} knows no filter `{other}`",
                        route.kind.as_str()
                    )))
                }
            };
            faults.keep(result);
        }
        for (is_there, what) in [
            (filters.response.is_some(), "a direct response"),
            (filters.redirects, "a redirect"),
        ] {
            if is_there && filters.mirrors {
                filters.response = None;
                let message = format!("a request that is answered with {what} can't be mirrored");
                faults.push(Fault::new("IncompatibleFilters", message).of(kind::ACCEPTED));
            }
        }
        if route.kind == RouteKind::Grpc
            && filters
                .response
                .is_some_and(|status| (200..300).contains(&status))
        {
            faults.push(refused("a direct response with a 2xx status carries no gRPC message; clients would take it for broken"));
        }
        filters
    }

    /// The filters of a single backend: few are known there.
    pub(super) fn check_backend_filters(
        &mut self,
        route: &Route<'a>,
        backend: &'a Node,
        under: &Reference<'a>,
        gateway: Option<GatewayId>,
    ) -> Result<(), Fault> {
        const REASON: &str = "UnsupportedRefValue";
        let all = list(backend, &["filters"]);
        for filter in all {
            let filter_type = text(filter, &["type"]).unwrap_or_default();
            if route.kind == RouteKind::Http
                && filter_type == "URLRewrite"
                && has(filter, &["urlRewrite", "path"])
            {
                return Err(Fault::new(
                    REASON,
                    "the path can't be rewritten for one backend only",
                ));
            }
            let is_known = match route.kind {
                RouteKind::Http => {
                    matches!(
                        filter_type,
                        "RequestHeaderModifier" | "ResponseHeaderModifier" | "URLRewrite"
                    ) || (filter_type == "ExtensionRef" && self.is_filter(filter))
                }
                _ => matches!(
                    filter_type,
                    "RequestHeaderModifier" | "ResponseHeaderModifier"
                ),
            };
            if !is_known {
                return Err(Fault::new(
                    REASON,
                    format!("filter `{filter_type}` is not known on a backend"),
                ));
            }
        }
        if all.is_empty() {
            return Ok(());
        }
        let mut faults = Faults::default();
        self.filters(route, all, under, gateway, &mut faults);
        let worst = faults
            .iter()
            .find(|it| !it.is_unknown)
            .or(faults.iter().next());
        match worst {
            None => Ok(()),
            Some(fault) => Err(fault
                .clone()
                .of(kind::RESOLVED_REFS)
                .because("InvalidBackendFilters")),
        }
    }

    /// Whether an `extensionRef` is of a kind that the controller, or its extension server, knows.
    fn is_filter(&self, filter: &Node) -> bool {
        let group = text(filter, &["extensionRef", "group"]).unwrap_or_default();
        let kind = text(filter, &["extensionRef", "kind"]).unwrap_or_default();
        (group == ENVOY_GATEWAY && kind == "HTTPRouteFilter") || self.is_extension(group, kind)
    }

    fn mirror(
        &mut self,
        route: &Route<'a>,
        filter: &'a Node,
        under: &Reference<'a>,
        gateway: Option<GatewayId>,
        filters: &mut Filters<'a>,
    ) -> Result<(), Fault> {
        let Some(node) = filter.path(&["requestMirror", "backendRef"]) else {
            return Ok(());
        };
        let want = Want {
            node,
            namespace: route.object.namespace(),
            protocol: Protocol::Tcp,
            allows_sockets: false,
        };
        self.check_backend_ref(&want, route.kind, under, gateway)
            .map_err(|fault| match fault.reason {
                "EndpointsNotFound" => fault.of(kind::BACKENDS_AVAILABLE),
                _ => fault,
            })?;
        filters.mirrors = true;
        Ok(())
    }

    fn extension(
        &mut self,
        route: &Route<'a>,
        filter: &'a Node,
        filters: &mut Filters<'a>,
    ) -> Result<(), Fault> {
        let reference = filter.get("extensionRef");
        let Some(reference) = reference.filter(|_| self.is_filter(filter)) else {
            filters.response = Some(500);
            return Err(refused(
                "the `extensionRef` leads to no kind of filter that the controller knows",
            ));
        };
        let key = Key {
            namespace: route.object.namespace(),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        let kind = text(reference, &["kind"]).unwrap_or_default();
        let found = self
            .index
            .find(kind, key, |what| Fault::new(UNSUPPORTED, what));
        let object = found.inspect_err(|_| filters.response = Some(500))?;
        if kind != "HTTPRouteFilter" {
            return Ok(());
        }
        let Some(spec) = object.node.get("spec") else {
            return Ok(());
        };
        let matches = list(spec, &["matches"]);
        if !matches.is_empty() && filters.has_matches {
            return Err(refused("two HTTPRouteFilters with `matches` on one rule"));
        }
        filters.has_matches |= !matches.is_empty();
        filters.matches.extend(matches);
        if let Some(rewrite) = spec.get("urlRewrite") {
            extended_rewrite(rewrite, filters)?;
        }
        if let Some(response) = spec.get("directResponse") {
            filters.response = Some(500);
            self.check_body(response.get("body"), key.namespace)
                .map_err(|fault| fault.of(kind::ACCEPTED))?;
            filters.response = Some(int(response, &["statusCode"]).unwrap_or(200));
        }
        if let Some(reference) = spec.path(&["credentialInjection", "credential", "valueRef"]) {
            let credential = self.credential(object, reference);
            credential
                .inspect_err(|_| filters.response = Some(500))
                .map_err(|fault| fault.of(kind::ACCEPTED))?;
        }
        Ok(())
    }

    fn credential(&self, filter: &'a Object, reference: &'a Node) -> Result<(), Fault> {
        let from = From {
            group: ENVOY_GATEWAY,
            kind: "HTTPRouteFilter",
            namespace: filter.namespace(),
        };
        let secret = self.secret(from, reference)?;
        match data(secret, "credential") {
            Some(_) => Ok(()),
            None => Err(Fault::new(
                UNSUPPORTED,
                format!("Secret {} has no `credential`", Key::of(secret)),
            )),
        }
    }

    /// A Secret that something of Envoy Gateway's refers to.
    ///
    /// # Errors
    /// Where it is of another kind, in a namespace that no grant opens, or not there.
    pub(super) fn secret(&self, from: From<'_>, reference: &Node) -> Result<&'a Object, Fault> {
        if text(reference, &["group"]).is_some() {
            return Err(Fault::new(UNSUPPORTED, "a Secret is of no group"));
        }
        let key = Key {
            namespace: text(reference, &["namespace"]).unwrap_or(from.namespace),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        self.permit(from, "", "Secret", key)
            .map_err(|fault| fault.because(UNSUPPORTED))?;
        self.index
            .find("Secret", key, |what| Fault::new(UNSUPPORTED, what))
    }

    /// Whether the body of a response is there.
    pub(super) fn check_body(&self, body: Option<&Node>, namespace: &str) -> Result<(), Fault> {
        let Some(reference) = body.and_then(|body| body.get("valueRef")) else {
            return Ok(());
        };
        let key = Key {
            namespace,
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        let object = self
            .index
            .find("ConfigMap", key, |what| Fault::new(UNSUPPORTED, what))?;
        match holds_any(object, &["response.body"]) || list_len(object) > 0 {
            true => Ok(()),
            false => Err(Fault::new(UNSUPPORTED, format!("ConfigMap {key} is empty"))),
        }
    }
}

fn list_len(object: &Object) -> usize {
    let map = object.node.get("data").and_then(Node::as_map);
    map.map_or(0, crate::value::Map::len)
}

fn check_host(host: Option<&str>) -> Result<(), Fault> {
    let Some(host) = host.filter(|host| !variable::in_text(host)) else {
        return Ok(());
    };
    let is_good = names::is_dns_subdomain(host)
        && host.split('.').all(|label| label.len() <= 63)
        && host.parse::<std::net::IpAddr>().is_err();
    match is_good {
        true => Ok(()),
        false => Err(refused(format!("`{host}` is no hostname"))),
    }
}

fn rewrite(node: Option<&Node>, filters: &mut Filters<'_>) -> Result<(), Fault> {
    let Some(node) = node else {
        return Ok(());
    };
    let (host, path) = (node.get("hostname"), node.get("path"));
    let is_core = |it: Option<Rewrite>| it == Some(Rewrite::Core);
    let is_other = |it: Option<Rewrite>| it == Some(Rewrite::Extension);
    let is_second =
        (is_core(filters.path) || is_core(filters.host)) && (host.is_some() || path.is_some());
    if is_second
        || (host.is_some() && is_other(filters.host))
        || (path.is_some() && is_other(filters.path))
    {
        return Err(refused("a rule can be rewritten once"));
    }
    check_host(text(node, &["hostname"]))?;
    if host.is_some() {
        filters.host.get_or_insert(Rewrite::Core);
    }
    if let Some(path) = path {
        check_path(path)?;
        filters.path.get_or_insert(Rewrite::Core);
    }
    Ok(())
}

/// A path of a rewrite: the field that its type names, and no other.
fn check_path(path: &Node) -> Result<(), Fault> {
    const TYPES: [(&str, &str, &str); 2] = [
        ("ReplaceFullPath", "replaceFullPath", "replacePrefixMatch"),
        (
            "ReplacePrefixMatch",
            "replacePrefixMatch",
            "replaceFullPath",
        ),
    ];
    let its = text(path, &["type"]).unwrap_or_default();
    let Some((_, wanted, other)) = TYPES.iter().find(|(name, _, _)| *name == its) else {
        return Err(refused(format!("a path can't be rewritten by `{its}`")));
    };
    if has(path, &[other]) {
        return Err(refused(format!("a path of type {its} takes no `{other}`")));
    }
    match has(path, &[wanted]) {
        true => Ok(()),
        false => Err(refused(format!("a path of type {its} needs `{wanted}`"))),
    }
}

fn redirect(node: Option<&Node>, filters: &mut Filters<'_>) -> Result<(), Fault> {
    if filters.redirects {
        return Err(refused("a rule can redirect once"));
    }
    let Some(node) = node else {
        return Ok(());
    };
    if let Some(scheme) = text(node, &["scheme"]).filter(|it| !matches!(*it, "http" | "https")) {
        return Err(refused(format!(
            "nothing can be redirected to scheme `{scheme}`; http and https are known"
        )));
    }
    check_host(text(node, &["hostname"]))?;
    let path = text(node, &["path", "type"]);
    if let Some(other) = path.filter(|it| !matches!(*it, "ReplaceFullPath" | "ReplacePrefixMatch"))
    {
        return Err(refused(format!("a path can't be replaced by `{other}`")));
    }
    let status = int(node, &["statusCode"]);
    if let Some(status) = status.filter(|it| !matches!(it, 301 | 302 | 303 | 307 | 308)) {
        return Err(refused(format!("{status} is no status of a redirect")));
    }
    filters.redirects = true;
    Ok(())
}

/// A header modifier of requests (0) or responses (1).
fn headers(node: Option<&Node>, side: usize, filters: &mut Filters<'_>) -> Result<(), Fault> {
    let Some(node) = node else {
        return Ok(());
    };
    let mut wrong = Vec::new();
    let mut given = 0;
    let mut good = 0;
    for one in list(node, &["add"]).iter().chain(list(node, &["set"])) {
        given += 1;
        let name = text(one, &["name"]).unwrap_or_default();
        let value = one.get("value").and_then(Node::as_str).unwrap_or_default();
        if !is_modifiable(name) {
            wrong.push(format!("`{name}` is no header that can be set"));
        } else if !is_header_value(value) {
            wrong.push(format!("header `{name}` can't have the value `{value}`"));
        } else {
            good += 1;
        }
    }
    for one in list(node, &["remove"]) {
        given += 1;
        let name = one.as_str().unwrap_or_default();
        match is_modifiable(name) {
            true => good += 1,
            false => wrong.push(format!("`{name}` is no header that can be removed")),
        }
    }
    let before = filters.headers.get_mut(side).map_or(0, |count| {
        *count += good;
        *count
    });
    if before == 0 && given > 0 && wrong.is_empty() {
        wrong.push("no header is changed".to_owned());
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(refused(wrong.join("; "))),
    }
}

/// Whether a header may be changed: the host has filters of its own, `:` begins what HTTP/2 keeps to itself.
pub(super) fn is_modifiable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', ':']) && !name.eq_ignore_ascii_case("host")
}

/// Whether a text is a header's value (RFC 7230): visible characters, single blanks between them.
pub(super) fn is_header_value(value: &str) -> bool {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let bytes = value.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter()
        .all(|end| end.is_some_and(|byte| !is_blank(*byte)))
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() || is_blank(*byte))
        && !bytes
            .windows(2)
            .any(|pair| pair.iter().all(|byte| is_blank(*byte)))
}

/// The rewrite of an HTTPRouteFilter.
fn extended_rewrite(node: &Node, filters: &mut Filters<'_>) -> Result<(), Fault> {
    let (host, path) = (node.get("hostname"), node.get("path"));
    let is = |it: Option<Rewrite>, whose| it == Some(whose);
    let is_second = (is(filters.path, Rewrite::Extension) || is(filters.host, Rewrite::Extension))
        && (host.is_some() || path.is_some());
    if is_second
        || (host.is_some() && is(filters.host, Rewrite::Core))
        || (path.is_some() && is(filters.path, Rewrite::Core))
    {
        return Err(refused("a rule can be rewritten once"));
    }
    if let Some(path) = path.filter(|path| text(path, &["type"]) == Some("ReplaceRegexMatch")) {
        check_pattern(
            text(path, &["replaceRegexMatch", "pattern"]),
            "path.replaceRegexMatch.pattern",
        )?;
        filters.path.get_or_insert(Rewrite::Extension);
    }
    let Some(host) = host else {
        return Ok(());
    };
    match text(host, &["type"]) {
        Some("Header") if !has(host, &["header"]) => {
            return Err(refused("a hostname by `Header` needs `header`"));
        }
        Some("PathRegex") => {
            check_pattern(
                text(host, &["pathRegex", "pattern"]),
                "hostname.pathRegex.pattern",
            )?;
            if text(host, &["pathRegex", "substitution"]).is_none() {
                return Err(refused("a hostname by `PathRegex` needs a `substitution`"));
            }
            filters.rewrites_host_by_path = filters.host.is_none();
        }
        _ => {}
    }
    filters.host.get_or_insert(Rewrite::Extension);
    Ok(())
}

fn check_pattern(pattern: Option<&str>, what: &str) -> Result<(), Fault> {
    match pattern {
        None => Err(refused(format!("`{what}` is missing"))),
        Some(pattern) if !is_pattern(pattern) => {
            Err(refused(format!("`{what}` is no regular expression")))
        }
        Some(_) => Ok(()),
    }
}
