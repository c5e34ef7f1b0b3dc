//! Values that a chart describes with a JSON Schema (`values.schema.json`), which Helm checks before it installs the chart.
//!
//! Helm checks the values together with the chart's own defaults and those of `valuesFrom`, which are not known here. So a
//! missing key is only reported inside of lists, which Helm never merges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crd_validate::codes::{
    SCHEMA_COMBINATION, SCHEMA_REQUIRED, SCHEMA_TYPE, SCHEMA_UNKNOWN_FIELD, SCHEMA_UNREADABLE,
    SCHEMA_VALUE,
};
use crd_validate::schema::Catalogue;
use crd_validate::schema::values::ValuesSchema;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Retrieve, Uri, ValidationError, Validator};
use manifest::diagnostic::{Code, Diagnostic, Severity};
use manifest::value::{Kind, Node, Pointer, pointer::Step, variable};
use manifest::{Object, finding, finding_on_key};
use serde_json::Value;

/// The maximum number of findings for a release.
const MOST_FINDINGS: usize = 50;

/// Schemas that are given for references, by URL.
type Resources = BTreeMap<String, Value>;

/// Returns the given schemas, and remembers what was asked for.
struct Given {
    resources: Resources,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Retrieve for Given {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let uri = uri.as_str();
        if let Ok(mut asked) = self.asked.lock() {
            asked.insert(uri.to_owned());
        }
        let found = self.resources.get(uri).cloned();
        found.ok_or_else(|| format!("{uri} is not given").into())
    }
}

/// Why a schema of values can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It refers to a schema that is not given.
    #[error("the schema refers to {0}, which is not given")]
    Missing(String),
    /// It is no valid JSON Schema.
    #[error("not a JSON Schema: {0}")]
    Invalid(String),
}

/// Puts a schema and those that it refers to into one document. `given` are those that it may refer to, by URL.
///
/// # Errors
/// If it is not a JSON Schema, or refers to one that is not given.
pub fn bundle(schema: &Value, given: &Resources) -> Result<Value, Unusable> {
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let retriever = Given {
        resources: given.clone(),
        asked: Arc::clone(&asked),
    };
    let built = jsonschema::options()
        .with_retriever(retriever)
        .build(schema);
    let asked = asked.lock().map(|asked| asked.clone()).unwrap_or_default();
    if let Some(missing) = asked.iter().find(|uri| !given.contains_key(*uri)) {
        return Err(Unusable::Missing(missing.clone()));
    }
    built.map_err(|error| Unusable::Invalid(error.to_string()))?;
    let used = given.iter().filter(|(uri, _)| asked.contains(*uri));
    let used: serde_json::Map<String, Value> = used
        .map(|(uri, schema)| (uri.clone(), schema.clone()))
        .collect();
    Ok(serde_json::json!({"schema": schema, "resources": used}))
}

/// Checks that a document that [`bundle`] has made can be used.
///
/// # Errors
/// If a pattern in it can't be compiled, or if it refers to something that is not there.
pub fn check(bundle: &str) -> Result<(), Unusable> {
    validator(bundle).map(|_| ())
}

/// Builds the validator of a document that [`bundle`] has made.
fn validator(bundle: &str) -> Result<Validator, Unusable> {
    let invalid = |error: &dyn std::fmt::Display| Unusable::Invalid(error.to_string());
    let bundle: Value = serde_json::from_str(bundle).map_err(|error| invalid(&error))?;
    let part = |key: &str| {
        bundle
            .get(key)
            .ok_or_else(|| invalid(&format!("it has no {key}")))
    };
    let resources = part("resources")?.as_object().cloned().unwrap_or_default();
    let retriever = Given {
        resources: resources.into_iter().collect(),
        asked: Arc::default(),
    };
    let options = jsonschema::options().with_retriever(retriever);
    let built = options.build(part("schema")?);
    built.map_err(|error| invalid(&error))
}

