//! What the controller's intermediate representation of a configuration answers: an independent and much simpler judge
//! of requests than the simulator. Listeners, hostnames and routes are already sorted in it, so the first route that
//! matches answers.

use std::collections::BTreeSet;
use std::fmt;

use regex::Regex;
use serde_json::Value;

/// A request, in the parts that routes look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Whether it is sent with TLS.
    pub is_tls: bool,
    /// The port.
    pub port: u64,
    /// The host.
    pub host: String,
    /// The path.
    pub path: String,
    /// The query parameters.
    pub query: Vec<(String, String)>,
    /// The headers, with `:method` among them.
    pub headers: Vec<(String, String)>,
    /// The cookies.
    pub cookies: Vec<(String, String)>,
}

impl Wanted {
    /// The method.
    pub fn method(&self) -> &str {
        let mut headers = self.headers.iter();
        let method = headers.find(|(name, _)| name == ":method");
        method.map_or("GET", |(_, value)| value)
    }

    /// The scheme.
    pub fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// The URL.
    pub fn url(&self) -> String {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let (scheme, host, port, path) = (self.scheme(), &self.host, self.port, &self.path);
        format!("{scheme}://{host}:{port}{path}{mark}{}", query.join("&"))
    }
}

/// Where a request ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The rule: `kind/namespace/name/rule`, in lower case; `None` if no rule matches.
    pub rule: Option<String>,
    /// The end.
    pub end: End,
}

/// The end of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A response with this status.
    Response(u64),
    /// A redirect: its status, and the scheme, host and path in its location.
    Redirect(u64, String),
    /// The backends, each as `kind namespace/name`, and `refused` for those that answer with an error. One of which only
    /// the place is known is given as `kind/namespace/name/rule/N/backend/N` of its route.
    Backends(BTreeSet<String>),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = self.rule.as_deref().unwrap_or("no rule");
        match &self.end {
            End::Response(status) => write!(f, "{rule}: {status}"),
            End::Redirect(status, location) => write!(f, "{rule}: {status} to {location}"),
            End::Backends(backends) => write!(f, "{rule}: {backends:?}"),
        }
    }
}

/// The items of a list; none if it is none.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// How specific a hostname is that takes a host, if it does.
fn takes(hostname: &str, host: &str) -> Option<usize> {
    match hostname.strip_prefix('*') {
        Some("") => Some(0),
        // A wildcard is never as specific as the name itself.
        Some(end) => (host.len() > end.len() && host.ends_with(end)).then_some(end.len()),
        None => (hostname == host).then_some(usize::MAX),
    }
}

/// The answer of the listeners of one proxy, and the route that gives it.
pub fn answer<'a>(proxy: &'a Value, wanted: &Wanted) -> (Answer, Option<&'a Value>) {
    let mut listeners: Vec<&Value> = list(&proxy["http"])
        .iter()
        .filter(|it| it["externalPort"] == wanted.port && it["tls"].is_object() == wanted.is_tls)
        .collect();
    if wanted.is_tls {
        // With TLS, the name that the client asks for chooses the listener.
        let best = |it: &&Value| {
            let names = list(&it["hostnames"]).iter().filter_map(Value::as_str);
            names.filter_map(|name| takes(name, &wanted.host)).max()
        };
        let chosen = listeners.iter().copied().max_by_key(best);
        listeners = chosen.into_iter().filter(|it| best(it).is_some()).collect();
    }
    let routes = listeners.iter().flat_map(|it| list(&it["routes"]));
    let routes: Vec<(usize, &Value)> = routes
        .filter_map(|it| Some((takes(text(it, "hostname"), &wanted.host)?, it)))
        .collect();
    let best = routes.iter().map(|(weight, _)| *weight).max();
    let mut of_host = routes.iter().filter(|(weight, _)| Some(*weight) == best);
    match of_host.find(|(_, route)| is_match(route, wanted)) {
        Some((_, route)) => (given(proxy, route, wanted), Some(route)),
        None => {
            let end = End::Response(404);
            (Answer { rule: None, end }, None)
        }
    }
}

/// Whether a text is as a matcher wants it.
fn is_text(matcher: &Value, value: &str) -> bool {
    if let Some(exact) = matcher["exact"].as_str() {
        return exact == value;
    }
    if let Some(prefix) = matcher["prefix"].as_str() {
        return value.starts_with(prefix);
    }
    if let Some(suffix) = matcher["suffix"].as_str() {
        return value.ends_with(suffix);
    }
    let Some(regex) = matcher["safeRegex"].as_str() else {
        return true;
    };
    Regex::new(&format!("^(?:{regex})$")).is_ok_and(|it| it.is_match(value))
}

