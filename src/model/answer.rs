//! Routes that the gateway answers itself: redirects to other URLs, and responses.

use serde::Serialize;

use super::ObjectInput;
use super::attach::Wanted;
use super::gateway::Gateway;
use super::names::{self, Rule};
use super::route::{Parent, check_status};
use crate::config::types::Overlay;
use crate::config::{Cluster, Count, Text, Texts, codes};
use manifest::diagnostic::{Diagnostic, Spanned};

/// The values for the template of a route that the gateway answers itself.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// The name of the route.
    pub name: Text,
    /// The listeners that it attaches to.
    pub parents: Vec<Parent>,
    /// The hostnames of the requests.
    pub hostnames: Vec<Text>,
    /// The beginning of the paths.
    pub path: Option<Text>,
    /// The URL to redirect to; `None` for a response.
    pub to: Option<Target>,
    /// The HTTP status.
    pub status: Spanned<Count>,
    /// The settings of a response from `cluster.toml`.
    pub response: Option<crate::config::answer::Response>,
}

/// The parts of a URL to redirect to.
#[derive(Clone, Debug, Serialize)]
pub struct Target {
    /// The scheme.
    pub scheme: Option<Text>,
    /// The host.
    pub hostname: Option<Text>,
    /// The port.
    pub port: Option<Spanned<i64>>,
    /// The path.
    pub path: Option<Text>,
    /// `ReplaceFullPath` or `ReplacePrefixMatch`.
    pub path_type: &'static str,
}

/// Builds the routes of all redirects and responses.
pub fn build(
    cluster: &Cluster,
    gateways: &[ObjectInput<Gateway>],
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Vec<ObjectInput<Answer>> {
    let mut answers = Vec::new();
    for (name, table) in cluster.redirects.iter() {
        let owner = format!("redirects.{}", name.value);
        let route = Route {
            owner: &owner,
            name,
            hostnames: &table.hostnames,
            gateways: &table.gateways,
            listener: table.listener.as_ref(),
        };
        let parents = route.parents(gateways, namespace, problems);
        let keeps = table.keep_path.as_ref().map(|keep| keep.value);
        let to = match &table.to {
            Some(to) => target(to, keeps, problems),
            None => {
                problems.push(missing(
                    &owner,
                    name,
                    "URL to redirect to",
                    "to = \"https://www.example.com\"",
                ));
                None
            }
        };
        let status = table.status.clone();
        let status = status.unwrap_or(Spanned::unwritten(Count::Number(301)));
        check_status(&status, problems);
        let (Some(parents), Some(to)) = (parents, to) else {
            continue;
        };
        answers.push(ObjectInput {
            values: Answer {
                name: name.clone(),
                parents,
                hostnames: table.hostnames.to_vec(),
                path: table.path.clone(),
                to: Some(to),
                status,
                response: None,
            },
            overlay: table.overlay(),
        });
    }
    for (name, table) in cluster.responses.iter() {
        let owner = format!("responses.{}", name.value);
        let route = Route {
            owner: &owner,
            name,
            hostnames: &table.hostnames,
            gateways: &table.gateways,
            listener: table.listener.as_ref(),
        };
        let parents = route.parents(gateways, namespace, problems);
        if let (Some(body), Some(map)) = (&table.body, &table.config_map) {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_CONTRADICTION,
                    "`body` and `config_map` are both given",
                )
                .at(map.span)
                .related(body.span, "the other body")
                .why("a response has one body")
                .help("keep one of the two"),
            );
        }
        let Some(parents) = parents else { continue };
        let status = table.status.clone();
        answers.push(ObjectInput {
            values: Answer {
                name: name.clone(),
                parents,
                hostnames: table.hostnames.to_vec(),
                path: table.path.clone(),
                to: None,
                status: status.unwrap_or(Spanned::unwritten(Count::Number(200))),
                response: Some(table.clone()),
            },
            overlay: table.overlay(),
        });
    }
    answers
}

/// The filter with the response of an answer, which has no overlay.
pub fn filter(answer: &ObjectInput<Answer>) -> Option<ObjectInput<Answer>> {
    answer.values.response.as_ref()?;
    Some(ObjectInput {
        values: answer.values.clone(),
        overlay: Overlay::default(),
    })
}

/// What both tables say about their route.
struct Route<'a> {
    owner: &'a str,
    name: &'a Text,
    hostnames: &'a Texts,
    gateways: &'a Texts,
    listener: Option<&'a Text>,
}

impl Route<'_> {
    fn parents(
        &self,
        gateways: &[ObjectInput<Gateway>],
        namespace: &Text,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Vec<Parent>> {
        names::check(Rule::Subdomain, "a route's name", self.name, problems);
        for hostname in self.hostnames.iter() {
            names::check(Rule::Hostname, "a hostname", hostname, problems);
        }
        if self.hostnames.is_empty() {
            let example = "hostnames = \"old.example.com\"";
            problems.push(missing(self.owner, self.name, "hostname", example));
            return None;
        }
        let wanted = Wanted {
            owner: self.owner.to_owned(),
            name: self.name,
            gateways: self.gateways,
            listener: self.listener,
            hostnames: self.hostnames,
        };
        wanted.parents(gateways, namespace, problems)
    }
}

/// The parts of a URL, or of a path alone.
fn target(to: &Text, keeps: Option<bool>, problems: &mut Vec<Diagnostic>) -> Option<Target> {
    let (scheme, rest) = match to.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, to.as_str()),
    };
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (host, None),
    };
    let number = port.map(|port| port.parse::<u16>().ok().filter(|port| *port > 0));
    let is_url = matches!(scheme, Some("http" | "https"))
        && names::follows(Rule::Subdomain, host)
        && number != Some(None);
    let is_path = scheme.is_none() && host.is_empty() && !path.is_empty();
    if !is_url && !is_path {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("{:?} is neither a URL nor a path", to.value),
            )
            .at(to.span)
            .why("nobody could be redirected to it")
            .help("write `https://www.example.com/new`, or `/new` for a path on the same host"),
        );
        return None;
    }
    let part = |text: &str| to.with(text.to_owned());
    let path = match (path, keeps) {
        ("", Some(false)) => Some("/"),
        ("", _) => None,
        (path, _) => Some(path),
    };
    Some(Target {
        scheme: scheme.map(part),
        hostname: Some(host).filter(|host| !host.is_empty()).map(part),
        port: number.flatten().map(|port| to.with(i64::from(port))),
        path: path.map(part),
        path_type: match keeps {
            Some(true) => "ReplacePrefixMatch",
            _ => "ReplaceFullPath",
        },
    })
}

fn missing(owner: &str, name: &Text, what: &str, example: &str) -> Diagnostic {
    Diagnostic::new(codes::CONFIG_MISSING_KEY, format!("{owner} has no {what}"))
        .at(name.span)
        .why("it has no default")
        .help(format!("add `{example}`"))
}
