//! Flux Kustomizations that depend on each other in a circle.

use super::dependencies::{Dependency, Dependent, dependent_releases};
use crate::lint::LintContext;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::MOST_LISTED;
use manifest::finding;

manifest::code! {
    "flux"/"circular-dependency", Error, "Flux Kustomizations or HelmReleases that depend on each other in a circle.",
    r#"
Flux Kustomizations or HelmReleases depend on each other in a circle. Flux applies one only when all its
dependencies are ready, so it applies none of these, and their changes never reach the cluster.

## Wrong

```yaml
metadata:
  name: envoy-gateway
spec:
  dependsOn:
    - name: certificates
---
metadata:
  name: certificates
spec:
  dependsOn:
    - name: envoy-gateway
```

## Right

```yaml
metadata:
  name: envoy-gateway
spec:
  dependsOn:
    - name: certificates
```
"#
}

/// Reports each circle once, at its first member.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = circles(context.dependents());
    found.extend(circles(&dependent_releases(context)));
    found
}

fn circles(all: &[Dependent<'_>]) -> Vec<Diagnostic> {
    let mut state = vec![State::New; all.len()];
    let mut found = Vec::new();
    for start in 0..all.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        if state.get(start) != Some(&State::New) {
            continue;
        }
        set(&mut state, start, State::OnTheWay(0));
        while let Some((at, next)) = path.last_mut() {
            let need = all.get(*at).and_then(|one| one.needs.get(*next));
            *next += 1;
            let Some(need) = need else {
                set(&mut state, *at, State::Done);
                path.pop();
                continue;
            };
            let Some(to) = need.found else { continue };
            match state.get(to) {
                Some(State::New) => {
                    set(&mut state, to, State::OnTheWay(path.len()));
                    path.push((to, 0));
                }
                Some(State::OnTheWay(from)) => found.extend(circle(all, &path, *from)),
                _ => {}
            }
        }
    }
    found
}

/// The state of an object during the search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// It is in the current path, at this index.
    OnTheWay(usize),
    Done,
}

fn set(all: &mut [State], at: usize, state: State) {
    if let Some(slot) = all.get_mut(at) {
        *slot = state;
    }
}

/// The circle that is closed if the last member of a path depends on the one at `from`.
fn circle(all: &[Dependent<'_>], path: &[(usize, usize)], from: usize) -> Option<Diagnostic> {
    let circle = path.get(from..)?;
    let members: Vec<(&Dependent, &Dependency)> = circle
        .iter()
        .take(MOST_LISTED)
        .filter_map(|(at, next)| {
            let one = all.get(*at)?;
            Some((one, one.needs.get(next.checked_sub(1)?)?))
        })
        .collect();
    let (first, need) = members.first()?;
    let name = first.of.object.name();
    let message = if members.len() == 1 {
        format!("{name} depends on itself")
    } else {
        let names: Vec<&str> = members
            .iter()
            .map(|(one, _)| one.of.object.name())
            .collect();
        match circle.len() - members.len() {
            0 => format!("{} wait for each other", names.join(", ")),
            others => format!(
                "{} and {others} others wait for each other",
                names.join(", ")
            ),
        }
    };
    let mut one = finding(CODE, first.of.object, &need.pointer, message)
        .why("Flux applies none of them, because each waits until another is ready")
        .help(
            "remove one of these dependencies; a health check can wait for a single object instead",
        );
    for (other, need) in members.iter().skip(1) {
        one = one.related(
            other.of.object.span(&need.pointer),
            format!("{} waits for {}", other.of.object.name(), need.name),
        );
    }
    Some(one)
}

#[cfg(test)]
mod tests {
    use crate::lint::flux::dependencies::tests::ks;
    use crate::lint::support::found_in;

    #[test]
    fn flux_kustomizations_do_not_wait_for_each_other() {
        let parts = [
            ks("a", "dependsOn: [{name: b}, {name: c}]"),
            ks("b", "dependsOn: [{name: c}]"),
            ks("c", "dependsOn: [{name: a}]"),
            ks("d", "dependsOn: [{name: d}]"),
        ];
        assert_eq!(
            found_in(&format!("{}\n", parts.concat())),
            [
                "error flux/circular-dependency net/a.yaml:6 a, b, c wait for each other",
                "error flux/circular-dependency net/d.yaml:6 d depends on itself",
            ]
        );
    }
}
