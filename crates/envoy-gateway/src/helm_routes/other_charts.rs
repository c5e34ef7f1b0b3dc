//! Routes in the values of charts that are not known one by one.
//!
//! Such charts copy the block of values with the list `parentRefs` into the route as it is: its parents, hostnames, rules
//! and filters are those of a Gateway API route. The name is a guess, and backends that only the chart knows are missing.

use super::names::{metadata, route as route_object};
use super::places::ValuePlaces;
use super::template::TemplateValues;
use super::{HelmRoute, Install, UnknownParts, is_off, spanned, values_pointer};
use crate::read::{has, list, text};
use crate::view::RouteKind;
use manifest::value::pointer::Step;
use manifest::value::{Kind, Map, Node, Pointer, variable};

/// The keys that charts read hostnames from.
const HOSTNAMES: [&str; 4] = ["hostnames", "hosts", "hostname", "host"];

/// The keys of a hostname in a map.
const HOSTNAME: [&str; 3] = ["host", "hostname", "name"];

/// How deeply values are searched.
const DEEPEST: usize = 32;

/// The routes of a release, except for those below the key `known` of the values. Routes that are disabled
/// (`enabled: false`) are left out.
pub(super) fn routes<'a>(install: &Install<'a, '_>, known: Option<&str>) -> Vec<HelmRoute<'a>> {
    let mut search = RouteSearch {
        blocks: Vec::new(),
        at: values_pointer(),
    };
    search.look(install.values, &[]);
    if let Some(known) = known {
        let known = values_pointer().key(known);
        search
            .blocks
            .retain(|block| !block.at.steps().starts_with(known.steps()));
    }
    let is_only = search.blocks.len() == 1;
    let blocks = search.blocks.iter();
    blocks
        .filter_map(|block| route(install, block, is_only))
        .collect()
}

/// A block of values that contains a list of parents.
struct ParentsBlock<'a> {
    node: &'a Node,
    /// The map that contains it.
    around: Option<&'a Node>,
    at: Pointer,
}

struct RouteSearch<'a> {
    blocks: Vec<ParentsBlock<'a>>,
    at: Pointer,
}

impl<'a> RouteSearch<'a> {
    fn look(&mut self, node: &'a Node, above: &[&'a Node]) {
        if above.len() > DEEPEST {
            return;
        }
        match &node.kind {
            Kind::Map(map) => {
                if is_off(node) {
                    return;
                }
                if names_parents(node) {
                    self.blocks.push(ParentsBlock {
                        node,
                        around: above.last().copied(),
                        at: self.at.clone(),
                    });
                }
                let above: Vec<&Node> = above.iter().copied().chain([node]).collect();
                for (key, value) in map.iter() {
                    self.step(Step::Key(key.to_owned()), value, &above);
                }
            }
            Kind::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.step(Step::Index(at), item, above);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, step: Step, node: &'a Node, above: &[&'a Node]) {
        if matches!(node.kind, Kind::Map(_) | Kind::List(_)) {
            self.at.push(step);
            self.look(node, above);
            self.at.pop();
        }
    }
}

/// Whether a map has a list `parentRefs` whose elements are maps with a name.
fn names_parents(node: &Node) -> bool {
    let parents = list(node, &["parentRefs"]);
    !parents.is_empty()
        && parents
            .iter()
            .all(|parent| text(parent, &["name"]).is_some())
}

/// The kind of route that a block is for; `None` if it is not for a route. A block may also be the `spec` of a whole
/// manifest.
fn kind_of(block: &ParentsBlock<'_>) -> Option<RouteKind> {
    let around = block.around.filter(|_| is_spec(block));
    let given = [Some(block.node), around].into_iter().flatten();
    if let Some(kind) = given.filter_map(|node| text(node, &["kind"])).next() {
        return RouteKind::parse(kind);
    }
    let by_key = block.at.steps().iter().rev().find_map(|step| {
        let Step::Key(key) = step else { return None };
        let key = key.to_lowercase();
        let key = key.trim_end_matches('s');
        RouteKind::ALL
            .into_iter()
            .find(|kind| kind.as_str().to_lowercase() == key)
    });
    Some(by_key.unwrap_or(RouteKind::Http))
}

