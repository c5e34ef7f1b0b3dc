//! Applies the filters of a rule: redirects, rewrites, direct responses, headers.

use super::dns::named;
use super::route::{ChosenRule, parent_at};
use super::{Mark, Outcome, RequestState, Scheme, SettingPlace, Stage, StageResult, Step, stop};
use envoy_gateway::condition::kind;
use envoy_gateway::index::{ENVOY_GATEWAY, Key};
use envoy_gateway::read::{has, int, list, text};
use envoy_gateway::view::Route;
use manifest::Object;
use manifest::value::{Node, Pointer};

/// Replaces the prefix of a path as Envoy does with the configuration of Envoy Gateway: it only puts one text in place of
/// the other, so slashes between the parts may be lost (`/` by `/xyz`) or doubled (`/foo` by `/xyz/`). The Gateway API
/// wants neither. Only if the prefix is removed altogether does Envoy Gateway take care of the slashes.
pub fn replace_prefix(path: &str, prefix: &str, replacement: &str) -> String {
    if matches!(replacement, "" | "/") {
        return match path.strip_prefix(prefix) {
            Some(rest) => format!("/{}", rest.trim_start_matches('/')),
            None => path.to_owned(),
        };
    }
    let matched = match prefix {
        "/" => prefix,
        prefix => prefix.strip_suffix('/').unwrap_or(prefix),
    };
    let rest = path.strip_prefix(matched).unwrap_or_default();
    format!("{replacement}{rest}")
}

/// The path after the `path` of a redirect or a rewrite.
fn new_path(change: Option<&Node>, path: &str, prefix: Option<&str>) -> Option<String> {
    let change = change?;
    match text(change, &["type"])? {
        "ReplaceFullPath" => Some(text(change, &["replaceFullPath"]).unwrap_or("/").to_owned()),
        "ReplacePrefixMatch" => {
            let to = text(change, &["replacePrefixMatch"]).unwrap_or("/");
            Some(replace_prefix(path, prefix?, to))
        }
        _ => None,
    }
}

