//! Our own schemas as JSON Schema files, so that `kubeconform` checks the same facts without a network.

use std::collections::BTreeSet;
use std::path::Path;

use crd_validate::schema::{Catalogue, Lookup, Selection};
use manifest::Object;

use super::json_schema::of_kind;

/// The location of the schemas in `folder`, in the syntax of `kubeconform`.
pub fn location(folder: &Path) -> std::path::PathBuf {
    folder.join("{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json")
}

/// Writes the schemas of the kinds of these objects, as `GROUP/KIND_VERSION.json` in lower case.
pub fn write(objects: &[Object], folder: &Path) {
    let catalogue = Catalogue::embedded();
    let selection = Selection::newest(&catalogue);
    let mut written = BTreeSet::new();
    for object in objects {
        let (group, version, kind) = (object.group(), object.version(), object.kind());
        if !written.insert((group, version, kind)) {
            continue;
        }
        let Lookup::Known(schema) = catalogue.look_up(&selection, group, version, kind) else {
            panic!("no schema of {kind}");
        };
        let folder = folder.join(group);
        std::fs::create_dir_all(&folder).expect("a folder");
        let json = of_kind(&schema).to_string();
        let name = format!("{}_{version}.json", kind.to_lowercase());
        std::fs::write(folder.join(name), json).expect("it is written");
    }
}
