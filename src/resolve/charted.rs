//! Routes that charts make of their values.
//!
//! Most applications have no HTTPRoute of their own in Git: their HelmRelease has a block like
//! `route: {app: {hostnames: […], parentRefs: […]}}`, and the chart makes the route. Where exactly the block stands is
//! the chart's matter; that it names parents and hostnames as a route does tells what it is.
//!
//! What the chart's templates would change is not known. The service that a rule names by anything but its name is
//! taken to have the release's.

use crate::manifest::Object;
use crate::resolve::index::GATEWAY_API;
use crate::resolve::read::text;
use crate::resolve::view::RouteKind;
use crate::value::{Kind, Map, Node};

/// How deep values are searched.
const DEEPEST: usize = 8;

/// The annotation by which Helm marks what it makes: the release's name (Helm 3).
pub const RELEASE: &str = "meta.helm.sh/release-name";

/// The routes that the HelmReleases among the objects make, in the order of the releases.
pub fn charted(objects: &[Object]) -> Vec<Object> {
    let mut routes = Vec::new();
    let releases = objects
        .iter()
        .filter(|it| it.group() == "helm.toolkit.fluxcd.io" && it.kind() == "HelmRelease");
    for release in releases {
        if let Some(values) = release.node.path(&["spec", "values"]) {
            let mut blocks = Vec::new();
            search("", values, 0, &mut blocks);
            let is_only = blocks.len() == 1;
            routes.extend(
                blocks
                    .into_iter()
                    .map(|(key, block)| route(release, key, block, is_only)),
            );
        }
    }
    routes
}

/// Finds the blocks below a node, each with its key.
fn search<'a>(key: &'a str, node: &'a Node, depth: usize, found: &mut Vec<(&'a str, &'a Node)>) {
    let Some(map) = node.as_map() else { return };
    if depth > DEEPEST || map.get("enabled").and_then(Node::as_bool) == Some(false) {
        return;
    }
    if is_route(node) {
        found.push((key, node));
        return;
    }
    for (key, below) in map.iter() {
        search(key, below, depth + 1, found);
    }
}

fn is_route(node: &Node) -> bool {
    let parents = node.get("parentRefs").and_then(Node::as_list);
    let hostnames = node.get("hostnames").and_then(Node::as_list);
    let kind = text(node, &["kind"]).unwrap_or(RouteKind::Http.as_str());
    parents.is_some_and(|all| all.iter().any(|one| text(one, &["name"]).is_some()))
        && hostnames.is_some_and(|all| all.iter().any(|one| one.as_str().is_some()))
        && RouteKind::parse(kind).is_some()
}

fn route(release: &Object, key: &str, block: &Node, is_only: bool) -> Object {
    let spec = release.node.get("spec");
    let of_spec = |key: &str| spec.and_then(|spec| text(spec, &[key]));
    let name = of_spec("releaseName").unwrap_or_else(|| release.name());
    let namespace = of_spec("targetNamespace").unwrap_or_else(|| release.namespace());
    let kind = text(block, &["kind"]).unwrap_or(RouteKind::Http.as_str());
    let filled = |text: &str| fill(text, name, namespace);
    let mut annotations = Map::default();
    let given = block.get("annotations").and_then(Node::as_map).into_iter();
    for (key, value) in given.flat_map(Map::iter) {
        annotations.insert(
            key,
            value
                .as_str()
                .map_or(value.clone(), |it| Node::string(filled(it))),
        );
    }
    annotations.insert(RELEASE, Node::string(name));
    let mut metadata = Map::default();
    let whole = match is_only || key == name {
        true => name.to_owned(),
        false => format!("{name}-{key}"),
    };
    metadata.insert("name", Node::string(whole));
    metadata.insert("namespace", Node::string(namespace));
    metadata.insert("annotations", Node::new(Kind::Map(annotations), None));
    if let Some(labels) = block.get("labels") {
        metadata.insert("labels", labels.clone());
    }
    let hostnames = block.get("hostnames").and_then(Node::as_list);
    let hostnames = hostnames.unwrap_or_default().iter();
    let hostnames =
        hostnames.filter_map(|it| Some(Node::new(Kind::String(filled(it.as_str()?)), it.span)));
    let mut spec = Map::default();
    spec.insert(
        "parentRefs",
        block.get("parentRefs").cloned().unwrap_or_else(Node::map),
    );
    spec.insert(
        "hostnames",
        Node::new(Kind::List(hostnames.collect()), None),
    );
    spec.insert("rules", rules(block, name));
    let mut node = Map::default();
    node.insert("apiVersion", Node::string(format!("{GATEWAY_API}/v1")));
    node.insert("kind", Node::string(kind));
    node.insert("metadata", Node::new(Kind::Map(metadata), None));
    node.insert("spec", Node::new(Kind::Map(spec), None));
    Object {
        node: Node::new(Kind::Map(node), block.span),
        origins: None,
        file: release.file.clone(),
    }
}

