//! Envoy Gateway's Backends: whether the controller accepts them.

use super::Resolver;
use super::condition::{Conditions, Status, kind};
use super::fault::Fault;
use super::index::{ENVOY_GATEWAY, Key};
use super::read::{flag, has, int, list, text};
use super::view::Backend;
use k8s_syntax::names;
use manifest::Object;
use manifest::value::{Node, variable};

impl<'a> Resolver<'a, '_> {
    /// Decides for every Backend whether it is accepted.
    pub(super) fn backends(&mut self) {
        for object in self.index.all("Backend").to_vec() {
            let mut conditions = Conditions::default();
            let fault = match self.settings.features_for(Some(object)).backend {
                true => self.check_backend(object).err(),
                false => Some(Fault::invalid(
                    "the controller's configuration doesn't enable Backend (`enableBackend`)",
                )),
            };
            match fault {
                None => conditions.set(
                    kind::ACCEPTED,
                    Status::True,
                    "Accepted",
                    "the Backend can be used",
                ),
                // Envoy Gateway 1.9.0 swaps type and reason: it writes `Invalid` as the type and `Accepted` as the
                // reason.
                Some(fault) if !fault.is_unknown => {
                    conditions.set(kind::INVALID, Status::False, "Accepted", fault.message);
                }
                Some(fault) => {
                    conditions.set(kind::ACCEPTED, Status::Unknown, fault.reason, fault.message)
                }
            }
            self.view.lists.backend.push(Backend { object, conditions });
        }
    }

    /// Checks whether the fields of a Backend can be used.
    ///
    /// # Errors
    /// Why they can't, with the reason that the route's condition has.
    pub(super) fn check_backend(&self, object: &'a Object) -> Result<(), Fault> {
        let endpoints = list(&object.node, &["spec", "endpoints"]);
        if is_dynamic(object) && !endpoints.is_empty() {
            return Err(Fault::new(
                "InvalidBackendRef",
                "a DynamicResolver has no endpoints of its own",
            ));
        }
        self.check_backend_tls(object, endpoints)?;
        let is_host = self.settings.features_for(Some(object)).host;
        for endpoint in endpoints {
            let hosts = [
                text(endpoint, &["hostname"]),
                text(endpoint, &["fqdn", "hostname"]),
            ];
            for host in hosts.into_iter().flatten() {
                check_host(host, is_host)?;
            }
            if !has(endpoint, &["fqdn"])
                && let Some(address) = text(endpoint, &["ip", "address"])
            {
                check_address(address, is_host)?;
            }
        }
        Ok(())
    }

    fn check_backend_tls(&self, object: &'a Object, endpoints: &[Node]) -> Result<(), Fault> {
        let Some(tls) = object.node.path(&["spec", "tls"]) else {
            return Ok(());
        };
        let has_authority =
            has(tls, &["wellKnownCACertificates"]) || !list(tls, &["caCertificateRefs"]).is_empty();
        let is_trusting = flag(tls, &["insecureSkipVerify"]) == Some(true);
        if !is_trusting && !has_authority && !self.has_tls_policy(object, endpoints) {
            let message = "`tls` names no certificate authority: it has neither `caCertificateRefs` nor `wellKnownCACertificates`, and there is no BackendTLSPolicy that does";
            return Err(match self.index.is_complete() {
                true => Fault::new("InvalidBackendRef", message),
                false => Fault::unknown(
                    "no BackendTLSPolicy that names a certificate authority is in the given files",
                ),
            });
        }
        let namespace = text(tls, &["clientCertificateRef", "namespace"]);
        if namespace.is_some_and(|namespace| namespace != object.namespace()) {
            let message =
                "its `clientCertificateRef` refers to another namespace, which is not allowed";
            return Err(Fault::new("InvalidBackendRef", message));
        }
        Ok(())
    }

    /// Whether BackendTLSPolicies name a certificate authority for the whole Backend, or for each of its ports.
    fn has_tls_policy(&self, object: &'a Object, endpoints: &[Node]) -> bool {
        let port =
            |endpoint: &Node| int(endpoint, &["fqdn", "port"]).or(int(endpoint, &["ip", "port"]));
        let ports: Vec<String> = endpoints
            .iter()
            .filter_map(port)
            .map(|port| port.to_string())
            .collect();
        let mut covered = 0;
        let mut is_whole = false;
        let targets = self.tls_targets(ENVOY_GATEWAY, "Backend", object.name());
        for (policy, section) in targets {
            let validation = policy.node.path(&["spec", "validation"]);
            let names_authority = validation.is_some_and(|it| {
                has(it, &["wellKnownCACertificates"])
                    || !list(it, &["caCertificateRefs"]).is_empty()
            });
            match section {
                None => is_whole |= names_authority,
                Some(section) => covered += ports.iter().filter(|port| *port == section).count(),
            }
        }
        is_whole || (!ports.is_empty() && covered >= ports.len())
    }

    /// The BackendTLSPolicies of all namespaces that target this name, each with the section that it targets.
    fn tls_targets<'s>(
        &'s self,
        group: &'s str,
        kind: &'s str,
        name: &'s str,
    ) -> impl Iterator<Item = (&'a Object, Option<&'a str>)> + 's {
        let policies = self.index.all("BackendTLSPolicy").iter();
        policies.flat_map(move |policy| {
            let targets = list(&policy.node, &["spec", "targetRefs"]).iter();
            let fits = move |target: &&Node| {
                text(target, &["group"]).unwrap_or_default() == group
                    && text(target, &["kind"]) == Some(kind)
                    && text(target, &["name"]) == Some(name)
            };
            targets
                .filter(fits)
                .map(|target| (*policy, text(target, &["sectionName"])))
        })
    }
}

