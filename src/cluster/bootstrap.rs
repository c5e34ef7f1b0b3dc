//! Applies CustomResourceDefinitions, and waits until the server serves them. Nothing else in this module writes to a
//! cluster.

use std::cell::Cell;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use super::crds::{self, Allow, Refusal};
use super::error::Error;
use super::installed::DEFINITIONS;
use super::kinds::{escaped, items};
use super::server::{Ask, Server, Until};
use super::{AT_ONCE, Progress};
use manifest::value::Node;

/// The field manager of a bootstrap.
pub const MANAGER: &str = "bootstrap";

/// The interval between two checks whether a definition is established.
const LOOK: Duration = Duration::from_millis(100);

/// How to apply definitions.
#[derive(Clone, Debug)]
pub struct How {
    /// The field manager.
    pub manager: String,
    /// Whether to take over fields that other managers set.
    pub force_conflicts: bool,
    /// Which unsafe replacements are allowed.
    pub allow: Allow,
    /// How long to wait until a definition is established.
    pub wait: Duration,
}

/// What was done with a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was created.
    Created,
    /// It was changed.
    Changed,
    /// It existed already.
    Unchanged,
}

/// The result of applying definitions.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The definitions that were applied, in the given order, whatever failed afterwards.
    pub done: Vec<(String, Done)>,
    /// The definitions that were not sent, because the server failed before.
    pub not_tried: Vec<String>,
    /// The definitions that may not replace what is installed. If there are any, nothing was written.
    pub refused: Vec<Refusal>,
    /// What went wrong.
    pub failures: Vec<Error>,
}

/// Applies definitions after checking all of them. If one is refused, none is written.
///
/// # Errors
/// If nothing could be learned from the cluster.
pub async fn apply(
    server: &Server,
    definitions: &[Node],
    how: &How,
    progress: Progress<'_>,
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let mut looked = stream::iter(definitions)
        .map(|it| look(server, it, how))
        .buffered(AT_ONCE);
    let mut live = Vec::new();
    while let Some(found) = looked.next().await {
        let (there, refusal) = found?;
        live.push(there);
        outcome.refused.extend(refusal);
    }
    drop(looked);
    if !outcome.refused.is_empty() {
        return Ok(outcome);
    }
    let written = write_all(server, definitions, &live, how, &mut outcome).await;
    outcome.done = written
        .iter()
        .map(|(definition, done)| (crds::name(definition), *done))
        .collect();
    if outcome.failures.iter().any(Error::ends_all) {
        return Ok(outcome);
    }
    // Establishing a definition takes the server some seconds, but it does that for all at the same time.
    let until = Until::from_now(how.wait);
    let mut waiting = stream::iter(written)
        .map(|(definition, _)| established(server, definition, until))
        .buffered(AT_ONCE);
    let mut ready = 0;
    while let Some(answer) = waiting.next().await {
        ready += 1;
        progress(ready, definitions.len());
        if let Err(error) = answer {
            let ends = error.ends_all();
            outcome.failures.push(error);
            if ends {
                break;
            }
        }
    }
    Ok(outcome)
}

/// Writes all definitions, and returns those that were written. After a failure no more requests are started, but
/// those that are running are waited for, because they may succeed.
async fn write_all<'a>(
    server: &Server,
    definitions: &'a [Node],
    live: &[Option<Node>],
    how: &How,
    outcome: &mut Outcome,
) -> Vec<(&'a Node, Done)> {
    let has_failed = Cell::new(false);
    let has_failed = &has_failed;
    let writing = stream::iter(definitions.iter().zip(live)).map(|(definition, live)| async move {
        if has_failed.get() {
            return (definition, None);
        }
        let done = write(server, definition, live.as_ref(), how).await;
        if done.as_ref().is_err_and(Error::ends_all) {
            has_failed.set(true);
        }
        (definition, Some(done))
    });
    let mut writing = writing.buffered(AT_ONCE);
    let mut written = Vec::new();
    while let Some((definition, done)) = writing.next().await {
        match done {
            Some(Ok(done)) => written.push((definition, done)),
            Some(Err(error)) => outcome.failures.push(error),
            None => outcome.not_tried.push(crds::name(definition)),
        }
    }
    written
}

fn path(definition: &Node) -> String {
    format!("{DEFINITIONS}/{}", escaped(&crds::name(definition)))
}

/// What is installed, and whether it may be replaced.
async fn look(
    server: &Server,
    definition: &Node,
    how: &How,
) -> Result<(Option<Node>, Option<Refusal>), Error> {
    let Some(found) = server.find(&Ask::get(path(definition))).await? else {
        return Ok((None, None));
    };
    let live = Node::from_json(found);
    let mut in_use = false;
    if let (true, Some(objects)) = (
        crds::asks_for_use(&live, definition),
        crds::objects_path(&live),
    ) {
        let found = server.find(&Ask::get(format!("{objects}?limit=1"))).await?;
        // If the server doesn't serve the kind, there are no objects of it.
        in_use = found.is_some_and(|list| !items(&list["items"]).is_empty());
    }
    let refusal = crds::refusal(&live, definition, in_use, how.allow);
    Ok((Some(live), refusal))
}

async fn write(
    server: &Server,
    definition: &Node,
    live: Option<&Node>,
    how: &How,
) -> Result<Done, Error> {
    let force = if how.force_conflicts {
        "&force=true"
    } else {
        ""
    };
    let query = format!(
        "{}?fieldManager={}{force}",
        path(definition),
        escaped(&how.manager)
    );
    let wanted = crds::applied(definition.clone()).to_json();
    let answer = server.ask(&Ask::apply(query, wanted)).await?;
    let object = format!("CustomResourceDefinition {}", crds::name(definition));
    match answer.status {
        _ if answer.is_success() => {}
        409 => {
            return Err(Error::Conflict {
                object,
                message: answer.message(),
            });
        }
        _ => {
            return Err(Error::NotWritten {
                object,
                status: answer.status,
                message: answer.message(),
            });
        }
    }
    let version = |node: &Node| node.path(&["metadata", "resourceVersion"]).cloned();
    let now = version(&Node::from_json(answer.body));
    Ok(match live {
        None => Done::Created,
        Some(live) if version(live) == now => Done::Unchanged,
        Some(_) => Done::Changed,
    })
}

/// Waits until the server serves a definition.
async fn established(server: &Server, definition: &Node, until: Until) -> Result<(), Error> {
    loop {
        let found = server.find(&Ask::get(path(definition))).await?;
        let is_over = until.left().is_zero();
        let problem = match found.map(|it| crds::established(&Node::from_json(it))) {
            Some(Ok(())) => return Ok(()),
            Some(Err(problem)) => problem,
            None => "it doesn't exist any more".to_owned(),
        };
        if is_over {
            return Err(Error::NotEstablished {
                name: crds::name(definition),
                problem,
                after: until.time,
            });
        }
        sleep(LOOK).await;
    }
}
