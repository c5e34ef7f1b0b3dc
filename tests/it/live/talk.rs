//! Requests that the tests make themselves: they apply, change and read objects.

use std::time::Duration;

use gatewayctl::cluster::answer::Answer;
use gatewayctl::cluster::applied::Tree;
use gatewayctl::cluster::kinds::{Kinds, escaped};
use gatewayctl::cluster::server::Ask;
use gatewayctl::cluster::{self, Options, Server};
use manifest::diagnostic::Sources;
use manifest::value::Node;
use manifest::{self, Object};
use serde_json::Value as Json;

use super::apiserver::Cluster;
use crate::common::Project;

/// Runs a request to a cluster.
pub fn with<T>(
    cluster: &Cluster,
    work: impl AsyncFnOnce(&Server) -> Result<T, cluster::Error>,
) -> Result<T, cluster::Error> {
    let options = Options {
        kubeconfig: Some(cluster.kubeconfig.clone()),
        context: None,
        time: Duration::from_secs(1800),
    };
    let asked = cluster::run(async { work(&cluster::connect(&options).await?).await });
    asked.expect("a runtime")
}

/// Reads a path.
pub fn get(cluster: &Cluster, path: &str) -> Result<Answer, cluster::Error> {
    with(cluster, async |server| {
        server.ask(&Ask::get(path).accept("*/*")).await
    })
}

/// Reads a path that must exist.
pub fn read(cluster: &Cluster, path: &str) -> Json {
    let answer = get(cluster, path).expect("an answer");
    assert!(answer.is_success(), "{path}: {}", answer.message());
    answer.body
}

/// What Flux would apply of a rendered project.
pub fn wanted(project: &Project, namespace: &str) -> Vec<Object> {
    let files = project.files();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|(path, bytes)| (path.clone(), text(bytes)))
        .collect();
    let rendered = texts
        .iter()
        .filter(|(path, _)| path.starts_with("kubernetes/"));
    let objects: Vec<Object> = rendered
        .clone()
        .filter(|(path, _)| path.ends_with(".yaml"))
        .flat_map(|(path, text)| objects(path, text))
        .collect();
    let tree = Tree {
        objects: &objects,
        texts: rendered
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect(),
        read: &|path| {
            texts
                .iter()
                .find(|(name, _)| name == path)
                .map(|(_, text)| text.clone())
        },
        namespace,
    };
    tree.bundles()
        .into_iter()
        .flat_map(|bundle| bundle.objects)
        .collect()
}

/// The objects of a text.
pub fn objects(path: &str, text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    let (documents, problems) = manifest::read(&sources, id);
    assert!(problems.is_empty(), "{path}: {problems:?}");
    let nodes = documents
        .iter()
        .flat_map(|document| manifest::items(&document.node))
        .cloned();
    nodes.map(|node| Object::new(node, path)).collect()
}

/// Applies objects as a field manager does, namespaces first. All must be accepted.
pub fn apply(cluster: &Cluster, objects: &[Object], manager: &str) {
    let applied = with(cluster, async |server| {
        let kinds = Kinds::of(server).await?;
        let mut ordered: Vec<&Object> = objects.iter().collect();
        ordered.sort_by_key(|it| it.kind() != "Namespace");
        for object in ordered {
            let (path, node) = place(&kinds, object);
            let ask = Ask::apply(
                format!("{path}?fieldManager={}&force=true", escaped(manager)),
                node.to_json(),
            );
            let answer = server.ask(&ask).await?;
            assert!(
                answer.is_success(),
                "{}: {}",
                object.identity(),
                answer.message()
            );
        }
        Ok(())
    });
    applied.expect("all was applied");
}

/// The path of an object, and the object as it is sent. A cluster-scoped object has no namespace.
fn place(kinds: &Kinds, object: &Object) -> (String, Node) {
    let known = kinds.get(object.group(), object.version(), object.kind());
    let kind = known.unwrap_or_else(|| panic!("{} is not served", object.identity()));
    let mut node = object.node.clone().into_node();
    if !kind.namespaced
        && let Some(metadata) = node.as_map_mut().and_then(|map| map.get_mut("metadata"))
        && let Some(map) = metadata.as_map_mut()
    {
        map.remove("namespace");
    }
    (kind.one(object.namespace(), object.name()), node)
}

/// The live objects, by their paths.
pub fn live(cluster: &Cluster, objects: &[Object]) -> Vec<(String, Json)> {
    let read = with(cluster, async |server| {
        let kinds = Kinds::of(server).await?;
        let mut all = Vec::new();
        for object in objects {
            let (path, _) = place(&kinds, object);
            let answer = server.ask(&Ask::get(path.as_str())).await?;
            assert!(answer.is_success(), "{path}: {}", answer.message());
            all.push((path, answer.body));
        }
        Ok(all)
    });
    read.expect("all is there")
}

/// Applies the objects of a text as a field manager.
pub fn apply_text(cluster: &Cluster, text: &str, manager: &str) {
    apply(cluster, &objects("test.yaml", text), manager);
}

/// The time limit of a run, unless a test sets another one. Machines may be slow.
pub const PATIENCE: &str = "--timeout=3600";

/// Runs the program in a project against a cluster.
pub fn run(project: &Project, cluster: &Cluster, args: &[&str]) -> crate::common::Run {
    let kubeconfig = cluster.kubeconfig.to_string_lossy().into_owned();
    let all = args
        .iter()
        .copied()
        .chain([PATIENCE, "--kubeconfig", kubeconfig.as_str()]);
    project.run(all.collect::<Vec<_>>())
}
