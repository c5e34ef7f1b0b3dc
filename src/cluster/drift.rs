//! How live objects differ from what Flux would apply.
//!
//! Each object is sent as Flux would send it, by server-side apply, but with `dryRun=All`. The answer is compared
//! with the live object. Defaults and fields of other managers are in both, so they make no difference.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::applied::{self, Bundle, Owner, is_flux_kustomization};
use super::error::Error;
use super::kinds::{Kinds, Resource, escaped};
use super::live;
use super::server::{Ask, Server};
use super::variables::{Variables, substitute};
use super::{AT_ONCE, Progress};
use crate::diff::{Content, File};
use manifest::value::Node;
use manifest::{Identity, Object};

mod absent;
mod prune;
mod values;

/// The result of comparing a tree with a cluster.
#[derive(Debug, Default)]
pub struct Drift {
    /// The live objects, by the file of the tree that has them.
    pub before: Vec<File>,
    /// The objects as Flux would change them.
    pub after: Vec<File>,
    /// What the user has to know about the comparison: objects that don't exist yet, and those that Flux ignores.
    pub notes: Vec<String>,
    /// What could not be compared, and why.
    pub failures: Vec<Error>,
    /// The number of objects.
    pub objects: usize,
    /// The number of objects that were compared.
    pub compared: usize,
    /// Strings that come from Secrets.
    pub secrets: BTreeSet<String>,
}

impl Drift {
    /// Whether everything was compared. Only then does an empty difference mean that there is none.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }

    fn put(side: &mut Vec<File>, file: &str, node: Node) {
        let object = Object::new(node, file);
        match side.iter_mut().find(|it| it.path == file) {
            Some(File {
                content: Content::Objects(objects),
                ..
            }) => objects.push(object),
            _ => side.push(File {
                path: file.to_owned(),
                content: Content::Objects(vec![object]),
            }),
        }
    }

    /// Records a failure. Returns whether it ends everything.
    fn fail(&mut self, error: Error) -> bool {
        let ends = error.ends_all();
        if !self.failures.contains(&error) {
            self.failures.push(error);
        }
        ends
    }
}

/// Whether objects of a kind are namespaced, as far as the catalogue knows. It is used for kinds that the server
/// doesn't serve.
pub type Scope<'a> = &'a dyn Fn(&Object) -> Option<bool>;

/// Compares what Flux would apply with the live objects. `manager` is the field manager.
///
/// # Errors
/// If nothing could be learned from the cluster. Later failures are in [`Drift::failures`].
pub async fn drift(
    server: &Server,
    bundles: Vec<Bundle>,
    manager: &str,
    scope: Scope<'_>,
    progress: Progress<'_>,
) -> Result<Drift, Error> {
    let kinds = Kinds::of(server).await?;
    let mut asking = Asking {
        server,
        kinds: &kinds,
        manager,
        drift: Drift::default(),
    };
    let mut items = Vec::new();
    let mut owners = Vec::new();
    for bundle in &bundles {
        let live = asking.kustomization(bundle).await?;
        let variables = asking.values(bundle, live.as_ref()).await;
        let first = items.len();
        items.extend(
            bundle
                .objects
                .iter()
                .filter_map(|object| asking.item(bundle, object, variables.as_ref(), scope)),
        );
        let own = items.get(first..).unwrap_or_default();
        owners.push(prune::Applied::of(bundle, live.as_ref(), own));
    }
    asking.drift.objects = bundles.iter().map(|it| it.objects.len()).sum();
    asking.namespaces(&mut items).await;
    asking.say_what_is_not_served(&items);
    if asking.compare(&items, progress).await {
        asking.pruned(&bundles, owners).await;
    }
    Ok(asking.drift)
}

/// An object to compare.
struct Item {
    object: Object,
    resource: Option<Resource>,
    is_outside: bool,
    is_in_space: bool,
}

impl Item {
    fn identity(&self) -> Identity {
        self.object.identity()
    }

    fn path(&self) -> Option<String> {
        let resource = self.resource.as_ref()?;
        Some(resource.one(self.object.namespace(), self.object.name()))
    }
}

/// The result of comparing one object.
enum Compared {
    Differs {
        before: Option<Node>,
        after: Node,
        warnings: Vec<String>,
    },
    LeftAlone(&'static str),
}

struct Asking<'a> {
    server: &'a Server,
    kinds: &'a Kinds,
    manager: &'a str,
    drift: Drift,
}

