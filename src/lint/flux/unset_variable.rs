//! Variables that nothing sets.

use std::collections::{BTreeMap, HashMap};

use super::replaced_in_script::own_variable;
use super::substitution::may_change_kustomizations;
use super::variables_at_hand::{VariablesAtHand, variables_at_hand};
use crate::lint::LintContext;
use crate::lint::words::{any_text, each_text};
use flux_repo::{KeyContent, Substitutes, is_left_as_it_is};
use manifest::diagnostic::suggest::{MOST_COMPARED, listed, misspelt, nearest, slip};
use manifest::diagnostic::{Diagnostic, Severity, Span};
use manifest::value::{Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "flux"/"unset-variable", Error, "A Flux variable that nothing sets.",
    r#"
A manifest contains a variable without a default, and neither `substitute` nor a ConfigMap or Secret in
`substituteFrom` of its Flux Kustomization has it. Since kustomize-controller 1.9, which substitutes strictly, the
substitution fails, and nothing of the Flux Kustomization is applied. Before, the variable becomes an empty string.
This is reported only if all sources are among the manifests (the keys of a Secret that SOPS has encrypted can be
read), no patch adds variables, and no webhook or policy of the cluster may add some.

## Wrong

```yaml
kind: Kustomization
spec:
  postBuild:
    substitute:
      SECRET_DOMAIN: example.com
---
kind: HTTPRoute
spec:
  hostnames: ["web.${SECRET_DOMIAN}"]
```

## Right

```yaml
kind: Kustomization
spec:
  postBuild:
    substitute:
      SECRET_DOMAIN: example.com
---
kind: HTTPRoute
spec:
  hostnames: ["web.${SECRET_DOMAIN}"]
```
"#
}

/// A variable in one Flux Kustomization: where it is used first, and how often besides.
struct Unset {
    first: Diagnostic,
    others: usize,
}

/// Reports each variable that nothing sets once for each Flux Kustomization.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    if context
        .all()
        .any(|one| may_change_kustomizations(one.object))
    {
        return Vec::new();
    }
    let mut known: HashMap<usize, Option<VariablesAtHand>> = HashMap::new();
    let mut unset: BTreeMap<(usize, String), Unset> = BTreeMap::new();
    let mut order = Vec::new();
    let mut add = |flux: usize, name: &str, one: &dyn Fn() -> Diagnostic| {
        let key = (flux, name.to_owned());
        match unset.get_mut(&key) {
            Some(there) => there.others += 1,
            None => {
                order.push(key.clone());
                let first = one();
                unset.insert(key, Unset { first, others: 0 });
            }
        }
    };
    let all = texts(context);
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in all.iter().flat_map(|text| without_default(text.text)) {
        *uses.entry(name).or_default() += 1;
    }
    let mut slips = Vec::new();
    for text in all {
        let at_hand = known
            .entry(text.flux)
            .or_insert_with(|| variables_at_hand(context, text.flux, text.given));
        let Some(at_hand) = at_hand else {
            slips.extend(slipped(context, &text, &uses));
            continue;
        };
        // Another rule reports the variables of scripts.
        if !text.text.contains("${") || own_variable(text.text, text.given).is_some() {
            continue;
        }
        for (name, at) in without_default(text.text) {
            if !at_hand.names.contains(name) && is_told(at_hand, name) {
                add(text.flux, name, &|| {
                    explained(text.found(name, at), text.by, name, at_hand)
                });
            }
        }
    }
    let told = order.into_iter().filter_map(|key| {
        let Unset { mut first, others } = unset.remove(&key)?;
        match others {
            0 => {}
            1 => first.message.push_str(", here and in one more place"),
            _ => first
                .message
                .push_str(&format!(", here and in {others} more places")),
        }
        Some(first)
    });
    told.chain(slips).collect()
}

/// How often a variable must be used for another one to be taken as a slip of it.
const OFTEN: usize = 3;

