//! Finds and reads the tests: in `cluster.toml` or `gatewayctl.toml`, in `tests/*.toml` beside it, or in files that the
//! user names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::bounds::file;
use crate::cli::location;
use crate::cli::project::{ConfigText, Project};
use crate::cli::{Global, settings};
use crate::compile::described;
use crate::config;
use crate::config::codes::CONFIG_UNKNOWN_REFERENCE;
use crate::config::load::{LARGEST_CONFIG, is_of_another_tool, load_settings, load_tests};
use crate::config::test::{Test, TestFile};
use crate::config::{Named, Texts};
use crate::requests::cases::{self, Case};
use crate::requests::networks::Networks;
use manifest::diagnostic::suggest::listed;
use manifest::diagnostic::{Diagnostic, Sources};

/// The folder with files of tests, beside the configuration.
const FOLDER: &str = "tests";

/// All tests that were read.
#[derive(Default)]
pub(super) struct ReadTests {
    /// The tests, each with the name of its file.
    pub tests: Vec<(String, Test)>,
    /// The indices of those that have mistakes of form: what they would test is not what was meant.
    broken: BTreeSet<usize>,
    /// The networks that tests may name.
    networks: Networks,
    /// The gateways that are external because the configuration says so.
    pub external: Vec<String>,
    /// What is wrong with the files.
    pub mistakes: Vec<Diagnostic>,
}

/// A test with its requests.
pub(super) struct Runnable<'t> {
    pub test: &'t Test,
    pub file: &'t str,
    pub line: usize,
    pub cases: Vec<Case>,
}

