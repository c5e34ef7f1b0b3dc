//! Writes tests of what happens today, for a refactoring: a request for each rule of each route, at each hostname and
//! gateway.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use ipnet::IpNet;

use super::networks::Origin;
use super::seen::{Front, Seen, backend};
use envoy_gateway::exposure::build::{Exposed, attached, reach_of};
use envoy_gateway::exposure::table::{Hostname, Side};
use envoy_gateway::read::{list, text};
use envoy_gateway::view::Gateway;
use envoy_gateway::{GatewayId, Listener, Resolved, Route, RouteKind};
use envoy_simulate::{Outcome, Request};
use manifest::value::{Node, variable};
use toml_writer::ToTomlValue as _;

/// The host that stands for all hosts in place of a wildcard.
const ANY: &str = "any";

/// A request to record.
struct Recorded {
    request: Request,
    gateway: String,
    is_external: bool,
    /// Where it comes from, as a test names it.
    from: Option<String>,
}

/// The tests of one cluster as TOML, and their number.
pub fn record(front: &Front<'_, '_>, cluster: Option<&str>) -> (String, usize) {
    let mut tests: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |one: &Recorded, seen: &Seen<'_, '_, '_>| {
        let expected = expected(seen);
        if expected.is_empty() {
            return;
        }
        let from = one
            .from
            .as_ref()
            .map_or(String::new(), |from| format!(" from {from}"));
        let name = format!(
            "{} {} at {}{from}",
            one.request.method, one.request, one.gateway
        );
        let text = test(&name, one, &expected, cluster);
        tests.entry(name).or_insert(text);
    };
    for mut one in requests(front.resolved) {
        if one.is_external {
            one.from = Some("internet".to_owned());
            let anybody = Origin::Internet.addresses(&[]);
            one.request.from = anybody.into_iter().flatten().next();
        }
        let (seen, _) = front.see(&one.request, Some(&one.gateway));
        let Some(seen) = seen.first() else {
            continue;
        };
        add(&one, seen);
        // An allow list is only seen to work if somebody gets in.
        let allowed = seen.allowed().into_iter();
        let allowed = allowed.filter_map(|text| Some((text.parse::<IpNet>().ok()?, text)));
        if let Some((network, text)) =
            allowed.min_by_key(|(network, _)| Reverse(network.prefix_len()))
        {
            one.from = Some(text);
            one.request.from = Some(network.hosts().next().unwrap_or(network.network()));
            let (seen, _) = front.see(&one.request, Some(&one.gateway));
            seen.iter().for_each(|seen| add(&one, seen));
        }
    }
    let count = tests.len();
    (tests.into_values().collect::<Vec<_>>().join("\n"), count)
}

/// A request for each rule of each route, at each hostname and gateway.
fn requests(resolved: &Resolved<'_>) -> Vec<Recorded> {
    let mut all = Vec::new();
    let attached = attached(resolved);
    for ((hostname, id), exposed) in &attached {
        let Some(gateway) = resolved.gateway(*id) else {
            continue;
        };
        for (route, listener) in &exposed.at {
            let found = (resolved.route(*route), resolved.listener(*listener));
            let (Some(route), Some(listener)) = found else {
                continue;
            };
            let Some(host) = host(hostname, gateway, *id, &attached) else {
                continue;
            };
            for url in urls(route, listener, &host) {
                let Some(request) = request(&url) else {
                    continue;
                };
                all.push(Recorded {
                    request,
                    gateway: gateway.key().to_string(),
                    is_external: reach_of(gateway).side == Side::External,
                    from: None,
                });
            }
        }
    }
    all
}

/// A host that a hostname matches. For a route without hostnames, it is another host of the gateway.
fn host(
    hostname: &Hostname,
    gateway: &Gateway<'_>,
    id: GatewayId,
    attached: &BTreeMap<(Hostname, GatewayId), Exposed>,
) -> Option<String> {
    let name = match hostname {
        Hostname::Port(..) => return Some(gateway.addresses().first()?.clone()),
        Hostname::Name(name) if name != "*" => name,
        Hostname::Name(_) => {
            let own = attached.keys().filter(|(_, other)| *other == id);
            let mut names = own.filter_map(|(name, _)| match name {
                Hostname::Name(name) if name != "*" => Some(name),
                _ => None,
            });
            names.next()?
        }
    };
    Some(match name.strip_prefix('*') {
        Some(rest) => format!("{ANY}{rest}"),
        None => name.clone(),
    })
}

/// A URL and the rest of a request.
struct Asked {
    url: String,
    method: Option<String>,
    headers: Vec<(String, String)>,
}

fn request(asked: &Asked) -> Option<Request> {
    let mut request = Request::get(&asked.url).ok()?;
    if let Some(method) = &asked.method {
        request.set_method(method).ok()?;
    }
    for (name, value) in &asked.headers {
        request.add_header(&format!("{name}: {value}")).ok()?;
    }
    Some(request)
}

