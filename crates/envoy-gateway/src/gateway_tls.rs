//! A gateway's own TLS settings: the certificate authorities for client certificates, and the client certificate for
//! backends.

use std::collections::BTreeMap;

use super::Resolver;
use super::condition::{Status, kind};
use super::fault::Fault;
use super::grant::ReferenceGrantFrom;
use super::index::{GATEWAY_API, Key};
use super::read::{int, list, text};
use super::tls::{SDS, check_sds, data, holds_any};
use super::view::{Frontend, GatewayId, ListenerId, Resolved};
use manifest::Object;
use manifest::value::Node;

impl<'a> Resolver<'a, '_> {
    /// Checks what a gateway's `tls` requires of clients and shows to backends.
    pub(super) fn gateway_tls(&mut self, id: GatewayId) {
        let Some(gateway) = self.view.gateway(id).filter(|one| one.is_accepted) else {
            return;
        };
        let Some(tls) = gateway.object.node.path(&["spec", "tls"]) else {
            return;
        };
        let object = gateway.object;
        let listeners = gateway.listeners.clone();
        let mut faults: Vec<Fault> = Vec::new();
        let mut is_insecure = false;
        let mut ask = |validation: Option<&'a Node>| -> Frontend {
            let Some(validation) = validation else {
                return Frontend::None;
            };
            let from = ReferenceGrantFrom {
                group: GATEWAY_API,
                kind: "Gateway",
                namespace: object.namespace(),
            };
            match self.authorities(list(validation, &["caCertificateRefs"]), from, true) {
                Ok(()) => {
                    is_insecure |= text(validation, &["mode"]) == Some("AllowInsecureFallback");
                    Frontend::Valid
                }
                Err(fault) => {
                    faults.push(Fault {
                        reason: if fault.is_unknown {
                            fault.reason
                        } else {
                            "InvalidParameters"
                        },
                        ..fault.clone()
                    });
                    Frontend::Broken(fault)
                }
            }
        };
        let frontend = tls.get("frontend");
        let default = frontend.map(|it| ask(it.path(&["default", "validation"])));
        let mut ports = BTreeMap::new();
        for one in frontend.map_or(&[][..], |it| list(it, &["perPort"])) {
            let port = int(one, &["port"]).unwrap_or_default();
            ports.insert(port, ask(one.path(&["tls", "validation"])));
        }
        if let Some(backend) = tls.get("backend")
            && let Err(fault) = self.client_certificate(object, backend)
        {
            faults.push(fault);
        }
        for listener in listeners {
            let Some(listener) = self.view.lists.listener.get_mut(listener.0) else {
                continue;
            };
            if listener.protocol == "HTTPS"
                && let Some(default) = &default
            {
                listener.frontend = ports.get(&listener.port).unwrap_or(default).clone();
            }
        }
        let Some(gateway) = self.view.lists.gateway.get_mut(id.0) else {
            return;
        };
        let conditions = &mut gateway.conditions;
        if is_insecure {
            let message =
                "clients without a valid certificate are accepted (AllowInsecureFallback)";
            conditions.set(
                kind::INSECURE_FRONTEND,
                Status::True,
                "ConfigurationChanged",
                message,
            );
        }
        let refused = faults.iter().rev().find(|fault| !fault.is_unknown);
        match refused.or(faults.last()) {
            None => conditions.set(
                kind::RESOLVED_REFS,
                Status::True,
                "ResolvedRefs",
                "everything that `tls` refers to exists",
            ),
            Some(fault) => {
                let status = if fault.is_unknown {
                    Status::Unknown
                } else {
                    Status::False
                };
                conditions.set(
                    kind::RESOLVED_REFS,
                    status,
                    fault.reason,
                    fault.message.clone(),
                );
            }
        }
    }

    fn client_certificate(&self, gateway: &'a Object, backend: &'a Node) -> Result<(), Fault> {
        const REASON: &str = "InvalidClientCertificateRef";
        let Some(reference) = backend.get("clientCertificateRef") else {
            return Ok(());
        };
        let kind = text(reference, &["kind"]).unwrap_or("Secret");
        if kind != "Secret" || text(reference, &["group"]).is_some() {
            return Err(Fault::new(
                REASON,
                format!("a client certificate must be a Secret, not a {kind}"),
            ));
        }
        let key = Key {
            namespace: text(reference, &["namespace"]).unwrap_or(gateway.namespace()),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        let from = ReferenceGrantFrom {
            group: GATEWAY_API,
            kind: "Gateway",
            namespace: gateway.namespace(),
        };
        self.permit(from, "", "Secret", key)?;
        let secret = self
            .index
            .find("Secret", key, |what| Fault::new(REASON, what))?;
        if data(secret, "tls.crt").is_none() || data(secret, "tls.key").is_none() {
            return Err(Fault::new(
                REASON,
                format!("Secret {key} lacks `tls.crt` or `tls.key`"),
            ));
        }
        Ok(())
    }

    /// Checks that the certificate authorities in a list of references exist.
    ///
    /// # Errors
    /// Why they can't be used, with the reason that a listener's condition has.
    pub(super) fn authorities(
        &self,
        refs: &[Node],
        from: ReferenceGrantFrom<'_>,
        may_cross: bool,
    ) -> Result<(), Fault> {
        const REASON: &str = "InvalidCACertificateRef";
        let (mut is_any_of_kind, mut is_any_good) = (false, false);
        let mut is_any_sds = false;
        for reference in refs {
            let kind = text(reference, &["kind"]).unwrap_or_default();
            let key = Key {
                namespace: text(reference, &["namespace"])
                    .filter(|_| may_cross)
                    .unwrap_or(from.namespace),
                name: text(reference, &["name"]).unwrap_or_default(),
            };
            self.permit(
                from,
                text(reference, &["group"]).unwrap_or_default(),
                kind,
                key,
            )?;
            let (key, keys): (_, &[&str]) = match kind {
                "ConfigMap" | "Secret" => (key, &["ca.crt", "tls.crt"]),
                "ClusterTrustBundle" => (
                    Key {
                        namespace: "",
                        ..key
                    },
                    &[],
                ),
                _ => continue,
            };
            is_any_of_kind = true;
            let object = self
                .index
                .find(kind, key, |what| Fault::new(REASON, what))?;
            if text(&object.node, &["type"]) == Some(SDS) {
                is_any_sds = true;
                check_sds(object, self.settings.features_for(Some(object)).sds)
                    .map_err(|fault| fault.because(REASON))?;
            } else if kind != "ClusterTrustBundle" && !holds_any(object, keys) {
                return Err(Fault::new(
                    REASON,
                    format!("{kind} {key} holds no certificate (`ca.crt`)"),
                ));
            }
            is_any_good |= !is_empty(object, keys);
        }
        if is_any_sds && refs.len() > 1 {
            return Err(Fault::new(
                REASON,
                format!("a Secret of type `{SDS}` must be the only certificate authority"),
            ));
        }
        match (is_any_good, is_any_of_kind) {
            (true, _) => Ok(()),
            (_, true) => Err(Fault::new(
                "NoValidCACertificate",
                "no certificate authority was found",
            )),
            _ => Err(Fault::new(
                "InvalidCACertificateKind",
                "a certificate authority must be a ConfigMap, a Secret or a ClusterTrustBundle",
            )),
        }
    }
}

