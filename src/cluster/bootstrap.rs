//! Applies CustomResourceDefinitions, and waits until the server serves them. The only thing here that writes.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use super::crds::{self, Allow, Refusal};
use super::error::Error;
use super::installed::DEFINITIONS;
use super::kinds::{escaped, items};
use super::server::{Ask, Server};
use super::{AT_ONCE, Progress};
use crate::value::Node;

/// The field manager of a bootstrap.
pub const MANAGER: &str = "bootstrap";

/// How often a definition is looked at until it is established.
const LOOK: Duration = Duration::from_millis(100);

/// How to apply.
#[derive(Clone, Debug)]
pub struct How {
    /// The field manager.
    pub manager: String,
    /// Whether fields that others set are taken from them.
    pub force_conflicts: bool,
    /// What is allowed beyond what is safe.
    pub allow: Allow,
    /// How long to wait until a definition is established.
    pub wait: Duration,
}

/// What became of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It is new.
    Created,
    /// It is another one now.
    Changed,
    /// It was there already.
    Unchanged,
}

/// What came of applying.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The definitions that were applied, in the order given.
    pub done: Vec<(String, Done)>,
    /// Those that may not take the place of what is installed. With any, nothing was written.
    pub refused: Vec<Refusal>,
    /// What went wrong.
    pub failures: Vec<Error>,
}

/// Applies definitions, after looking at all of them: where one is refused, none is written.
///
/// # Errors
/// Where nothing could be learned at all.
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
    let mut written = Vec::new();
    let writing = stream::iter(definitions.iter().zip(live)).map(|(definition, live)| async move {
        (
            definition,
            write(server, definition, live.as_ref(), how).await,
        )
    });
    let mut writing = writing.buffered(AT_ONCE);
    while let Some((definition, done)) = writing.next().await {
        match done {
            Ok(done) => written.push((definition, done)),
            Err(error) => {
                let ends = error.ends_all();
                outcome.failures.push(error);
                if ends {
                    return Ok(outcome);
                }
            }
        }
    }
    // The server takes some seconds for each, all at the same time.
    let until = Instant::now() + how.wait;
    let waiting = stream::iter(written).map(|(definition, done)| async move {
        (
            crds::name(definition),
            done,
            established(server, definition, until, how.wait).await,
        )
    });
    let mut waiting = waiting.buffered(AT_ONCE);
    while let Some((name, done, ready)) = waiting.next().await {
        outcome.done.push((name, done));
        progress(outcome.done.len(), definitions.len());
        if let Err(error) = ready {
            let ends = error.ends_all();
            outcome.failures.push(error);
            if ends {
                break;
            }
        }
    }
    Ok(outcome)
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
    let answer = server.ask(&Ask::get(path(definition))).await?;
    if !answer.is_success() {
        return Ok((None, None));
    }
    let live = Node::from_json(answer.body);
    let mut in_use = false;
    if let (true, Some(objects)) = (
        crds::asks_for_use(&live, definition),
        crds::objects_path(&live),
    ) {
        let answer = server.ask(&Ask::get(format!("{objects}?limit=1"))).await?;
        in_use = !items(&answer.body["items"]).is_empty();
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
        409 => {
            return Err(Error::Conflict {
                object,
                message: answer.message(),
            });
        }
        _ if !answer.is_success() => {
            return Err(Error::Refused {
                object,
                message: answer.message(),
            });
        }
        _ => {}
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
async fn established(
    server: &Server,
    definition: &Node,
    until: Instant,
    wait: Duration,
) -> Result<(), Error> {
    loop {
        let answer = server.ask(&Ask::get(path(definition))).await?;
        match crds::established(&Node::from_json(answer.body)) {
            Ok(()) => return Ok(()),
            Err(problem) if Instant::now() >= until => {
                return Err(Error::NotEstablished {
                    name: crds::name(definition),
                    problem,
                    after: wait,
                });
            }
            Err(_) => sleep(LOOK).await,
        }
    }
}
