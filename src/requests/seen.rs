//! What happens to a request at a gateway, in the terms of a test.

use std::collections::BTreeSet;

use envoy_gateway::exposure::build::{listener_name, reach_of};
use envoy_gateway::exposure::guard::{guards, kind_of_setting, lowest_tls};
use envoy_gateway::exposure::table::{Guard, GuardKind, Side};
use envoy_gateway::policy::effective::EffectivePolicies;
use envoy_gateway::read::text;
use envoy_gateway::{Listener, Resolved};
use envoy_simulate::{
    GatewayTrace, Mark, Outcome, Request, Share, Stage, Step, TraceInputs, Tracer,
};
use manifest::value::Node;

/// The objects of a cluster, prepared for many requests.
pub struct Front<'i, 'a> {
    /// The resolved view.
    pub resolved: &'i Resolved<'a>,
    tracer: Tracer<'i, 'a>,
    effective: EffectivePolicies<'a>,
    /// The gateways that are external because the configuration says so.
    external: BTreeSet<String>,
}

/// Something that is so, or is not known, with what is missing.
pub type Known<T> = Result<T, String>;

/// What happens to a request at a gateway.
pub struct Seen<'f, 'i, 'a> {
    front: &'f Front<'i, 'a>,
    /// The way of the request.
    pub way: GatewayTrace<'a>,
    /// The way of a client that passes authentication, if this one doesn't.
    past: Option<GatewayTrace<'a>>,
}

impl<'i, 'a> Front<'i, 'a> {
    /// Prepares the objects. `external` are the names of gateways that are external because the configuration says so.
    pub fn new(inputs: &'i TraceInputs<'a>, external: impl IntoIterator<Item = String>) -> Self {
        Front {
            resolved: inputs.resolved,
            tracer: Tracer::new(inputs),
            effective: inputs.resolved.effective_policies(),
            external: external.into_iter().collect(),
        }
    }

    /// What happens to a request at each gateway that it may reach. Also returns why there are none.
    pub fn see<'f>(
        &'f self,
        request: &Request,
        gateway: Option<&str>,
    ) -> (Vec<Seen<'f, 'i, 'a>>, Vec<String>) {
        let traced = self.tracer.trace(request, gateway);
        let ways = traced.gateways.into_iter().map(|way| {
            let is_stopped = !request.signed_in && stopping_guard(&way).is_some();
            let past = is_stopped.then(|| {
                let signed_in = Request {
                    signed_in: true,
                    ..request.clone()
                };
                let name = format!("{}/{}", way.gateway.namespace(), way.gateway.name());
                let past = self.tracer.trace(&signed_in, Some(&name));
                past.gateways.into_iter().next()
            });
            Seen {
                front: self,
                way,
                past: past.flatten(),
            }
        });
        (ways.collect(), traced.notes)
    }
}

/// The guard that ends a way, and its step.
fn stopping_guard<'w, 'a>(way: &'w GatewayTrace<'a>) -> Option<(GuardKind, &'w Step<'a>)> {
    let step = way
        .steps
        .iter()
        .rev()
        .find(|step| step.mark == Mark::Stops)?;
    Some((guard_of(step)?, step))
}

/// The guard that a step is about.
fn guard_of(step: &Step<'_>) -> Option<GuardKind> {
    let place = step.place.as_ref()?;
    match step.stage {
        // The place is in the script, if the policy takes it from a ConfigMap.
        Stage::Extension if place.object.kind() != "EnvoyExtensionPolicy" => Some(GuardKind::Lua),
        Stage::Client | Stage::Security | Stage::Extension | Stage::Traffic => {
            kind_of_setting(place.object, &place.pointer)
        }
        _ => None,
    }
}

impl<'a> Seen<'_, '_, 'a> {
    /// The gateway as `namespace/name`.
    pub fn gateway(&self) -> String {
        format!(
            "{}/{}",
            self.way.gateway.namespace(),
            self.way.gateway.name()
        )
    }

    /// The addresses of the gateway.
    pub fn addresses(&self) -> Vec<String> {
        let mut gateways = self.front.resolved.gateways().iter();
        let found = gateways.find(|it| std::ptr::eq(it.object, self.way.gateway));
        found.map(|it| it.addresses()).unwrap_or_default()
    }

