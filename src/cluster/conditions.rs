//! Fetches the status that controllers wrote to live objects.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::error::Error;
use super::kinds::Kinds;
use super::server::{Ask, Server};
use super::{AT_ONCE, Progress};
use envoy_gateway::written::{LiveObject, LiveStatus};
use manifest::Object;
use manifest::value::{Node, variable};

/// The result of asking for the status of objects.
#[derive(Debug, Default)]
pub struct FetchedStatus {
    /// One answer for each object, in order.
    pub answers: Vec<LiveObject>,
    /// Kinds with their groups that the cluster doesn't serve in any version, so that there can't be such objects.
    pub not_served: BTreeSet<String>,
    /// What could not be read, and why. Missing permissions are reported once for each kind and namespace.
    pub failures: Vec<Error>,
}

/// Reads the status of objects, with one request for each.
///
/// Objects whose name or namespace is only known after Flux applies them are skipped. A kind is read in any version
/// that the cluster serves, because the status is the same in all of them.
///
/// # Errors
/// If nothing could be learned from the cluster.
pub async fn status(
    server: &Server,
    objects: &[&Object],
    progress: Progress<'_>,
) -> Result<FetchedStatus, Error> {
    let kinds = Kinds::of(server).await?;
    let mut found = FetchedStatus::default();
    let mut forbidden = BTreeSet::new();
    let kinds = &kinds;
    let mut answers = stream::iter(objects)
        .map(|object| fetch_status(server, kinds, object))
        .buffered(AT_ONCE);
    for object in objects {
        let Some(answer) = answers.next().await else {
            break;
        };
        if kinds.versions(object.group(), object.kind()).is_empty() {
            let kind = format!("{} ({})", object.kind(), object.group());
            found.not_served.insert(kind);
        }
        match answer {
            Ok(answer) => found.answers.push(answer),
            Err(error) => {
                found.answers.push(LiveObject::NotAsked(NO_ANSWER));
                let ends = error.ends_all();
                let place = (object.group(), object.kind(), object.namespace());
                if !matches!(error, Error::Forbidden { .. }) || forbidden.insert(place) {
                    found.failures.push(error);
                }
                if ends {
                    break;
                }
            }
        }
        progress(found.answers.len(), objects.len());
    }
    let missing = LiveObject::NotAsked(NO_ANSWER);
    found.answers.resize(objects.len(), missing);
    Ok(found)
}

/// The text for an object without an answer because of a failure, which is reported separately.
pub const NO_ANSWER: &str = "to which the server gave no answer";

async fn fetch_status(
    server: &Server,
    kinds: &Kinds,
    object: &Object,
) -> Result<LiveObject, Error> {
    if [object.name(), object.namespace()]
        .into_iter()
        .any(variable::in_text)
    {
        return Ok(LiveObject::NotAsked("whose name contains a Flux variable"));
    }
    let (group, kind) = (object.group(), object.kind());
    let other = || kinds.versions(group, kind).first();
    let Some(resource) = kinds.get(group, object.version(), kind).or_else(other) else {
        return Ok(LiveObject::Absent);
    };
    if resource.namespaced && object.namespace().is_empty() {
        return Ok(LiveObject::NotAsked(
            "whose namespace is given neither in the manifest nor by a Kustomization",
        ));
    }
    let path = resource.one(object.namespace(), object.name());
    let ask = Ask::get(path);
    let found = server.find(&ask).await?;
    Ok(found.map_or(LiveObject::Absent, |there| {
        LiveObject::There(LiveStatus::of(&Node::from_json(there)))
    }))
}
