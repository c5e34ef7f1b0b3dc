//! `[redirects.NAME]`, `[responses.NAME]`, from routes that the gateway answers itself

use super::{Form, Lift};
use crate::import::config::{flag, text, texts};
use crate::import::files::{ENVOY, GATEWAY_API, text as text_at, texts as texts_at};
use crate::model::layout::Group;
use manifest::value::{Map, Node};

impl Lift<'_> {
    pub(super) fn answers(&mut self) {
        for route in self.all(GATEWAY_API, "HTTPRoute") {
            let is_lifted = self.lifted.slots.iter().any(|slot| slot.object == route);
            let Some((rule, filter)) = answer(self.node(route)).filter(|_| !is_lifted) else {
                continue;
            };
            let mut table = Node::map();
            let node = self.node(route);
            let hostnames = texts_at(node.get("spec").unwrap_or(node), "hostnames");
            let parents = node.path(&["spec", "parentRefs"]).and_then(Node::as_list);
            let mut parents = parents.unwrap_or_default().iter();
            let are_known = parents.all(|parent| self.has_gateway(text_at(parent, &["name"])));
            if hostnames.is_empty() || !are_known || self.parents(node, &mut table).is_none() {
                continue;
            }
            let matches = rule.get("matches").and_then(Node::as_list);
            let path = match matches.unwrap_or_default() {
                [one] if text_at(one, &["path", "type"]) == "PathPrefix" => {
                    Some(text_at(one, &["path", "value"]))
                }
                _ => None,
            };
            let Some(mut table) = table.as_map().cloned() else {
                continue;
            };
            table.insert("hostnames", texts(hostnames));
            if let Some(path) = path {
                table.insert("path", text(path));
            }
            match text_at(filter, &["type"]) {
                "RequestRedirect" => self.redirect_to(route, filter, table),
                _ => self.response(route, filter, table),
            }
        }
    }

    fn redirect_to(&mut self, route: usize, filter: &Node, mut table: Map) {
        let Some(to) = filter.get("requestRedirect").and_then(url) else {
            return;
        };
        let path = ["requestRedirect", "path", "type"];
        if text_at(filter, &path) == "ReplacePrefixMatch" {
            table.insert("keep_path", flag(true));
        }
        table.insert("to", text(to));
        let status = filter.path(&["requestRedirect", "statusCode"]);
        if let Some(status) = status
            .and_then(Node::as_i64)
            .filter(|status| *status != 301)
        {
            table.insert("status", Node::from_json(status.into()));
        }
        let path = ["redirects", self.name(route)];
        self.extend(&path, table);
        self.slot(route, &path, Form::Object, Group::Redirect);
    }

    fn response(&mut self, route: usize, filter: &Node, mut table: Map) {
        let name = self.name(route);
        let is_own = text_at(filter, &["extensionRef", "kind"]) == "HTTPRouteFilter"
            && text_at(filter, &["extensionRef", "name"]) == name;
        let mut filters = self.all(ENVOY, "HTTPRouteFilter").into_iter();
        let Some(filter) = filters.find(|at| is_own && self.name(*at) == name) else {
            return;
        };
        let Some(response) = self.node(filter).path(&["spec", "directResponse"]) else {
            return;
        };
        if let Some(status) = response.get("statusCode") {
            table.insert("status", Node::from_json(status.to_json()));
        }
        if let Some(kind) = response.get("contentType").and_then(Node::as_str) {
            table.insert("content_type", text(kind));
        }
        if let Some(inline) = response.path(&["body", "inline"]).and_then(Node::as_str) {
            table.insert("body", text(inline));
        }
        let map = text_at(response, &["body", "valueRef", "name"]);
        if !map.is_empty() {
            table.insert("config_map", text(map));
        }
        let path = ["responses", name];
        self.extend(&path, table);
        self.slot(route, &path, Form::Object, Group::Redirect);
        self.slot(filter, &path, Form::Object, Group::Redirect);
    }
}

/// The only rule of a route, and its only filter, if the gateway answers without a backend.
fn answer(route: &Node) -> Option<(&Node, &Node)> {
    let [rule] = route.path(&["spec", "rules"])?.as_list()? else {
        return None;
    };
    let [filter] = rule.get("filters")?.as_list()? else {
        return None;
    };
    let is_answer = matches!(
        text_at(filter, &["type"]),
        "RequestRedirect" | "ExtensionRef"
    );
    let has_backends = rule.get("backendRefs").is_some();
    (is_answer && !has_backends).then_some((rule, filter))
}

/// The URL or the path of a redirect; `None` if `to` can't express it.
fn url(redirect: &Node) -> Option<String> {
    let at = |key: &str| redirect.get(key).and_then(Node::as_str);
    let path = redirect.get("path").map(|path| {
        let full = text_at(path, &["replaceFullPath"]);
        let prefix = text_at(path, &["replacePrefixMatch"]);
        if full.is_empty() { prefix } else { full }
    });
    let path = path.unwrap_or_default();
    let port = redirect.get("port").and_then(Node::as_i64);
    match (at("scheme"), at("hostname")) {
        (Some(scheme), Some(host)) => {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{scheme}://{host}{port}{path}"))
        }
        (None, None) if port.is_none() && !path.is_empty() => Some(path.to_owned()),
        _ => None,
    }
}
