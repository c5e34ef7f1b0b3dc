//! The structure of `metadata`, which CRDs don't describe: a map whose labels and annotations are strings.

use super::walk::StructureWalk;
use super::words;
use crate::schema::node::Type;
use manifest::value::{Kind, trail::TrailStep};

/// Checks the object's metadata.
pub(super) fn check(walk: &mut StructureWalk<'_>) {
    let object = walk.object;
    let Some(metadata) = object.node.get("metadata") else {
        return;
    };
    walk.inside(TrailStep::Key("metadata"), |walk| {
        if matches!(metadata.kind, Kind::Null) {
            return;
        }
        let Some(map) = metadata.as_map() else {
            return walk.report(|walk| words::wrong_type_for(walk, metadata, Type::Object));
        };
        for name in ["labels", "annotations"] {
            if let Some(field) = map.get(name) {
                walk.inside(TrailStep::Key(name), |walk| texts(walk, field));
            }
        }
    });
}

fn texts(walk: &mut StructureWalk<'_>, field: &manifest::value::Node) {
    let map = match &field.kind {
        Kind::Map(map) => map,
        Kind::Null => return,
        _ => return walk.report(|walk| words::wrong_type_for(walk, field, Type::Object)),
    };
    for (key, value) in map.iter() {
        if !matches!(value.kind, Kind::String(_) | Kind::Null) {
            walk.inside(TrailStep::Key(key), |walk| {
                walk.report(|walk| words::wrong_type_for(walk, value, Type::String));
            });
        }
    }
}
