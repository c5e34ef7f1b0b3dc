//! `gatewayctl status --against cluster`: the computed conditions beside those that the controllers wrote.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::table::{Line, counted, table};
use super::{Args, FORMAT, Format, Weight, as_condition, on, weigh};
use crate::cli::cluster::{self, Written};
use crate::cli::output::Stream;
use crate::cli::{FAILED, Global, found, gathered};
use envoy_gateway::helm_routes::RELEASE;
use envoy_gateway::index::Key;
use envoy_gateway::written::{
    Addresses, ComparedCondition, LiveCondition, LiveObject, NoLiveCondition, Relation, addresses,
    asked, rows,
};
use envoy_gateway::{Settings, resolve};
use manifest::Object;
use manifest::diagnostic::printable::printable;

/// Prints computed and written conditions and addresses. The exit code is 1 if they differ or something is refused, 2
/// if parts of the cluster could not be read.
///
/// # Errors
/// If something can't be read, or nothing could be learned from the cluster.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let repository = gathered::repository(&args.place, &args.used, global)?;
    let clusters = repository.charted(global)?;
    let gathered = gathered::only(&clusters)?;
    let settings = Settings {
        knowledge: args.knowledge(),
        ..gathered.settings.clone()
    };
    let resolved = resolve(&gathered.objects, &settings);
    let wanted = asked(&gathered.objects, &resolved);
    let mut written = cluster::status(&args.connection, global, &wanted)?;
    let answers = std::mem::take(&mut written.answers);
    let answers: Vec<(&Object, LiveObject)> = wanted.into_iter().zip(answers).collect();
    let verdicts = resolved.verdicts();
    let mut compared = Compared {
        rows: rows(&verdicts, &answers),
        addresses: addresses(&resolved, &answers),
        objects: answers.len(),
        read: answers.iter().filter(|it| is_read(it)).count(),
        from: written,
    };
    compared.from.notes.extend(guessed(&answers));
    compared.sort();
    match args.format {
        Format::Json => out.json(&compared.json())?,
        Format::Human => {
            let text = compared.text(global.quiet, out.has_colour());
            write!(out.styled(), "{text}")?;
        }
    }
    for failure in &compared.from.failures {
        writeln!(global.stderr(), "error: {failure}")?;
    }
    let ranks = compared.ranks();
    let is_bad = ranks.iter().any(|it| *it <= Rank::Refused);
    match compared.from.failures.is_empty() {
        true => Ok(found(repository.is_broken || is_bad)),
        false => Ok(ExitCode::from(FAILED)),
    }
}

fn is_read((_, answer): &(&Object, LiveObject)) -> bool {
    !matches!(answer, LiveObject::NotAsked(_))
}

/// A note on routes that charts create and that were not found. Their names are guessed.
fn guessed(answers: &[(&Object, LiveObject)]) -> Option<String> {
    let is_charted = |object: &Object| {
        let mark = ["metadata", "annotations", RELEASE];
        object.node.path(&mark).is_some()
    };
    let absent = answers
        .iter()
        .filter(|(object, answer)| *answer == LiveObject::Absent && is_charted(object));
    let names: Vec<String> = absent
        .map(|(object, _)| format!("{} {}", object.kind(), Key::of(object)))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "these routes of Helm charts were not found under their expected names: {}",
            names.join(", ")
        )
    })
}

/// How important a row is: what needs attention comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Differs,
    Refused,
    ToCheck,
    OnlyComputed,
    OnlyWritten,
    Agrees,
}

impl Rank {
    fn code(self) -> &'static str {
        match self {
            Rank::Differs => "35",
            Rank::Refused => "31",
            Rank::ToCheck => "33",
            Rank::OnlyComputed | Rank::OnlyWritten => "36",
            Rank::Agrees => "32",
        }
    }

    fn of(relation: Relation) -> Self {
        match relation {
            Relation::Differs => Rank::Differs,
            Relation::OnlyComputed(_) => Rank::OnlyComputed,
            Relation::OnlyLive | Relation::Decided => Rank::OnlyWritten,
            Relation::Agrees => Rank::Agrees,
        }
    }
}