impl<'a> Resolved<'a> {
    /// What a Gateway itself requires of the clients of a listener (`spec.tls.frontend`, Gateway API 1.5): the
    /// `validation` for its port, else the default one. Only HTTPS listeners have one.
    pub fn frontend_validation(&self, listener: ListenerId) -> Option<(&'a Object, &'a Node)> {
        let listener = self.listener(listener)?;
        let gateway = self.gateway(listener.gateway)?.object;
        let frontend = gateway.node.path(&["spec", "tls", "frontend"])?;
        let mut ports = list(frontend, &["perPort"]).iter();
        let own = ports.find(|it| int(it, &["port"]) == Some(listener.port));
        let validation = match own {
            // An entry without a validation turns the default one off.
            Some(own) => own.path(&["tls", "validation"]),
            None => frontend.path(&["default", "validation"]),
        };
        let validation = validation.filter(|_| listener.protocol == "HTTPS")?;
        Some((gateway, validation))
    }
}

/// Whether the first of the keys that an object has, has an empty value.
fn is_empty(object: &Object, keys: &[&str]) -> bool {
    let value = |key: &&str| {
        let maps = ["data", "stringData"].iter();
        let mut values = maps.filter_map(move |map| object.node.path(&[map, key]));
        values.next()
    };
    let first = keys.iter().find_map(value);
    first.and_then(Node::as_str) == Some("")
}
