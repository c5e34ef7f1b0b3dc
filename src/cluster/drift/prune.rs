//! What Flux would delete: objects in its inventory, or with its labels, that are no longer rendered.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::{Asking, Drift, Item, is_rendered};
use crate::cluster::AT_ONCE;
use crate::cluster::applied::{self, Bundle, Owner};
use crate::cluster::error::Error;
use crate::cluster::kinds::{Resource, escaped};
use crate::cluster::live::{self, Remembered};
use crate::cluster::server::Ask;
use manifest::Identity;
use manifest::value::{Node, path};

/// Lists with metadata only, so that the contents of Secrets are not transferred.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const METADATA_OF_ONE: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// The number of objects of a list in one answer.
const A_PAGE: usize = 200;

/// What a Flux Kustomization applies now, and what it applied before.
pub(super) struct Applied {
    owner: Owner,
    folder: String,
    prunes: bool,
    unread: Vec<String>,
    now: Vec<Identity>,
    before: Option<Vec<Remembered>>,
}

impl Applied {
    /// For a bundle with a Flux Kustomization of its own.
    pub(super) fn of(bundle: &Bundle, live: Option<&Node>, items: &[Item]) -> Option<Self> {
        // Objects that could not be prepared are applied nevertheless; their names may contain variables.
        let mut unread = bundle.unread.clone();
        if items.len()
            < bundle
                .objects
                .iter()
                .filter(|it| it.node.get("sops").is_none())
                .count()
        {
            unread.push("some of its objects have variables without a value".to_owned());
        }
        let encrypted = bundle
            .objects
            .iter()
            .filter(|it| it.node.get("sops").is_some());
        let now = items
            .iter()
            .map(Item::identity)
            .chain(encrypted.map(|it| it.identity()));
        Some(Applied {
            owner: bundle.owner.clone()?,
            folder: bundle.folder.clone(),
            prunes: bundle.prunes,
            unread,
            now: now.collect(),
            before: live.and_then(live::inventory),
        })
    }
}

