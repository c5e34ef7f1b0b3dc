//! What the controller says of listeners.

use super::cluster::ClusterAttachments;
use super::{listener_conflict, refused};
use crate::lint::reference::{not_permitted, unusable};
use envoy_gateway::Listener;
use envoy_gateway::condition::{Status, kind};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;

impl ClusterAttachments<'_, '_> {
    /// Reports a listener that conflicts with another, or that refers to what it can't use.
    pub(super) fn listener(&self, listener: &Listener<'_>) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        if self.is_open(listener.object) {
            return found;
        }
        let conditions = &listener.conditions;
        if let Some(conflict) = conditions
            .get(kind::CONFLICTED)
            .filter(|it| it.status == Status::True)
            && !listener_conflict::is_found_by_schema(self.resolved.listeners(), listener)
        {
            found.push(listener_conflict::report(listener, conflict));
        }
        // The schema reports other listeners that don't fit their protocol.
        let programmed = conditions
            .get(kind::PROGRAMMED)
            .filter(|it| it.status == Status::False)
            .filter(|it| matches!(&*it.reason, "Invalid" | "ListenersNotValid"));
        if let Some(programmed) = programmed
            && listener.protocol == "HTTPS"
            && listener.node.get("tls").is_none()
        {
            found.push(refused::report(
                listener.object,
                &listener.pointer,
                programmed,
            ));
        }
        let refs = conditions.get(kind::RESOLVED_REFS);
        // If the Secret comes from elsewhere, so may the grant: from another part of the repository, if there is one.
        if refs.is_some_and(|it| it.status == Status::Unknown)
            && !self.is_repository()
            && let Some((place, help)) = self.help_for_listener(listener)
        {
            let message = format!(
                "listener `{}`: no ReferenceGrant allows it to use a Secret of another namespace",
                listener.name
            );
            found.push(
                finding(not_permitted::CODE, listener.object, &place, message)
                    .severity(Severity::Warning)
                    .why("the listener is not sent to Envoy")
                    .help(help),
            );
        }
        if let Some(refs) = refs.filter(|it| it.status == Status::False) {
            let (code, help) = match refs.reason.as_ref() {
                "RefNotPermitted" => (not_permitted::CODE, not_permitted::HELP),
                "InvalidRouteKinds" => (refused::CODE, refused::HELP_FOR_KINDS),
                _ => (unusable::CODE, unusable::HELP_FOR_LISTENER),
            };
            let (place, help) = match code == not_permitted::CODE {
                true => self.help_for_listener(listener),
                false => None,
            }
            .unwrap_or_else(|| (listener.pointer.clone(), help.to_owned()));
            let message = format!("listener `{}`: {}", listener.name, refs.message);
            found.push(
                finding(code, listener.object, &place, message)
                    .why("the listener is not sent to Envoy, or is sent without what is refused")
                    .help(help),
            );
        }
        found
    }
}
