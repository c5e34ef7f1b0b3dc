//! Certificates of clients: whether the TLS handshake succeeds.

use super::policies::InForce;
use super::request::ClientCertificate;
use super::{ChosenListener, Mark, Outcome, RequestState, SettingPlace, Stage, StageResult, Step};
use envoy_gateway::read::{flag, text};
use manifest::value::Node;

/// What a listener wants of clients.
struct Wish<'a> {
    /// Whether they must show a certificate.
    is_required: bool,
    /// Whether one that the authorities didn't sign ends the handshake.
    is_verified: bool,
    /// The authorities, for people.
    authorities: &'static str,
    place: Option<SettingPlace<'a>>,
}

/// The modes of a ClientTrafficPolicy and of `tls.frontend`: whether a certificate is required, and whether it is verified.
fn mode(validation: &Node) -> (bool, bool) {
    match text(validation, &["mode"]) {
        Some("Request" | "AllowInsecureFallback") => (false, false),
        Some("RequireAny") => (true, false),
        Some("VerifyIfGiven") => (false, true),
        Some(_) => (true, true),
        None => (flag(validation, &["optional"]) != Some(true), true),
    }
}

impl<'a> RequestState<'a, '_> {
    /// Adds a step if clients may or must show a certificate, because the policy or the Gateway says so. The policy
    /// counts if both do.
    ///
    /// # Errors
    /// If the handshake fails because of what the client shows.
    pub(super) fn client_certificate(
        &mut self,
        policy: Option<&InForce<'a>>,
        found: ChosenListener,
    ) -> StageResult<()> {
        let Some(wish) = self.wish(policy, found) else {
            return Ok(());
        };
        let authorities = wish.authorities;
        let (text, mark) = match (self.request.certificate, &wish) {
            (None, wish) if wish.is_required => {
                ("clients must show a certificate".to_owned(), Mark::Unknown)
            }
            (None, _) => ("clients may show a certificate".to_owned(), Mark::Passes),
            (Some(ClientCertificate::None), wish) if wish.is_required => (
                "the client shows no certificate, but must".to_owned(),
                Mark::Stops,
            ),
            (Some(ClientCertificate::Untrusted), wish) if wish.is_verified => (
                format!("{authorities} did not sign the client's certificate"),
                Mark::Stops,
            ),
            (Some(_), _) => (
                "the handshake succeeds with what the client shows".to_owned(),
                Mark::Passes,
            ),
        };
        let mut step = Step::new(Stage::Client, text.clone()).mark(mark);
        if mark == Mark::Unknown {
            step = step.detail(match wish.is_verified {
                true => {
                    format!("without one that {authorities} sign, the TLS handshake fails")
                }
                false => "without one, the TLS handshake fails".to_owned(),
            });
        }
        step.place = wish.place;
        self.add(step);
        match mark {
            Mark::Stops => Err(Outcome::Closed(text)),
            _ => Ok(()),
        }
    }

    fn wish(&self, policy: Option<&InForce<'a>>, found: ChosenListener) -> Option<Wish<'a>> {
        if !self.request.scheme.is_tls() {
            return None;
        }
        let keys = ["tls", "clientValidation"];
        let of_policy = policy.and_then(|it| Some((it, it.spec.path(&keys)?)));
        if let Some((policy, validation)) = of_policy {
            let (is_required, is_verified) = mode(validation);
            return Some(Wish {
                is_required,
                is_verified,
                authorities: "the policy's authorities",
                place: policy.place(&keys),
            });
        }
        let (gateway, validation) = self.inputs.resolved.frontend_validation(found.listener)?;
        let (is_required, is_verified) = mode(validation);
        Some(Wish {
            is_required,
            is_verified,
            authorities: "the authorities in `tls.frontend`",
            place: Some(SettingPlace::of(gateway, &["spec", "tls", "frontend"])),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn modes_are_those_of_the_controller() {
        for (validation, want) in [
            (json!({}), (true, true)),
            (json!({"optional": true}), (false, true)),
            (json!({"mode": "Request"}), (false, false)),
            (json!({"mode": "RequireAny"}), (true, false)),
            (json!({"mode": "VerifyIfGiven"}), (false, true)),
            (json!({"mode": "RequireAndVerify"}), (true, true)),
            (json!({"mode": "AllowValidOnly"}), (true, true)),
            (json!({"mode": "AllowInsecureFallback"}), (false, false)),
        ] {
            let node = Node::from_json(validation.clone());
            assert_eq!(mode(&node), want, "{validation}");
        }
    }
}
