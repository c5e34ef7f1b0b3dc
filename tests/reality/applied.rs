//! The objects of a repository, as they are applied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use envoy_gateway::controller::Files;
use envoy_gateway::helm_routes::charted;
use flux_repo::build::FileContent;
use flux_repo::{Cluster as ClusterFiles, KeyContent, PatchedObjects, completed};
use flux_repo::{is_flux_kustomization, made_by_resource_sets};
use manifest::diagnostic::{SourceId, Sources};
use manifest::{Object, items, read};
use serde_json::{Value, json};

use crate::cluster::{Cluster, name_of, text};
use crate::surroundings::list;

/// The clusters of a repository, with their names; `is_whole` if it has everything that Flux applies. Routes of charts are
/// among the objects as far as they are known; variables that the repository doesn't define (they are secret) have made-up
/// values.
pub fn clusters(root: &Path, is_whole: bool) -> Vec<(String, Cluster)> {
    let mut sources = Sources::default();
    let mut texts: BTreeMap<String, SourceId> = BTreeMap::new();
    let is_visible = |it: &walkdir::DirEntry| {
        it.depth() == 0 || !it.file_name().to_string_lossy().starts_with('.')
    };
    let files = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    for file in files.filter_entry(is_visible).flatten() {
        let name = file.path().strip_prefix(root).unwrap_or(file.path());
        let name = name.to_string_lossy().into_owned();
        if let Ok(text) = std::fs::read_to_string(file.path()) {
            let source = sources.add(&name, text);
            texts.insert(name, source);
        }
    }
    let names: BTreeSet<String> = texts.keys().cloned().collect();
    let is_manifest = |name: &str| name.ends_with(".yaml") || name.ends_with(".yml");
    let mut objects: Vec<Object> = Vec::new();
    for (name, source) in texts.iter().filter(|(name, _)| is_manifest(name)) {
        let (documents, _) = read(&sources, *source);
        for document in &documents {
            let of_document = items(&document.node).cloned();
            objects.extend(of_document.map(|it| completed(Object::new(it, name.clone()))));
        }
    }
    objects.extend(made_by_resource_sets(&objects));
    let content = |name: &str| Some(FileContent::of(&sources, *texts.get(name)?));
    let text_of = |name: &str| Some(sources.get(*texts.get(name)?).text().to_owned());
    let whole = PatchedObjects::of(&objects, &names, &content);
    let of_objects = whole.objects.iter().map(|it| it.file.as_str());
    let clusters = whole.delivery.clusters(of_objects);
    let known = ClusterFiles::names(&clusters);
    let clusters = clusters.iter().zip(known).map(|(cluster, name)| {
        let own = objects.iter().filter(|it| cluster.may_hold(&it.file));
        let own: Vec<Object> = own.cloned().collect();
        let names = names.iter().filter(|it| cluster.may_hold(it)).cloned();
        let mut patched = PatchedObjects::of(&own, &names.collect(), &content);
        if is_whole && patched.objects.iter().any(is_flux_kustomization) {
            let objects = &patched.objects;
            patched.delivery.leave_out_what_flux_does_not_apply(objects);
        }
        (name, applied(&patched, &text_of))
    });
    clusters.collect()
}

