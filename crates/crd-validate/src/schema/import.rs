//! Compiles CustomResourceDefinitions.
//!
//! A compiled file only has facts: types, bounds, patterns, defaults, list semantics, rules. Descriptions are left
//! out. Equal sub-schemas are one node, so the versions of a kind share nearly all nodes.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::compiled::{self, Compiled, Header, KindVersion, Scope};
use super::node::Schema;
use crate::rules::program::Program;
use k8s_syntax::pattern::Pattern;
use manifest::diagnostic::Span;
use manifest::value::Node;

/// What is kept of a CRD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Only facts, without texts of others, for a catalogue that is published.
    Facts,
    /// Also the messages of CEL rules, for the user's own CRDs.
    Messages,
}

/// Why a CRD can't be compiled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that every CRD has is missing.
    #[error("the CustomResourceDefinition has no {0}")]
    Missing(String),
    /// A keyword is not allowed in structural schemas, or has an invalid value.
    #[error("{path}: not a structural schema: {problem}")]
    Keyword {
        /// The dotted path in the schema.
        path: String,
        /// What is wrong.
        problem: String,
        /// The steps to the place: the name of the version, and then keys and indices in its schema.
        steps: Vec<String>,
    },
    /// A rule can't be parsed, or uses a function that doesn't exist. The API server refuses such a definition.
    #[error("{path}: the rule `{rule}` can't be parsed: {problem}")]
    Rule {
        /// The dotted path in the schema.
        path: String,
        /// The rule.
        rule: String,
        /// What is wrong.
        problem: String,
        /// The steps to the place, as in [`Error::Keyword`].
        steps: Vec<String>,
    },
    /// The compiled file can't be written.
    #[error("the compiled schema can't be written: {0}")]
    Write(#[from] serde_json::Error),
    /// The compiled file can't be parsed again.
    #[error(transparent)]
    Read(#[from] compiled::Error),
}

impl Error {
    /// The place in the CRD at which the error is.
    pub fn span(&self, crd: &Node) -> Option<Span> {
        let (Error::Keyword { steps, .. } | Error::Rule { steps, .. }) = self else {
            return crd.span;
        };
        let (version, steps) = steps.split_first()?;
        let versions = crd.path(&["spec", "versions"]).and_then(Node::as_list);
        let mut versions = versions.unwrap_or_default().iter();
        let is_version = |it: &&Node| it.get("name").and_then(Node::as_str) == Some(version);
        let version = versions.find(is_version)?;
        let mut node = version.path(&["schema", "openAPIV3Schema"])?;
        for step in steps {
            let index = step.parse().ok();
            let child = match node.as_list() {
                Some(items) => index.and_then(|index: usize| items.get(index)),
                None => node.get(step),
            };
            node = child.unwrap_or(node);
        }
        node.span.or(crd.span)
    }
}

/// Whether a document is a CRD of the only version that exists (`apiextensions.k8s.io/v1`, Kubernetes 1.16).
pub fn is_crd(node: &Node) -> bool {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    text("kind") == Some("CustomResourceDefinition")
        && text("apiVersion") == Some("apiextensions.k8s.io/v1")
}

/// Compiles a CRD. The same CRD always gives the same bytes.
///
/// # Errors
/// If the document is not a CRD, or its schema is not structural.
pub fn compile(crd: &Node, keep: Keep) -> Result<String, Error> {
    let spec = crd
        .get("spec")
        .ok_or_else(|| Error::Missing("spec".to_owned()))?;
    let text = |path: &[&str]| {
        spec.path(path)
            .and_then(Node::as_str)
            .map(str::to_owned)
            .ok_or_else(|| Error::Missing(format!("spec.{}", path.join("."))))
    };
    let mut table = NodeTable::new(keep);
    let versions = spec.get("versions").and_then(Node::as_list);
    let versions = versions
        .unwrap_or_default()
        .iter()
        .map(|version| table.version(version))
        .collect::<Result<Vec<_>, _>>()?;
    if versions.is_empty() {
        return Err(Error::Missing("spec.versions".to_owned()));
    }
    let header = Header {
        group: text(&["group"])?,
        kind: text(&["names", "kind"])?,
        plural: text(&["names", "plural"])?,
        scope: match text(&["scope"])?.as_str() {
            "Cluster" => Scope::Cluster,
            _ => Scope::Namespaced,
        },
        versions,
    };
    finish(&header, &table)
}

/// The text of a compiled file, after checking that it can be parsed.
pub(super) fn finish(header: &Header, table: &NodeTable) -> Result<String, Error> {
    let text = compiled::write(header, &table.nodes)?;
    Compiled::read(text.clone())?.check()?;
    Ok(text)
}

/// The nodes so far, without duplicates.
pub(super) struct NodeTable {
    keep: Keep,
    nodes: Vec<String>,
    known: HashMap<String, usize>,
}

impl NodeTable {
    pub(super) fn new(keep: Keep) -> Self {
        NodeTable {
            keep,
            nodes: Vec::new(),
            known: HashMap::new(),
        }
    }

    fn version(&mut self, version: &Node) -> Result<KindVersion, Error> {
        let name = version.get("name").and_then(Node::as_str);
        let name = name.ok_or_else(|| Error::Missing("spec.versions[].name".to_owned()))?;
        let schema = version
            .path(&["schema", "openAPIV3Schema"])
            .ok_or_else(|| Error::Missing(format!("schema of version {name}")))?;
        let flag = |key: &str| version.get(key).and_then(Node::as_bool) == Some(true);
        let root = self.add(schema.to_json(), &mut vec![name.to_owned()])?;
        Ok(KindVersion {
            name: name.to_owned(),
            served: flag("served"),
            storage: flag("storage"),
            deprecated: flag("deprecated"),
            status: version.path(&["subresources", "status"]).is_some(),
            root: super::node::NodeId(u32::try_from(root).unwrap_or(u32::MAX)),
        })
    }

    /// Adds a schema after its children, and returns its number.
    fn add(&mut self, schema: Value, path: &mut Vec<String>) -> Result<usize, Error> {
        let Value::Object(schema) = schema else {
            return Err(wrong(path, "a schema must be a map"));
        };
        let mut facts = Map::new();
        for (key, value) in schema {
            path.push(key);
            let key = path.last().cloned().unwrap_or_default();
            if let Some(value) = self.keyword(&key, value, path)? {
                facts.insert(key, value);
            }
            path.pop();
        }
        self.node(facts, path)
    }

    /// Adds a node whose children have been added, and returns its number.
    pub(super) fn node(
        &mut self,
        facts: Map<String, Value>,
        path: &[String],
    ) -> Result<usize, Error> {
        let node: Schema = serde_json::from_value(Value::Object(facts))
            .map_err(|error| wrong(path, error.to_string()))?;
        if let Some(pattern) = &node.pattern
            && let Err(problem) = Pattern::new(pattern)
        {
            let mut error = wrong(path, format!("the pattern `{pattern}` {problem}"));
            if let Error::Keyword { steps, .. } = &mut error {
                steps.push("pattern".to_owned());
            }
            return Err(error);
        }
        self.put(&node)
    }

    /// The number of a node like another one that also allows null. If the other one requires fields, it is returned
    /// unchanged, because null has no fields.
    pub(super) fn nullable(&mut self, index: usize) -> Result<usize, Error> {
        let text = self.nodes.get(index).map_or("{}", String::as_str);
        let mut node: Schema = serde_json::from_str(text)?;
        if node.type_.is_none() || !node.required.is_empty() {
            return Ok(index);
        }
        node.nullable = true;
        self.put(&node)
    }

    fn put(&mut self, node: &Schema) -> Result<usize, Error> {
        let text = serde_json::to_string(node)?;
        let next = self.nodes.len();
        let index = *self.known.entry(text.clone()).or_insert(next);
        if index == next {
            self.nodes.push(text);
        }
        Ok(index)
    }

    /// The value of a keyword, with schemas replaced by the numbers of their nodes; `None` for descriptions.
    pub(super) fn keyword(
        &mut self,
        key: &str,
        value: Value,
        path: &mut Vec<String>,
    ) -> Result<Option<Value>, Error> {
        let value = match (key, value) {
            ("description" | "title" | "example" | "externalDocs" | "id" | "$schema", _) => {
                return Ok(None);
            }
            ("properties", Value::Object(map)) => {
                let mut children = Map::new();
                for (name, schema) in map {
                    path.push(name.clone());
                    children.insert(name, self.add(schema, path)?.into());
                    path.pop();
                }
                Value::Object(children)
            }
            ("items" | "not", schema) => self.add(schema, path)?.into(),
            ("additionalProperties", schema @ Value::Object(_)) => self.add(schema, path)?.into(),
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                let mut children = Vec::new();
                for schema in schemas {
                    children.push(self.add(schema, path)?.into());
                }
                Value::Array(children)
            }
            ("x-kubernetes-validations", Value::Array(rules)) => {
                let rules = rules.into_iter().enumerate();
                let rules = rules.map(|(index, rule)| self.rule(rule, index, path));
                Value::Array(rules.collect::<Result<_, _>>()?)
            }
            (_, value) => value,
        };
        Ok(Some(value))
    }

    /// A rule without the texts of others. Its expressions must be readable.
    fn rule(&self, mut rule: Value, index: usize, path: &[String]) -> Result<Value, Error> {
        for key in ["rule", "messageExpression"] {
            let text = rule.get(key).and_then(Value::as_str).unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            if let Err(problem) = Program::read(text) {
                let place = [index.to_string(), key.to_owned()];
                let owner = path.split_last().map_or(&[][..], |(_, owner)| owner);
                return Err(Error::Rule {
                    path: owner.join("."),
                    rule: text.to_owned(),
                    problem,
                    steps: path.iter().cloned().chain(place).collect(),
                });
            }
        }
        if let (Keep::Facts, Value::Object(map)) = (self.keep, &mut rule) {
            map.retain(|key, _| !matches!(key.as_str(), "message" | "messageExpression"));
        }
        Ok(rule)
    }
}

pub(super) fn wrong(path: &[String], problem: impl Into<String>) -> Error {
    Error::Keyword {
        path: path.join("."),
        problem: problem.into(),
        steps: path.to_vec(),
    }
}
