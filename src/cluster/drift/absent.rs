//! Namespaces that don't exist yet, and kinds that the server doesn't serve.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};

use super::{Asking, Item};
use crate::cluster::AT_ONCE;
use crate::cluster::error::Error;
use crate::cluster::kinds::escaped;
use crate::cluster::server::Ask;

impl Asking<'_> {
    /// Marks objects whose namespace doesn't exist, and adds a note on each such namespace.
    pub(super) async fn namespaces(&mut self, items: &mut [Item]) {
        let wanted: BTreeSet<String> = items
            .iter()
            .map(|item| item.object.namespace().to_owned())
            .collect();
        let server = self.server;
        let answers: Vec<_> = stream::iter(wanted.into_iter().filter(|name| !name.is_empty()))
            .map(|name| async move {
                let path = format!("/api/v1/namespaces/{}", escaped(&name));
                (server.find(&Ask::get(path)).await, name)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        for (answer, name) in answers {
            let is_missing = match answer {
                Ok(found) => found.is_none(),
                // Permission to read the namespace object is not needed to read what is in it.
                Err(Error::Forbidden { .. }) => false,
                Err(error) => {
                    self.drift.fail(error);
                    return;
                }
            };
            if !is_missing {
                continue;
            }
            let is_made = items
                .iter()
                .any(|it| it.object.kind() == "Namespace" && it.object.name() == name);
            let within = items
                .iter_mut()
                .filter(|item| item.object.namespace() == name);
            let count = within.map(|item| item.is_in_space = false).count();
            let nobody = if is_made {
                ""
            } else {
                ", and nothing in this tree creates it"
            };
            let what = format!("namespace `{name}` doesn't exist yet{nobody}");
            self.drift
                .notes
                .push(format!("{what}; {} compared with nothing", objects(count)));
        }
    }

    /// Adds notes on the kinds that are not served.
    pub(super) fn say_what_is_not_served(&mut self, items: &[Item]) {
        let mut missing: BTreeSet<String> = BTreeSet::new();
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        let mut count = 0;
        for item in items.iter().filter(|item| item.resource.is_none()) {
            let object = &item.object;
            let served = self.kinds.versions(object.group(), object.kind());
            if served.is_empty() {
                missing.insert(match object.group() {
                    "" => object.kind().to_owned(),
                    group => format!("{} ({group})", object.kind()),
                });
                count += 1;
                continue;
            }
            let served: Vec<&str> = served.iter().map(|it| it.version.as_str()).collect();
            let what = format!(
                "{} {} is not served; the cluster's CustomResourceDefinition has {}",
                object.api_version(),
                object.kind(),
                served.join(", ")
            );
            *others.entry(what).or_default() += 1;
        }
        if !missing.is_empty() {
            let kinds: Vec<&str> = missing.iter().map(String::as_str).collect();
            self.drift.notes.push(format!(
                "the CustomResourceDefinitions of these kinds are not installed yet: {}; {} compared with nothing",
                kinds.join(", "),
                objects(count)
            ));
        }
        for (what, count) in others {
            self.drift
                .notes
                .push(format!("{what}; {} compared with nothing", objects(count)));
        }
    }
}

/// `1 object is`, `3 objects are`.
fn objects(count: usize) -> String {
    match count {
        1 => "1 object is".to_owned(),
        count => format!("{count} objects are"),
    }
}
