//! Compares the fast YAML parser with the slow one, and reads again what was written.

use manifest::diagnostic::Sources;
use manifest::{read, write};

use super::report;

/// Both parsers must give the same result, including places and errors. What was read must be the same after it is
/// written and read again.
pub fn compare_readers(text: &str) {
    let mut sources = Sources::default();
    let id = sources.add("input.yaml", text);
    let quick = read::parse(text, id, 0).map(|node| format!("{node:#?}"));
    let slow = read::parse_any(text, id, 0).map(|node| format!("{node:#?}"));
    match (quick, slow) {
        (Ok(quick), Ok(slow)) => assert_eq!(quick, slow),
        (Err(quick), Err(slow)) => assert_eq!(format!("{quick:?}"), format!("{slow:?}")),
        (quick, slow) => panic!("the quick reader: {quick:?}\nthe slow one: {slow:?}"),
    }

    let (documents, problems) = read::read(&sources, id);
    report::tell(problems, &sources);
    for document in documents {
        let written = write::document(&document.node);
        let mut sources = Sources::default();
        let id = sources.add("written.yaml", written.as_str());
        let (back, problems) = read::read(&sources, id);
        assert!(problems.is_empty(), "{problems:?}\n{written}");
        let back: Vec<_> = back.into_iter().map(|document| document.node).collect();
        assert_eq!(back, [document.node], "{written}");
    }
}
