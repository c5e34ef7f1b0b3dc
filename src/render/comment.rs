//! Comments in rendered files.

use manifest::value::Node;

/// The first line of rendered files.
pub const HEADER: &str =
    "# Rendered by gatewayctl from cluster.toml: change that, then run `gatewayctl render`.\n";

/// A comment without the control characters of its values, because they would end it.
pub(super) fn one_line(comment: &str) -> String {
    let text: String = comment.chars().filter(|c| !c.is_control()).collect();
    text + "\n"
}

/// The comment that tells editors which schema an object has.
pub fn schema_comment(host: Option<&str>, node: &Node) -> Option<String> {
    let host = host?;
    let api = node.get("apiVersion").and_then(Node::as_str)?;
    let kind = node.get("kind").and_then(Node::as_str)?.to_lowercase();
    let plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/'))
    };
    if !plain(api) || !plain(&kind) {
        return None;
    }
    let url = match api.split_once('/') {
        Some(("kustomize.config.k8s.io", _)) => {
            "https://json.schemastore.org/kustomization".to_owned()
        }
        Some((group, version)) => format!("{host}/{group}/{kind}_{version}.json"),
        None => format!(
            "https://raw.githubusercontent.com/yannh/kubernetes-json-schema/master/master/{kind}.json"
        ),
    };
    Some(format!("# yaml-language-server: $schema={url}\n"))
}