impl Asking<'_> {
    /// The live Flux Kustomization of a bundle, if it exists.
    async fn kustomization(&mut self, bundle: &Bundle) -> Result<Option<Node>, Error> {
        let versions = self.kinds.versions(applied::FLUX, "Kustomization");
        let (Some(owner), Some(resource)) = (&bundle.owner, versions.first()) else {
            return Ok(None);
        };
        let path = resource.one(&owner.namespace, &owner.name);
        match self.server.find(&Ask::get(path)).await {
            Ok(found) => Ok(found.map(Node::from_json)),
            // The comparison of the object itself reports this.
            Err(Error::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An object as it is sent; `None` if that is unknown.
    fn item(
        &mut self,
        bundle: &Bundle,
        object: &Object,
        variables: Option<&Variables>,
        scope: Scope<'_>,
    ) -> Option<Item> {
        let name = object.identity().to_string();
        if object.node.get("sops").is_some() {
            self.drift.notes.push(format!(
                "{name} is encrypted with SOPS, so it is not compared"
            ));
            return None;
        }
        let mut object = object.clone();
        if let Some(variables) = variables {
            match substitute(&object.node, variables) {
                Ok(done) => {
                    object.node = done.node.into();
                    self.drift.secrets.extend(done.secrets);
                }
                Err(problem) => {
                    self.drift.fail(Error::Variable {
                        object: name,
                        problem,
                    });
                    return None;
                }
            }
        }
        let resource = self
            .kinds
            .get(object.group(), object.version(), object.kind())
            .cloned();
        let is_namespaced = match &resource {
            Some(resource) => resource.namespaced,
            None => scope(&object).unwrap_or(true),
        };
        if !is_namespaced {
            if let Some(metadata) = object
                .node
                .as_map_mut()
                .and_then(|map| map.get_mut("metadata"))
                .and_then(Node::as_map_mut)
            {
                metadata.remove("namespace");
            }
        } else if object.namespace().is_empty() {
            applied::set(&mut object.node, &["metadata", "namespace"], "default");
        }
        Some(Item {
            object,
            resource,
            is_outside: bundle.owner.is_none(),
            is_in_space: true,
        })
    }

    /// Compares all objects. Returns whether the server may be asked for more.
    async fn compare(&mut self, items: &[Item], progress: Progress<'_>) -> bool {
        if self.drift.failures.iter().any(Error::ends_all) {
            return false;
        }
        let (server, manager) = (self.server, self.manager);
        let mut answers = stream::iter(items)
            .map(|item| async move { (item, one(server, manager, item).await) })
            .buffered(AT_ONCE);
        let mut done = 0;
        while let Some((item, answer)) = answers.next().await {
            done += 1;
            progress(done, items.len());
            let file = &item.object.file;
            match answer {
                Ok(Compared::Differs {
                    before,
                    after,
                    warnings,
                }) => {
                    self.drift.compared += 1;
                    if let Some(before) = before {
                        Drift::put(&mut self.drift.before, file, before);
                    }
                    Drift::put(&mut self.drift.after, file, after);
                    let name = item.identity();
                    let said = warnings
                        .into_iter()
                        .map(|text| format!("{name}: the API server warns: {text}"));
                    self.drift.notes.extend(said);
                }
                Ok(Compared::LeftAlone(mark)) => {
                    self.drift.compared += 1;
                    let note = format!("Flux ignores {} ({mark})", item.identity());
                    self.drift.notes.push(note);
                }
                Err(error) => {
                    if self.drift.fail(error) {
                        return false;
                    }
                }
            }
        }
        true
    }
}

/// Fetches one live object, and what the server would make of it.
async fn one(server: &Server, manager: &str, item: &Item) -> Result<Compared, Error> {
    let path = match item.path() {
        Some(path) if item.is_in_space => path,
        _ => {
            return Ok(Compared::Differs {
                before: None,
                after: item.object.node.clone().into_node(),
                warnings: Vec::new(),
            });
        }
    };
    let found = server.find(&Ask::get(path.as_str())).await?;
    let live = found.map(Node::from_json);
    let mut wanted = item.object.node.clone();
    if let Some(mark) = live::left_alone(&wanted, live.as_ref()) {
        return Ok(Compared::LeftAlone(mark));
    }
    if let Some(live) = live.as_ref().filter(|_| item.is_outside) {
        live::keep_owner(&mut wanted, live);
    }
    let query = format!(
        "{path}?fieldManager={}&force=true&dryRun=All",
        escaped(manager)
    );
    let answer = server.ask(&Ask::apply(query, wanted.to_json())).await?;
    if !answer.is_success() {
        return Err(Error::Refused {
            object: item.identity().to_string(),
            message: refusal(&item.object, answer.message()),
        });
    }
    Ok(Compared::Differs {
        after: match live {
            Some(_) => live::compared(Node::from_json(answer.body)),
            // What Flux would create, without the defaults that the server would add.
            None => wanted.into_node(),
        },
        before: live.map(live::compared),
        warnings: answer.warnings,
    })
}

/// The server's message, unless it may quote a Secret.
pub(super) fn refusal(object: &Object, message: String) -> String {
    match object.kind() {
        "Secret" => "its message is not shown, because it may quote the Secret".to_owned(),
        _ => message,
    }
}

/// Whether one of the objects is this Flux Kustomization.
fn is_rendered(bundles: &[Bundle], owner: &Owner) -> bool {
    let objects = bundles.iter().flat_map(|it| &it.objects);
    objects
        .filter(|it| is_flux_kustomization(it))
        .any(|it| it.name() == owner.name && it.namespace() == owner.namespace)
}
