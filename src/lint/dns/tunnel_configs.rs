//! The configurations of cloudflared among the manifests: in ConfigMaps, in Helm values, and in files of which kustomize
//! makes ConfigMaps.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use crate::lint::words::each_text;
use envoy_gateway::read::{list, text};
use flux_repo::KeyContent;
use manifest::diagnostic::{Code, Diagnostic, SourceId};
use manifest::read::parse_any;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

/// A configuration of cloudflared.
pub(crate) struct TunnelConfig<'a> {
    /// The configuration itself.
    pub node: Node,
    place: Place<'a>,
}

enum Place<'a> {
    /// A text in an object.
    Text(&'a Object, Pointer),
    /// A file.
    File(&'a str),
}

impl TunnelConfig<'_> {
    /// The rules of the tunnel.
    pub(crate) fn rules(&self) -> &[Node] {
        list(&self.node, &["ingress"])
    }

    /// A finding about a part of the configuration.
    pub(crate) fn finding(&self, code: Code, about: &Node, message: String) -> Diagnostic {
        match &self.place {
            Place::Text(object, pointer) => finding(code, object, pointer, message),
            Place::File(file) => {
                let found = Diagnostic::new(code, message).in_file(*file);
                match about.span {
                    Some(span) => found.at(span),
                    None => found,
                }
            }
        }
    }
}

/// All configurations with rules.
pub(crate) fn tunnel_configs<'a>(context: &LintContext<'a>) -> Vec<TunnelConfig<'a>> {
    let mut all = Vec::new();
    let mut seen = BTreeSet::new();
    for one in context.all() {
        let root = match one.object.kind() {
            "ConfigMap" => "data",
            "HelmRelease" => "spec",
            _ => continue,
        };
        let Some((node, span)) = one.object.node.get(root).zip(one.object.node.span) else {
            continue;
        };
        let mut pointer = Pointer::root().key(root);
        each_text(node, &mut pointer, &mut |at, written| {
            if let Some(node) = read(written, span.source)
                && seen.insert((one.object.file.as_str(), at.to_string()))
            {
                let place = Place::Text(one.object, at.clone());
                all.push(TunnelConfig { node, place });
            }
        });
    }
    for generated in context.delivery.generated() {
        for (_, content) in &generated.generator.keys {
            let KeyContent::File(file) = content else {
                continue;
            };
            let Some((file, source)) = context.texts.get_key_value(file) else {
                continue;
            };
            if let Some(node) = read(context.sources.get(*source).text(), *source)
                && seen.insert((file.as_str(), String::new()))
            {
                let place = Place::File(file);
                all.push(TunnelConfig { node, place });
            }
        }
    }
    all
}

/// The configuration in a text: a map with a list of rules, each of which has a service.
fn read(written: &str, source: SourceId) -> Option<Node> {
    if !written.contains("ingress:") || !written.contains("service:") {
        return None;
    }
    let node = parse_any(written, source, 0).ok()?;
    let rules = list(&node, &["ingress"]);
    let is_rule = |it: &Node| text(it, &["service"]).is_some();
    (!rules.is_empty() && rules.iter().all(is_rule)).then_some(node)
}
