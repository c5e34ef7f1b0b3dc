//! Policies of an extension server. The controller only reports whether they attach.

use super::targets::ancestor;
use super::{Outcome, Scope};
use crate::Resolver;
use crate::condition::{Status, kind};
use crate::view::{PolicyId, RouteKind};

impl<'a> Resolver<'a, '_> {
    pub(super) fn server_policies(&mut self, ids: &[PolicyId]) {
        let board = self.board();
        let targets = self.find_targets(ids, &board);
        for id in ids {
            for (scope, is_selected) in targets.get(id).cloned().unwrap_or_default() {
                let is_there = self.is_there(scope.whole(), &board);
                let has_section = self.has_section(scope, &board);
                let outcome = match (is_there, has_section) {
                    (false, _) => Outcome::NotFound,
                    (true, false) => Outcome::NoSection,
                    (true, true) => Outcome::Holds,
                };
                self.note(*id, scope, is_selected, outcome);
                if !is_there {
                    continue;
                }
                match scope {
                    Scope::Route(kind, key) | Scope::Rule(kind, key, _) => {
                        if let Some(route) = board.routes.get(&(kind, key)) {
                            self.attach_server(*id, scope, *route, has_section);
                        }
                    }
                    Scope::Gateway(key) | Scope::GatewayListener(key, _) if has_section => {
                        let under = ancestor("Gateway", key, scope.section());
                        self.policy(*id, |policy| policy.accept(&under));
                    }
                    _ => {}
                }
            }
        }
    }

    fn attach_server(
        &mut self,
        id: PolicyId,
        scope: Scope<'a>,
        route: crate::view::RouteId,
        has_section: bool,
    ) {
        let Some(route) = self.view.route(route) else {
            return;
        };
        let is_known = matches!(route.kind, RouteKind::Http | RouteKind::Grpc);
        let mut found = Vec::new();
        for parent in route.managed() {
            let first = parent
                .allowed
                .first()
                .and_then(|id| self.view.listener(*id));
            let Some(gateway) = first.and_then(|it| self.view.gateway(it.gateway)) else {
                continue;
            };
            let is_attached = parent.attachments.iter().any(|it| {
                self.view
                    .listener(it.listener)
                    .is_some_and(|it| it.is_ready())
            });
            found.push((
                ancestor("Gateway", gateway.key(), parent.reference.section),
                is_attached,
            ));
        }
        for (under, is_attached) in found {
            self.policy(id, |policy| {
                if !is_known {
                    let message = format!("such a policy can't target a {}", scope.kind());
                    policy.set(&under, kind::ACCEPTED, Status::False, "Invalid", message);
                } else if !has_section {
                    policy.set(
                        &under,
                        kind::ACCEPTED,
                        Status::False,
                        "TargetNotFound",
                        format!("there is no {scope}"),
                    );
                } else if is_attached {
                    policy.accept(&under);
                }
            });
        }
    }
}
