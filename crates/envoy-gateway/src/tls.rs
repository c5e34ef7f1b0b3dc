//! Certificates of listeners, and the contents of Secrets.

use std::collections::BTreeSet;

use super::Resolver;
use super::certificate;
use super::condition::{Status, kind};
use super::fault::Fault;
use super::grant::{Permission, ReferenceGrantFrom, ReferenceGrantTo};
use super::index::{GATEWAY_API, Key};
use super::listener::ListenerConditions;
use super::read::{has, list, text};
use super::view::{Frontend, Listener};
use k8s_syntax::base64;
use manifest::Object;
use manifest::value::{Node, variable};

/// The type of a Secret that tells Envoy where to fetch a certificate by itself.
pub(super) const SDS: &str = "gateway.envoyproxy.io/sds";

/// The names in the certificates of a listener.
#[derive(Debug, Default)]
pub(super) struct CertificateNames {
    pub names: Vec<String>,
    pub uses_sds: bool,
}

impl<'a> Resolver<'a, '_> {
    /// Checks the TLS settings of a listener against its protocol.
    pub(super) fn check_tls(
        &self,
        listener: &Listener<'a>,
        told: &mut ListenerConditions,
    ) -> CertificateNames {
        let mut names = CertificateNames::default();
        let tls = listener
            .node
            .get("tls")
            .filter(|tls| tls.as_map().is_some());
        let mode = tls.and_then(|tls| text(tls, &["mode"]));
        let refs = tls.map_or(&[][..], |tls| list(tls, &["certificateRefs"]));
        let protocol = listener.protocol;
        match (protocol, tls) {
            ("HTTP" | "TCP" | "UDP", Some(_)) => {
                told.refuse(
                    kind::PROGRAMMED,
                    "Invalid",
                    format!("a listener with protocol {protocol} can't have `tls`"),
                );
            }
            ("HTTPS" | "TLS", None) => {
                told.refuse(
                    kind::PROGRAMMED,
                    "Invalid",
                    format!("a listener with protocol {protocol} needs `tls`"),
                );
            }
            ("HTTPS", Some(_)) => match mode {
                None | Some("Terminate") => names = self.check_certificates(listener, refs, told),
                Some(mode) => {
                    let message = format!(
                        "a listener with protocol HTTPS can't have `tls.mode` {mode}; write Terminate, or use protocol TLS"
                    );
                    told.refuse(kind::PROGRAMMED, "UnsupportedTLSMode", message);
                }
            },
            ("TLS", Some(_)) if mode == Some("Passthrough") && !refs.is_empty() => {
                let message = "with `tls.mode` Passthrough, `certificateRefs` can't be used";
                told.refuse(kind::PROGRAMMED, "Invalid", message);
            }
            ("TLS", Some(_)) if mode == Some("Terminate") => {
                names = self.check_certificates(listener, refs, told);
                // Envoy Gateway 1.9.0 compares the certificates of HTTPS listeners only.
                names.names.clear();
            }
            _ => {}
        }
        if let Frontend::Broken(fault) = &listener.frontend
            && !fault.is_unknown
        {
            let message = format!(
                "the certificate authorities for clients in `tls.frontend`: {}",
                fault.message
            );
            for kind in [kind::RESOLVED_REFS, kind::PROGRAMMED] {
                told.conditions.retain(|one| one.0 != kind);
                told.refuse(kind, fault.reason, message.clone());
            }
            told.refuse(kind::ACCEPTED, "NoValidCACertificate", message);
        }
        names
    }

    fn check_certificates(
        &self,
        listener: &Listener<'a>,
        refs: &'a [Node],
        told: &mut ListenerConditions,
    ) -> CertificateNames {
        let mut names = CertificateNames::default();
        if refs.is_empty() {
            told.refuse(
                kind::PROGRAMMED,
                "Invalid",
                "a listener that terminates TLS needs `certificateRefs`",
            );
            return names;
        }
        let mut faults = Vec::new();
        let mut good = Vec::new();
        for reference in refs {
            match self.certificate_secret(listener, reference) {
                Ok(secret) => good.push(secret),
                Err(fault) => faults.push(fault),
            }
        }
        let is_any_found = !good.is_empty();
        let mut is_any_good = false;
        let mut taken = BTreeSet::new();
        for secret in good {
            if text(&secret.node, &["type"]) == Some(SDS) {
                names.uses_sds = true;
                is_any_good = true;
                continue;
            }
            match check_pair(secret, &mut taken) {
                Ok(found) => {
                    is_any_good = true;
                    names.names.extend(found);
                }
                Err(fault) => faults.push(fault),
            }
        }
        let Some(first) = faults.first() else {
            return names;
        };
        let message: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
        let message = message.join("; ");
        if faults.iter().any(|fault| fault.is_unknown) {
            told.conditions
                .push((kind::RESOLVED_REFS, Status::Unknown, first.reason, message));
        } else if is_any_good {
            told.conditions.push((
                kind::RESOLVED_REFS,
                Status::False,
                "PartiallyInvalidCertificateRef",
                message,
            ));
        } else {
            let is_refused = |fault: &Fault| fault.reason == "RefNotPermitted";
            let reason = match !is_any_found && faults.iter().all(is_refused) {
                true => "RefNotPermitted",
                false => "InvalidCertificateRef",
            };
            told.refuse(kind::RESOLVED_REFS, reason, message);
        }
        names
    }

    fn certificate_secret(
        &self,
        listener: &Listener<'a>,
        reference: &'a Node,
    ) -> Result<&'a Object, Fault> {
        const REASON: &str = "InvalidCertificateRef";
        if let Some(group) = text(reference, &["group"]) {
            return Err(Fault::new(
                REASON,
                format!("a certificate must be a Secret, whose group is empty and not `{group}`"),
            ));
        }
        if let Some(kind) = text(reference, &["kind"]).filter(|kind| *kind != "Secret") {
            return Err(Fault::new(
                REASON,
                format!("a certificate must be a Secret, not a {kind}"),
            ));
        }
        let own = listener.object.namespace();
        let key = Key {
            namespace: text(reference, &["namespace"]).unwrap_or(own),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        let from = ReferenceGrantFrom {
            group: GATEWAY_API,
            kind: if listener.set.is_some() {
                "ListenerSet"
            } else {
                "Gateway"
            },
            namespace: own,
        };
        self.permit(from, "", "Secret", key)?;
        let secret = self
            .index
            .find("Secret", key, |what| Fault::new(REASON, what))?;
        match text(&secret.node, &["type"]) {
            Some(SDS) => check_sds(secret, self.settings.features_for(Some(secret)).sds)
                .map_err(|fault| fault.because(REASON))?,
            Some("kubernetes.io/tls") => {
                if data(secret, "tls.crt").is_none() || data(secret, "tls.key").is_none() {
                    // A Secret in Git may be completed later, for example by a reflector.
                    let message = format!("Secret {key} lacks `tls.crt` or `tls.key`");
                    return Err(Fault::new(REASON, message));
                }
            }
            other => {
                let other = other.unwrap_or("Opaque");
                return Err(Fault::new(
                    REASON,
                    format!("Secret {key} is of type `{other}`, not `kubernetes.io/tls`"),
                ));
            }
        }
        Ok(secret)
    }

    /// Checks whether a reference to another namespace is allowed.
    ///
    /// # Errors
    /// If no ReferenceGrant allows it; the reason is `RefNotPermitted`.
    pub(super) fn permit(
        &self,
        from: ReferenceGrantFrom<'_>,
        group: &str,
        kind: &str,
        key: Key<'_>,
    ) -> Result<(), Fault> {
        match self.grants.ask(from, ReferenceGrantTo { group, kind, key }) {
            Permission::Granted => Ok(()),
            Permission::Refused if !self.index.knows_namespace(from.namespace) => Err(
                Fault::unknown(format!("the namespace of the {} is not known", from.kind)),
            ),
            Permission::Refused if !self.index.knows_around(kind, key) => {
                Err(Fault::unknown(format!(
                    "the ReferenceGrants of namespace `{}` are not in the given files",
                    key.namespace
                )))
            }
            Permission::Refused => Err(Fault::new(
                "RefNotPermitted",
                format!(
                    "no ReferenceGrant in namespace `{}` allows {} of namespace `{}` to refer to {kind} {key}",
                    key.namespace, from.kind, from.namespace
                ),
            )),
        }
    }
}

