//! Walks over an object and its schema together.

use std::borrow::Cow;

use serde_json::Value;

use super::number::{self, compare, is_multiple, is_whole};
use super::{Structure, metadata, words};
use crate::codes;
use crate::passes::Request;
use crate::schema::KindSchema;
use crate::schema::node::{NodeId, Schema, Type};
use k8s_syntax::{format, names};
use manifest::Object;
use manifest::diagnostic::{Code, Diagnostic};
use manifest::finding;
use manifest::value::placeholder::{is_ciphertext, is_unsettled};
use manifest::value::trail::{Trail, TrailStep};
use manifest::value::{Kind, Map, Node, Pointer, variable};

/// The maximum number of findings for an object. No real object has as many.
const MOST_FINDINGS: usize = 100;

/// The schema that a value is checked against, and the one that gives its shape.
///
/// They only differ in branches of combinations: a branch says nothing about nulls, defaults and unknown fields, the
/// structural schema around it does.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub node: NodeId,
    pub shape: Option<NodeId>,
}

impl View {
    fn whole(node: NodeId) -> Self {
        View {
            node,
            shape: Some(node),
        }
    }

    pub(crate) fn branch(self, node: NodeId) -> Self {
        View {
            node,
            shape: self.shape,
        }
    }

    fn is_whole(self) -> bool {
        self.shape == Some(self.node)
    }
}

/// A field that identifies an embedded object, a test for it, and what is allowed.
type IdentityField = (&'static str, fn(&str) -> bool, &'static str);

/// The fields that identify an embedded object.
const IDENTITY: [IdentityField; 2] = [
    (
        "apiVersion",
        |text| text.bytes().filter(|byte| *byte == b'/').count() <= 1,
        "`group/version`, or only a version",
    ),
    (
        "kind",
        |text| names::is_dns_1035_label(&text.to_lowercase()),
        "letters, digits and `-`, a letter first and a letter or digit last",
    ),
];

/// A map between the root and the current value.
pub(super) struct Above {
    pub node: NodeId,
    /// Its depth.
    pub depth: usize,
}

/// The first failure while a branch is tried, but not of the branches inside that are tried for it.
struct FirstFailure {
    tries: usize,
    at: Option<Pointer>,
    /// Whether a failure so far keeps the API server from evaluating rules.
    blocks_rules: bool,
}

pub(super) struct StructureWalk<'a> {
    pub run: &'a Structure<'a>,
    pub object: &'a Object,
    pub schema: KindSchema<'a>,
    pub request: Request,
    pub pointer: Trail,
    pub above: Vec<Above>,
    /// Whether there is a finding that keeps the API server from evaluating rules.
    pub blocks_rules: bool,
    found: Vec<Diagnostic>,
    /// Whether findings are only counted and not formatted, because a branch is tried.
    quiet: bool,
    failed: bool,
    /// How many branches around the current value are tried.
    tries: usize,
    /// Where the first failure of a branch is, if somebody asks.
    first_failure: Option<FirstFailure>,
    /// Whether the current value is in `status`. On creation the API server only checks the names of its fields, and
    /// drops it.
    pub in_status: bool,
    encrypted: bool,
    /// Whether the kind is one of Kubernetes' own.
    pub is_builtin: bool,
}

impl<'a> StructureWalk<'a> {
    pub(crate) fn new(
        run: &'a Structure<'a>,
        object: &'a Object,
        schema: KindSchema<'a>,
        request: Request,
    ) -> Self {
        StructureWalk {
            run,
            object,
            schema,
            request,
            pointer: Trail::root(),
            above: Vec::new(),
            blocks_rules: false,
            found: Vec::new(),
            quiet: false,
            failed: false,
            tries: 0,
            first_failure: None,
            in_status: false,
            encrypted: object.node.get("sops").is_some(),
            is_builtin: names::is_builtin_group(object.group()),
        }
    }

