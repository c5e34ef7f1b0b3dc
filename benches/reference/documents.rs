//! Ten thousand documents, made by repeating manifests of public repositories. They are in the folder that
//! `GATEWAYCTL_SHARED` names, else in `../shared`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use manifest::value::Node;
use manifest::{Object, write};

/// The number of documents.
pub const DOCUMENTS: usize = 10_000;
/// The number of documents in a file.
const A_FILE: usize = 10;

/// The documents that are repeated; `None` if they are not available.
pub fn read() -> Option<Vec<Object>> {
    let given = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let cases = std::fs::read_to_string(folder.join("oracle/real-documents.jsonl")).ok()?;
    let object = |line: &str| {
        let mut case: serde_json::Value = serde_json::from_str(line).expect("a case");
        Object::new(Node::from_json(case["object"].take()), "")
    };
    Some(cases.lines().map(object).collect())
}

/// Writes the documents to files in `folder`.
pub fn spread(objects: &[Object], folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    let texts: Vec<String> = objects
        .iter()
        .map(|object| write::document(&object.node))
        .collect();
    let all: Vec<&String> = texts.iter().cycle().take(DOCUMENTS).collect();
    for (at, texts) in all.chunks(A_FILE).enumerate() {
        let mut file = String::new();
        for text in texts {
            let _ = write!(file, "---\n{text}");
        }
        std::fs::write(folder.join(format!("{at:04}.yaml")), file).expect("it is written");
    }
}
