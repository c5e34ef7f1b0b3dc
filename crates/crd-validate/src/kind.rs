//! Checks that the chosen schemas have an object's kind and version.

use crate::codes;
use crate::schema::catalogue::Entry;
use crate::schema::removed::{self, Removed};
use crate::schema::set::title;
use crate::schema::version::maturity;
use crate::schema::{Chosen, KindSchema, Lookup, Reason, Set};
use manifest::Object;
use manifest::diagnostic::suggest::{misspelt, nearest};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::Pointer;

/// The finding for the result of a look-up; `None` if the kind is served and not deprecated.
pub fn check(object: &Object, lookup: &Lookup<'_>) -> Option<Diagnostic> {
    let gone = || removed::find(object.group(), object.version(), object.kind());
    match lookup {
        Lookup::Known(schema) => deprecated(object, schema),
        Lookup::Damaged(entry) => Some(damaged(object, entry)),
        _ if let Some(gone) = gone() => Some(taken_away(object, gone)),
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
                _ => format!("{help}; the served versions are {served}"),
            };
            Some(refused(object, message).help(help))
        }
        Lookup::OtherVersion { chosen, elsewhere } => {
            let finding = refused(object, needs(object, chosen, elsewhere)).help(format!(
                "move to {}, or remove the object",
                other(chosen, elsewhere)
            ));
            // Nobody knows whether the cluster has the release without the kind already.
            let may_be_there =
                chosen.reason == Reason::Assumed && elsewhere.version < chosen.set.version;
            Some(match may_be_there {
                true => finding.severity(Severity::Warning),
                false => finding,
            })
        }
        Lookup::KindUnknown {
            groups,
            kinds,
            similar_group,
            is_whole_group,
        } => {
            let misspelt = misspelt(object.kind(), kinds.iter().copied());
            let group = similar_group.or(match groups.as_slice() {
                [group] if *is_whole_group && !group.is_empty() => Some(group),
                _ => None,
            });
            let is_mistake = *is_whole_group || misspelt.is_some() || group.is_some();
            Some(match is_mistake {
                true => unknown(object, group, kinds),
                false => unchecked(object),
            })
        }
    }
}

fn damaged(object: &Object, entry: &Entry) -> Diagnostic {
    let (message, help) = match entry.own_path() {
        Some(path) => (
            format!(
                "schemas/{path} doesn't match its hash in schemas/lock.json: it was edited, or not written completely"
            ),
            "import the CustomResourceDefinition again: `gatewayctl schemas import`",
        ),
        None => (
            format!("the schema of {} in this program is damaged", entry.kind),
            "run `gatewayctl schemas verify`, then reinstall the program",
        ),
    };
    finding(codes::SCHEMA_UNREADABLE, object, &Pointer::root(), message)
        .why("the object was not checked")
        .help(help)
}

fn refused(object: &Object, message: String) -> Diagnostic {
    finding(codes::SCHEMA_UNKNOWN_KIND, object, &Pointer::root().key("apiVersion"), message).why(
        "the API server answers `no matches for kind`, and nothing of the object's Flux Kustomization is applied",
    )
}

/// `group/version`, or only `version` for the core group.
fn api_version(object: &Object, version: &str) -> String {
    match object.group() {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    }
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
            "{what} was removed in {}; {} had it",
            chosen.set.title(),
            elsewhere.title()
        ),
    }
}

/// A kind that a known group doesn't have, or whose group is misspelt.
fn unknown(object: &Object, group: Option<&str>, kinds: &[&str]) -> Diagnostic {
    let message = format!("no schema for {} {}", object.api_version(), object.kind());
    let kind = object.kind();
    let help = match (group, nearest(kind, kinds.iter().copied())) {
        (Some(group), _) => {
            format!("{kind} exists in the group `{group}`; did you mean that one?")
        }
        (None, Some(meant)) => format!("did you mean `kind: {meant}`?"),
        (None, None) => {
            "if the cluster has the kind, import its CRD with `gatewayctl schemas import`; \
                      `--ignore schema/unknown-kind` turns this into a note"
                .to_owned()
        }
    };
    let pointer = Pointer::root().key("kind");
    finding(codes::SCHEMA_UNKNOWN_KIND, object, &pointer, message)
        .why("its fields were not checked, and a cluster without the kind answers `no matches for kind`")
        .help(help)
}

/// A kind of which nothing is known. It may well exist in the cluster.
fn unchecked(object: &Object) -> Diagnostic {
    let message = format!("no schema for {} {}", object.api_version(), object.kind());
    let pointer = Pointer::root().key("kind");
    finding(codes::SCHEMA_UNCHECKED_KIND, object, &pointer, message)
        .why("its fields were not checked")
        .help("import its CRD with `gatewayctl schemas import`")
}

/// An API version that a release has removed.
fn taken_away(object: &Object, gone: &Removed) -> Diagnostic {
    let what = format!("{} {}", object.api_version(), object.kind());
    let finding = refused(
        object,
        format!("{what} was removed: {} stopped serving it", gone.by),
    );
    let Some(now) = &gone.now else {
        return finding.help("remove the object; there is no replacement");
    };
    finding.help(match now.split_once(' ') {
        Some((api, kind)) => {
            format!("write `apiVersion: {api}` and `kind: {kind}`, and compare the fields")
        }
        None => format!("write `apiVersion: {now}`, and compare the fields"),
    })
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
        codes::SCHEMA_DEPRECATED_VERSION,
        object,
        &Pointer::root().key("apiVersion"),
        message,
    )
    .why("a later release will stop serving it, and then the object can't be applied any more");
    Some(match better {
        Some(better) => diagnostic.help(format!(
            "write `apiVersion: {}/{}`",
            object.group(),
            better.name
        )),
        None => diagnostic.help("see the project's release notes for its replacement"),
    })
}