impl<'a> RequestState<'a, '_> {
    /// The HTTPRouteFilters of a rule that are given.
    pub(super) fn own_filters(&self, route: &Route<'a>, rule: &Node) -> Vec<&'a Object> {
        let filters = list(rule, &["filters"]).iter();
        filters
            .filter_map(|it| self.own_filter(route, it.get("extensionRef")?))
            .collect()
    }

    fn own_filter(&self, route: &Route<'a>, reference: &Node) -> Option<&'a Object> {
        let is_own = text(reference, &["kind"]) == Some("HTTPRouteFilter")
            && text(reference, &["group"]) == Some(ENVOY_GATEWAY);
        let key = Key {
            namespace: route.object.namespace(),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        is_own.then(|| self.inputs.find("HTTPRouteFilter", key))?
    }

    /// Applies the filters of the rule in order.
    pub(super) fn filters(&mut self, chosen: &ChosenRule<'a>) -> StageResult<()> {
        let Some(route) = self.inputs.resolved.route(chosen.route) else {
            return Ok(());
        };
        let Some(rule) = route.rules.get(chosen.rule) else {
            return Ok(());
        };
        let pointer = Pointer::root().key("spec").key("rules");
        let pointer = pointer.index(chosen.rule).key("filters");
        let faults = parent_at(route, chosen.listener).map(|it| &it.faults);
        let refused = faults.into_iter().flat_map(|it| it.iter()).find(|fault| {
            fault.pointer.as_ref() == Some(&pointer)
                && !fault.is_unknown
                && fault.kind != kind::BACKENDS_AVAILABLE
        });
        if let Some(fault) = refused {
            let text = format!("the controller refuses the filters of {}", named(route));
            let object = route.object;
            let step = Step::new(Stage::Filter, text)
                .mark(Mark::Stops)
                .detail(fault.message.clone())
                .place(SettingPlace { object, pointer });
            self.add(step);
            return stop(500, "a rule with a filter that is refused answers 500");
        }
        for (at, filter) in list(rule.node, &["filters"]).iter().enumerate() {
            let place = SettingPlace {
                object: route.object,
                pointer: pointer.index(at),
            };
            self.filter(route, chosen, filter, place)?;
        }
        Ok(())
    }

    fn filter(
        &mut self,
        route: &Route<'a>,
        chosen: &ChosenRule<'a>,
        filter: &'a Node,
        place: SettingPlace<'a>,
    ) -> StageResult<()> {
        let tell = |text: String| Step::new(Stage::Filter, text).place(place.clone());
        match text(filter, &["type"]).unwrap_or_default() {
            "RequestRedirect" => {
                let redirect = filter.get("requestRedirect");
                let (status, location) = self.redirect(redirect, chosen);
                let text = format!("{} redirects with {status} to {location}", named(route));
                self.add(tell(text).mark(Mark::Stops));
                Err(Outcome::Redirect {
                    status,
                    location,
                    is_loop: false,
                })
            }
            "URLRewrite" => {
                if let Some(rewrite) = filter.get("urlRewrite") {
                    let text = self.rewrite(rewrite, chosen);
                    self.add(tell(text));
                }
                Ok(())
            }
            "RequestHeaderModifier" => {
                if let Some(change) = filter.get("requestHeaderModifier") {
                    self.change_headers(change);
                    self.add(tell(format!("request headers: {}", changed(change))));
                }
                Ok(())
            }
            "ResponseHeaderModifier" => {
                if let Some(change) = filter.get("responseHeaderModifier") {
                    self.add(tell(format!("response headers: {}", changed(change))));
                }
                Ok(())
            }
            "RequestMirror" => {
                let path = ["requestMirror", "backendRef", "name"];
                let to = text(filter, &path).unwrap_or_default();
                self.add(tell(format!("a copy of the request goes to {to}")));
                Ok(())
            }
            "ExtensionRef" => self.extension(route, filter, place),
            _ => Ok(()),
        }
    }

    /// The status and the location of a redirect.
    fn redirect(&self, redirect: Option<&Node>, chosen: &ChosenRule<'a>) -> (u16, String) {
        let get = |key: &str| redirect.and_then(|it| text(it, &[key]));
        let number = |key: &str| redirect.and_then(|it| int(it, &[key]));
        let status = number("statusCode").and_then(|it| u16::try_from(it).ok());
        let mut to = self.request.clone();
        let scheme = get("scheme");
        match scheme {
            Some("https") => to.scheme = Scheme::Https,
            Some("http") => to.scheme = Scheme::Http,
            _ => {}
        }
        to.host = get("hostname")
            .unwrap_or(&self.request.authority)
            .to_owned();
        let port = number("port").and_then(|it| u16::try_from(it).ok());
        to.port = match (port, scheme) {
            (Some(port), _) => port,
            (None, Some("https")) => 443,
            (None, Some("http")) => 80,
            // The port of the listener, which is the one of the request.
            _ => self.request.port,
        };
        let path = redirect.and_then(|it| it.get("path"));
        if let Some(path) = new_path(path, &to.path, chosen.prefix.as_deref()) {
            to.path = path;
        }
        (status.unwrap_or(302), to.to_string())
    }

    /// Rewrites host and path for the backend, and describes the change.
    fn rewrite(&mut self, rewrite: &Node, chosen: &ChosenRule<'a>) -> String {
        let mut told = Vec::new();
        let path = new_path(
            rewrite.get("path"),
            &self.request.path,
            chosen.prefix.as_deref(),
        );
        if let Some(path) = path {
            told.push(format!("path {} is rewritten to {path}", self.request.path));
            self.request.path = path;
        }
        if let Some(host) = text(rewrite, &["hostname"]) {
            told.push(format!("host is rewritten to {host}"));
            self.request.authority = host.to_owned();
        }
        match told.is_empty() {
            true => "nothing is rewritten".to_owned(),
            false => told.join("; "),
        }
    }

    /// Applies an HTTPRouteFilter.
    fn extension(
        &mut self,
        route: &Route<'a>,
        filter: &Node,
        place: SettingPlace<'a>,
    ) -> StageResult<()> {
        let Some(reference) = filter.get("extensionRef") else {
            return Ok(());
        };
        let name = text(reference, &["name"]).unwrap_or_default();
        let Some(object) = self.own_filter(route, reference) else {
            let kind = text(reference, &["kind"]).unwrap_or_default();
            let step = Step::new(
                Stage::Filter,
                format!("{kind} {name} is not in the given files"),
            )
            .mark(Mark::Unknown)
            .place(place);
            self.add(step);
            return Ok(());
        };
        if let Some(rewrite) = object.node.path(&["spec", "urlRewrite"]) {
            let step = self.own_rewrite(object, rewrite);
            self.add(step.at(object, &["spec", "urlRewrite"]));
        }
        if has(&object.node, &["spec", "credentialInjection"]) {
            let step = Step::new(Stage::Filter, "a credential is added to the request");
            self.add(step.at(object, &["spec", "credentialInjection"]));
        }
        let Some(response) = object.node.path(&["spec", "directResponse"]) else {
            return Ok(());
        };
        let status = int(response, &["statusCode"]).and_then(|it| u16::try_from(it).ok());
        let status = status.unwrap_or(200);
        let text = format!("HTTPRouteFilter {name} responds with {status}");
        let step = Step::new(Stage::Filter, text).mark(Mark::Stops);
        self.add(step.at(object, &["spec", "directResponse"]));
        Err(Outcome::Response {
            status,
            why: "a direct response, which needs no backend".to_owned(),
        })
    }

    /// Rewrites the path by a pattern, or the host by a header.
    fn own_rewrite(&mut self, object: &Object, rewrite: &Node) -> Step<'a> {
        let mut told = Vec::new();
        let mut mark = Mark::Passes;
        let change = rewrite.path(&["path", "replaceRegexMatch"]);
        if let Some(change) = change {
            let pattern = text(change, &["pattern"]).unwrap_or_default();
            let to = text(change, &["substitution"]).unwrap_or_default();
            match regex::Regex::new(pattern) {
                Ok(read) => {
                    let path = read
                        .replace_all(&self.request.path, dollars(to))
                        .into_owned();
                    told.push(format!("path {} is rewritten to {path}", self.request.path));
                    self.request.path = path;
                }
                Err(_) => {
                    told.push(format!(
                        "path is rewritten by `{pattern}`, which can't be evaluated here"
                    ));
                    mark = Mark::Unknown;
                }
            }
        }
        if let Some(host) = rewrite.get("hostname") {
            let by = text(host, &["type"]).unwrap_or_default();
            told.push(match text(host, &["header"]) {
                Some(header) => format!("the host is taken from the header {header}"),
                None => format!("the host is rewritten by {by}"),
            });
        }
        let text = format!("HTTPRouteFilter {}: {}", Key::of(object), told.join("; "));
        Step::new(Stage::Filter, text).mark(mark)
    }
}

/// Converts a substitution of RE2 (`\1`) to the syntax of the engine used here (`${1}`).
fn dollars(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '$' => out.push_str("$$"),
            '\\' => match chars.next() {
                Some(digit) if digit.is_ascii_digit() => out.push_str(&format!("${{{digit}}}")),
                other => out.extend(other),
            },
            c => out.push(c),
        }
    }
    out
}

