//! The rules of the project's own: what their expressions say of each hostname at each gateway.

use std::collections::BTreeMap;

use super::{Attached, Broken, ClusterExposures};
use crate::lint::guard::{custom_rule, failed_expression};
use crate::model::expression::{Answer, Row};
use envoy_gateway::exposure::build::{Exposed, listener_name};
use envoy_gateway::exposure::table::{Exposure, Hostname, NoRecord};
use envoy_gateway::{GatewayId, ListenerId, RouteId};
use manifest::diagnostic::Diagnostic;

impl<'a> ClusterExposures<'_, 'a> {
    /// What a rule of the project's own says, route by route.
    pub(super) fn own_rule(&self, nth: usize) -> Vec<Diagnostic> {
        let Some(check) = self.rules.checks.get(nth) else {
            return Vec::new();
        };
        let mut broken: BTreeMap<(RouteId, GatewayId, bool), Broken> = BTreeMap::new();
        let mut found = Vec::new();
        for ((host, gateway), exposed) in &self.attached {
            let name = self.gateway_name(*gateway);
            let mut exposures = self.table.exposures.iter();
            let Some(exposure) = exposures.find(|it| it.hostname == *host && it.gateway == name)
            else {
                continue;
            };
            if exposure.is_redirect && !check.expression.is_about_redirects {
                continue;
            }
            for (namespace, routes) in self.by_namespace(exposed) {
                let row = self.row(exposure, *gateway, namespace);
                let is_known = match check.expression.answer(&row) {
                    Answer::Is(true) => continue,
                    Answer::Is(false) => true,
                    Answer::Unknown => false,
                    Answer::Fails(why) => {
                        if found.is_empty() {
                            found.push(failed_expression::report(
                                check,
                                &why,
                                &host.to_string(),
                                &name,
                            ));
                        }
                        continue;
                    }
                };
                for (route, listener) in routes {
                    let one = Attached {
                        host,
                        gateway: *gateway,
                        route,
                        listener,
                        is_certain: exposed.is_certain && is_known,
                    };
                    if !self.is_excepted(custom_rule::CODE.as_str(), &check.name, &one) {
                        let key = (route, *gateway, one.is_certain);
                        broken.entry(key).or_default().add(&one, None);
                    }
                }
            }
        }
        for ((route, gateway, _), broken) in &broken {
            let violation = self.violation(*route, *gateway, broken);
            found.extend(violation.map(|it| custom_rule::report(&it, check)));
        }
        found
    }

    /// The routes of each namespace.
    fn by_namespace(&self, exposed: &Exposed) -> BTreeMap<&'a str, Vec<(RouteId, ListenerId)>> {
        let mut all: BTreeMap<&str, Vec<(RouteId, ListenerId)>> = BTreeMap::new();
        for (route, listener) in &exposed.at {
            if let Some(found) = self.resolved.route(*route) {
                let of_namespace = all.entry(found.object.namespace()).or_default();
                of_namespace.push((*route, *listener));
            }
        }
        all
    }

    /// What an expression knows of a hostname at a gateway.
    fn row(&self, exposure: &Exposure, gateway: GatewayId, namespace: &str) -> Row {
        let routes = exposure
            .routes
            .iter()
            .filter(|it| it.namespace == namespace);
        let listeners = self.resolved.listeners().iter();
        let listeners = listeners.filter(|it| {
            it.gateway == gateway
                && exposure
                    .listeners
                    .contains(&listener_name(self.resolved, it))
        });
        let mut ports: Vec<i64> = listeners.map(|it| it.port).collect();
        ports.sort_unstable();
        ports.dedup();
        let everywhere = exposure.guards.iter().filter(|it| it.is_everywhere);
        let is_known = exposure.records.none != Some(NoRecord::NotKnown)
            && exposure.records.all.iter().all(|it| it.is_certain);
        Row {
            host: match &exposure.hostname {
                Hostname::Name(name) => name.clone(),
                Hostname::Port(..) => String::new(),
            },
            gateway: exposure.gateway.clone(),
            public: self.is_external(gateway),
            namespace: namespace.to_owned(),
            routes: routes
                .map(|it| {
                    let release = it.release.clone().unwrap_or_default();
                    [
                        it.kind.clone(),
                        it.namespace.clone(),
                        it.name.clone(),
                        release,
                    ]
                })
                .collect(),
            guards: everywhere
                .clone()
                .map(|it| it.kind.as_str().to_owned())
                .collect(),
            allows: everywhere
                .flat_map(|it| it.allows.iter().cloned())
                .collect(),
            dns: is_known.then(|| {
                let records = exposure.records.all.iter();
                records
                    .map(|it| {
                        let provider = it.provider.clone().unwrap_or_default();
                        [
                            it.by.clone(),
                            provider,
                            it.target.clone().unwrap_or_default(),
                        ]
                    })
                    .collect()
            }),
            listeners: exposure.listeners.clone(),
            ports,
            backends: exposure.backends.clone(),
            redirect: exposure.is_redirect,
            plain: exposure.is_plain,
        }
    }
}
