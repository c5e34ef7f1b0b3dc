//! The texts in which Flux substitutes variables.

use super::{replaced_in_script, unreadable_variable};
use crate::lint::words::{any_text, each_text};
use crate::lint::{Applied, LintContext};
use flux_repo::{DeliveryPath, FLUX, GeneratedObject, KeyContent, Substitutes, is_left_as_it_is};
use manifest::diagnostic::{Diagnostic, SourceId, Span};
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

/// Checks everything that is applied by Flux Kustomizations with substitution.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for one in context.all() {
        let Some((flux, given)) = substituting(context, one.way) else {
            continue;
        };
        if is_left_as_it_is(one.object, one.way) {
            continue;
        }
        let mut at = Pointer::root();
        each_text(&one.written.node, &mut at, &mut |pointer, text| {
            if text.contains("${") {
                found.extend(in_object(&one, flux, given, pointer, text));
            }
        });
    }
    for generated in context.delivery.generated() {
        let map = &generated.generator;
        let way = generated.ways.first();
        if map.kind == "Secret" || way.is_some_and(|way| map.is_left_as_it_is(way)) {
            continue;
        }
        found.extend(in_files(context, generated, way));
    }
    found
}

/// The Flux Kustomization that applies an object, if it substitutes something.
fn substituting<'a>(
    context: &LintContext<'a>,
    way: Option<&DeliveryPath>,
) -> Option<(&'a Object, &'a Substitutes)> {
    context
        .substitutes(way)
        .filter(|(_, given)| given.is_something())
}

fn in_object(
    one: &Applied<'_>,
    flux: &Object,
    given: &Substitutes,
    pointer: &Pointer,
    text: &str,
) -> Option<Diagnostic> {
    let stops = variable::all(text).find(|variable| !variable.is_readable);
    if let Some(stops) = stops {
        let message = unreadable_variable::message(text, stops.at);
        let found = finding(unreadable_variable::CODE, one.written, pointer, message);
        return Some(unreadable_variable::explained(found, flux));
    }
    let name = replaced_in_script::own_variable(text, given)?;
    let is_lua =
        one.object.kind() == "EnvoyExtensionPolicy" || pointer.to_string().ends_with(".lua");
    let message = replaced_in_script::message(name);
    let found = finding(replaced_in_script::CODE, one.written, pointer, message);
    Some(replaced_in_script::explained(found, flux, is_lua))
}

/// What is generated from files.
fn in_files(
    context: &LintContext<'_>,
    generated: &GeneratedObject,
    way: Option<&DeliveryPath>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(by) = context.objects.get(generated.by) else {
        return found;
    };
    let Some((flux, given)) = substituting(context, way) else {
        return found;
    };
    for (_, content) in &generated.generator.keys {
        let KeyContent::File(path) = content else {
            continue;
        };
        let Some(source) = context.texts.get(path) else {
            continue;
        };
        let text = context.sources.get(*source).text();
        let stops = variable::all(text).find(|variable| !variable.is_readable);
        let own = replaced_in_script::own_variable(text, given);
        let one = match (stops, own) {
            (Some(stops), _) => {
                let message = unreadable_variable::message(text, stops.at);
                let one = Diagnostic::new(unreadable_variable::CODE, message);
                unreadable_variable::explained(placed(one, path, *source, text, stops.at), flux)
            }
            (None, Some(name)) => {
                let at = variable::all(text)
                    .find(|one| one.name == name)
                    .map_or(0, |one| one.at);
                let message = replaced_in_script::message(name);
                let one = Diagnostic::new(replaced_in_script::CODE, message);
                let one = placed(one, path, *source, text, at);
                replaced_in_script::explained(one, flux, path.ends_with(".lua"))
            }
            (None, None) => continue,
        };
        found.push(one.related(
            by.span(&generated.generator.pointer),
            format!(
                "the ConfigMap {} is made of it here",
                generated.generator.name
            ),
        ));
    }
    found
}

