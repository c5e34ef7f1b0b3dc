//! ClientTrafficPolicy: the client's address as other policies see it, and the path as routes see it.
//!
//! This follows the HTTP connection manager of Envoy Gateway 1.9.0. Without a policy, the client is the peer of the
//! connection, paths are normalized, repeated slashes are merged, and a path with an escaped slash is redirected to
//! the unescaped one.

use std::net::IpAddr;

use ipnet::IpNet;

use super::policies::InForce;
use super::{ChosenListener, Mark, Outcome, RequestState, Stage, StageResult, Step, path, stop};
use envoy_gateway::index::Key;
use envoy_gateway::policy::PolicyKind;
use envoy_gateway::read::{flag, has, int, list, text};
use manifest::value::Node;

/// The most addresses in `X-Forwarded-For` that Envoy reads.
const MOST_HOPS: usize = 20;

/// The client's address according to a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Detected {
    pub address: Option<IpAddr>,
    pub why: String,
    /// Whether the policy refuses requests without the header, and this is one.
    pub is_refused: bool,
}

impl Detected {
    fn is(address: Option<IpAddr>, why: impl Into<String>) -> Self {
        Detected {
            address,
            why: why.into(),
            is_refused: false,
        }
    }
}

/// Detects the client's address by `clientIPDetection`.
pub(super) fn detect(
    detection: Option<&Node>,
    from: Option<IpAddr>,
    forwarded: Option<&str>,
    header: impl Fn(&str) -> Option<String>,
) -> Detected {
    let Some(detection) = detection else {
        return Detected::is(
            from,
            "the address of the connection, because no policy changes it",
        );
    };
    if let Some(custom) = detection.get("customHeader") {
        let name = text(custom, &["name"]).unwrap_or_default();
        let value = header(&name.to_lowercase());
        return match value.as_deref().map(str::trim).map(str::parse) {
            Some(Ok(address)) => Detected::is(Some(address), format!("from the header {name}")),
            _ if flag(custom, &["failClosed"]) == Some(true) => Detected {
                is_refused: true,
                ..Detected::is(None, format!("the header {name} contains no address"))
            },
            _ => Detected::is(
                from,
                format!(
                    "the address of the connection, because the header {name} contains no address"
                ),
            ),
        };
    }
    let Some(settings) = detection.get("xForwardedFor") else {
        return Detected::is(from, "the address of the connection, as the policy says");
    };
    let hops: Vec<&str> = forwarded
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|hop| !hop.is_empty())
        .collect();
    let trusted = list(settings, &["trustedCIDRs"]);
    if trusted.is_empty() {
        let count = int(settings, &["numTrustedHops"]).unwrap_or_default();
        return by_count(count, from, &hops);
    }
    by_networks(&super::dns::words(trusted), from, &hops)
}

/// The address at this position from the right. Envoy Gateway counts from 1.
fn by_count(count: i64, from: Option<IpAddr>, hops: &[&str]) -> Detected {
    let place = usize::try_from(count.max(1)).unwrap_or(usize::MAX);
    let at = hops.len().checked_sub(place);
    let hop = at.and_then(|at| hops.get(at));
    match hop.and_then(|hop| hop.parse().ok()) {
        Some(address) => Detected::is(
            Some(address),
            format!("from X-Forwarded-For, number {place} from the right"),
        ),
        None => Detected::is(
            from,
            format!(
                "the address of the connection, because X-Forwarded-For has no address at number {place} from the right"
            ),
        ),
    }
}

/// The first address from the right that is not trusted, provided that the connection comes from a trusted one.
fn by_networks(trusted: &[&str], from: Option<IpAddr>, hops: &[&str]) -> Detected {
    let networks: Vec<(IpNet, &str)> = trusted
        .iter()
        .filter_map(|text| Some((text.parse().ok()?, *text)))
        .collect();
    let among = |address: IpAddr| networks.iter().find(|(net, _)| net.contains(&address));
    let Some(peer) = from else {
        return Detected::is(
            None,
            "it depends on whether the connection comes from a trusted network",
        );
    };
    let Some((_, network)) = among(peer) else {
        return Detected::is(
            from,
            format!(
                "the address of the connection, because it is in none of {}",
                trusted.join(", ")
            ),
        );
    };
    let mut seen = None;
    for hop in hops.iter().rev().take(MOST_HOPS) {
        let Ok(address) = hop.parse::<IpAddr>() else {
            return Detected::is(
                from,
                format!(
                    "the address of the connection, because `{hop}` in X-Forwarded-For is not an address"
                ),
            );
        };
        seen = Some(address);
        if among(address).is_none() {
            break;
        }
    }
    match seen {
        Some(_) => Detected::is(
            seen,
            format!("from X-Forwarded-For: {peer} is in {network}, which is trusted"),
        ),
        None => Detected::is(
            from,
            format!(
                "the address of the connection, because {peer} is trusted but sends no X-Forwarded-For"
            ),
        ),
    }
}

