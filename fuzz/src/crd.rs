//! Imports CustomResourceDefinitions and checks objects with them.

use crd_validate::schema::files::{Input, LOCK, import, verify};
use crd_validate::schema::import::Keep;
use crd_validate::schema::lock::Lock;
use crd_validate::schema::{Catalogue, Selection, Set};
use gatewayctl::compile::check_all;
use manifest::diagnostic::Sources;
use manifest::{Object, items, read};

use super::report;

/// Imports the CustomResourceDefinitions of a YAML stream, and checks all documents of the stream with them. `schemas
/// verify` must accept what an import writes.
pub fn import_and_check(text: &str) {
    let input = Input {
        path: "example/1.0.0/crd.yaml".to_owned(),
        text: text.to_owned(),
        set: Some(Set::own()),
    };
    let imported = import(&[input], Lock::default(), Keep::Messages).expect("a list is written");
    report::tell(imported.problems, &imported.sources);
    let text_of =
        |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("what is written is text");
    let (list, schemas) = imported
        .files
        .split_last()
        .expect("the list is always written");
    assert_eq!(list.0, LOCK);
    let list = Lock::parse(&text_of(&list.1)).expect("the list is read back");
    let files = schemas
        .iter()
        .map(|(path, bytes)| (path.as_str(), Some(text_of(bytes))));
    assert_eq!(verify(&list, files), []);

    let mut catalogue = Catalogue::empty();
    for (path, bytes) in schemas {
        let listed = list.get(path).expect("it is listed");
        let added = catalogue.add(listed, text_of(bytes));
        added.expect("what was imported can be used");
    }
    let mut sources = Sources::default();
    let id = sources.add("input.yaml", text);
    let (documents, _) = read::read(&sources, id);
    let objects: Vec<Object> = documents
        .iter()
        .flat_map(|document| items(&document.node))
        .map(|node| Object::new(node.clone(), "input.yaml"))
        .collect();
    let selection = Selection::newest(&catalogue);
    let found = check_all(&objects, &catalogue, &selection);
    let again = check_all(&objects, &catalogue, &selection);
    assert_eq!(found, again);
    report::tell(found, &sources);
}