    /// Checks the whole object.
    pub(crate) fn object(&mut self) {
        metadata::check(self);
        let object = self.object;
        self.value(&object.node, View::whole(self.schema.version.root));
    }

    /// The findings without duplicates.
    pub(crate) fn findings(self) -> Vec<Diagnostic> {
        let mut kept: Vec<Diagnostic> = Vec::with_capacity(self.found.len());
        for finding in self.found {
            let recent = kept.iter().rev().take(16);
            if !recent.into_iter().any(|earlier| *earlier == finding) {
                kept.push(finding);
            }
        }
        kept
    }

    /// Adds a finding on the current value. The text is only created if it is needed.
    pub(crate) fn report(&mut self, make: impl FnOnce(&Self) -> Diagnostic) {
        self.failed = true;
        if let Some(first) = &mut self.first_failure
            && first.tries == self.tries
            && first.at.is_none()
        {
            first.at = Some(Pointer::clone(&self.pointer));
        }
        if !self.quiet && self.found.len() < MOST_FINDINGS {
            let finding = make(self);
            if !self.in_status || self.is_of_patch(&finding) {
                self.found.push(finding);
            }
        }
    }

    /// Whether a finding is about what can't be sent at all, so that it is reported in `status`, too.
    fn is_of_patch(&self, finding: &Diagnostic) -> bool {
        let is_of_apply = [codes::SCHEMA_TYPE, codes::SCHEMA_LIST_KEY].contains(&finding.code);
        finding.code == codes::SCHEMA_UNKNOWN_FIELD
            || (is_of_apply && self.request == Request::Apply)
            || (finding.code == codes::SCHEMA_TYPE && self.is_builtin)
    }

    /// Like [`report`](Self::report), for a finding that keeps the API server from evaluating rules.
    pub(crate) fn report_blocking(&mut self, make: impl FnOnce(&Self) -> Diagnostic) {
        self.blocks_rules |= !self.quiet && !self.in_status;
        if let Some(first) = &mut self.first_failure {
            first.blocks_rules = true;
        }
        self.report(make);
    }

    /// A finding on a length that is out of bounds. If it is too large, rules are not evaluated.
    pub(crate) fn report_size(&mut self, over: bool, make: impl FnOnce(&Self) -> Diagnostic) {
        if over {
            self.report_blocking(make);
        } else {
            self.report(make);
        }
    }

    /// A finding on the current value.
    pub(crate) fn finding(&self, code: Code, message: String) -> Diagnostic {
        finding(code, self.object, &self.pointer, message).why(words::refused(self.object))
    }

    /// Whether a value is valid for a view, without reporting anything.
    pub(crate) fn holds(&mut self, value: &Node, view: View) -> bool {
        let before = (self.quiet, self.failed);
        (self.quiet, self.failed) = (true, false);
        self.tries += 1;
        self.value(value, view);
        self.tries -= 1;
        let held = !self.failed;
        (self.quiet, self.failed) = before;
        held
    }

    /// Where a branch that is not satisfied fails first, if that is inside of the current value. The API server reports the
    /// branch's failures too, so they may keep it from evaluating rules.
    pub(crate) fn failure_inside(&mut self, value: &Node, view: View) -> Option<Pointer> {
        if self.quiet {
            return None;
        }
        self.first_failure = Some(FirstFailure {
            tries: self.tries + 1,
            at: None,
            blocks_rules: false,
        });
        self.holds(value, view);
        let first = self.first_failure.take()?;
        self.blocks_rules |= first.blocks_rules && !self.in_status;
        let at = first.at;
        at.filter(|at| at.steps().len() > self.pointer.steps().len())
    }

    /// Goes one level down.
    pub(crate) fn inside(&mut self, part: TrailStep<'_>, walk: impl FnOnce(&mut Self)) {
        self.pointer.enter(part);
        walk(self);
        self.pointer.leave();
    }

    /// The path of another entry of the list that contains the current value.
    pub(crate) fn sibling(&self, index: usize) -> Pointer {
        self.pointer
            .parent()
            .map_or_else(Pointer::root, |list| list.index(index))
    }

