//! `gatewayctl test`: runs tests of requests.

mod files;
#[cfg(feature = "live")]
mod live;
mod recorded;

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::ValueEnum;
use rayon::prelude::*;

use super::gathered::Repository;
use super::output::Stream;
use super::scripts::InChild;
use super::several::JoinedFindings;
use super::trace::{Material, materials};
use super::used::Used;
use super::{Global, found};
use crate::report::Report;
use crate::requests::coverage::{Coverage, Touched};
use crate::requests::judge::judge;
use crate::requests::networks::named_in;
use crate::requests::seen::Front;
use crate::requests::{Outcome, cases, json, junit};
use envoy_gateway::helm_routes::charted;
use envoy_gateway::resolve;
use envoy_simulate::TraceInputs;
use envoy_simulate::lua::refused_scripts;
use files::{ReadTests, Runnable};
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Diagnostic, Sources};

/// How many requests share one process for scripts, whose processor time is limited.
const REQUESTS_OF_A_RUNNER: usize = 50;

/// Arguments of `test`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Files with tests [default: the tests in cluster.toml (or gatewayctl.toml), and in tests/*.toml beside it]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Manifests: files, folders, or `-` for standard input [default: the whole repository, with what cluster.toml renders]
    #[arg(long = "in", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// List the listeners and routes that no test touches
    #[arg(long)]
    coverage: bool,
    /// Write tests of what happens today to a new file in the root, instead of running tests; `-` prints them
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "tests/recorded.toml", conflicts_with_all = ["files", "coverage"])]
    record: Option<String>,
    /// Also send the requests to the real gateways, by their addresses, and compare the answers
    #[arg(long, conflicts_with = "record")]
    live: bool,
    #[command(flatten)]
    used: Used,
    /// The format of the results
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// What fails and why, for people
    Human,
    /// gatewayctl/test/v1
    Json,
    /// JUnit XML, for test dashboards
    Junit,
    /// Annotations of GitHub Actions
    Github,
}

/// The results of all tests.
#[derive(Default)]
struct Results {
    tests: usize,
    outcomes: Vec<Outcome>,
    coverage: Vec<(Option<String>, Coverage)>,
    /// What is wrong with tests themselves.
    mistakes: Vec<Diagnostic>,
    /// How many requests were sent to real gateways, and how many of the tests could not be.
    sent: Option<(usize, usize)>,
}

/// Runs the command. The exit code is 1 if a test fails, or is wrong itself.
///
/// # Errors
/// If there is no test, something can't be read, or a script could not be run.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    if args.live && !cfg!(feature = "live") {
        bail!("this gatewayctl was built without the feature `live`, so it can't ask a gateway");
    }
    let each = Repository::read_each(&args.paths, &args.used, global)?;
    let mut joined = JoinedFindings::default();
    let mut results = Results::default();
    let mut places = BTreeSet::new();
    let (mut recorded, mut external) = (Vec::new(), BTreeSet::new());
    for mut repository in each {
        let cluster = repository.described_cluster().map(str::to_owned);
        let global = Global {
            cluster: cluster.clone().or(global.cluster.clone()),
            ..global.clone()
        };
        let mut read = files::read(&args.files, &global, &mut repository.sources)?;
        let clusters = materials(&repository, false, &global)?;
        if args.record.is_some() {
            recorded.extend(clusters);
            external.extend(read.external);
            continue;
        }
        let mut mistakes = std::mem::take(&mut read.mistakes);
        let own = run_cluster(&repository, &read, clusters, args, &global, &mut mistakes)?;
        places.extend(read.places(&repository.sources));
        joined.add(cluster.as_deref(), mistakes, &repository.sources, (0, 0));
        results.join(own, &mut joined, &repository.sources);
    }
    if let Some(file) = &args.record {
        let external: Vec<String> = external.into_iter().collect();
        return recorded::write(file, &mut recorded, &external, global, out);
    }
    results.tests = places.len();
    results.mistakes = std::mem::take(&mut joined.diagnostics);
    if results.tests == 0 && results.mistakes.is_empty() {
        bail!(
            "there is no test: write [[test]] tables in cluster.toml or in tests/*.toml beside it, or let `gatewayctl test --record` write some"
        );
    }
    results.print(args, global, &joined.sources, out)?;
    let fails = results.outcomes.iter().any(|it| !it.failures.is_empty());
    Ok(found(fails || !results.mistakes.is_empty()))
}

