//! `rate_limit` and `error_pages` in `[backend_traffic]`, and `rate_limit` in `[chart]`

use super::auth::is_network;
use super::rows::put;
use crate::import::config::{pairs, text, texts};
use crate::import::files::text as text_at;
use manifest::value::{Kind, Map, Node};

/// Lifts the limits and the error pages of a policy. A list is lifted only if every item of it can be expressed.
/// `has_type` says whether the type of limits is written without a setting.
pub(super) fn lift(policy: &Node, has_type: bool, table: &mut Node) {
    let written = policy.path(&["spec", "rateLimit", "type"]);
    if let Some(written) = written.and_then(Node::as_str).filter(|_| !has_type) {
        put(table, "rate_limit.type", text(written));
    }
    for kind in ["local", "global"] {
        if let Some(rules) = all(policy, &["spec", "rateLimit", kind, "rules"], rule) {
            put(table, &format!("rate_limit.{kind}"), rules);
        }
    }
    if let Some(pages) = all(policy, &["spec", "responseOverride"], page) {
        put(table, "error_pages", pages);
    }
}

/// All items of a list, if each can be expressed.
fn all(node: &Node, path: &[&str], lift: fn(&Node) -> Option<Map>) -> Option<Node> {
    let items = node.path(path)?.as_list()?.iter();
    let lifted: Option<Vec<Node>> = items
        .map(|item| lift(item).map(|map| Node::new(Kind::Map(map), None)))
        .collect();
    let lifted = lifted.filter(|items| !items.is_empty())?;
    Some(Node::new(Kind::List(lifted), None))
}

fn plain(node: &Node) -> Node {
    Node::from_json(node.to_json())
}

/// Whether a map has only these keys.
fn has_only(node: &Node, keys: &[&str]) -> bool {
    node.as_map()
        .is_some_and(|map| map.iter().all(|(key, _)| keys.contains(&key)))
}

fn rule(rule: &Node) -> Option<Map> {
    let mut table = Map::default();
    let limit = rule.get("limit")?;
    if !has_only(rule, &["limit", "clientSelectors"]) || !has_only(limit, &["requests", "unit"]) {
        return None;
    }
    limit.get("requests")?.as_i64()?;
    table.insert("requests", plain(limit.get("requests")?));
    table.insert("per", text(text_at(limit, &["unit"]).to_lowercase()));
    let Some(selectors) = rule.get("clientSelectors") else {
        return Some(table);
    };
    let [selector] = selectors.as_list()? else {
        return None;
    };
    if !has_only(selector, &["sourceCIDR", "headers", "path", "methods"]) {
        return None;
    }
    if let Some(source) = selector.get("sourceCIDR") {
        let key = match text_at(source, &["type"]) {
            "Exact" => "network",
            "Distinct" => "each_client_of",
            _ => return None,
        };
        if !is_network(text_at(source, &["value"])) {
            return None;
        }
        table.insert(key, text(text_at(source, &["value"])));
    }
    let headers = selector.get("headers").and_then(Node::as_list);
    let mut exact = Vec::new();
    for header in headers.unwrap_or_default() {
        let name = text_at(header, &["name"]);
        match text_at(header, &["type"]) {
            "Distinct" if !table.contains_key("each_value_of") => {
                table.insert("each_value_of", text(name));
            }
            "Exact" => exact.push((name, text_at(header, &["value"]))),
            _ => return None,
        }
    }
    if !exact.is_empty() {
        table.insert("headers", pairs(exact));
    }
    if let Some(path) = selector.get("path") {
        if text_at(path, &["type"]) != "PathPrefix" {
            return None;
        }
        table.insert("path", text(text_at(path, &["value"])));
    }
    if let Some(methods) = selector.get("methods").and_then(Node::as_list) {
        let names = methods.iter().map(|method| text_at(method, &["value"]));
        table.insert("methods", texts(names));
    }
    Some(table)
}

fn page(page: &Node) -> Option<Map> {
    let response = page.get("response")?;
    let is_plain = has_only(page, &["match", "response"])
        && has_only(page.get("match")?, &["statusCodes"])
        && has_only(response, &["statusCode", "contentType", "body"]);
    if !is_plain {
        return None;
    }
    let mut table = Map::default();
    let mut statuses = Vec::new();
    for code in page.path(&["match", "statusCodes"])?.as_list()? {
        match (code.get("value"), code.get("range")) {
            (Some(value), None) => statuses.push(plain(value)),
            (None, Some(range)) if !table.contains_key("range") => {
                let ends = vec![plain(range.get("start")?), plain(range.get("end")?)];
                table.insert("range", Node::new(Kind::List(ends), None));
            }
            _ => return None,
        }
    }
    if !statuses.is_empty() {
        table.insert("statuses", Node::new(Kind::List(statuses), None));
    }
    if let Some(status) = response.get("statusCode") {
        table.insert("status", plain(status));
    }
    if let Some(kind) = response.get("contentType").and_then(Node::as_str) {
        table.insert("content_type", text(kind));
    }
    if let Some(body) = response.get("body") {
        match (body.get("inline"), body.get("valueRef")) {
            (Some(inline), None) => table.insert("body", text(inline.as_str()?)),
            (None, Some(map)) => table.insert("config_map", text(text_at(map, &["name"]))),
            _ => return None,
        };
    }
    Some(table)
}
