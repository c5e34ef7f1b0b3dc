//! Finds the objects that the patches of a kustomization may change.
//!
//! Patches are not applied. It is only determined which objects they may change, so that no finding on these objects
//! is wrong because of a patch.

use manifest::Object;
use manifest::value::Node;

/// The keys of kustomizations and Flux Kustomizations that contain patches.
const KEYS: [&str; 3] = ["patches", "patchesStrategicMerge", "patchesJson6902"];

/// All patches of a kustomization (at the top level) or of a Flux Kustomization (in `spec`).
fn all(by: &Node) -> impl Iterator<Item = &Node> {
    [Some(by), by.get("spec")]
        .into_iter()
        .flatten()
        .flat_map(|node| KEYS.iter().filter_map(|key| node.get(key)?.as_list()))
        .flatten()
}

/// Whether a kustomization or a Flux Kustomization has patches or replacements.
pub fn patches_anything(by: &Node) -> bool {
    let replaces = by.get("replacements").and_then(Node::as_list);
    all(by).next().is_some() || replaces.is_some_and(|list| !list.is_empty())
}

/// Whether the patches of a kustomization may change `target`. A patch without a target names its object in its own
/// text. If that text is in another file, the patch may be for any object.
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

/// Whether a patch's target may match an object. In targets, group, version, kind, name and namespace are regular
/// expressions that are anchored at both ends. Only texts that can't be patterns are compared.
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
