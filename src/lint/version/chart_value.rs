//! Helm values that the `gateway-helm` chart doesn't read.
//!
//! The chart has no schema for its values, and the controller ignores unknown keys in its configuration, so neither
//! of them reports a typo.

use std::sync::LazyLock;

use crate::lint::LintContext;
use envoy_gateway::controller::ControllerRelease;
use envoy_gateway::controller::release::values_pointer;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::finding_on_key;
use manifest::value::pointer::Step;
use manifest::value::{Map, Node, Pointer};

manifest::code! {
    "version"/"chart-value", Warning, "A Helm value that the chart does not read.",
    r#"
Neither the `gateway-helm` chart of this version nor the controller reads this value. Both ignore it silently,
so the intended setting has no effect.

## Wrong

```yaml
kind: HelmRelease
spec:
  values:
    config: { envoyGateway: { provider: { kubernetes: { deploymentMode: GatewayNamespace } } } }
```

## Right

```yaml
kind: HelmRelease
spec:
  values:
    config: { envoyGateway: { provider: { type: Kubernetes, kubernetes: { deploy: { type: GatewayNamespace } } } } }
```
"#
}

/// A Helm value that the chart reads.
struct Value {
    path: Vec<&'static str>,
    /// The first minor version that reads it.
    since: (u64, u64),
    /// The last minor version that reads it, if later ones don't.
    last: Option<(u64, u64)>,
}

/// The maximum number of places that a finding suggests.
const MOST_PLACES: usize = 3;

/// Shorter keys are not compared with the ends of longer keys.
const SHORTEST_END: usize = 6;

/// All values that at least one version reads.
static VALUES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let lines = include_str!("gateway-helm.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    lines.filter_map(value).collect()
});

/// The minor versions that the table covers.
const KNOWN: std::ops::RangeInclusive<(u64, u64)> = (1, 5)..=(1, 9);

fn value(line: &'static str) -> Option<Value> {
    let mut parts = line.split_whitespace();
    let path = parts.next()?.split('.').collect();
    let minor = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    Some(Value {
        path,
        since: minor(parts.next()?)?,
        last: parts.next().and_then(minor),
    })
}

impl Value {
    fn is_read_by(&self, version: (u64, u64)) -> bool {
        self.since <= version && self.last.is_none_or(|last| version <= last)
    }
}

/// Reports values that the chart version in force doesn't read.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for chart in context.controllers() {
        let version = context.minor_in_force(chart);
        let Some(version) = version.filter(|version| KNOWN.contains(version)) else {
            continue;
        };
        let values = chart.release.node.at(&values_pointer());
        if let Some(values) = values.and_then(Node::as_map) {
            let mut walk = Walk {
                chart,
                version,
                found: &mut found,
            };
            walk.map(values, &mut Vec::new());
        }
    }
    found
}

struct Walk<'a, 'c> {
    chart: &'a ControllerRelease<'c>,
    version: (u64, u64),
    found: &'a mut Vec<Diagnostic>,
}

