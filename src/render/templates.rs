//! The built-in templates, and the user's templates that replace them.

use std::collections::BTreeMap;

use crate::config::codes;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// The names and texts of the built-in templates.
        pub const BUILT_IN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../templates/", $name)))),*];
    };
}

built_in! {
    "answer.yaml.j2",
    "application.yaml.j2",
    "auth.yaml.j2",
    "backend.yaml.j2",
    "backendtlspolicy.yaml.j2",
    "backendtrafficpolicy.yaml.j2",
    "block-user-agents.lua.j2",
    "bootstrap-crds.yaml.j2",
    "certificate.yaml.j2",
    "ciliumbgpadvertisement.yaml.j2",
    "ciliumbgpclusterconfig.yaml.j2",
    "ciliumbgppeerconfig.yaml.j2",
    "ciliuml2announcementpolicy.yaml.j2",
    "ciliumloadbalancerippool.yaml.j2",
    "ciliumnetworkpolicy.yaml.j2",
    "clienttrafficpolicy.yaml.j2",
    "dnsendpoint.yaml.j2",
    "envoyextensionpolicy-lua.yaml.j2",
    "envoyproxy.yaml.j2",
    "external-route.yaml.j2",
    "gateway.yaml.j2",
    "gatewayclass.yaml.j2",
    "grafanadashboard.yaml.j2",
    "helmrelease.yaml.j2",
    "httproutefilter.yaml.j2",
    "ks.yaml.j2",
    "kustomization.yaml.j2",
    "listenerset.yaml.j2",
    "namespace-kustomization.yaml.j2",
    "namespace.yaml.j2",
    "networkpolicy.yaml.j2",
    "ocirepository.yaml.j2",
    "podmonitor.yaml.j2",
    "policy.yaml.j2",
    "redirect.yaml.j2",
    "referencegrant.yaml.j2",
    "scaledobject.yaml.j2",
    "servicemonitor.yaml.j2",
    "streamroute.yaml.j2",
    "values.yaml.j2",
}

/// The templates of one run: the built-in ones, some of which may be replaced.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    own: BTreeMap<String, (String, String)>,
}

impl Templates {
    /// Adds a template of the user, by its file name; `path` is the path to show. Returns a diagnostic if no
    /// built-in template has this name, because the file would have no effect.
    pub fn replace(&mut self, name: &str, path: &str, text: String) -> Option<Diagnostic> {
        let known = BUILT_IN.iter().map(|(name, _)| *name);
        if known.clone().any(|there| there == name) {
            self.own.insert(name.to_owned(), (path.to_owned(), text));
            return None;
        }
        let help = match nearest(name, known.clone()) {
            Some(near) => format!("rename it to `{near}`"),
            None => format!(
                "the built-in templates are {}",
                known.collect::<Vec<_>>().join(", ")
            ),
        };
        Some(
            Diagnostic::new(codes::CONFIG_TEMPLATE, format!("there is no built-in template {name}"))
                .in_file(path)
                .why("a template replaces the built-in template of the same name, so this one would have no effect")
                .help(help),
        )
    }

    /// Whether a template is replaced by the user.
    pub fn is_own(&self, name: &str) -> bool {
        self.own.contains_key(name)
    }

    /// A template's text, and its path if it is the user's own.
    pub fn get(&self, name: &str) -> Option<(&str, Option<&str>)> {
        if let Some((path, text)) = self.own.get(name) {
            return Some((text, Some(path)));
        }
        let (_, text) = BUILT_IN.iter().find(|(there, _)| *there == name)?;
        Some((text, None))
    }
}
