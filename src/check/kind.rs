//! Whether the chosen schemas have an object's kind and version.

use super::finding;
use crate::diagnostic::suggest::nearest;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::manifest::Object;
use crate::schema::set::title;
use crate::schema::{Chosen, KindSchema, Lookup, Set};
use crate::value::Pointer;

/// What a look-up's answer means for the object: nothing where its kind is served and not on its way out.
pub fn check(object: &Object, lookup: &Lookup<'_>) -> Option<Diagnostic> {
    match lookup {
        Lookup::Known(schema) => deprecated(object, schema),
        Lookup::NotServed {
            entry,
            chosen,
            elsewhere,
        } => {
            let served = entry.served.join(", ");
            let message = match elsewhere {
                Some(set) => needs(object, chosen, set),
                None => format!(
                    "{} does not serve {} in version {}",
                    chosen.set.title(),
                    object.kind(),
                    object.version()
                ),
            };
            let best = entry.served.iter().max_by_key(|name| maturity(name));
            let best = best.map_or("", |name| name.as_ref());
            let help = format!("write `apiVersion: {}`", api_version(object, best));
            let help = match entry.served.len() {
                0 => "remove the object".to_owned(),
                1 => help,
                _ => format!("{help}; served are {served}"),
            };
            Some(refused(object, message).help(help))
        }
        Lookup::OtherVersion { chosen, elsewhere } => Some(
            refused(object, needs(object, chosen, elsewhere)).help(format!(
                "move to {}, or remove the object",
                other(chosen, elsewhere)
            )),
        ),
        Lookup::KindUnknown { groups, kinds } => Some(unknown(object, groups, kinds)),
        Lookup::Damaged(entry) => Some(
            finding(
                Code::SchemaUnreadable,
                object,
                &Pointer::root(),
                format!("the schema of {} in this program is damaged", entry.kind),
            )
            .help("run `gatewayctl schemas verify`, then install the program anew"),
        ),
    }
}

fn refused(object: &Object, message: String) -> Diagnostic {
    finding(Code::SchemaUnknownKind, object, &Pointer::root().key("apiVersion"), message).why(
        "the API server answers `no matches for kind`, and nothing of the object's Flux Kustomization is applied",
    )
}

/// `group/version`, or `version` of the core group.
fn api_version(object: &Object, version: &str) -> String {
    match object.group() {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    }
}

/// How far along a version is: `v2` before `v1`, that before `v1beta1`, that before `v1alpha1`.
fn maturity(version: &str) -> (u8, Vec<u32>) {
    let stage = match () {
        () if version.contains("alpha") => 0,
        () if version.contains("beta") => 1,
        () => 2,
    };
    let numbers = version.split(|c: char| !c.is_ascii_digit());
    (stage, numbers.filter_map(|it| it.parse().ok()).collect())
}

fn other(chosen: &Chosen, set: &Set) -> String {
    match &set.channel {
        Some(channel) if set.version == chosen.set.version => {
            format!("the {channel} channel of {}", set.title())
        }
        _ => set.title(),
    }
}

fn needs(object: &Object, chosen: &Chosen, elsewhere: &Set) -> String {
    let what = format!("{} {}", object.api_version(), object.kind());
    match elsewhere.version.cmp(&chosen.set.version) {
        std::cmp::Ordering::Greater => format!(
            "{what} needs {} or later; {}",
            elsewhere.title(),
            chosen.clause()
        ),
        std::cmp::Ordering::Equal => format!(
            "{what} is only in {}; {}",
            other(chosen, elsewhere),
            chosen.clause()
        ),
        std::cmp::Ordering::Less => format!(
            "{what} is gone from {}; {} had it",
            chosen.set.title(),
            elsewhere.title()
        ),
    }
}

/// A kind that the catalogue doesn't have may be in the cluster all the same: a warning where it looks like a
/// slip, a note elsewhere.
fn unknown(object: &Object, groups: &[&str], kinds: &[&str]) -> Diagnostic {
    let message = format!("no schema for {} {}", object.api_version(), object.kind());
    let kind = object.kind();
    let (severity, help) = match (nearest(kind, kinds.iter().copied()), groups) {
        (_, [group]) if !group.is_empty() => {
            let help = format!("{kind} is known in the group `{group}`; write that if it is meant");
            (Severity::Warning, help)
        }
        (Some(meant), _) => {
            let help = format!("write `kind: {meant}`, if that is meant");
            (Severity::Warning, help)
        }
        (None, _) => {
            let help = "nothing, if the cluster has the kind; its CRD can be compiled with \
                        `gatewayctl schemas import`";
            (Severity::Note, help.to_owned())
        }
    };
    let pointer = Pointer::root().key("kind");
    finding(Code::SchemaUnknownKind, object, &pointer, message)
        .severity(severity)
        .why("its fields stay unchecked")
        .help(help)
}

fn deprecated(object: &Object, schema: &KindSchema<'_>) -> Option<Diagnostic> {
    if !schema.version.deprecated {
        return None;
    }
    let versions = &schema.compiled.header().versions;
    let better = versions
        .iter()
        .find(|version| version.served && !version.deprecated);
    let set = &schema.chosen.set;
    let message = format!(
        "{} {} is deprecated in {} {}",
        object.api_version(),
        object.kind(),
        title(&set.project),
        set.version
    );
    let diagnostic = finding(
        Code::SchemaDeprecatedVersion,
        object,
        &Pointer::root().key("apiVersion"),
        message,
    )
    .why("a later release stops serving it, and the object can't be applied any more");
    Some(match better {
        Some(better) => diagnostic.help(format!(
            "write `apiVersion: {}/{}`",
            object.group(),
            better.name
        )),
        None => diagnostic.help("read the project's release notes for what replaces it"),
    })
}
