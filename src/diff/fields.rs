//! Compares two objects field by field.

use super::lists::{self, Aligned};
use super::model::{FieldChange, FieldDiff, Value};
use super::secret::{Visibility, is_secret};
use super::shown::has_several_lines;
use super::text;
use manifest::Object;
use manifest::value::pointer::Step;
use manifest::value::{Kind, Map, Node, Pointer};

/// Returns the keys that identify the entries of the list at a pointer in an object:
/// `x-kubernetes-list-map-keys` of its schema.
pub type ListKeys<'a> = dyn Fn(&Object, &Pointer) -> Option<Vec<String>> + 'a;

/// The changed fields, in the order of the new object. In each map, removed fields come last.
pub fn compare(old: &Object, new: &Object, keys: Option<&ListKeys>) -> Vec<FieldDiff> {
    let mut comparison = FieldComparison {
        object: new,
        keys,
        old: Pointer::root(),
        new: Pointer::root(),
        found: Vec::new(),
    };
    comparison.values(&old.node, &new.node, "", Visibility::Open);
    comparison.found
}

struct FieldComparison<'a> {
    object: &'a Object,
    keys: Option<&'a ListKeys<'a>>,
    old: Pointer,
    new: Pointer,
    found: Vec<FieldDiff>,
}

impl FieldComparison<'_> {
    fn values(&mut self, old: &Node, new: &Node, path: &str, visibility: Visibility) {
        match (&old.kind, &new.kind) {
            (Kind::Map(old), Kind::Map(new)) if visibility != Visibility::Hidden => {
                self.maps(old, new, path, visibility)
            }
            (Kind::List(old), Kind::List(new))
                if matches!(visibility, Visibility::Open | Visibility::Generator) =>
            {
                self.lists(old, new, path, visibility);
            }
            _ if old == new => {}
            _ => {
                let (old, new) = (visibility.show(old), visibility.show(new));
                let lines = several_lines(&old, &new);
                self.add(
                    self.new.clone(),
                    path,
                    FieldChange::Changed { old, new, lines },
                );
            }
        }
    }

    fn maps(&mut self, old: &Map, new: &Map, path: &str, visibility: Visibility) {
        let secret = is_secret(old) || is_secret(new);
        for (key, value) in new.iter() {
            self.pair(
                (old.get(key), Step::Key(key.to_owned())),
                (Some(value), Step::Key(key.to_owned())),
                &below(path, key),
                visibility.below(key, secret),
            );
        }
        for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(key)) {
            self.pair(
                (Some(value), Step::Key(key.to_owned())),
                (None, Step::Key(key.to_owned())),
                &below(path, key),
                visibility.below(key, secret),
            );
        }
    }

    fn lists(&mut self, old: &[Node], new: &[Node], path: &str, visibility: Visibility) {
        let keys = self.keys.and_then(|keys| keys(self.object, &self.new));
        let field = match self.new.steps().last() {
            Some(Step::Key(key)) => key.clone(),
            _ => String::new(),
        };
        let Aligned { pairs, reordered } = lists::align(&field, keys.as_deref(), old, new);
        if let Some((old, new)) = reordered {
            self.add(self.new.clone(), path, FieldChange::Reordered { old, new });
        }
        for pair in pairs {
            self.pair(
                (
                    pair.old.and_then(|at| old.get(at)),
                    Step::Index(pair.old.unwrap_or_default()),
                ),
                (
                    pair.new.and_then(|at| new.get(at)),
                    Step::Index(pair.new.unwrap_or_default()),
                ),
                &format!("{path}[{}]", pair.label),
                visibility.entries(),
            );
        }
    }

    /// Compares an entry that exists on one side or on both.
    fn pair(
        &mut self,
        old: (Option<&Node>, Step),
        new: (Option<&Node>, Step),
        path: &str,
        visibility: Visibility,
    ) {
        self.old.push(old.1);
        self.new.push(new.1);
        match (old.0, new.0) {
            (Some(old), Some(new)) => self.values(old, new, path, visibility),
            (None, Some(new)) => self.add(
                self.new.clone(),
                path,
                FieldChange::Added(visibility.show(new)),
            ),
            (Some(old), None) => self.add(
                self.old.clone(),
                path,
                FieldChange::Removed(visibility.show(old)),
            ),
            (None, None) => {}
        }
        self.old.pop();
        self.new.pop();
    }

    fn add(&mut self, pointer: Pointer, path: &str, change: FieldChange) {
        let path = path.to_owned();
        self.found.push(FieldDiff {
            pointer,
            path,
            change,
        });
    }
}

/// The path of a key below another path, as [`Pointer::dotted`] writes it.
fn below(path: &str, key: &str) -> String {
    let step = Pointer::root().key(key).dotted();
    if path.is_empty() || step.starts_with('[') {
        format!("{path}{step}")
    } else {
        format!("{path}.{step}")
    }
}

/// The hunks between two strings, if at least one of them has several lines.
fn several_lines(old: &Value, new: &Value) -> Option<String> {
    let text = |value| match value {
        &Value::Shown(Node {
            kind: Kind::String(ref text),
            ..
        }) => Some(text.as_str()),
        _ => None,
    };
    let (old, new) = (text(old)?, text(new)?);
    if has_several_lines(old) || has_several_lines(new) {
        text::unified(old, new)
    } else {
        None
    }
}