fn rank(row: &ComparedCondition<'_, '_>) -> Rank {
    let computed = row.computed.map(|it| weigh(it.kind, it.status));
    let live = row.live.as_ref().filter(|_| row.is_bad_there());
    let live = live.map(|it| weigh(&it.kind, it.status));
    match computed.into_iter().chain(live).min() {
        _ if row.relation == Relation::Differs => Rank::Differs,
        Some(Weight::Refused) => Rank::Refused,
        Some(Weight::ToCheck) => Rank::ToCheck,
        _ => Rank::of(row.relation),
    }
}

/// Everything that is shown.
struct Compared<'v, 'a> {
    rows: Vec<ComparedCondition<'v, 'a>>,
    addresses: Vec<Addresses<'a>>,
    /// The number of objects to ask for.
    objects: usize,
    /// The number of objects that could be read.
    read: usize,
    from: Written,
}

impl Compared<'_, '_> {
    fn sort(&mut self) {
        self.rows
            .sort_by_cached_key(|row| (rank(row), row.object.kind().to_owned(), name(row.object)));
        self.addresses
            .sort_by_cached_key(|it| (Rank::of(it.relation), name(it.object)));
    }

    fn ranks(&self) -> Vec<Rank> {
        let addresses = self.addresses.iter().map(|it| Rank::of(it.relation));
        self.rows.iter().map(rank).chain(addresses).collect()
    }

    /// The table. Addresses come before conditions of the same rank. If `is_quiet`, only what needs attention.
    fn text(&self, is_quiet: bool, colour: bool) -> String {
        let addresses = self.addresses.iter().map(|it| {
            let rank = Rank::of(it.relation);
            (rank, address_line(it, rank))
        });
        let conditions = self.rows.iter().map(|row| {
            let rank = rank(row);
            (rank, line(row, rank))
        });
        let mut lines: Vec<(Rank, Line<6>)> = addresses.chain(conditions).collect();
        lines.sort_by_key(|(rank, _)| *rank);
        let lines: Vec<Line<6>> = lines
            .into_iter()
            .filter(|(rank, _)| !is_quiet || *rank <= Rank::ToCheck)
            .map(|(_, line)| line)
            .collect();
        let mut text = String::new();
        if !is_quiet {
            text.extend(
                self.from
                    .notes
                    .iter()
                    .map(|note| format!("note: {}\n", printable(note))),
            );
        }
        let head = ["object", "on", "condition", "computed", "live", "message"];
        text.push_str(&table(head, &lines, 4, colour));
        if !is_quiet {
            text.push_str(&counted(
                &self.ranks(),
                &[
                    (Rank::Differs, "differ"),
                    (Rank::Refused, "refused"),
                    (Rank::ToCheck, "to check"),
                    (Rank::OnlyComputed, "only computed"),
                    (Rank::OnlyWritten, "only written"),
                    (Rank::Agrees, "agree"),
                ],
            ));
        }
        if !self.from.failures.is_empty() {
            text.push_str(&format!(
                "incomplete: only {} of {} objects were read from {}\n",
                self.read, self.objects, self.from.server
            ));
        }
        text
    }