/// Runs the tests in the clusters of one repository. What is wrong with the tests is added to `mistakes`.
fn run_cluster(
    repository: &Repository,
    read: &ReadTests,
    mut clusters: Vec<Material>,
    args: &Args,
    global: &Global,
    mistakes: &mut Vec<Diagnostic>,
) -> anyhow::Result<Results> {
    let runnable = read.runnable(&repository.sources, mistakes);
    match repository.described_names() {
        known if known.is_empty() => {
            let known = clusters.iter().map(|it| it.gathered.cluster.clone());
            let known: Vec<Option<String>> = known.collect();
            if global.cluster.is_none() {
                files::check_clusters(&runnable, &known, mistakes);
            }
        }
        known => files::check_clusters(&runnable, &known, mistakes),
    }
    let mut results = Results::default();
    for cluster in &mut clusters {
        results.add_cluster(cluster, &runnable, read, args.live)?;
    }
    Ok(results)
}

impl Results {
    /// Adds the results of another cluster, whose places are in `sources`.
    fn join(&mut self, other: Results, joined: &mut JoinedFindings, sources: &Sources) {
        let mut moved = HashMap::new();
        let outcomes = other.outcomes.into_iter().map(|mut outcome| {
            for failure in &mut outcome.failures {
                let finding = failure.finding.clone();
                failure.finding = joined.moved(finding, sources, &mut moved);
            }
            outcome
        });
        self.outcomes.extend(outcomes);
        self.coverage.extend(other.coverage);
        if let Some((sent, skipped)) = other.sent {
            let all = self.sent.get_or_insert_default();
            all.0 += sent;
            all.1 += skipped;
        }
    }

