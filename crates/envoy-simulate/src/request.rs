//! A request as the user describes it: a URL, a method, headers, an address.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::path::is_clean;

/// The supported schemes, each with its default port if it has one.
const SCHEMES: &[(&str, Scheme, Option<u16>)] = &[
    ("http", Scheme::Http, Some(80)),
    ("ws", Scheme::Http, Some(80)),
    ("grpc", Scheme::Http, Some(80)),
    ("https", Scheme::Https, Some(443)),
    ("wss", Scheme::Https, Some(443)),
    ("grpcs", Scheme::Https, Some(443)),
    ("tls", Scheme::Tls, Some(443)),
    ("ldaps", Scheme::Tls, Some(636)),
    ("mqtts", Scheme::Tls, Some(8883)),
    ("tcp", Scheme::Tcp, None),
    ("ssh", Scheme::Tcp, Some(22)),
    ("ldap", Scheme::Tcp, Some(389)),
    ("mqtt", Scheme::Tcp, Some(1883)),
    ("mysql", Scheme::Tcp, Some(3306)),
    ("postgres", Scheme::Tcp, Some(5432)),
    ("redis", Scheme::Tcp, Some(6379)),
    ("udp", Scheme::Udp, None),
    ("dns", Scheme::Udp, Some(53)),
];

/// The protocol of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// TLS with any protocol inside.
    Tls,
    /// Any protocol over TCP.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Scheme {
    /// Whether it is HTTP, with or without TLS.
    pub fn is_http(self) -> bool {
        matches!(self, Scheme::Http | Scheme::Https)
    }

    /// Whether the connection starts with TLS.
    pub fn is_tls(self) -> bool {
        matches!(self, Scheme::Https | Scheme::Tls)
    }

    /// The scheme in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Tls => "tls",
            Scheme::Tcp => "tcp",
            Scheme::Udp => "udp",
        }
    }

    /// The default port of an HTTP scheme.
    fn plain_port(self) -> Option<u16> {
        match self {
            Scheme::Http => Some(80),
            Scheme::Https => Some(443),
            _ => None,
        }
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The protocol.
    pub scheme: Scheme,
    /// The host of the URL in lower case, as used for DNS and TLS.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path, starting with `/`; empty if it is not HTTP.
    pub path: String,
    /// The query, without the `?`.
    pub query: Option<String>,
    /// The method.
    pub method: String,
    /// The headers without `host`; the names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The host that routes see: the header `Host` without its port, else the host of the URL.
    pub authority: String,
    /// The address of the connection's peer, as the gateway sees it; `None` if it is not given.
    pub from: Option<IpAddr>,
    /// Whether the client verifies the certificate of the gateway.
    pub verifies: bool,
    /// The certificate that the client shows; `None` if it is not given.
    pub certificate: Option<ClientCertificate>,
    /// Whether the client passes every authentication that it is asked for: it has the password, the token or the session.
    pub signed_in: bool,
}

/// The certificate that a client shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It shows none.
    None,
    /// One that the gateway's authorities signed.
    Trusted,
    /// One that they didn't sign.
    Untrusted,
}

/// Why a request is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRequest(String);

fn bad<T>(text: impl Into<String>) -> Result<T, BadRequest> {
    Err(BadRequest(text.into()))
}

