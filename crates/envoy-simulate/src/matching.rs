//! Whether a rule of a route matches a request, and which of several matching rules is used.
//!
//! The order is that of Envoy Gateway 1.9.0: exact paths come before regular expressions, and these before prefixes.
//! Then the longer path wins, then the larger number of headers (a method counts as one), then that of cookies, then
//! that of query parameters. The Gateway API doesn't define the order of regular expressions and cookies, and requires
//! the rest except for the method. Of equal matches, the one of the older route wins.

use super::Request;
use envoy_gateway::read::{list, text};
use envoy_gateway::view::RouteKind;
use manifest::value::{Node, variable};

/// Whether something matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchResult {
    /// It doesn't match.
    No,
    /// It depends on a Flux variable.
    Maybe,
    /// It matches.
    Yes,
}

impl From<bool> for MatchResult {
    fn from(fits: bool) -> Self {
        if fits {
            MatchResult::Yes
        } else {
            MatchResult::No
        }
    }
}

/// Whether a hostname, which may be a wildcard, matches a host. `*` stands for one or more labels.
pub fn host(pattern: &str, host: &str) -> MatchResult {
    let pattern_text = match variable::in_text(pattern) {
        true => pattern.to_owned(),
        false => pattern.to_lowercase(),
    };
    let pattern = pattern_text.as_str();
    if pattern == "*" || pattern.is_empty() || pattern == host {
        return MatchResult::Yes;
    }
    if let Some(suffix) = pattern.strip_prefix('*')
        && host
            .strip_suffix(suffix)
            .is_some_and(|rest| !rest.is_empty())
    {
        return MatchResult::Yes;
    }
    if variable::in_text(pattern) {
        let before = pattern.split("${").next().unwrap_or_default();
        let behind = pattern.rsplit('}').next().unwrap_or_default();
        let begins = before.starts_with('*') || host.starts_with(before);
        return match begins && host.ends_with(behind) {
            true => MatchResult::Maybe,
            false => MatchResult::No,
        };
    }
    MatchResult::No
}

/// How specific a hostname is that matches a host; larger is more specific.
pub fn specificity(pattern: &str) -> usize {
    match pattern.strip_prefix('*') {
        None => usize::MAX,
        Some(rest) => rest.len(),
    }
}

/// How a path, a header or a parameter is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchType {
    /// By path segments, from the first one on.
    Prefix,
    /// By a regular expression that must match the whole value.
    Regular,
    /// By equality.
    Exact,
}

/// What a match requires of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// How the path is compared.
    pub how: MatchType,
    /// The value to compare with.
    pub value: String,
}

/// What a match requires of a header or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name; header names are in lower case.
    pub name: String,
    /// How the value is compared.
    pub how: MatchType,
    /// The value to compare with.
    pub value: String,
}

/// One match of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The required path.
    pub path: Path,
    /// The required method, if there is one.
    pub method: Option<String>,
    /// The required headers.
    pub headers: Vec<Pair>,
    /// The required cookies.
    pub cookies: Vec<Pair>,
    /// The required query parameters.
    pub query: Vec<Pair>,
    /// The end of the path, if a gRPC method is required without its service.
    pub suffix: Option<String>,
}

/// The order of matches: the largest one wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    path: MatchType,
    length: usize,
    headers: usize,
    exact_headers: usize,
    cookies: usize,
    exact_cookies: usize,
    query: usize,
    exact_query: usize,
}

impl Rank {
    /// Why this match wins over another.
    pub fn reason_over(&self, other: &Rank) -> &'static str {
        let parts = [
            (self.path != other.path, path_reason(self.path, other.path)),
            (self.length != other.length, "its path is longer"),
            (self.headers != other.headers, "it requires more headers"),
            (
                self.exact_headers != other.exact_headers,
                "it requires more exact headers",
            ),
            (self.cookies != other.cookies, "it requires more cookies"),
            (
                self.exact_cookies != other.exact_cookies,
                "it requires more exact cookies",
            ),
            (
                self.query != other.query,
                "it requires more query parameters",
            ),
            (
                self.exact_query != other.exact_query,
                "it requires more exact query parameters",
            ),
        ];
        let found = parts.into_iter().find(|(differs, _)| *differs);
        found.map_or("its route is older, or the first by name", |(_, reason)| {
            reason
        })
    }
}

