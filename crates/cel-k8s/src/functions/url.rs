//! Kubernetes' URL library: what Go's `url.ParseRequestURI` reads. URL crates follow other rules (WHATWG's, or RFC 3986 to
//! the letter), and would give other verdicts.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{Function, global, member, no_overload};
use crate::eval::{Answer, Fault};
use crate::value::{Key, Value};
use k8s_syntax::uri::is_request_uri;

/// A parsed URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// The URL as written.
    pub text: String,
    scheme: String,
    /// Host and port.
    host: String,
    /// The path, still escaped.
    path: String,
    query: String,
}

impl Url {
    /// Parses an absolute URL or an absolute path. What follows a `#` is part of the path or the query.
    pub fn parse(text: &str) -> Option<Url> {
        if !is_request_uri(text) {
            return None;
        }
        let mut url = Url {
            text: text.to_owned(),
            ..Url::default()
        };
        let mut rest = text;
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.'));
        if let Some((scheme, after)) = end.and_then(|end| text.split_at_checked(end))
            && let Some(after) = after.strip_prefix(':')
        {
            scheme
                .starts_with(|c: char| c.is_ascii_alphabetic())
                .then_some(())?;
            url.scheme = scheme.to_ascii_lowercase();
            rest = after;
        }
        if let Some((before, query)) = rest.split_once('?') {
            url.query = query.to_owned();
            rest = before;
        }
        if !rest.starts_with('/') {
            // Without slashes the rest is opaque, and needs a scheme.
            return (!url.scheme.is_empty()).then_some(url);
        }
        if (!url.scheme.is_empty() || !rest.starts_with("///"))
            && let Some(after) = rest.strip_prefix("//")
        {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            url.host = host(authority)?;
            rest = path;
        }
        unescape(rest, false)?;
        url.path = escaped_path(rest);
        Some(url)
    }

    fn hostname(&self) -> &str {
        match self.host.strip_prefix('[') {
            Some(inner) => inner.split(']').next().unwrap_or_default(),
            None => self
                .host
                .rsplit_once(':')
                .map_or(&self.host, |(name, _)| name),
        }
    }

    fn port(&self) -> &str {
        let after = match self.host.rfind(']') {
            Some(at) => self.host.get(at + 1..).unwrap_or_default(),
            None => &self.host,
        };
        after.rsplit_once(':').map_or("", |(_, port)| port)
    }

    fn queries(&self) -> Value {
        let mut entries: Vec<(Key, Vec<Value>)> = Vec::new();
        for part in self.query.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (Some(key), Some(value)) = (unescape(key, true), unescape(value, true)) else {
                continue;
            };
            let key = Key::String(key.into());
            match entries.iter_mut().find(|(there, _)| *there == key) {
                Some((_, values)) => values.push(Value::string(value)),
                None => entries.push((key, vec![Value::string(value)])),
            }
        }
        let entries = entries.into_iter();
        Value::map(
            entries
                .map(|(key, values)| (key, Value::list(values)))
                .collect(),
        )
    }
}

/// The host and port of an authority, without the user; `None` if they are invalid.
fn host(authority: &str) -> Option<String> {
    let host = match authority.rsplit_once('@') {
        Some((user, host)) => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
            user.chars().all(is_plain).then_some(host)?
        }
        None => authority,
    };
    let port = match (host.strip_prefix('['), host.rfind(']')) {
        (Some(_), Some(end)) => host.get(end + 1..)?,
        (Some(_), None) => return None,
        _ => host.find(':').map_or("", |at| &host[at..]),
    };
    let digits = port.strip_prefix(':');
    let is_port =
        port.is_empty() || digits.is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit()));
    let is_plain = |c: char| {
        !c.is_ascii() || c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:[]<>\"%".contains(c)
    };
    (is_port && host.chars().all(is_plain)).then(|| host.to_owned())
}

/// Decodes `%` escapes; `None` if one is invalid.
fn unescape(text: &str, is_query: bool) -> Option<String> {
    // Go refuses what the crate leaves as it is: a `%` without two digits behind it.
    let is_whole = text.split('%').skip(1).all(|after| {
        matches!(after.as_bytes(), [one, two, ..] if one.is_ascii_hexdigit() && two.is_ascii_hexdigit())
    });
    is_whole.then_some(())?;
    let text = match is_query {
        true => Cow::Owned(text.replace('+', " ")),
        false => Cow::Borrowed(text),
    };
    Some(percent_decode_str(&text).decode_utf8_lossy().into_owned())
}

/// What Go escapes in a path; an escape stays what it is.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn escaped_path(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("url", 1, 1, |_, it| match it {
        [Value::String(text)] => Url::parse(text)
            .map(|url| Value::Url(Arc::new(url)))
            .ok_or_else(|| Fault::Error(format!("URL parse error during conversion: {text:?}"))),
        _ => Err(no_overload("url", it)),
    }),
    global("isURL", 1, 1, |_, it| match it {
        [Value::String(text)] => Ok(Value::Bool(Url::parse(text).is_some())),
        _ => Err(no_overload("isURL", it)),
    }),
    member("getScheme", 0, 0, |_, it| text(it, |url| &url.scheme)),
    member("getHost", 0, 0, |_, it| text(it, |url| &url.host)),
    member("getHostname", 0, 0, |_, it| text(it, Url::hostname)),
    member("getPort", 0, 0, |_, it| text(it, Url::port)),
    member("getEscapedPath", 0, 0, |_, it| text(it, |url| &url.path)),
    member("getQuery", 0, 0, |_, it| match it {
        [Value::Url(url)] => Ok(url.queries()),
        _ => Err(no_overload("getQuery", it)),
    }),
];

fn text(it: &[Value], part: fn(&Url) -> &str) -> Answer {
    match it {
        [Value::Url(url)] => Ok(Value::string(part(url))),
        _ => Err(no_overload("url", it)),
    }
}
