//! `configurations`: fields that transformers change in addition to the default ones.

use std::collections::BTreeMap;

use super::field_specs::{FieldSpec, Which, defaults};
use super::fields::{items, text};
use super::name_references::{self, NameReference};
use manifest::value::Node;

/// The keys of a file of `configurations`.
const KEYS: &[(&str, Which)] = &[
    ("namePrefix", Which::NamePrefix),
    ("nameSuffix", Which::NameSuffix),
    ("namespace", Which::Namespace),
    ("commonLabels", Which::CommonLabels),
    ("labels", Which::Labels),
    ("templateLabels", Which::TemplateLabels),
    ("commonAnnotations", Which::CommonAnnotations),
    ("images", Which::Images),
    ("replicas", Which::Replicas),
];

/// What the files of `configurations` add, here and in all folders below.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    fields: BTreeMap<Which, Vec<FieldSpec>>,
    references: Vec<NameReference>,
}

impl Config {
    /// Reads a file.
    pub(super) fn read(node: &Node) -> Self {
        let fields = KEYS.iter().map(|(key, which)| {
            let specs = items(node, key).iter().map(field_spec).collect();
            (*which, specs)
        });
        let references = items(node, "nameReference").iter();
        Config {
            fields: fields.collect(),
            references: references
                .map(|one| NameReference {
                    group: text(one, "group").to_owned(),
                    version: text(one, "version").to_owned(),
                    kind: text(one, "kind").to_owned(),
                    fields: items(one, "fieldSpecs").iter().map(field_spec).collect(),
                })
                .collect(),
        }
    }

    /// Adds what another one adds.
    ///
    /// # Errors
    /// If both specify the same field, but only one creates it.
    pub(super) fn merge(&mut self, other: Config) -> Result<(), String> {
        for (which, specs) in other.fields {
            if specs.is_empty() {
                continue;
            }
            let default = defaults(which);
            let own = self.fields.entry(which).or_default();
            for spec in specs {
                add(&default, own, spec)?;
            }
        }
        for reference in other.references {
            match self
                .references
                .iter_mut()
                .find(|one| is_same(one, &reference))
            {
                Some(own) => {
                    for spec in reference.fields {
                        add(&[], &mut own.fields, spec)?;
                    }
                }
                None => self.references.push(reference),
            }
        }
        Ok(())
    }

    /// The fields of a transformer.
    pub(super) fn fields(&self, which: Which) -> Vec<FieldSpec> {
        let own = self.fields.get(&which).into_iter().flatten();
        let mut all = defaults(which);
        all.extend(own.cloned());
        all
    }

    /// The fields that contain names; `None` if there are only the default ones.
    pub(super) fn references(&self) -> Option<Vec<NameReference>> {
        if self.references.is_empty() {
            return None;
        }
        let mut all = name_references::defaults();
        for reference in &self.references {
            match all.iter_mut().find(|one| is_same(one, reference)) {
                Some(there) => {
                    for spec in &reference.fields {
                        let is_there = |one: &FieldSpec| is_covered(one, spec);
                        if !there.fields.iter().any(is_there) {
                            there.fields.push(spec.clone());
                        }
                    }
                }
                None => all.push(reference.clone()),
            }
        }
        Some(all)
    }
}

fn is_same(one: &NameReference, other: &NameReference) -> bool {
    (&one.group, &one.version, &one.kind) == (&other.group, &other.version, &other.kind)
}

/// Whether kustomize takes a new specification for one that is there: the same path, and objects that include those of
/// the one that is there.
fn is_covered(there: &FieldSpec, new: &FieldSpec) -> bool {
    there.path == new.path && there.gvk().is_selected(&new.gvk())
}

/// Adds a specification unless it is there.
pub(super) fn add(
    default: &[FieldSpec],
    own: &mut Vec<FieldSpec>,
    new: FieldSpec,
) -> Result<(), String> {
    let mut all = default.iter().chain(own.iter());
    match all.find(|there| is_covered(there, &new)) {
        Some(there) if there.create != new.create => Err(format!(
            "two configurations disagree about creating the field {}",
            new.path
        )),
        Some(_) => Ok(()),
        None => {
            own.push(new);
            Ok(())
        }
    }
}

/// Reads a field specification.
pub(super) fn field_spec(node: &Node) -> FieldSpec {
    let own = |key: &str| text(node, key).to_owned().into();
    FieldSpec {
        group: own("group"),
        version: own("version"),
        kind: own("kind"),
        path: own("path"),
        create: node.get("create").and_then(Node::as_bool) == Some(true),
    }
}
