//! Which CustomResourceDefinitions may take the place of those that are installed.

use manifest::value::Node;

/// The channel of a Gateway API definition (Gateway API 1.0).
const CHANNEL: &str = "gateway.networking.k8s.io/channel";
/// The version of a Gateway API definition.
const BUNDLE: &str = "gateway.networking.k8s.io/bundle-version";

/// What is allowed beyond what is safe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allow {
    /// Dropping a version in which objects may be stored.
    pub downgrade: bool,
    /// The standard channel over an experimental one that is in use.
    pub channel: bool,
}

/// Why a definition may not take another's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It lacks versions in which objects are stored: the server could not read them any more.
    DropsStored {
        /// The definition.
        name: String,
        /// The versions.
        versions: Vec<String>,
    },
    /// It is of the standard channel, the installed one of the experimental, and objects of the kind are there:
    /// their experimental fields would be dropped.
    Standard {
        /// The definition.
        name: String,
    },
}

impl Refusal {
    /// What is wrong, why, and what to do, for people.
    pub fn told(&self) -> String {
        match self {
            Refusal::DropsStored { name, versions } => {
                let (versions, verb) = (
                    versions.join(", "),
                    if versions.len() == 1 { "is" } else { "are" },
                );
                format!(
                    "{name}: {versions}, in which objects are stored, {verb} not in the new definition\n  \
                     why: the API server could not read these objects any more\n  \
                     help: install a release that has {versions}, or move the objects first and take it out of \
                     `status.storedVersions`; `--allow-downgrade` sends it anyway"
                )
            }
            Refusal::Standard { name } => format!(
                "{name}: the installed definition is of the experimental channel and in use, the new one of the standard\n  \
                 why: experimental fields of the objects that are there would be dropped\n  \
                 help: apply the experimental channel; `--allow-standard` sends it anyway"
            ),
        }
    }
}

/// Whether `wanted` may not take the place of `live`. `in_use` says whether objects of the kind are there.
pub fn refusal(live: &Node, wanted: &Node, in_use: bool, allow: Allow) -> Option<Refusal> {
    let name = name(wanted);
    let has: Vec<&str> = versions(wanted).collect();
    let stored = live
        .path(&["status", "storedVersions"])
        .and_then(Node::as_list);
    let stored = stored.unwrap_or_default().iter().filter_map(Node::as_str);
    let dropped: Vec<String> = stored
        .filter(|version| !has.contains(version))
        .map(str::to_owned)
        .collect();
    if !dropped.is_empty() && !allow.downgrade {
        return Some(Refusal::DropsStored {
            name,
            versions: dropped,
        });
    }
    let is_step_down = annotation(live, CHANNEL) == Some("experimental")
        && annotation(wanted, CHANNEL) == Some("standard");
    (is_step_down && in_use && !allow.channel).then_some(Refusal::Standard { name })
}

/// Whether it has to be known if objects of the kind are there.
pub fn asks_for_use(live: &Node, wanted: &Node) -> bool {
    annotation(live, CHANNEL) != annotation(wanted, CHANNEL)
}

/// The versions of a definition.
fn versions(crd: &Node) -> impl Iterator<Item = &str> {
    let versions = crd.path(&["spec", "versions"]).and_then(Node::as_list);
    versions
        .unwrap_or_default()
        .iter()
        .filter_map(|it| it.get("name")?.as_str())
}

/// The path of the objects of a definition, in the version in which they are stored.
pub fn objects_path(crd: &Node) -> Option<String> {
    let text = |path: &[&str]| crd.path(path).and_then(Node::as_str);
    let versions = crd.path(&["spec", "versions"]).and_then(Node::as_list)?;
    let served = versions
        .iter()
        .find(|it| it.get("served").and_then(Node::as_bool) == Some(true))?;
    let version = served.get("name")?.as_str()?;
    Some(format!(
        "/apis/{}/{version}/{}",
        text(&["spec", "group"])?,
        text(&["spec", "names", "plural"])?
    ))
}

/// The name of a definition.
pub fn name(crd: &Node) -> String {
    let name = crd.path(&["metadata", "name"]).and_then(Node::as_str);
    name.unwrap_or_default().to_owned()
}

fn annotation<'a>(crd: &'a Node, key: &str) -> Option<&'a str> {
    crd.path(&["metadata", "annotations", key])?.as_str()
}

