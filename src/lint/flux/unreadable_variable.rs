//! Texts on which Flux's variable substitution fails.

use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;

manifest::code! {
    "flux"/"unreadable-variable", Error, "A text on which Flux's variable substitution fails.",
    r#"
Flux treats every `${` as the start of a variable. It must be followed by a name of letters, digits and `_`,
and then by `}` or an operator such as `:=`. At anything else, such as a shell array or the end of a regular
expression, the substitution fails, and nothing from the Flux Kustomization is applied. Write `$${`, or
disable substitution for the object.

## Wrong

```yaml
kind: ConfigMap
data:
  run.sh: |
    hosts=(a b)
    echo "${hosts[0]}"
```

## Right

```yaml
kind: ConfigMap
data:
  run.sh: |
    hosts=(a b)
    echo "$${hosts[0]}"
```
"#
}

/// Names the beginning of the text that Flux can't parse.
pub(crate) fn message(text: &str, at: usize) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let end = line.find('}').map_or(line.len(), |end| end + 1);
    let shown: String = line.get(..end).unwrap_or(line).chars().take(24).collect();
    format!("Flux can't parse `{shown}`")
}

/// Adds the consequences and what to do about it. `flux` is the Flux Kustomization that substitutes.
pub(crate) fn explained(one: Diagnostic, flux: &Object) -> Diagnostic {
    let pointer = Pointer::root().key("spec").key("postBuild");
    one.related(flux.span(&pointer), format!("{} substitutes here", flux.name()))
        .why("its substitution fails, so nothing of the Flux Kustomization is applied")
        .help("write `$${` for a literal `${`, or annotate the object with `kustomize.toolkit.fluxcd.io/substitute: disabled`")
}