    /// Whether a string is not known yet: it has a Flux variable, or is SOPS's ciphertext or a
    /// reference to a secret.
    pub(crate) fn is_unsettled(&self, text: &str) -> bool {
        is_unsettled(text, self.encrypted)
    }

    /// Checks the current value.
    pub(crate) fn value(&mut self, value: &Node, view: View) {
        if self.quiet && self.failed {
            return;
        }
        let schema = self.schema.node(view.node);
        if !self.has_type(value, schema) {
            if self.in_status && fits_patch(value, schema) {
                return;
            }
            return self.report_blocking(|walk| words::wrong_type(walk, value, schema));
        }
        match &value.kind {
            // An enumeration never has null, even if it is written there.
            Kind::Null if schema.enumeration.is_empty() || self.is_builtin => return,
            Kind::String(text) if self.is_unsettled(text) => return,
            _ => {}
        }
        if !schema.enumeration.is_empty()
            && (matches!(value.kind, Kind::Null)
                || !schema.enumeration.iter().any(|known| equal(value, known)))
        {
            self.report_blocking(|walk| words::not_in_enum(walk, value, schema));
        }
        match &value.kind {
            Kind::Number(number) => self.number(number, schema),
            Kind::String(text) => self.text(text, schema),
            Kind::List(items) => self.list(items, view, schema),
            Kind::Map(map) => self.map(map, view, schema),
            Kind::Null | Kind::Bool(_) => {}
        }
        self.combinations(value, view, schema);
    }

    pub(crate) fn has_type(&self, value: &Node, schema: &Schema) -> bool {
        let is_open =
            |text: &str| variable::is_all(text) || (self.encrypted && is_ciphertext(text));
        match (&value.kind, schema.type_) {
            (Kind::Null, kind) => schema.nullable || (kind.is_none() && !schema.int_or_string),
            (Kind::String(_), None) => true,
            (Kind::Number(number), None) => !schema.int_or_string || is_whole(number, self.request),
            (_, None) => !schema.int_or_string,
            // Flux puts the value into the text before it is parsed, so it may even be a list or a map.
            (Kind::String(text), Some(kind)) if kind != Type::String => is_open(text),
            (Kind::Number(number), Some(Type::Integer)) => is_whole(number, self.request),
            (Kind::Bool(_), Some(Type::Boolean))
            | (Kind::Number(_), Some(Type::Number))
            | (Kind::String(_), Some(Type::String))
            | (Kind::List(_), Some(Type::Array))
            | (Kind::Map(_), Some(Type::Object)) => true,
            _ => false,
        }
    }

    fn number(&mut self, number: &serde_json::Number, schema: &Schema) {
        let value = number::read(number, self.request);
        let below = schema.minimum.as_ref().is_some_and(|least| {
            matches!(compare(value, least), Some(order) if order.is_lt() || (schema.exclusive_minimum && order.is_eq()))
        });
        let over = schema.maximum.as_ref().is_some_and(|most| {
            matches!(compare(value, most), Some(order) if order.is_gt() || (schema.exclusive_maximum && order.is_eq()))
        });
        let mut bounds = schema.minimum.iter().chain(&schema.maximum);
        if below || over || bounds.any(|bound| number::is_unfit(schema, bound)) {
            self.report(|walk| words::out_of_bounds(walk, number, schema));
        }
        if let Some((least, most)) = number::integer_range(schema)
            && !number
                .as_f64()
                .is_some_and(|value| (least..=most).contains(&value))
        {
            self.report(|walk| words::beyond(walk, number, least, most));
        }
        if let Some(step) = &schema.multiple_of
            && (!is_multiple(value, step) || number::is_unfit(schema, step))
        {
            self.report(|walk| words::not_a_multiple(walk, number, step));
        }
    }

