//! Flux's post-build substitution with the values in the cluster (kustomize-controller 1.9, which supports the
//! expressions of `envsubst`).

use std::collections::{BTreeMap, BTreeSet};

use flux_repo::SUBSTITUTE;
use manifest::diagnostic::Sources;
use manifest::value::{Node, variable};
use manifest::{read, write};

/// The values of variables.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// The values by name.
    pub values: BTreeMap<String, String>,
    /// The names whose values come from Secrets.
    pub secret: BTreeSet<String>,
}

/// An object after substitution.
#[derive(Clone, Debug)]
pub struct Substituted {
    /// The object.
    pub node: Node,
    /// The strings in it that come from Secrets.
    pub secrets: BTreeSet<String>,
}

/// Replaces the variables in the YAML of an object, so a value may become a number.
///
/// # Errors
/// Which expression has no known value, or that the text is not YAML any more.
pub fn substitute(node: &Node, variables: &Variables) -> Result<Substituted, String> {
    let mut secrets = BTreeSet::new();
    let untouched = |secrets| Substituted {
        node: node.clone(),
        secrets,
    };
    let marked = |kind: &str| {
        node.path(&["metadata", kind, SUBSTITUTE])
            .and_then(Node::as_str)
    };
    if marked("labels") == Some("disabled") || marked("annotations") == Some("disabled") {
        return Ok(untouched(secrets));
    }
    let text = write::document(node);
    if !variable::in_text(&text) {
        return Ok(untouched(secrets));
    }
    let text = expand(&text, variables, &mut secrets, DEEPEST)?;
    let mut sources = Sources::default();
    let id = sources.add("", text.as_str());
    let (documents, problems) = read::read(&sources, id);
    match (documents.into_iter().next(), problems.is_empty()) {
        (Some(document), true) => Ok(Substituted {
            node: document.node,
            secrets,
        }),
        _ => Err("after substitution it is not valid YAML".to_owned()),
    }
}

/// How deeply variables may be nested in default values.
const DEEPEST: usize = 32;

/// Replaces the variables in a text.
fn expand(
    text: &str,
    variables: &Variables,
    secrets: &mut BTreeSet<String>,
    levels: usize,
) -> Result<String, String> {
    let Some(levels) = levels.checked_sub(1) else {
        return Err(format!("variables are nested more than {DEEPEST} times"));
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(escaped) = from.strip_prefix("$$") {
            out.push('$');
            rest = escaped;
            continue;
        }
        match variable::end(from) {
            Some(length) => {
                let (whole, after) = from.split_at(length);
                let inner = whole.get(2..length - 1).unwrap_or_default();
                out.push_str(&value(inner, variables, secrets, levels)?);
                rest = after;
            }
            None => {
                out.push('$');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// The value of the expression between the braces.
fn value(
    inner: &str,
    variables: &Variables,
    secrets: &mut BTreeSet<String>,
    levels: usize,
) -> Result<String, String> {
    let end = inner
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let known = variables.values.get(name);
    let given = known.filter(|value| !value.is_empty());
    let or = |known: Option<&String>, default: &str, secrets: &mut BTreeSet<String>| match known {
        Some(value) => Ok(value.clone()),
        None => expand(default, variables, secrets, levels),
    };
    let text = match rest.split_at_checked(2) {
        Some((":-" | ":=", default)) => or(given, default, secrets)?,
        _ => match rest.split_at_checked(1) {
            None => known.cloned().ok_or_else(|| unknown(name))?,
            Some(("-" | "=", default)) => or(known, default, secrets)?,
            Some(("/", _)) => {
                let known = known.ok_or_else(|| unknown(name))?;
                replaced(known, rest.get(1..).unwrap_or_default())
            }
            _ => {
                let known = known.ok_or_else(|| unknown(name))?;
                match rest {
                    "^^" => known.to_uppercase(),
                    ",," => known.to_lowercase(),
                    _ => {
                        return Err(format!(
                            "`${{{inner}}}` is an expression that is not supported"
                        ));
                    }
                }
            }
        },
    };
    if variables.secret.contains(name) && !text.is_empty() {
        secrets.insert(text.clone());
    }
    Ok(text)
}

fn unknown(name: &str) -> String {
    format!("`${{{name}}}` has no value in `postBuild`, here or in the cluster, and no default")
}

/// `a/b` after the first slash replaces the first `a` by `b`; `/a/b` replaces all of them.
fn replaced(text: &str, how: &str) -> String {
    let (every, how) = match how.strip_prefix('/') {
        Some(rest) => (true, rest),
        None => (false, how),
    };
    let (from, to) = how.split_once('/').unwrap_or((how, ""));
    match (from.is_empty(), every) {
        (true, _) => text.to_owned(),
        (false, true) => text.replace(from, to),
        (false, false) => text.replacen(from, to, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variables() -> Variables {
        let values = [("DOMAIN", "example.com"), ("PORT", "443"), ("EMPTY", "")];
        Variables {
            values: values
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            secret: BTreeSet::from(["DOMAIN".to_owned()]),
        }
    }

    #[test]
    fn values_take_the_place_of_variables_and_may_become_numbers() {
        let node = Node::from_json(json!({
            "host": "a.${DOMAIN}", "name": "${DOMAIN/./-}-tls", "port": "${PORT}", "none": "${EMPTY:=x}",
            "kept": "$${DOMAIN}", "nested": "${MISSING:-${PORT}}", "plain": "$1", "upper": "${DOMAIN^^}",
        }));
        let done = substitute(&node, &variables()).expect("known");
        assert_eq!(
            done.node.to_json(),
            json!({
                "host": "a.example.com", "name": "example-com-tls", "port": 443, "none": "x",
                "kept": "${DOMAIN}", "nested": 443, "plain": "$1", "upper": "EXAMPLE.COM",
            })
        );
        let secrets: Vec<&str> = done.secrets.iter().map(String::as_str).collect();
        assert_eq!(secrets, ["EXAMPLE.COM", "example-com", "example.com"]);
    }

    #[test]
    fn what_has_no_value_is_no_empty_text() {
        let of = |text: &str| substitute(&Node::from_json(json!({"a": text})), &variables());
        assert!(of("${MISSING}").is_err_and(|why| why.contains("`${MISSING}` has no value")));
        assert!(of("${DOMAIN#x}").is_err_and(|why| why.contains("not supported")));
    }

    #[test]
    fn variables_in_each_other_have_a_bound() {
        let nested = format!("{}x{}", "${A:-".repeat(10_000), "}".repeat(10_000));
        let of = substitute(&Node::from_json(json!({"a": nested})), &variables());
        assert!(of.is_err_and(|why| why.contains("are nested more than")));
    }

    #[test]
    fn an_object_may_be_left_as_it_is() {
        let node = Node::from_json(json!({
            "metadata": {"annotations": {SUBSTITUTE: "disabled"}}, "data": {"a": "${MISSING}"}}));
        let done = substitute(&node, &variables()).expect("untouched");
        assert_eq!(done.node, node);
    }
}