/// Variables whose sources are not given, which are used only once, and of which a similar one is used often.
fn slipped(
    context: &LintContext<'_>,
    text: &SubstitutedText<'_>,
    uses: &BTreeMap<&str, usize>,
) -> Vec<Diagnostic> {
    let often = uses.iter().filter(|(_, uses)| **uses >= OFTEN);
    let often: Vec<&str> = often.map(|(name, _)| *name).take(MOST_COMPARED).collect();
    let found = without_default(text.text)
        .into_iter()
        .filter(|(name, _)| uses.get(name) == Some(&1) && !text.given.given.contains_key(*name));
    found
        .filter_map(|(name, at)| {
            let meant = slip(name, often.iter().copied())?;
            (!is_key(context, name)).then(|| {
                text.found(name, at)
                    .severity(Severity::Warning)
                    .why("no other place uses it, and its sources are not among the manifests; a variable that nothing sets stops the whole Flux Kustomization")
                    .help(format!("did you mean `${{{meant}}}`?"))
            })
        })
        .collect()
}

/// Whether an object has a variable of this name, or makes one.
fn is_key(context: &LintContext<'_>, name: &str) -> bool {
    let kinds = [
        "ConfigMap",
        "Secret",
        "ExternalSecret",
        "SealedSecret",
        "Kustomization",
    ];
    let mut objects = kinds.iter().flat_map(|kind| context.given_of(kind));
    objects.any(|object| any_text(&object.node, &mut |text: &str| text == name))
}

/// Whether a missing variable is reported. What applies the Flux Kustomization may add variables, if it is not given. A
/// name that is a misspelling of a known one is wrong even then.
fn is_told(at_hand: &VariablesAtHand, name: &str) -> bool {
    at_hand.is_sure || misspelt(name, compared(at_hand)).is_some()
}

fn compared(at_hand: &VariablesAtHand) -> impl Iterator<Item = &str> {
    at_hand.names.iter().map(String::as_str).take(MOST_COMPARED)
}

/// A text in which Flux substitutes.
struct SubstitutedText<'a> {
    flux: usize,
    by: &'a Object,
    given: &'a Substitutes,
    text: &'a str,
    place: Place<'a>,
}

enum Place<'a> {
    Object(&'a Object, Pointer),
    File(&'a str, manifest::diagnostic::SourceId),
}

impl SubstitutedText<'_> {
    fn found(&self, name: &str, at: usize) -> Diagnostic {
        let message = format!("nothing sets the variable `{name}`");
        match &self.place {
            Place::Object(object, pointer) => finding(CODE, object, pointer, message),
            Place::File(file, source) => {
                let rest = self.text.get(at..).unwrap_or_default();
                let end = rest.find(['}', '\n']).map_or(rest.len(), |end| end + 1);
                let span = Span::new(*source, at, at + end);
                Diagnostic::new(CODE, message).at(span).in_file(*file)
            }
        }
    }
}

/// All texts in which Flux Kustomizations substitute variables.
fn texts<'a>(context: &LintContext<'a>) -> Vec<SubstitutedText<'a>> {
    let mut all = Vec::new();
    for one in context.all() {
        let flux = one.way.and_then(|way| way.flux);
        let (Some(flux), Some((by, given))) = (flux, context.substitutes(one.way)) else {
            continue;
        };
        if !given.is_something() || is_left_as_it_is(one.object, one.way) {
            continue;
        }
        let mut at = Pointer::root();
        each_text(&one.written.node, &mut at, &mut |pointer, text| {
            if text.contains("${") {
                all.push(SubstitutedText {
                    flux,
                    by,
                    given,
                    text,
                    place: Place::Object(one.written, pointer.clone()),
                });
            }
        });
    }
    for generated in context.delivery.generated() {
        let map = &generated.generator;
        let Some(way) = generated.ways.first() else {
            continue;
        };
        let (Some(flux), Some((by, given))) = (way.flux, context.substitutes(Some(way))) else {
            continue;
        };
        if map.kind == "Secret" || !given.is_something() || map.is_left_as_it_is(way) {
            continue;
        }
        for (_, content) in &map.keys {
            let KeyContent::File(file) = content else {
                continue;
            };
            let Some((file, source)) = context.texts.get_key_value(file) else {
                continue;
            };
            all.push(SubstitutedText {
                flux,
                by,
                given,
                text: context.sources.get(*source).text(),
                place: Place::File(file, *source),
            });
        }
    }
    all
}

