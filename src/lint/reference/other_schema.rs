//! Comments that give an editor the schema of another kind.

use crate::lint::LintContext;
use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "reference"/"other-schema", Note, "A `$schema` comment that names another kind than the document's.",
    r#"
The comment tells an editor which schema to check the document with, and this one is for another kind. The editor then
marks right fields as wrong, and completes fields that the kind doesn't have. Kubernetes ignores the comment.

## Wrong

```yaml
# yaml-language-server: $schema=https://example.com/helm.toolkit.fluxcd.io/helmrelease_v2.json
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
```

## Right

```yaml
# yaml-language-server: $schema=https://example.com/source.toolkit.fluxcd.io/ocirepository_v1.json
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
```

To disable this check: `gatewayctl validate --ignore reference/other-schema`.
"#
}

/// What precedes the address of a schema in a comment.
const COMMENT: &str = "yaml-language-server: $schema=";

/// Reports comments for another kind.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let objects = context.objects.iter();
    objects
        .filter_map(|object| other_kind(context, object))
        .collect()
}

fn other_kind(context: &LintContext<'_>, object: &Object) -> Option<Diagnostic> {
    let span = object.span(&Pointer::root())?;
    let text = context.sources.get(span.source).text();
    let before = text.get(..usize::try_from(span.start).ok()?)?;
    // The comments above a document begin after the end of the previous one.
    let start = before.rfind("\n---").map_or(0, |at| at + 1);
    let at = start + before.get(start..)?.find(COMMENT)? + COMMENT.len();
    let address = text.get(at..)?.split_whitespace().next()?;
    let kind = kind_of(address)?;
    if kind == object.kind().to_lowercase() {
        return None;
    }
    let message = format!(
        "the `$schema` comment is for another kind, `{kind}`, and the document is of kind {}",
        object.kind()
    );
    let place = Span {
        start: u32::try_from(at).ok()?,
        end: u32::try_from(at + address.len()).ok()?,
        ..span
    };
    Some(
        finding(CODE, object, &Pointer::root(), message)
            .at(place)
            .why("the editor marks right fields as wrong, and doesn't see wrong ones")
            .help("write the address of the schema of the document's kind, or remove the comment"),
    )
}

/// The kind, in lower case, that the address of a schema in a public catalogue names: `KIND_VERSION.json`, or
/// `KIND-GROUP-VERSION.json`.
fn kind_of(address: &str) -> Option<&str> {
    let name = address.rsplit('/').next()?.strip_suffix(".json")?;
    let is_version = |text: &str| {
        let mut rest = text.chars();
        rest.next() == Some('v') && rest.next().is_some_and(|c| c.is_ascii_digit())
    };
    let kind = match name.rsplit_once('_') {
        Some((kind, version)) if is_version(version) => kind,
        Some(_) => return None,
        None => {
            let (kind, rest) = name.split_once('-')?;
            let (group, version) = rest.split_once('-')?;
            if group.is_empty() || !is_version(version) {
                return None;
            }
            kind
        }
    };
    let is_kind = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase());
    is_kind.then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;

    #[test]
    fn a_comment_for_another_kind_is_noted() {
        let says = |schema: &str| {
            let text = format!(
                "---
# yaml-language-server: $schema=https://example.com/{schema}
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {{name: a}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        for wrong in [
            "helm.toolkit.fluxcd.io/helmrelease_v2.json",
            "helmrelease-helm-v2.json",
        ] {
            assert_eq!(
                says(wrong),
                [
                    "note reference/other-schema : the `$schema` comment is for another kind, `helmrelease`, and the document is of kind OCIRepository"
                ]
            );
        }
        for right in [
            "ocirepository_v1.json",
            "ocirepository-source-v1.json",
            "all.json",
            "my_schema.json",
        ] {
            assert_eq!(says(right), [""; 0], "{right}");
        }
    }
}
