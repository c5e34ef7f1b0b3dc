//! The configurations of the snapshots: Envoy takes what they render, and `validate` agrees.

use crate::flux;
use crate::front_door::FrontDoor;
use crate::table::Table;
use crate::tools::tools;

/// The variables of these configurations, which Flux would replace.
const VARIABLES: &[(&str, &str)] = &[
    ("SECRET_DOMAIN", "example.com"),
    ("SECRET_DOMAIN/./-", "example-com"),
    ("PROXY_REPLICAS", "1"),
    ("EXTERNAL_IP", "10.10.30.26"),
];

#[test]
fn envoy_takes_the_configurations_of_the_snapshots() {
    let Some(tools) = tools() else { return };
    let mut table = Table::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the configurations")
        .map(|file| file.expect("a configuration").path())
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a configuration");
        // The Envoy Gateway that runs here reads no manifests of earlier versions.
        let text = text.replace("version = \"1.8.3\"", "version = \"1.9.0\"");
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let mut front_door = FrontDoor::rendered(&name, &text, "");
        let variables = VARIABLES.iter();
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables = variables.collect();
        for object in &mut front_door.objects {
            flux::substitute(object, &variables);
        }
        for gateway in front_door.gateways() {
            front_door.run(tools, &[&gateway], |running| {
                let refused = running.compare_refusals(&mut table);
                assert_eq!(refused, [], "{name}");
            });
        }
    }
    table.conclude("the configurations of the snapshots");
}
