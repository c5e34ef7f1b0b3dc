//! `[redirect]`, `[gateways.NAME.redirect]`

use super::{Form, Lift};
use crate::import::config::{flag, text, texts};
use crate::import::files::{GATEWAY_API, text as text_at};
use crate::model::layout::Group;
use manifest::value::{Map, Node};

/// The filter of a route that does nothing but redirect to HTTPS.
fn filter(route: &Node) -> Option<&Node> {
    let [rule] = route.path(&["spec", "rules"])?.as_list()? else {
        return None;
    };
    let [filter] = rule.get("filters")?.as_list()? else {
        return None;
    };
    let redirect = filter.get("requestRedirect")?;
    let is_plain = rule
        .as_map()?
        .iter()
        .all(|(key, _)| matches!(key, "filters" | "matches" | "name"));
    (is_plain && text_at(redirect, &["scheme"]) == "https").then_some(redirect)
}

impl Lift<'_> {
    pub(super) fn redirects(&mut self) {
        let mut routes: Vec<(usize, Vec<String>)> = Vec::new();
        for at in self.all(GATEWAY_API, "HTTPRoute") {
            let node = self.node(at);
            let parents = node
                .path(&["spec", "parentRefs"])
                .and_then(Node::as_list)
                .unwrap_or_default();
            let parents: Vec<String> = parents
                .iter()
                .map(|parent| text_at(parent, &["name"]).to_owned())
                .collect();
            let known = !parents.is_empty() && parents.iter().all(|name| self.redirects_from(name));
            if filter(node).is_some() && known {
                routes.push((at, parents));
            }
        }
        // A single route is the shared one, whatever its parents. If there are several, it is the one with the most
        // gateways.
        let shared = match routes.as_slice() {
            [one] => Some(one.0),
            several => {
                let most = several
                    .iter()
                    .rev()
                    .max_by_key(|(_, parents)| parents.len());
                most.filter(|(_, parents)| parents.len() > 1)
                    .map(|(at, _)| *at)
            }
        };
        let mut have_own: Vec<String> = Vec::new();
        for (at, parents) in &routes {
            let [gateway] = parents.as_slice() else {
                continue;
            };
            if Some(*at) == shared || have_own.contains(gateway) {
                continue;
            }
            let path = ["gateways", gateway.as_str(), "redirect"];
            let mut table = self.redirect(*at);
            if self.name(*at) != gateway {
                table.insert("name", text(self.name(*at)));
            }
            self.extend(&path, table);
            self.slot_of(*at, &path, Form::Object, Group::Redirect, Some(gateway));
            have_own.push(gateway.clone());
        }
        let rest = self.gateways.iter().map(|gateway| gateway.name.clone());
        let rest: Vec<String> = rest
            .filter(|name| !have_own.contains(name) && self.redirects_from(name))
            .collect();
        let shared = routes.into_iter().find(|(at, _)| Some(*at) == shared);
        let Some((at, parents)) = shared else {
            if !rest.is_empty() {
                self.set(&["redirect", "enabled"], flag(false));
            }
            return;
        };
        let mut table = self.redirect(at);
        if self.name(at) != "https-redirect" {
            table.insert("name", text(self.name(at)));
        }
        if parents != rest {
            let mut named: Vec<String> = Vec::new();
            named.extend(parents);
            named.dedup();
            table.insert("gateways", texts(named));
        }
        if !table.is_empty() {
            self.extend(&["redirect"], table);
        }
        self.slot(at, &["redirect"], Form::Object, Group::Redirect);
    }

    fn redirect(&self, at: usize) -> Map {
        let mut table = Map::default();
        let status = filter(self.node(at)).and_then(|redirect| redirect.get("statusCode"));
        if let Some(status) = status
            .and_then(Node::as_i64)
            .filter(|status| *status != 301)
            && [302, 303, 307, 308].contains(&status)
        {
            table.insert("status", Node::from_json(status.into()));
        }
        table
    }

    /// Whether a gateway has a listener to redirect from.
    fn redirects_from(&self, name: &str) -> bool {
        let gateway = self.gateways.iter().find(|gateway| gateway.name == name);
        gateway.is_some_and(|gateway| {
            let listeners = super::listeners::of(self.node(gateway.object));
            listeners
                .iter()
                .any(|listener| text_at(listener, &["protocol"]) == "HTTP")
        })
    }
}
