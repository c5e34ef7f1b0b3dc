//! Checks an object against the CustomResourceDefinition in another file: `cargo run --example check CRD.yaml OBJECT.yaml`.

use std::error::Error;

use crd_validate::Passes;
use crd_validate::schema::{Catalogue, Lookup, Selection, defaults};
use manifest::Object;
use manifest::diagnostic::Sources;

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [definition, object] = files.as_slice() else {
        return Err("give a file with CustomResourceDefinitions, and one with objects".into());
    };
    let mut catalogue = Catalogue::empty();
    for problem in catalogue.add_crds(&std::fs::read_to_string(definition)?) {
        eprintln!("{definition}: {}", problem.message);
    }
    let mut sources = Sources::default();
    let file = sources.add(object, std::fs::read_to_string(object)?);
    let (documents, problems) = manifest::read(&sources, file);
    for problem in problems {
        eprintln!("{object}: {}", problem.message);
    }
    let selection = Selection::newest(&catalogue);
    let passes = Passes::new(&catalogue);
    for document in documents {
        let object = Object::new(document.node, object);
        let found = catalogue.look_up(&selection, object.group(), object.version(), object.kind());
        let Lookup::Known(schema) = found else {
            eprintln!("{}: its kind is not known", object.identity());
            continue;
        };
        for finding in passes.check(&object, &schema) {
            let place = finding.span.map(|span| sources.locate(span).line);
            println!(
                "line {}, {}: {}",
                place.unwrap_or_default(),
                finding.pointer.unwrap_or_default(),
                finding.message
            );
        }
        let settled = defaults::settle(&object.node, schema.compiled, schema.version);
        println!("with its defaults: {}", settled.to_json());
    }
    Ok(())
}
