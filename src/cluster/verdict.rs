//! The server's own judgement of objects, beside ours.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::answer::Answer;
use super::error::Error;
use super::kinds::{Kinds, escaped};
use super::server::{Ask, Server};
use super::{AT_ONCE, Progress};
use crate::check::finding;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::manifest::Object;
use crate::resolve::delivery::KUSTOMIZE;
use crate::value::{Pointer, variable};

/// What the server says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would take it.
    Accepted,
    /// It would not, in its own words.
    Refused(String),
    /// It was not asked, and why.
    NotAsked(&'static str),
}

/// What came of asking.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// One for each object that was come to, in order.
    pub all: Vec<Verdict>,
    /// What could not be told, and why.
    pub failures: Vec<Error>,
    /// Namespaces that are not there: their objects were judged in `default`.
    pub absent: BTreeSet<String>,
}

/// Asks for a verdict on each object, by creating it with `dryRun=All&fieldValidation=Strict`: structure, rules,
/// admission. `namespace` is that of objects without one. An object that is there already is judged as a new one.
///
/// # Errors
/// Where nothing could be learned at all.
pub async fn verdicts(
    server: &Server,
    objects: &[Object],
    namespace: &str,
    manager: &str,
    progress: Progress<'_>,
) -> Result<Verdicts, Error> {
    let kinds = Kinds::of(server).await?;
    let mut found = Verdicts::default();
    let kinds = &kinds;
    let mut answers = stream::iter(objects)
        .map(|object| one(server, kinds, object, namespace, manager))
        .buffered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok((verdict, absent)) => {
                found.all.push(verdict);
                found.absent.extend(absent);
            }
            Err(error) => {
                found
                    .all
                    .push(Verdict::NotAsked("the server gave no verdict"));
                let ends = error.ends_all();
                found.failures.push(error);
                if ends {
                    break;
                }
            }
        }
        progress(found.all.len(), objects.len());
    }
    Ok(found)
}

/// One object's verdict, and its namespace where that is not there.
async fn one(
    server: &Server,
    kinds: &Kinds,
    object: &Object,
    namespace: &str,
    manager: &str,
) -> Result<(Verdict, Option<String>), Error> {
    if object.group() == KUSTOMIZE {
        return Ok((
            Verdict::NotAsked("kustomize reads it, the API server never sees it"),
            None,
        ));
    }
    if object.node.get("sops").is_some() {
        return Ok((Verdict::NotAsked("it is encrypted with SOPS"), None));
    }
    if variable::in_text(&object.node.to_json().to_string()) {
        return Ok((
            Verdict::NotAsked("it has variables that Flux replaces first"),
            None,
        ));
    }
    let Some(resource) = kinds.get(object.group(), object.version(), object.kind()) else {
        return Ok((
            Verdict::NotAsked("the cluster doesn't serve its kind"),
            None,
        ));
    };
    let namespace = match object.namespace() {
        "" => namespace,
        own => own,
    };
    let create = |namespace: &str| {
        let mut node = object.node.clone();
        if resource.namespaced {
            super::applied::set(&mut node, &["metadata", "namespace"], namespace);
        }
        let query = format!(
            "{}?fieldManager={}&dryRun=All&fieldValidation=Strict",
            resource.all(namespace),
            escaped(manager)
        );
        Ask::create(query, node.to_json())
    };
    let answer = server.ask(&create(namespace)).await?;
    if answer.status == 404 && resource.namespaced && namespace != "default" {
        let answer = server.ask(&create("default")).await?;
        return Ok((judged(object, &answer), Some(namespace.to_owned())));
    }
    Ok((judged(object, &answer), None))
}

fn judged(object: &Object, answer: &Answer) -> Verdict {
    let is_there = answer.status == 409 && answer.body["reason"] == "AlreadyExists";
    match answer.status {
        _ if answer.is_success() || is_there => Verdict::Accepted,
        404 => Verdict::NotAsked("its namespace is not there"),
        _ => Verdict::Refused(super::drift::refusal(object, answer.message())),
    }
}

/// Whether the two judgements differ: ours are the errors that were found on the object. Of a kind that is not known
/// here nothing was said.
pub fn disagreement(
    object: &Object,
    ours: &[&Diagnostic],
    verdict: &Verdict,
) -> Option<Diagnostic> {
    let judged =
        |one: &&&Diagnostic| one.is_error() && matches!(one.code.group(), "schema" | "rule");
    let errors: Vec<_> = ours.iter().filter(judged).collect();
    if errors
        .iter()
        .any(|one| matches!(one.code, Code::SchemaUnknownKind | Code::SchemaUnreadable))
    {
        return None;
    }
    let root = Pointer::root();
    let say = |message: String| finding(Code::SchemaDisagreesWithServer, object, &root, message);
    match (errors.first(), verdict) {
        (None, Verdict::Refused(words)) => Some(
            say(format!("the API server refuses what is valid here: {words}"))
                .why("Flux would get the same answer, and apply nothing of the object's Kustomization")
                .help("change what the server names; if `version/crd-skew` is found too, the cluster has other definitions than the declared ones"),
        ),
        (Some(error), Verdict::Accepted) => Some(
            say(format!("the API server takes what is refused here: {}", error.message))
                .severity(Severity::Warning)
                .why("the cluster has other definitions than the declared ones, or this is a mistake of gatewayctl")
                .help("if `version/crd-skew` is found too, follow that; else please report it with the object"),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Node;
    use serde_json::json;

    fn service() -> Object {
        Object::new(
            Node::from_json(
                json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}),
            ),
            "a.yaml",
        )
    }

    #[test]
    fn two_judgements_that_differ_are_a_finding() {
        let object = service();
        let error = Diagnostic::new(Code::SchemaRequired, "`spec.ports` is missing");
        let unknown = Diagnostic::new(Code::SchemaUnknownKind, "no schema");
        let warning = Diagnostic::new(Code::SchemaDeprecatedVersion, "on its way out");
        let refused = Verdict::Refused("spec.ports: Required value".to_owned());
        let code = |ours: &[&Diagnostic], verdict: &Verdict| {
            disagreement(&object, ours, verdict).map(|it| it.is_error())
        };
        assert_eq!(code(&[], &Verdict::Accepted), None);
        assert_eq!(code(&[&error], &refused), None);
        assert_eq!(code(&[&warning], &Verdict::Accepted), None);
        assert_eq!(code(&[&unknown], &Verdict::Accepted), None);
        assert_eq!(code(&[&error], &Verdict::NotAsked("x")), None);
        assert_eq!(code(&[], &refused), Some(true));
        assert_eq!(code(&[&error], &Verdict::Accepted), Some(false));
    }

    #[test]
    fn an_object_that_is_there_already_is_taken() {
        let answer = |status: u16, reason: &str| Answer {
            status,
            body: json!({"reason": reason, "message": "m"}),
            bytes: 0,
            warnings: Vec::new(),
        };
        assert_eq!(
            judged(&service(), &answer(409, "AlreadyExists")),
            Verdict::Accepted
        );
        assert_eq!(
            judged(&service(), &answer(422, "Invalid")),
            Verdict::Refused("m".to_owned())
        );
        let mut secret = service();
        super::super::applied::set(&mut secret.node, &["kind"], "Secret");
        assert_ne!(
            judged(&secret, &answer(422, "Invalid")),
            Verdict::Refused("m".to_owned())
        );
    }
}
