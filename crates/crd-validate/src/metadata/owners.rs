//! Owners, finalizers and managed fields.

use super::typed::{MANAGED, OWNER};
use super::{KEY, MetadataWalk, shown};
use crate::codes;
use crate::passes::Request;
use k8s_syntax::names;
use manifest::value::{Kind, Map, Node, Pointer, variable};

/// The fields that an owner must have.
const REQUIRED: &[&str] = &["apiVersion", "kind", "name", "uid"];

/// The finalizers of Kubernetes itself, whose names have no domain.
const STANDARD_FINALIZERS: &[&str] = &["foregroundDeletion", "kubernetes", "orphan"];

/// The groups of Kubernetes' own kinds whose finalizers may have any name.
const WITH_ANY_FINALIZER: &[&str] = &[
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "policy",
];

impl MetadataWalk<'_> {
    pub(super) fn owners(&mut self, map: &Map, root: &Pointer) {
        let empty = Map::default();
        let mut controllers: Vec<&Map> = Vec::new();
        let mut uids: Vec<&str> = Vec::new();
        for (place, owner) in self.items(map, root, "ownerReferences") {
            let owner = match &owner.kind {
                Kind::Map(map) => map,
                Kind::Null => &empty,
                _ => {
                    self.wrong_type(&place, "a map");
                    continue;
                }
            };
            self.owner(owner, &place);
            let uid = owner.get("uid").and_then(Node::as_str).unwrap_or_default();
            if self.request == Request::Apply && uids.contains(&uid) {
                let message = format!(
                    "`{}` has the same `uid` as an owner before it",
                    place.dotted()
                );
                self.report_as(
                    codes::SCHEMA_LIST_KEY,
                    &place,
                    message,
                    "remove one of the two",
                );
            }
            uids.push(uid);
            let is_controller = owner.get("controller").and_then(Node::as_bool) == Some(true);
            // The server drops an owner that is given twice.
            if is_controller && !controllers.contains(&owner) {
                controllers.push(owner);
            }
        }
        if controllers.len() > 1 {
            let root = root.key("ownerReferences");
            let message = format!(
                "`{}` names {} controllers",
                root.dotted(),
                controllers.len()
            );
            let help = "keep `controller: true` on only one of them";
            self.report(&root, message, help);
        }
    }

    fn owner(&mut self, owner: &Map, place: &Pointer) {
        for key in REQUIRED {
            let is_empty = match owner.get(key).map(|node| &node.kind) {
                None | Some(Kind::Null) => true,
                Some(Kind::String(text)) => text.is_empty(),
                Some(_) => false,
            };
            if is_empty {
                let pointer = place.key(*key);
                let message = format!("`{}` is missing", pointer.dotted());
                let help = format!("add `{key}:`, a string");
                self.report_as(codes::SCHEMA_REQUIRED, &pointer, message, help);
            }
        }
        self.typed(owner, place, OWNER);
        let version = owner
            .get("apiVersion")
            .and_then(Node::as_str)
            .unwrap_or_default();
        let is_event = owner.get("kind").and_then(Node::as_str) == Some("Event");
        if is_event && version == "v1" {
            let message = format!("`{}` is an Event, which owns nothing", place.dotted());
            self.report(place, message, "remove this owner");
        }
        let is_version = match version.split_once('/') {
            Some((_, version)) => !version.is_empty() && !version.contains('/'),
            None => true,
        };
        if !is_version && !variable::in_text(version) {
            let pointer = place.key("apiVersion");
            let message = format!("`{}` can't be {}", pointer.dotted(), shown(version));
            self.report(
                &pointer,
                message,
                "write `group/version`, or only a version",
            );
        }
    }

    pub(super) fn finalizers(&mut self, map: &Map, root: &Pointer) {
        let group = self.object.group();
        let is_event = self.object.kind() == "Event";
        let is_own =
            names::is_builtin_group(group) && !WITH_ANY_FINALIZER.contains(&group) && !is_event;
        let mut given: Vec<&str> = Vec::new();
        for (place, item) in self.items(map, root, "finalizers") {
            let text = match &item.kind {
                Kind::String(text) if variable::in_text(text) => continue,
                Kind::String(text) => text,
                Kind::Null => "",
                _ => {
                    self.wrong_type(&place, "a string");
                    continue;
                }
            };
            let needs_domain =
                is_own && !STANDARD_FINALIZERS.contains(&text) && !text.contains('/');
            if !names::is_qualified_name(text) || needs_domain {
                let message = format!("`{}` can't be {}", place.dotted(), shown(text));
                let want = if needs_domain {
                    "`prefix.example.com/name`"
                } else {
                    KEY.want
                };
                self.report(&place, message, format!("write {want}"));
            } else if self.request == Request::Apply && given.contains(&text) {
                let message = format!("`{}` is given twice", place.dotted());
                self.report_as(
                    codes::SCHEMA_LIST_KEY,
                    &place,
                    message,
                    "remove one of the two",
                );
            }
            given.push(text);
        }
        if given.contains(&"orphan") && given.contains(&"foregroundDeletion") {
            let root = root.key("finalizers");
            let message = format!(
                "`{}` has both `orphan` and `foregroundDeletion`",
                root.dotted()
            );
            self.report(&root, message, "keep one of the two");
        }
    }

    pub(super) fn managed_fields(&mut self, map: &Map, root: &Pointer) {
        let entries = self.items(map, root, "managedFields");
        let is_given = map
            .get("managedFields")
            .is_some_and(|list| list.as_list().is_some());
        if self.request == Request::Apply && is_given {
            let root = root.key("managedFields");
            let message = format!(
                "`{}` must be left out of an object that is applied",
                root.dotted()
            );
            self.report(&root, message, "remove it; the API server writes it");
        }
        for (place, entry) in entries {
            match &entry.kind {
                Kind::Map(map) => self.typed(map, &place, MANAGED),
                Kind::Null => {}
                _ => self.wrong_type(&place, "a map"),
            }
        }
    }
}
