//! Listeners that conflict or refer to what they may not use, and plain HTTP listeners without routes.

use super::Look;
use super::redirect::redirects;
use crate::codes;
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::read::list;
use envoy_gateway::view::Gateway;
use envoy_gateway::{GatewayId, Listener, ListenerId, Target};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::variable;

impl Look<'_, '_> {
    pub(super) fn listener(&self, listener: &Listener<'_>) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.is_open(listener.object) {
            return found;
        }
        let conditions = &listener.conditions;
        if let Some(conflict) = conditions
            .get(kind::CONFLICTED)
            .filter(|it| it.status == Status::True)
            && !self.is_told_by_schema(listener)
        {
            let message = format!(
                "listener `{}` conflicts with another: {}",
                listener.name, conflict.message
            );
            found.push(
                finding(
                    codes::ATTACHMENT_LISTENER_CONFLICT,
                    listener.object,
                    &listener.pointer,
                    message,
                )
                .why("the listener is not sent to Envoy, so its requests are not answered")
                .help("give it a port or a hostname of its own"),
            );
        }
        let refs = conditions.get(kind::RESOLVED_REFS);
        if let Some(refs) = refs.filter(|it| it.status == Status::False) {
            let (code, help) = match refs.reason.as_ref() {
                "RefNotPermitted" => (
                    codes::REFERENCE_NOT_PERMITTED,
                    "add a ReferenceGrant in the other namespace",
                ),
                "InvalidRouteKinds" => (
                    codes::ATTACHMENT_REFUSED,
                    "remove `allowedRoutes.kinds`; the protocol then decides",
                ),
                _ => (
                    codes::REFERENCE_UNUSABLE,
                    "refer to a Secret of type kubernetes.io/tls",
                ),
            };
            let message = format!("listener `{}`: {}", listener.name, refs.message);
            found.push(
                finding(code, listener.object, &listener.pointer, message)
                    .why("the listener is not sent to Envoy, or is sent without what is refused")
                    .help(help),
            );
        }
        found
    }

    /// Whether the schema's own rule reports it: the same port, protocol and hostname within one object.
    fn is_told_by_schema(&self, listener: &Listener<'_>) -> bool {
        self.resolved.listeners().iter().any(|other| {
            !std::ptr::eq(other, listener)
                && std::ptr::eq(other.object, listener.object)
                && (other.port, other.protocol, other.hostname)
                    == (listener.port, listener.protocol, listener.hostname)
        })
    }

    /// Reports plain HTTP listeners without any route, if HTTPS listeners beside them have some. If there is no route
    /// at all, the routes are probably in another repository.
    pub(super) fn plain_http(&self, gateway: &Gateway<'_>) -> Vec<Diagnostic> {
        let gateways = self.resolved.gateways().iter();
        let Some(id) = gateways
            .clone()
            .position(|it| std::ptr::eq(it, gateway))
            .map(GatewayId)
        else {
            return Vec::new();
        };
        let own = || {
            let own = gateway.listeners.iter();
            own.filter_map(|at| Some((*at, self.resolved.listener(*at)?)))
        };
        let serves = own().any(|(_, it)| it.protocol == "HTTPS" && !it.routes.is_empty());
        let bare: Vec<(ListenerId, &Listener<'_>)> = own()
            .filter(|(_, it)| it.protocol == "HTTP" && it.routes.is_empty() && it.set.is_none())
            .collect();
        if !serves
            || bare.is_empty()
            || self.is_open(gateway.object)
            || self.may_have_others(id)
            || self.answers_challenges()
        {
            return Vec::new();
        }
        let one = |(_, listener): (ListenerId, &Listener<'_>)| {
            let message = format!(
                "no route is attached to listener `{}`: plain HTTP is not redirected to https",
                listener.name
            );
            finding(codes::ATTACHMENT_NO_REDIRECT, listener.object, &listener.pointer, message)
                .why("requests with http:// get 404 instead of a redirect to https://")
                .help(format!(
                    "attach an HTTPRoute with a RequestRedirect to https to it (`sectionName: {}`), or remove the listener",
                    listener.name
                ))
        };
        bare.into_iter().map(one).collect()
    }

    /// Whether other routes may be attached to a gateway's listeners, or were meant to be. What keeps those from
    /// being attached is reported on its own.
    fn may_have_others(&self, gateway: GatewayId) -> bool {
        self.resolved.routes().iter().any(|route| {
            let is_redirect = redirects(route.object).next().is_some();
            let is_loop = is_redirect && !self.redirects(route).is_empty();
            route.parents.iter().any(|parent| {
                let accepted = parent.conditions.get(kind::ACCEPTED);
                let is_open = accepted.is_some_and(|it| it.status == Status::Unknown);
                let is_off = is_redirect && accepted.is_some_and(|it| it.status == Status::False);
                let section = parent.reference.section.unwrap_or_default();
                match parent.target {
                    Target::Gateway(at) => {
                        at == gateway
                            && (is_open || is_off || is_loop || variable::in_text(section))
                    }
                    Target::NotGiven => is_redirect || variable::in_text(parent.reference.name),
                    _ => false,
                }
            })
        })
    }

    /// Whether cert-manager answers ACME challenges on plain HTTP, with routes that it creates.
    fn answers_challenges(&self) -> bool {
        self.all
            .iter()
            .map(|one| one.object)
            .filter(|it| it.group() == "cert-manager.io" && it.kind().ends_with("Issuer"))
            .flat_map(|it| list(&it.node, &["spec", "acme", "solvers"]))
            .any(|solver| solver.path(&["http01", "gatewayHTTPRoute"]).is_some())
    }
}
