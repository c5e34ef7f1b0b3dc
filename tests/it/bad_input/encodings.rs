//! Manifests in UTF-16, as some Windows tools write them.

use crate::common::Project;

const OBJECT: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {k: \"é🚪\"}
";

/// A text in UTF-16 with a byte order mark, in both orders.
fn in_both_orders(text: &str) -> [Vec<u8>; 2] {
    let units = || "\u{feff}".encode_utf16().chain(text.encode_utf16());
    [
        units().flat_map(u16::to_le_bytes).collect(),
        units().flat_map(u16::to_be_bytes).collect(),
    ]
}

#[test]
fn a_manifest_in_utf_16_is_checked_as_one_in_utf_8() {
    for bytes in in_both_orders(&OBJECT.replace("data:", "date:")) {
        let said = Project::new()
            .file("a.yaml", bytes)
            .run(["validate", "a.yaml"])
            .code(1)
            .stdout;
        assert!(
            said.contains("a.yaml:4:1") && said.contains("`date` is not a field of ConfigMap"),
            "{said}"
        );
    }
    for bytes in in_both_orders(OBJECT) {
        let project = Project::new();
        let run = project.run_with(["validate", "-"], &bytes);
        run.success().says("1 object");
    }
}

#[test]
fn what_is_lost_of_a_file_in_utf_16_is_told() {
    for bytes in in_both_orders(&format!("{OBJECT}---\n{OBJECT}")) {
        let project = Project::new().file("a.yaml", bytes);
        let run = project.run(["validate", "a.yaml"]).code(1);
        run.says("the file is UTF-16 and has several documents")
            .says("save the file as UTF-8");
    }
    let mut half = in_both_orders(OBJECT)[0].clone();
    half.pop();
    let project = Project::new().file("a.yaml", half);
    let run = project.run(["validate", "a.yaml"]).code(1);
    run.says("the file is not valid UTF-16, from byte ");
}