/// Reads the tests in `files`, or all tests of the project if there are none. What is wrong with them is added to the
/// mistakes.
///
/// # Errors
/// If a file can't be read.
pub(super) fn read(
    files: &[PathBuf],
    global: &Global,
    sources: &mut Sources,
) -> anyhow::Result<ReadTests> {
    let mut all = ReadTests::default();
    let root = all.add_configuration(files.is_empty(), global, sources)?;
    if !files.is_empty() {
        for path in files {
            all.add_file(path, &shown(path), true, sources)?;
        }
        return Ok(all);
    }
    let Some(root) = root else {
        return Ok(all);
    };
    for name in files_in(&root.join(FOLDER)) {
        let path = root.join(FOLDER).join(&name);
        all.add_file(&path, &format!("{FOLDER}/{name}"), false, sources)?;
    }
    Ok(all)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// The names of the TOML files in a folder, sorted.
fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let names = entries
        .filter_map(Result::ok)
        .filter_map(|it| it.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".toml") && !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

impl ReadTests {
    /// Reads the configuration: its networks, and its tests if they are wanted. Returns its folder.
    fn add_configuration(
        &mut self,
        has_tests: bool,
        global: &Global,
        sources: &mut Sources,
    ) -> anyhow::Result<Option<PathBuf>> {
        if location::locate(global)?.is_some() {
            let project = Project::nearest(global)?;
            // What is wrong with any other part of it was reported when it was rendered.
            if let ConfigText::Read(text) = project.config_text()? {
                let name = project.config_name();
                let source = sources.add(&*name, text);
                let described = described(sources, source, &project);
                let (cluster, wrong) = (described.cluster, described.diagnostics);
                if let Some(cluster) = cluster {
                    let external = cluster.rules.external.gateways.iter();
                    self.external.extend(external.map(|it| it.value.clone()));
                    let tests = if has_tests { cluster.test } else { Vec::new() };
                    self.add(&name, tests, &cluster.networks, of_tests(wrong));
                }
            }
            return Ok(Some(project.root));
        }
        let Some(path) = settings::locate_settings(global)? else {
            return Ok(None);
        };
        let name = shown(&path);
        let source = sources.add(&*name, text_of(&path)?);
        let (settings, wrong) = load_settings(sources, source);
        match settings {
            Some(settings) => {
                let external = settings.rules.external.gateways.iter();
                self.external.extend(external.map(|it| it.value.clone()));
                let tests = if has_tests { settings.test } else { Vec::new() };
                self.add(&name, tests, &settings.networks, of_tests(wrong));
            }
            None => self.mistakes.extend(wrong),
        }
        let root = path.parent().map(Path::to_path_buf);
        Ok(root.map(|it| {
            if it.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                it
            }
        }))
    }

    fn add_file(
        &mut self,
        path: &Path,
        name: &str,
        is_named: bool,
        sources: &mut Sources,
    ) -> anyhow::Result<()> {
        let text = text_of(path)?;
        if !is_named && is_of_another_tool::<TestFile>(&text) {
            return Ok(());
        }
        let source = sources.add(name, text);
        if location::is_description(path) {
            let (cluster, wrong) = config::load(sources, source);
            let cluster = cluster.unwrap_or_default();
            self.add(name, cluster.test, &cluster.networks, of_tests(wrong));
            return Ok(());
        }
        let (file, wrong) = load_tests(sources, source, name);
        let file = file.unwrap_or_default();
        self.add(name, file.test, &file.networks, wrong);
        Ok(())
    }

    /// Adds the tests and networks of a file. `wrong` are the mistakes of form in them.
    fn add(
        &mut self,
        name: &str,
        tests: Vec<Test>,
        networks: &Named<Texts>,
        wrong: Vec<Diagnostic>,
    ) {
        let first = self.tests.len();
        let broken = wrong.iter().filter_map(|one| {
            let below = one.pointer.as_deref()?.strip_prefix("/test/")?;
            below.split('/').next()?.parse::<usize>().ok()
        });
        self.broken.extend(broken.map(|at| first + at));
        self.mistakes.extend(wrong);
        let networks = Networks::read(networks, &mut self.mistakes);
        self.networks.add(networks);
        let tests = tests.into_iter().map(|test| (name.to_owned(), test));
        self.tests.extend(tests);
    }

    /// The places of all tests.
    pub(super) fn places(&self, sources: &Sources) -> Vec<(String, usize)> {
        let tests = self.tests.iter().enumerate();
        let places = tests.map(|(at, (file, test))| {
            let span = cases::place(test);
            let line = span.map_or(at, |span| sources.locate(span).line);
            let written = span.map(|span| sources.get(span.source).name());
            (written.unwrap_or(file).to_owned(), line)
        });
        places.collect()
    }

    /// The tests with their requests. What is wrong with a test is added to `mistakes`, and the test is not run.
    pub(super) fn runnable(
        &self,
        sources: &Sources,
        mistakes: &mut Vec<Diagnostic>,
    ) -> Vec<Runnable<'_>> {
        let mut all = Vec::new();
        for (at, (file, test)) in self.tests.iter().enumerate() {
            if self.broken.contains(&at) {
                continue;
            }
            let line = cases::place(test).map_or(1, |span| sources.locate(span).line);
            let cases = cases::cases(test, &self.networks, mistakes);
            all.push(Runnable {
                test,
                file,
                line,
                cases,
            });
        }
        all
    }
}

/// What is wrong with the tests of a configuration. The rest of it is reported by `validate`.
fn of_tests(wrong: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let is_here = |one: &Diagnostic| {
        let pointer = one.pointer.as_deref().unwrap_or_default();
        ["/test", "/networks"]
            .iter()
            .any(|it| pointer.starts_with(it))
    };
    wrong.into_iter().filter(is_here).collect()
}

/// Reports tests for clusters that don't exist.
pub(super) fn check_clusters(
    tests: &[Runnable<'_>],
    known: &[Option<String>],
    mistakes: &mut Vec<Diagnostic>,
) {
    let known: Vec<&str> = known.iter().filter_map(Option::as_deref).collect();
    if known.is_empty() {
        return;
    }
    for cluster in tests.iter().flat_map(|it| it.test.cluster.iter()) {
        if !known.contains(&cluster.value.as_str()) {
            mistakes.push(
                Diagnostic::new(
                    CONFIG_UNKNOWN_REFERENCE,
                    format!("there is no cluster `{}`", cluster.value),
                )
                .at(cluster.span)
                .why("the test is run for no cluster")
                .help(format!("the clusters are {}", listed(known.iter()))),
            );
        }
    }
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    file::text(path, LARGEST_CONFIG).with_context(|| format!("{}: can't be read", path.display()))
}