fn is_match(route: &Value, wanted: &Wanted) -> bool {
    let path = &route["pathMatch"];
    let is_path = match path["prefix"].as_str().map(|it| it.trim_end_matches('/')) {
        Some(prefix) => wanted
            .path
            .strip_prefix(prefix)
            .is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/')),
        None => is_text(path, &wanted.path),
    };
    let all = |matchers: &Value, values: &[(String, String)]| {
        list(matchers).iter().all(|matcher| {
            let name = text(matcher, "name");
            let mut named = values
                .iter()
                .filter(|(its, _)| its.eq_ignore_ascii_case(name));
            let is_there = named.any(|(_, value)| is_text(matcher, value));
            is_there != (matcher["invert"] == true)
        })
    };
    let mut headers = wanted.headers.clone();
    headers.push((":path".to_owned(), wanted.path.clone()));
    headers.push((":authority".to_owned(), wanted.host.clone()));
    if !headers.iter().any(|(name, _)| name == ":method") {
        headers.push((":method".to_owned(), "GET".to_owned()));
    }
    is_path
        && all(&route["headerMatches"], &headers)
        && all(&route["queryParamMatches"], &wanted.query)
        && all(&route["cookieMatches"], &wanted.cookies)
}

/// The rule in the name of a route, `httproute/NAMESPACE/NAME/rule/0/match/0/HOST`.
fn rule(route: &Value) -> Option<String> {
    let words: Vec<&str> = text(route, "name").split('/').collect();
    match words.as_slice() {
        [kind, namespace, name, "rule", rule, ..] => {
            Some(format!("{kind}/{namespace}/{name}/{rule}"))
        }
        _ => None,
    }
}

fn given(proxy: &Value, route: &Value, wanted: &Wanted) -> Answer {
    let redirect = &route["redirect"];
    let end = if let Some(status) = route["directResponse"]["statusCode"].as_u64() {
        End::Response(status)
    } else if redirect.is_object() {
        let status = redirect["statusCode"].as_u64().unwrap_or(301);
        End::Redirect(status, location(route, redirect, wanted))
    } else {
        backends(proxy, &route["destination"])
    };
    let rule = rule(route);
    Answer { rule, end }
}

/// The location of a redirect, without its port, about which Envoy has rules of its own.
fn location(route: &Value, redirect: &Value, wanted: &Wanted) -> String {
    let scheme = redirect["scheme"].as_str().unwrap_or(wanted.scheme());
    let host = redirect["hostname"].as_str().unwrap_or(&wanted.host);
    let path = &redirect["path"];
    let path = match (
        path["fullReplace"].as_str(),
        path["prefixMatchReplace"].as_str(),
    ) {
        (Some(full), _) => full.to_owned(),
        (_, Some(replacement)) => {
            let prefix = text(&route["pathMatch"], "prefix");
            let rest = wanted.path.strip_prefix(prefix).unwrap_or_default();
            match replacement {
                "" | "/" => format!("/{}", rest.trim_start_matches('/')),
                replacement => format!("{replacement}{rest}"),
            }
        }
        _ => wanted.path.clone(),
    };
    format!("{scheme}://{host}{path}")
}

/// Backends that can't be used are all answered with the same status; that is 503 as soon as one of them only lacks
/// endpoints.
fn backends(proxy: &Value, destination: &Value) -> End {
    let mut backends = BTreeSet::new();
    let (mut is_any_empty, mut is_any_used) = (false, false);
    let own = list(&destination["settings"]).iter();
    let own = own.map(|it| (it, &it["weight"]));
    let shared = list(&destination["backendClusterRefs"]).iter();
    let shared = shared.filter_map(|reference| {
        let mut clusters = list(&proxy["backendClusters"]).iter();
        let cluster = clusters.find(|it| it["name"] == reference["name"])?;
        Some((&cluster["setting"], &reference["weight"]))
    });
    for (setting, weight) in own.chain(shared) {
        if weight.as_u64() == Some(0) {
            continue;
        }
        let is_used = ["isDynamicResolver", "isCustomBackend"]
            .iter()
            .any(|key| setting[key] == true)
            || !list(&setting["endpoints"]).is_empty();
        let is_invalid = setting["invalid"] == true;
        let metadata = &setting["metadata"];
        if is_used && !is_invalid {
            is_any_used = true;
            let (kind, name) = (text(metadata, "kind"), text(metadata, "name"));
            backends.insert(match kind {
                "" => text(setting, "name").to_owned(),
                kind => format!("{kind} {}/{name}", text(metadata, "namespace")),
            });
        } else {
            is_any_empty |= !is_invalid;
            backends.insert("refused".to_owned());
        }
    }
    match (is_any_used, is_any_empty) {
        (true, _) => End::Backends(backends),
        (false, true) => End::Response(503),
        (false, false) => End::Response(500),
    }
}