fn applied(patched: &PatchedObjects, text_of: &dyn Fn(&str) -> Option<String>) -> Cluster {
    let files = Files {
        objects: &patched.objects,
        delivery: &patched.delivery,
        text_of,
    };
    // As the version that runs here would read them, whichever chart they install.
    let (objects, settings) = files.applied_by(Some((1, 9)));
    let values = files.release_values(&objects);
    let charted = charted(&objects, &values);
    let is_whole = |it: &&envoy_gateway::helm_routes::HelmRoute<'_>| {
        !it.unknown.rules && it.unknown.backends.is_empty() && !it.unknown.is_patched
    };
    let routes = charted.routes.iter().filter(is_whole).map(|it| &it.object);
    let all = objects.iter().chain(routes).chain(&charted.services);
    let mut all: Vec<Value> = all.map(|it| it.node.to_json()).collect();
    // What SOPS has encrypted is as good as not there.
    all.retain(|it| it["apiVersion"].is_string() && it["kind"].is_string() && it["sops"].is_null());
    all.retain(|it| it["kind"] != "HelmRelease");
    for object in &mut all {
        replace_variables(object);
        let kind = text(object, "kind");
        let is_namespaced = !matches!(kind, "GatewayClass" | "Namespace");
        if is_namespaced && object["metadata"]["namespace"].is_null() {
            object["metadata"]["namespace"] = json!("default");
        }
    }
    // A folder may have an object twice that is in a cluster only once.
    let mut seen = BTreeSet::new();
    all.retain(|it| seen.insert((text(it, "kind").to_owned(), name_of(it))));
    let scripts = generated(patched, &all, text_of);
    all.extend(scripts);
    Cluster {
        objects: all,
        settings,
    }
}

/// The ConfigMaps with scripts that kustomizations generate, in the namespaces of the policies that refer to them.
fn generated(
    patched: &PatchedObjects,
    objects: &[Value],
    text_of: &dyn Fn(&str) -> Option<String>,
) -> Vec<Value> {
    let is_given = |key: &str| {
        let mut maps = objects.iter().filter(|it| it["kind"] == "ConfigMap");
        maps.any(|it| name_of(it) == key)
    };
    let mut found = BTreeMap::new();
    for policy in objects
        .iter()
        .filter(|it| it["kind"] == "EnvoyExtensionPolicy")
    {
        let namespace = text(&policy["metadata"], "namespace");
        for script in list(&policy["spec"]["lua"]) {
            let name = text(&script["valueRef"], "name");
            let maps = patched.delivery.generated().iter();
            let mut maps = maps.filter(|map| map.names().any(|it| it == name));
            if let Some(map) = maps.next()
                && !is_given(&format!("{namespace}/{name}"))
            {
                let keys = map.generator.keys.iter();
                let keys = keys.map(|(key, content)| match content {
                    KeyContent::File(file) => (key.clone(), text_of(file).unwrap_or_default()),
                    KeyContent::Text(text) => (key.clone(), text.clone()),
                });
                let keys: BTreeMap<String, String> = keys.collect();
                let object = json!({
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"namespace": namespace, "name": name},
                    "data": keys,
                });
                found.insert((namespace.to_owned(), name.to_owned()), object);
            }
        }
    }
    found.into_values().collect()
}

/// Gives variables without a value one that fits their name.
fn replace_variables(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("${") => *text = with_values(text),
        Value::Array(items) => items.iter_mut().for_each(replace_variables),
        Value::Object(fields) => {
            // The text of a script is not what variables are put into.
            let is_data = |key: &str| matches!(key, "data" | "inline");
            let others = fields.iter_mut().filter(|(key, _)| !is_data(key));
            others.for_each(|(_, value)| replace_variables(value));
        }
        _ => {}
    }
}

fn with_values(text: &str) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, after) = after.split_once('}').unwrap_or((after, ""));
        let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
        let name = inside.split(end).next().unwrap_or_default();
        whole.push_str(before);
        // `${NAME/./-}` replaces in the value.
        let value = value_of(name);
        let value = match inside.contains('/') {
            true => value.replacen('.', "-", 1),
            false => value,
        };
        whole.push_str(&value);
        rest = after;
    }
    whole + rest
}

fn value_of(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let is_about = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // Addresses that differ by name.
    let number = name.bytes().fold(0_u32, |sum, byte| sum + u32::from(byte)) % 200 + 20;
    let plain = lower.replace('_', "-");
    if is_about(&["domain", "host"]) {
        format!("{plain}.example.com")
    } else if is_about(&["cidr", "network", "subnet"]) {
        format!("10.10.{number}.0/24")
    } else if is_about(&["addr", "_ip", "ipv4", "lbip", "vip"]) {
        format!("10.10.30.{number}")
    } else {
        plain
    }
}
