//! Discovery: which kinds the server serves, and at which paths.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

use super::AT_ONCE;
use super::answer::shown;
use super::error::Error;
use super::server::{Ask, Server};

/// Aggregated discovery (Kubernetes 1.30), or the older form of it.
const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// A form of discovery answers.
struct Form {
    /// The kind of the answer.
    kind: &'static str,
    /// The name of its list.
    list: &'static str,
    /// Whether a value is a valid entry of that list.
    is_entry: fn(&Json) -> bool,
    /// Whether the list may be empty. Every server serves something, but not in every version.
    may_be_empty: bool,
}

/// The forms in which a server lists its groups.
const ROOTS: &[Form] = &[
    Form {
        kind: "APIGroupDiscoveryList",
        list: "items",
        is_entry: |it| it["metadata"].is_object() && it["versions"].is_array(),
        may_be_empty: false,
    },
    Form {
        kind: "APIVersions",
        list: "versions",
        is_entry: Json::is_string,
        may_be_empty: false,
    },
    Form {
        kind: "APIGroupList",
        list: "groups",
        is_entry: |it| it["versions"].is_array(),
        may_be_empty: false,
    },
];

/// The form in which it lists the kinds of one group and version.
const RESOURCES: &[Form] = &[Form {
    kind: "APIResourceList",
    list: "resources",
    is_entry: |it| it["name"].is_string() && it["kind"].is_string(),
    may_be_empty: true,
}];

impl Form {
    fn is_of(&self, answer: &Json) -> bool {
        let entries = answer[self.list].as_array();
        let is_list = entries.is_some_and(|entries| {
            entries.iter().all(self.is_entry) && (self.may_be_empty || !entries.is_empty())
        });
        answer["kind"] == self.kind && is_list
    }
}

/// Asks what the server serves, and returns the answer with its form. Anything else is an error: in particular, it
/// doesn't mean that the server serves nothing.
async fn tell(server: &Server, ask: &Ask, forms: &[Form]) -> Result<(&'static str, Json), Error> {
    let answer = server.ask(ask).await?;
    if !answer.is_success() {
        return Err(server.other(ask, &answer));
    }
    match forms.iter().find(|form| form.is_of(&answer.body)) {
        Some(form) => Ok((form.kind, answer.body)),
        None => {
            let problem = format!(
                "{} and {} instead of the list of what it serves",
                answer.status,
                shown(&answer.body)
            );
            Err(server.unusable(ask, problem))
        }
    }
}

/// A kind as the server serves it in one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// Its name in paths.
    pub plural: String,
    /// Whether its objects are namespaced.
    pub namespaced: bool,
    /// The supported verbs: `list`, `patch`, …
    pub verbs: Vec<String>,
}

impl Resource {
    fn root(&self) -> String {
        match self.group.as_str() {
            "" => format!("/api/{}", escaped(&self.version)),
            group => format!("/apis/{}/{}", escaped(group), escaped(&self.version)),
        }
    }

    /// The path of all objects in a namespace. If the kind is cluster-scoped or `namespace` is empty, of all objects.
    pub fn all(&self, namespace: &str) -> String {
        let (root, plural) = (self.root(), escaped(&self.plural));
        if self.namespaced && !namespace.is_empty() {
            format!("{root}/namespaces/{}/{plural}", escaped(namespace))
        } else {
            format!("{root}/{plural}")
        }
    }

    /// The path of one object.
    pub fn one(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.all(namespace), escaped(name))
    }
}

/// A component of a path or a query, percent-encoded, because names may contain anything.
pub fn escaped(part: &str) -> String {
    utf8_percent_encode(part, ESCAPED).to_string()
}

/// All but RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// All kinds that a server serves.
#[derive(Clone, Debug, Default)]
pub struct Kinds {
    by_kind: BTreeMap<(String, String), Vec<Resource>>,
}

impl Kinds {
    /// Asks the server, with two requests, or one for each group and version if the server is old.
    ///
    /// # Errors
    /// If it doesn't answer.
    pub async fn of(server: &Server) -> Result<Self, Error> {
        let mut kinds = Kinds::default();
        for path in ["/api", "/apis"] {
            let (form, answer) = tell(server, &Ask::get(path).accept(AGGREGATED), ROOTS).await?;
            if form == "APIGroupDiscoveryList" {
                kinds.add_aggregated(&answer);
                continue;
            }
            let lists: Vec<(&str, Json)> = stream::iter(group_versions(&answer))
                .map(|path| async move { tell(server, &Ask::get(path), RESOURCES).await })
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
            lists.iter().for_each(|(_, list)| kinds.add_list(list));
        }
        Ok(kinds)
    }

