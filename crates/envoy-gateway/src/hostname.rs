//! Hostnames that a route and a listener share.
//!
//! As in Envoy Gateway 1.9.0: unlike in a certificate, `*` stands for one or more labels.

use std::collections::BTreeSet;

use manifest::value::variable;

/// The hostnames of a route at a listener, and whether others can't be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteHostnames {
    /// The hostnames; `*` stands for all.
    pub hostnames: BTreeSet<String>,
    /// Whether a Flux variable in one of them makes it unknown whether they share one.
    pub is_unknown: bool,
}

/// The hostnames that a route with the hostnames `route` serves at a listener with the hostname `listener`.
pub fn shared(route: &[&str], listener: Option<&str>) -> RouteHostnames {
    let mut shared = RouteHostnames::default();
    if route.is_empty() {
        shared.hostnames.insert(listener.unwrap_or("*").to_owned());
    }
    for host in route {
        let found = listener.map_or(Some(*host), |listener| intersection(host, listener));
        match found {
            Some(found) => {
                shared.hostnames.insert(found.to_owned());
            }
            None => {
                let is_open = |text: &str| variable::in_text(text);
                shared.is_unknown |= is_open(host) || listener.is_some_and(is_open);
            }
        }
    }
    shared
}

/// The more specific of two hostnames, if one includes the other.
fn intersection<'a>(one: &'a str, other: &'a str) -> Option<&'a str> {
    if one == other || covers(other, one) {
        Some(one)
    } else if covers(one, other) {
        Some(other)
    } else {
        None
    }
}

/// Whether a wildcard includes another hostname, which may be a wildcard too.
fn covers(wildcard: &str, host: &str) -> bool {
    let Some(suffix) = wildcard.strip_prefix('*') else {
        return false;
    };
    match host.strip_prefix('*') {
        Some(rest) => rest
            .strip_suffix(suffix)
            .is_some_and(|rest| rest.starts_with('.')),
        None => host
            .strip_suffix(suffix)
            .is_some_and(|rest| !rest.is_empty()),
    }
}

/// Whether the hostnames of two listeners (or two names of certificates) can match the same connection: they are
/// equal, or one is a wildcard for the first label of the other. `None` matches everything.
pub fn overlap(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return true;
    };
    one == other || holds_label(one, other) || holds_label(other, one)
}

fn holds_label(wildcard: &str, host: &str) -> bool {
    let suffix = wildcard.strip_prefix('*').filter(|rest| !rest.is_empty());
    let rest = suffix.and_then(|suffix| host.strip_suffix(suffix));
    !host.starts_with('*') && rest.is_some_and(|rest| !rest.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(route: &[&str], listener: Option<&str>) -> Vec<String> {
        shared(route, listener).hostnames.into_iter().collect()
    }

    #[test]
    fn the_narrower_of_two_hostnames_is_shared() {
        let rows: &[(&[&str], Option<&str>, &[&str])] = &[
            (&[], None, &["*"]),
            (&[], Some("*.example.com"), &["*.example.com"]),
            (&["a.example.com"], None, &["a.example.com"]),
            (
                &["a.b.example.com"],
                Some("*.example.com"),
                &["a.b.example.com"],
            ),
            (&["example.com"], Some("*.example.com"), &[]),
            (&["*.com"], Some("a.example.com"), &["a.example.com"]),
            (&["*.com"], Some("*.example.com"), &["*.example.com"]),
            (
                &["*.a.example.com"],
                Some("*.example.com"),
                &["*.a.example.com"],
            ),
            (&["*.badexample.com"], Some("*.example.com"), &[]),
            (&["a.example.org"], Some("a.example.com"), &[]),
        ];
        for (route, listener, want) in rows {
            assert_eq!(of(route, *listener), *want, "{route:?} {listener:?}");
        }
    }

    #[test]
    fn variables_leave_it_open_unless_the_texts_agree() {
        let at = |route: &str, listener: &str| {
            let shared = shared(&[route], Some(listener));
            (shared.hostnames.len(), shared.is_unknown)
        };
        assert_eq!(at("a.${DOMAIN}", "*.${DOMAIN}"), (1, false));
        assert_eq!(at("a.${DOMAIN}", "*.example.com"), (0, true));
        assert_eq!(at("a.example.org", "*.example.com"), (0, false));
    }

    #[test]
    fn overlap_goes_by_one_label() {
        assert!(overlap(Some("*.example.com"), Some("a.example.com")));
        assert!(!overlap(Some("*.example.com"), Some("a.b.example.com")));
        assert!(!overlap(Some("*.example.com"), Some("*.a.example.com")));
        assert!(overlap(None, Some("a.example.com")));
    }
}
