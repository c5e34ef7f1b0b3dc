//! `[ssh]`, `[tcp.NAME]`, `[udp.NAME]`

use super::{Form, Lift, listeners};
use crate::import::config::{text, texts};
use crate::import::files::{GATEWAY_API, text as text_at};
use crate::model::layout::Group;
use envoy_gateway::index::NAMESPACE_NAME;
use manifest::value::{Map, Node};

/// A listener at the end of each gateway that has it.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// Its name.
    pub name: String,
    /// The gateways that have it.
    pub gateways: Vec<String>,
    listener: Node,
    namespace: Option<String>,
    udp: bool,
}

/// Whether a listener is exactly what a stream renders: its namespace, and whether it is UDP.
fn shape(listener: &Node) -> Option<(Option<String>, bool)> {
    let (udp, kind) = match text_at(listener, &["protocol"]) {
        "TCP" => (false, "TCPRoute"),
        "UDP" => (true, "UDPRoute"),
        _ => return None,
    };
    let namespace = listeners::namespaces(listener);
    let name = namespace.as_ref().and_then(Node::as_str);
    if name.is_some_and(|name| matches!(name, "Same" | "All")) {
        return None;
    }
    let mut allowed = serde_json::json!({"kinds": [{"kind": kind}]});
    if let Some(name) = name {
        let labels = serde_json::json!({NAMESPACE_NAME: name});
        allowed["namespaces"] =
            serde_json::json!({"from": "Selector", "selector": {"matchLabels": labels}});
    }
    let want = serde_json::json!({
        "name": text_at(listener, &["name"]), "protocol": text_at(listener, &["protocol"]),
        "port": listener.get("port")?.to_json(), "allowedRoutes": allowed,
    });
    (Node::from_json(want) == *listener).then(|| (name.map(str::to_owned), udp))
}

impl Lift<'_> {
    /// The streams. Their tables are written too.
    pub(super) fn streams(&mut self) -> Vec<Stream> {
        let mut streams: Vec<Stream> = Vec::new();
        let mut refused: Vec<String> = Vec::new();
        for gateway in &self.gateways {
            for listener in listeners::without_passthrough(self.node(gateway.object)) {
                let name = text_at(listener, &["name"]).to_owned();
                let known = streams.iter_mut().find(|stream| stream.name == name);
                match (shape(listener), known) {
                    (Some(_), Some(known)) if known.listener == *listener => {
                        known.gateways.push(gateway.name.clone());
                    }
                    (Some((namespace, udp)), None) => streams.push(Stream {
                        gateways: vec![gateway.name.clone()],
                        listener: listener.clone(),
                        namespace,
                        udp,
                        name,
                    }),
                    _ => refused.push(name),
                }
            }
        }
        streams.retain(|stream| !refused.contains(&stream.name));
        streams.sort_by_key(|stream| (stream.udp, stream.name != "ssh"));
        // Streams are rendered last and in this order. If a gateway has another order, its listeners are written out.
        loop {
            let misplaced = self.gateways.iter().find_map(|gateway| {
                let node = self.node(gateway.object);
                let names = listeners::without_passthrough(node)
                    .iter()
                    .map(|one| text_at(one, &["name"]));
                let names: Vec<&str> = names.collect();
                let own = streams
                    .iter()
                    .filter(|stream| stream.gateways.contains(&gateway.name));
                let own: Vec<&str> = own.map(|stream| stream.name.as_str()).collect();
                (!names.ends_with(&own)).then(|| own.first().map(|name| (*name).to_owned()))
            });
            match misplaced.flatten() {
                Some(name) => streams.retain(|stream| stream.name != name),
                None => break,
            }
        }
        for stream in &streams {
            self.stream(stream);
        }
        streams
    }

    fn stream(&mut self, stream: &Stream) {
        let mut table = Map::default();
        let is_ssh = stream.name == "ssh" && !stream.udp;
        let port = stream.listener.get("port");
        if let Some(port) = port.filter(|port| !is_ssh || port.as_i64() != Some(22)) {
            table.insert("port", Node::from_json(port.to_json()));
        }
        if let Some(namespace) = &stream.namespace {
            table.insert("namespace", text(namespace.as_str()));
        }
        if stream.gateways.len() < self.gateways.len() {
            table.insert(
                "gateways",
                texts(stream.gateways.iter().map(String::as_str)),
            );
        }
        let mut path = match (is_ssh, stream.udp) {
            (true, _) => vec!["ssh"],
            (_, false) => vec!["tcp", &stream.name],
            (_, true) => vec!["udp", &stream.name],
        };
        let home = stream
            .namespace
            .as_ref()
            .is_none_or(|name| *name == self.door.namespace);
        let kind = if stream.udp { "UDPRoute" } else { "TCPRoute" };
        let routes = self.all(GATEWAY_API, kind);
        let route = routes
            .into_iter()
            .find(|at| self.name(*at) == stream.name && home);
        if let Some(route) = route
            && let Some(backend) = backend(self.node(route))
        {
            table.insert("backend", backend);
            self.slot(route, &path, Form::Object, Group::Routes);
        }
        self.extend(&std::mem::take(&mut path), table);
    }
}

/// The only Service of a route.
fn backend(route: &Node) -> Option<Node> {
    let rules = route.path(&["spec", "rules"])?.as_list()?;
    let [rule] = rules else { return None };
    let [backend] = rule.get("backendRefs")?.as_list()? else {
        return None;
    };
    let mut table = Map::default();
    table.insert("name", text(backend.get("name")?.as_str()?));
    table.insert("port", Node::from_json(backend.get("port")?.to_json()));
    Some(Node::new(manifest::value::Kind::Map(table), None))
}