/// What to ask of each rule of a route: what its first match describes.
fn urls(route: &Route<'_>, listener: &Listener<'_>, host: &str) -> Vec<Asked> {
    let port = listener.port;
    let host = match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("[{address}]"),
        Err(_) => host.to_owned(),
    };
    let bare = |scheme: &str, path: &str| Asked {
        url: format!("{scheme}://{host}:{port}{path}"),
        method: None,
        headers: Vec::new(),
    };
    match (route.kind, listener.protocol) {
        (RouteKind::Tcp, "TLS") | (RouteKind::Tls, _) => return vec![bare("tls", "")],
        (RouteKind::Tcp, _) => return vec![bare("tcp", "")],
        (RouteKind::Udp, _) => return vec![bare("udp", "")],
        _ => {}
    }
    let scheme = match listener.protocol {
        "HTTP" => "http",
        _ => "https",
    };
    let rules = route.rules.iter();
    rules
        .filter_map(|rule| match list(rule.node, &["matches"]).first() {
            None => Some(bare(scheme, "/")),
            Some(first) => {
                let path = path(first, route.kind)?;
                let headers = list(first, &["headers"]).iter();
                let headers: Option<Vec<(String, String)>> = headers.map(pair).collect();
                let query: Option<Vec<String>> = list(first, &["queryParams"])
                    .iter()
                    .map(|it| pair(it).map(|(name, value)| format!("{name}={value}")))
                    .collect();
                let query = query?;
                let query = match query.is_empty() {
                    true => String::new(),
                    false => format!("?{}", query.join("&")),
                };
                Some(Asked {
                    method: method(first, route.kind),
                    headers: headers?,
                    ..bare(scheme, &format!("{path}{query}"))
                })
            }
        })
        .collect()
}

/// The name and value of a match; `None` if it is an expression.
fn pair(one: &Node) -> Option<(String, String)> {
    let is_exact = text(one, &["type"]).is_none_or(|it| it == "Exact");
    let pair = (
        text(one, &["name"])?.to_owned(),
        text(one, &["value"])?.to_owned(),
    );
    is_exact.then_some(pair)
}

/// A path that a match fits; `None` if it is an expression.
fn path(one: &Node, kind: RouteKind) -> Option<String> {
    if kind == RouteKind::Grpc {
        let service = text(one, &["method", "service"]).unwrap_or("any");
        let method = text(one, &["method", "method"]).unwrap_or("Any");
        let is_exact = text(one, &["method", "type"]).is_none_or(|it| it == "Exact");
        return is_exact.then(|| format!("/{service}/{method}"));
    }
    let path = text(one, &["path", "value"]).unwrap_or("/");
    let is_plain = text(one, &["path", "type"]) != Some("RegularExpression");
    (is_plain && !variable::in_text(path)).then(|| path.to_owned())
}

fn method(one: &Node, kind: RouteKind) -> Option<String> {
    match kind {
        RouteKind::Grpc => Some("POST".to_owned()),
        _ => text(one, &["method"]).map(str::to_owned),
    }
}

/// What happens, as lines of `expect`; only what is known.
fn expected(seen: &Seen<'_, '_, '_>) -> Vec<String> {
    let mut lines = Vec::new();
    let string = |text: &str| toml_string(text);
    if let Ok(Some((kind, name, _))) = seen.route() {
        lines.push(match kind {
            "HTTPRoute" => format!("route = {}", string(&name)),
            _ => format!("route = {}", string(&format!("{kind} {name}"))),
        });
    }
    if let Ok(Ok(shares)) = seen.backends()
        && shares.iter().all(|share| !share.is_refused)
    {
        let names: Vec<String> = shares.iter().map(|share| string(&backend(share))).collect();
        lines.push(match names.as_slice() {
            [one] => format!("backend = {one}"),
            _ => format!("backend = [{}]", names.join(", ")),
        });
    }
    let mut has_guards = false;
    if let Ok(Some(kinds)) = seen.guards() {
        has_guards = !kinds.is_empty();
        let names: Vec<String> = kinds.iter().map(|kind| string(kind.as_str())).collect();
        lines.push(format!("guards = [{}]", names.join(", ")));
    }
    match (seen.refused(), &seen.way.outcome) {
        (Ok(Some(guard)), _) => lines.push(format!("refused = {}", string(guard.as_str()))),
        (
            Ok(None),
            Outcome::Redirect {
                status, location, ..
            },
        ) => {
            lines.push(format!("status = {status}"));
            lines.push(format!("redirect = {}", string(location)));
        }
        (Ok(None), Outcome::Backends(_)) if has_guards => lines.push("refused = false".to_owned()),
        (Ok(None), Outcome::Response { status, .. }) => lines.push(format!("status = {status}")),
        (Ok(None), Outcome::Closed(_)) => lines.push("reachable = false".to_owned()),
        _ => {}
    }
    if let Ok(tls) = seen.tls() {
        lines.push(match tls {
            Some(version) => format!("tls = {}", string(&version)),
            None => "tls = false".to_owned(),
        });
    }
    lines
}

fn test(name: &str, one: &Recorded, expected: &[String], cluster: Option<&str>) -> String {
    let request = &one.request;
    let mut keys = vec![
        format!("url = {}", toml_string(&request.to_string())),
        format!("gateway = {}", toml_string(&one.gateway)),
    ];
    keys.extend(
        (request.method != "GET").then(|| format!("method = {}", toml_string(&request.method))),
    );
    keys.extend(
        one.from
            .as_ref()
            .map(|from| format!("from = {}", toml_string(from))),
    );
    let headers = request.headers.iter();
    let headers: Vec<String> = headers
        .map(|(name, value)| format!("{} = {}", toml_string(name), toml_string(value)))
        .collect();
    keys.extend((!headers.is_empty()).then(|| format!("headers = {{ {} }}", headers.join(", "))));
    let cluster = cluster.map_or(String::new(), |name| {
        format!("cluster = {}\n", toml_string(name))
    });
    format!(
        "[[test]]\nname = {}\n{cluster}request = {{ {} }}\nexpect = {{ {} }}\n",
        toml_string(name),
        keys.join(", "),
        expected.join(", ")
    )
}

/// The text as a string of TOML.
fn toml_string(text: &str) -> String {
    toml_writer::TomlStringBuilder::new(text)
        .as_basic()
        .to_toml_value()
}
