#![doc = include_str!("../README.md")]
//!
//! What becomes of one request: from its name in DNS to a backend, or to where it stops.
//!
//! [`trace`] takes the resolved view and a [`Request`], and goes the way that the request would go, for each gateway
//! that it may reach. Every stage is a file and adds [`Step`]s, each with the object that decides; the first that
//! stops the request gives the [`Outcome`]. The order is that of Envoy Gateway 1.9.0's filters:
//!
//! 1. [`dns`]: whose address the name has; [`listener`]: who listens on the port, and for the name; [`certificate`];
//! 2. [`client`]: the client's address as policies see it, the path as routes see it;
//! 3. [`route`], by [`matching`]: which route and rule, and why;
//! 4. [`security`]: who must say who he is; [`lua`]: what scripts do; [`authorization`]: who may pass;
//! 5. [`filters`]: redirects, rewrites, direct responses;
//! 6. [`traffic`], [`backend`]: how it goes on, and whereto.
//!
//! [`stream`] does the same for connections that are not HTTP; [`charts`] knows of routes that are not at hand, for a
//! chart makes them. What the tree does not tell is said to be unknown:
//! nothing is made up.

pub mod authorization;
pub mod backend;
pub mod certificate;
pub mod charts;
pub mod client;
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
pub mod stream;
#[cfg(test)]
mod tests;
pub mod traffic;

use std::net::IpAddr;

pub use request::{BadRequest, Request, Scheme};

use envoy_gateway::index::Key;
use envoy_gateway::policy::effective::Holding;
use envoy_gateway::view::{GatewayId, ListenerId, Resolved};
use manifest::Object;
use manifest::value::Pointer;

/// All that a request is traced through.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The resolved view.
    pub resolved: &'a Resolved<'a>,
    /// The objects that it was made of.
    pub objects: &'a [Object],
    /// The ConfigMaps that kustomizations make.
    pub generated: &'a [Generated],
    /// Who runs scripts.
    pub runner: &'a dyn lua::Runner,
}

/// A ConfigMap that a kustomization makes of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// Its name.
    pub name: String,
    /// The file of the kustomization.
    pub by: String,
    /// Its keys, and of each the file and its text, where that is at hand.
    pub keys: Vec<(String, String, Option<String>)>,
}

impl<'a> Scene<'a> {
    /// The object of a kind, namespace and name.
    fn find(&self, kind: &str, key: Key<'_>) -> Option<&'a Object> {
        let is_it = |it: &&Object| it.kind() == kind && Key::of(it) == key;
        self.objects.iter().find(is_it)
    }
}

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The name in DNS.
    Dns,
    /// The gateway and its address.
    Gateway,
    /// The listener.
    Listener,
    /// Its certificate.
    Certificate,
    /// The client, as policies see it.
    Client,
    /// The route and its rule.
    Route,
    /// A policy that asks who it is, or who may pass.
    Security,
    /// A script or another extension.
    Extension,
    /// A filter of the rule.
    Filter,
    /// How it goes on to the backend.
    Traffic,
    /// The backend.
    Backend,
}

impl Stage {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Dns => "dns",
            Stage::Gateway => "gateway",
            Stage::Listener => "listener",
            Stage::Certificate => "certificate",
            Stage::Client => "client",
            Stage::Route => "route",
            Stage::Security => "security",
            Stage::Extension => "extension",
            Stage::Filter => "filter",
            Stage::Traffic => "traffic",
            Stage::Backend => "backend",
        }
    }
}

/// How a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The request passes.
    Passes,
    /// It passes, and something is to mind.
    Minds,
    /// What decides it is not at hand.
    Unknown,
    /// The request stops here.
    Stops,
}

impl Mark {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Mark::Passes => "passes",
            Mark::Minds => "minds",
            Mark::Unknown => "unknown",
            Mark::Stops => "stops",
        }
    }
}

/// The place that decides a step.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The object.
    pub object: &'a Object,
    /// Where in it.
    pub pointer: Pointer,
}

impl<'a> Place<'a> {
    /// What keys lead to in an object.
    pub fn of(object: &'a Object, keys: &[&str]) -> Self {
        let pointer = keys.iter().fold(Pointer::root(), |at, key| at.key(*key));
        Place { object, pointer }
    }
}

/// One step of the way.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// What it is about.
    pub stage: Stage,
    /// How it goes.
    pub mark: Mark,
    /// What happens, in a line.
    pub text: String,
    /// Why, and what else there is to know, in a line each.
    pub details: Vec<String>,
    /// What decides it.
    pub place: Option<Place<'a>>,
}

impl<'a> Step<'a> {
    /// A step that passes.
    pub fn new(stage: Stage, text: impl Into<String>) -> Self {
        Step {
            stage,
            mark: Mark::Passes,
            text: text.into(),
            details: Vec::new(),
            place: None,
        }
    }

