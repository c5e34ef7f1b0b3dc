//! The annotations for external-dns on objects in manifests, and on the routes that charts create.

use crate::lint::words::any_text;
use crate::lint::{Applied, LintContext};
use envoy_gateway::RouteKind;
use envoy_gateway::exposure::dns::PREFIXES;
use envoy_gateway::helm_routes::{HELM, helm_routes};
use manifest::Object;
use manifest::value::{Node, Pointer};

/// An annotation for external-dns.
pub(crate) struct DnsAnnotation<'a> {
    /// The object that contains it.
    pub object: &'a Object,
    /// Its path in the object.
    pub pointer: Pointer,
    /// The prefix of the key, with a slash at the end.
    pub prefix: &'static str,
    /// The rest of the key.
    pub name: String,
    /// The kind of object that is annotated: that of the route for a chart's route, and `Service` for annotations that
    /// Envoy Gateway puts on a Service.
    pub kind: &'a str,
    /// Whether the same object has the annotation with the other prefix, too.
    pub has_both: bool,
}

/// The paths of annotations, and the kind that gets them if it is not the object itself.
const PLACES: [(&str, &[&str], Option<&str>); 3] = [
    ("", &["metadata", "annotations"], None),
    (
        "Gateway",
        &["spec", "infrastructure", "annotations"],
        Some("Service"),
    ),
    (
        "EnvoyProxy",
        &[
            "spec",
            "provider",
            "kubernetes",
            "envoyService",
            "annotations",
        ],
        Some("Service"),
    ),
];

/// All annotations for external-dns of objects in manifests.
pub(crate) fn annotations<'a>(context: &LintContext<'a>) -> Vec<DnsAnnotation<'a>> {
    let mut all = Vec::new();
    for Applied { object, .. } in context.all() {
        for (of, path, annotated) in PLACES {
            if !of.is_empty() && of != object.kind() {
                continue;
            }
            let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
            let kind = annotated.unwrap_or(object.kind());
            add(object, object.node.at(&pointer), &pointer, kind, &mut all);
        }
        if object.kind() == "HelmRelease" && object.group() == HELM {
            of_charted_routes(object, &mut all);
        }
    }
    all
}

fn of_charted_routes<'a>(release: &'a Object, all: &mut Vec<DnsAnnotation<'a>>) {
    // The routes are only made for releases that contain such an annotation, because making them takes much longer than
    // a look at the keys.
    let is_prefixed = |text: &str| PREFIXES.iter().any(|prefix| text.starts_with(prefix));
    if !any_text(&release.node, &mut { is_prefixed }) {
        return;
    }
    for route in helm_routes([release]) {
        let pointer = route.block.key("annotations");
        let kind = RouteKind::parse(route.object.kind()).map_or("HTTPRoute", RouteKind::as_str);
        add(release, release.node.at(&pointer), &pointer, kind, all);
    }
}

fn add<'a>(
    object: &'a Object,
    map: Option<&Node>,
    pointer: &Pointer,
    kind: &'a str,
    all: &mut Vec<DnsAnnotation<'a>>,
) {
    let Some(map) = map.and_then(Node::as_map) else {
        return;
    };
    for (key, _) in map.iter() {
        let parts = PREFIXES
            .iter()
            .find_map(|prefix| Some((*prefix, key.strip_prefix(prefix)?)));
        let Some((prefix, name)) = parts else {
            continue;
        };
        let mut others = PREFIXES.iter().filter(|other| **other != prefix);
        all.push(DnsAnnotation {
            object,
            pointer: pointer.key(key),
            prefix,
            name: name.to_owned(),
            kind,
            has_both: others.any(|other| map.contains_key(&format!("{other}{name}"))),
        });
    }
}
