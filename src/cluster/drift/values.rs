//! The values of a Flux Kustomization's variables: its own, and those of the ConfigMaps and Secrets that it names.

use serde_json::Value as Json;

use super::Asking;
use crate::cluster::applied::Bundle;
use crate::cluster::kinds::{escaped, text};
use crate::cluster::server::Ask;
use crate::cluster::variables::Variables;
use k8s_syntax::base64;
use manifest::value::Node;

impl Asking<'_> {
    /// The variables of a bundle; `None` if nothing is substituted.
    ///
    /// `postBuild` is taken from the tree, or, if the tree has none, from the live Flux Kustomization, because
    /// another one may have patched it.
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

    /// Adds the values of one ConfigMap or Secret.
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
                format!("{kind} {namespace}/{name}, from which variables are taken, doesn't exist");
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

/// The text of a value in a Secret; `None` if it is not text.
fn decoded(value: &str) -> Option<String> {
    String::from_utf8(base64::decode(value)?).ok()
}
