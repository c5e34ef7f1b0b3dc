//! Connections that are not HTTP for Envoy: TCP, UDP, and TLS by server name.

use super::dns::named;
use super::matching::{self, MatchResult};
use super::route::ChosenRule;
use super::{
    ChosenListener, Mark, Outcome, RequestState, Scheme, Stage, StageResult, Step, backend, route,
};
use envoy_gateway::read::text;
use envoy_gateway::view::{ListenerId, Route, RouteId, RouteKind};

fn closed<T>(why: impl Into<String>) -> StageResult<T> {
    Err(Outcome::Closed(why.into()))
}

impl<'a> RequestState<'a, '_> {
    /// Traces a connection.
    pub(super) fn stream(&mut self) -> StageResult<Outcome> {
        let ready = self.ready()?;
        if self.request.scheme == Scheme::Tls
            && ready.iter().any(|(_, it)| matches!(*it, "TLS" | "HTTPS"))
        {
            let id = self.by_server_name(&ready)?;
            self.listener = Some(id);
            if let Some(listener) = self.inputs.resolved.listener(id) {
                self.tell_listener(listener);
                if listener.protocol == "HTTPS" {
                    self.certificate(ChosenListener { listener: id })?;
                    return Err(Outcome::Unknown(
                        "the listener uses HTTP inside TLS; trace the URL with https://".to_owned(),
                    ));
                }
            }
            return Err(self.tls_route(id));
        }
        let wanted = ["TCP", "UDP"];
        let found = ready.iter().find(|(_, it)| wanted.contains(it));
        let Some((id, _)) = found.copied() else {
            return self.not_a_stream(&ready);
        };
        self.listener = Some(id);
        if let Some(listener) = self.inputs.resolved.listener(id) {
            self.tell_listener(listener);
        }
        let kind = match self.request.scheme {
            Scheme::Udp => RouteKind::Udp,
            _ => RouteKind::Tcp,
        };
        self.first_route(id, kind, None)
    }

    fn not_a_stream(&mut self, ready: &[(ListenerId, &'a str)]) -> StageResult<Outcome> {
        let Some((id, protocol)) = ready.first().copied() else {
            return closed("no listener matches");
        };
        if let Some(listener) = self.inputs.resolved.listener(id) {
            self.tell_listener(listener);
        }
        let why = match protocol {
            "HTTP" => "the listener uses HTTP; trace the URL with http://",
            _ => "the listener expects TLS; trace the URL with tls:// or https://",
        };
        Err(Outcome::Unknown(why.to_owned()))
    }

    /// Traces a connection at a TLS listener.
    pub(super) fn tls_route(&mut self, id: ListenerId) -> Outcome {
        let Some(listener) = self.inputs.resolved.listener(id) else {
            return Outcome::Closed("no listener matches".to_owned());
        };
        if text(listener.node, &["tls", "mode"]) != Some("Passthrough")
            && let Err(outcome) = self.certificate(ChosenListener { listener: id })
        {
            return outcome;
        }
        let host = self.request.host.clone();
        let found = match listener.kinds.contains(&RouteKind::Tls) {
            true => self.first_route(id, RouteKind::Tls, Some(&host)),
            false => self.first_route(id, RouteKind::Tcp, None),
        };
        let (Ok(outcome) | Err(outcome)) = found;
        outcome
    }

    /// The route of a kind that accepts the connection at a listener: by its server name, or the first one.
    fn first_route(
        &mut self,
        listener: ListenerId,
        kind: RouteKind,
        server_name: Option<&str>,
    ) -> StageResult<Outcome> {
        let found = self.inputs.resolved.listener(listener);
        let routes = found.map_or(&[][..], |it| &it.routes);
        let routes: Vec<(RouteId, &Route<'a>)> = routes
            .iter()
            .filter_map(|id| Some((*id, self.inputs.resolved.route(*id)?)))
            .filter(|(_, route)| route.kind == kind)
            .collect();
        let mut best: Option<(usize, RouteId)> = None;
        let mut is_open = false;
        for (id, route) in &routes {
            let weight = match server_name {
                None => Some(0),
                Some(host) => {
                    let names = route.parents.iter().flat_map(|it| &it.attachments);
                    let names = names.filter(|it| it.listener == listener);
                    let names: Vec<&String> = names.flat_map(|it| &it.hostnames).collect();
                    is_open |= names
                        .iter()
                        .any(|it| matching::host(it, host) == MatchResult::Maybe);
                    let fits = names
                        .iter()
                        .filter(|it| matching::host(it, host) == MatchResult::Yes);
                    fits.map(|it| matching::specificity(it)).max()
                }
            };
            if let Some(weight) = weight
                && best.is_none_or(|(other, _)| weight > other)
            {
                best = Some((weight, *id));
            }
        }
        let Some((_, id)) = best else {
            return self.no_stream_route(listener, kind, is_open);
        };
        self.take(listener, id)
    }

    fn no_stream_route(
        &mut self,
        listener: ListenerId,
        kind: RouteKind,
        is_open: bool,
    ) -> StageResult<Outcome> {
        let (told, may_be_let_in) = self.left_out(&[kind], None);
        let text = format!("no {} accepts the connection", kind.as_str());
        let is_unknown = is_open || may_be_let_in;
        let mark = if is_unknown {
            Mark::Unknown
        } else {
            Mark::Stops
        };
        let step = Step::new(Stage::Route, text).mark(mark);
        let step = told.into_iter().fold(step, Step::detail);
        let found = self.inputs.resolved.listener(listener);
        self.add(match found {
            Some(listener) => step.place(super::listener::place(listener)),
            None => step,
        });
        match (is_open, may_be_let_in) {
            (true, _) => Err(Outcome::Unknown("it depends on a Flux variable".to_owned())),
            (_, true) => Err(Outcome::Unknown(route::OPEN.to_owned())),
            _ => closed(
                "Envoy doesn't open the port, or closes the connection, because there is no route for it",
            ),
        }
    }

    fn take(&mut self, listener: ListenerId, id: RouteId) -> StageResult<Outcome> {
        let Some(route) = self.inputs.resolved.route(id) else {
            return closed("no route matches");
        };
        let chosen = ChosenRule {
            route: id,
            rule: 0,
            rule_name: route.rules.first().and_then(|it| it.name),
            listener,
            prefix: None,
        };
        let step = Step::new(Stage::Route, named(route));
        self.rule = Some((id, 0));
        self.add(step.place(backend::rule_place(route, 0)));
        // Policies of gateways apply to all TCP connections to the proxy. Those of routes only apply to TCPRoutes.
        if route.kind != RouteKind::Udp {
            self.authorize_connection(listener, &chosen)?;
        }
        match self.backends(&chosen) {
            // A connection that is not HTTP has no response status.
            Err(Outcome::Response { why, .. }) => closed(why),
            other => other,
        }
    }
}
