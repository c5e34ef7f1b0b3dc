//! Routes that Helm charts create: the values of a HelmRelease name hostnames and gateways. The details that the
//! chart adds are not known here, only that there is a route and where.

use super::matching::{self, MatchResult};
use super::{Mark, Outcome, RequestState, SettingPlace, Stage, StageResult, Step, TraceInputs};
use envoy_gateway::helm_routes::helm_routes;
use envoy_gateway::index::Key;
use envoy_gateway::read::{int, list, text};
use envoy_gateway::view::{Gateway, Listener, ListenerId};
use manifest::Object;
use manifest::value::{Node, Pointer};

/// A route that a chart creates for a hostname.
#[derive(Clone, Debug)]
pub(super) struct ChartRoute<'a> {
    /// The HelmRelease.
    release: &'a Object,
    /// How specific its hostname is.
    specificity: usize,
    /// Where the hostname is written.
    pub place: SettingPlace<'a>,
    /// The route, as far as the values tell.
    route: Object,
}

impl ChartRoute<'_> {
    /// Whether its parent is this gateway.
    pub(crate) fn is_at(&self, gateway: &Gateway<'_>) -> bool {
        self.is_at_any(gateway, None)
    }

    /// Whether its parent is this gateway, and names one of the listeners if it names any.
    fn is_at_any(&self, gateway: &Gateway<'_>, listeners: Option<&[&Listener<'_>]>) -> bool {
        let is_here = |parent: &Node| {
            let section = text(parent, &["sectionName"]);
            let port = int(parent, &["port"]);
            listeners.is_none_or(|all| {
                all.iter().any(|listener| {
                    section.is_none_or(|section| section == listener.name)
                        && port.is_none_or(|port| port == listener.port)
                })
            })
        };
        let key = gateway.key();
        let own = self.route.namespace();
        list(&self.route.node, &["spec", "parentRefs"])
            .iter()
            .any(|parent| {
                let namespace = text(parent, &["namespace"]).unwrap_or(own);
                text(parent, &["name"]) == Some(key.name)
                    && is_here(parent)
                    && (namespace.is_empty() || namespace == key.namespace)
            })
    }

    /// The name of the route in a step.
    pub(crate) fn named(&self) -> String {
        format!(
            "the route that HelmRelease {} creates",
            Key::of(self.release)
        )
    }
}

/// The routes that charts create for a hostname.
pub(super) fn routes<'a>(inputs: &TraceInputs<'a>, host: &str) -> Vec<ChartRoute<'a>> {
    let found = helm_routes(inputs.objects).into_iter().filter_map(|one| {
        let names = list(&one.object.node, &["spec", "hostnames"]);
        let fits = |name: &Node| {
            name.as_str()
                .is_some_and(|it| matching::host(it, host) == MatchResult::Yes)
        };
        let at = names.iter().position(fits)?;
        let hostname = Pointer::root().key("spec").key("hostnames").index(at);
        let place = SettingPlace {
            object: one.release,
            pointer: one.place(&hostname),
        };
        let name = names.get(at).and_then(Node::as_str).unwrap_or_default();
        Some(ChartRoute {
            specificity: matching::specificity(name),
            release: one.release,
            place,
            route: one.object,
        })
    });
    found.collect()
}

impl<'a> RequestState<'a, '_> {
    /// The route that a chart creates for a hostname at this gateway.
    pub(super) fn chart_route(&self, host: &str) -> Option<ChartRoute<'a>> {
        let gateway = self.inputs.resolved.gateway(self.gateway)?;
        let mut all = routes(self.inputs, host).into_iter();
        all.find(|route| route.is_at(gateway))
    }

    /// Ends the trace at a route that a chart creates for one of the listeners, if it may get the request: its hostname
    /// must be as specific as `served`, that of the routes that are known.
    pub(super) fn end_at_chart(
        &mut self,
        listeners: &[ListenerId],
        served: usize,
    ) -> StageResult<()> {
        let host = self.request.authority.clone();
        let resolved = self.inputs.resolved;
        let Some(gateway) = resolved.gateway(self.gateway) else {
            return Ok(());
        };
        let listeners: Vec<&Listener<'_>> = listeners
            .iter()
            .filter_map(|id| resolved.listener(*id))
            .collect();
        let mut all = routes(self.inputs, &host).into_iter();
        let found =
            all.find(|it| it.specificity >= served && it.is_at_any(gateway, Some(&listeners)));
        let Some(route) = found else {
            return Ok(());
        };
        let step = Step::new(Stage::Route, route.named())
            .mark(Mark::Unknown)
            .detail(format!(
                "its values name {host} and the gateway, but its rules come from the chart"
            ));
        self.add(step.place(route.place.clone()));
        Err(Outcome::Unknown(format!(
            "{}: use `helm template` to see its rules",
            route.named()
        )))
    }
}
