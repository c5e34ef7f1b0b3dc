//! Routes that charts make: a HelmRelease's values name hostnames and gateways, as charts for applications have it. What
//! the chart makes of them in detail is not known here; that there is a route, and where, is.

use super::matching::{self, Fit};
use super::{Flow, Mark, Outcome, Place, Scene, Stage, Step, Walk};
use envoy_gateway::helm_routes::helm_routes;
use envoy_gateway::index::Key;
use envoy_gateway::read::{list, text};
use envoy_gateway::view::Gateway;
use manifest::Object;
use manifest::value::{Node, Pointer};

/// A route that a chart makes for a host.
#[derive(Clone, Debug)]
pub(super) struct ChartRoute<'a> {
    /// The HelmRelease.
    release: &'a Object,
    /// Where the hostname stands.
    pub place: Place<'a>,
    /// The route as far as the values tell it.
    route: Object,
}

impl ChartRoute<'_> {
    /// Whether it is for a gateway.
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

    /// What it is called in a step.
    pub fn named(&self) -> String {
        format!("the route that HelmRelease {} makes", Key::of(self.release))
    }
}

/// The routes for a host that charts make.
pub(super) fn routes<'a>(scene: &Scene<'a>, host: &str) -> Vec<ChartRoute<'a>> {
    let found = helm_routes(scene.objects).into_iter().filter_map(|one| {
        let names = list(&one.object.node, &["spec", "hostnames"]);
        let fits = |name: &Node| {
            name.as_str()
                .is_some_and(|it| matching::host(it, host) == Fit::Yes)
        };
        let at = names.iter().position(fits)?;
        let hostname = Pointer::root().key("spec").key("hostnames").index(at);
        let place = Place {
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

impl<'a> Walk<'a, '_> {
    /// The route for a host that a chart makes for this gateway.
    pub(super) fn chart_route(&self, host: &str) -> Option<ChartRoute<'a>> {
        let gateway = self.scene.resolved.gateway(self.gateway)?;
        let mut all = routes(self.scene, host).into_iter();
        all.find(|route| route.is_at(gateway))
    }

    /// Ends the way at a route that a chart makes, where there is one.
    pub(super) fn end_at_chart(&mut self) -> Flow<()> {
        let host = self.request.authority.clone();
        let Some(route) = self.chart_route(&host) else {
            return Ok(());
        };
        let step = Step::new(Stage::Route, route.named())
            .mark(Mark::Unknown)
            .detail(format!(
                "its values name {host} and the gateway; what its rules are, the chart decides"
            ));
        self.add(step.place(route.place.clone()));
        Err(Outcome::Unknown(format!(
            "{}: `helm template` shows its rules",
            route.named()
        )))
    }
}