impl Asking<'_> {
    /// Adds what would be deleted to the live objects.
    pub(super) async fn pruned(&mut self, bundles: &[Bundle], applied: Vec<Option<Applied>>) {
        let mut all: Vec<Applied> = applied.into_iter().flatten().collect();
        match self.orphans(bundles, &all).await {
            Ok(orphans) => all.extend(orphans),
            Err(error) => {
                if self.drift.fail(error) {
                    return;
                }
            }
        }
        for one in &all {
            if let (true, Some(reason)) = (one.prunes, one.unread.first()) {
                let note = format!(
                    "it is not known what Flux would delete of Kustomization {}: {reason}",
                    one.owner
                );
                self.drift.notes.push(note);
            }
        }
        all.retain(|one| one.prunes && one.unread.is_empty());
        let unknown: BTreeSet<&str> = all
            .iter()
            .filter(|one| one.before.is_none())
            .map(|one| one.owner.name.as_str())
            .collect();
        let Some(labelled) = self.labelled(&unknown).await else {
            return;
        };
        for one in &all {
            let candidates = match &one.before {
                Some(before) => match self.remembered(one, before).await {
                    Ok(candidates) => candidates,
                    Err(error) => {
                        if self.drift.fail(error) {
                            return;
                        }
                        continue;
                    }
                },
                None => labelled.clone(),
            };
            for gone in live::pruned(&candidates, &one.owner, &one.now) {
                if self.show_pruned(&one.folder, gone).await {
                    return;
                }
            }
        }
    }

    /// Flux Kustomizations that were rendered earlier: they exist in the cluster, read a folder beside those of the
    /// tree, and are no longer in the tree. Everything that they applied would be deleted with them.
    async fn orphans(
        &mut self,
        bundles: &[Bundle],
        applied: &[Applied],
    ) -> Result<Vec<Applied>, Error> {
        let versions = self.kinds.versions(applied::FLUX, "Kustomization");
        let (Some(first), Some(resource)) = (applied.first(), versions.first()) else {
            return Ok(Vec::new());
        };
        let app = path::folder(&first.folder);
        if app.is_empty() {
            return Ok(Vec::new());
        }
        let all = resource.all(&first.owner.namespace);
        let ask = Ask::get(format!("{all}?limit={A_PAGE}"));
        let mut items = Vec::new();
        self.server.list(&ask, |item| items.push(item)).await?;
        let mut found = Vec::new();
        for item in items {
            let mut node = Node::from_json(item);
            name_kind(&mut node, resource);
            let identity = live::identity(&node);
            let owner = Owner {
                namespace: identity.namespace,
                name: identity.name,
            };
            let path = node
                .path(&["spec", "path"])
                .and_then(Node::as_str)
                .unwrap_or_default();
            let folder = path::join("", path);
            let is_beside = path::below(app, &folder).is_some();
            // Flux only deletes what has its labels.
            let is_applied = live::owner(&node).is_some() && live::is_prunable(&node);
            if !is_beside || !is_applied || is_rendered(bundles, &owner) {
                continue;
            }
            found.push(Applied {
                owner,
                folder,
                prunes: node.path(&["spec", "prune"]).and_then(Node::as_bool) == Some(true),
                unread: Vec::new(),
                now: Vec::new(),
                before: live::inventory(&node),
            });
            Drift::put(
                &mut self.drift.before,
                &format!("{app}/ks.yaml"),
                live::compared(node),
            );
        }
        Ok(found)
    }

    /// All objects with the label of one of these Flux Kustomizations; `None` if the server can't be asked for more.
    async fn labelled(&mut self, names: &BTreeSet<&str>) -> Option<Vec<Node>> {
        if names.is_empty() {
            return Some(Vec::new());
        }
        let names: Vec<&str> = names.iter().copied().collect();
        let selector = escaped(&format!("{}/name in ({})", applied::FLUX, names.join(",")));
        let server = self.server;
        let kinds: Vec<&Resource> = self
            .kinds
            .preferred()
            .filter(|it| {
                // Kinds that can't be patched can't have been applied: metrics, reviews.
                let can = |verb: &str| it.verbs.iter().any(|it| it == verb);
                can("list") && can("patch")
            })
            .collect();
        let mut lists = stream::iter(kinds)
            .map(|kind| {
                let path = format!("{}?labelSelector={selector}&limit={A_PAGE}", kind.all(""));
                async move {
                    let mut items = Vec::new();
                    let ask = Ask::get(path).accept(METADATA);
                    let listed = server.list(&ask, |item| items.push(item)).await;
                    (kind, listed.map(|()| items))
                }
            })
            .buffered(AT_ONCE);
        let mut found = Vec::new();
        let mut hidden = Vec::new();
        while let Some((kind, answer)) = lists.next().await {
            match answer {
                Ok(items) => found.extend(items.into_iter().map(|item| {
                    let mut node = Node::from_json(item);
                    name_kind(&mut node, kind);
                    node
                })),
                Err(Error::Forbidden { .. }) => hidden.push(kind.plural.as_str()),
                Err(error) => {
                    if self.drift.fail(error) {
                        return None;
                    }
                }
            }
        }
        drop(lists);
        if !hidden.is_empty() {
            self.drift.fail(Error::Forbidden {
                request: format!("the lists of {}", hidden.join(", ")),
                message: "it is not known whether Flux would delete some of them".to_owned(),
            });
        }
        Some(found)
    }

    /// The objects in the inventory of a Flux Kustomization that it no longer applies and that still exist.
    async fn remembered(&self, one: &Applied, before: &[Remembered]) -> Result<Vec<Node>, Error> {
        let mut found = Vec::new();
        for entry in before
            .iter()
            .filter(|entry| !one.now.contains(&entry.identity))
        {
            let Identity {
                group,
                kind,
                namespace,
                name,
            } = &entry.identity;
            let served = self
                .kinds
                .get(group, &entry.version, kind)
                .or(self.kinds.versions(group, kind).first());
            let Some(resource) = served else { continue };
            let ask = Ask::get(resource.one(namespace, name)).accept(METADATA_OF_ONE);
            if let Some(there) = self.server.find(&ask).await? {
                let mut node = Node::from_json(there);
                name_kind(&mut node, resource);
                found.push(node);
            }
        }
        Ok(found)
    }

    /// Adds what is deleted, with its contents, to the live objects. Returns whether the server can't be asked for
    /// more.
    async fn show_pruned(&mut self, folder: &str, gone: &Node) -> bool {
        let Identity {
            group,
            kind,
            namespace,
            name,
        } = live::identity(gone);
        let resource = self.kinds.versions(&group, &kind).first();
        let whole = match resource {
            Some(resource) if kind != "Secret" => {
                self.server
                    .find(&Ask::get(resource.one(&namespace, &name)))
                    .await
            }
            _ => {
                Drift::put(&mut self.drift.before, folder, live::compared(gone.clone()));
                return false;
            }
        };
        match whole {
            Ok(Some(there)) => {
                Drift::put(
                    &mut self.drift.before,
                    folder,
                    live::compared(Node::from_json(there)),
                );
                false
            }
            // It was deleted in the meantime.
            Ok(None) => false,
            Err(error) => {
                Drift::put(&mut self.drift.before, folder, live::compared(gone.clone()));
                self.drift.fail(error)
            }
        }
    }
}

/// Sets `apiVersion` and `kind`: lists leave them out of their items, and lists of metadata have other ones.
fn name_kind(node: &mut Node, kind: &Resource) {
    let version = match kind.group.as_str() {
        "" => kind.version.clone(),
        group => format!("{group}/{}", kind.version),
    };
    applied::set(node, &["apiVersion"], &version);
    applied::set(node, &["kind"], &kind.kind);
}
