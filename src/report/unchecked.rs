//! Tells all objects of unknown kinds in one note, instead of one note for each object.

use std::collections::BTreeMap;

use crd_validate::codes;
use manifest::diagnostic::suggest::listed;
use manifest::diagnostic::{Diagnostic, Severity};

/// Replaces the notes on objects whose kind no schema describes by a single one, which counts them by kind. Such
/// findings that are errors, because of `--strict`, stay as they are, each with its place.
pub(super) fn merge(diagnostics: &mut Vec<Diagnostic>) {
    let mut objects_by_kind: BTreeMap<(String, String), usize> = BTreeMap::new();
    diagnostics.retain(|finding| {
        let is_unchecked =
            finding.code == codes::SCHEMA_UNCHECKED_KIND && finding.severity == Severity::Note;
        let Some(object) = finding.object.as_ref().filter(|_| is_unchecked) else {
            return true;
        };
        let group = object.api_version.rsplit_once('/');
        let group = group.map_or(object.api_version.as_str(), |(group, _)| group);
        let kind = (group.to_owned(), object.kind.clone());
        *objects_by_kind.entry(kind).or_default() += 1;
        false
    });
    diagnostics.extend(note(&objects_by_kind));
}

fn note(objects_by_kind: &BTreeMap<(String, String), usize>) -> Option<Diagnostic> {
    let mut kinds_by_group: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((group, kind), count) in objects_by_kind {
        let kinds = kinds_by_group.entry(group).or_default();
        kinds.push(format!("{kind} ({count})"));
    }
    let groups = kinds_by_group
        .iter()
        .map(|(group, kinds)| format!("{group}: {}", kinds.join(", ")));
    let objects: usize = objects_by_kind.values().sum();
    (objects > 0).then(|| {
        let message = format!(
            "{} of {} {} not checked, because no schema describes them",
            counted(objects, "object"),
            counted(objects_by_kind.len(), "kind"),
            if objects == 1 { "was" } else { "were" },
        );
        Diagnostic::new(codes::SCHEMA_UNCHECKED_KIND, message)
            .why(listed(groups))
            .help("to have them checked, import their CRDs with `gatewayctl schemas import`; with `--strict`, each is an error")
    })
}

fn counted(count: usize, of: &str) -> String {
    match count {
        1 => format!("1 {of}"),
        _ => format!("{count} {of}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use manifest::diagnostic::ObjectRef;

    fn unchecked(api_version: &str, kind: &str) -> Diagnostic {
        Diagnostic {
            object: Some(ObjectRef {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                ..ObjectRef::default()
            }),
            ..Diagnostic::new(codes::SCHEMA_UNCHECKED_KIND, "no schema")
        }
    }

    #[test]
    fn all_unknown_kinds_are_told_in_one_note() {
        let mut found = vec![
            unchecked("example.com/v1", "Widget"),
            Diagnostic::new(codes::SCHEMA_REQUIRED, "missing"),
            unchecked("example.com/v1beta1", "Widget"),
            unchecked("example.com/v1", "Gadget"),
            unchecked("v1alpha1", "MachineConfig"),
        ];
        merge(&mut found);
        let [other, note] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(other.code, codes::SCHEMA_REQUIRED);
        assert_eq!(
            note.message,
            "4 objects of 3 kinds were not checked, because no schema describes them"
        );
        assert_eq!(
            note.why.as_deref(),
            Some("example.com: Gadget (1), Widget (2), v1alpha1: MachineConfig (1)")
        );
    }

    #[test]
    fn an_error_keeps_its_place() {
        let mut found = vec![unchecked("example.com/v1", "Widget").severity(Severity::Error)];
        merge(&mut found);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(Diagnostic::is_error));
    }
}