/// Whether a Backend resolves the hostname of each request (type DynamicResolver).
pub(super) fn is_dynamic(object: &Object) -> bool {
    text(&object.node, &["spec", "type"]) == Some("DynamicResolver")
}

fn check_host(host: &str, is_host: bool) -> Result<(), Fault> {
    const REASON: &str = "InvalidAddress";
    if variable::in_text(host) {
        return Ok(());
    }
    if !names::is_dns_subdomain(host.strip_suffix('.').unwrap_or(host)) {
        return Err(Fault::new(REASON, format!("`{host}` is not a hostname")));
    }
    if !is_host && !host.contains('.') {
        return Err(Fault::new(
            REASON,
            format!("`{host}` has only one label; a hostname here needs at least two"),
        ));
    }
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Err(Fault::new(
            REASON,
            format!("`{host}` is an IP address; write it under `ip`"),
        ));
    }
    Ok(())
}

fn check_address(address: &str, is_host: bool) -> Result<(), Fault> {
    const REASON: &str = "InvalidAddress";
    if variable::in_text(address) {
        return Ok(());
    }
    let Ok(parsed) = address.parse::<std::net::IpAddr>() else {
        return Err(Fault::new(
            REASON,
            format!("`{address}` is not an IP address"),
        ));
    };
    if parsed.is_loopback() && !is_host {
        return Err(Fault::new(
            REASON,
            format!("`{address}` is a loopback address: the proxy would call itself"),
        ));
    }
    Ok(())
}

/// Whether a Backend has endpoints of kinds that can't be combined.
pub(super) fn is_mixed(object: &Object) -> bool {
    let endpoints = list(&object.node, &["spec", "endpoints"]);
    let count = |key: &str| endpoints.iter().filter(|it| has(it, &[key])).count();
    let names = count("fqdn");
    names > 0 && names < endpoints.len() && (count("ip") > 0 || count("unix") > 0)
}

/// The name of a Backend in messages.
pub(super) fn named(key: Key<'_>) -> String {
    format!("Backend {key}")
}
