//! What applies the rendered files, and the settings that mean nothing to it.

use crate::config::Cluster;
use crate::config::codes;
use crate::config::delivery::DeliveryKind;
use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::ser::to_node;
use manifest::value::{Kind, Node};

/// Keys that only one kind of delivery has.
struct OwnKeys {
    kind: DeliveryKind,
    /// A key with a single value, or a table in which every key is meant.
    path: &'static [&'static str],
    /// Keys of the table that every delivery has.
    except: &'static [&'static str],
    help: &'static str,
}

const fn own(
    kind: DeliveryKind,
    path: &'static [&'static str],
    except: &'static [&'static str],
    help: &'static str,
) -> OwnKeys {
    OwnKeys {
        kind,
        path,
        except,
        help,
    }
}

const REMOVE: &str = "remove it";
const NO_FOLDER: &str =
    "remove it: the chart has no folder of its own, and `layout.folder` names the gateways' one";

const OWN_KEYS: [OwnKeys; 9] = [
    own(DeliveryKind::Flux, &["flux"], &[], REMOVE),
    own(DeliveryKind::Flux, &["chart", "source"], &[], REMOVE),
    own(
        DeliveryKind::Flux,
        &["chart", "release"],
        &["enabled"],
        "remove it: there is no HelmRelease",
    ),
    own(
        DeliveryKind::Flux,
        &["chart", "digest"],
        &[],
        "remove it: only `version` selects the chart",
    ),
    own(
        DeliveryKind::Flux,
        &["layout", "config_folder"],
        &[],
        NO_FOLDER,
    ),
    own(
        DeliveryKind::Flux,
        &["layout", "files", "flux"],
        &[],
        REMOVE,
    ),
    own(DeliveryKind::ArgoCd, &["argocd"], &[], REMOVE),
    own(
        DeliveryKind::ArgoCd,
        &["layout", "files", "argocd"],
        &[],
        REMOVE,
    ),
    own(
        DeliveryKind::Kustomize,
        &["layout", "files", "values"],
        &[],
        REMOVE,
    ),
];

/// The kind of delivery, as it is written or by default.
pub fn kind(cluster: &Cluster) -> DeliveryKind {
    let kind = cluster.delivery.kind.as_ref();
    kind.map(|kind| kind.value).unwrap_or_default()
}

/// Reports the keys that belong to another kind of delivery.
pub fn check(cluster: &Cluster, problems: &mut Vec<Diagnostic>) {
    let chosen = kind(cluster);
    // Without an overlay's types, every table is a tree with the places of its values.
    let parts = [
        ("flux", to_node(&cluster.flux)),
        ("argocd", to_node(&cluster.argocd)),
        ("chart", to_node(&cluster.chart)),
        ("layout", to_node(&cluster.layout)),
    ];
    for keys in OWN_KEYS.iter().filter(|keys| keys.kind != chosen) {
        let Some((first, rest)) = keys.path.split_first() else {
            continue;
        };
        let part = parts.iter().find(|(name, _)| name == first);
        let Some(node) = part.and_then(|(_, node)| node.as_ref().ok()?.path(rest)) else {
            continue;
        };
        let name = keys.path.join(".");
        match &node.kind {
            Kind::Map(map) => {
                for (key, value) in map.iter().filter(|(key, _)| !keys.except.contains(key)) {
                    if let Some(span) = first_place(value) {
                        problems.push(refused(&format!("{name}.{key}"), span, keys, chosen));
                    }
                }
            }
            _ => {
                let span = first_place(node);
                problems.extend(span.map(|span| refused(&name, span, keys, chosen)));
            }
        }
    }
}

/// The place of the first value that is written in the file; `None` if there is none.
fn first_place(node: &Node) -> Option<Span> {
    let inner = || match &node.kind {
        Kind::Map(map) => map.iter().find_map(|(_, value)| first_place(value)),
        Kind::List(items) => items.iter().find_map(first_place),
        _ => None,
    };
    node.span.or_else(inner)
}

fn refused(name: &str, span: Span, keys: &OwnKeys, chosen: DeliveryKind) -> Diagnostic {
    let (own, chosen) = (keys.kind.as_str(), chosen.as_str());
    Diagnostic::new(
        codes::CONFIG_OTHER_DELIVERY,
        format!("`{name}` is for `delivery.kind = \"{own}\"`, not for \"{chosen}\""),
    )
    .at(Some(span))
    .why("nothing that is rendered would contain it, and nobody would notice")
    .help(format!("{}; or set `delivery.kind = \"{own}\"`", keys.help))
}
