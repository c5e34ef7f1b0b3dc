//! The tables of README.md's reference, made from the types that read `cluster.toml`.

use gatewayctl::config::reference::{Key, keys};

/// What every table takes that becomes one object.
const COMMON: &[&str] = &["labels", "annotations", "spec", "remove"];

/// A key below a table: the path from there, what it takes, its text.
type Row = (String, String, String);

/// All tables: the keys that stand at the top first, then a section a table.
pub fn reference() -> String {
    let keys = keys();
    let is_top = |key: &&Key| !key.path.contains('.');
    let (tables, plain): (Vec<&Key>, Vec<&Key>) = keys
        .iter()
        .filter(is_top)
        .partition(|top| !below(&keys, &top.path).is_empty());
    let mut text = table(
        &plain
            .into_iter()
            .map(|key| row(&key.path, key))
            .collect::<Vec<_>>(),
    );
    for top in &tables {
        let rows = rows(&keys, &tables, top);
        let heading = match rows.first() {
            Some((path, ..)) if path.starts_with("NAME.") || path == "NAME" => {
                format!("[{}.NAME]", top.path)
            }
            _ => format!("[{}]", top.path),
        };
        text.push_str(&format!(
            "\n<details><summary><code>{heading}</code>: {}</summary>\n\n{}\n</details>\n",
            html(&top.text),
            table(&rows)
        ));
    }
    text
}

fn row(path: &str, key: &Key) -> Row {
    (path.to_owned(), key.takes.clone(), key.text.clone())
}

/// All keys below a path, with their paths from there.
fn below(keys: &[Key], path: &str) -> Vec<Row> {
    let prefix = format!("{path}.");
    let inside = |key: &Key| Some(row(key.path.strip_prefix(&prefix)?, key));
    keys.iter().filter_map(inside).collect()
}

/// The rows of one table: what is told elsewhere is told there only.
fn rows(keys: &[Key], tables: &[&Key], top: &Key) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut told: Option<String> = None;
    for key in keys {
        let Some(path) = key.path.strip_prefix(&format!("{}.", top.path)) else {
            continue;
        };
        let in_told = |told: &String| path.starts_with(&format!("{told}."));
        if told.as_ref().is_some_and(in_told) {
            continue;
        }
        let inside = below(keys, &key.path);
        if let Some(same) = same_as(keys, tables, &key.path, &inside) {
            let text = format!("{} Takes what `[{same}]` takes.", key.text);
            rows.push((path.to_owned(), key.takes.clone(), text));
            told = Some(path.to_owned());
            continue;
        }
        if let Some((name, last)) = path.rsplit_once('.').or(Some(("", path)))
            && COMMON.contains(&last)
            && becomes_an_object(keys, &format!("{}.{name}", top.path))
        {
            if last == "labels" {
                let all = COMMON.join("`, `");
                let prefix = if name.is_empty() {
                    String::new()
                } else {
                    format!("{name}.")
                };
                rows.push((
                    format!("{prefix}labels"),
                    "see above".to_owned(),
                    format!(
                        "And `{}`: of every object.",
                        all.replacen("labels`, `", "", 1)
                    ),
                ));
            }
            continue;
        }
        rows.push(row(path, key));
    }
    if let [(path, ..), ..] = rows.as_slice()
        && path.starts_with("NAME.")
        && let Some(same) = same_as(
            keys,
            tables,
            &format!("{}.NAME", top.path),
            &below(keys, &format!("{}.NAME", top.path)),
        )
    {
        return vec![(
            "NAME".to_owned(),
            "table".to_owned(),
            format!("Takes what `[{same}]` takes."),
        )];
    }
    rows
}

fn becomes_an_object(keys: &[Key], path: &str) -> bool {
    let path = path.trim_end_matches('.');
    COMMON.iter().all(|common| {
        keys.iter()
            .any(|key| key.path == format!("{path}.{common}"))
    })
}

/// The table before `path` that has the same keys, where there is one.
fn same_as(keys: &[Key], tables: &[&Key], path: &str, inside: &[Row]) -> Option<String> {
    if inside.len() < 3 {
        return None;
    }
    let own = path.split('.').next();
    let candidates = tables
        .iter()
        .flat_map(|top| [top.path.clone(), format!("{}.NAME", top.path)]);
    let is_told = |other: &String| {
        let top = other.split('.').next();
        let place = |name| {
            tables
                .iter()
                .position(|table| Some(table.path.as_str()) == name)
        };
        top != own
            && (path.split('.').count() > other.split('.').count() || place(top) < place(own))
    };
    candidates
        .filter(is_told)
        .find(|other| below(keys, other) == inside)
}

fn table(rows: &[Row]) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    let mut text = "| key | takes | |\n|---|---|---|\n".to_owned();
    for (path, takes, about) in rows {
        text.push_str(&format!(
            "| `{path}` | {} | {} |\n",
            cell(takes),
            cell(about)
        ));
    }
    text
}

/// Markdown's code marks as HTML's: inside `<summary>` there is no Markdown.
fn html(text: &str) -> String {
    let mut html = String::new();
    for (at, part) in text.split('`').enumerate() {
        let part = part.replace('&', "&amp;").replace('<', "&lt;");
        match at % 2 {
            1 => html.push_str(&format!("<code>{part}</code>")),
            _ => html.push_str(&part),
        }
    }
    html
}
