//! Compares trusted sources: networks, proxies and headers.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::{ChangeKind, Changes, Direction};
use crate::exposure::table::{ExposedListener, Trusted};

/// Whether the networks `after` include addresses that those in `before` don't. A network that can't be
/// parsed, such as a Flux variable, counts as new if it is not in `before`.
pub fn is_wider(before: &BTreeSet<&str>, after: &BTreeSet<&str>) -> bool {
    let known: Vec<IpNet> = before.iter().filter_map(|text| net(text)).collect();
    let known = IpNet::aggregate(&known);
    after
        .iter()
        .filter(|text| !before.contains(*text))
        .any(|text| match net(text) {
            Some(net) => !known.iter().any(|known| known.contains(&net)),
            None => true,
        })
}

fn net(text: &str) -> Option<IpNet> {
    text.parse()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .ok()
}

/// Adds the change of the sources that a listener trusts for the client's address.
pub fn compare_listener(
    gateway: &str,
    old: &ExposedListener,
    new: &ExposedListener,
    found: &mut Changes,
) {
    let (was, is) = (old.trusted.as_ref(), new.trusted.as_ref());
    let (before, after) = (describe(was), describe(is));
    if before == after {
        return;
    }
    let nets = |it: Option<&Trusted>| -> BTreeSet<String> {
        it.map(|it| it.cidrs.iter().cloned().collect())
            .unwrap_or_default()
    };
    let (old_nets, new_nets) = (nets(was), nets(is));
    let (old_nets, new_nets) = (
        old_nets.iter().map(String::as_str).collect(),
        new_nets.iter().map(String::as_str).collect(),
    );
    let hops = |it: Option<&Trusted>| it.map_or(0, |it| it.hops);
    let header = |it: Option<&Trusted>| it.and_then(|it| it.header.clone());
    let has_new_header = header(is).is_some() && header(is) != header(was);
    let is_wider = is_wider(&old_nets, &new_nets) || hops(is) > hops(was) || has_new_header;
    let (direction, kind) = match is_wider {
        true => (Direction::Wider, ChangeKind::TrustWidened),
        false => (Direction::Narrower, ChangeKind::TrustNarrowed),
    };
    let description =
        format!("now trusts {after} for client addresses, previously {before}, at {gateway}");
    found.add(
        direction,
        kind,
        gateway,
        format!("listener {}", new.name),
        description,
    );
}

/// The trusted sources as text.
fn describe(it: Option<&Trusted>) -> String {
    let Some(it) = it else {
        return "nobody".to_owned();
    };
    let mut parts = it.cidrs.clone();
    parts.sort();
    if it.hops > 0 {
        parts.push(format!("the last {} proxies", it.hops));
    }
    parts.extend(
        it.header
            .as_ref()
            .map(|header| format!("the header {header}")),
    );
    match parts.is_empty() {
        true => "nobody".to_owned(),
        false => parts.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_with_another_address_are_wider() {
        let rows: &[(&[&str], &[&str], bool)] = &[
            (&["10.42.0.0/16"], &["10.0.0.0/8"], true),
            (&["10.0.0.0/8"], &["10.42.0.0/16"], false),
            (&["10.0.0.0/9", "10.128.0.0/9"], &["10.0.0.0/8"], false),
            (&["10.0.0.0/8"], &["10.0.0.0/8", "10.1.2.3"], false),
            (&["10.0.0.0/8"], &["fd00::/8"], true),
            (&[], &["${PODS}"], true),
            (&["${PODS}"], &["${PODS}"], false),
            (&["10.0.0.0/8"], &[], false),
        ];
        for (before, after, want) in rows {
            let set = |list: &[&'static str]| list.iter().copied().collect();
            assert_eq!(
                is_wider(&set(before), &set(after)),
                *want,
                "{before:?} {after:?}"
            );
        }
    }
}
