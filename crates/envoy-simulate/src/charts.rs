//! Routes that Helm charts create from the values of a HelmRelease. They are routes like all others, but some of their
//! rules or backends may be known only to the chart. Then the trace ends there as unknown.

use super::dns::named;
use super::{
    GatewayTrace, Mark, Outcome, RequestState, SettingPlace, Stage, StageResult, Step, TraceInputs,
};
use envoy_gateway::helm_routes::HelmRoute;
use envoy_gateway::index::Key;
use envoy_gateway::view::Route;
use manifest::Object;
use manifest::value::Pointer;

impl<'a> TraceInputs<'a> {
    /// What is known of a route as the work of a chart; `None` if no chart creates it.
    fn charted_route(&self, object: &Object) -> Option<&'a HelmRoute<'a>> {
        let mut routes = self.charted.routes.iter();
        routes.find(|route| std::ptr::eq(&raw const route.object, object))
    }
}

/// Moves the places of steps from routes of charts to the values that they come from.
pub(super) fn move_places<'a>(inputs: &TraceInputs<'a>, traced: &mut GatewayTrace<'a>) {
    let places = traced
        .steps
        .iter_mut()
        .filter_map(|step| step.place.as_mut());
    for place in places {
        if let Some(route) = inputs.charted_route(place.object) {
            *place = SettingPlace {
                object: route.release,
                pointer: route.place(&place.pointer),
            };
        }
    }
}

impl<'a> RequestState<'a, '_> {
    /// Ends the trace if only the chart knows which rules a route has.
    pub(super) fn end_at_unknown_rules(&mut self, route: &Route<'a>) -> StageResult<()> {
        let charted = self.inputs.charted_route(route.object);
        let Some(charted) = charted.filter(|it| it.unknown.rules || it.unknown.is_patched) else {
            return Ok(());
        };
        let why = match charted.unknown.is_patched {
            true => "`postRenderers` of the release may change it",
            false => "its values name the host and the gateway, but its rules come from the chart",
        };
        let release = Key::of(charted.release);
        let step = Step::new(Stage::Route, named(route)).mark(Mark::Unknown);
        self.add(step.detail(why).place(SettingPlace {
            object: route.object,
            pointer: Pointer::root(),
        }));
        Err(Outcome::Unknown(format!(
            "the route that HelmRelease {release} creates: use `helm template` to see its rules"
        )))
    }

    /// Ends the trace if only the chart knows the backends of a rule.
    pub(super) fn end_at_unknown_backends(
        &mut self,
        route: &Route<'a>,
        rule: usize,
    ) -> StageResult<()> {
        let charted = self.inputs.charted_route(route.object);
        let Some(charted) = charted.filter(|it| it.unknown.backends.contains(&rule)) else {
            return Ok(());
        };
        let release = Key::of(charted.release);
        let step = Step::new(Stage::Backend, "a backend that the values don't name");
        self.add(
            step.mark(Mark::Unknown)
                .place(super::backend::rule_place(route, rule)),
        );
        Err(Outcome::Unknown(format!(
            "a backend of the route that HelmRelease {release} creates: use `helm template` to see it"
        )))
    }
}
