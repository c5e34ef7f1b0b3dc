//! Finds the listener for the port and the hostname.

use super::matching::{self, MatchResult};
use super::{
    ChosenListener, Mark, Outcome, RequestState, Scheme, SettingPlace, Stage, StageResult, Step,
};
use envoy_gateway::condition::{Status, kind};
use envoy_gateway::envoy_config::filter_chains::{Clash, clashes};
use envoy_gateway::read::text;
use envoy_gateway::view::{Listener, ListenerId, RouteKind};

fn closed<T>(why: impl Into<String>) -> StageResult<T> {
    Err(Outcome::Closed(why.into()))
}

impl<'a> RequestState<'a, '_> {
    /// The listeners of the gateway on the request's port.
    pub(super) fn on_port(&self) -> Vec<(ListenerId, &Listener<'a>)> {
        let gateway = self.inputs.resolved.gateway(self.gateway);
        let ids = gateway.into_iter().flat_map(|it| &it.listeners);
        ids.filter_map(|id| Some((*id, self.inputs.resolved.listener(*id)?)))
            .filter(|(_, listener)| listener.port == i64::from(self.request.port))
            .collect()
    }

    /// The listeners on the port that are sent to Envoy and use TCP (or UDP, if the request does).
    ///
    /// # Errors
    /// If there is none, because the connection is then refused.
    pub(super) fn ready(&mut self) -> StageResult<Vec<(ListenerId, &'a str)>> {
        let wants_udp = self.request.scheme == Scheme::Udp;
        let fits = |it: &Listener<'_>| (it.protocol == "UDP") == wants_udp;
        let all = self.on_port();
        let ready: Vec<(ListenerId, &'a str)> = all
            .iter()
            .filter(|(_, it)| fits(it) && it.is_ready())
            .map(|(id, it)| (*id, it.protocol))
            .collect();
        if !ready.is_empty() {
            return Ok(ready);
        }
        let port = self.request.port;
        let Some(refused) = all.iter().find(|(_, it)| fits(it)).map(|(_, it)| *it) else {
            let step = self.no_listener();
            self.add(step);
            let what = if wants_udp { "UDP port" } else { "port" };
            return closed(format!("connection refused: no listener on {what} {port}"));
        };
        let message = refused
            .conditions
            .iter()
            .find(|it| it.status == Status::False && it.kind != kind::CONFLICTED)
            .map_or_else(
                || "it conflicts with another listener".to_owned(),
                |it| it.message.clone(),
            );
        let step = Step::new(
            Stage::Listener,
            format!("`{}` is not sent to Envoy", refused.name),
        )
        .mark(Mark::Stops)
        .detail(message)
        .place(place(refused));
        self.add(step);
        closed(format!(
            "connection refused: the listener on port {port} is refused"
        ))
    }

    fn no_listener(&self) -> Step<'a> {
        let gateway = self.inputs.resolved.gateway(self.gateway);
        let port = self.request.port;
        let mut ports: Vec<String> = gateway
            .into_iter()
            .flat_map(|it| &it.listeners)
            .filter_map(|id| self.inputs.resolved.listener(*id))
            .map(|it| format!("{} ({})", it.port, it.protocol))
            .collect();
        ports.dedup();
        let step = Step::new(Stage::Listener, format!("no listener uses port {port}"))
            .mark(Mark::Stops)
            .detail(format!("the gateway has listeners on {}", ports.join(", ")));
        match gateway {
            Some(gateway) => step.at(gateway.object, &["spec", "listeners"]),
            None => step,
        }
    }

    /// The listener that accepts a TLS connection for the host: the one with the most specific hostname.
    ///
    /// # Errors
    /// If no listener accepts it, because the connection is then closed.
    pub(super) fn by_server_name(
        &mut self,
        ready: &[(ListenerId, &'a str)],
    ) -> StageResult<ListenerId> {
        self.port_is_taken()?;
        if let Some(id) = self.by_filter_chain(ready) {
            return Ok(id);
        }
        let host = self.request.host.clone();
        let tls = ready
            .iter()
            .filter(|(_, protocol)| matches!(*protocol, "HTTPS" | "TLS"));
        let tls: Vec<ListenerId> = tls.map(|(id, _)| *id).collect();
        let mut open = Vec::new();
        let mut best: Option<(usize, ListenerId)> = None;
        for id in &tls {
            let Some(listener) = self.inputs.resolved.listener(*id) else {
                continue;
            };
            let pattern = listener.hostname.unwrap_or("*");
            match matching::host(pattern, &host) {
                MatchResult::Yes => {
                    let weight = matching::specificity(pattern);
                    if best.is_none_or(|(other, _)| weight > other) {
                        best = Some((weight, *id));
                    }
                }
                MatchResult::Maybe => open.push(pattern.to_owned()),
                MatchResult::No => {}
            }
        }
        if let Some((_, id)) = best {
            return Ok(id);
        }
        let port = self.request.port;
        if !open.is_empty() {
            let open = open.join(", ");
            let text = format!("whether {host} matches {open} depends on a Flux variable");
            self.add(Step::new(Stage::Listener, text).mark(Mark::Unknown));
            return Err(Outcome::Unknown(
                "write the variable into the URL as it is in the manifests".to_owned(),
            ));
        }
        let (text, why) = match tls.is_empty() {
            true => (
                format!("port {port} doesn't use TLS"),
                "the TLS handshake fails, because the listener expects plain text",
            ),
            false => (
                format!("no listener on port {port} accepts the server name {host}"),
                "the TLS handshake fails, because Envoy closes the connection",
            ),
        };
        let first = ready
            .first()
            .and_then(|(id, _)| self.inputs.resolved.listener(*id));
        let step = Step::new(Stage::Listener, text).mark(Mark::Stops);
        self.add(match first {
            Some(listener) => step.place(place(listener)),
            None => step,
        });
        closed(why)
    }

    /// Whether Envoy takes the configuration of the port.
    ///
    /// # Errors
    /// If it refuses it, because it can't tell two listeners or routes apart.
    fn port_is_taken(&mut self) -> StageResult<()> {
        let resolved = self.inputs.resolved;
        let own: Vec<ListenerId> = self.on_port().iter().map(|(id, _)| *id).collect();
        let is_own =
            |it: &Clash| own.contains(&it.first.listener) || own.contains(&it.second.listener);
        let Some(clash) = clashes(resolved).into_iter().find(is_own) else {
            return Ok(());
        };
        let at = [clash.first.listener, clash.second.listener];
        let listeners: Vec<&Listener<'a>> =
            at.iter().filter_map(|id| resolved.listener(*id)).collect();
        let names: Vec<String> = listeners
            .iter()
            .map(|it| format!("`{}`", it.name))
            .collect();
        let name = clash.name.as_deref().unwrap_or("all names");
        let text = format!("Envoy refuses port {}", self.request.port);
        let detail = format!(
            "it can't tell {} apart: both are for {name}",
            names.join(" and ")
        );
        let step = Step::new(Stage::Listener, text)
            .mark(Mark::Stops)
            .detail(detail);
        self.add(match listeners.last() {
            Some(listener) => step.place(place(listener)),
            None => step,
        });
        closed("connection refused: Envoy refuses the configuration of the port")
    }

    /// The listener whose filter chain Envoy chooses for the host. A TLS listener has one for each of its routes; those
    /// without a route take what no other listener takes, and are left to the caller.
    fn by_filter_chain(&self, ready: &[(ListenerId, &'a str)]) -> Option<ListenerId> {
        let mut best: Option<(usize, ListenerId)> = None;
        for (id, _) in ready {
            let listener = self.inputs.resolved.listener(*id)?;
            for pattern in self.server_names(*id, listener) {
                let weight = matching::specificity(&pattern);
                let fits = matches!(
                    matching::host(&pattern, &self.request.host),
                    MatchResult::Yes
                );
                if fits && best.is_none_or(|(other, _)| weight > other) {
                    best = Some((weight, *id));
                }
            }
        }
        best.map(|(_, id)| id)
    }

    /// The hostnames of a listener's filter chains.
    fn server_names(&self, id: ListenerId, listener: &Listener<'a>) -> Vec<String> {
        let own = || vec![listener.hostname.unwrap_or("*").to_owned()];
        if listener.protocol == "HTTPS" {
            return own();
        }
        if listener.protocol != "TLS" {
            return Vec::new();
        }
        let routes = listener.routes.iter();
        let routes = routes.filter_map(|at| self.inputs.resolved.route(*at));
        routes
            .flat_map(|route| match route.kind {
                RouteKind::Tls => {
                    let all = route.parents.iter().flat_map(|it| &it.attachments);
                    let here = all.filter(|it| it.listener == id);
                    here.flat_map(|it| match it.is_unknown {
                        true => own(),
                        false => it.hostnames.clone(),
                    })
                    .collect()
                }
                _ => own(),
            })
            .collect()
    }

    /// The listener that accepts the request.
    pub(super) fn http_listener(&mut self) -> StageResult<ChosenListener> {
        let ready = self.ready()?;
        let id = match self.request.scheme.is_tls() {
            true => self.by_server_name(&ready)?,
            false => self.plain(&ready)?,
        };
        let Some(listener) = self.inputs.resolved.listener(id) else {
            return closed("no listener matches");
        };
        self.listener = Some(id);
        self.tell_listener(listener);
        if listener.protocol == "TLS" {
            // Envoy can't see what is inside the TLS connection, or doesn't treat it as HTTP.
            return Err(self.tls_route(id));
        }
        Ok(ChosenListener { listener: id })
    }

    /// The first listener for plain HTTP. All of them on one port share their routes.
    fn plain(&mut self, ready: &[(ListenerId, &'a str)]) -> StageResult<ListenerId> {
        if let Some((id, _)) = ready.iter().find(|(_, protocol)| *protocol == "HTTP") {
            return Ok(*id);
        }
        let port = self.request.port;
        let first = ready.first().copied();
        let Some((id, protocol)) = first else {
            return closed("no listener matches");
        };
        if protocol == "TCP" {
            return Ok(id);
        }
        let step =
            Step::new(Stage::Listener, format!("port {port} uses {protocol}")).mark(Mark::Stops);
        let listener = self.inputs.resolved.listener(id);
        self.add(match listener {
            Some(listener) => step.place(place(listener)),
            None => step,
        });
        closed("the listener expects TLS, and closes connections that start without it")
    }

    pub(super) fn tell_listener(&mut self, listener: &Listener<'a>) {
        let host = match listener.hostname {
            Some(host) => format!("for {host}"),
            None => "for every hostname".to_owned(),
        };
        let mode = match text(listener.node, &["tls", "mode"]) {
            Some("Passthrough") => ", with TLS passthrough",
            _ => "",
        };
        let text = format!(
            "`{}`, port {}, {}{mode}, {host}",
            listener.name, listener.port, listener.protocol
        );
        self.add(Step::new(Stage::Listener, text).place(place(listener)));
    }
}

/// The place of a listener in its object.
pub(super) fn place<'a>(listener: &Listener<'a>) -> SettingPlace<'a> {
    SettingPlace {
        object: listener.object,
        pointer: listener.pointer.clone(),
    }
}
