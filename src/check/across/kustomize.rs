//! What a release's values need of kustomizations. The reader of kustomizations is [`crate::resolve::delivery`].

use crate::manifest::Object;
pub use crate::resolve::delivery::{Content, is_kustomization};
use crate::resolve::delivery::{Generator, Kustomization};
pub use crate::value::path::split;
use crate::value::{Node, Pointer};

/// The items of the list at `pointer`, each with its place; none where there is no list.
pub fn items<'a>(
    root: &'a Node,
    pointer: &Pointer,
) -> impl Iterator<Item = (Pointer, &'a Node)> + use<'a> {
    let pointer = pointer.clone();
    let list = root.at(&pointer).and_then(Node::as_list);
    let list = list.unwrap_or_default().iter().enumerate();
    list.map(move |(index, node)| (pointer.index(index), node))
}

/// The ConfigMaps that a kustomization makes, with the names that it gives them, but for the hash.
pub fn generated(object: &Object) -> Vec<Generator> {
    let kustomization = Kustomization::of(object);
    let settings = kustomization.settings();
    let mut maps = kustomization.generators();
    maps.retain(|map| map.kind == "ConfigMap");
    for map in &mut maps {
        map.name = format!("{}{}{}", settings.prefix, map.name, settings.suffix);
    }
    maps
}
