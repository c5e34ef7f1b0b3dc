//! Which CustomResourceDefinitions may replace those that are installed.

use manifest::value::Node;

/// The annotation with the channel of a Gateway API definition (Gateway API 1.0).
const CHANNEL: &str = "gateway.networking.k8s.io/channel";
/// The annotation with the version of a Gateway API definition.
const BUNDLE: &str = "gateway.networking.k8s.io/bundle-version";

/// Which unsafe replacements are allowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allow {
    /// Removing a version in which objects may be stored.
    pub downgrade: bool,
    /// Replacing the experimental channel, if it is in use, by the standard one.
    pub channel: bool,
}

/// Why a definition may not replace another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It lacks versions in which objects are stored, so the server could not read these objects any more.
    DropsStored {
        /// The definition.
        name: String,
        /// The versions.
        versions: Vec<String>,
    },
    /// It is of the standard channel, the installed one is of the experimental channel, and there are objects of the
    /// kind. Their experimental fields would be lost.
    Standard {
        /// The definition.
        name: String,
    },
}

impl Refusal {
    /// What is wrong, why, and what to do about it, as text for the user.
    pub fn told(&self) -> String {
        match self {
            Refusal::DropsStored { name, versions } => {
                let (versions, verb) = (
                    versions.join(", "),
                    if versions.len() == 1 { "is" } else { "are" },
                );
                format!(
                    "{name}: {versions}, in which objects are stored, {verb} not in the new definition\n  \
                     why: the API server couldn't read these objects any more\n  \
                     help: install a release that has {versions}, or migrate the objects first and remove it from \
                     `status.storedVersions`; `--allow-downgrade` applies it anyway"
                )
            }
            Refusal::Standard { name } => format!(
                "{name}: the installed definition is from the experimental channel and in use, but the new one is from the standard channel\n  \
                 why: experimental fields of existing objects would be lost\n  \
                 help: apply the experimental channel; `--allow-standard` applies it anyway"
            ),
        }
    }
}

/// Why `wanted` may not replace `live`. `in_use` says whether there are objects of the kind.
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

/// Whether the answer depends on whether there are objects of the kind.
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

/// The version and channel of a Gateway API definition, for messages; empty for other definitions.
pub fn release(crd: &Node) -> String {
    match (annotation(crd, BUNDLE), annotation(crd, CHANNEL)) {
        (Some(version), Some(channel)) => format!(" ({version}, {channel})"),
        _ => String::new(),
    }
}

/// The definition as it is applied: without its status, which the server sets.
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

/// Whether the server serves it; else the condition that prevents it, if there is one.
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
        problem.map_or("the server has not processed it yet".to_owned(), |it| {
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
