//! The tables of the reference in README.md, made from the types that parse `cluster.toml`.

use gatewayctl::config::reference::{Key, keys};

/// The keys of every table that renders one object.
const COMMON: &[&str] = &["labels", "annotations", "spec", "object", "remove"];

/// Smaller tables than this are shown at every place where they are used.
const WORTH_A_REFERENCE: usize = 3;

/// All keys: those at the top level first, then one section for each table.
pub fn reference() -> String {
    let reference = Reference::new();
    let mut text = "| key | takes | |\n|---|---|---|\n".to_owned();
    for key in reference.keys.iter().filter(|key| !key.path.contains('.')) {
        if !reference.is_table(&key.path) {
            text.push_str(&line(&key.path, &key.takes, &key.text));
        }
    }
    for base in &reference.sections {
        text.push_str(&reference.section(base));
    }
    text
}

struct Reference {
    keys: Vec<Key>,
    /// The tables with a section of their own: `proxy`, `gateways.NAME`.
    sections: Vec<String>,
}

impl Reference {
    fn new() -> Self {
        let mut reference = Reference {
            keys: keys(),
            sections: Vec::new(),
        };
        let tops = reference.keys.iter().map(|key| key.path.as_str());
        let tops = tops.filter(|path| !path.contains('.') && reference.is_table(path));
        let sections = tops.map(|top| match reference.below(top).next() {
            Some((path, _)) if path.starts_with("NAME.") => format!("{top}.NAME"),
            _ => top.to_owned(),
        });
        reference.sections = sections.collect();
        reference
    }

    fn is_table(&self, path: &str) -> bool {
        self.below(path).next().is_some()
    }

    /// The keys below a table, with their relative paths.
    fn below<'a>(&'a self, table: &str) -> impl Iterator<Item = (&'a str, &'a Key)> {
        let inside = move |key: &'a Key| {
            let rest = key.path.strip_prefix(table)?.strip_prefix('.')?;
            Some((rest, key))
        };
        self.keys
            .iter()
            .filter_map(inside)
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn section(&self, base: &str) -> String {
        let top = base.trim_end_matches(".NAME");
        let about = self.keys.iter().find(|key| key.path == top);
        let about = about.map_or(String::new(), |key| html(&key.text));
        let body = match self.same_as(base) {
            Some(same) => format!("{}\n", takes_what(&same)),
            None => format!("| key | takes | |\n|---|---|---|\n{}", self.rows(base)),
        };
        format!(
            "\n<details><summary><code>[{base}]</code>: {about}</summary>\n\n{body}\n</details>\n"
        )
    }

    /// The rows of one table. What is shown elsewhere is not repeated.
    fn rows(&self, base: &str) -> String {
        let mut rows = String::new();
        let mut told: Vec<String> = Vec::new();
        for (path, key) in self.below(base) {
            if told.iter().any(|told| path.starts_with(told)) {
                continue;
            }
            let tables = [key.path.clone(), format!("{}.NAME", key.path)];
            if let Some(same) = tables.iter().find_map(|table| self.same_as(table)) {
                told.push(format!("{path}."));
                let text = format!("{} {}", key.text, takes_what(&same));
                rows.push_str(&line(path, &key.takes, &text));
                continue;
            }
            match self.common(path, key) {
                Some("labels") => {
                    let prefix = path.strip_suffix("labels").unwrap_or_default();
                    let names = COMMON.iter().map(|name| format!("{prefix}{name}"));
                    let names = names.collect::<Vec<_>>().join("`, `");
                    let text = "Of the object: see [`spec` and `remove`](how-it-works.md#spec-and-remove).";
                    rows.push_str(&line(&names, "", text));
                }
                Some(_) => {}
                None => rows.push_str(&line(path, &key.takes, &key.text)),
            }
        }
        rows
    }

    /// The last part of a path that every object's table has.
    fn common<'a>(&self, path: &'a str, key: &Key) -> Option<&'a str> {
        let last = path.rsplit('.').next()?;
        let table = key.path.strip_suffix(last)?;
        let is_there = |name: &str| {
            self.keys
                .iter()
                .any(|key| key.path == format!("{table}{name}"))
        };
        (COMMON.contains(&last) && COMMON.iter().all(|name| is_there(name))).then_some(last)
    }

    /// Another table with the same keys: a section, or an earlier table of the same section.
    fn same_as(&self, path: &str) -> Option<String> {
        let own: Vec<_> = self
            .below(path)
            .map(|(rest, key)| (rest, &key.takes, &key.text))
            .collect();
        if own.len() < WORTH_A_REFERENCE {
            return None;
        }
        let is_same = |other: &String| {
            let there = self
                .below(other)
                .map(|(rest, key)| (rest, &key.takes, &key.text));
            there.eq(own.iter().copied())
        };
        let is_section = self.sections.iter().any(|section| section == path);
        let sections = self.sections.iter().take_while(|section| *section != path);
        let all = self.sections.iter().filter(|_| !is_section);
        let in_section = |other: &&String| other.split('.').next() == path.split('.').next();
        let earlier = self.keys.iter().map(|key| &key.path).take_while(|other| {
            !is_section && *other != path && path.strip_suffix(".NAME") != Some(other.as_str())
        });
        let earlier = earlier.filter(in_section);
        sections
            .chain(all)
            .chain(earlier)
            .find(|other| is_same(other))
            .cloned()
    }
}

fn takes_what(table: &str) -> String {
    format!("Takes what `[{table}]` takes.")
}

fn line(path: &str, takes: &str, text: &str) -> String {
    let cell = |text: &str| text.replace('|', "\\|");
    format!("| `{path}` | {} | {} |\n", cell(takes), cell(text))
}

/// Markdown's code marks as HTML, because there is no Markdown inside `<summary>`.
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
