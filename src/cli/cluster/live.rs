//! The commands' calls to a cluster: they connect, ask, and turn failures into text.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;

use super::{
    ApplyOptions, ApplyReport, ClusterDiff, ClusterJudgement, Connection, Definition, Manager,
    Written,
};
use crate::cli::Global;
use crate::cli::output::Stream;
use crate::cli::project::Project;
use crate::cluster::applied::Tree;
use crate::cluster::bootstrap::{self, ApplyResult};
use crate::cluster::crds::Allow;
use crate::cluster::verdict::Verdict;
use crate::cluster::{
    self, Error, Options, conditions, connect, drift, hide, installed, skew, verdict,
};
use crate::compile::Compiled;
use crate::diff::{self, ListKeys};
use crate::lint::LintInput;
use crate::render::files::Inputs;
use crd_validate::schema::compiled::Scope;
use crd_validate::schema::{Catalogue, Lookup, Selection};
use envoy_gateway::written::LiveObject;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::Node;

impl Connection {
    fn options(&self) -> Options {
        Options {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            time: Duration::from_secs(self.timeout),
        }
    }
}

/// Runs a future on the network and turns its error into the text that the user sees.
fn wait<T>(work: impl Future<Output = Result<T, Error>>) -> anyhow::Result<T> {
    let done = cluster::run(work).context("can't start the network client")?;
    done.map_err(|error| anyhow::anyhow!("{}", error.told()))
}

fn told(failures: &[Error]) -> Vec<String> {
    failures.iter().map(Error::told).collect()
}

/// A progress counter on a terminal. It uses one line, which is erased at the end.
struct Counter {
    what: &'static str,
    shown: Cell<bool>,
    wanted: bool,
    out: RefCell<Stream>,
}

impl Counter {
    fn new(global: &Global, what: &'static str) -> Self {
        let out = global.stderr();
        Counter {
            what,
            shown: Cell::new(false),
            wanted: !global.quiet && out.is_terminal(),
            out: RefCell::new(out),
        }
    }

