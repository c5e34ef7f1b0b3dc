//! Routes that charts make: a HelmRelease's values name hostnames and gateways, as charts for applications have it. What
//! the chart makes of them in detail is not known here; that there is a route, and where, is.

use super::matching::{self, Fit};
use super::{Flow, Mark, Outcome, Place, Scene, Stage, Step, Walk};
use crate::manifest::Object;
use crate::resolve::index::Key;
use crate::resolve::read::{list, text};
use crate::resolve::view::Gateway;
use crate::value::{Kind, Node, Pointer};

/// How deep values are searched.
const DEEPEST: usize = 12;

/// A route that a chart makes for a host.
#[derive(Clone, Debug)]
pub(super) struct ChartRoute<'a> {
    /// The HelmRelease.
    pub release: &'a Object,
    /// Where the hostname stands.
    pub place: Place<'a>,
    parents: &'a [Node],
}

impl ChartRoute<'_> {
    /// Whether it is for a gateway.
    pub fn is_at(&self, gateway: &Gateway<'_>) -> bool {
        let key = gateway.key();
        self.parents.iter().any(|parent| {
            text(parent, &["name"]) == Some(key.name)
                && text(parent, &["namespace"]).is_none_or(|it| it == key.namespace)
        })
    }

    /// What it is called in a step.
    pub fn named(&self) -> String {
        format!("the route that HelmRelease {} makes", Key::of(self.release))
    }
}

/// The routes for a host that charts make.
pub(super) fn routes<'a>(scene: &Scene<'a>, host: &str) -> Vec<ChartRoute<'a>> {
    let releases = scene.objects.iter().filter(|it| it.kind() == "HelmRelease");
    let mut found = Vec::new();
    for release in releases {
        let pointer = Pointer::root().key("spec").key("values");
        if let Some(values) = release.node.at(&pointer) {
            search(release, values, pointer, host, 0, &mut found);
        }
    }
    found
}

fn search<'a>(
    release: &'a Object,
    node: &'a Node,
    pointer: Pointer,
    host: &str,
    depth: usize,
    found: &mut Vec<ChartRoute<'a>>,
) {
    if depth > DEEPEST {
        return;
    }
    match &node.kind {
        Kind::Map(map) => {
            let parents = list(node, &["parentRefs"]);
            let names = list(node, &["hostnames"]).iter().enumerate();
            let mut names = names.filter_map(|(at, it)| Some((at, it.as_str()?)));
            let fits = |name: &str| {
                let name = ["{{ .Release.Name }}", "{{.Release.Name}}"]
                    .iter()
                    .fold(name.to_owned(), |text, it| text.replace(it, release.name()));
                matching::host(&name, host) == Fit::Yes
            };
            if !parents.is_empty()
                && let Some((at, _)) = names.find(|(_, name)| fits(name))
            {
                let place = Place {
                    object: release,
                    pointer: pointer.key("hostnames").index(at),
                };
                found.push(ChartRoute {
                    release,
                    place,
                    parents,
                });
            }
            for (key, below) in map.iter() {
                search(release, below, pointer.key(key), host, depth + 1, found);
            }
        }
        Kind::List(items) => {
            for (at, below) in items.iter().enumerate() {
                search(release, below, pointer.index(at), host, depth + 1, found);
            }
        }
        _ => {}
    }
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
