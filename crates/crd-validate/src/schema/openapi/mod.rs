//! Compiles a server's own description of its kinds (OpenAPI v2).
//!
//! Kubernetes has no CustomResourceDefinitions for its own kinds. It publishes `/openapi/v2` instead, and its source
//! has the same document as `api/openapi-spec/swagger.json`. Each kind that can be created and read becomes a
//! compiled file like that of a CRD, with all its versions in the document. The document of a live cluster also has
//! the kinds of its CRDs, which are compiled in the same way.
//!
//! The differences from a CRD are (k8s.io/apimachinery and k8s.io/kubernetes 1.37):
//!
//! - the server decodes the object into a Go type: unknown fields are refused, a null is the same as no field, and numbers
//!   have the size of the type;
//! - `required` lists the fields that the type always has, which the server doesn't always require (`facts.rs`);
//! - enumerations and bounds are not published; those that the server checks are in `facts.rs`.

mod facts;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::compiled::{Header, KindVersion, Scope};
use super::import::{self, Keep, NodeTable};
use super::node::NodeId;
use super::version::maturity;
use manifest::value::Node;

/// Why an OpenAPI document can't be compiled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It has another version.
    #[error("the OpenAPI document has version {0}; only version 2.0 is supported")]
    Version(String),
    /// It has no kind that can be created.
    #[error("the OpenAPI document has no kind that can be created")]
    NoKinds,
    /// A schema refers to a definition that doesn't exist.
    #[error("{path}: the document has no definition `{name}`")]
    Reference {
        /// The dotted path in the document.
        path: String,
        /// The name of the missing definition.
        name: String,
    },
    /// Schemas are nested too deeply.
    #[error("{0}: nested deeper than in any known kind")]
    Deep(String),
    /// The document is far larger than that of any cluster.
    #[error("the OpenAPI document has more than {0} schemas, including references")]
    Large(usize),
    /// A schema can't be compiled.
    #[error(transparent)]
    Schema(#[from] import::Error),
}

/// The version of the document in Kubernetes' source. It has all versions of all kinds, including those that a server
/// only serves if they are enabled.
const UNVERSIONED: &str = "unversioned";

/// Whether a document is an OpenAPI document of any version.
pub(crate) fn is_openapi(node: &Node) -> bool {
    let version = |key: &str| node.get(key).and_then(Node::as_str).is_some();
    version("swagger") || version("openapi")
}

/// Compiles a document to one compiled file for each kind, sorted by group and kind. The same document always gives
/// the same bytes.
///
/// # Errors
/// If the document has another version or no kinds, or a kind's schema can't be compiled.
/// If the document is of another version, has no kinds, or a kind's schema can't be read.
pub(crate) fn compile(document: &Node, keep: Keep) -> Result<Vec<String>, Error> {
    let version = |key: &str| document.get(key).and_then(Node::as_str);
    if version("swagger") != Some("2.0") {
        let other = version("swagger").or(version("openapi"));
        return Err(Error::Version(other.unwrap_or_default().to_owned()));
    }
    let part = |key: &str| match document.get(key).map(Node::to_json) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let (definitions, paths) = (part("definitions"), part("paths"));
    let kinds = kinds(&definitions, &paths, is_source(document));
    if kinds.is_empty() {
        return Err(Error::NoKinds);
    }
    let mut left = walk::MOST_SCHEMAS;
    let texts = kinds.into_iter().map(|((group, kind), resource)| {
        let mut table = NodeTable::new(keep);
        let mut walk = walk::DefinitionWalk::new(&definitions, &mut table, &mut left);
        let mut versions = Vec::new();
        for version in resource.versions {
            versions.push(KindVersion {
                root: number(walk.root(&version.definition)?),
                name: version.name,
                served: true,
                // The document doesn't have this information.
                storage: false,
                deprecated: version.deprecated,
                status: version.status,
            });
        }
        let header = Header {
            group,
            kind,
            plural: resource.plural,
            scope: resource.scope,
            versions,
        };
        Ok(import::finish(&header, &table)?)
    });
    texts.collect()
}

