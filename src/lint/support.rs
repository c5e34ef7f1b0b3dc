//! Objects from YAML for the tests of the rules, and a gateway that several of them use.

use std::collections::{BTreeMap, BTreeSet};

use super::{LintContext, LintInput, RULES};
use crd_validate::schema::{Catalogue, Selection};
use flux_repo::fixture::{Tree, tree};
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::{Object, read};

/// The objects of a file.
pub fn objects(file: &str, text: &str) -> Vec<Object> {
    let mut sources = Sources::default();
    add(&mut sources, file, text)
}

fn add(sources: &mut Sources, file: &str, text: &str) -> Vec<Object> {
    let id = sources.add(file, text);
    let (documents, problems) = read::read(sources, id);
    assert_eq!(problems, [], "{file}");
    let objects = documents
        .into_iter()
        .map(|document| Object::new(document.node, file));
    objects.filter(|object| !object.kind().is_empty()).collect()
}

/// The function of a rule.
type Check = fn(&LintContext<'_>) -> Vec<Diagnostic>;

/// The findings of a rule on a tree of files, with Envoy Gateway `version` in force.
pub fn found(check: Check, version: &str, tree: &[(&str, &str)]) -> Vec<Diagnostic> {
    let mut sources = Sources::default();
    let (mut all, mut texts) = (Vec::new(), BTreeMap::new());
    for (file, text) in tree {
        if file.ends_with(".yaml") {
            all.extend(add(&mut sources, file, text));
        }
        texts.insert((*file).to_owned(), sources.add(*file, *text));
    }
    let files: BTreeSet<String> = tree.iter().map(|(file, _)| (*file).to_owned()).collect();
    let catalogue = Catalogue::embedded();
    let mut selection = Selection::newest(&catalogue);
    selection
        .declare(&catalogue, "envoy-gateway", version, None, "cluster.toml")
        .expect("a version of the catalogue");
    let input = LintInput {
        objects: &all,
        files: &files,
        walked: &[String::new()],
        texts: &texts,
        sources: &sources,
        model: None,
        rules: None,
        selection: &selection,
    };
    input.with_context(check)
}

/// The same, each finding as `severity code pointer: message`.
pub fn told(check: Check, version: &str, tree: &[(&str, &str)]) -> Vec<String> {
    let found = found(check, version, tree);
    let told = found.iter().map(|one| {
        assert!(one.why.is_some() && one.help.is_some(), "{one:?}");
        assert!(one.span.is_some(), "{one:?}");
        let pointer = one.pointer.as_deref().unwrap_or_default();
        format!(
            "{} {} {pointer}: {}",
            one.severity.as_str(),
            one.code,
            one.message
        )
    });
    told.collect()
}

/// Like [`told`], for one file, whose project is checked as `version` because the file says so.
pub fn told_without_declaring(
    check: Check,
    project: &str,
    version: &str,
    text: &str,
) -> Vec<String> {
    let mut selection = Selection::newest(&Catalogue::embedded());
    selection
        .declare(&Catalogue::embedded(), project, version, None, "a.yaml")
        .expect("a version of the catalogue");
    let tree = tree(&format!("# a.yaml\n{text}"));
    let input = LintInput {
        objects: &tree.objects,
        files: &tree.files,
        walked: &[],
        texts: &tree.texts,
        sources: &tree.sources,
        model: None,
        rules: None,
        selection: &selection,
    };
    let lines = |one: &Diagnostic| {
        let pointer = one.pointer.as_deref().unwrap_or_default();
        format!(
            "{} {} {pointer}: {}",
            one.severity.as_str(),
            one.code,
            one.message
        )
    };
    input.with_context(|context| check(context).iter().map(lines).collect())
}

/// The groups of codes that [`found_in`] shows.
const GROUPS: [&str; 3] = ["network", "flux", "keda"];

/// The findings of all rules on files, as `severity code file:line message`. In the input, a line `# path` begins each
/// file.
pub fn found_in(text: &str) -> Vec<String> {
    let tree = tree(text);
    with_context(&tree, |context| {
        let mut found = Vec::new();
        for rule in RULES {
            for one in (rule.check)(context) {
                assert!(rule.codes.contains(&one.code), "{one:?}");
                assert!(one.why.is_some() && one.help.is_some(), "{one:?}");
                found.push(one);
            }
        }
        // Nearly every tree here has a release of the chart that doesn't mention the CRDs.
        let is_shown = |one: &Diagnostic| one.code != super::flux::crds_stay_old::CODE;
        found.retain(|one| GROUPS.contains(&one.code.group()) && is_shown(one));
        let lines = found.iter().map(|one| {
            let place = one.span.map(|span| tree.sources.locate(span));
            let place = place.map_or(String::new(), |place| {
                format!("{}:{}", place.file, place.line)
            });
            format!(
                "{} {} {place} {}",
                one.severity.as_str(),
                one.code,
                one.message
            )
        });
        lines.collect()
    })
}

/// Calls `look` with a tree.
pub fn with_context<T>(tree: &Tree, look: impl Fn(&LintContext<'_>) -> T) -> T {
    let catalogue = Catalogue::embedded();
    let selection = Selection::newest(&catalogue);
    let input = LintInput {
        objects: &tree.objects,
        files: &tree.files,
        walked: &[],
        texts: &tree.texts,
        sources: &tree.sources,
        model: None,
        rules: None,
        selection: &selection,
    };
    input.with_context(look)
}

/// A chart, a class and a gateway `external` in the namespace `network`, in GatewayNamespace mode.
pub const FRONT: &str = "
# front.yaml
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway, namespace: network}
spec: {url: oci://docker.io/envoyproxy/gateway-helm}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: envoy-gateway, namespace: network}
spec:
  chartRef: {kind: OCIRepository, name: envoy-gateway}
  values: {config: {envoyGateway: {provider: {kubernetes: {deploy: {type: GatewayNamespace}}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: envoy, namespace: network}
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: envoy, namespace: network}
spec: {provider: {type: Kubernetes, kubernetes: {envoyDeployment: {replicas: 2}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  infrastructure:
    labels: {tier: front}
    annotations: {lbipam.cilium.io/ips: 10.10.30.26}
  listeners: [{name: https, port: 443, protocol: HTTPS}]
";

/// The findings on files together with [`FRONT`].
pub fn found_with_front(parts: &[&str]) -> Vec<String> {
    found_in(&format!("{FRONT}{}\n", parts.concat()))
}
