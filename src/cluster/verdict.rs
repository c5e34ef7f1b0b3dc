//! The server's own judgement of objects, compared with ours.

use crd_validate::codes::{SCHEMA_UNCHECKED_KIND, SCHEMA_UNKNOWN_KIND, SCHEMA_UNREADABLE};
use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::answer::Answer;
use super::codes::SCHEMA_DISAGREES_WITH_SERVER;
use super::error::Error;
use super::kinds::{Kinds, escaped};
use super::server::{Ask, Server};
use super::{AT_ONCE, Progress};
use flux_repo::KUSTOMIZE;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

/// What the server says about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would accept it.
    Accepted,
    /// It would refuse it, with its message.
    Refused(String),
    /// It was not asked, with the reason.
    NotAsked(&'static str),
}

/// The result of asking for judgements.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// One verdict for each object that was processed, in order.
    pub all: Vec<Verdict>,
    /// What could not be judged, and why.
    pub failures: Vec<Error>,
    /// Namespaces that don't exist. Their objects were judged in `default`.
    pub absent: BTreeSet<String>,
}

/// Asks for a verdict on each object by applying it as Flux does, but with `dryRun=All&fieldValidation=Strict`, which
/// checks structure, rules and admission. `namespace` is used for objects without one. An object that exists already
/// is judged as a change of it.
///
/// # Errors
/// If nothing could be learned from the cluster.
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
        .map(|object| judge_object(server, kinds, object, namespace, manager))
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

/// The verdict on one object, and its namespace if that doesn't exist.
async fn judge_object(
    server: &Server,
    kinds: &Kinds,
    object: &Object,
    namespace: &str,
    manager: &str,
) -> Result<(Verdict, Option<String>), Error> {
    if object.group() == KUSTOMIZE {
        return Ok((
            Verdict::NotAsked("only kustomize reads it, and the API server never gets it"),
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
    let name = object.name();
    if name.is_empty() {
        let why = "the name of the object is missing".to_owned();
        return Ok((Verdict::Refused(why), None));
    }
    let apply = |namespace: &str| {
        let mut node = object.node.clone();
        if resource.namespaced {
            super::applied::set(&mut node, &["metadata", "namespace"], namespace);
        }
        let query = format!(
            "{}?fieldManager={}&force=true&dryRun=All&fieldValidation=Strict",
            resource.one(namespace, name),
            escaped(manager)
        );
        Ask::apply(query, node.to_json())
    };
    let answer = server.ask(&apply(namespace)).await?;
    if answer.status == 404 && resource.namespaced && namespace != "default" {
        let answer = server.ask(&apply("default")).await?;
        return Ok((judged(object, &answer), Some(namespace.to_owned())));
    }
    Ok((judged(object, &answer), None))
}

fn judged(object: &Object, answer: &Answer) -> Verdict {
    match answer.status {
        _ if answer.is_success() => Verdict::Accepted,
        404 => Verdict::NotAsked("its namespace doesn't exist"),
        _ => Verdict::Refused(super::drift::refusal(object, answer.message())),
    }
}

/// The finding if the two judgements differ. Ours are the errors on the object. For an unknown kind we have none.
pub fn disagreement(
    object: &Object,
    ours: &[&Diagnostic],
    verdict: &Verdict,
) -> Option<Diagnostic> {
    let judged =
        |one: &&&Diagnostic| one.is_error() && matches!(one.code.group(), "schema" | "rule");
    let errors: Vec<_> = ours.iter().filter(judged).collect();
    let without_judgement = [
        SCHEMA_UNCHECKED_KIND,
        SCHEMA_UNKNOWN_KIND,
        SCHEMA_UNREADABLE,
    ];
    if ours.iter().any(|one| without_judgement.contains(&one.code)) {
        return None;
    }
    let root = Pointer::root();
    let say = |message: String| finding(SCHEMA_DISAGREES_WITH_SERVER, object, &root, message);
    match (errors.first(), verdict) {
        (None, Verdict::Refused(words)) => Some(
            say(format!("the API server refuses what is valid here: {words}"))
                .why("Flux would get the same answer, and would apply nothing of the object's Kustomization")
                .help("change what the server names; if there is also a finding `version/crd-skew`, the cluster has other definitions than the declared ones"),
        ),
        (Some(error), Verdict::Accepted) => Some(
            say(format!("the API server accepts what is refused here: {}", error.message))
                .severity(Severity::Warning)
                .why("the cluster has other definitions than the declared ones, or this is a bug in gatewayctl")
                .help("if there is also a finding `version/crd-skew`, fix that; else please report this with the object"),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crd_validate::codes::{SCHEMA_DEPRECATED_VERSION, SCHEMA_REQUIRED, SCHEMA_UNKNOWN_KIND};
    use manifest::value::Node;
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
        let error = Diagnostic::new(SCHEMA_REQUIRED, "`spec.ports` is missing");
        let unknown = Diagnostic::new(SCHEMA_UNKNOWN_KIND, "no schema");
        let warning = Diagnostic::new(SCHEMA_DEPRECATED_VERSION, "on its way out");
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
    fn a_refusal_has_the_servers_message_but_for_secrets() {
        let answer = |status: u16, reason: &str| Answer {
            status,
            body: json!({"reason": reason, "message": "m"}),
            bytes: 0,
            warnings: Vec::new(),
        };
        assert_eq!(judged(&service(), &answer(200, "")), Verdict::Accepted);
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
