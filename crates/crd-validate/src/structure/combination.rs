//! `allOf`, `anyOf`, `oneOf` and `not`.

use super::walk::{StructureWalk, View};
use super::words;
use crate::codes;
use crate::schema::node::{NodeId, Schema};
use k8s_syntax::format;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Node, Pointer, trail::TrailStep};

impl StructureWalk<'_> {
    /// Checks the combinations in a schema.
    pub(super) fn combinations(&mut self, value: &Node, view: View, schema: &Schema) {
        for branch in &schema.all_of {
            self.value(value, view.branch(*branch));
        }
        if !schema.any_of.is_empty() && !self.any_holds(value, view, &schema.any_of) {
            self.no_branch(value, view, &schema.any_of);
        }
        if !schema.one_of.is_empty() {
            let holding: Vec<NodeId> = schema
                .one_of
                .iter()
                .copied()
                .filter(|branch| self.holds(value, view.branch(*branch)))
                .collect();
            match holding.as_slice() {
                [] => self.no_branch(value, view, &schema.one_of),
                [_] => {}
                several => self.report(|walk| walk.conflict(several)),
            }
        }
        if let Some(not) = schema.not
            && self.holds(value, view.branch(not))
        {
            self.report(|walk| walk.excluded(not));
        }
    }

    fn any_holds(&mut self, value: &Node, view: View, branches: &[NodeId]) -> bool {
        branches
            .iter()
            .any(|branch| self.holds(value, view.branch(*branch)))
    }

    /// Reports that no branch is satisfied. If all branches but one are impossible, its own findings are reported.
    fn no_branch(&mut self, value: &Node, view: View, branches: &[NodeId]) {
        let possible: Vec<NodeId> = branches
            .iter()
            .copied()
            .filter(|branch| self.is_possible(value, view.branch(*branch)))
            .collect();
        match possible.as_slice() {
            [only] => self.value(value, view.branch(*only)),
            _ => {
                let first = branches.first();
                let missing =
                    first.and_then(|first| self.failure_inside(value, view.branch(*first)));
                self.report(|walk| walk.none_of(branches, missing));
            }
        }
    }

    /// Whether a value has a branch's type, and the fixed values that distinguish the branch from others.
    fn is_possible(&mut self, value: &Node, view: View) -> bool {
        let schema = self.schema.node(view.node);
        let shape = view.shape.map(|shape| self.schema.node(shape));
        self.has_type(value, schema)
            && schema.properties.iter().all(|(key, node)| {
                let child = self.schema.node(*node);
                let tells_apart = !child.enumeration.is_empty() || child.not.is_some();
                let map = value.as_map().filter(|_| tells_apart);
                match map.and_then(|map| self.given_or_default(map, key, shape)) {
                    Some(field) => {
                        let mut held = true;
                        let view = View {
                            node: *node,
                            shape: None,
                        };
                        self.inside(TrailStep::Key(key), |walk| held = walk.holds(&field, view));
                        held
                    }
                    None => true,
                }
            })
    }

    /// The finding that no branch is satisfied, at the field that the first one lacks.
    fn none_of(&self, branches: &[NodeId], missing: Option<Pointer>) -> Diagnostic {
        let name = words::name(&self.pointer);
        let place = missing.as_ref().unwrap_or(&self.pointer);
        let finding = |message: String| {
            finding(codes::SCHEMA_COMBINATION, self.object, place, message)
                .why(words::refused(self.object))
        };
        if let Some(keys) = self.keys(branches, "or") {
            return finding(format!(
                "{name} needs one of several fields, but has none of them"
            ))
            .help(format!("add {keys}"));
        }
        let help = match self.forms(branches) {
            Some(forms) => format!("write {forms}"),
            None => format!(
                "`gatewayctl explain {}` describes the field",
                self.pointer.dotted()
            ),
        };
        finding(format!("{name} has none of its allowed forms")).help(help)
    }

    fn conflict(&self, branches: &[NodeId]) -> Diagnostic {
        let name = words::name(&self.pointer);
        let finding = |message| self.finding(codes::SCHEMA_COMBINATION, message);
        match self.keys(branches, "and") {
            Some(keys) => finding(format!(
                "{name} has {keys}, but only one of them is allowed"
            ))
            .help("keep one of them"),
            None => finding(format!(
                "{name} has several of its allowed forms, but may have only one"
            ))
            .help("keep only the fields of one form"),
        }
    }

    fn excluded(&self, not: NodeId) -> Diagnostic {
        let name = words::name(&self.pointer);
        let schema = self.schema.node(not);
        let all: &[NodeId] = &[not];
        let branches = if schema.any_of.is_empty() {
            all
        } else {
            &schema.any_of
        };
        let finding = |message| self.finding(codes::SCHEMA_COMBINATION, message);
        match (self.keys(branches, "and"), self.forms(branches)) {
            (Some(keys), _) => finding(format!("{name} can't have {keys}"))
                .help("remove the fields that exclude the others"),
            (None, Some(forms)) => {
                finding(format!("{name} can't be {forms}")).help("write another value")
            }
            (None, None) => finding(format!("{name} has a form that its schema excludes"))
                .help("write another value"),
        }
    }

    /// The fields that distinguish branches, if each branch only requires fields.
    fn keys(&self, branches: &[NodeId], last: &str) -> Option<String> {
        let of_branch = |branch: &NodeId| {
            let schema = self.schema.node(*branch);
            let keys: Vec<String> = schema.required.iter().map(|it| format!("`{it}`")).collect();
            (!keys.is_empty()).then(|| keys.join(" with "))
        };
        let keys: Option<Vec<String>> = branches.iter().map(of_branch).collect();
        keys.map(|keys| words::list(&keys, last))
    }

    /// What branches allow, if each can be described in a few words.
    fn forms(&self, branches: &[NodeId]) -> Option<String> {
        let of_branch = |branch: &NodeId| {
            let schema = self.schema.node(*branch);
            let by_format = schema.format.as_deref().and_then(format::description);
            let values = || words::values(&schema.enumeration);
            by_format
                .map(str::to_owned)
                .or_else(values)
                .or_else(|| schema.type_.map(|type_| words::article(type_).to_owned()))
        };
        let forms: Option<Vec<String>> = branches.iter().map(of_branch).collect();
        forms.map(|forms| words::list(&forms, "or"))
    }
}