impl Request {
    /// A `GET` of a URL (RFC 3986). Flux variables (`${DOMAIN}`) may stand in the host, as they do in manifests: that is why
    /// no URL crate reads it.
    ///
    /// # Errors
    /// If it is not a URL, or its scheme is not supported.
    pub fn get(url: &str) -> Result<Self, BadRequest> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return bad(format!(
                "{url}: write a complete URL, such as https://{url}"
            ));
        };
        let scheme = scheme.to_ascii_lowercase();
        let Some((_, kind, plain)) = SCHEMES.iter().find(|(name, ..)| *name == scheme) else {
            let known: Vec<&str> = SCHEMES.iter().map(|(name, ..)| *name).collect();
            return bad(format!(
                "the scheme `{scheme}` is not supported; these are: {}",
                known.join(", ")
            ));
        };
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let end = authority_end(rest);
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (host, port) = host_and_port(authority)?;
        let Some(port) = port.or(*plain) else {
            return bad(format!(
                "{url}: a port is needed; write {scheme}://{host}:PORT"
            ));
        };
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        if !is_clean(path) || !query.as_deref().is_none_or(is_clean) {
            return bad(format!(
                "{url}: blanks and control characters must be percent-encoded; a blank is %20"
            ));
        }
        let path = match (kind.is_http(), path) {
            (true, "") => "/",
            (true, path) => path,
            (false, _) => "",
        };
        Ok(Request {
            scheme: *kind,
            authority: host.clone(),
            host,
            port,
            path: path.to_owned(),
            query,
            method: "GET".to_owned(),
            headers: Vec::new(),
            from: None,
            verifies: true,
            certificate: None,
            signed_in: false,
        })
    }

    /// Sets the method.
    ///
    /// # Errors
    /// If it is not a token (RFC 9110).
    pub fn set_method(&mut self, method: &str) -> Result<(), BadRequest> {
        if !is_token(method) {
            return bad(format!(
                "--method {method}: a method is one word, such as POST"
            ));
        }
        self.method = method.to_owned();
        Ok(())
    }

    /// Adds a header, written as `Name: value`. `Host` replaces the host of the URL.
    ///
    /// # Errors
    /// If it is not a valid header (RFC 9110).
    pub fn add_header(&mut self, line: &str) -> Result<(), BadRequest> {
        let Some((name, value)) = line.split_once(':') else {
            return bad(format!("--header {line}: write 'Name: value'"));
        };
        let (name, value) = (name.trim(), value.trim());
        if !is_token(name) {
            return bad(format!("--header {line}: `{name}` is not a header name"));
        }
        if value.chars().any(|c| c.is_control() && c != '\t') {
            return bad(format!(
                "--header {name}: the value must not have control characters"
            ));
        }
        if name.eq_ignore_ascii_case("host") {
            self.authority = host_and_port(value)?.0;
        } else {
            self.headers
                .push((name.to_ascii_lowercase(), value.to_owned()));
        }
        Ok(())
    }

    /// The values of a header, joined by commas. The name must be in lower case.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.iter().filter(|(its, _)| its == name);
        let first = values.next()?.1.clone();
        Some(values.fold(first, |all, (_, value)| format!("{all},{value}")))
    }

    /// The query parameters, decoded and in order.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let pairs = self.query.as_deref().unwrap_or_default().split('&');
        let pairs = pairs.filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (super::path::decoded(name), super::path::decoded(value))
            })
            .collect()
    }

    /// The path with the query.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

impl fmt::Display for Request {
    /// The URL, without the port if it is the default.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        match self.host.parse::<Ipv6Addr>() {
            Ok(address) => write!(f, "[{address}]")?,
            Err(_) => f.write_str(&self.host)?,
        }
        if self.scheme.plain_port() != Some(self.port) {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.target())
    }
}

/// The end of a URL's authority: the first `/` or `?` that is not inside a variable.
fn authority_end(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '/' | '?' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Splits an authority into host and port.
fn host_and_port(text: &str) -> Result<(String, Option<u16>), BadRequest> {
    if text.contains('@') {
        return bad(format!(
            "{text}: a URL can't have a user name here; use --header instead"
        ));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, rest)) = rest.split_once(']') else {
            return bad(format!("{text}: `]` is missing"));
        };
        let Ok(address) = address.parse::<Ipv6Addr>() else {
            return bad(format!("{address}: not an IPv6 address"));
        };
        return Ok((address.to_string(), port(rest)?));
    }
    // A colon inside a variable starts its default value.
    let name = text.rfind('}').map_or(0, |at| at + 1);
    let colon = text.get(name..).and_then(|rest| rest.find(':'));
    let (host, rest) = match colon.and_then(|at| text.split_at_checked(name + at)) {
        Some(split) => split,
        None => (text, ""),
    };
    let is_fine = |c: char| c.is_alphanumeric() || "-._${}:=*".contains(c);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host.len() > 253 || !host.chars().all(is_fine) {
        return bad(format!("`{host}` is not a host"));
    }
    let host = match host.contains("${") {
        true => host.to_owned(),
        false => host.to_lowercase(),
    };
    Ok((host, port(rest)?))
}

fn port(text: &str) -> Result<Option<u16>, BadRequest> {
    match text.strip_prefix(':') {
        None if text.is_empty() => Ok(None),
        Some("") => Ok(None),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
            Ok(port @ 1..) => Ok(Some(port)),
            _ => bad(format!("{digits}: a port must be a number from 1 to 65535")),
        },
        _ => bad(format!("`{text}` after the host is not a port")),
    }
}

fn is_token(text: &str) -> bool {
    let is_fine = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_fine)
}

#[cfg(test)]
mod tests;
