//! Filters that change paths, hostnames and headers, and contradictions between them.

use super::fault::Fault;
use super::filters::{Filters, Rewrite, refused};
use super::read::{has, int, list, text};
use super::rules::is_pattern;
use k8s_syntax::names;
use manifest::value::{Node, variable};

fn check_host(host: Option<&str>) -> Result<(), Fault> {
    let Some(host) = host.filter(|host| !variable::in_text(host)) else {
        return Ok(());
    };
    let is_good = names::is_dns_subdomain(host)
        && host.split('.').all(|label| label.len() <= 63)
        && host.parse::<std::net::IpAddr>().is_err();
    match is_good {
        true => Ok(()),
        false => Err(refused(format!("`{host}` is not a hostname"))),
    }
}

pub(super) fn rewrite(node: Option<&Node>, filters: &mut Filters<'_>) -> Result<(), Fault> {
    let Some(node) = node else {
        return Ok(());
    };
    let (host, path) = (node.get("hostname"), node.get("path"));
    let is_core = |it: Option<Rewrite>| it == Some(Rewrite::Core);
    let is_other = |it: Option<Rewrite>| it == Some(Rewrite::Extension);
    let is_second =
        (is_core(filters.path) || is_core(filters.host)) && (host.is_some() || path.is_some());
    if is_second
        || (host.is_some() && is_other(filters.host))
        || (path.is_some() && is_other(filters.path))
    {
        return Err(refused("a rule can have only one URL rewrite"));
    }
    check_host(text(node, &["hostname"]))?;
    if host.is_some() {
        filters.host.get_or_insert(Rewrite::Core);
    }
    if let Some(path) = path {
        check_path(path)?;
        filters.path.get_or_insert(Rewrite::Core);
    }
    Ok(())
}

/// Checks the path of a rewrite: it must have the field that its type names, and no other.
fn check_path(path: &Node) -> Result<(), Fault> {
    const TYPES: [(&str, &str, &str); 2] = [
        ("ReplaceFullPath", "replaceFullPath", "replacePrefixMatch"),
        (
            "ReplacePrefixMatch",
            "replacePrefixMatch",
            "replaceFullPath",
        ),
    ];
    let its = text(path, &["type"]).unwrap_or_default();
    let Some((_, wanted, other)) = TYPES.iter().find(|(name, _, _)| *name == its) else {
        return Err(refused(format!(
            "a path can't be rewritten with type `{its}`"
        )));
    };
    if has(path, &[other]) {
        return Err(refused(format!(
            "a path of type {its} can't have `{other}`"
        )));
    }
    match has(path, &[wanted]) {
        true => Ok(()),
        false => Err(refused(format!("a path of type {its} needs `{wanted}`"))),
    }
}

pub(super) fn redirect(node: Option<&Node>, filters: &mut Filters<'_>) -> Result<(), Fault> {
    if filters.redirects {
        return Err(refused("a rule can have only one redirect"));
    }
    let Some(node) = node else {
        return Ok(());
    };
    if let Some(scheme) = text(node, &["scheme"]).filter(|it| !matches!(*it, "http" | "https")) {
        return Err(refused(format!(
            "a redirect can't have the scheme `{scheme}`; http and https are supported"
        )));
    }
    check_host(text(node, &["hostname"]))?;
    let path = text(node, &["path", "type"]);
    if let Some(other) = path.filter(|it| !matches!(*it, "ReplaceFullPath" | "ReplacePrefixMatch"))
    {
        return Err(refused(format!(
            "a path can't be replaced with type `{other}`"
        )));
    }
    let status = int(node, &["statusCode"]);
    if let Some(status) = status.filter(|it| !matches!(it, 301 | 302 | 303 | 307 | 308)) {
        return Err(refused(format!("{status} is not a status of a redirect")));
    }
    filters.redirects = true;
    Ok(())
}

