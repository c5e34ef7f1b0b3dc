//! Configurations with other layouts.

use super::Numbers;
use crate::common::{MINIMAL, REFERENCE};

/// Eight layouts: between any two of them, files are added, removed, moved or changed.
pub fn eight() -> [String; 8] {
    let minimal = |tables: &str| format!("{MINIMAL}\n{tables}");
    [
        REFERENCE.to_owned(),
        minimal(
            "[proxy]\nreplicas = 2\n[layout.files]\ngateways = \"{short}.yaml\"\ntraffic = \"policies.yaml\"\n[client_traffic]\nhttp3 = true\n",
        ),
        minimal("[layout]\napp = \"edge\"\n"),
        minimal("[layout]\npath = \"apps/front\"\nconfig_folder = \"config\"\n"),
        minimal("[layout]\nfolder = \"chart\"\n[layout.files]\nflux = \"flux.yaml\"\n"),
        minimal("[namespace]\nmanifest = false\n[layout]\ndot_slash = false\n"),
        minimal("[flux]\nenabled = false\n"),
        minimal("[namespace]\nname = \"edge\"\n[layout]\nheader = false\n"),
    ]
}

/// Possible values of settings, each as lines of a table; the first one is empty.
const CHOICES: &[(&str, &[&str])] = &[
    (
        "layout",
        &[
            "",
            "path = \"apps/front\"",
            "path = \"kubernetes/apps/edge\"",
            "path = \".\"",
        ],
    ),
    ("layout", &["", "app = \"edge\"", "app = \"gateway\""]),
    ("layout", &["", "folder = \"chart\""]),
    ("layout", &["", "config_folder = \"config\""]),
    ("layout", &["", "dot_slash = false"]),
    ("layout", &["", "header = false"]),
    (
        "layout.files",
        &["", "flux = \"flux.yaml\"", "flux = \"kustomizations.yml\""],
    ),
    (
        "layout.files",
        &[
            "",
            "gateways = \"{short}.yaml\"",
            "gateways = \"gateways/{short}.yaml\"",
        ],
    ),
    ("layout.files", &["", "proxy = \"proxy.yaml\""]),
    ("layout.files", &["", "traffic = \"policies.yaml\""]),
    ("namespace", &["", "name = \"edge\""]),
    ("namespace", &["", "manifest = false"]),
    ("namespace", &["", "", "kustomization = false"]),
    ("namespace", &["", "in_objects = true"]),
    ("flux", &["", "enabled = false"]),
    ("flux", &["", "namespaced = true"]),
    ("client_traffic", &["", "http3 = true"]),
    ("lua", &["", "block_user_agents = [\"curl\"]"]),
    (
        "cilium",
        &["", "pools = \"10.10.30.0/24\"\npool = { name = \"front\" }"],
    ),
    (
        "ssh",
        &[
            "",
            "namespace = \"dev\"\ngateways = [\"envoy-internal\"]\nbackend = { name = \"git\", port = 22 }",
        ],
    ),
    ("monitoring", &["", "proxies = { enabled = false }"]),
];

/// A configuration with random values for each setting.
pub fn random(numbers: &mut Numbers) -> String {
    let mut text = MINIMAL.to_owned();
    let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
    for (table, choices) in CHOICES {
        let lines = choices[numbers.index(choices.len())];
        if lines.is_empty() {
            continue;
        }
        match tables.iter_mut().find(|(name, _)| name == table) {
            Some((_, all)) => all.push(lines),
            None => tables.push((table, vec![lines])),
        }
    }
    for (table, lines) in tables {
        text.push_str(&format!("\n[{table}]\n{}\n", lines.join("\n")));
    }
    text
}
