//! How the library names what it creates, and which Services and ports it means.

use super::super::{Install, is_off};
use crate::read::{flag, int, text};
use manifest::value::{Node, variable};

/// The longest name that the library makes from the release's.
const LONGEST: usize = 63;

/// A Service in the values.
pub(super) struct Resource<'v> {
    id: &'v str,
    pub(super) node: &'v Node,
    /// Its name in the cluster; `None` if it is not known.
    pub(super) name: Option<String>,
}

/// The Services of a release.
pub(super) struct Services<'v> {
    all: Vec<Resource<'v>>,
}

impl<'v> Services<'v> {
    pub(super) fn of(install: &Install<'_, 'v>) -> Self {
        let services = enabled(install.values.get("service"));
        let is_only = services.len() == 1;
        let all = services.into_iter().map(|(id, node)| Resource {
            id,
            node,
            name: name(install, id, node, is_only),
        });
        Services { all: all.collect() }
    }

    pub(super) fn all(&self) -> &[Resource<'v>] {
        &self.all
    }

    /// The Service with an identifier.
    pub(super) fn get(&self, id: &str) -> Option<&Resource<'v>> {
        self.all.iter().find(|it| it.id == id)
    }

    /// The Service that is the default, because there is no other.
    pub(super) fn only(&self) -> Option<&Resource<'v>> {
        match self.all.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// The entries of a map of the values that are maps themselves and not disabled.
pub(super) fn enabled(all: Option<&Node>) -> Vec<(&str, &Node)> {
    let entries = all
        .and_then(Node::as_map)
        .into_iter()
        .flat_map(|it| it.iter());
    entries
        .filter(|(_, node)| node.as_map().is_some() && !is_off(node))
        .collect()
}

/// The number of a Service's primary port: the one that is marked, else the first by name.
pub(super) fn primary_port(service: &Resource<'_>) -> Option<i64> {
    let mut ports = enabled(service.node.get("ports"));
    ports.retain(|(_, port)| port.get("port").is_some());
    ports.sort_by_key(|(name, _)| *name);
    let marked = ports
        .iter()
        .find(|(_, port)| flag(port, &["primary"]) == Some(true));
    let (_, port) = marked.or(ports.first())?;
    int(port, &["port"])
}

/// The name of a resource; `None` if it is not known. `is_only` says that it is the only one of its kind.
pub(super) fn name(
    install: &Install<'_, '_>,
    id: &str,
    node: &Node,
    is_only: bool,
) -> Option<String> {
    let given = |key| text(node, &[key]).map(|it| install.fill.text(it));
    if let Some(name) = given("forceRename") {
        return Some(name.to_lowercase());
    }
    let mut name = fullname(install)?;
    if let Some(prefix) = given("prefix").filter(|prefix| *prefix != name) {
        name = format!("{prefix}-{name}");
    }
    let always = ["global", "alwaysAppendIdentifierToResourceName"];
    if !is_only || flag(install.values, &always) == Some(true) {
        if name == id {
            // Only newer versions leave out an identifier that equals the name.
            return None;
        }
        name = with_suffix(name, id);
    }
    if let Some(suffix) = given("suffix") {
        name = with_suffix(name, &suffix);
    }
    Some(name.to_lowercase())
}

fn with_suffix(name: String, suffix: &str) -> String {
    match name.ends_with(&format!("-{suffix}")) {
        true => name,
        false => format!("{name}-{suffix}"),
    }
}

/// The name that those of all resources begin with: that of the release if nothing overrides it.
fn fullname(install: &Install<'_, '_>) -> Option<String> {
    let global = |key| text(install.values, &["global", key]);
    let full = global("fullnameOverride").or(text(install.values, &["fullnameOverride"]));
    // The chart sets `global.nameOverride` to the release's name, so `nameOverride` has no effect.
    let name = match (full, global("nameOverride")) {
        (Some(full), _) => full.to_owned(),
        (None, Some(name)) if !install.fill.name.contains(name) => {
            format!("{}-{name}", install.fill.name)
        }
        _ => install.fill.name.clone(),
    };
    let is_plain = !name.contains("{{") && name.is_ascii() && !variable::in_text(&name);
    let cut = &name[..name.len().min(if is_plain { LONGEST } else { 0 })];
    is_plain.then(|| cut.strip_suffix('-').unwrap_or(cut).to_owned())
}
