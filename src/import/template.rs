//! Converts the `cluster.toml` of onedr0p's cluster-template, which describes a whole cluster, to the part that this
//! program covers: the gateways that the template renders.
//!
//! Source: the template's `cluster.sample.toml` and its tests, in the form of 2026 (`[domain]`, `[dns]`) and the
//! previous one (`[cloudflare]`).
//! the one before (`[cloudflare]`).

use super::config::{Config, flag, list, text};
use super::toml::document;
use crate::config::load;
use crd_validate::schema::Catalogue;
use manifest::diagnostic::Sources;
use manifest::value::{Kind, Node};

/// The converted file, with notes.
pub struct Converted {
    /// The text of `cluster.toml`.
    pub config: String,
    /// What was left out, or assumed.
    pub notes: Vec<String>,
}

/// The names of the template's gateways, in order.
const GATEWAYS: [&str; 2] = ["external", "internal"];

/// The default Pod network.
const PODS: &str = "10.42.0.0/16";

/// What the template always renders around the addresses.
const SETTINGS: &str = include_str!("template.json");

/// Tables that have nothing to do with the gateways.
const OTHERS: [&str; 4] = ["kubernetes.api", "repository", "talos", "nodes"];

/// Converts a file; `None` if it is not one of the template.
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
        "the template's file has no chart version; {version} was written, compare it with yours"
    ));
    config.set(&["chart", "version"], text(version));
    config.set(&["namespace", "manifest"], flag(false));
    if get("domain.name")
        .or_else(|| get("cloudflare.domain"))
        .is_some()
    {
        notes.push(
            "the domain stays in the cluster's secrets as `${SECRET_DOMAIN}`, as in the template"
                .to_owned(),
        );
    }
    if get("dns.provider") == Some("none") {
        notes.push(
            "`dns.provider` is \"none\"; check that `cert_manager` names your issuer".to_owned(),
        );
    }
    if get("gateways.dns").is_some() {
        notes.push(
            "`gateways.dns` was left out, because it is the address of k8s-gateway and not of a gateway".to_owned(),
        );
    }
    if tree.path(&["cilium", "bgp"]).is_some() {
        notes.push(
            "`cilium.bgp` was left out, because it is rendered with Cilium itself".to_owned(),
        );
    }
    let others: Vec<&str> = OTHERS
        .into_iter()
        .filter(|path| tree.path(&path.split('.').collect::<Vec<_>>()).is_some())
        .collect();
    if !others.is_empty() {
        notes.push(format!(
            "{} was left out, because it has nothing to do with the gateways",
            others.join(", ")
        ));
    }
    let comments = [(
        vec!["cilium".to_owned(), "pools".to_owned()],
        "The nodes' network, which must contain the gateways' addresses.".to_owned(),
    )];
    Some(Converted {
        config: document(&config.ordered(), &comments),
        notes,
    })
}

/// The settings as a tree. The file is part of the program, and a test parses it.
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
