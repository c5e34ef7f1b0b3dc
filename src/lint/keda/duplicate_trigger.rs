//! Triggers of a ScaledObject with the same name.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use envoy_gateway::read::{list, text};
use manifest::diagnostic::Diagnostic;
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "keda"/"duplicate-trigger", Error, "Two triggers of a ScaledObject with the same name.",
    r#"
The names of triggers are optional, but those that there are must differ: formulas in `scalingModifiers` use them. KEDA
refuses a ScaledObject with the same name twice, and nothing is scaled.

## Wrong

```yaml
triggers:
  - { type: cpu, name: load, metricType: Utilization, metadata: { value: "70" } }
  - { type: memory, name: load, metricType: Utilization, metadata: { value: "80" } }
```

## Right

```yaml
triggers:
  - { type: cpu, name: cpu, metricType: Utilization, metadata: { value: "70" } }
  - { type: memory, name: memory, metricType: Utilization, metadata: { value: "80" } }
```
"#
}

/// Reports the second trigger of each name.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let scaled = context.of_kind("keda.sh", "ScaledObject");
    let found = scaled.flat_map(|one| twice(one.object)).collect();
    super::once_for_each_setting(found)
}

fn twice(object: &Object) -> Vec<Diagnostic> {
    let place = Pointer::root().key("spec").key("triggers");
    let mut seen = BTreeSet::new();
    let triggers = list(&object.node, &["spec", "triggers"]).iter().enumerate();
    let found = triggers.filter_map(|(at, trigger)| {
        let name = text(trigger, &["name"])?;
        let is_new = variable::in_text(name) || seen.insert(name);
        (!is_new).then(|| {
            let message = format!("{} has two triggers with the name `{name}`", object.name());
            finding(CODE, object, &place.index(at).key("name"), message)
                .why("KEDA refuses the object, so nothing is scaled")
                .help("give each trigger a name of its own, or remove the names")
        })
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn triggers_have_different_names() {
        let says = |names: &str| {
            let text = format!(
                "apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: web, namespace: web}}
spec: {{triggers: [{names}]}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(says("{type: cpu}, {type: memory}"), [""; 0]);
        assert_eq!(
            says("{type: cpu, name: a}, {type: memory, name: b}"),
            [""; 0]
        );
        assert_eq!(
            says("{type: cpu, name: a}, {type: memory, name: a}"),
            [
                "error keda/duplicate-trigger /spec/triggers/1/name: web has two triggers with the name `a`"
            ]
        );
    }
}
