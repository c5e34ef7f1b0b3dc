//! Routes that Helm charts of applications create from their values.
//!
//! A HelmRelease of an application usually contains its route: bjw-s' app-template reads `route.NAME`, other charts
//! read `httpRoute` or `gateway`. All of them copy the block of values with the list `parentRefs` into the route as
//! it is: its parents, hostnames, rules and filters are those of a Gateway API route. [`helm_routes`] returns each
//! such route as an object whose places point into the HelmRelease. They are kept apart from routes in manifests.
//!
//! The name is a guess (as app-template's library 4.x makes it). The labels are those of the block, and backends that
//! only the chart knows are missing.

use super::index::GATEWAY_API;
use super::read::{flag, has, list, text};
use super::view::RouteKind;
use manifest::Object;
use manifest::value::pointer::Step;
use manifest::value::{Kind, Map, Node, Pointer, variable};

/// The group of Flux's HelmRelease.
pub const HELM: &str = "helm.toolkit.fluxcd.io";

/// The annotation that Helm 3 puts on everything that it creates; its value is the release's name.
pub const RELEASE: &str = "meta.helm.sh/release-name";

/// Replaces a chart's template in a string. It is a Flux variable, because the result is as unknown as that of one.
const TEMPLATE: &str = "${TEMPLATE}";

/// The keys that charts read hostnames from.
const HOSTNAMES: [&str; 4] = ["hostnames", "hosts", "hostname", "host"];

/// How deeply values are searched.
const DEEPEST: usize = 32;

/// A route that a chart creates from its values.
#[derive(Clone, Debug)]
pub struct HelmRoute<'a> {
    /// The HelmRelease.
    pub release: &'a Object,
    /// The route. Its places point into the release's file. In strings, a variable stands where the chart has a
    /// template.
    pub object: Object,
    /// The path of the block of values in the release.
    pub block: Pointer,
    hostnames: &'static str,
}

impl HelmRoute<'_> {
    /// The path in the release for `pointer`, a path in the route.
    pub fn place(&self, pointer: &Pointer) -> Pointer {
        let mut place = self.block.clone();
        for (at, step) in pointer.steps().iter().enumerate().skip(1) {
            match step {
                Step::Key(key) if at == 1 && key == "hostnames" => {
                    place.push(Step::Key(self.hostnames.to_owned()));
                }
                step => place.push(step.clone()),
            }
        }
        place
    }
}

/// The namespace that a release is installed in; empty if it isn't known.
pub fn release_namespace(release: &Object) -> &str {
    let given = text(&release.node, &["spec", "targetNamespace"]);
    given.unwrap_or(release.namespace())
}

/// The name of the Helm release: the one that is given, else the name of the object, after its target namespace if it
/// has one (helm-controller 1.6).
pub fn release_name(release: &Object) -> String {
    let spec = |key| text(&release.node, &["spec", key]);
    match (spec("releaseName"), spec("targetNamespace")) {
        (Some(name), _) => name.to_owned(),
        (None, Some(namespace)) => format!("{namespace}-{}", release.name()),
        (None, None) => release.name().to_owned(),
    }
}

/// The routes that the charts of `releases` create from their values. Routes that are disabled (`enabled: false`) are
/// left out, and so are releases whose `postRenderers` change routes.
pub fn helm_routes<'a>(releases: impl IntoIterator<Item = &'a Object>) -> Vec<HelmRoute<'a>> {
    let mut found = Vec::new();
    for release in releases {
        let is_release = release.kind() == "HelmRelease" && release.group() == HELM;
        let Some(values) = release.node.path(&["spec", "values"]) else {
            continue;
        };
        if !is_release || changes_routes(release) {
            continue;
        }
        let mut walk = RouteSearch {
            blocks: Vec::new(),
            at: Pointer::root().key("spec").key("values"),
        };
        walk.look(values, &[]);
        let is_only = walk.blocks.len() == 1;
        for block in walk.blocks {
            found.extend(route(release, &block, is_only));
        }
    }
    found
}