    fn text(&mut self, text: &str, schema: &Schema) {
        if schema.min_length.is_some() || schema.max_length.is_some() {
            let length = text.chars().count() as u64;
            if schema.min_length.is_some_and(|least| length < least)
                || schema.max_length.is_some_and(|most| length > most)
            {
                let over = schema.max_length.is_some_and(|most| length > most);
                self.report_size(over, |walk| {
                    words::size(
                        walk,
                        "character",
                        length,
                        schema.min_length,
                        schema.max_length,
                    )
                });
            }
        }
        if let Some(pattern) = &schema.pattern {
            // The server decodes a quantity of its own kinds without the blanks around it.
            let is_quantity = self.is_builtin && words::is_quantity(pattern);
            let text = if is_quantity { text.trim() } else { text };
            match self.run.patterns.find(pattern, text) {
                Ok(true) => {}
                Ok(false) => self.report(|walk| words::no_match(walk, text, pattern)),
                Err(problem) => self.report(|walk| words::no_pattern(walk, pattern, problem)),
            }
        }
        if let Some(want) = schema
            .format
            .as_ref()
            .and_then(|format| format::violated(format, text))
        {
            // The API server calls it a value of the wrong type.
            self.report_blocking(|walk| words::wrong_format(walk, text, want));
        }
    }

    fn map(&mut self, map: &Map, view: View, schema: &Schema) {
        let shape = view.shape.map(|shape| self.schema.node(shape));
        let dropped = |key: &str, value: &Node| self.is_dropped(shape, key, value);
        if schema.min_properties.is_some() || schema.max_properties.is_some() {
            let nulls = map
                .iter()
                .filter(|(key, value)| dropped(key, value))
                .count();
            let length = (map.len() - nulls) as u64;
            if schema.min_properties.is_some_and(|least| length < least)
                || schema.max_properties.is_some_and(|most| length > most)
            {
                let over = schema.max_properties.is_some_and(|most| length > most);
                self.report_size(over, |walk| {
                    words::size(
                        walk,
                        "key",
                        length,
                        schema.min_properties,
                        schema.max_properties,
                    )
                });
            }
        }
        for key in &schema.required {
            let given = map
                .get(key)
                .is_some_and(|value| !self.is_dropped(shape, key, value));
            if !given && self.default(shape, key).is_none() {
                self.inside(TrailStep::Key(key), |walk| {
                    walk.report_blocking(|walk| words::missing(walk, key, schema.child(key)));
                });
            }
        }
        if schema.embedded_resource && view.is_whole() {
            self.identity(map);
        }
        if view.is_whole() {
            self.above.push(Above {
                node: view.node,
                depth: self.pointer.steps().len(),
            });
            self.fields(map, schema);
            self.above.pop();
        } else {
            self.branch_fields(map, schema, shape);
        }
    }

    /// An embedded object must have its identity (`x-kubernetes-embedded-resource`), whatever else its schema
    /// requires, and its metadata is checked as that of any object.
    fn identity(&mut self, map: &Map) {
        for (key, holds, want) in IDENTITY {
            let given = map.get(key).and_then(Node::as_str);
            self.inside(TrailStep::Key(key), |walk| match given {
                None | Some("") => {
                    walk.report_blocking(|walk| words::missing(walk, key, None));
                }
                Some(text) if walk.is_unsettled(text) || holds(text) => {}
                Some(text) => walk.report(|walk| words::wrong_format(walk, text, want)),
            });
        }
        let Some(metadata) = map.get("metadata") else {
            return;
        };
        let place = self.pointer.key("metadata");
        for finding in crate::metadata::check_embedded(self.object, metadata, &place) {
            self.blocks_rules |= finding.code == codes::SCHEMA_TYPE;
            self.report(|_| finding);
        }
    }