/// A modifier of request headers (0) or response headers (1).
pub(super) fn headers(
    node: Option<&Node>,
    side: usize,
    filters: &mut Filters<'_>,
) -> Result<(), Fault> {
    let Some(node) = node else {
        return Ok(());
    };
    let mut wrong = Vec::new();
    let mut given = 0;
    let mut good = 0;
    for one in list(node, &["add"]).iter().chain(list(node, &["set"])) {
        given += 1;
        let name = text(one, &["name"]).unwrap_or_default();
        let value = one.get("value").and_then(Node::as_str).unwrap_or_default();
        if !is_modifiable(name) {
            wrong.push(format!("the header `{name}` can't be set"));
        } else if !is_header_value(value) {
            wrong.push(format!(
                "the header `{name}` can't have the value `{value}`"
            ));
        } else {
            good += 1;
        }
    }
    for one in list(node, &["remove"]) {
        given += 1;
        let name = one.as_str().unwrap_or_default();
        match is_modifiable(name) {
            true => good += 1,
            false => wrong.push(format!("the header `{name}` can't be removed")),
        }
    }
    let before = filters.headers.get_mut(side).map_or(0, |count| {
        *count += good;
        *count
    });
    if before == 0 && given > 0 && wrong.is_empty() {
        wrong.push("the filter changes no header".to_owned());
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(refused(wrong.join("; "))),
    }
}

/// Whether a header may be changed: there are other filters for the host, and names with `:` are reserved by HTTP/2.
pub(super) fn is_modifiable(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', ':']) && !name.eq_ignore_ascii_case("host")
}

/// Whether a string is a valid header value (RFC 7230): visible characters with single blanks between them.
pub(super) fn is_header_value(value: &str) -> bool {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let bytes = value.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter()
        .all(|end| end.is_some_and(|byte| !is_blank(*byte)))
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() || is_blank(*byte))
        && !bytes
            .windows(2)
            .any(|pair| pair.iter().all(|byte| is_blank(*byte)))
}

/// The rewrite of an HTTPRouteFilter.
pub(super) fn extended_rewrite(node: &Node, filters: &mut Filters<'_>) -> Result<(), Fault> {
    let (host, path) = (node.get("hostname"), node.get("path"));
    let is = |it: Option<Rewrite>, whose| it == Some(whose);
    let is_second = (is(filters.path, Rewrite::Extension) || is(filters.host, Rewrite::Extension))
        && (host.is_some() || path.is_some());
    if is_second
        || (host.is_some() && is(filters.host, Rewrite::Core))
        || (path.is_some() && is(filters.path, Rewrite::Core))
    {
        return Err(refused("a rule can have only one URL rewrite"));
    }
    if let Some(path) = path.filter(|path| text(path, &["type"]) == Some("ReplaceRegexMatch")) {
        check_pattern(
            text(path, &["replaceRegexMatch", "pattern"]),
            "path.replaceRegexMatch.pattern",
        )?;
        filters.path.get_or_insert(Rewrite::Extension);
    }
    let Some(host) = host else {
        return Ok(());
    };
    match text(host, &["type"]) {
        Some("Header") if !has(host, &["header"]) => {
            return Err(refused("a hostname of type `Header` needs `header`"));
        }
        Some("PathRegex") => {
            check_pattern(
                text(host, &["pathRegex", "pattern"]),
                "hostname.pathRegex.pattern",
            )?;
            if text(host, &["pathRegex", "substitution"]).is_none() {
                return Err(refused(
                    "a hostname of type `PathRegex` needs a `substitution`",
                ));
            }
            filters.rewrites_host_by_path = filters.host.is_none();
        }
        _ => {}
    }
    filters.host.get_or_insert(Rewrite::Extension);
    Ok(())
}

fn check_pattern(pattern: Option<&str>, what: &str) -> Result<(), Fault> {
    match pattern {
        None => Err(refused(format!("`{what}` is missing"))),
        Some(pattern) if !is_pattern(pattern) => Err(refused(format!(
            "`{what}` is not a valid regular expression"
        ))),
        Some(_) => Ok(()),
    }
}
