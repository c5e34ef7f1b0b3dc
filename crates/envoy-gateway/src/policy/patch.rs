//! EnvoyPatchPolicies change the configuration of a Gateway, or of a class that merges its gateways.

use super::targets::{ancestor, referenced};
use super::{Outcome, Scope};
use crate::Resolver;
use crate::condition::{Status, kind};
use crate::index::{GATEWAY_API, Key};
use crate::read::text;
use crate::view::PolicyId;

impl<'a> Resolver<'a, '_> {
    pub(super) fn patch_policies(&mut self, ids: &[PolicyId]) {
        let board = self.board();
        let merging: Vec<&str> = self
            .view
            .classes()
            .iter()
            .filter(|it| it.merges)
            .map(|it| it.name)
            .collect();
        for id in ids {
            let Some(object) = self.view.policy(*id).map(|it| it.object) else {
                continue;
            };
            let Some(target) = object.node.path(&["spec", "targetRef"]) else {
                continue;
            };
            let name = text(target, &["name"]).unwrap_or_default();
            let key = Key {
                namespace: object.namespace(),
                name,
            };
            let class = Key {
                namespace: "",
                name,
            };
            let (wanted, under, is_there) = if merging.is_empty() {
                (
                    "Gateway",
                    ancestor("Gateway", key, None),
                    board.gateways.contains_key(&key),
                )
            } else {
                let mut under = ancestor("GatewayClass", class, None);
                under.namespace = None;
                ("GatewayClass", under, merging.contains(&name))
            };
            let scope = referenced(object)
                .first()
                .copied()
                .unwrap_or(Scope::Other(wanted, key));
            let its = (text(target, &["group"]), text(target, &["kind"]));
            let refusal = if !is_there {
                (wanted == "GatewayClass").then(|| {
                    (
                        "Invalid",
                        format!("there is no {wanted} `{name}` that merges gateways"),
                    )
                })
            } else if !self.settings.features_for(Some(object)).patch_policy {
                let message = "the controller's configuration doesn't enable EnvoyPatchPolicy (`enableEnvoyPatchPolicy`)";
                Some(("Disabled", message.to_owned()))
            } else if its != (Some(GATEWAY_API), Some(wanted)) {
                let its = its.1.unwrap_or("nothing");
                Some((
                    "Invalid",
                    format!("only a {wanted} can be patched here, not a {its}"),
                ))
            } else {
                None
            };
            let outcome = match (is_there, &refusal) {
                (true, None) => Outcome::Holds,
                _ => Outcome::NotFound,
            };
            self.note(*id, scope, false, outcome);
            match refusal {
                Some((reason, message)) => self.policy(*id, |policy| {
                    policy.set(&under, kind::ACCEPTED, Status::False, reason, message)
                }),
                None if is_there => self.policy(*id, |policy| policy.accept(&under)),
                None => {}
            }
        }
    }
}