    /// The same with another mark.
    #[must_use]
    pub fn mark(self, mark: Mark) -> Self {
        Step { mark, ..self }
    }

    /// The same, decided by what keys lead to in an object.
    #[must_use]
    pub fn at(self, object: &'a Object, keys: &[&str]) -> Self {
        self.place(Place::of(object, keys))
    }

    /// The same, decided there.
    #[must_use]
    pub fn place(self, place: Place<'a>) -> Self {
        Step {
            place: Some(place),
            ..self
        }
    }

    /// The same with one more line.
    #[must_use]
    pub fn detail(mut self, text: impl Into<String>) -> Self {
        self.details.push(text.into());
        self
    }
}

/// A backend's part of the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The kind: `Service`, `Backend`, …
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The port, where one is given.
    pub port: Option<i64>,
    /// How many of 100 requests it gets.
    pub percent: u8,
    /// Whether the controller refuses it: these requests are answered with 500.
    pub is_refused: bool,
}

/// How it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At backends.
    Backends(Vec<Share>),
    /// With a response that the gateway gives itself.
    Response {
        /// Its status.
        status: u16,
        /// Why it is given.
        why: String,
    },
    /// With a redirect.
    Redirect {
        /// Its status.
        status: u16,
        /// Whereto.
        location: String,
        /// Whether following it leads back here.
        is_loop: bool,
    },
    /// Without a response: the connection is refused or closed.
    Closed(String),
    /// Nobody can tell from what is at hand.
    Unknown(String),
}

impl Outcome {
    /// Whether somebody who asked for the URL would be disappointed: nothing, an error, or a circle.
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

/// The way through one gateway.
#[derive(Clone, Debug)]
pub struct Way<'a> {
    /// The gateway.
    pub gateway: &'a Object,
    /// The steps.
    pub steps: Vec<Step<'a>>,
    /// How it ends.
    pub outcome: Outcome,
}

/// What became of a request, gateway by gateway.
#[derive(Clone, Debug)]
pub struct Trace<'a> {
    /// The ways.
    pub ways: Vec<Way<'a>>,
    /// Why there is no way, or no other.
    pub notes: Vec<String>,
}

/// What is known of a request at some point of its way.
struct Walk<'a, 's> {
    scene: &'s Scene<'a>,
    holding: &'s Holding<'a>,
    gateway: GatewayId,
    /// The request as it is by now: headers and path may have been changed.
    request: Request,
    /// The client's address, once it is known.
    client: Option<IpAddr>,
    steps: Vec<Step<'a>>,
}

/// A stage goes on with something, or the way ends.
type Flow<T> = Result<T, Outcome>;

/// Ends the way.
fn stop<T>(status: u16, why: impl Into<String>) -> Flow<T> {
    Err(Outcome::Response {
        status,
        why: why.into(),
    })
}

impl<'a> Walk<'a, '_> {
    fn add(&mut self, step: Step<'a>) {
        self.steps.push(step);
    }

    /// The way of a request for HTTP.
    fn http(&mut self) -> Flow<Outcome> {
        let found = self.http_listener()?;
        self.certificate(found)?;
        let found = self.client_policy(found)?;
        let chosen = self.choose_route(found)?;
        self.authentication(&chosen)?;
        self.extensions(&chosen)?;
        self.authorization(&chosen)?;
        self.filters(&chosen)?;
        self.traffic(&chosen)?;
        self.backends(&chosen)
    }
}

/// Traces a request. With `gateway`, a name or `namespace/name`, only through that one.
pub fn trace<'a>(scene: &Scene<'a>, request: &Request, gateway: Option<&str>) -> Trace<'a> {
    let holding = scene.resolved.holding();
    let candidates = dns::candidates(scene, request, gateway);
    let ways = candidates.gateways.iter();
    let ways = ways.filter_map(|id| {
        let mut way = walk(scene, &holding, request, *id)?;
        redirect::find_loop(scene, &holding, request, *id, &mut way);
        Some(way)
    });
    Trace {
        ways: ways.collect(),
        notes: candidates.notes,
    }
}

/// The way of a request through a gateway.
fn walk<'a>(
    scene: &Scene<'a>,
    holding: &Holding<'a>,
    request: &Request,
    id: GatewayId,
) -> Option<Way<'a>> {
    let gateway = scene.resolved.gateway(id)?;
    let mut walk = Walk {
        scene,
        holding,
        gateway: id,
        request: request.clone(),
        client: request.from,
        steps: Vec::new(),
    };
    walk.dns(gateway);
    let ended = walk
        .gateway(gateway)
        .and_then(|()| match request.scheme.is_http() {
            true => walk.http(),
            false => walk.stream(),
        });
    let (Ok(outcome) | Err(outcome)) = ended;
    Some(Way {
        gateway: gateway.object,
        steps: walk.steps,
        outcome,
    })
}

/// A listener by its place, for stages that follow.
#[derive(Clone, Copy, Debug)]
struct Found {
    listener: ListenerId,
}