    /// Checks the fields of a map. All of them should be in the schema.
    fn fields(&mut self, map: &Map, schema: &Schema) {
        let is_root = self.pointer.steps().is_empty();
        for (key, value) in map.iter() {
            if is_root && matches!(key, "apiVersion" | "kind" | "metadata" | "sops") {
                continue;
            }
            match schema.child(key) {
                Some(_) if self.is_dropped(Some(schema), key, value) => {}
                Some(node) if schema.embedded_resource && key == "metadata" => {
                    // Its fields are those of any object. The schema only adds bounds.
                    let view = View { node, shape: None };
                    self.inside(TrailStep::Key(key), |walk| walk.value(value, view));
                }
                Some(node) => {
                    self.in_status |= is_root && key == "status" && self.schema.version.status;
                    self.inside(TrailStep::Key(key), |walk| {
                        walk.value(value, View::whole(node));
                    });
                    self.in_status &= !is_root;
                }
                None if schema.is_open() || variable::in_text(key) => {}
                None if schema.embedded_resource
                    && matches!(key, "apiVersion" | "kind" | "metadata") => {}
                None => self.inside(TrailStep::Key(key), |walk| {
                    walk.report(|walk| walk.unknown(key, map, schema));
                }),
            }
        }
    }

    /// Checks the fields that a branch of a combination mentions, after nulls and defaults have been applied.
    fn branch_fields(&mut self, map: &Map, schema: &Schema, shape: Option<&Schema>) {
        for (key, node) in &schema.properties {
            if let Some(value) = self.given_or_default(map, key, shape) {
                let view = View {
                    node: *node,
                    shape: shape.and_then(|shape| shape.child(key)),
                };
                self.inside(TrailStep::Key(key), |walk| walk.value(&value, view));
            }
        }
    }

    /// A field after nulls and defaults have been applied.
    pub(crate) fn given_or_default<'v>(
        &self,
        map: &'v Map,
        key: &str,
        shape: Option<&Schema>,
    ) -> Option<Cow<'v, Node>> {
        let given = map.get(key);
        match given.filter(|value| !self.is_dropped(shape, key, value)) {
            Some(value) => Some(Cow::Borrowed(value)),
            None => {
                let default = self.default(shape, key)?;
                Some(Cow::Owned(Node::from_json(default.clone())))
            }
        }
    }

    /// Whether the API server drops a field before checking it: a null that is not allowed. On server-side apply, only
    /// if it then gets a default, or if the kind is one of Kubernetes' own, for which a null is the same as no value.
    fn is_dropped(&self, shape: Option<&Schema>, key: &str, value: &Node) -> bool {
        if !matches!(value.kind, Kind::Null) {
            return false;
        }
        let child = shape.and_then(|shape| shape.child(key));
        child
            .map(|child| self.schema.node(child))
            .is_some_and(|child| {
                let is_kept = self.request == Request::Apply && !self.is_builtin;
                !child.nullable && (!is_kept || child.default.is_some())
            })
    }

    fn default(&self, shape: Option<&Schema>, key: &str) -> Option<&'a Value> {
        let child = *shape?.properties.get(key)?;
        self.schema.node(child).default.as_ref()
    }
}

/// Whether server-side apply can hold a value of this type (structured-merge-diff's `validate`): it only knows strings,
/// booleans, numbers, lists and maps.
fn fits_patch(value: &Node, schema: &Schema) -> bool {
    match (&value.kind, schema.type_) {
        (Kind::Null, _)
        | (Kind::Number(_), Some(Type::Integer | Type::Number))
        | (Kind::Bool(_), Some(Type::Boolean))
        | (Kind::String(_), Some(Type::String))
        | (Kind::List(_), Some(Type::Array))
        | (Kind::Map(_), Some(Type::Object)) => true,
        (Kind::List(_) | Kind::Map(_), None) => !schema.int_or_string,
        (_, None) => true,
        _ => false,
    }
}

/// Whether a value equals one in a schema.
fn equal(value: &Node, known: &Value) -> bool {
    match (&value.kind, known) {
        (Kind::String(text), Value::String(known)) => text == known,
        (Kind::String(_), _) | (_, Value::String(_)) => false,
        _ => *value == Node::from_json(known.clone()),
    }
}
