//! Whether the chosen schemas have an object's kind and version.

use crate::codes;
use crate::schema::catalogue::Entry;
use crate::schema::removed::{self, Removed};
use crate::schema::set::title;
use crate::schema::version::maturity;
use crate::schema::{Chosen, KindSchema, Lookup, Set};
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::finding;
use manifest::value::Pointer;

/// What a look-up's answer means for the object: nothing where its kind is served and not on its way out.
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
    }
}

fn damaged(object: &Object, entry: &Entry) -> Diagnostic {
    let (message, help) = match entry.own_path() {
        Some(path) => (
            format!(
                "schemas/{path} is not what schemas/lock.json says: it was changed by hand, or written half"
            ),
            "import the CustomResourceDefinition again: `gatewayctl schemas import`",
        ),
        None => (
            format!("the schema of {} in this program is damaged", entry.kind),
            "run `gatewayctl schemas verify`, then install the program anew",
        ),
    };
    finding(codes::SCHEMA_UNREADABLE, object, &Pointer::root(), message)
        .why("the object stays unchecked")
        .help(help)
}

fn refused(object: &Object, message: String) -> Diagnostic {
    finding(codes::SCHEMA_UNKNOWN_KIND, object, &Pointer::root().key("apiVersion"), message).why(
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

/// A kind that nobody describes: nothing can be said of its objects but that.
fn unknown(object: &Object, groups: &[&str], kinds: &[&str]) -> Diagnostic {
    let message = format!("no schema for {} {}", object.api_version(), object.kind());
    let kind = object.kind();
    let help = match (nearest(kind, kinds.iter().copied()), groups) {
        (_, [group]) if !group.is_empty() => {
            format!("{kind} is known in the group `{group}`; write that if it is meant")
        }
        (Some(meant), _) => format!("write `kind: {meant}`, if that is meant"),
        (None, _) => "if the cluster has the kind, give its CRD to `gatewayctl schemas import`; \
                      `--ignore schema/unknown-kind` makes a note of this"
            .to_owned(),
    };
    let pointer = Pointer::root().key("kind");
    finding(codes::SCHEMA_UNKNOWN_KIND, object, &pointer, message)
        .why("its fields stay unchecked, and a cluster without the kind answers `no matches for kind`")
        .help(help)
}

/// An API version that a release took away for good.
fn taken_away(object: &Object, gone: &Removed) -> Diagnostic {
    let what = format!("{} {}", object.api_version(), object.kind());
    let finding = refused(
        object,
        format!("{what} is gone: {} stopped serving it", gone.by),
    );
    let Some(now) = &gone.now else {
        return finding.help("remove the object; nothing took its place");
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