/// The imported schemas of charts, each built when it is needed first.
pub(super) struct Schemas<'a> {
    catalogue: &'a Catalogue,
    built: Mutex<BTreeMap<String, Result<Arc<Validator>, String>>>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        Schemas {
            catalogue,
            built: Mutex::default(),
        }
    }

    /// Checks the values of a release of a chart.
    pub(super) fn check(
        &self,
        release: &Object,
        chart: &str,
        version: Option<&str>,
    ) -> Vec<Diagnostic> {
        let Some(schema) = self.catalogue.values_of(chart, version) else {
            return Vec::new();
        };
        let Some(values) = release.node.path(&["spec", "values"]) else {
            return Vec::new();
        };
        let check = Check {
            release,
            schema,
            is_same: version.is_some_and(|version| schema.is_version(version)),
        };
        let validator = match self.built(schema) {
            Ok(validator) => validator,
            Err(problem) => return vec![check.unchecked(&problem)],
        };
        let json = values.to_json();
        let errors = validator.iter_errors(&json);
        let found = errors.flat_map(|error| check.findings(&error));
        found.take(MOST_FINDINGS).collect()
    }

    fn built(&self, schema: &ValuesSchema) -> Result<Arc<Validator>, String> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let name = schema.title();
        let made = || {
            let built = validator(&schema.text);
            built.map(Arc::new).map_err(|error| error.to_string())
        };
        built.entry(name).or_insert_with(made).clone()
    }
}

/// The check of one release.
struct Check<'a> {
    release: &'a Object,
    schema: &'a ValuesSchema,
    /// Whether the schema is that of the release's own version.
    is_same: bool,
}

