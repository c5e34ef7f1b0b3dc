//! Whether a text is a URL to Go: `net/url.ParseRequestURI`, which the format `uri` and the functions of CEL use.

use std::net::Ipv6Addr;

/// Whether a text is an absolute URL or an absolute path. What follows a `#` is part of the path or the query.
pub fn is_request_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let Some((scheme, rest)) = scheme(text) else {
        return false;
    };
    let path = rest.split('?').next().unwrap_or_default();
    if !path.starts_with('/') {
        // Without slashes the rest is opaque, and needs a scheme.
        return !scheme.is_empty();
    }
    let path = match path.strip_prefix("//").filter(|_| !scheme.is_empty()) {
        Some(after) => {
            let end = after.find('/').unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            if !is_authority(scheme, authority) {
                return false;
            }
            path
        }
        None => path,
    };
    has_whole_escapes(path)
}

/// The scheme, which may be empty, and what follows it; `None` if there is only a colon.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let Some((scheme, rest)) = text.split_once(':') else {
        return Some(("", text));
    };
    match scheme.chars().next() {
        None => None,
        Some(first) if first.is_ascii_alphabetic() && scheme.chars().all(is_part) => {
            Some((scheme, rest))
        }
        Some(_) => Some(("", text)),
    }
}

fn is_authority(scheme: &str, authority: &str) -> bool {
    let is_user = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            user.chars().all(is_user) && has_whole_escapes(user) && is_host(scheme, host)
        }
        None => is_host(scheme, authority),
    }
}

fn is_host(scheme: &str, host: &str) -> bool {
    match host.rfind('[') {
        Some(0) => host.rfind(']').is_some_and(|end| {
            let (literal, port) = (&host[1..end], &host[end + 1..]);
            is_port(port) && is_ipv6(literal)
        }),
        Some(_) => false,
        None => {
            let is_web = matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
            let colon = if is_web {
                host.find(':')
            } else {
                host.rfind(':')
            };
            colon.is_none_or(|at| is_port(&host[at..])) && is_host_text(host)
        }
    }
}

/// An IPv6 address, whose zone is written behind `%25`.
fn is_ipv6(literal: &str) -> bool {
    let (address, zone) = match literal.split_once("%25") {
        Some((address, zone)) => (address, Some(zone)),
        None => (literal, None),
    };
    address.parse::<Ipv6Addr>().is_ok()
        && zone.is_none_or(|zone| !zone.is_empty() && has_whole_escapes(zone))
}

fn is_port(port: &str) -> bool {
    let digits = port.strip_prefix(':');
    port.is_empty() || digits.is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a host has only characters that may be in one. An escape must stand for a character beyond ASCII, or `%`.
fn is_host_text(host: &str) -> bool {
    let is_plain = |c: char| {
        !c.is_ascii() || c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:[]<>\"%".contains(c)
    };
    let is_escape = |after: &str| {
        after.starts_with("25")
            || after.starts_with(|c: char| matches!(c, '8'..='9' | 'a'..='f' | 'A'..='F'))
    };
    host.chars().all(is_plain) && has_whole_escapes(host) && host.split('%').skip(1).all(is_escape)
}

/// Whether every `%` has two hexadecimal digits behind it.
fn has_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        matches!(after.as_bytes(), [one, two, ..] if one.is_ascii_hexdigit() && two.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_those_of_go() {
        for text in [
            "http://foo.bar/#com",
            "/abs/test/dir",
            "mailto:someone@example.com",
            "http://user:pass@www.foobar.com/",
            "http://foobar.com/t$-_.+!*\\'(),",
            "http://[::1]:80/",
            "http://[fe80::1%25eth0]/",
            "http://",
            "*",
            "x:",
            "//a b",
            "http://a?%zz",
        ] {
            assert!(is_request_uri(text), "{text}");
        }
        for text in [
            "",
            "foobar.com",
            "./rel",
            ":a",
            "1a:b",
            "http://a b/",
            "http://%zz/",
            "http://a:b/",
            "http://[::1",
            "http://[1.2.3.4]/",
            "http://a/%zz",
            "http://%41/",
            "/\u{7f}",
            "http://a:1:2/",
        ] {
            assert!(!is_request_uri(text), "{text}");
        }
        assert!(is_request_uri("ftp://a:1:2/"));
    }
}
