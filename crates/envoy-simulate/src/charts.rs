//! Routes that Helm charts create: the values of a HelmRelease name hostnames and gateways. The details that the
//! chart adds are not known here, only that there is a route and where.

use super::matching::{self, MatchResult};
use super::{Mark, Outcome, RequestState, SettingPlace, Stage, StageResult, Step, TraceInputs};
use envoy_gateway::helm_routes::helm_routes;
use envoy_gateway::index::Key;
use envoy_gateway::read::{list, text};
use envoy_gateway::view::Gateway;
use manifest::Object;
use manifest::value::{Node, Pointer};

/// A route that a chart creates for a hostname.
#[derive(Clone, Debug)]
pub(super) struct ChartRoute<'a> {
    /// The HelmRelease.
    release: &'a Object,
    /// Where the hostname is written.
    pub place: SettingPlace<'a>,
    /// The route, as far as the values tell.
    route: Object,
}

impl ChartRoute<'_> {
    /// Whether its parent is this gateway.
    pub fn is_at(&self, gateway: &Gateway<'_>) -> bool {
        let key = gateway.key();
        let own = self.route.namespace();
        list(&self.route.node, &["spec", "parentRefs"])
            .iter()
            .any(|parent| {
                let namespace = text(parent, &["namespace"]).unwrap_or(own);
                text(parent, &["name"]) == Some(key.name)
                    && (namespace.is_empty() || namespace == key.namespace)
            })
    }

    /// The name of the route in a step.
    pub fn named(&self) -> String {
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
        Some(ChartRoute {
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

    /// Ends the trace at a route that a chart creates, if there is one.
    pub(super) fn end_at_chart(&mut self) -> StageResult<()> {
        let host = self.request.authority.clone();
        let Some(route) = self.chart_route(&host) else {
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
