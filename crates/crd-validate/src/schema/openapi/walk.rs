//! Walks over the schemas of an OpenAPI document, starting at one kind.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::import::{NodeTable, wrong};
use super::{Error, facts};

/// The maximum number of schemas for all kinds. The document of a large cluster has about 100,000.
pub(super) const MOST_SCHEMAS: usize = 5_000_000;

/// How deeply schemas and definitions may be nested. Those of a Pod reach 30.
const DEEPEST: usize = 100;

/// The keywords that constrain a value and contain no schema.
const KEYWORDS: &[&str] = &[
    "type",
    "format",
    "nullable",
    "enum",
    "default",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
];

/// The beginning of the names of all definitions by Kubernetes.
const IO_K8S: &str = "io.k8s.";

/// The definitions of Kubernetes' own types begin with one of these; all others come from CRDs.
const BUILT_IN: &[&str] = &[
    "io.k8s.api.",
    "io.k8s.apiextensions-apiserver.",
    "io.k8s.apimachinery.",
    "io.k8s.kube-aggregator.",
];

/// Whether a definition is for a type of Kubernetes itself.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.iter().any(|prefix| name.starts_with(prefix))
}

pub(super) struct DefinitionWalk<'a> {
    definitions: &'a Map<String, Value>,
    table: &'a mut NodeTable,
    /// How many schemas may still be visited.
    left: &'a mut usize,
    /// The nodes of definitions, by name.
    known: HashMap<&'a str, usize>,
    /// The definitions that the walk is currently inside of.
    inside: Vec<&'a str>,
    /// The current path.
    path: Vec<String>,
}

impl<'a> DefinitionWalk<'a> {
    pub(crate) fn new(
        definitions: &'a Map<String, Value>,
        table: &'a mut NodeTable,
        left: &'a mut usize,
    ) -> Self {
        DefinitionWalk {
            definitions,
            table,
            left,
            known: HashMap::new(),
            inside: Vec::new(),
            path: Vec::new(),
        }
    }

    /// The node of a complete object. Its `metadata` is a plain map, because it is the same for all kinds and is
    /// checked separately.
    pub(crate) fn root(&mut self, name: &str) -> Result<usize, Error> {
        let (name, schema) = self.find(name)?;
        let mut schema = schema.clone();
        if let Some(metadata) = schema.pointer_mut("/properties/metadata") {
            *metadata = json!({"type": "object"});
        }
        self.path.push(name.to_owned());
        self.inside.push(name);
        let root = self.schema(&schema, name);
        self.inside.pop();
        self.path.pop();
        root
    }

    fn find(&self, name: &str) -> Result<(&'a str, &'a Value), Error> {
        match self.definitions.get_key_value(name) {
            Some((name, schema)) => Ok((name, schema)),
            None => Err(Error::Reference {
                path: self.path.join("."),
                name: name.to_owned(),
            }),
        }
    }

    /// The node of a definition. Where a definition contains itself, it allows anything.
    fn definition(&mut self, name: &str) -> Result<usize, Error> {
        let (name, schema) = self.find(name)?;
        if let Some(index) = self.known.get(name) {
            return Ok(*index);
        }
        if self.inside.contains(&name) {
            return self.node(open());
        }
        let known = facts::KNOWN_TYPES
            .iter()
            .find(|(type_, _)| name.strip_prefix(IO_K8S) == Some(*type_));
        self.inside.push(name);
        let index = match known {
            Some((_, schema)) => self.schema(&facts::json(schema), name),
            None => self.schema(schema, name),
        };
        self.inside.pop();
        let index = index?;
        self.known.insert(name, index);
        Ok(index)
    }

    /// The node of a schema in the definition `of`.
    fn schema(&mut self, schema: &Value, of: &'a str) -> Result<usize, Error> {
        self.count()?;
        let map = match schema {
            Value::Object(map) => map,
            _ => return Err(wrong(&self.path, "a schema must be a map").into()),
        };
        if let Some(Value::String(reference)) = map.get("$ref") {
            return self.definition(reference.rsplit('/').next().unwrap_or_default());
        }
        let is_built_in = is_built_in(of);
        let mut node = Map::new();
        for (key, value) in map {
            if let Some(value) = self.keyword(key, value, of, is_built_in)? {
                node.insert(key.clone(), value);
            }
        }
        if node.get("format").is_some_and(|it| it == "int-or-string") {
            node = Map::from_iter([("x-kubernetes-int-or-string".to_owned(), Value::Bool(true))]);
        }
        if is_built_in && node.get("format").is_some_and(|it| it == "byte") {
            node.insert("format".to_owned(), facts::BYTES.into());
        }
        let says_nothing = ["type", "anyOf", "x-kubernetes-int-or-string"];
        if !says_nothing.iter().any(|key| node.contains_key(*key)) {
            node = open();
        }
        self.items_may_be_null(&mut node, is_built_in)?;
        self.node(node)
    }

