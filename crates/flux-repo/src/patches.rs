//! Which objects the patches of a kustomization may change.
//!
//! Patches are not applied here. It is only told which objects they may touch, so that nothing is said of
//! these that a patch could make wrong.

use manifest::Object;
use manifest::value::Node;

/// The keys under which kustomizations, of kustomize and of Flux, hold patches.
const KEYS: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];

/// Where they stand: at the top in kustomize's, under `spec` in Flux's.
fn all(by: &Node) -> impl Iterator<Item = &Node> {
    [Some(by), by.get("spec")]
        .into_iter()
        .flatten()
        .flat_map(|node| KEYS.iter().filter_map(|key| node.get(key)?.as_list()))
        .flatten()
}

/// Whether a kustomization patches anything, or replaces values.
pub fn patches_anything(by: &Node) -> bool {
    let replaces = by.get("replacements").and_then(Node::as_list);
    all(by).next().is_some() || replaces.is_some_and(|list| !list.is_empty())
}

/// Whether a kustomization's patches may change `target`. A patch without a target says in itself what it is
/// for; one that stands in a file of its own is taken for one that may.
pub fn may_patch(by: &Object, target: &Object) -> bool {
    if by.node.get("replacements").is_some() {
        return true;
    }
    all(&by.node).any(|patch| {
        match (
            patch.get("target"),
            patch.get("patch").and_then(Node::as_str),
        ) {
            (Some(selector), _) => may_select(selector, target),
            (None, Some(text)) => text.contains(target.kind()) && text.contains(target.name()),
            (None, None) => patch.as_str().is_none_or(|text| {
                !text.contains('\n')
                    || (text.contains(target.kind()) && text.contains(target.name()))
            }),
        }
    })
}

/// Group, version, kind, name and namespace are regular expressions, anchored at both ends.
fn may_select(selector: &Node, target: &Object) -> bool {
    let rows = [
        ("group", target.group()),
        ("kind", target.kind()),
        ("name", target.name()),
    ];
    rows.iter().all(|(key, value)| {
        let wanted = selector.get(key).and_then(Node::as_str).unwrap_or_default();
        wanted.is_empty() || wanted == *value || !is_plain(wanted)
    })
}

fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
}