/// The variables of a text that have no default, each once, with its position.
fn without_default(text: &str) -> Vec<(&str, usize)> {
    let mut found: Vec<(&str, usize)> = Vec::new();
    let all: Vec<_> = variable::all(text).collect();
    // Flux can't read a text with such a variable, which another rule reports.
    if all.iter().any(|one| !one.is_readable) {
        return found;
    }
    for one in all.iter().filter(|one| one.depth == 0) {
        let inner = text.get(one.at + 2..one.end).unwrap_or_default();
        let operator = inner.strip_prefix(one.name).unwrap_or_default();
        let has_default = operator.starts_with('=')
            || [":=", ":-", ":+", ":?"]
                .iter()
                .any(|it| operator.starts_with(it));
        if !has_default && !found.iter().any(|(name, _)| *name == one.name) {
            found.push((one.name, one.at));
        }
    }
    found
}

fn explained(one: Diagnostic, by: &Object, name: &str, at_hand: &VariablesAtHand) -> Diagnostic {
    let help = match nearest(name, compared(at_hand)) {
        Some(meant) => format!("did you mean `${{{meant}}}`?"),
        None if at_hand.names.is_empty() => {
            format!("add `{name}` to `postBuild.substitute` of {}", by.name())
        }
        None => format!(
            "add `{name}` to `postBuild.substitute` of {}, or write `$${{{name}}}` if it is not meant for Flux; there are {}",
            by.name(),
            listed(at_hand.names.iter())
        ),
    };
    let pointer = Pointer::root().key("spec").key("postBuild");
    one.related(by.span(&pointer), format!("the variables of {} come from here", by.name()))
        .why(format!(
            "since kustomize-controller 1.9, the substitution fails, and nothing of the Flux Kustomization {} is applied; before, the variable becomes an empty string",
            by.name()
        ))
        .help(help)
}

#[cfg(test)]
mod tests {
    use crate::lint::flux::substitution::tests::{SUBSTITUTES, delivered};
    use crate::lint::support::found_in;

    const FROM: &str = "postBuild: {substituteFrom: [{kind: Secret, name: settings}]}";

    fn route(text: &str) -> String {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: a, namespace: network}}\nspec: {{hostnames: ['{text}']}}\n"
        )
    }

    #[test]
    fn a_misspelt_variable_is_reported() {
        let says = |text: &str| found_in(&delivered(SUBSTITUTES, &route(text)));
        let told = |name: &str| {
            [format!(
                "error flux/unset-variable app/x.yaml:4 nothing sets the variable `{name}`"
            )]
        };
        assert_eq!(says("a.${DOMAIM}"), told("DOMAIM"));
        assert_eq!(says("a.${DOMAIM/./-}"), told("DOMAIM"));
        assert_eq!(says("a.${DOMAIN}"), [""; 0]);
        assert_eq!(says("a.${DOMAIM:=example.org}"), [""; 0]);
        assert_eq!(says("a.$${DOMAIM}"), [""; 0]);
        assert_eq!(says("a.${OTHER}"), [""; 0], "a patch may add it");
        assert_eq!(found_in(&delivered("", &route("a.${DOMAIM}"))), [""; 0]);
    }

    #[test]
    fn all_sources_must_be_known() {
        let settings = "# settings.yaml
apiVersion: v1
kind: Secret
metadata: {name: settings, namespace: flux-system}
stringData: {DOMAIN: 'ENC[AES256_GCM,data:x]'}
sops: {mac: x}
";
        let says = |post_build: &str, beside: &str, text: &str| {
            found_in(&format!("{}{beside}", delivered(post_build, &route(text))))
        };
        let told = [
            "error flux/unset-variable app/x.yaml:4 nothing sets the variable `OTHER`".to_owned(),
        ];
        assert_eq!(says(FROM, settings, "${OTHER}"), told);
        assert_eq!(says(FROM, settings, "${DOMAIN}"), [""; 0]);
        assert_eq!(says(FROM, "", "${OTHER}"), [""; 0]);
        let elsewhere = settings.replace("namespace: flux-system", "namespace: other");
        assert_eq!(says(FROM, &elsewhere, "${OTHER}"), [""; 0]);
    }
}