fn is_spec(block: &ParentsBlock<'_>) -> bool {
    matches!(block.at.steps().last(), Some(Step::Key(key)) if key == "spec")
}

fn route<'a>(
    install: &Install<'a, '_>,
    block: &ParentsBlock<'_>,
    is_only: bool,
) -> Option<HelmRoute<'a>> {
    let kind = kind_of(block)?;
    let fill = &install.fill;
    let own = block.around.filter(|_| is_spec(block));
    let own = own.and_then(|node| text(node, &["metadata", "namespace"]));
    let namespace = own.map_or(fill.namespace.clone(), |own| fill.text(own));
    let name = match (is_only, block.at.steps().last()) {
        (false, Some(Step::Key(key))) => format!("{}-{key}", fill.name),
        _ => fill.name.clone(),
    };
    let mut places = ValuePlaces::of_block(&block.at);
    let mut spec = Map::default();
    spec.insert("parentRefs", fill.node(block.node.get("parentRefs")?));
    let key = HOSTNAMES.into_iter().find(|key| has(block.node, &[key]));
    if let Some((key, given)) = key.and_then(|key| Some((key, block.node.get(key)?))) {
        spec.insert("hostnames", hostnames(fill, given));
        let in_route = Pointer::root().key("spec").key("hostnames");
        places.add(in_route, block.at.key(key));
    }
    let rules = list(block.node, &["rules"]);
    let mut unknown = UnknownParts {
        rules: rules.is_empty(),
        is_patched: install.is_patched,
        ..UnknownParts::default()
    };
    let mut known = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let (rule, has_all) = with_known_backends(fill.node(rule));
        if !has_all {
            unknown.backends.insert(at);
        }
        known.push(rule);
    }
    if known.is_empty() {
        // The chart creates a rule for its own Service.
        known.push(Node::map());
        unknown.backends.insert(0);
    }
    spec.insert("rules", spanned(Kind::List(known), block.node));
    let metadata = metadata(fill, block.node, &name, &namespace);
    Some(HelmRoute {
        release: install.release,
        object: route_object(kind, metadata, spec, block.node, &install.release.file),
        block: block.at.clone(),
        unknown,
        places,
    })
}

/// Hostnames from a list of strings, a list of maps with `host`, or a single one of them.
fn hostnames(fill: &TemplateValues<'_>, given: &Node) -> Node {
    let one = std::slice::from_ref(given);
    let items = given.as_list().unwrap_or(one).iter();
    let hosts = items.filter_map(|item| {
        let inner = HOSTNAME.into_iter().find_map(|key| item.get(key));
        let host = inner.unwrap_or(item);
        host.as_str().map(|_| fill.node(host))
    });
    spanned(Kind::List(hosts.collect()), given)
}

/// A rule without the backends that only the chart knows, and whether all of its backends are known.
fn with_known_backends(mut rule: Node) -> (Node, bool) {
    let is_known = |backend: &Node| {
        let name = text(backend, &["name"]);
        name.is_some_and(|name| !variable::in_text(name))
            && backend
                .get("port")
                .is_none_or(|port| port.as_i64().is_some())
    };
    let answers_itself = list(&rule, &["filters"])
        .iter()
        .any(|it| text(it, &["type"]) == Some("RequestRedirect"));
    let backends = rule.as_map_mut().and_then(|map| map.get_mut("backendRefs"));
    let Some(Kind::List(backends)) = backends.map(|node| &mut node.kind) else {
        return (rule, answers_itself);
    };
    let before = backends.len();
    backends.retain(is_known);
    let has_all = backends.len() == before && (before > 0 || answers_itself);
    (rule, has_all)
}
