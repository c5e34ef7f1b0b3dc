#![doc = include_str!("../README.md")]
//!
//! Follows one request from its name in DNS to a backend, or to the place where it fails.
//!
//! [`trace`] takes the resolved view and a [`Request`], and follows the request through each gateway that it may
//! reach. Every stage is in a file of its own and adds [`Step`]s, each with the object that decides. The first stage
//! that ends the request returns the [`Outcome`]. The order is that of the filters in Envoy Gateway 1.9.0:
//!
//! 1. [`dns`]: which gateway the name leads to; [`listener`]: the listener for the port and the hostname; [`certificate`];
//! 2. [`client`]: the client's certificate and address as policies see it, and the path as routes see it;
//! 3. [`route`], with [`matching`]: which route and rule match, and why;
//! 4. [`security`]: authentication; [`lua`]: what scripts do; [`authorization`]: who is allowed;
//! 5. [`filters`]: redirects, rewrites, direct responses;
//! 6. [`traffic`], [`backend`]: how the request is forwarded, and where to.
//!
//! [`stream`] does the same for connections that are not HTTP. [`charts`] knows the routes that are in no manifest
//! because a Helm chart creates them. What can't be known from the given objects is reported as unknown, never
//! guessed.
#![cfg_attr(not(test), warn(unreachable_pub))]

pub mod authorization;
pub mod backend;
pub mod certificate;
pub mod charts;
pub mod client;
mod client_certificate;
pub mod dns;
pub mod filters;
pub mod listener;
pub mod lua;
pub mod matching;
pub mod path;
pub mod policies;
pub mod redirect;
pub mod request;
pub mod route;
pub mod security;
mod step;
pub mod stream;
#[cfg(test)]
mod tests;
pub mod traffic;

use std::net::IpAddr;

pub use request::{BadRequest, ClientCertificate, Request, Scheme};
pub use step::{Mark, SettingPlace, Stage, Step};

use envoy_gateway::exposure::dns::Publishers;
use envoy_gateway::helm_routes::Charted;
use envoy_gateway::index::Key;
use envoy_gateway::policy::effective::EffectivePolicies;
use envoy_gateway::view::{GatewayId, ListenerId, Resolved, RouteId};
use manifest::Object;

/// Everything that a request is traced through.
#[derive(Clone, Copy, Debug)]
pub struct TraceInputs<'a> {
    /// The resolved view.
    pub resolved: &'a Resolved<'a>,
    /// The objects that the view was resolved from.
    pub objects: &'a [Object],
    /// What charts create from the values of releases. The view was resolved from it, too.
    pub charted: &'a Charted<'a>,
    /// The ConfigMaps that kustomizations generate.
    pub generated: &'a [GeneratedConfigMap],
    /// Runs scripts.
    pub runner: &'a dyn lua::Runner,
}

/// A ConfigMap that a kustomization generates from files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedConfigMap {
    /// Its name.
    pub name: String,
    /// The file of the kustomization.
    pub by: String,
    /// Its keys, each with the file and, if it is given, the text of the file.
    pub keys: Vec<(String, String, Option<String>)>,
}

impl<'a> TraceInputs<'a> {
    /// The object with a kind, namespace and name.
    fn find(&self, kind: &str, key: Key<'_>) -> Option<&'a Object> {
        let is_it = |it: &&Object| it.kind() == kind && Key::of(it) == key;
        self.objects.iter().find(is_it)
    }
}

/// The share of requests that a backend gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The kind: `Service`, `Backend`, …
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The port, if one is given.
    pub port: Option<i64>,
    /// The share in percent.
    pub percent: u8,
    /// Whether the controller refuses the backend. Its share of requests is answered with 500.
    pub is_refused: bool,
}

/// How a request ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is forwarded to backends.
    Backends(Vec<Share>),
    /// The gateway responds itself.
    Response {
        /// The status of the response.
        status: u16,
        /// The reason for the response.
        why: String,
    },
    /// The gateway redirects it.
    Redirect {
        /// The status of the redirect.
        status: u16,
        /// The target of the redirect.
        location: String,
        /// Whether following the redirect leads back here.
        is_loop: bool,
    },
    /// There is no response, because the connection is refused or closed; with the reason.
    Closed(String),
    /// It can't be known from the given objects; with the reason.
    Unknown(String),
}

impl Outcome {
    /// Whether the client gets no response, an error, or a redirect loop.
    pub fn is_failure(&self) -> bool {
        match self {
            Outcome::Backends(shares) => shares.iter().any(|share| share.is_refused),
            Outcome::Response { status, .. } => *status >= 400,
            Outcome::Redirect { is_loop, .. } => *is_loop,
            Outcome::Closed(_) => true,
            Outcome::Unknown(_) => false,
        }
    }
}

/// The request at one gateway.
#[derive(Clone, Debug)]
pub struct GatewayTrace<'a> {
    /// The gateway.
    pub gateway: &'a Object,
    /// The listener that takes the connection; `None` if none does.
    pub listener: Option<ListenerId>,
    /// The route and the index of its rule; `None` if no rule takes the request.
    pub rule: Option<(RouteId, usize)>,
    /// The client's address as policies see it; `None` if it is not known.
    pub client: Option<IpAddr>,
    /// The request as it was when the trace ended, with the headers and the path that filters have changed.
    pub request: Request,
    /// The steps.
    pub steps: Vec<Step<'a>>,
    /// How the request ends.
    pub outcome: Outcome,
}

