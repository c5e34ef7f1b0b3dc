//! The `cluster.toml` of onedr0p's cluster-template, which describes a whole cluster, to the part of it that this
//! program makes: the front door that the template renders.
//!
//! Source: the template's `cluster.sample.toml` and its tests of it, in the form of 2026 (`[domain]`, `[dns]`) and
//! the one before (`[cloudflare]`).

use super::config::{Config, flag, list, text};
use super::toml::document;
use crate::config::load;
use crd_validate::schema::Catalogue;
use manifest::diagnostic::Sources;
use manifest::value::{Kind, Node};

/// The converted file, and what to say about it.
pub struct Converted {
    /// The text of `cluster.toml`.
    pub config: String,
    /// What was left out, or taken for granted.
    pub notes: Vec<String>,
}

/// The gateways that the template makes, by its own names, in its order.
const GATEWAYS: [&str; 2] = ["external", "internal"];

/// The pods' addresses where nothing is said.
const PODS: &str = "10.42.0.0/16";

/// What the template renders around the addresses, whatever is asked for.
const SETTINGS: &str = include_str!("template.json");

/// Tables that have nothing to do with the front door.
const OTHERS: [&str; 4] = ["kubernetes.api", "repository", "talos", "nodes"];

/// Converts a file; `None` where it is not the template's.
pub fn convert(written: &str, catalogue: &Catalogue) -> Option<Converted> {
    let mut sources = Sources::default();
    let id = sources.add("cluster.toml", written);
    let (tree, problems) = load::tree(&sources, id)?;
    let get = |path: &str| {
        tree.path(&path.split('.').collect::<Vec<_>>())
            .and_then(Node::as_str)
    };
    let addresses: Vec<(&str, &str)> = GATEWAYS
        .iter()
        .filter_map(|name| Some((*name, get(&format!("gateways.{name}"))?)))
        .filter(|(_, address)| !address.is_empty())
        .collect();
    let is_template = tree.path(&["network", "node_cidr"]).is_some() || tree.get("nodes").is_some();
    if addresses.is_empty() || !is_template || !problems.is_empty() {
        return None;
    }
    let mut config = Config::default();
    let mut notes = Vec::new();
    if let Kind::Map(settings) = settings().kind {
        config.extend(&[], settings);
    }
    for (name, address) in &addresses {
        config.set(
            &["gateways", &format!("envoy-{name}"), "address"],
            text(*address),
        );
    }
    let pods = get("kubernetes.pod_cidr")
        .filter(|pods| !pods.is_empty())
        .unwrap_or(PODS);
    config.set(
        &["client_traffic", "client_ip", "trusted_cidrs"],
        text(pods),
    );
    if let Some(nodes) = get("network.node_cidr").filter(|nodes| !nodes.is_empty()) {
        config.set(&["cilium", "pools"], list([nodes]));
    }
    let versions = catalogue.versions("envoy-gateway");
    let newest = versions.iter().rev().find(|version| version.is_stable());
    let version = newest.map_or_else(|| "1.9.0".to_owned(), |version| version.as_str().to_owned());
    notes.push(format!(
        "the template has no chart version in its file: {version} is written, compare it with yours"
    ));
    config.set(&["chart", "version"], text(version));
    config.set(&["namespace", "manifest"], flag(false));
    if get("domain.name")
        .or_else(|| get("cloudflare.domain"))
        .is_some()
    {
        notes.push("the domain stays in the cluster's secrets, as the template keeps it: `${SECRET_DOMAIN}`".to_owned());
    }
    if get("dns.provider") == Some("none") {
        notes.push(
            "`dns.provider` is \"none\": see that `cert_manager` names the issuer that you have"
                .to_owned(),
        );
    }
    if get("gateways.dns").is_some() {
        notes.push(
            "`gateways.dns` is k8s-gateway's address, no gateway's: it is left out".to_owned(),
        );
    }
    if tree.path(&["cilium", "bgp"]).is_some() {
        notes.push("`cilium.bgp` is rendered with Cilium itself: it is left out".to_owned());
    }
    let others: Vec<&str> = OTHERS
        .into_iter()
        .filter(|path| tree.path(&path.split('.').collect::<Vec<_>>()).is_some())
        .collect();
    if !others.is_empty() {
        notes.push(format!(
            "nothing of the front door is in {}: left out",
            others.join(", ")
        ));
    }
    let comments = [(
        vec!["cilium".to_owned(), "pools".to_owned()],
        "The nodes' network, which the gateways' addresses have to be in.".to_owned(),
    )];
    Some(Converted {
        config: document(&config.ordered(), &comments),
        notes,
    })
}

/// The settings, as a tree. The file is part of the program, and a test reads it.
fn settings() -> Node {
    Node::from_json(serde_json::from_str(SETTINGS).expect("template.json is JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::compile;
    use crate::import::files::Files;

    const TEMPLATE: &str = r#"
[network]
node_cidr = "10.10.30.0/24"

[kubernetes]
pod_cidr = "10.52.0.0/16"
[kubernetes.api]
addr = "10.10.30.254"

[gateways]
internal = "10.10.30.25"
dns = "10.10.30.24"
external = "10.10.30.26"

[domain]
name = "example.com"
[dns]
token = "secret-token"
[repository]
url = "https://git.example.com/example/cluster.git"
[cilium.bgp]
router_addr = "10.10.30.1"
[[nodes]]
name = "k8s-0"
address = "10.10.30.10"
"#;

    #[test]
    fn the_templates_file_becomes_one_that_renders_without_a_finding() {
        let catalogue = Catalogue::embedded();
        let converted = convert(TEMPLATE, &catalogue).expect("the template's");
        let text = &converted.config;
        for part in [
            "[gateways.envoy-external]\naddress = \"10.10.30.26\"",
            "10.52.0.0/16",
            "${SECRET_DOMAIN}",
        ] {
            assert!(text.contains(part), "no {part:?} in\n{text}");
        }
        assert!(
            !text.contains("secret-token") && !text.contains("example.com"),
            "{text}"
        );
        let compiled = compile("cluster.toml", text, &Files::default(), &catalogue);
        assert!(
            compiled.diagnostics.is_empty(),
            "{text}\n{:#?}",
            compiled.diagnostics
        );
        assert!(
            converted
                .notes
                .iter()
                .any(|note| note.contains("gateways.dns")),
            "{:?}",
            converted.notes
        );
    }

    #[test]
    fn the_older_form_and_one_gateway_will_do_and_other_files_are_refused() {
        let catalogue = Catalogue::embedded();
        let old = "[network]\nnode_cidr = '10.10.30.0/24'\n[gateways]\ninternal = '10.10.30.25'\n[cloudflare]\ndomain = 'example.com'\n";
        let converted = convert(old, &catalogue).expect("the template's");
        assert!(
            !converted.config.contains("envoy-external"),
            "{}",
            converted.config
        );
        for other in [
            "",
            "domain = 'example.com'\n[gateways.a]\naddress = '10.10.30.25'\n",
            "[gateways]\ninternal = '10.10.30.25'\n",
            "x = [",
        ] {
            assert!(convert(other, &catalogue).is_none(), "{other}");
        }
    }
}