fn placed(one: Diagnostic, path: &str, source: SourceId, text: &str, at: usize) -> Diagnostic {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.find(['}', '\n']).map_or(rest.len(), |end| end + 1);
    one.at(Span::new(source, at, at + end)).in_file(path)
}

/// Whether an object may change Flux Kustomizations when the API server gets them: a mutating webhook, a policy, or the
/// release of a chart that installs one (such as kustomize-mutating-webhook, which adds `postBuild` to all of them).
pub(super) fn may_change_kustomizations(object: &Object) -> bool {
    const POLICIES: [(&str, &str); 5] = [
        (
            "admissionregistration.k8s.io",
            "MutatingWebhookConfiguration",
        ),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
        ("kyverno.io", "ClusterPolicy"),
        ("kyverno.io", "Policy"),
        ("policies.kyverno.io", "MutatingPolicy"),
    ];
    let is_about_them =
        |text: &str| text == "*" || text == FLUX || text.to_lowercase().contains("kustomization");
    let is_policy = POLICIES.contains(&(object.group(), object.kind()));
    is_policy && any_text(&object.node, &mut { is_about_them })
        || object.kind() == "HelmRelease" && object.name().contains("mutating-webhook")
}

#[cfg(test)]
pub mod tests {
    use super::may_change_kustomizations;
    use crate::lint::support::found_in;
    use flux_repo::fixture::tree;

    #[test]
    fn only_what_is_about_kustomizations_may_change_them() {
        let may = |text: &str| {
            let tree = tree(&format!("# a.yaml\n{text}"));
            may_change_kustomizations(&tree.objects[0])
        };
        let webhook = |resource: &str| {
            format!(
                "apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {{name: a}}
webhooks: [{{rules: [{{apiGroups: [a], resources: [{resource}]}}]}}]
"
            )
        };
        assert!(may(&webhook("kustomizations")));
        assert!(may(&webhook("'*'")));
        assert!(!may(&webhook("pods")));
        let release =
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: NAME}\n";
        assert!(may(&release.replace("NAME", "kustomize-mutating-webhook")));
        assert!(!may(&release.replace("NAME", "app")));
    }

    /// A Flux Kustomization `apps` of the folder `app`, with a kustomization that lists `x.yaml`.
    pub fn delivered(post_build: &str, x: &str) -> String {
        format!(
            "
# ks.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: apps, namespace: flux-system}}
spec:
  path: ./app
  targetNamespace: network
  {post_build}
# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [x.yaml]
configMapGenerator:
  - name: scripts
    files: [block.lua]
# app/x.yaml
{x}"
        )
    }

    pub const SUBSTITUTES: &str = "postBuild: {substitute: {DOMAIN: example.com}}";

    #[test]
    fn scripts_and_dashboards_keep_their_own_variables() {
        let script = |text: &str| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  run.sh: |\n    target=/x\n    {text}\n"
            )
        };
        let says = |post_build: &str, x: &str| found_in(&delivered(post_build, x));
        let own = script("cp a ${target}");
        assert_eq!(
            says(SUBSTITUTES, &own),
            [
                "warning flux/replaced-in-script app/x.yaml:6 Flux replaces ${target}, which is a variable of the text itself"
            ]
        );
        assert_eq!(says("", &own), [""; 0]);
        assert_eq!(
            says(SUBSTITUTES, &script("cp a $${target} ${DOMAIN}")),
            [""; 0]
        );
        let left = own.replace(
            "name: a}",
            "name: a, annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}",
        );
        assert_eq!(says(SUBSTITUTES, &left), [""; 0]);
        assert_eq!(
            says(SUBSTITUTES, &script("echo ${hosts[0]} x")),
            ["error flux/unreadable-variable app/x.yaml:6 Flux can't parse `${hosts[0]}`"]
        );
        let nothing = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n# app/block.lua\nlocal name = 1\nreturn \"${name}\"\n";
        assert_eq!(
            says(SUBSTITUTES, nothing),
            [
                "error flux/replaced-in-script app/block.lua:2 Flux replaces ${name}, which is a variable of the text itself"
            ]
        );
    }
}