    /// `gatewayctl/status/v1`, with these additions:
    ///
    /// - each of `conditions`: `live` (`status`, `reason`, `message`, `observedGeneration`; null if no condition was
    ///   written), `comparison` (a word of [`Relation::as_str`]), `agrees` (null if one side has no condition). `status`,
    ///   `reason` and `message` are null if no condition is computed.
    /// - `addresses`: each with `kind`, `namespace`, `name`, `wanted`, `live`, `comparison`, `agrees`.
    /// - `cluster`: `server`, `context`, `complete`, `objects` (to ask for), `read` (those that could be read), `notes`,
    ///   `failures`.
    fn json(&self) -> Json {
        let addresses = self.addresses.iter().map(|it| {
            json!({
                "kind": it.object.kind(),
                "namespace": it.object.namespace(),
                "name": it.object.name(),
                "wanted": it.wanted,
                "live": it.live,
                "comparison": it.relation.as_str(),
                "agrees": it.relation.agrees(),
            })
        });
        json!({
            "schema": FORMAT,
            "conditions": self.rows.iter().map(condition).collect::<Vec<_>>(),
            "addresses": addresses.collect::<Vec<_>>(),
            "cluster": {
                "server": self.from.server,
                "context": self.from.context,
                "complete": self.from.failures.is_empty(),
                "objects": self.objects,
                "read": self.read,
                "notes": self.from.notes,
                "failures": self.from.failures,
            },
        })
    }
}

fn name(object: &Object) -> String {
    Key::of(object).to_string()
}

fn condition(row: &ComparedCondition<'_, '_>) -> Json {
    let mut json = as_condition(
        row.object,
        (row.place.as_str(), &row.place.which()),
        &row.kind,
        row.computed,
    );
    let live = |said: &LiveCondition| {
        json!({
            "status": said.status.as_str(),
            "reason": said.reason,
            "message": said.message,
            "observedGeneration": said.observed,
        })
    };
    let more = [
        ("live", row.live.as_ref().map_or(Json::Null, live)),
        ("comparison", row.relation.as_str().into()),
        ("agrees", row.relation.agrees().into()),
    ];
    if let Some(map) = json.as_object_mut() {
        map.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }
    json
}

fn line(row: &ComparedCondition<'_, '_>, rank: Rank) -> Line<6> {
    let said = |said: &LiveCondition| format!("{} {}", said.status, said.reason);
    let live = row.live.as_ref();
    let message = match (row.computed, live) {
        (Some(ours), Some(_))
            if matches!(row.relation, Relation::Agrees | Relation::OnlyComputed(_)) =>
        {
            &ours.message
        }
        (_, Some(theirs)) => &theirs.message,
        (Some(ours), None) => &ours.message,
        (None, None) => "",
    };
    let computed = row
        .computed
        .map(|it| format!("{} {}", it.status, it.reason));
    Line {
        cells: [
            format!("{} {}", row.object.kind(), Key::of(row.object)),
            on(row.place.as_str(), &row.place.which()),
            row.kind.clone(),
            computed.unwrap_or_else(|| "-".to_owned()),
            there(row.relation, live.map(said)),
            message.to_owned(),
        ],
        code: rank.code(),
    }
}

/// What the cluster has, or why there is no answer.
fn there(relation: Relation, said: Option<String>) -> String {
    match (relation, said) {
        (Relation::OnlyComputed(NoLiveCondition::Stale), Some(said)) => format!("stale: {said}"),
        (Relation::OnlyComputed(NoLiveCondition::NotAsked), _) => "not known".to_owned(),
        (Relation::OnlyComputed(_), _) | (_, None) => relation.as_str().to_owned(),
        (_, Some(said)) => said,
    }
}

fn address_line(row: &Addresses<'_>, rank: Rank) -> Line<6> {
    let joined = |all: &[String]| (!all.is_empty()).then(|| all.join(", "));
    let message = match row.relation {
        Relation::Differs => "it asks for an address that it did not get",
        Relation::OnlyComputed(NoLiveCondition::Unwritten) => {
            "it asks for an address and has none yet"
        }
        _ => "",
    };
    Line {
        cells: [
            format!("{} {}", row.object.kind(), Key::of(row.object)),
            String::new(),
            "addresses".to_owned(),
            joined(&row.wanted).unwrap_or_else(|| "-".to_owned()),
            there(row.relation, joined(&row.live)),
            message.to_owned(),
        ],
        code: rank.code(),
    }
}

#[cfg(test)]
mod tests;