/// Whether the data of a ConfigMap or Secret has one of the keys, or consists of a single other key.
pub(super) fn holds_any(object: &Object, keys: &[&str]) -> bool {
    let maps = ["data", "stringData"];
    let mut maps = maps.iter().filter_map(|key| object.node.get(key)?.as_map());
    maps.any(|map| keys.iter().any(|key| map.contains_key(key)) || map.len() == 1)
}

/// The value of a key of a Secret, from base64 in `data` or plain in `stringData`. `None` if it is empty.
pub fn data(secret: &Object, key: &str) -> Option<Vec<u8>> {
    let plain = secret
        .node
        .path(&["stringData", key])
        .and_then(Node::as_str);
    let coded = secret.node.path(&["data", key]).and_then(Node::as_str);
    let bytes = match (plain, coded) {
        (Some(plain), _) => plain.as_bytes().to_vec(),
        // What is no base64 is encrypted (SOPS), and something all the same.
        (None, Some(coded)) => base64::decode(coded).unwrap_or_else(|| coded.as_bytes().to_vec()),
        _ => return None,
    };
    Some(bytes).filter(|bytes| !bytes.is_empty())
}

/// Whether an object holds a certificate that can be read, under the first of the keys that it has, or under its only
/// key. `None` if that is not known, because the value is encrypted or left to Flux.
pub(super) fn has_certificate(object: &Object, keys: &[&str]) -> Option<bool> {
    if is_encrypted(object) || !matches!(object.kind(), "ConfigMap" | "Secret") {
        return None;
    }
    let maps = ["data", "stringData"].iter();
    let maps = maps.filter_map(|key| object.node.get(key)?.as_map());
    let names: Vec<&str> = maps
        .flat_map(|map| map.iter().map(|(name, _)| name))
        .collect();
    let wanted = keys.iter().find(|key| names.contains(key)).copied();
    let name = wanted.or(match names.as_slice() {
        [only] => Some(*only),
        _ => None,
    })?;
    let value = match object.kind() {
        "Secret" => data(object, name),
        _ => text(&object.node, &["data", name]).map(|text| text.as_bytes().to_vec()),
    };
    let Some(value) = value else {
        return Some(false);
    };
    match variable::in_text(&String::from_utf8_lossy(&value)) {
        true => None,
        false => Some(certificate::read(&value).is_some()),
    }
}