    /// Runs the tests of one cluster.
    fn add_cluster(
        &mut self,
        material: &mut Material,
        runnable: &[Runnable<'_>],
        read: &ReadTests,
        is_live: bool,
    ) -> anyhow::Result<()> {
        let cluster = material.gathered.cluster.clone();
        let is_for = |it: &&Runnable<'_>| {
            let wanted = &it.test.cluster;
            let name = cluster.as_deref();
            wanted.is_empty() || name.is_none_or(|name| wanted.iter().any(|one| one.value == name))
        };
        let own: Vec<&Runnable<'_>> = runnable.iter().filter(is_for).collect();
        let jobs: Vec<(&Runnable<'_>, &cases::Case)> = own
            .iter()
            .flat_map(|it| it.cases.iter().map(|case| (*it, case)))
            .collect();
        let gathered = &mut material.gathered;
        gathered.settings.refused_scripts =
            refused_scripts(&gathered.objects, &InChild::default())?;
        let gathered = &material.gathered;
        let charted = charted(&gathered.objects, &gathered.values_from);
        let objects = gathered.objects.iter().chain(charted.objects());
        let resolved = resolve(objects, &gathered.settings);
        let named = named_in(&gathered.objects);
        let with_front = |look: &mut dyn FnMut(&Front<'_, '_>)| -> anyhow::Result<()> {
            let runner = InChild::default();
            let inputs = TraceInputs {
                resolved: &resolved,
                objects: &gathered.objects,
                charted: &charted,
                generated: &material.generated,
                runner: &runner,
            };
            look(&Front::new(&inputs, read.external.iter().cloned()));
            match runner.failures().into_iter().next() {
                Some(failure) => Err(failure.into()),
                None => Ok(()),
            }
        };
        let done: Vec<anyhow::Result<(Vec<Outcome>, Touched)>> = jobs
            .par_chunks(REQUESTS_OF_A_RUNNER)
            .map(|jobs| {
                let mut touched = Touched::default();
                let mut outcomes = Vec::with_capacity(jobs.len());
                with_front(&mut |front| {
                    outcomes.extend(jobs.iter().map(|(it, case)| Outcome {
                        test: cases::name(it.test),
                        request: case.shown(),
                        cluster: cluster.clone(),
                        file: it.file.to_owned(),
                        line: it.line,
                        failures: judge(front, it.test, case, &named, &mut touched),
                    }));
                })?;
                Ok((outcomes, touched))
            })
            .collect();
        let mut touched = Touched::default();
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(jobs.len());
        for chunk in done {
            let (some, of_chunk) = chunk?;
            outcomes.extend(some);
            touched.merge(of_chunk);
        }
        #[cfg(feature = "live")]
        if is_live {
            let sent = self.sent.get_or_insert_default();
            let chunks = jobs.chunks(REQUESTS_OF_A_RUNNER);
            for (jobs, outcomes) in chunks.zip(outcomes.chunks_mut(REQUESTS_OF_A_RUNNER)) {
                with_front(&mut |front| {
                    let asked = live::ask(front, jobs);
                    sent.0 += asked.sent;
                    sent.1 += asked.skipped;
                    asked.put_into(outcomes);
                })?;
            }
        }
        let _ = is_live;
        for failure in outcomes.iter_mut().flat_map(|it| &mut it.failures) {
            failure.finding.clusters = cluster.iter().cloned().collect();
        }
        self.outcomes.extend(outcomes);
        self.coverage.push((cluster, touched.coverage(&resolved)));
        Ok(())
    }

    fn print(
        &self,
        args: &Args,
        global: &Global,
        sources: &Sources,
        out: &mut Stream,
    ) -> anyhow::Result<()> {
        let report = self.report(sources);
        match args.format {
            Format::Json => {
                let (outcomes, coverage) = (&self.outcomes, &self.coverage);
                let json = json::json(self.tests, outcomes, coverage, &self.mistakes, sources);
                out.json(&json)?;
            }
            Format::Junit => junit::write(&self.outcomes, &self.mistakes, sources, out)?,
            Format::Github => {
                report.write_annotations(sources, &mut out.commands())?;
                writeln!(out, "{}", self.summary())?;
            }
            Format::Human => self.print_for_people(args, global, &report, sources, out)?,
        }
        Ok(())
    }

    fn print_for_people(
        &self,
        args: &Args,
        global: &Global,
        report: &Report,
        sources: &Sources,
        out: &mut Stream,
    ) -> anyhow::Result<()> {
        if global.verbose {
            for outcome in self.outcomes.iter().filter(|it| it.failures.is_empty()) {
                let line = format!("ok: {}: {}", outcome.test, outcome.request);
                writeln!(out, "{}", printable(&line))?;
            }
        }
        let terminal = out.terminal();
        report.write_part(sources, terminal, &mut out.styled())?;
        if global.quiet && report.diagnostics.is_empty() && !args.coverage {
            return Ok(());
        }
        writeln!(out, "{}", self.summary())?;
        for (cluster, coverage) in &self.coverage {
            let untouched = coverage.untouched_listeners.len() + coverage.untouched_rules.len();
            let of = cluster
                .as_ref()
                .map_or(String::new(), |name| format!(" of {name}"));
            let (listeners, rules) = (
                coverage.listeners - coverage.untouched_listeners.len(),
                coverage.rules - coverage.untouched_rules.len(),
            );
            let more = match untouched > 0 && !args.coverage {
                true => "; --coverage lists the others",
                false => "",
            };
            let line = format!(
                "coverage{of}: {listeners} of {} listeners, {rules} of {} rules of routes{more}",
                coverage.listeners, coverage.rules
            );
            writeln!(out, "{}", printable(&line))?;
            if args.coverage {
                let listeners = coverage.untouched_listeners.iter();
                let listeners = listeners.map(|it| format!("  no test touches listener {it}"));
                let rules = coverage.untouched_rules.iter();
                let rules = rules.map(|it| format!("  no test touches {it}"));
                for line in listeners.chain(rules) {
                    writeln!(out, "{}", printable(&line))?;
                }
            }
        }
        Ok(())
    }

    /// The failures and mistakes as findings.
    fn report(&self, sources: &Sources) -> Report {
        let mut all = self.mistakes.clone();
        for failure in self.outcomes.iter().flat_map(|it| &it.failures) {
            // What several clusters have in common is told once.
            let is_same = |it: &&mut Diagnostic| {
                (it.span, &it.message, &it.why)
                    == (
                        failure.finding.span,
                        &failure.finding.message,
                        &failure.finding.why,
                    )
            };
            match all.iter_mut().find(is_same) {
                Some(known) => known
                    .clusters
                    .extend(failure.finding.clusters.iter().cloned()),
                None => all.push(failure.finding.clone()),
            }
        }
        Report::new(all, 0, 0, sources)
    }

    /// `3 tests, 12 requests: 10 passed, 2 failed`
    fn summary(&self) -> String {
        let failed = self.outcomes.iter().filter(|it| !it.failures.is_empty());
        let unknown = failed
            .clone()
            .filter(|it| it.failures.iter().all(|one| one.is_unknown));
        let (failed, unknown) = (failed.count(), unknown.count());
        let counted = |count: usize, noun: &str| match count {
            1 => format!("1 {noun}"),
            count => format!("{count} {noun}s"),
        };
        let mut text = format!(
            "{}, {}: {} passed",
            counted(self.tests, "test"),
            counted(self.outcomes.len(), "request"),
            self.outcomes.len() - failed
        );
        if failed > 0 {
            text.push_str(&format!(", {failed} failed"));
        }
        if unknown > 0 {
            text.push_str(&format!(" ({unknown} because something is not known)"));
        }
        if !self.mistakes.is_empty() {
            text.push_str(&format!(
                "; {} in tests, which were not run",
                counted(self.mistakes.len(), "mistake")
            ));
        }
        if let Some((sent, skipped)) = self.sent {
            text.push_str(&format!("; {sent} sent to gateways"));
            if skipped > 0 {
                text.push_str(&format!(", {skipped} could not be, because the answer depends on the client, or the address is not known"));
            }
        }
        text
    }
}
