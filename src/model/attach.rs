//! Which listeners a route of ours attaches to.

use super::ObjectInput;
use super::gateway::Gateway;
use super::listener::Listener;
use super::route::{Parent, chosen};
use crate::config::gateway::Protocol;
use crate::config::{Text, Texts, codes};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::value::variable;

/// What a table says about where its route attaches.
pub struct Wanted<'a> {
    /// The path of the table: `external.nas`.
    pub owner: String,
    /// The name in the table's header.
    pub name: &'a Text,
    /// The gateways that it names.
    pub gateways: &'a Texts,
    /// The listener that it names; `*` for all.
    pub listener: Option<&'a Text>,
    /// The hostnames of the route.
    pub hostnames: &'a [Text],
}

impl Wanted<'_> {
    /// The listeners to attach to; `None` if it isn't known which gateways are meant.
    pub fn parents(
        &self,
        gateways: &[ObjectInput<Gateway>],
        namespace: &Text,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Vec<Parent>> {
        let gateways = self.which(gateways, problems)?;
        let mut parents = Vec::new();
        for gateway in gateways {
            let listeners = self.listeners(gateway, problems);
            parents.extend(listeners.into_iter().map(|listener| Parent {
                gateway: gateway.name.clone(),
                namespace: namespace.clone(),
                listener,
            }));
        }
        Some(parents)
    }

    /// The chosen gateways. Only a single gateway needs not be named.
    fn which<'a>(
        &self,
        gateways: &'a [ObjectInput<Gateway>],
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Vec<&'a Gateway>> {
        if let Some(problem) = only_with_one(&self.owner, self.gateways, gateways) {
            problems.push(problem.at(self.name.span));
            return None;
        }
        let chosen = chosen(gateways, self.gateways, problems);
        let of = |name: &Text| {
            let mut all = gateways.iter().map(|gateway| &gateway.values);
            all.find(|gateway| gateway.name.value == name.value)
        };
        Some(chosen.iter().filter_map(of).collect())
    }

    /// The listeners of a gateway; `None` stands for all of them.
    fn listeners(&self, gateway: &Gateway, problems: &mut Vec<Diagnostic>) -> Vec<Option<Text>> {
        match self.listener {
            Some(all) if all.value == "*" => vec![None],
            Some(named) => {
                let known = gateway.listeners.iter().map(|one| one.name.as_str());
                let known: Vec<&str> = known.collect();
                if !known.contains(&named.as_str()) {
                    problems.push(no_listener(gateway, named, &known));
                }
                vec![Some(named.clone())]
            }
            None => {
                let https = self.serving(gateway);
                if https.is_empty() {
                    problems.push(self.nothing_serves(gateway));
                }
                https.iter().map(|one| Some(one.name.clone())).collect()
            }
        }
    }

    /// The listeners for HTTPS that serve at least one of the hostnames; if there are none, those that may serve one,
    /// because a Flux variable may be any name.
    fn serving<'a>(&self, gateway: &'a Gateway) -> Vec<&'a Listener> {
        let of = |serves: fn(&str, &str) -> bool| -> Vec<&'a Listener> {
            let listeners = gateway.listeners.iter();
            let https = listeners.filter(|listener| listener.protocol.value == Protocol::Https);
            let fits = |listener: &&Listener| {
                let own = listener.hostname.as_ref();
                own.is_none_or(|own| self.hostnames.iter().any(|name| serves(own, name)))
            };
            https.filter(fits).collect()
        };
        let known = of(covers);
        if known.is_empty() {
            of(may_cover)
        } else {
            known
        }
    }

    fn nothing_serves(&self, gateway: &Gateway) -> Diagnostic {
        let names: Vec<&str> = self.hostnames.iter().map(|name| name.as_str()).collect();
        let message = format!(
            "{} has no listener for HTTPS that serves {}",
            gateway.name.value,
            names.join(", ")
        );
        let span = self.hostnames.first().and_then(|name| name.span);
        Diagnostic::new(codes::CONFIG_UNKNOWN_REFERENCE, message)
            .at(span.or(self.name.span))
            .why("the route would attach to nothing")
            .help("add a listener with this hostname to the gateway, or name one with `listener`")
    }
}

/// Reports a table that names no gateway, although there are several.
pub fn only_with_one(
    owner: &str,
    named: &Texts,
    gateways: &[ObjectInput<Gateway>],
) -> Option<Diagnostic> {
    if named.is_given() || gateways.len() < 2 {
        return None;
    }
    let known = gateways.iter().map(|gateway| gateway.values.name.as_str());
    let known: Vec<&str> = known.collect();
    let first = known.first().copied().unwrap_or_default();
    Some(
        Diagnostic::new(
            codes::CONFIG_MISSING_KEY,
            format!("{owner} names no gateway"),
        )
        .why(
            "with several gateways there is no default, because it could become public by accident",
        )
        .help(format!(
            "add `gateways = \"{first}\"`; the gateways are {}",
            known.join(", ")
        )),
    )
}

/// Whether a listener's hostname serves another hostname (Gateway API, `Listener.hostname`): they are equal, or one of them
/// is a wildcard above the other. Flux variables are compared as text.
pub fn covers(listener: &str, hostname: &str) -> bool {
    let above = |wildcard: &str, name: &str| {
        let suffix = wildcard.strip_prefix('*');
        suffix.is_some_and(|suffix| name.ends_with(suffix))
    };
    listener == hostname || above(listener, hostname) || above(hostname, listener)
}

/// Whether a listener's hostname serves another hostname, or may do so once Flux has replaced the variables in them.
pub fn may_cover(listener: &str, hostname: &str) -> bool {
    let is_unknown = variable::in_text(listener) || variable::in_text(hostname);
    is_unknown || covers(listener, hostname)
}

fn no_listener(gateway: &Gateway, listener: &Text, known: &[&str]) -> Diagnostic {
    let help = match nearest(listener, known.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None => format!("the listeners are {}", known.join(", ")),
    };
    let message = format!(
        "{} has no listener {:?}",
        gateway.name.value, listener.value
    );
    Diagnostic::new(codes::CONFIG_UNKNOWN_REFERENCE, message)
        .at(listener.span)
        .why("the route would attach to nothing")
        .help(help)
}