/// The trace of a request, gateway by gateway.
#[derive(Clone, Debug)]
pub struct Trace<'a> {
    /// The gateways that the request may reach.
    pub gateways: Vec<GatewayTrace<'a>>,
    /// Notes, for example why there are none.
    pub notes: Vec<String>,
}

/// The state of a request while it is traced.
struct RequestState<'a, 's> {
    inputs: &'s TraceInputs<'a>,
    effective_policies: &'s EffectivePolicies<'a>,
    publishers: &'s Publishers<'a>,
    gateway: GatewayId,
    /// The request in its current form, with headers and path as changed so far.
    request: Request,
    /// The client's address, once it is known.
    client: Option<IpAddr>,
    /// Whether the ClientTrafficPolicy of the listener is refused, so that every route answers 500.
    is_refused_for_clients: bool,
    /// The listener, once it is found.
    listener: Option<ListenerId>,
    /// The route and the index of its rule, once they are found.
    rule: Option<(RouteId, usize)>,
    steps: Vec<Step<'a>>,
}

/// A stage returns what the next one needs, or ends the trace with an outcome.
type StageResult<T> = Result<T, Outcome>;

/// Ends the trace with a response.
fn stop<T>(status: u16, why: impl Into<String>) -> StageResult<T> {
    Err(Outcome::Response {
        status,
        why: why.into(),
    })
}

impl<'a> RequestState<'a, '_> {
    fn add(&mut self, step: Step<'a>) {
        self.steps.push(step);
    }

    /// Traces an HTTP request.
    fn http(&mut self) -> StageResult<Outcome> {
        let found = self.http_listener()?;
        self.certificate(found)?;
        let found = self.client_policy(found)?;
        let chosen = self.choose_route(found)?;
        self.listener = Some(chosen.listener);
        self.rule = Some((chosen.route, chosen.rule));
        if self.is_refused_for_clients {
            return stop(
                500,
                "because the ClientTrafficPolicy is refused, every route answers 500",
            );
        }
        self.authentication(&chosen)?;
        self.extensions(&chosen)?;
        self.authorization(&chosen)?;
        self.filters(&chosen)?;
        self.traffic(&chosen)?;
        self.backends(&chosen)
    }
}

/// Traces requests through the same inputs. What does not depend on the request is computed once.
#[derive(Debug)]
pub struct Tracer<'i, 'a> {
    inputs: &'i TraceInputs<'a>,
    effective_policies: EffectivePolicies<'a>,
    publishers: Publishers<'a>,
}

impl<'i, 'a> Tracer<'i, 'a> {
    /// Prepares for requests through these inputs.
    pub fn new(inputs: &'i TraceInputs<'a>) -> Self {
        Tracer {
            inputs,
            effective_policies: inputs.resolved.effective_policies(),
            publishers: Publishers::find(inputs.objects).and(inputs.resolved.declared()),
        }
    }

    /// Traces a request. If `gateway` is given (a name, or `namespace/name`), only through that one.
    pub fn trace(&self, request: &Request, gateway: Option<&str>) -> Trace<'a> {
        let candidates = dns::candidates(self, request, gateway);
        let gateways = candidates.gateways.iter();
        let gateways = gateways.filter_map(|id| {
            let mut gateway_trace = self.trace_at(request, *id)?;
            redirect::find_loop(self, request, *id, &mut gateway_trace);
            charts::move_places(self.inputs, &mut gateway_trace);
            Some(gateway_trace)
        });
        Trace {
            gateways: gateways.collect(),
            notes: candidates.notes,
        }
    }

    /// Traces a request through one gateway.
    fn trace_at(&self, request: &Request, id: GatewayId) -> Option<GatewayTrace<'a>> {
        let gateway = self.inputs.resolved.gateway(id)?;
        let mut state = RequestState {
            inputs: self.inputs,
            effective_policies: &self.effective_policies,
            publishers: &self.publishers,
            gateway: id,
            request: request.clone(),
            client: request.from,
            is_refused_for_clients: false,
            listener: None,
            rule: None,
            steps: Vec::new(),
        };
        state.dns(gateway);
        let ended = state
            .gateway(gateway)
            .and_then(|()| match request.scheme.is_http() {
                true => state.http(),
                false => state.stream(),
            });
        let (Ok(outcome) | Err(outcome)) = ended;
        Some(GatewayTrace {
            gateway: gateway.object,
            listener: state.listener,
            rule: state.rule,
            client: state.client,
            request: state.request,
            steps: state.steps,
            outcome,
        })
    }
}

/// Traces a single request. If `gateway` is given (a name, or `namespace/name`), only through that one.
pub fn trace<'a>(inputs: &TraceInputs<'a>, request: &Request, gateway: Option<&str>) -> Trace<'a> {
    Tracer::new(inputs).trace(request, gateway)
}

/// The listener that was found, for the stages that follow.
#[derive(Clone, Copy, Debug)]
struct ChosenListener {
    listener: ListenerId,
}