impl Walk<'_, '_> {
    fn map<'v>(&mut self, map: &'v Map, path: &mut Vec<&'v str>) {
        for (key, value) in map.iter() {
            path.push(key);
            let read = VALUES.iter().filter(|it| it.is_read_by(self.version));
            let mut is_known = false;
            let mut is_whole = false;
            for known in read {
                is_known |= known.path.starts_with(path);
                is_whole |= known.path.len() <= path.len() && path.starts_with(&known.path);
            }
            match (is_known || is_whole, value.as_map()) {
                (false, _) => self.unread(path),
                (true, Some(below)) if !is_whole => self.map(below, path),
                _ => {}
            }
            path.pop();
        }
    }

    fn unread(&mut self, path: &[&str]) {
        let pointer = path
            .iter()
            .fold(values_pointer(), |at: Pointer, key| at.key(*key));
        let (major, minor) = self.version;
        let name = path.join(".");
        let message = format!("the chart of Envoy Gateway {major}.{minor} has no value `{name}`");
        let finding = finding_on_key(CODE, self.chart.release, &pointer, message)
            .why("the value is silently ignored, and the chart's default stays in effect")
            .help(self.instead(path));
        self.found.push(finding);
    }

    /// Suggests what was probably meant: a value of another version, the same key at another place, or a similar key.
    fn instead(&self, path: &[&str]) -> String {
        let (last, above) = path.split_last().unwrap_or((&"", &[]));
        if let Some(other) = VALUES.iter().find(|it| it.path.starts_with(path)) {
            let (major, minor) = other.since;
            return match other.since > self.version {
                true => format!("move to Envoy Gateway {major}.{minor}, or remove it"),
                false => "remove it; only earlier versions have it".to_owned(),
            };
        }
        let read = || VALUES.iter().filter(|it| it.is_read_by(self.version));
        let places = self.places(path);
        let siblings: Vec<&str> = read()
            .filter(|it| it.path.starts_with(above))
            .filter_map(|it| it.path.get(above.len()).copied())
            .collect();
        let is_start = |known: &&&str| known.len() >= 4 && last.starts_with(**known);
        let meant = nearest(last, siblings.iter().copied())
            .or_else(|| siblings.iter().find(is_start).copied());
        match (meant, places.as_slice()) {
            (Some(meant), _) => match self.below(above, meant) {
                Some(below) => format!("write `{meant}:` with {below} below it"),
                None => format!("write `{meant}`"),
            },
            (None, []) => format!("remove it; the values here are {}", listed(siblings)),
            (None, places) => format!("write it as {}", places.join(" or ")),
        }
    }

    /// The places where the chart reads a similar value: its last key is the same or ends with this one, and the keys
    /// below this one are read there, too. Places in the controller's configuration come last.
    fn places(&self, path: &[&str]) -> Vec<String> {
        let mut pointer = values_pointer();
        path.iter()
            .for_each(|key| pointer.push(Step::Key((*key).to_owned())));
        let value = self.chart.release.node.at(&pointer);
        let below = value.and_then(Node::as_map);
        let last = path.last().copied().unwrap_or_default();
        let is_alike = |key: &str| {
            let is_end = last.len() >= SHORTEST_END && key.len() > last.len();
            key == last || is_end && key.to_lowercase().ends_with(&last.to_lowercase())
        };
        let fits = |known: &Value, at: usize| match (below, known.path.get(at + 1)) {
            (Some(below), Some(next)) => below.contains_key(next),
            (None, Some(_)) => false,
            (_, None) => true,
        };
        let read = VALUES.iter().filter(|it| it.is_read_by(self.version));
        let found = read.filter_map(|known| {
            let mut keys = known.path.iter().enumerate();
            let (at, _) = keys.find(|(at, key)| is_alike(key) && fits(known, *at))?;
            known.path.get(..=at)
        });
        let mut found: Vec<&[&str]> = found.collect();
        found.dedup();
        if found.iter().any(|place| place.first() != Some(&"config")) {
            found.retain(|place| place.first() != Some(&"config"));
        }
        found.truncate(MOST_PLACES);
        let shown = found.iter().map(|place| format!("`{}`", place.join(".")));
        shown.collect()
    }

    /// The keys below a value that was probably meant; `None` if the chart doesn't look deeper.
    fn below(&self, above: &[&str], meant: &str) -> Option<String> {
        let keys = VALUES.iter().filter(|it| it.is_read_by(self.version));
        let keys = keys.filter(|it| it.path.starts_with(above));
        let keys = keys.filter(|it| it.path.get(above.len()) == Some(&meant));
        let keys: Vec<&str> = keys
            .filter_map(|it| it.path.get(above.len() + 1).copied())
            .collect();
        (!keys.is_empty()).then(|| listed(keys))
    }
}

fn listed(keys: Vec<&str>) -> String {
    let mut keys = keys;
    keys.dedup();
    let shown: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::found;

    fn told(version: &str, values: &str) -> Vec<(String, String)> {
        let release = format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway}}
spec:
  chart: {{spec: {{chart: gateway-helm, version: {version}, sourceRef: {{kind: HelmRepository, name: x}}}}}}
  values: {values}
"
        );
        let found = found(check, version, &[("app/release.yaml", &release)]);
        let pairs = found
            .into_iter()
            .map(|one| (one.message, one.help.unwrap_or_default()));
        pairs.collect()
    }

    #[test]
    fn what_the_chart_reads_is_not_told() {
        for values in [
            "{global: {imageRegistry: mirror.example.com}}",
            "{config: {envoyGateway: {provider: {type: Kubernetes, kubernetes: {deploy: {type: GatewayNamespace}}}}}}",
            "{config: {envoyGateway: {logging: {level: {default: debug}}}}}",
            "{deployment: {envoyGateway: {resources: {limits: {memory: 1Gi}}}, pod: {labels: {a: b}}}}",
            "{config: {envoyGateway: {extensionApis: {enableBackend: true}}}, hpa: {enabled: true, metrics: []}}",
        ] {
            assert_eq!(told("1.9.0", values), [], "{values}");
        }
    }

    #[test]
    fn what_it_does_not_read_is_told_with_what_was_meant() {
        let one = |values: &str| told("1.9.0", values).pop().unwrap_or_default();
        assert_eq!(
            one(
                "{config: {envoyGateway: {provider: {kubernetes: {deploymentMode: GatewayNamespace}}}}}"
            ),
            (
                "the chart of Envoy Gateway 1.9 has no value \
                 `config.envoyGateway.provider.kubernetes.deploymentMode`"
                    .to_owned(),
                "write `deploy:` with `type` below it".to_owned()
            )
        );
        assert_eq!(
            one("{resources: {limits: {memory: 1Gi}}}").1,
            "write it as `certgen.job.resources` or `deployment.envoyGateway.resources`"
        );
        assert_eq!(one("{deployment: {replica: 2}}").1, "write `replicas`");
    }

    #[test]
    fn what_a_later_chart_reads_is_told_with_its_version() {
        let lua = "{config: {envoyGateway: {extensionApis: {enableLua: true}}}}";
        assert_eq!(told("1.9.0", lua), []);
        let (_, help) = told("1.8.3", lua).pop().unwrap_or_default();
        assert_eq!(help, "move to Envoy Gateway 1.9, or remove it");
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("gateway-helm.txt").lines();
        let lines = lines.filter(|line| !line.starts_with('#')).count();
        assert_eq!(VALUES.len(), lines);
        assert!(VALUES.iter().all(|it| KNOWN.contains(&it.since)));
    }
}