impl<'a> RequestState<'a, '_> {
    /// Applies the listener's policy to the client's address, the headers and the path.
    pub(super) fn client_policy(&mut self, found: ChosenListener) -> StageResult<ChosenListener> {
        if let Some((policy, why)) = self.ignored(found.listener) {
            let text = format!("ClientTrafficPolicy {} is ignored here", Key::of(policy));
            let step = Step::new(Stage::Client, text).mark(Mark::Minds).detail(why);
            self.add(step.at(policy, &["spec"]));
        }
        let policy = self.in_force(PolicyKind::Client, found.listener, None);
        if let Some((policy, why)) = policy
            .as_ref()
            .and_then(|it| Some((it, it.refused.clone()?)))
        {
            let step = Step::new(Stage::Client, format!("{} is refused", policy.named()))
                .mark(Mark::Stops)
                .detail(why);
            self.add_for(step, policy, &[]);
            // Where no route matches, the answer is still 404.
            self.is_refused_for_clients = true;
            return Ok(found);
        }
        self.client_address(policy.as_ref())?;
        let spec = policy.as_ref().map(|it| &it.spec);
        self.client_certificate(policy.as_ref(), found)?;
        if let Some(headers) = spec.and_then(|it| it.path(&["headers", "earlyRequestHeaders"])) {
            self.change_headers(headers);
        }
        self.plain_path(policy.as_ref())?;
        Ok(found)
    }

    /// Adds a step that a policy decides.
    pub(super) fn add_for(&mut self, step: Step<'a>, policy: &InForce<'a>, keys: &[&str]) {
        self.add(Step {
            place: policy.place(keys),
            ..step
        });
    }

    fn client_address(&mut self, policy: Option<&InForce<'a>>) -> StageResult<()> {
        let detection = policy.and_then(|it| it.spec.get("clientIPDetection"));
        let forwarded = self.request.header("x-forwarded-for");
        let detected = detect(detection, self.request.from, forwarded.as_deref(), |name| {
            self.request.header(name)
        });
        self.client = detected.address;
        let text = match detected.address {
            Some(address) => format!("the client is {address}"),
            None => "the client's address is not known".to_owned(),
        };
        let mark = match detected.address {
            None if detection.is_some() => Mark::Unknown,
            _ => Mark::Passes,
        };
        let mut step = Step::new(Stage::Client, text)
            .mark(mark)
            .detail(detected.why);
        if self.request.from.is_none() && detected.address.is_none() {
            step = step.detail("give the address of the connection with --from");
        }
        let has_proxy_protocol = policy.is_some_and(|it| {
            has(&it.spec, &["proxyProtocol"])
                || flag(&it.spec, &["enableProxyProtocol"]) == Some(true)
        });
        if has_proxy_protocol {
            step = step
                .detail("the address of the connection is the one in the PROXY protocol header");
        }
        if detected.is_refused {
            step = step.mark(Mark::Stops);
        }
        match policy.filter(|_| detection.is_some()) {
            Some(policy) => self.add_for(step, policy, &["clientIPDetection"]),
            None => self.add(step),
        }
        match detected.is_refused {
            true => stop(403, "the client's address can't be detected (`failClosed`)"),
            false => Ok(()),
        }
    }

    /// Sets, adds and removes headers of the request.
    pub(super) fn change_headers(&mut self, change: &Node) {
        let name_of = |one: &Node| text(one, &["name"]).unwrap_or_default().to_lowercase();
        let value_of = |one: &Node| text(one, &["value"]).unwrap_or_default().to_owned();
        let headers = &mut self.request.headers;
        for one in list(change, &["set"]) {
            let name = name_of(one);
            headers.retain(|(its, _)| *its != name);
            headers.push((name, value_of(one)));
        }
        for one in list(change, &["add"]) {
            headers.push((name_of(one), value_of(one)));
        }
        for one in list(change, &["addIfAbsent"]) {
            let name = name_of(one);
            if !headers.iter().any(|(its, _)| *its == name) {
                headers.push((name, value_of(one)));
            }
        }
        for name in list(change, &["remove"]).iter().filter_map(Node::as_str) {
            let name = name.to_lowercase();
            headers.retain(|(its, _)| *its != name);
        }
    }

    /// Normalizes the path, as routes see it.
    fn plain_path(&mut self, policy: Option<&InForce<'a>>) -> StageResult<()> {
        let spec = policy.map(|it| &it.spec);
        let keeps_slashes = spec
            .and_then(|it| flag(it, &["path", "disableMergeSlashes"]))
            .unwrap_or_default();
        let action = spec
            .and_then(|it| text(it, &["path", "escapedSlashesAction"]))
            .unwrap_or("UnescapeAndRedirect");
        let written = self.request.path.clone();
        let unescaped = path::unescaped_slashes(&written);
        if let Some(plain) = unescaped {
            let plain = path::normalized(&plain.replace('\\', "/"), !keeps_slashes);
            let step = Step::new(Stage::Client, format!("{written} has an escaped slash"));
            let ended = match action {
                "KeepUnchanged" => None,
                "UnescapeAndForward" => {
                    self.request.path = plain;
                    None
                }
                "RejectRequest" => Some(Outcome::Response {
                    status: 400,
                    why: "paths with escaped slashes are refused (`escapedSlashesAction`)"
                        .to_owned(),
                }),
                _ => {
                    let mut to = self.request.clone();
                    to.path = plain;
                    Some(Outcome::Redirect {
                        status: 307,
                        location: to.target(),
                        is_loop: false,
                    })
                }
            };
            if let Some(outcome) = ended {
                let step = step.mark(Mark::Stops).detail(action);
                match policy {
                    Some(policy) => self.add_for(step, policy, &["path"]),
                    None => self.add(step),
                }
                return Err(outcome);
            }
        }
        let plain = path::normalized(&self.request.path, !keeps_slashes);
        if plain != self.request.path {
            let text = format!("the path {written} is normalized to {plain}");
            self.add(Step::new(Stage::Client, text));
            self.request.path = plain;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn seen(detection: Value, from: &str, forwarded: &str) -> String {
        let detection = Node::from_json(detection);
        let header = |name: &str| (name == "x-client").then(|| "203.0.113.9".to_owned());
        let found = detect(Some(&detection), from.parse().ok(), Some(forwarded), header);
        found.address.map_or("?".to_owned(), |it| it.to_string())
    }

    #[test]
    fn the_client_is_found_as_envoy_finds_it() {
        let hops = |count: i64| json!({"xForwardedFor": {"numTrustedHops": count}});
        let nets = json!({"xForwardedFor": {"trustedCIDRs": ["10.42.0.0/16", "10.10.30.0/24"]}});
        let chain = "203.0.113.1, 203.0.113.2, 10.42.0.9";
        for (detection, from, forwarded, want) in [
            (hops(1), "10.42.0.1", chain, "10.42.0.9"),
            (hops(2), "10.42.0.1", chain, "203.0.113.2"),
            (hops(9), "10.42.0.1", chain, "10.42.0.1"),
            (nets.clone(), "10.42.0.1", chain, "203.0.113.2"),
            (nets.clone(), "198.51.100.1", chain, "198.51.100.1"),
            (
                nets.clone(),
                "10.42.0.1",
                "10.10.30.4, 10.42.0.9",
                "10.10.30.4",
            ),
            (nets.clone(), "10.42.0.1", "", "10.42.0.1"),
            (nets.clone(), "10.42.0.1", "x", "10.42.0.1"),
            (nets, "", chain, "?"),
            (
                json!({"customHeader": {"name": "X-Client"}}),
                "10.42.0.1",
                "",
                "203.0.113.9",
            ),
            (
                json!({"customHeader": {"name": "X-No"}}),
                "10.42.0.1",
                "",
                "10.42.0.1",
            ),
            (
                json!({"customHeader": {"name": "X-No", "failClosed": true}}),
                "10.42.0.1",
                "",
                "?",
            ),
            (
                json!({"directSourceIP": {}}),
                "10.42.0.1",
                chain,
                "10.42.0.1",
            ),
        ] {
            assert_eq!(
                seen(detection.clone(), from, forwarded),
                want,
                "{detection} {from}"
            );
        }
    }
}