/// Whether the chart's output is patched afterwards in a way that may change routes.
fn changes_routes(release: &Object) -> bool {
    let patches = release.node.path(&["spec", "postRenderers"]);
    patches.is_some_and(|patches| patches.to_json().to_string().contains("Route"))
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

fn is_off(node: &Node) -> bool {
    flag(node, &["enabled"]) == Some(false) || text(node, &["enabled"]) == Some("false")
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
    release: &'a Object,
    block: &ParentsBlock<'_>,
    is_only: bool,
) -> Option<HelmRoute<'a>> {
    let kind = kind_of(block)?;
    let own = block.around.filter(|_| is_spec(block));
    let own = own.and_then(|node| text(node, &["metadata", "namespace"]));
    let given = release_namespace(release);
    let fill = TemplateValues {
        name: release_name(release),
        namespace: given.to_owned(),
    };
    let namespace = own.map_or(given.to_owned(), |own| fill.text(own));
    let name = match (is_only, block.at.steps().last()) {
        (false, Some(Step::Key(key))) => format!("{}-{key}", fill.name),
        _ => fill.name.clone(),
    };
    let version = match kind {
        RouteKind::Http | RouteKind::Grpc => "v1",
        _ => "v1alpha2",
    };
    let mut metadata: Map = [("name", Node::string(name))].into_iter().collect();
    // The value of a Flux variable in the namespace is not known.
    if !(namespace.is_empty() || variable::in_text(&namespace)) {
        metadata.insert("namespace", Node::string(namespace));
    }
    metadata.insert("annotations", fill.annotations(block.node));
    if let Some(labels) = block.node.get("labels") {
        metadata.insert("labels", fill.node(labels));
    }
    let hostnames = HOSTNAMES.into_iter().find(|key| has(block.node, &[key]));
    let mut spec = Map::default();
    spec.insert("parentRefs", fill.node(block.node.get("parentRefs")?));
    if let Some(given) = hostnames.and_then(|key| block.node.get(key)) {
        spec.insert("hostnames", fill.hostnames(given));
    }
    let rules = match list(block.node, &["rules"]) {
        // Without rules, the chart creates one for its own Service.
        [] => vec![Node::map()],
        rules => rules.iter().map(|rule| fill.rule(rule)).collect(),
    };
    spec.insert("rules", spanned(Kind::List(rules), block.node));
    let top: Map = [
        (
            "apiVersion",
            Node::string(format!("{GATEWAY_API}/{version}")),
        ),
        ("kind", Node::string(kind.as_str())),
        ("metadata", spanned(Kind::Map(metadata), block.node)),
        ("spec", spanned(Kind::Map(spec), block.node)),
    ]
    .into_iter()
    .collect();
    Some(HelmRoute {
        release,
        object: Object::new(spanned(Kind::Map(top), block.node), release.file.clone()),
        block: block.at.clone(),
        hostnames: hostnames.unwrap_or("hostnames"),
    })
}

fn spanned(kind: Kind, like: &Node) -> Node {
    Node {
        kind,
        span: like.span,
    }
}

/// The values of the chart templates that are known.
struct TemplateValues {
    name: String,
    namespace: String,
}

impl TemplateValues {
    fn text(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, template)) = rest.split_once("{{") {
            let (inner, after) = template.split_once("}}").unwrap_or((template, ""));
            filled.push_str(before);
            filled.push_str(match inner.trim_matches(['-', ' ']) {
                ".Release.Name" => &self.name,
                ".Release.Namespace" if !self.namespace.is_empty() => &self.namespace,
                _ => TEMPLATE,
            });
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn node(&self, node: &Node) -> Node {
        let kind = match &node.kind {
            Kind::String(text) if text.contains("{{") => Kind::String(self.text(text)),
            Kind::List(items) => Kind::List(items.iter().map(|item| self.node(item)).collect()),
            Kind::Map(map) => {
                let mut filled = Map::default();
                for (key, entry) in map.entries() {
                    let entry = manifest::value::Entry {
                        key_span: entry.key_span,
                        value: self.node(&entry.value),
                    };
                    filled.insert_entry(key.to_owned(), entry);
                }
                Kind::Map(filled)
            }
            kind => kind.clone(),
        };
        spanned(kind, node)
    }

    /// The annotations of the block, and those that Helm adds.
    fn annotations(&self, block: &Node) -> Node {
        let given = block.get("annotations").map(|given| self.node(given));
        let mut node = match given {
            Some(node) if node.as_map().is_some() => node,
            _ => Node::map(),
        };
        if let Some(map) = node.as_map_mut() {
            map.insert(RELEASE, Node::string(self.name.clone()));
        }
        node
    }

    /// Hostnames from a list of strings, a list of maps with `host`, or a single string.
    fn hostnames(&self, given: &Node) -> Node {
        let one = std::slice::from_ref(given);
        let items = given.as_list().unwrap_or(one).iter();
        let hosts = items.filter_map(|item| {
            let host = item.get("host").or(item.get("hostname")).unwrap_or(item);
            host.as_str().map(|_| self.node(host))
        });
        spanned(Kind::List(hosts.collect()), given)
    }

    /// A rule in the form of the Gateway API, without the backends that only the chart knows.
    fn rule(&self, rule: &Node) -> Node {
        let mut rule = self.node(rule);
        let is_known = |backend: &Node| {
            let name = text(backend, &["name"]);
            name.is_some_and(|name| !variable::in_text(name))
                && backend
                    .get("port")
                    .is_none_or(|port| port.as_i64().is_some())
        };
        let backends = rule.as_map_mut().and_then(|map| map.get_mut("backendRefs"));
        if let Some(Kind::List(backends)) = backends.map(|node| &mut node.kind) {
            backends.retain(is_known);
        }
        rule
    }
}

#[cfg(test)]
mod tests;
