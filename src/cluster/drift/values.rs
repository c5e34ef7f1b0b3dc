//! The values of a Kustomization's variables: what it says itself, and the ConfigMaps and Secrets that it names.

use serde_json::Value as Json;

use super::Asking;
use crate::cluster::applied::Bundle;
use crate::cluster::kinds::{escaped, text};
use crate::cluster::server::Ask;
use crate::cluster::variables::Variables;
use crate::manifest::base64;
use crate::value::Node;

impl Asking<'_> {
    /// The variables of a bundle; `None` where nothing is substituted.
    ///
    /// `postBuild` is the tree's own; where the tree has none, the live Kustomization's, into which another
    /// Kustomization may have patched one.
    pub(super) async fn values(
        &mut self,
        bundle: &Bundle,
        live: Option<&Node>,
    ) -> Option<Variables> {
        let owner = bundle.owner.as_ref()?;
        let there = live.and_then(|it| it.path(&["spec", "postBuild"]));
        let post_build = bundle.post_build.as_ref().or(there)?.to_json();
        let mut variables = Variables::default();
        for from in post_build["substituteFrom"]
            .as_array()
            .into_iter()
            .flatten()
        {
            self.take(&mut variables, &owner.namespace, from).await;
        }
        for (name, value) in post_build["substitute"].as_object().into_iter().flatten() {
            variables.secret.remove(name);
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            variables.values.insert(name.clone(), value);
        }
        Some(variables)
    }

    /// Adds what one ConfigMap or Secret has.
    async fn take(&mut self, variables: &mut Variables, namespace: &str, from: &Json) {
        let (kind, name) = (text(&from["kind"]), text(&from["name"]));
        let plural = match kind.as_str() {
            "ConfigMap" => "configmaps",
            "Secret" => "secrets",
            _ => return,
        };
        let path = format!(
            "/api/v1/namespaces/{}/{plural}/{}",
            escaped(namespace),
            escaped(&name)
        );
        let found = match self.server.find(&Ask::get(path)).await {
            Ok(found) => found,
            Err(error) => {
                self.drift.fail(error);
                return;
            }
        };
        if found.is_none() && from["optional"] != true {
            let note =
                format!("{kind} {namespace}/{name}, from which variables come, is not there");
            self.drift.notes.push(note);
        }
        let data = found.map(|mut it| it["data"].take()).unwrap_or_default();
        for (key, value) in data.as_object().into_iter().flatten() {
            let value = text(value);
            let value = match kind.as_str() {
                "Secret" => decoded(&value),
                _ => Some(value),
            };
            let Some(value) = value else { continue };
            match kind.as_str() {
                "Secret" => variables.secret.insert(key.clone()),
                _ => variables.secret.remove(key),
            };
            variables.values.insert(key.clone(), value);
        }
    }
}

/// The text of a Secret's value; `None` of bytes that are none.
fn decoded(value: &str) -> Option<String> {
    String::from_utf8(base64::decode(value)?).ok()
}