/// Whether SOPS encrypted the Secret in place, so that its contents are not known.
fn is_encrypted(secret: &Object) -> bool {
    has(&secret.node, &["sops"])
}

pub(super) fn check_sds(secret: &Object, is_on: bool) -> Result<(), Fault> {
    let key = Key::of(secret);
    if !is_on {
        return Err(Fault::invalid(format!(
            "Secret {key} is of type `{SDS}`, which the controller's configuration doesn't enable"
        )));
    }
    for part in ["url", "secretName"] {
        if data(secret, part).is_none() {
            return Err(Fault::invalid(format!(
                "Secret {key} of type `{SDS}` lacks `{part}`"
            )));
        }
    }
    let url = data(secret, "url").map(|url| String::from_utf8_lossy(&url).into_owned());
    if url.is_none_or(|url| !url.contains("://")) {
        return Err(Fault::invalid(format!(
            "Secret {key} of type `{SDS}` has no URL with a scheme"
        )));
    }
    Ok(())
}

/// The DNS names of the certificate in a Secret. On one listener, a name may appear only once for each kind of key.
fn check_pair(
    secret: &Object,
    taken: &mut BTreeSet<(Vec<u8>, String)>,
) -> Result<Vec<String>, Fault> {
    if is_encrypted(secret) {
        return Ok(Vec::new());
    }
    let key = Key::of(secret);
    let read = data(secret, "tls.crt").and_then(|pem| certificate::read_chain(&pem));
    let Some(read) = read else {
        return Err(Fault::new(
            "InvalidCertificateRef",
            format!("`tls.crt` of Secret {key} is not a certificate"),
        ));
    };
    if !data(secret, "tls.key").is_some_and(|pem| certificate::is_key(&pem)) {
        return Err(Fault::new(
            "InvalidCertificateRef",
            format!("`tls.key` of Secret {key} is not a private key"),
        ));
    }
    let keys = data(secret, "tls.key").unwrap_or_default();
    if certificate::fits(&data(secret, "tls.crt").unwrap_or_default(), &keys) == Some(false) {
        return Err(Fault::new(
            "InvalidCertificateRef",
            format!("`tls.key` of Secret {key} is not the key of the certificate in `tls.crt`"),
        ));
    }
    let common = read
        .common_name
        .iter()
        .filter(|_| read.dns_names.is_empty());
    let own: BTreeSet<_> = read
        .dns_names
        .iter()
        .chain(common)
        .map(|name| (read.algorithm.clone(), name.clone()))
        .collect();
    if let Some((_, name)) = own.intersection(taken).next() {
        return Err(Fault::new(
            "InvalidCertificateRef",
            format!(
                "Secret {key} has a second certificate for `{name}` with a key of the same kind"
            ),
        ));
    }
    taken.extend(own);
    Ok(read.dns_names)
}