    /// The kind in a version, if it is served.
    pub fn get(&self, group: &str, version: &str, kind: &str) -> Option<&Resource> {
        self.versions(group, kind)
            .iter()
            .find(|it| it.version == version)
    }

    /// The versions in which a kind is served, the preferred one first.
    pub fn versions(&self, group: &str, kind: &str) -> &[Resource] {
        let key = (group.to_owned(), kind.to_owned());
        self.by_kind.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Every kind once, in its preferred version.
    pub fn preferred(&self) -> impl Iterator<Item = &Resource> {
        self.by_kind
            .values()
            .filter_map(|versions| versions.first())
    }

    fn add(&mut self, resource: Resource) {
        let key = (resource.group.clone(), resource.kind.clone());
        let versions = self.by_kind.entry(key).or_default();
        if versions.iter().all(|it| it.version != resource.version) {
            versions.push(resource);
        }
    }

    fn add_aggregated(&mut self, list: &Json) {
        for group in items(&list["items"]) {
            for version in items(&group["versions"]) {
                for resource in items(&version["resources"]) {
                    self.add(Resource {
                        group: text(&group["metadata"]["name"]),
                        version: text(&version["version"]),
                        kind: text(&resource["responseKind"]["kind"]),
                        plural: text(&resource["resource"]),
                        namespaced: resource["scope"] == "Namespaced",
                        verbs: items(&resource["verbs"]).iter().map(text).collect(),
                    });
                }
            }
        }
    }

    fn add_list(&mut self, list: &Json) {
        let of = text(&list["groupVersion"]);
        let (group, version) = of.split_once('/').unwrap_or(("", &of));
        for resource in items(&list["resources"]) {
            let plural = text(&resource["name"]);
            // Subresources are skipped.
            if plural.contains('/') {
                continue;
            }
            self.add(Resource {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: text(&resource["kind"]),
                plural,
                namespaced: resource["namespaced"] == true,
                verbs: items(&resource["verbs"]).iter().map(text).collect(),
            });
        }
    }
}

/// The paths of all versions of the groups, each group's preferred version first.
fn group_versions(list: &Json) -> Vec<String> {
    let core = items(&list["versions"])
        .iter()
        .map(|it| format!("/api/{}", text(it)));
    let groups = items(&list["groups"]).iter().flat_map(|group| {
        let preferred = text(&group["preferredVersion"]["groupVersion"]);
        let mut all: Vec<String> = items(&group["versions"])
            .iter()
            .map(|it| text(&it["groupVersion"]))
            .collect();
        all.sort_by_key(|it| *it != preferred);
        all.into_iter().map(|it| format!("/apis/{it}"))
    });
    core.chain(groups).collect()
}

/// The elements of a list; none if it is not a list.
pub fn items(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// A string; empty if it is not a string.
pub fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_forms_of_discovery_tell_the_same() {
        let aggregated = json!({"items": [{"metadata": {"name": "example.com"}, "versions": [
            {"version": "v1", "resources": [{"resource": "widgets", "scope": "Namespaced",
                "responseKind": {"kind": "Widget"}, "verbs": ["list", "patch"],
                "subresources": [{"subresource": "status"}]}]}]}]});
        let list = json!({"groupVersion": "example.com/v1", "resources": [
            {"name": "widgets", "kind": "Widget", "namespaced": true, "verbs": ["list", "patch"]},
            {"name": "widgets/status", "kind": "Widget", "namespaced": true, "verbs": ["get"]}]});
        let (mut a, mut b) = (Kinds::default(), Kinds::default());
        a.add_aggregated(&aggregated);
        b.add_list(&list);
        assert_eq!(a.by_kind, b.by_kind);
        let widget = a.get("example.com", "v1", "Widget").expect("a kind");
        assert_eq!(
            widget.one("dev", "a/../b"),
            "/apis/example.com/v1/namespaces/dev/widgets/a%2F..%2Fb"
        );
        assert!(a.get("example.com", "v2", "Widget").is_none());
    }

    #[test]
    fn the_core_group_and_the_preferred_version_come_first() {
        let core = json!({"versions": ["v1"]});
        assert_eq!(group_versions(&core), ["/api/v1"]);
        let groups = json!({"groups": [{"preferredVersion": {"groupVersion": "a/v2"},
            "versions": [{"groupVersion": "a/v1"}, {"groupVersion": "a/v2"}]}]});
        assert_eq!(group_versions(&groups), ["/apis/a/v2", "/apis/a/v1"]);
    }
}