impl Check<'_> {
    fn findings(&self, error: &ValidationError<'_>) -> Vec<Diagnostic> {
        let pointer = self.pointer(error);
        let name = |key: &str| pointer.key(key).dotted();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let keys = unexpected.iter().filter(|key| !variable::in_text(key));
                let found = keys.map(|key| {
                    let message = format!("`{}` is not a value of the chart", name(key));
                    let at = pointer.key(key.as_str());
                    let finding = finding_on_key(SCHEMA_UNKNOWN_FIELD, self.release, &at, message);
                    self.explained(finding)
                });
                found.collect()
            }
            ValidationErrorKind::Required { property } => {
                let is_in_list = pointer
                    .steps()
                    .iter()
                    .any(|step| matches!(step, Step::Index(_)));
                let key = property.as_str().unwrap_or_default();
                let message = format!("`{}` is missing", name(key));
                let found = is_in_list.then(|| self.finding(SCHEMA_REQUIRED, &pointer, message));
                found.into_iter().collect()
            }
            // What a variable stands for is not known, and may be a list or a map.
            _ if self
                .release
                .node
                .at(&pointer)
                .is_some_and(variable::in_node) =>
            {
                Vec::new()
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => self.nearest(context, &pointer),
            ValidationErrorKind::Type { .. } => {
                vec![self.finding(SCHEMA_TYPE, &pointer, self.message(error, &pointer))]
            }
            ValidationErrorKind::OneOfMultipleValid { .. }
            | ValidationErrorKind::Not { .. }
            | ValidationErrorKind::FalseSchema => {
                let message = format!(
                    "`{}` can't be combined with its neighbours",
                    pointer.dotted()
                );
                vec![self.finding(SCHEMA_COMBINATION, &pointer, message)]
            }
            ValidationErrorKind::Referencing(_)
            | ValidationErrorKind::BacktrackLimitExceeded { .. } => {
                vec![self.unchecked(&error.to_string())]
            }
            _ => vec![self.finding(SCHEMA_VALUE, &pointer, self.message(error, &pointer))],
        }
    }

    /// The findings of the alternative that the value comes closest to. There is none if the chart's defaults may make one of
    /// them valid.
    fn nearest(
        &self,
        alternatives: &[Vec<ValidationError<'static>>],
        pointer: &Pointer,
    ) -> Vec<Diagnostic> {
        let found: Vec<Vec<Diagnostic>> = alternatives
            .iter()
            .map(|errors| {
                errors
                    .iter()
                    .flat_map(|error| self.findings(error))
                    .collect()
            })
            .collect();
        if found.iter().any(Vec::is_empty) {
            return Vec::new();
        }
        let depth = |found: &Vec<Diagnostic>| {
            let deepest = found.iter().filter_map(|one| one.pointer.as_ref());
            deepest.map(|at| at.matches('/').count()).max().unwrap_or(0)
        };
        // With several alternatives of the same depth, none is meant more than the others.
        let own = pointer.to_string().matches('/').count();
        let deepest = found.iter().map(depth).max().unwrap_or(0);
        let mut nearest = found.into_iter().filter(|one| depth(one) == deepest);
        let first = nearest.next().unwrap_or_default();
        if deepest > own && nearest.next().is_none() {
            return first;
        }
        let message = format!(
            "`{}` fits none of the forms that it can have",
            pointer.dotted()
        );
        vec![self.finding(SCHEMA_VALUE, pointer, message)]
    }

    fn message(&self, error: &ValidationError<'_>, pointer: &Pointer) -> String {
        let name = pointer.dotted();
        match error.kind() {
            ValidationErrorKind::Type { .. } => {
                let wanted = error.to_string();
                let wanted = wanted.rsplit_once(" is not of ").map(|(_, wanted)| wanted);
                let given = self
                    .release
                    .node
                    .at(pointer)
                    .map_or("null", Node::type_name);
                match wanted {
                    Some(wanted) => format!(
                        "`{name}` must be of {}, not a {given}",
                        wanted.replace('"', "")
                    ),
                    None => format!("`{name}` has the wrong type"),
                }
            }
            ValidationErrorKind::Enum { options } => {
                format!("`{name}` is none of {options}")
            }
            ValidationErrorKind::Constant { expected_value } => {
                format!("`{name}` must be {expected_value}")
            }
            ValidationErrorKind::Pattern { pattern } => {
                format!("`{name}` doesn't match the pattern {pattern}")
            }
            kind => format!(
                "`{name}` violates `{}` of the chart's schema",
                kind.keyword()
            ),
        }
    }

    fn pointer(&self, error: &ValidationError<'_>) -> Pointer {
        let values = Pointer::root().key("spec").key("values");
        let inside = Pointer::parse(error.instance_path().as_str()).unwrap_or_default();
        let mut at = values;
        for step in inside.steps() {
            let node = self.release.node.at(&at);
            let is_list = node.is_some_and(|node| matches!(node.kind, Kind::List(_)));
            at = match step {
                Step::Index(index) if is_list => at.index(*index),
                Step::Index(index) => at.key(index.to_string()),
                Step::Key(key) => match key.parse() {
                    Ok(index) if is_list => at.index(index),
                    _ => at.key(key.as_str()),
                },
            };
        }
        at
    }

    /// The finding that the values could not be checked.
    fn unchecked(&self, problem: &str) -> Diagnostic {
        let title = self.schema.title();
        let message = format!(
            "the values of the release can't be checked: the imported schema of {title}: {problem}"
        );
        let at = Pointer::root().key("spec").key("values");
        finding(SCHEMA_UNREADABLE, self.release, &at, message)
            .why("it is not known whether Helm accepts the values")
            .help("import the chart's schema again: `gatewayctl schemas import --values`")
    }

    fn finding(&self, code: Code, pointer: &Pointer, message: String) -> Diagnostic {
        self.explained(finding(code, self.release, pointer, message))
    }

    fn explained(&self, finding: Diagnostic) -> Diagnostic {
        let title = self.schema.title();
        let finding = finding
            .why("Helm checks the values against the chart's schema, and refuses to install or upgrade the release");
        match self.is_same {
            true => finding.help(format!("see the schema of {title}")),
            false => finding.severity(Severity::Warning).help(format!(
                "it was checked against the schema of {title}, because no other one was imported"
            )),
        }
    }
}
