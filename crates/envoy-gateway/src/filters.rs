//! Filters of a route's rule or backend: contradictions between them, and references to objects that don't exist.

use super::Resolver;
use super::backend_ref::{BackendUse, Protocol};
use super::condition::kind;
use super::fault::{Fault, Faults};
use super::grant::ReferenceGrantFrom;
use super::index::{ENVOY_GATEWAY, Key};
use super::modify::{extended_rewrite, headers, redirect, rewrite};
use super::read::{has, int, list, text};
use super::tls::data;
use super::view::{GatewayId, Reference, Route, RouteKind};
use manifest::Object;
use manifest::value::Node;

const UNSUPPORTED: &str = "UnsupportedValue";

/// The combined effect of a rule's filters.
#[derive(Debug, Default)]
pub(super) struct Filters<'a> {
    /// Matches that an HTTPRouteFilter adds to those of the rule.
    pub matches: Vec<&'a Node>,
    /// Whether the hostname is rewritten by a pattern on the path.
    pub rewrites_host_by_path: bool,
    pub path: Option<Rewrite>,
    pub host: Option<Rewrite>,
    /// The status of a direct response; 500 if a filter can't be used.
    response: Option<i64>,
    pub redirects: bool,
    mirrors: bool,
    has_matches: bool,
    pub headers: [usize; 2],
}

/// The kind of filter that a rewrite comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rewrite {
    /// The Gateway API's own filter.
    Core,
    /// An HTTPRouteFilter.
    Extension,
}

/// A fault in what the user wrote, as opposed to a reference to something that doesn't exist.
pub(super) fn refused(message: impl Into<String>) -> Fault {
    Fault::new(UNSUPPORTED, message).of(kind::ACCEPTED)
}

impl<'a> Resolver<'a, '_> {
    /// Checks filters in their order.
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
                        "a {} doesn't support the filter `{other}`",
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
            && self.settings.is_from((1, 9), route.object)
            && filters
                .response
                .is_some_and(|status| (200..300).contains(&status))
        {
            faults.push(refused("a direct response with a 2xx status has no gRPC message; clients would treat it as broken"));
        }
        filters
    }

    /// Checks the filters of a single backend, where only few types are supported.
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
                    format!("filter `{filter_type}` is not supported on a backend"),
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

    /// Whether an `extensionRef` has a kind that the controller, or its extension server, supports.
    fn is_filter(&self, filter: &Node) -> bool {
        let group = text(filter, &["extensionRef", "group"]).unwrap_or_default();
        let kind = text(filter, &["extensionRef", "kind"]).unwrap_or_default();
        (group == ENVOY_GATEWAY && kind == "HTTPRouteFilter") || self.is_extension(group, kind)
    }

    /// Whether a route may refer to a filter of this kind. GRPCRoutes may refer to HTTPRouteFilters since 1.9.
    fn may_extend(&self, route: &Route<'a>, filter: &Node) -> bool {
        route.kind != RouteKind::Grpc
            || text(filter, &["extensionRef", "group"]) != Some(ENVOY_GATEWAY)
            || self.settings.is_from((1, 9), route.object)
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
        let want = BackendUse {
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
        let is_known = self.is_filter(filter) && self.may_extend(route, filter);
        let Some(reference) = reference.filter(|_| is_known) else {
            filters.response = Some(500);
            return Err(refused(
                "the `extensionRef` has a kind that the controller doesn't support as a filter",
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
            return Err(refused(
                "only one HTTPRouteFilter of a rule may have `matches`",
            ));
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
        let from = ReferenceGrantFrom {
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

    /// A Secret that an object of Envoy Gateway refers to.
    ///
    /// # Errors
    /// If the reference has another kind, no ReferenceGrant allows it, or the Secret doesn't exist.
    pub(super) fn secret(
        &self,
        from: ReferenceGrantFrom<'_>,
        reference: &Node,
    ) -> Result<&'a Object, Fault> {
        if text(reference, &["group"]).is_some() {
            return Err(Fault::new(UNSUPPORTED, "the group of a Secret is empty"));
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

    /// Checks that the body of a response exists.
    pub(super) fn check_body(&self, body: Option<&Node>, namespace: &str) -> Result<(), Fault> {
        let by_reference = body.filter(|body| text(body, &["type"]) == Some("ValueRef"));
        let Some(reference) = by_reference.and_then(|body| body.get("valueRef")) else {
            return Ok(());
        };
        let key = Key {
            namespace,
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        let object = self
            .index
            .find("ConfigMap", key, |what| Fault::new(UNSUPPORTED, what))?;
        match ["data", "binaryData"]
            .iter()
            .any(|key| entries(object, key) > 0)
        {
            true => Ok(()),
            false => Err(Fault::new(UNSUPPORTED, format!("ConfigMap {key} is empty"))),
        }
    }
}

/// How many entries a map of a ConfigMap has.
fn entries(object: &Object, key: &str) -> usize {
    let map = object.node.get(key).and_then(Node::as_map);
    map.map_or(0, manifest::value::Map::len)
}