    /// A keyword of a node, with schemas replaced by the numbers of their nodes; `None` if a node has no such
    /// keyword.
    fn keyword(
        &mut self,
        key: &str,
        value: &Value,
        of: &'a str,
        is_built_in: bool,
    ) -> Result<Option<Value>, Error> {
        let value = match (key, value) {
            ("properties", Value::Object(fields)) => {
                let mut children = Map::new();
                for (name, schema) in fields {
                    let more = facts::enforced(of.strip_prefix(IO_K8S), name);
                    let child = match more {
                        Some(more) if schema.get("$ref").is_none() => {
                            let mut schema = schema.clone();
                            merge(&mut schema, more);
                            self.below(name, &schema, of)?
                        }
                        _ => self.below(name, schema, of)?,
                    };
                    children.insert(name.clone(), child.into());
                }
                Value::Object(children)
            }
            ("items", schema) => self.below("items", schema, of)?.into(),
            ("additionalProperties", schema @ Value::Object(_)) => {
                self.below("*", schema, of)?.into()
            }
            ("additionalProperties", value @ Value::Bool(_)) => value.clone(),
            ("anyOf", Value::Array(schemas)) => {
                let children = schemas.iter().map(|schema| self.below(key, schema, of));
                let children: Result<Vec<usize>, Error> = children.collect();
                children?.into()
            }
            ("required", Value::Array(fields)) => {
                let enforced = |field: &&Value| {
                    let field = field.as_str().unwrap_or_default();
                    !facts::is_not_enforced(of.strip_prefix(IO_K8S), field)
                };
                fields.iter().filter(enforced).cloned().collect()
            }
            // This is Go's zero value of a field that is not set. Servers up to 1.27 publish it.
            ("default", value) if is_built_in && is_zero(value) => return Ok(None),
            _ if KEYWORDS.contains(&key) => {
                return Ok(self.table.keyword(key, value.clone(), &mut self.path)?);
            }
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    fn below(&mut self, step: &str, schema: &Value, of: &'a str) -> Result<usize, Error> {
        self.path.push(step.to_owned());
        let index = self.schema(schema, of)?;
        self.path.pop();
        Ok(index)
    }

    /// Go decodes a null in a list as an empty item, unless items are identified by keys.
    fn items_may_be_null(
        &mut self,
        node: &mut Map<String, Value>,
        is_built_in: bool,
    ) -> Result<(), Error> {
        let tells_apart = node
            .get("x-kubernetes-list-type")
            .is_some_and(|it| it != "atomic");
        let items = node.get("items").and_then(Value::as_u64);
        let items = items.and_then(|index| usize::try_from(index).ok());
        if let Some(items) = items.filter(|_| is_built_in && !tells_apart) {
            let items = self.table.nullable(items)?;
            node.insert("items".to_owned(), items.into());
        }
        Ok(())
    }

    fn node(&mut self, node: Map<String, Value>) -> Result<usize, Error> {
        Ok(self.table.node(node, &self.path)?)
    }

    fn count(&mut self) -> Result<(), Error> {
        *self.left = self.left.checked_sub(1).ok_or(Error::Large(MOST_SCHEMAS))?;
        match self.path.len() + self.inside.len() {
            0..DEEPEST => Ok(()),
            _ => Err(Error::Deep(self.path.join("."))),
        }
    }
}

/// A schema that allows anything.
fn open() -> Map<String, Value> {
    let key = "x-kubernetes-preserve-unknown-fields".to_owned();
    Map::from_iter([(key, Value::Bool(true))])
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(value) => value.is_empty(),
        Value::Object(value) => value.is_empty(),
    }
}

/// Adds keywords to a schema, and to that of its list's items.
fn merge(schema: &mut Value, more: Value) {
    match (schema, more) {
        (Value::Object(schema), Value::Object(more)) => {
            for (key, value) in more {
                merge(schema.entry(key).or_insert(Value::Null), value);
            }
        }
        (schema, more) => *schema = more,
    }
}
