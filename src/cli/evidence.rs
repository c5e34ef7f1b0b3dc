//! What `validate --format evidence` says besides the findings.

use super::Global;
use super::checked::Checked;
use super::gathered::Repository;
use super::used::Used;
use super::validate::Args;
use crate::report::Base;
use crate::report::evidence::{ExposureSummary, Record};
use crd_validate::codes::SCHEMA_UNCHECKED_KIND;
use crd_validate::schema::set::is_followed;
use crd_validate::schema::{Chosen, Reason};
use envoy_gateway::exposure::{Exposure, Side, Table, words};
use manifest::diagnostic::Diagnostic;

/// What `validate` leaves out in a repository with a `cluster.toml`.
const BESIDE: &str = "manifests beside cluster.toml are judged together with what it renders, but not each against its schema; `gatewayctl validate PATH` does that";

/// Adds what was read of one cluster, or of all manifests, and what was not.
pub(super) fn add_checked(record: &mut Record, checked: &Checked, base: &Base) {
    let texts = checked.manifests.texts.iter();
    let read = texts.map(|(name, source)| (name.as_str(), checked.sources.get(*source).text()));
    let rendered = checked.rendered.iter();
    let rendered = rendered.map(|file| (file.path.as_str(), file.text.as_str()));
    let config = checked.config.map(|source| checked.sources.get(source));
    let config = config.map(|source| (source.name(), source.text()));
    record.config = config
        .map(|(name, _)| base.path(name))
        .or(record.config.take());
    for (name, text) in read.chain(rendered).chain(config) {
        record.add_file(&base.path(name), text);
    }
    record.add_not_judged("objects", checked.others.len(), BESIDE);
    for (why, count) in checked.manifests.skipped_by_reason() {
        record.add_not_judged("paths", count, why.as_str());
    }
    // Most repositories use only a few of the projects whose newest release is assumed.
    let is_told =
        |chosen: &&Chosen| is_followed(&chosen.set.project) || chosen.reason != Reason::Assumed;
    let against = checked.selection.all().filter(is_told).map(|chosen| {
        let set = &chosen.set;
        let channel = set.channel.as_ref();
        let channel = channel.map_or(String::new(), |it| format!("?channel={it}"));
        let uri = format!("pkg:generic/{}@{}{channel}", set.project, set.version);
        (uri, chosen.clause())
    });
    record.against.extend(against);
}

/// Adds the objects of kinds that no schema describes.
pub(super) fn add_unchecked(record: &mut Record, found: &[Diagnostic]) {
    let unchecked = found.iter().filter(|it| it.code == SCHEMA_UNCHECKED_KIND);
    for object in unchecked.filter_map(|it| it.object.as_ref()) {
        let kind = format!("{} {}", object.api_version, object.kind);
        record.add_not_judged("objects", 1, format!("no schema describes {kind}"));
    }
}

/// Adds how much is reachable, or why that is not known.
pub(super) fn add_exposure(record: &mut Record, args: &Args, global: &Global) {
    if args.reads_standard_input() {
        return record.add_not_judged("exposure", 1, "standard input can be read only once");
    }
    // Its findings are in the record already.
    let global = Global {
        is_background: true,
        quiet: true,
        ..global.clone()
    };
    let repositories = Repository::read_each(args.manifests(), &Used::default(), &global);
    let exposed = repositories.and_then(|all| {
        let each = all.iter().map(|it| it.exposed(&global));
        each.collect::<anyhow::Result<Vec<_>>>()
    });
    match exposed {
        Ok(exposed) => {
            let tables = exposed.into_iter().flatten();
            record.exposure = tables.map(|(name, table)| summary(name, &table)).collect();
        }
        Err(error) => record.add_not_judged("exposure", 1, format!("{error:#}")),
    }
}

fn summary(cluster: Option<String>, table: &Table) -> ExposureSummary {
    let of_side = |side: Side| {
        let all = table.exposures.iter();
        all.filter(move |it| table.side(&it.gateway) == side)
    };
    let sides = [Side::External, Side::Internal, Side::Unknown];
    let is_bare = |it: &&Exposure| it.guards.is_empty() && !it.is_redirect;
    let bare = of_side(Side::External).filter(is_bare);
    ExposureSummary {
        cluster,
        by_side: sides
            .map(|side| (side.as_str(), of_side(side).count()))
            .into(),
        external_without_guard: bare.map(words::hostname).collect(),
    }
}