/// The rules, their backends by name; one to the release's service where there are none.
fn rules(block: &Node, name: &str) -> Node {
    let backend = || {
        let mut map = Map::default();
        map.insert("name", Node::string(name));
        Node::new(Kind::List(vec![Node::new(Kind::Map(map), None)]), None)
    };
    let given = block
        .get("rules")
        .and_then(Node::as_list)
        .unwrap_or_default();
    let mut rules: Vec<Node> = given
        .iter()
        .filter(|it| it.as_map().is_some())
        .cloned()
        .collect();
    if rules.is_empty() {
        rules.push(Node::map());
    }
    for rule in rules.iter_mut().filter_map(Node::as_map_mut) {
        let is_answered = rule.contains_key("filters");
        match rule.get_mut("backendRefs").map(|refs| &mut refs.kind) {
            Some(Kind::List(refs)) => {
                for one in refs.iter_mut().filter_map(Node::as_map_mut) {
                    if one.get("name").is_none() {
                        one.insert("name", Node::string(name));
                    }
                }
            }
            _ if !is_answered => {
                rule.insert("backendRefs", backend());
            }
            _ => {}
        }
    }
    Node::new(Kind::List(rules), None)
}

/// A text in which the two expressions that hostnames are made of are replaced.
fn fill(text: &str, name: &str, namespace: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, expression, after)) = expression(rest) {
        filled.push_str(before);
        match expression.trim_matches(['-', ' ']) {
            ".Release.Name" => filled.push_str(name),
            ".Release.Namespace" => filled.push_str(namespace),
            _ => filled.push_str(&format!("{{{{{expression}}}}}")),
        }
        rest = after;
    }
    filled + rest
}

/// What stands before, in and after the first `{{ … }}`.
fn expression(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (inside, after) = rest.split_once("}}")?;
    Some((before, inside, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn release(values: serde_json::Value) -> Object {
        Object {
            node: Node::from_json(json!({
                "apiVersion": "helm.toolkit.fluxcd.io/v2",
                "kind": "HelmRelease",
                "metadata": {"name": "music", "namespace": "media"},
                "spec": {"values": values},
            })),
            origins: None,
            file: "a.yaml".to_owned(),
        }
    }

    #[test]
    fn a_block_with_parents_and_hostnames_is_a_route() {
        let objects = [release(json!({"route": {"app": {
            "hostnames": ["{{ .Release.Name }}.${DOMAIN}", "{{ .Values.host }}"],
            "annotations": {"a": "b"},
            "parentRefs": [{"name": "external", "namespace": "network"}],
            "rules": [{"backendRefs": [{"identifier": "app", "port": 80}]}],
        }}}))];
        let routes = charted(&objects);
        assert_eq!(routes.len(), 1);
        assert_eq!(
            routes[0].node.to_json(),
            json!({
                "apiVersion": "gateway.networking.k8s.io/v1",
                "kind": "HTTPRoute",
                "metadata": {
                    "name": "music",
                    "namespace": "media",
                    "annotations": {"a": "b", "meta.helm.sh/release-name": "music"},
                },
                "spec": {
                    "parentRefs": [{"name": "external", "namespace": "network"}],
                    "hostnames": ["music.${DOMAIN}", "{{ .Values.host }}"],
                    "rules": [{"backendRefs": [{"identifier": "app", "port": 80, "name": "music"}]}],
                },
            })
        );
    }

    #[test]
    fn several_blocks_are_told_apart_and_those_that_are_off_left_out() {
        let block = json!({"hostnames": ["a.example.com"], "parentRefs": [{"name": "external"}]});
        let mut off = block.clone();
        off["enabled"] = json!(false);
        let objects = [release(
            json!({"route": {"app": block, "api": block, "old": off}, "x": {"parentRefs": 1}}),
        )];
        let routes = charted(&objects);
        let names: Vec<&str> = routes.iter().map(Object::name).collect();
        assert_eq!(names, ["music-app", "music-api"]);
        let backend = &routes[0].node.to_json()["spec"]["rules"][0]["backendRefs"][0]["name"];
        assert_eq!(backend, "music");
    }
}
