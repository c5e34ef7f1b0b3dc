//! Unknown fields: which field was probably meant, where the field belongs, or which version has it.

use super::walk::StructureWalk;
use super::words;
use crate::codes;
use crate::passes::Request;
use crate::schema::Set;
use crate::schema::node::Schema;
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding_on_key;
use manifest::value::{Map, Pointer};

/// How the help begins that proposes a name.
const WRITE: &str = "write `";

/// How the help begins that proposes a kind.
pub(crate) const DID_YOU_MEAN: &str = "did you mean `kind: ";

/// How many levels up the right place of a field is looked for.
const LEVELS_UP: usize = 2;

/// How many fields a finding lists at most.
const MOST_NAMED: usize = 12;

impl StructureWalk<'_> {
    /// The finding on the current field, which `schema` doesn't have. `map` contains the field.
    pub(super) fn unknown(&self, key: &str, map: &Map, schema: &Schema) -> Diagnostic {
        if let Some(set) = self
            .run
            .catalogue
            .field_elsewhere(&self.schema, &self.pointer)
        {
            return self.of_another_version(set);
        }
        let kind = self.object.kind();
        let name = words::name(&self.pointer);
        let finding = self.on_key(format!("{name} is not a field of {kind}"));
        if self.request == Request::Apply && !self.is_builtin && schema.properties.is_empty() {
            // Server-side apply takes any field of a map without fields.
            return finding
                .severity(Severity::Warning)
                .why("the API server drops the field")
                .help(known_fields(schema));
        }
        let known = || schema.properties.keys().map(String::as_str);
        let free = known().filter(|known| !map.contains_key(known));
        let meant = nearest(key, free).or_else(|| nearest(key, known()));
        let places = self.places(key);
        match (meant, places.as_slice()) {
            (Some(meant), _) if meant.eq_ignore_ascii_case(key) => {
                finding.help(format!("{WRITE}{meant}`"))
            }
            (_, [place]) => finding.help(format!("it belongs under `{}`", place.dotted())),
            (Some(meant), _) => finding.help(format!("{WRITE}{meant}`")),
            (None, [first, second]) => finding.help(format!(
                "it belongs under `{}` or `{}`",
                first.dotted(),
                second.dotted()
            )),
            (None, _) => finding.help(known_fields(schema)),
        }
    }

    fn on_key(&self, message: String) -> Diagnostic {
        finding_on_key(
            codes::SCHEMA_UNKNOWN_FIELD,
            self.object,
            &self.pointer,
            message,
        )
        .why(words::unknown_refused(self.object))
    }

    fn of_another_version(&self, set: &Set) -> Diagnostic {
        let chosen = self.schema.chosen;
        let name = words::name(&self.pointer);
        let here = &chosen.set;
        match set.version.cmp(&here.version) {
            std::cmp::Ordering::Greater => self
                .on_key(format!(
                    "{name} needs {} or later; {}",
                    set.title(),
                    chosen.clause()
                ))
                .help(format!("move to {}, or remove the field", set.title())),
            std::cmp::Ordering::Equal => {
                let channel = set.channel.as_deref().unwrap_or_default();
                self.on_key(format!(
                    "{name} is only in the {channel} channel of {}",
                    set.title()
                ))
                .help(format!(
                    "install the {channel} channel, or remove the field"
                ))
            }
            std::cmp::Ordering::Less => self
                .on_key(format!(
                    "{name} was removed in {}; {} had it",
                    here.title(),
                    set.version
                ))
                .help("remove the field; see the project's release notes for its replacement"),
        }
    }

    /// The maps nearby whose schema has `key`: above this map, or one level below it or below a map above.
    fn places(&self, key: &str) -> Vec<Pointer> {
        let mut places = Vec::new();
        for (up, above) in self.above.iter().rev().take(LEVELS_UP + 1).enumerate() {
            let schema = self.schema.node(above.node);
            let path = self.pointer.start(above.depth);
            if up > 0 && schema.properties.contains_key(key) {
                places.push(path.clone());
            }
            for (name, child) in &schema.properties {
                let place = path.key(name.clone());
                if self.schema.node(*child).properties.contains_key(key)
                    && !self.pointer.steps().starts_with(place.steps())
                {
                    places.push(place);
                }
            }
            if !places.is_empty() {
                break;
            }
        }
        places.retain(|place| !place.steps().is_empty());
        places
    }
}

/// Whether a finding on an unknown field or kind proposes one that has nearly the same name, so that it is probably a typing
/// mistake, and not a field or kind of another release.
pub fn is_probably_misspelt(finding: &Diagnostic) -> bool {
    let help = finding.help.as_deref().unwrap_or_default();
    let beginnings = [
        (codes::SCHEMA_UNKNOWN_FIELD, WRITE),
        (codes::SCHEMA_UNKNOWN_KIND, DID_YOU_MEAN),
    ];
    let mut beginnings = beginnings.into_iter();
    beginnings.any(|(code, beginning)| finding.code == code && help.starts_with(beginning))
}

fn known_fields(schema: &Schema) -> String {
    let mut known: Vec<String> = schema
        .properties
        .keys()
        .map(|it| format!("`{it}`"))
        .collect();
    let all = known.len();
    known.truncate(MOST_NAMED);
    match all {
        0 => "remove it; no fields are allowed here".to_owned(),
        _ if all > MOST_NAMED => format!(
            "remove it; the fields here are {} and {} more",
            known.join(", "),
            all - MOST_NAMED
        ),
        _ => format!(
            "remove it; the fields here are {}",
            words::list(&known, "and")
        ),
    }
}
