//! TLS to backends: which authority their certificate is checked against, and which client certificate they are
//! shown. The status of BackendTLSPolicies is computed here.

use std::collections::HashMap;

use super::Resolver;
use super::backend_ref::BackendUse;
use super::condition::{Conditions, Status, kind};
use super::fault::Fault;
use super::grant::ReferenceGrantFrom;
use super::index::{ENVOY_GATEWAY, Key};
use super::read::{flag, has, int, list, text};
use super::tls::data;
use super::view::{BackendTls, GatewayId, Reference};
use manifest::value::Node;

impl<'a> Resolver<'a, '_> {
    /// Checks whether TLS to a backend can be set up, by the Backend itself, a BackendTLSPolicy and the gateway's
    /// client certificate. Writes the policy's status under the ancestor of the referring object.
    pub(super) fn apply_backend_tls(
        &mut self,
        want: &BackendUse<'_>,
        under: &Reference<'a>,
        gateway: Option<GatewayId>,
    ) -> Result<(), Fault> {
        let key = want.key();
        let mut is_tls = false;
        let mut is_checked = false;
        if want.kind() == "Backend"
            && let Some(backend) = self.index.here("Backend", key)
            && let Some(tls) = backend.node.path(&["spec", "tls"])
        {
            is_tls = true;
            let is_trusting = flag(tls, &["insecureSkipVerify"]) == Some(true);
            let refs = list(tls, &["caCertificateRefs"]);
            is_checked = is_trusting;
            if !is_trusting {
                if text(tls, &["wellKnownCACertificates"]) == Some("System") {
                    is_checked = true;
                } else if !refs.is_empty() {
                    let from = ReferenceGrantFrom {
                        group: ENVOY_GATEWAY,
                        kind: "BackendTLSPolicy",
                        namespace: key.namespace,
                    };
                    self.authorities(refs, from, false)?;
                    is_checked = true;
                }
            }
            self.own_certificate(tls, key.namespace, "Backend", key)?;
        }
        if let Some(at) = self.tls_policy(want) {
            is_tls = true;
            self.judge_tls_policy(at, under)?;
            is_checked = true;
        }
        if !is_tls {
            return Ok(());
        }
        if !is_checked {
            return Err(Fault::new(
                "InvalidBackendTLS",
                format!(
                    "no certificate authority is configured for {} {key}",
                    want.kind()
                ),
            ));
        }
        let Some(gateway) = gateway.and_then(|id| self.view.gateway(id)) else {
            return Ok(());
        };
        // The gateway's own `tls.backend` was checked together with the gateway. It replaces that of the EnvoyProxy.
        if has(&gateway.object.node, &["spec", "tls", "backend"]) {
            return Ok(());
        }
        let class = gateway.class.and_then(|class| self.view.class(class));
        let proxy = gateway.proxy.or(class.and_then(|class| class.proxy));
        let tls = gateway
            .infra
            .settings
            .as_ref()
            .and_then(|it| it.get("backendTLS"));
        match (proxy, tls) {
            (Some(proxy), Some(tls)) => {
                self.own_certificate(tls, proxy.namespace(), "EnvoyProxy", Key::of(proxy))
            }
            _ => Ok(()),
        }
    }

    /// The client certificate that is shown to backends.
    fn own_certificate(
        &self,
        tls: &Node,
        namespace: &str,
        kind: &str,
        owner: Key<'_>,
    ) -> Result<(), Fault> {
        let Some(reference) = tls.get("clientCertificateRef") else {
            return Ok(());
        };
        let key = Key {
            namespace: text(reference, &["namespace"]).unwrap_or(namespace),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        if key.namespace != namespace {
            return Err(Fault::invalid(format!(
                "the client certificate of {kind} {owner} is in another namespace, `{}`",
                key.namespace
            )));
        }
        let secret = self.index.find("Secret", key, Fault::invalid)?;
        let is_sds = text(&secret.node, &["type"]) == Some("gateway.envoyproxy.io/sds");
        if is_sds
            && (!self.settings.features_for(Some(secret)).sds || data(secret, "url").is_none())
        {
            return Err(Fault::invalid(format!(
                "Secret {key} can't be fetched by Envoy"
            )));
        }
        Ok(())
    }

    /// The index of the BackendTLSPolicy that applies to a backend. One for its port comes before one for the whole
    /// backend.
    fn tls_policy(&mut self, want: &BackendUse<'_>) -> Option<usize> {
        let key = want.key();
        let section = self.section_of(want);
        let is_at = |target: &Node, exact: bool| {
            let is_whole = !has(target, &["sectionName"]);
            let is_section = match is_whole {
                true => section.is_none(),
                false => {
                    text(target, &["sectionName"]).is_some_and(|it| Some(it) == section.as_deref())
                }
            };
            text(target, &["group"]).unwrap_or_default() == want.group()
                && text(target, &["kind"]).unwrap_or_default() == want.kind()
                && text(target, &["name"]) == Some(key.name)
                && (is_section || (!exact && is_whole))
        };
        self.add_tls_policies();
        let policies = &self.view.lists.tls;
        let find = |exact: bool| {
            policies.iter().position(|policy| {
                policy.object.namespace() == key.namespace
                    && list(&policy.object.node, &["spec", "targetRefs"])
                        .iter()
                        .any(|target| is_at(target, exact))
            })
        };
        find(true).or_else(|| find(false))
    }

    /// The section name by which a policy targets a port: the port's name in a Service, its number in a Backend.
    fn section_of(&self, want: &BackendUse<'_>) -> Option<String> {
        let port = want.port()?;
        if want.kind() == "Backend" {
            return Some(port.to_string());
        }
        let service = self.index.here(want.kind(), want.key())?;
        let mut ports = list(&service.node, &["spec", "ports"]).iter();
        let found = ports.find(|it| int(it, &["port"]) == Some(port))?;
        text(found, &["name"]).map(str::to_owned)
    }

    /// Adds all BackendTLSPolicies to the view, once.
    fn add_tls_policies(&mut self) {
        let objects = self.index.all("BackendTLSPolicy");
        if self.view.lists.tls.len() == objects.len() {
            return;
        }
        self.view.lists.tls = objects
            .iter()
            .map(|object| BackendTls {
                object,
                ancestors: Vec::new(),
            })
            .collect();
    }

    fn judge_tls_policy(&mut self, at: usize, under: &Reference<'a>) -> Result<(), Fault> {
        let Some(policy) = self.view.lists.tls.get(at) else {
            return Ok(());
        };
        let object = policy.object;
        let validation = object.node.path(&["spec", "validation"]);
        let found = match validation {
            Some(it) if text(it, &["wellKnownCACertificates"]) == Some("System") => Ok(()),
            Some(it) => {
                let from = ReferenceGrantFrom {
                    group: ENVOY_GATEWAY,
                    kind: "BackendTLSPolicy",
                    namespace: object.namespace(),
                };
                self.authorities(list(it, &["caCertificateRefs"]), from, false)
            }
            None => Ok(()),
        };
        let Some(policy) = self.view.lists.tls.get_mut(at) else {
            return Ok(());
        };
        // The ancestor in a status has no port.
        let under = Reference {
            port: None,
            ..under.clone()
        };
        if !policy.ancestors.iter().any(|(its, _)| *its == under) {
            policy.ancestors.push((under, Conditions::default()));
        }
        for (_, conditions) in &mut policy.ancestors {
            match &found {
                Ok(()) => {
                    conditions.set(
                        kind::RESOLVED_REFS,
                        Status::True,
                        "ResolvedRefs",
                        "everything that it refers to exists",
                    );
                    if conditions.get(kind::ACCEPTED).is_none() {
                        conditions.set(
                            kind::ACCEPTED,
                            Status::True,
                            "Accepted",
                            "the policy applies",
                        );
                    }
                }
                Err(fault) if fault.is_unknown => {
                    conditions.set(
                        kind::RESOLVED_REFS,
                        Status::Unknown,
                        fault.reason,
                        fault.message.clone(),
                    );
                    conditions.set(
                        kind::ACCEPTED,
                        Status::Unknown,
                        fault.reason,
                        fault.message.clone(),
                    );
                }
                Err(fault) => {
                    let reason = match fault.reason {
                        "InvalidCACertificateKind" => "InvalidKind",
                        _ => "InvalidCACertificateRef",
                    };
                    conditions.set(
                        kind::ACCEPTED,
                        Status::False,
                        "NoValidCACertificate",
                        fault.message.clone(),
                    );
                    conditions.set(
                        kind::RESOLVED_REFS,
                        Status::False,
                        reason,
                        fault.message.clone(),
                    );
                }
            }
        }
        found
    }

    /// Marks BackendTLSPolicies that have the same target as an earlier one.
    pub(super) fn backend_tls_conflicts(&mut self) {
        self.add_tls_policies();
        let mut first = HashMap::new();
        let mut lost = Vec::new();
        for (at, policy) in self.view.lists.tls.iter().enumerate() {
            for target in list(&policy.object.node, &["spec", "targetRefs"]) {
                let field = |key: &str| text(target, &[key]).unwrap_or_default();
                let key = (
                    policy.object.namespace(),
                    field("group"),
                    field("kind"),
                    field("name"),
                    field("sectionName"),
                );
                match first.get(&key) {
                    Some(winner) => {
                        lost.push((at, *winner));
                        break;
                    }
                    None => {
                        first.insert(key, at);
                    }
                }
            }
        }
        for (at, winner) in lost {
            let Some((object, ancestors)) = self
                .view
                .lists
                .tls
                .get(winner)
                .map(|it| (it.object, it.ancestors.clone()))
            else {
                continue;
            };
            // As in Envoy Gateway 1.9.0: as many of the winner's ancestors are copied as the loser has itself. A
            // loser that was never used gets the condition under all of them.
            let Some(loser) = self.view.lists.tls.get_mut(at) else {
                continue;
            };
            for (under, _) in ancestors {
                let found = loser
                    .ancestors
                    .iter_mut()
                    .position(|(its, _)| *its == under);
                let at = found.unwrap_or_else(|| {
                    loser.ancestors.push((under, Conditions::default()));
                    loser.ancestors.len() - 1
                });
                if let Some((_, conditions)) = loser.ancestors.get_mut(at) {
                    let message = format!(
                        "BackendTLSPolicy {} has the same target and applies instead",
                        Key::of(object)
                    );
                    conditions.set(kind::ACCEPTED, Status::False, "Conflicted", message);
                }
            }
        }
    }
}
