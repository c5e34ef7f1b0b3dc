//! Checks that the certificate is valid for the hostname.

use super::{ChosenListener, Mark, Outcome, RequestState, SettingPlace, Stage, StageResult, Step};
use envoy_gateway::certificate;
use envoy_gateway::index::Key;
use envoy_gateway::read::{has, list, text};
use envoy_gateway::tls::data;
use envoy_gateway::view::Listener;
use manifest::Object;
use manifest::value::{Node, variable};

/// The names of a certificate, and where they come from.
struct CertificateNames<'a> {
    names: Vec<String>,
    place: SettingPlace<'a>,
    how: String,
}

impl<'a> RequestState<'a, '_> {
    /// Adds the step that says which certificate is used, and whether it is valid for the hostname.
    ///
    /// # Errors
    /// If no certificate is valid for the hostname, because clients then close the connection.
    pub(super) fn certificate(&mut self, found: ChosenListener) -> StageResult<()> {
        let Some(listener) = self.inputs.resolved.listener(found.listener) else {
            return Ok(());
        };
        let refs = list(listener.node, &["tls", "certificateRefs"]);
        if !listener.is_tls() || refs.is_empty() {
            return Ok(());
        }
        let host = self.request.host.clone();
        let secrets: Vec<Key<'_>> = refs
            .iter()
            .map(|it| Key {
                namespace: text(it, &["namespace"]).unwrap_or(listener.object.namespace()),
                name: text(it, &["name"]).unwrap_or_default(),
            })
            .collect();
        let known: Vec<Option<CertificateNames<'a>>> =
            secrets.iter().map(|key| self.names_of(*key)).collect();
        let listed: Vec<String> = secrets.iter().map(|key| format!("Secret {key}")).collect();
        let listed = listed.join(", ");
        let covering = known.iter().flatten().find_map(|it| {
            let name = it.names.iter().find(|name| covers(name, &host))?;
            Some((name.clone(), it))
        });
        if let Some((name, it)) = covering {
            let step = Step::new(Stage::Certificate, format!("{listed} is valid for {host}"))
                .detail(format!("its name {name}, {}", it.how))
                .place(it.place.clone());
            self.add(step);
            return Ok(());
        }
        let has_variable =
            |it: &CertificateNames<'_>| it.names.iter().any(|name| variable::in_text(name));
        let is_open = known.iter().any(|it| it.as_ref().is_none_or(has_variable));
        if is_open || variable::in_text(&host) {
            let text = format!("{listed}: the names of the certificate are not known");
            let step = Step::new(Stage::Certificate, text)
                .mark(Mark::Unknown)
                .place(tls_place(listener));
            self.add(step);
            return Ok(());
        }
        let names: Vec<&str> = known
            .iter()
            .flatten()
            .flat_map(|it| it.names.iter().map(String::as_str))
            .collect();
        let names = names.join(", ");
        let first = known.into_iter().flatten().next();
        let mark = match self.request.verifies {
            true => Mark::Stops,
            false => Mark::Minds,
        };
        let step = Step::new(
            Stage::Certificate,
            format!("{listed} is not valid for {host}"),
        )
        .mark(mark)
        .detail(format!("it is valid for {names}"))
        .place(first.map_or_else(|| tls_place(listener), |it| it.place));
        self.add(step);
        if !self.request.verifies {
            return Ok(());
        }
        Err(Outcome::Closed(format!(
            "the certificate is valid for {names}, so clients that verify it close the connection"
        )))
    }

    /// The names of the certificate in a Secret: from the certificate itself, or from the Certificate of
    /// cert-manager.
    fn names_of(&self, key: Key<'_>) -> Option<CertificateNames<'a>> {
        let secret = self.inputs.find("Secret", key);
        let read = secret.filter(|it| !has(&it.node, &["sops"]));
        let read = read.and_then(|it| Some((it, data(it, "tls.crt")?)));
        if let Some((secret, certificate)) =
            read.and_then(|(it, pem)| Some((it, certificate::read(&pem)?)))
        {
            // Clients that still look at the common name do so only if there are no other names.
            let common = certificate.common_name.into_iter();
            let is_named = !certificate.dns_names.is_empty();
            let common = common.filter(|_| !is_named);
            return Some(CertificateNames {
                names: certificate.dns_names.into_iter().chain(common).collect(),
                place: SettingPlace::of(secret, &["data", "tls.crt"]),
                how: "in the certificate itself".to_owned(),
            });
        }
        let is_asked = |it: &&Object| {
            it.kind() == "Certificate"
                && it.group() == "cert-manager.io"
                && it.namespace() == key.namespace
                && text(&it.node, &["spec", "secretName"]) == Some(key.name)
        };
        let asked = self.inputs.objects.iter().find(is_asked)?;
        let names = list(&asked.node, &["spec", "dnsNames"])
            .iter()
            .filter_map(Node::as_str);
        let common = text(&asked.node, &["spec", "commonName"]);
        Some(CertificateNames {
            names: names.chain(common).map(str::to_owned).collect(),
            place: SettingPlace::of(asked, &["spec", "dnsNames"]),
            how: format!("from Certificate {}", Key::of(asked)),
        })
    }
}

fn tls_place<'a>(listener: &Listener<'a>) -> SettingPlace<'a> {
    SettingPlace {
        object: listener.object,
        pointer: listener.pointer.key("tls"),
    }
}

/// Whether a name in a certificate covers a hostname. `*` stands for exactly one label (RFC 6125).
fn covers(name: &str, host: &str) -> bool {
    let name = name.to_lowercase();
    match name.strip_prefix("*.") {
        None => name == host,
        Some(suffix) => host
            .split_once('.')
            .is_some_and(|(first, rest)| !first.is_empty() && rest == suffix),
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_stands_for_one_label() {
        for (name, host, want) in [
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("Example.com", "example.com", true),
        ] {
            assert_eq!(covers(name, host), want, "{name} {host}");
        }
    }
}