/// The version and channel of a Gateway API definition, for people; empty of any other.
pub fn release(crd: &Node) -> String {
    match (annotation(crd, BUNDLE), annotation(crd, CHANNEL)) {
        (Some(version), Some(channel)) => format!(" ({version}, {channel})"),
        _ => String::new(),
    }
}

/// The definition as it is applied: without its status, which is the server's.
pub fn applied(mut crd: Node) -> Node {
    if let Some(map) = crd.as_map_mut() {
        map.remove("status");
        if let Some(metadata) = map.get_mut("metadata").and_then(Node::as_map_mut) {
            for key in [
                "creationTimestamp",
                "generation",
                "managedFields",
                "resourceVersion",
                "uid",
            ] {
                metadata.remove(key);
            }
        }
    }
    crd
}

/// Whether the server serves it; else the condition that is in the way, as far as there is one.
pub fn established(crd: &Node) -> Result<(), String> {
    let conditions = crd
        .path(&["status", "conditions"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    let text = |condition: &Node, key: &str| {
        condition
            .get(key)
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let is = |kind: &str, status: &str| {
        conditions
            .iter()
            .find(|it| text(it, "type") == kind && text(it, "status") == status)
    };
    if is("Established", "True").is_some() {
        return Ok(());
    }
    let problem = is("NamesAccepted", "False").or(is("NonStructuralSchema", "True"));
    Err(
        problem.map_or("the server has not got to it yet".to_owned(), |it| {
            format!("{}: {}", text(it, "reason"), text(it, "message"))
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn crd(versions: &[&str], channel: &str, stored: &[&str]) -> Node {
        let versions: Vec<_> = versions
            .iter()
            .map(|name| json!({"name": name, "served": true}))
            .collect();
        Node::from_json(
            json!({"metadata": {"name": "widgets.example.com", "annotations": {CHANNEL: channel}},
            "spec": {"group": "example.com", "names": {"plural": "widgets"}, "versions": versions},
            "status": {"storedVersions": stored}}),
        )
    }

    #[test]
    fn what_would_lose_objects_or_fields_is_refused() {
        let (both, all) = (
            Allow::default(),
            Allow {
                downgrade: true,
                channel: true,
            },
        );
        let old = crd(&["v1"], "standard", &[]);
        let stored = crd(&["v1", "v2"], "standard", &["v1", "v2"]);
        assert_eq!(
            refusal(&stored, &old, false, both),
            Some(Refusal::DropsStored {
                name: "widgets.example.com".to_owned(),
                versions: vec!["v2".to_owned()]
            })
        );
        assert_eq!(refusal(&stored, &old, false, all), None);
        assert_eq!(
            refusal(&crd(&["v1", "v2"], "standard", &["v1"]), &old, true, both),
            None
        );

        let experimental = crd(&["v1"], "experimental", &["v1"]);
        assert!(asks_for_use(&experimental, &old));
        assert_eq!(refusal(&experimental, &old, false, both), None);
        assert!(matches!(
            refusal(&experimental, &old, true, both),
            Some(Refusal::Standard { .. })
        ));
        assert_eq!(refusal(&experimental, &old, true, all), None);
        assert_eq!(refusal(&old, &experimental, true, both), None);
    }

    #[test]
    fn refusals_say_why_and_what_to_do() {
        let name = || "widgets.example.com".to_owned();
        let drops = Refusal::DropsStored {
            name: name(),
            versions: vec!["v2".to_owned()],
        }
        .told();
        assert!(drops.starts_with("widgets.example.com: v2, in which objects are stored, is not in the new definition\n  why: "), "{drops}");
        let standard = Refusal::Standard { name: name() }.told();
        assert!(standard.contains("--allow-standard"), "{standard}");
    }

    #[test]
    fn a_definition_is_ready_when_it_is_established() {
        let with = |conditions: serde_json::Value| {
            Node::from_json(json!({"status": {"conditions": conditions}}))
        };
        assert_eq!(
            established(&with(json!([{"type": "Established", "status": "True"}]))),
            Ok(())
        );
        let conflict = json!([{"type": "NamesAccepted", "status": "False", "reason": "KindConflict", "message": "taken"}]);
        assert_eq!(
            established(&with(conflict)),
            Err("KindConflict: taken".to_owned())
        );
        assert!(established(&with(json!([]))).is_err());
    }
}
