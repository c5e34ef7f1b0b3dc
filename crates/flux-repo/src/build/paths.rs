//! Paths of replacements: `spec.containers.[name=app].image` (kyaml's `PathGetter` and `PathMatcher`).

use regex::Regex;

use super::fields::{is_blank, split_path};
use super::resource::{set_value, text_of};
use manifest::value::{Kind, Node};

/// The type of a value that is created at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    List,
    Map,
}

/// Why a path can't be followed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It leads into a text, which is YAML or JSON itself.
    IntoText,
    /// Something is wrong.
    Wrong(String),
}

/// Splits a path at its dots, but not in brackets. Brackets around a key are removed; `[key=value]` keeps them.
pub(super) fn split(path: &str) -> Vec<String> {
    let mut parts = split_path(path, '.').into_iter();
    let mut steps = Vec::new();
    while let Some(part) = parts.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            steps.push(part);
            continue;
        }
        let mut whole = part;
        for more in parts.by_ref() {
            whole.push('.');
            whole.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        match whole.contains('=') {
            true => steps.push(whole),
            false => steps.push(whole.trim_matches(['[', ']']).to_owned()),
        }
    }
    steps
}

/// The key and value of a step like `[name=app]`.
fn condition(step: &str) -> Option<Result<(&str, &str), String>> {
    let inner = step.strip_prefix('[')?.strip_suffix(']')?;
    let pair = inner.split_once('=');
    Some(pair.ok_or_else(|| format!("{step} must be [key=value]")))
}

