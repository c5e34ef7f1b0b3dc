//! The values of [app-template], a chart whose values describe a whole application. Entries of its maps are called
//! identifiers, and other values refer to them by that name.
//!
//! [app-template]: https://github.com/bjw-s-labs/helm-charts

use super::names::is_sure;
use crate::lint::{Applied, LintContext};
use envoy_gateway::helm_routes::HELM;
use envoy_gateway::read::{flag, list, text};
use manifest::value::{Node, Pointer, variable};

/// The name of the chart.
const CHART: &str = "app-template";

/// The releases of the chart whose values are all at hand.
pub(super) fn releases<'a>(context: &LintContext<'a>) -> Vec<Applied<'a>> {
    let named: Vec<Applied<'a>> = context.releases(CHART).collect();
    let is_named = |one: &Applied<'_>| named.iter().any(|it| it.at == one.at);
    let releases = context.of_kind(HELM, "HelmRelease");
    let whole = releases.filter(|one| {
        let spec = |path: &[&str]| text(&one.object.node, path) == Some(CHART);
        // The source of the chart need not be at hand. Other charts with the same library have defaults of their own.
        let is_it = is_named(one)
            || spec(&["spec", "chart", "spec", "chart"])
            || spec(&["spec", "chartRef", "name"]);
        is_it && list(&one.object.node, &["spec", "valuesFrom"]).is_empty() && is_sure(context, one)
    });
    whole.collect()
}

/// The path of a release's values.
pub(super) fn values_pointer() -> Pointer {
    Pointer::root().key("spec").key("values")
}

/// The entries of the map at a path, with their identifiers.
pub(super) fn entries<'v>(node: &'v Node, path: &[&str]) -> Vec<(&'v str, &'v Node)> {
    let map = node.path(path).and_then(Node::as_map).into_iter();
    map.flat_map(|map| map.iter()).collect()
}

/// The identifiers at a path that are not switched off; `None` if they are not all known.
pub(super) fn identifiers<'v>(values: &'v Node, path: &[&str]) -> Option<Vec<&'v str>> {
    let entries = entries(values, path);
    let is_on = |node: &Node| {
        flag(node, &["enabled"]) != Some(false) && text(node, &["enabled"]) != Some("false")
    };
    let names = entries.iter().filter(|(_, node)| is_on(node));
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    names.iter().all(|name| is_plain(name)).then_some(names)
}

/// Whether a text contains neither a variable of Flux nor a template of Helm.
pub(super) fn is_plain(text: &str) -> bool {
    !variable::in_text(text) && !text.contains("{{")
}