fn path_reason(one: MatchType, other: MatchType) -> &'static str {
    match (one, other) {
        (MatchType::Exact, _) => "an exact path comes first",
        (MatchType::Regular, _) => "a regular expression comes before a prefix",
        (MatchType::Prefix, _) => "a prefix",
    }
}

impl Match {
    /// The matches of a rule. A rule without matches has one that matches all requests.
    pub fn all(kind: RouteKind, rule: &Node) -> Vec<Match> {
        let matches = list(rule, &["matches"]);
        let read = |node: Option<&Node>| match kind {
            RouteKind::Grpc => of_grpc(node),
            _ => of_http(node),
        };
        match matches.is_empty() {
            true => vec![read(None)],
            false => matches.iter().map(|node| read(Some(node))).collect(),
        }
    }

    /// The same match, with the cookies that an HTTPRouteFilter requires, too.
    #[must_use]
    pub fn with_cookies(mut self, cookies: &[Node]) -> Match {
        self.cookies = pairs(cookies, false);
        self
    }

    /// The match for CORS preflights that Envoy Gateway adds if a CORS filter stands beside a match of another method.
    /// Browsers send no cookies with them.
    pub fn preflight(&self) -> Option<Match> {
        let method = self.method.as_deref()?;
        if method == "OPTIONS" || !self.cookies.is_empty() {
            return None;
        }
        let any = |name: &str| Pair {
            name: name.to_owned(),
            how: MatchType::Regular,
            value: ".*".to_owned(),
        };
        let mut preflight = self.clone();
        preflight.method = Some("OPTIONS".to_owned());
        preflight.headers.push(any("origin"));
        preflight.headers.push(any("access-control-request-method"));
        Some(preflight)
    }

    /// The rank of the match among others.
    pub fn rank(&self) -> Rank {
        let exact = |pairs: &[Pair]| pairs.iter().filter(|it| it.how == MatchType::Exact).count();
        let method = usize::from(self.method.is_some()) + usize::from(self.suffix.is_some());
        Rank {
            path: self.path.how,
            length: self.path.value.len(),
            headers: self.headers.len() + method,
            exact_headers: exact(&self.headers) + usize::from(self.method.is_some()),
            cookies: self.cookies.len(),
            exact_cookies: exact(&self.cookies),
            query: self.query.len(),
            exact_query: exact(&self.query),
        }
    }

    /// Whether it matches a request.
    pub fn fit(&self, request: &Request) -> MatchResult {
        let parameters = request.parameters();
        let header = |pair: &Pair| {
            let value = request.header(&pair.name);
            value.map_or(MatchResult::No, |value| {
                compare(pair.how, &pair.value, &value)
            })
        };
        let parameter = |pair: &Pair| {
            let found = parameters.iter().find(|(name, _)| *name == pair.name);
            found.map_or(MatchResult::No, |(_, value)| {
                compare(pair.how, &pair.value, value)
            })
        };
        let method = self.method.as_deref();
        let suffix = self.suffix.as_deref();
        let all = [
            compare(self.path.how, &self.path.value, &request.path),
            method.is_none_or(|it| it == request.method).into(),
            suffix.is_none_or(|it| request.path.ends_with(it)).into(),
        ];
        let sent = request.header("cookie").unwrap_or_default();
        let sent: Vec<(&str, &str)> = sent
            .split([';', ','])
            .filter_map(|one| one.trim().split_once('='))
            .collect();
        let cookie = |pair: &Pair| {
            let found = sent.iter().find(|(name, _)| *name == pair.name);
            found.map_or(MatchResult::No, |(_, value)| {
                compare(pair.how, &pair.value, value)
            })
        };
        let cookies = self.cookies.iter().map(cookie);
        let headers = self.headers.iter().map(header).chain(cookies);
        let parameters = self.query.iter().map(parameter);
        let all = all.into_iter().chain(headers).chain(parameters);
        all.min().unwrap_or(MatchResult::Yes)
    }