    /// The side that the gateway faces.
    pub fn side(&self) -> (Side, String) {
        let name = self.gateway();
        let is_named = |it: &String| *it == name || it == self.way.gateway.name();
        if self.front.external.iter().any(is_named) {
            return (Side::External, "the configuration says so".to_owned());
        }
        let mut gateways = self.front.resolved.gateways().iter();
        let found = gateways.find(|it| std::ptr::eq(it.object, self.way.gateway));
        let reach = found.map(reach_of).unwrap_or_default();
        (reach.side, reach.why)
    }

    fn listener(&self) -> Option<&Listener<'a>> {
        self.front.resolved.listener(self.way.listener?)
    }

    /// The name of the listener; `None` if the connection gets to none.
    pub fn listener_name(&self) -> Option<String> {
        Some(listener_name(self.front.resolved, self.listener()?))
    }

    /// The way of a client who passes all guards, as far as that makes a difference.
    fn beyond(&self) -> &GatewayTrace<'a> {
        self.past.as_ref().unwrap_or(&self.way)
    }

    /// The route as kind, `namespace/name` and index of the rule; `None` if no route takes the request.
    pub fn route(&self) -> Known<Option<(&'static str, String, usize)>> {
        let Some((id, rule)) = self.beyond().rule else {
            return match &self.beyond().outcome {
                Outcome::Unknown(why) => Err(why.clone()),
                _ => Ok(None),
            };
        };
        let route = self.front.resolved.route(id);
        Ok(route.map(|route| (route.kind.as_str(), route.key().to_string(), rule)))
    }

    /// The backends of a client who passes the guards; if there are none, the end of the way in words.
    pub fn backends(&self) -> Known<Result<Vec<Share>, String>> {
        match &self.beyond().outcome {
            Outcome::Backends(shares) => Ok(Ok(shares.clone())),
            Outcome::Unknown(why) => Err(why.clone()),
            other => Ok(Err(ends(other))),
        }
    }

    /// The path as the backend gets it.
    pub fn path(&self) -> Known<Option<String>> {
        let way = self.beyond();
        match &way.outcome {
            Outcome::Backends(_) => Ok(Some(way.request.target())),
            Outcome::Unknown(why) => Err(why.clone()),
            _ => Ok(None),
        }
    }

    /// The guards of the route, in the order of their names; `None` if no route takes the request.
    pub fn guards(&self) -> Known<Option<Vec<GuardKind>>> {
        let Some(all) = self.all_guards() else {
            return self.route().map(|_| None);
        };
        let kinds: BTreeSet<GuardKind> = all.into_iter().map(|guard| guard.kind).collect();
        Ok(Some(kinds.into_iter().collect()))
    }

    /// The client networks that a guard of the route admits.
    pub fn allowed(&self) -> Vec<String> {
        let all = self.all_guards().unwrap_or_default().into_iter();
        all.flat_map(|guard| guard.allows).collect()
    }

    fn all_guards(&self) -> Option<Vec<Guard>> {
        let way = self.beyond();
        let (listener, (id, at)) = (way.listener?, way.rule?);
        let resolved = self.front.resolved;
        let rule = resolved.route(id).and_then(|route| route.rules.get(at));
        let near = Some((id, rule.and_then(|rule| rule.name)));
        Some(guards(resolved, &self.front.effective, near, listener))
    }

    /// The guard that refuses the client; `None` if none does.
    pub fn refused(&self) -> Known<Option<GuardKind>> {
        if let Some((guard, _)) = stopping_guard(&self.way) {
            return Ok(Some(guard));
        }
        if let Outcome::Unknown(why) = &self.way.outcome {
            return Err(why.clone());
        }
        let mut open = self
            .way
            .steps
            .iter()
            .filter(|step| step.mark == Mark::Unknown);
        match open.find(|step| guard_of(step).is_some()) {
            Some(step) => Err(step.text.clone()),
            None => Ok(None),
        }
    }

    /// Whether the request gets to a route.
    pub fn is_reachable(&self) -> Known<bool> {
        match (&self.way.outcome, self.way.rule) {
            (Outcome::Closed(_), _) => Ok(false),
            (_, Some(_)) | (Outcome::Redirect { .. }, _) => Ok(true),
            (Outcome::Unknown(why), None) => Err(why.clone()),
            (_, None) => Ok(self.refused()?.is_some()),
        }
    }

    /// The client's address as policies see it.
    pub fn client(&self) -> Known<std::net::IpAddr> {
        let mut gateways = self.front.resolved.gateways().iter();
        let found = gateways.find(|it| std::ptr::eq(it.object, self.way.gateway));
        let path = ["envoyService", "externalTrafficPolicy"];
        let policy = found
            .and_then(|it| it.infra.kubernetes(&path))
            .and_then(Node::as_str);
        if policy == Some("Cluster") && self.way.client == self.way.request.from {
            return Err("`externalTrafficPolicy: Cluster`: a node may forward the connection with its own address".to_owned());
        }
        self.way.client.ok_or_else(|| {
            "the client's address is not known; say where the request comes from with `from`"
                .to_owned()
        })
    }

    /// The lowest TLS version that the listener accepts, or `passthrough`; `None` if it is not TLS.
    pub fn tls(&self) -> Known<Option<String>> {
        let (Some(listener), Some(id)) = (self.listener(), self.way.listener) else {
            return match &self.way.outcome {
                Outcome::Unknown(why) => Err(why.clone()),
                _ => Ok(None),
            };
        };
        if !listener.is_tls() {
            return Ok(None);
        }
        if text(listener.node, &["tls", "mode"]) == Some("Passthrough") {
            return Ok(Some("passthrough".to_owned()));
        }
        let (version, _) = lowest_tls(self.front.resolved, &self.front.effective, id);
        Ok(Some(version.to_owned()))
    }

    /// The step that decides how the request ends, or which route it takes.
    pub fn deciding(&self) -> Option<&Step<'a>> {
        let of = |way: &'_ GatewayTrace<'a>, fits: fn(&Step<'_>) -> bool| {
            way.steps.iter().rposition(|step| fits(step))
        };
        let fits: [fn(&Step<'_>) -> bool; 4] = [
            |step| step.mark == Mark::Stops,
            |step| {
                step.mark == Mark::Unknown
                    && step.stage != Stage::Dns
                    && step.stage != Stage::Certificate
                    && step.stage != Stage::Backend
            },
            |step| step.stage == Stage::Route,
            |step| step.stage == Stage::Listener || step.stage == Stage::Gateway,
        ];
        let at = fits.into_iter().find_map(|fits| of(&self.way, fits))?;
        self.way.steps.get(at)
    }

    /// The step at a guard, on the way of a client who passes it.
    pub fn guarding(&self) -> Option<&Step<'a>> {
        let mut steps = self.beyond().steps.iter().rev();
        steps.find(|step| guard_of(step).is_some())
    }

    /// The last step of a stage.
    pub fn step_of(&self, stage: Stage) -> Option<&Step<'a>> {
        self.way.steps.iter().rev().find(|step| step.stage == stage)
    }

    /// The step in which the route is chosen.
    pub fn routing(&self) -> Option<&Step<'a>> {
        let mut steps = self.beyond().steps.iter().rev();
        steps.find(|step| step.stage == Stage::Route)
    }
}

/// How a way ends, in words.
pub fn ends(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Backends(shares) => {
            let all: Vec<String> = shares.iter().map(backend).collect();
            format!("it gets to {}", all.join(", "))
        }
        Outcome::Response { status, why } => format!("the gateway answers {status}: {why}"),
        Outcome::Redirect {
            status, location, ..
        } => format!("the gateway redirects with {status} to {location}"),
        Outcome::Closed(why) => format!("there is no answer: {why}"),
        Outcome::Unknown(why) => format!("it is not known what happens: {why}"),
    }
}

/// A backend as tests name it: `namespace/name:port`, with the kind in front if it is no Service.
pub fn backend(share: &Share) -> String {
    let kind = match share.kind.as_str() {
        "Service" => String::new(),
        kind => format!("{kind} "),
    };
    let port = share.port.map_or(String::new(), |port| format!(":{port}"));
    format!("{kind}{}/{}{port}", share.namespace, share.name)
}