/// Describes the changes of a header modifier.
fn changed(change: &Node) -> String {
    let mut told = Vec::new();
    for verb in ["set", "add"] {
        for one in list(change, &[verb]) {
            let name = text(one, &["name"]).unwrap_or_default();
            let value = text(one, &["value"]).unwrap_or_default();
            told.push(format!("{verb} {name}: {value}"));
        }
    }
    let removed = list(change, &["remove"]).iter().filter_map(Node::as_str);
    told.extend(removed.map(|name| format!("remove {name}")));
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_replaced_as_envoy_replaces_them() {
        for (path, prefix, to, want) in [
            ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
            ("/foo/bar", "/foo", "/xyz/", "/xyz//bar"),
            ("/foo/bar", "/foo/", "/xyz", "/xyz/bar"),
            ("/foo", "/foo", "/xyz", "/xyz"),
            ("/foo/", "/foo", "/xyz", "/xyz/"),
            ("/foo/bar", "/foo", "", "/bar"),
            ("/foo", "/foo", "", "/"),
            ("/foo/", "/foo", "/", "/"),
            ("/foo/bar", "/", "/xyz", "/xyzfoo/bar"),
            ("/foo/bar", "/", "/xyz/", "/xyz/foo/bar"),
            ("/foo", "/foo/", "/", "/foo"),
        ] {
            assert_eq!(
                replace_prefix(path, prefix, to),
                want,
                "{path} {prefix} {to}"
            );
        }
    }

    #[test]
    fn substitutions_of_re2_are_read() {
        assert_eq!(dollars(r"/\1/$x\\"), r"/${1}/$$x\");
    }
}
