//! What controllers wrote: conditions and addresses of live objects, in the shape of `gatewayctl/status/v1`.

use futures_util::{StreamExt, stream};
use serde_json::{Value as Json, json};

use super::AT_ONCE;
use super::error::Error;
use super::kinds::{Kinds, items, text};
use super::server::{Ask, Server};
use crate::manifest::Object;
use crate::value::Node;

/// What a condition is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// The object itself.
    Object,
    /// A listener of it; [`Condition::which`] is its name.
    Listener,
    /// Its attachment to a parent or target; [`Condition::which`] is `NAMESPACE/NAME/SECTION`.
    Parent,
}

impl On {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            On::Object => "object",
            On::Listener => "listener",
            On::Parent => "parent",
        }
    }
}

/// One condition of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The object's kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What it is on.
    pub on: On,
    /// Which one; empty on the object itself.
    pub which: String,
    /// `Accepted`, `Programmed`, …
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, in a word.
    pub reason: String,
    /// Why, in the controller's words.
    pub message: String,
}

/// An address that a gateway got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The gateway's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The address, or a host name.
    pub value: String,
}

/// What lives there of our objects.
#[derive(Debug, Default)]
pub struct Status {
    /// All conditions, in the order of the objects.
    pub conditions: Vec<Condition>,
    /// The addresses of gateways.
    pub addresses: Vec<Address>,
    /// Objects that are not there, as `KIND NAMESPACE/NAME`.
    pub absent: Vec<String>,
    /// What could not be told, and why.
    pub failures: Vec<Error>,
}

/// Reads the status of objects from the server. `namespace` is that of objects without one.
///
/// # Errors
/// Where nothing could be learned at all.
pub async fn status(server: &Server, objects: &[Object], namespace: &str) -> Result<Status, Error> {
    let kinds = Kinds::of(server).await?;
    let wanted = objects.iter().filter(|it| {
        matches!(
            it.group(),
            "gateway.networking.k8s.io" | "gateway.envoyproxy.io"
        )
    });
    let mut answers = stream::iter(wanted)
        .map(|object| {
            let namespace = match object.namespace() {
                "" => namespace,
                own => own,
            };
            let resource = kinds.get(object.group(), object.version(), object.kind());
            let path = resource.map(|it| it.one(namespace, object.name()));
            async move {
                let answer = match path {
                    Some(path) => server
                        .ask(&Ask::get(path))
                        .await
                        .map(|it| it.is_success().then_some(it.body)),
                    None => Ok(None),
                };
                (object, answer)
            }
        })
        .buffered(AT_ONCE);
    let mut found = Status::default();
    while let Some((object, answer)) = answers.next().await {
        match answer {
            Ok(Some(live)) => {
                let live = Node::from_json(live);
                found.conditions.extend(conditions(&live));
                found.addresses.extend(addresses(&live));
            }
            Ok(None) => found.absent.push(object.identity().to_string()),
            Err(error) => {
                let ends = error.ends_all();
                found.failures.push(error);
                if ends {
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// The conditions that a live object carries: on itself, on its listeners, and on each parent (`status.parents` of
/// routes, `status.ancestors` of policies).
pub fn conditions(object: &Node) -> Vec<Condition> {
    let json = object.to_json();
    let status = &json["status"];
    let namespace = text(&json["metadata"]["namespace"]);
    let mut found = Vec::new();
    let mut add = |on: On, which: String, conditions: &Json| {
        for condition in items(conditions) {
            found.push(Condition {
                kind: text(&json["kind"]),
                namespace: namespace.clone(),
                name: text(&json["metadata"]["name"]),
                on,
                which: which.clone(),
                type_: text(&condition["type"]),
                status: text(&condition["status"]),
                reason: text(&condition["reason"]),
                message: text(&condition["message"]),
            });
        }
    };
    add(On::Object, String::new(), &status["conditions"]);
    for listener in items(&status["listeners"]) {
        add(
            On::Listener,
            text(&listener["name"]),
            &listener["conditions"],
        );
    }
    for (list, reference) in [("parents", "parentRef"), ("ancestors", "ancestorRef")] {
        for parent in items(&status[list]) {
            add(
                On::Parent,
                which(&parent[reference], &namespace),
                &parent["conditions"],
            );
        }
    }
    found
}

/// `NAMESPACE/NAME/SECTION` of a reference. Without a namespace it is the object's own, but a GatewayClass has none.
fn which(reference: &Json, own: &str) -> String {
    let namespace = match reference["namespace"].as_str() {
        Some(namespace) => namespace,
        None if reference["kind"] == "GatewayClass" => "",
        None => own,
    };
    format!(
        "{namespace}/{}/{}",
        text(&reference["name"]),
        text(&reference["sectionName"])
    )
}

/// The addresses that a live gateway got.
pub fn addresses(object: &Node) -> Vec<Address> {
    let json = object.to_json();
    if json["kind"] != "Gateway" {
        return Vec::new();
    }
    let address = |address: &Json| Address {
        namespace: text(&json["metadata"]["namespace"]),
        name: text(&json["metadata"]["name"]),
        value: text(&address["value"]),
    };
    items(&json["status"]["addresses"])
        .iter()
        .map(address)
        .collect()
}

impl Condition {
    /// As `gatewayctl/status/v1` has it.
    pub fn json(&self) -> Json {
        json!({
            "kind": self.kind, "namespace": self.namespace, "name": self.name, "on": self.on.as_str(),
            "which": self.which, "type": self.type_, "status": self.status, "reason": self.reason,
            "message": self.message,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(reason: &str) -> Json {
        json!({"type": "Accepted", "status": "True", "reason": reason, "message": "m"})
    }

    #[test]
    fn conditions_say_what_they_are_on() {
        let gateway = json!({"kind": "Gateway", "metadata": {"namespace": "network", "name": "a"}, "status": {
            "addresses": [{"type": "IPAddress", "value": "10.10.30.26"}],
            "conditions": [condition("A")], "listeners": [{"name": "https", "conditions": [condition("B")]}]}});
        let route = json!({"kind": "HTTPRoute", "metadata": {"namespace": "dev", "name": "b"}, "status": {"parents": [
            {"parentRef": {"name": "a", "namespace": "network", "sectionName": "https"}, "conditions": [condition("C")]},
            {"parentRef": {"name": "c"}, "conditions": [condition("D")]}]}});
        let policy = json!({"kind": "EnvoyPatchPolicy", "metadata": {"namespace": "network", "name": "d"}, "status": {
            "ancestors": [{"ancestorRef": {"kind": "GatewayClass", "name": "e"}, "conditions": [condition("E")]}]}});
        let shown: Vec<String> = [&gateway, &route, &policy]
            .into_iter()
            .flat_map(|it| conditions(&Node::from_json(it.clone())))
            .map(|it| {
                format!(
                    "{} {}/{} {} {:?} {}",
                    it.kind,
                    it.namespace,
                    it.name,
                    it.on.as_str(),
                    it.which,
                    it.reason
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "Gateway network/a object \"\" A",
                "Gateway network/a listener \"https\" B",
                "HTTPRoute dev/b parent \"network/a/https\" C",
                "HTTPRoute dev/b parent \"dev/c/\" D",
                "EnvoyPatchPolicy network/d parent \"/e/\" E",
            ]
        );
        let addresses = addresses(&Node::from_json(gateway));
        assert_eq!(
            addresses.first().map(|it| it.value.as_str()),
            Some("10.10.30.26")
        );
    }
}