/// The value at a path, for reading.
///
/// # Errors
/// If a step has no meaning.
pub(super) fn get<'n>(node: &'n Node, path: &[String]) -> Result<Option<&'n Node>, String> {
    let mut at = node;
    for step in path
        .iter()
        .map(|step| step.trim())
        .filter(|step| !step.is_empty())
    {
        let below = match (&at.kind, condition(step)) {
            (_, Some(condition)) => {
                let (key, value) = condition?;
                let items = at.as_list().unwrap_or_default();
                items.iter().find(|item| match key {
                    "" => text_of(item).as_deref() == Some(value),
                    key => item.get(key).and_then(text_of).as_deref() == Some(value),
                })
            }
            (Kind::List(items), None) => match step {
                "-" => items.last(),
                step => {
                    let index: usize = step
                        .parse()
                        .map_err(|_| format!("{step} is no place in a list"))?;
                    items.get(index)
                }
            },
            (_, None) => at.get(step),
        };
        match below.filter(|below| !is_blank(below)) {
            Some(below) => at = below,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// Calls `set` for every value that a path leads to, and returns their number. Missing values are created if `create`
/// says as what; `set` is told that the value is new.
///
/// # Errors
/// If the path leads into a text, or if a step doesn't fit.
pub(super) fn each(
    node: &mut Node,
    path: &[String],
    create: Option<Shape>,
    is_new: bool,
    set: &mut dyn FnMut(&mut Node, bool) -> Result<(), String>,
) -> Result<usize, Stop> {
    let Some((step, rest)) = path.split_first() else {
        set(node, is_new).map_err(Stop::Wrong)?;
        return Ok(1);
    };
    let wrong = |message: String| Err(Stop::Wrong(message));
    let below = |create: Shape| empty(rest.first(), create);
    match (&mut node.kind, step.parse::<usize>(), condition(step)) {
        (Kind::List(items), Ok(index), _) => {
            if let (Some(create), true) = (create, index == items.len()) {
                items.push(below(create));
                return follow(items.get_mut(index), rest, create, set);
            }
            match items.get_mut(index) {
                Some(item) => each(item, rest, create, false, set),
                None => wrong(format!("the list has no item {index}")),
            }
        }
        (_, Ok(_), _) => wrong(format!("there is no list at {step}")),
        (Kind::List(items), _, Some(condition)) => {
            let (key, value) = condition.map_err(Stop::Wrong)?;
            let pattern = Regex::new(value)
                .map_err(|_| Stop::Wrong(format!("{value:?} is no regular expression")))?;
            let mut count = 0;
            for item in items.iter_mut() {
                let own = match key {
                    "" => text_of(item),
                    key => item.get(key).and_then(text_of),
                };
                if !own.is_some_and(|own| pattern.is_match(&own)) {
                    continue;
                }
                // A condition on the items themselves is the end of the path.
                let rest = if key.is_empty() { &[][..] } else { rest };
                count += each(item, rest, create, false, set)?;
            }
            if let (Some(create), 0) = (create, count) {
                let mut item = Node::string(value);
                if !key.is_empty() {
                    item = Node::map();
                    if let Some(map) = item.as_map_mut() {
                        set_value(map, key, Node::string(value));
                    }
                }
                items.push(item);
                return follow(items.last_mut(), rest, create, set);
            }
            Ok(count)
        }
        (_, _, Some(_)) => wrong(format!("there is no list at {step}")),
        (Kind::List(items), ..) if step == "*" => {
            let mut count = 0;
            for item in items {
                count += each(item, rest, create, false, set)?;
            }
            Ok(count)
        }
        (Kind::Map(map), ..) => {
            let Some(there) = map.get_mut(step) else {
                let Some(create) = create else { return Ok(0) };
                set_value(map, step, below(create));
                return follow(map.get_mut(step), rest, create, set);
            };
            let is_text = !matches!(there.kind, Kind::Map(_) | Kind::List(_) | Kind::Null);
            match is_text && !rest.is_empty() {
                true => Err(Stop::IntoText),
                false => each(there, rest, create, false, set),
            }
        }
        // kustomize creates values in a copy of the null, and loses them.
        (Kind::Null, ..) => Ok(usize::from(create.is_some())),
        _ => wrong(format!("there is no map at {step}")),
    }
}

/// Goes on in a value that was created.
fn follow(
    node: Option<&mut Node>,
    rest: &[String],
    create: Shape,
    set: &mut dyn FnMut(&mut Node, bool) -> Result<(), String>,
) -> Result<usize, Stop> {
    match node {
        Some(node) => each(node, rest, Some(create), true, set),
        None => Ok(0),
    }
}

/// An empty value before the next step.
fn empty(next: Option<&String>, create: Shape) -> Node {
    let shape = match next {
        None => create,
        Some(next)
            if next.starts_with('[') && next.ends_with(']') || next.parse::<usize>().is_ok() =>
        {
            Shape::List
        }
        Some(_) => Shape::Map,
    };
    match shape {
        Shape::Text => Node::string(""),
        Shape::List => Node::new(Kind::List(Vec::new()), None),
        Shape::Map => Node::map(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_is_split_at_dots_outside_of_brackets() {
        assert_eq!(
            split("spec.[name=a.b].x\\.y.[app.kubernetes.io/name]"),
            ["spec", "[name=a.b]", "x.y", "app.kubernetes.io/name"]
        );
    }

    #[test]
    fn values_are_found_and_created() {
        let value = json!({"spec": {"c": [{"name": "a", "image": "x"}, {"name": "b"}]}});
        let node = Node::from_json(value.clone());
        let at = |path: &str| get(&node, &split(path)).map(|found| found.map(Node::to_json));
        assert_eq!(at("spec.c.[name=a].image"), Ok(Some(json!("x"))));
        assert_eq!(at("spec.c.1.name"), Ok(Some(json!("b"))));
        assert_eq!(at("spec.d"), Ok(None));
        let change = |path: &str, create| {
            let mut node = Node::from_json(value.clone());
            let done = each(&mut node, &split(path), create, false, &mut |node, _| {
                *node = Node::string("new");
                Ok(())
            });
            done.map(|count| (count, node.to_json()))
        };
        assert_eq!(
            change("spec.c.[name=b].image", Some(Shape::Text)),
            Ok((
                1,
                json!({"spec": {"c": [{"name": "a", "image": "x"}, {"name": "b", "image": "new"}]}})
            ))
        );
        assert_eq!(change("spec.c.*.name", None).map(|(count, _)| count), Ok(2));
        assert_eq!(change("spec.d", None).map(|(count, _)| count), Ok(0));
        assert_eq!(change("spec.c.0.image.tag", None), Err(Stop::IntoText));
    }
}