    /// Describes what it requires.
    pub fn described(&self) -> String {
        let pair = |what: &str, it: &Pair| match it.how {
            MatchType::Regular => format!("{what} {} matching `{}`", it.name, it.value),
            _ => format!("{what} {}: {}", it.name, it.value),
        };
        let path = match self.path.how {
            MatchType::Exact => format!("path {}", self.path.value),
            MatchType::Prefix => format!("path prefix {}", self.path.value),
            MatchType::Regular => format!("path matching `{}`", self.path.value),
        };
        let mut all = vec![path];
        all.extend(self.suffix.iter().map(|it| format!("path ending in {it}")));
        all.extend(self.method.iter().map(|it| format!("method {it}")));
        all.extend(self.headers.iter().map(|it| pair("header", it)));
        all.extend(self.cookies.iter().map(|it| pair("cookie", it)));
        all.extend(self.query.iter().map(|it| pair("parameter", it)));
        all.join(", ")
    }
}

fn pairs(nodes: &[Node], is_header: bool) -> Vec<Pair> {
    let of = |node: &Node| {
        let name = text(node, &["name"]).unwrap_or_default();
        Pair {
            name: match is_header {
                true => name.to_lowercase(),
                false => name.to_owned(),
            },
            how: how(node, MatchType::Exact),
            value: text(node, &["value"]).unwrap_or_default().to_owned(),
        }
    };
    nodes.iter().map(of).collect()
}

fn how(node: &Node, otherwise: MatchType) -> MatchType {
    match text(node, &["type"]) {
        Some("Exact") => MatchType::Exact,
        Some("RegularExpression") => MatchType::Regular,
        Some("PathPrefix") => MatchType::Prefix,
        _ => otherwise,
    }
}

fn of_http(node: Option<&Node>) -> Match {
    let path = node.and_then(|it| it.get("path"));
    Match {
        path: Path {
            how: path.map_or(MatchType::Prefix, |it| how(it, MatchType::Prefix)),
            value: path
                .and_then(|it| text(it, &["value"]))
                .unwrap_or("/")
                .to_owned(),
        },
        method: node.and_then(|it| text(it, &["method"]).map(str::to_owned)),
        headers: pairs(node.map_or(&[], |it| list(it, &["headers"])), true),
        cookies: Vec::new(),
        query: pairs(node.map_or(&[], |it| list(it, &["queryParams"])), false),
        suffix: None,
    }
}

/// What Envoy Gateway takes for the name of any service, and of any method, beside a regular expression.
const ANY_SERVICE: &str = r"(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*";
const ANY_METHOD: &str = "[A-Za-z_][A-Za-z_0-9]*";

/// The path of a gRPC method is `/SERVICE/METHOD`.
fn of_grpc(node: Option<&Node>) -> Match {
    let method = node.and_then(|it| it.get("method"));
    let part = |key: &str| method.and_then(|it| text(it, &[key]));
    let is_regular = method.is_some_and(|it| how(it, MatchType::Exact) == MatchType::Regular);
    let mut suffix = None;
    let (how, value) = match (part("service"), part("method"), is_regular) {
        (None, None, _) => (MatchType::Prefix, "/".to_owned()),
        (Some(service), Some(method), false) => (MatchType::Exact, format!("/{service}/{method}")),
        (Some(service), None, false) => (MatchType::Prefix, format!("/{service}")),
        (None, Some(method), false) => {
            suffix = Some(format!("/{method}"));
            (MatchType::Prefix, "/".to_owned())
        }
        (service, method, true) => {
            let service = service.unwrap_or(ANY_SERVICE);
            let method = method.unwrap_or(ANY_METHOD);
            (MatchType::Regular, format!("/{service}/{method}"))
        }
    };
    Match {
        path: Path { how, value },
        method: None,
        headers: pairs(node.map_or(&[], |it| list(it, &["headers"])), true),
        cookies: Vec::new(),
        query: Vec::new(),
        suffix,
    }
}

/// Compares a value with the wanted one.
pub fn compare(how: MatchType, wanted: &str, value: &str) -> MatchResult {
    let fits = match how {
        MatchType::Exact => wanted == value,
        MatchType::Prefix => is_prefix(wanted, value),
        MatchType::Regular => regular(wanted, value),
    };
    match fits {
        true => MatchResult::Yes,
        false if variable::in_text(wanted) => MatchResult::Maybe,
        false => MatchResult::No,
    }
}

/// Whether a path starts with a prefix, compared segment by segment.
pub fn is_prefix(prefix: &str, path: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a regular expression matches the whole value. An invalid one matches nothing.
pub fn regular(pattern: &str, value: &str) -> bool {
    regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|it| it.is_match(value))
}

#[cfg(test)]
mod tests;