fn is_source(document: &Node) -> bool {
    let version = document.path(&["info", "version"]).and_then(Node::as_str);
    version == Some(UNVERSIONED)
}

fn number(index: usize) -> NodeId {
    NodeId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// A kind that can be created: its path, and its versions.
struct Resource {
    plural: String,
    scope: Scope,
    /// The versions, the most mature one last.
    versions: Vec<ResourceVersion>,
}

struct ResourceVersion {
    name: String,
    definition: String,
    status: bool,
    deprecated: bool,
}

/// The kinds that can be created and read, by group and kind: no subresources (`Eviction`, `Scale`), no lists and
/// options, and no requests that the server answers without storing them (`TokenReview`).
fn kinds(
    definitions: &Map<String, Value>,
    paths: &Map<String, Value>,
    is_source: bool,
) -> BTreeMap<(String, String), Resource> {
    let by_name = objects(definitions);
    let mut kinds: BTreeMap<(String, String), Resource> = BTreeMap::new();
    for (path, methods) in paths {
        let Some(name) = methods.get("get").and(methods.get("post")).and_then(gvk) else {
            continue;
        };
        let plural = path.rsplit('/').next().unwrap_or_default();
        let Some(definition) = by_name.get(&name) else {
            continue;
        };
        let [group, version, kind] = name;
        // Alpha versions are not served by default.
        if path.contains("{name}") || (is_source && version.contains("alpha")) {
            continue;
        }
        let resource = kinds.entry((group, kind)).or_insert_with(|| Resource {
            plural: plural.to_owned(),
            scope: match path.contains("/namespaces/{namespace}/") {
                true => Scope::Namespaced,
                false => Scope::Cluster,
            },
            versions: Vec::new(),
        });
        resource.versions.push(ResourceVersion {
            name: version,
            definition: (*definition).to_owned(),
            status: paths.contains_key(&format!("{path}/{{name}}/status")),
            deprecated: is_deprecated(definitions, definition),
        });
    }
    for resource in kinds.values_mut() {
        let versions = &mut resource.versions;
        versions.sort_by_cached_key(|version| (maturity(&version.name), version.name.clone()));
        versions.dedup_by(|a, b| a.name == b.name);
    }
    kinds
}

/// The group, version and kind of an operation, or of an item of a definition's list.
fn gvk(of: &Value) -> Option<[String; 3]> {
    let name = of.get("x-kubernetes-group-version-kind").unwrap_or(of);
    let text = |key: &str| name.get(key).and_then(Value::as_str).map(str::to_owned);
    Some([text("group")?, text("version")?, text("kind")?])
}

/// The definitions of complete objects, which have metadata, by group, version and kind.
fn objects(definitions: &Map<String, Value>) -> BTreeMap<[String; 3], &str> {
    let mut objects = BTreeMap::new();
    for (name, definition) in definitions {
        let metadata = definition.pointer("/properties/metadata/$ref");
        let is_object = metadata
            .and_then(Value::as_str)
            .is_some_and(|name| name.ends_with(".ObjectMeta"));
        let names = definition.get("x-kubernetes-group-version-kind");
        let names = names.and_then(Value::as_array).filter(|_| is_object);
        for gvk in names.into_iter().flatten().filter_map(gvk) {
            objects.entry(gvk).or_insert(name.as_str());
        }
    }
    objects
}

/// Whether the API server warns about a version of a built-in kind. Only the description in the document says so,
/// with a paragraph that starts with `Deprecated:`, as is usual in Go.
fn is_deprecated(definitions: &Map<String, Value>, name: &str) -> bool {
    let prose = definitions.get(name).filter(|_| walk::is_built_in(name));
    let prose = prose.and_then(|it| it.get("description")?.as_str());
    prose.is_some_and(|text| text.lines().any(|line| line.starts_with("Deprecated:")))
}