    fn count(&self, done: usize, of: usize) {
        if self.wanted {
            self.shown.set(true);
            // Progress is only for information, so a failure to print it is ignored.
            let text = format!("{} {done} of {of}", self.what);
            let _ = self.out.borrow_mut().in_place(&text);
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if self.shown.get() {
            let _ = self.out.borrow_mut().in_place("");
        }
    }
}

/// Compares the rendered objects with the live ones.
///
/// # Errors
/// If nothing could be learned from the cluster.
pub(crate) fn diff(
    connection: &Connection,
    manager: &Manager,
    global: &Global,
    project: &Project,
    compiled: &Compiled,
    keys: &ListKeys,
) -> anyhow::Result<ClusterDiff> {
    let texts: BTreeMap<&str, &str> = compiled
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let namespace = compiled
        .model
        .as_ref()
        .map_or("default", |model| model.namespace.value.as_str());
    let tree = Tree {
        objects: &compiled.objects,
        texts,
        read: &|path| project.read(path),
        namespace,
    };
    let bundles = tree.bundles();
    let scope = |object: &Object| is_namespaced(&project.catalogue, &compiled.selection, object);
    let counter = Counter::new(global, "compared");
    let (server, context, drift) = wait(async {
        let server = connect(&connection.options()).await?;
        let progress = |done, of| counter.count(done, of);
        let drift =
            drift::drift(&server, bundles, &manager.field_manager, &scope, &progress).await?;
        Ok((server.url.clone(), server.context.clone(), drift))
    })?;
    drop(counter);
    let mut diff = diff::diff(&drift.before, &drift.after, Some(keys));
    hide::hide(&mut diff, &drift.secrets);
    let hidden = |text: &String| {
        let mut text = text.clone();
        hide::text(&mut text, &drift.secrets);
        text
    };
    Ok(ClusterDiff {
        diff,
        server,
        context,
        notes: drift.notes.iter().map(hidden).collect(),
        failures: told(&drift.failures).iter().map(hidden).collect(),
        objects: drift.objects,
        compared: drift.compared,
    })
}

fn is_namespaced(catalogue: &Catalogue, selection: &Selection, object: &Object) -> Option<bool> {
    match catalogue.look_up(selection, object.group(), object.version(), object.kind()) {
        Lookup::Known(schema) => Some(schema.compiled.header().scope == Scope::Namespaced),
        _ => None,
    }
}

/// Asks the API server to judge objects, and compares its judgement with our findings.
///
/// # Errors
/// If nothing could be learned from the cluster.
pub(crate) fn judge(
    connection: &Connection,
    manager: &Manager,
    global: &Global,
    given: &LintInput<'_>,
    catalogue: &Catalogue,
    found: &[Diagnostic],
) -> anyhow::Result<ClusterJudgement> {
    let namespace = given
        .model
        .map_or("default", |model| model.namespace.value.as_str());
    let counter = Counter::new(global, "judged");
    let (verdicts, installed) = wait(async {
        let server = connect(&connection.options()).await?;
        let progress = |done, of| counter.count(done, of);
        let verdicts = verdict::verdicts(
            &server,
            given.objects,
            namespace,
            &manager.field_manager,
            &progress,
        )
        .await?;
        let goes_on = !verdicts.failures.iter().any(Error::ends_all);
        let mut definitions = Vec::new();
        let is_used = |definition: &Node| skew::is_used(definition, given.objects);
        let take = |it| definitions.extend(Some(it).filter(is_used));
        let installed = match goes_on {
            true => Some(installed::installed(&server, take).await),
            false => None,
        };
        let installed = installed.map(|asked| asked.map(|()| definitions));
        Ok((verdicts, installed))
    })?;
    drop(counter);
    let mut judged = ClusterJudgement {
        diagnostics: Vec::new(),
        judged: 0,
        notes: Vec::new(),
        failures: told(&verdicts.failures),
    };
    match installed {
        Some(Ok(installed)) => {
            let skews = skew::skew(given.objects, &installed, catalogue, given.selection);
            judged
                .diagnostics
                .extend(skews.iter().map(|it| located(it.diagnostic(), given)));
        }
        Some(Err(error)) => judged.failures.push(error.told()),
        None => {}
    }
    let mut not_asked: BTreeMap<&str, usize> = BTreeMap::new();
    for (object, verdict) in given.objects.iter().zip(&verdicts.all) {
        match verdict {
            Verdict::NotAsked(why) => *not_asked.entry(why).or_default() += 1,
            _ => judged.judged += 1,
        }
        let is_its = |one: &&Diagnostic| {
            one.object.as_ref() == Some(&object.reference())
                && one.file.as_ref().is_none_or(|file| *file == object.file)
        };
        let ours: Vec<&Diagnostic> = found.iter().filter(is_its).collect();
        judged
            .diagnostics
            .extend(verdict::disagreement(object, &ours, verdict));
    }
    for (why, count) in not_asked {
        judged.notes.push(format!(
            "the API server was not asked about {count} objects: {why}"
        ));
    }
    for namespace in verdicts.absent {
        judged.notes.push(format!(
            "namespace `{namespace}` doesn't exist yet; its objects were judged in `default`"
        ));
    }
    Ok(judged)
}

/// Adds the place in `cluster.toml` to a finding on a version, if it is known.
fn located(mut diagnostic: Diagnostic, given: &LintInput<'_>) -> Diagnostic {
    let Some(model) = given.model else {
        return diagnostic;
    };
    let is_chart = diagnostic.pointer.as_deref() == Some("/chart/version");
    diagnostic.span = model.versions.envoy_gateway.span.filter(|_| is_chart);
    diagnostic
}

/// Asks for the status of objects.
///
/// # Errors
/// If nothing could be learned from the cluster.
pub(crate) fn status(
    connection: &Connection,
    global: &Global,
    objects: &[&Object],
) -> anyhow::Result<Written> {
    let counter = Counter::new(global, "read");
    let (server, context, found) = wait(async {
        let server = connect(&connection.options()).await?;
        let progress = |done, of| counter.count(done, of);
        let found = conditions::status(&server, objects, &progress).await?;
        Ok((server.url.clone(), server.context.clone(), found))
    })?;
    drop(counter);
    let mut notes = Vec::new();
    if !found.not_served.is_empty() {
        let kinds: Vec<&str> = found.not_served.iter().map(String::as_str).collect();
        let kinds = kinds.join(", ");
        notes.push(format!(
            "the CustomResourceDefinitions of these kinds are not installed yet: {kinds}"
        ));
    }
    let mut not_asked: BTreeMap<&str, usize> = BTreeMap::new();
    for answer in &found.answers {
        if let LiveObject::NotAsked(why) = answer
            && *why != conditions::NO_ANSWER
        {
            *not_asked.entry(why).or_default() += 1;
        }
    }
    notes.extend(
        not_asked.into_iter().map(|(why, count)| {
            format!("the cluster was not asked for these objects: {count} {why}")
        }),
    );
    Ok(Written {
        answers: found.answers,
        server,
        context,
        notes,
        failures: told(&found.failures),
    })
}

/// Applies CustomResourceDefinitions.
///
/// # Errors
/// If nothing could be learned from the cluster.
pub(crate) fn apply(
    connection: &Connection,
    global: &Global,
    definitions: &[Node],
    how: &ApplyOptions,
) -> anyhow::Result<ApplyReport> {
    let how = bootstrap::ApplyOptions {
        manager: how.manager.to_owned(),
        force_conflicts: how.force_conflicts,
        allow: Allow {
            downgrade: how.allow_downgrade,
            channel: how.allow_standard,
        },
        wait: Duration::from_secs(how.wait),
    };
    let counter = Counter::new(global, "established");
    let outcome = wait(async {
        let server = connect(&connection.options()).await?;
        let progress = |done, of| counter.count(done, of);
        bootstrap::apply(&server, definitions, &how, &progress).await
    })?;
    let word = |done: ApplyResult| match done {
        ApplyResult::Created => "created",
        ApplyResult::Changed => "changed",
        ApplyResult::Unchanged => "unchanged",
    };
    Ok(ApplyReport {
        done: outcome
            .done
            .into_iter()
            .map(|(name, done)| (name, word(done)))
            .collect(),
        refused: outcome.refused.iter().map(|it| it.told()).collect(),
        not_tried: outcome.not_tried,
        failures: told(&outcome.failures),
    })
}

/// The CustomResourceDefinitions that are installed in the cluster.
///
/// # Errors
/// If the cluster can't be asked.
pub(crate) fn definitions(connection: &Connection) -> anyhow::Result<Vec<Definition>> {
    wait(async {
        let server = connect(&connection.options()).await?;
        let mut found = Vec::new();
        let take = |definition: Node| {
            let name = definition.path(&["metadata", "name"]);
            found.push(Definition {
                name: name.and_then(Node::as_str).unwrap_or_default().to_owned(),
                text: definition.to_json().to_string(),
            });
        };
        installed::installed(&server, take).await?;
        Ok(found)
    })
}
