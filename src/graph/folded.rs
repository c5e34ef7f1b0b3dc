//! A large picture as an overview of its gateways, and one part for each namespace, so that a page of it starts with the
//! gateways and not with the first of hundreds of routes.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Held, Link, LinkSource, LinkState, Name, Picture, Route};
use crate::page::counted;

/// The maximum number of routes in one drawing of a page. Their cards are about three screens high.
pub const MOST_DRAWN: usize = 60;

/// A picture that is folded.
#[derive(Clone, Debug)]
pub struct Folded {
    /// The gateways, with one card for all routes that have the same parents.
    pub overview: Picture,
    /// The routes of each namespace, with their gateways and backends.
    pub parts: Vec<Part>,
}

/// The routes of a namespace.
#[derive(Clone, Debug)]
pub struct Part {
    /// The namespace, after the name of its cluster if the picture is of several.
    pub name: String,
    /// The routes, with their gateways and backends.
    pub picture: Picture,
}

impl Part {
    /// The number of routes that a parent refuses, or that have another problem.
    pub fn bad(&self) -> usize {
        self.picture.routes.iter().filter(|it| is_bad(it)).count()
    }
}

fn is_bad(route: &Route) -> bool {
    let mut links = route.links.iter();
    !route.faults.is_empty() || links.any(|link| link.state == LinkState::Refused)
}

/// The namespace of a route, after the name of its cluster if there are several.
fn namespace(name: &Name) -> String {
    let namespace = match name.namespace.as_str() {
        "" => "no namespace",
        namespace => namespace,
    };
    match &name.cluster {
        Some(cluster) => format!("{cluster}: {namespace}"),
        None => namespace.to_owned(),
    }
}

/// Folds a picture that has more than [`MOST_DRAWN`] routes; `None` if it has fewer.
pub fn folded(picture: &Picture) -> Option<Folded> {
    (picture.routes.len() > MOST_DRAWN).then(|| Folded {
        overview: overview(picture),
        parts: parts(picture),
    })
}

fn overview(picture: &Picture) -> Picture {
    let mut by_parents: BTreeMap<Vec<Link>, Vec<&Route>> = BTreeMap::new();
    for route in &picture.routes {
        let mut links = route.links.clone();
        links.sort_unstable();
        by_parents.entry(links).or_default().push(route);
    }
    let routes = by_parents
        .into_iter()
        .map(|(links, routes)| together(links, &routes));
    Picture {
        gateways: picture.gateways.clone(),
        routes: routes.collect(),
        backends: Vec::new(),
        policies: picture.policies.clone(),
    }
}

/// One card for routes that have the same parents.
fn together(links: Vec<Link>, routes: &[&Route]) -> Route {
    let mut namespaces: BTreeMap<String, usize> = BTreeMap::new();
    for route in routes {
        *namespaces.entry(namespace(&route.name)).or_default() += 1;
    }
    let mut namespaces: Vec<(String, usize)> = namespaces.into_iter().collect();
    namespaces.sort_by_key(|(_, routes)| std::cmp::Reverse(*routes));
    let bad = routes.iter().filter(|it| is_bad(it)).count();
    let title = counted(routes.len(), "route", "routes");
    Route {
        name: Name {
            name: title,
            ..Name::default()
        },
        held: Some(Held { namespaces, bad }),
        links,
        ..Route::default()
    }
}

fn parts(picture: &Picture) -> Vec<Part> {
    let mut by_namespace: BTreeMap<String, Vec<Route>> = BTreeMap::new();
    for route in &picture.routes {
        let routes = by_namespace.entry(namespace(&route.name)).or_default();
        routes.push(route.clone());
    }
    let parts = by_namespace.into_iter().map(|(name, routes)| Part {
        name,
        picture: part(picture, routes),
    });
    parts.collect()
}

/// A picture of some of the routes, with the gateways and backends that they use.
fn part(picture: &Picture, mut routes: Vec<Route>) -> Picture {
    let links = routes.iter().flat_map(|route| &route.links);
    let gateways: BTreeSet<usize> = links.map(|link| link.from.gateway()).collect();
    let place = |gateway: usize| gateways.range(..gateway).count();
    // The backends stand in the order of their routes.
    let mut backends: Vec<usize> = Vec::new();
    for route in &mut routes {
        for link in &mut route.links {
            link.from = match link.from {
                LinkSource::Listener(gateway, nth) => LinkSource::Listener(place(gateway), nth),
                LinkSource::Gateway(gateway) => LinkSource::Gateway(place(gateway)),
            };
        }
        for (backend, _) in &mut route.backends {
            let at = backends.iter().position(|there| there == backend);
            *backend = at.unwrap_or_else(|| {
                backends.push(*backend);
                backends.len() - 1
            });
        }
    }
    let mut part = Picture {
        gateways: gateways
            .iter()
            .filter_map(|at| picture.gateways.get(*at).cloned())
            .collect(),
        routes,
        backends: backends
            .iter()
            .filter_map(|at| picture.backends.get(*at).cloned())
            .collect(),
        policies: picture.policies.clone(),
    };
    // Those that are attached to nothing stand in the overview.
    part.policies
        .iter_mut()
        .for_each(|policy| policy.is_attached = true);
    part
}

#[cfg(test)]
mod tests {
    use super::super::model::{Backend, Gateway};
    use super::*;

    fn many() -> Picture {
        let named = |name: String, namespace: &str| Name {
            kind: "HTTPRoute".into(),
            namespace: namespace.into(),
            name,
            cluster: None,
        };
        let routes = (0..MOST_DRAWN + 1).map(|at| Route {
            name: named(format!("r{at}"), ["media", "tools", "web"][at % 3]),
            links: vec![Link {
                from: LinkSource::Gateway(1 + at % 2),
                state: match at {
                    0 => LinkState::Refused,
                    _ => LinkState::Attached,
                },
            }],
            backends: vec![(at, None)],
            ..Route::default()
        });
        Picture {
            gateways: vec![Gateway::default(); 3],
            routes: routes.collect(),
            backends: vec![Backend::default(); MOST_DRAWN + 1],
            policies: Vec::new(),
        }
    }

    #[test]
    fn a_small_picture_is_not_folded() {
        let mut picture = many();
        picture.routes.pop();
        assert!(folded(&picture).is_none());
    }

    #[test]
    fn routes_with_the_same_parents_are_one_card_and_each_namespace_is_a_part() {
        let picture = many();
        let folded = folded(&picture).expect("it is large");
        let cards: Vec<&str> = folded
            .overview
            .routes
            .iter()
            .map(|it| it.name.name.as_str())
            .collect();
        assert_eq!(cards, ["30 routes", "1 route", "30 routes"]);
        let parts: Vec<(&str, usize, usize)> = folded
            .parts
            .iter()
            .map(|it| (it.name.as_str(), it.picture.routes.len(), it.bad()))
            .collect();
        assert_eq!(parts, [("media", 21, 1), ("tools", 20, 0), ("web", 20, 0)]);
        for part in &folded.parts {
            let picture = &part.picture;
            assert_eq!(picture.gateways.len(), 2, "the unused one is left out");
            let routes = picture.routes.iter().enumerate();
            for (at, route) in routes {
                assert_eq!(route.backends, [(at, None)]);
                assert!(route.links.iter().all(|it| it.from.gateway() < 2));
            }
        }
    }
}
