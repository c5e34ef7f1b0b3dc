//! The list of all codes of findings. Each code is declared where its findings are made; this list is what `explain`,
//! `--select` and reports know.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use manifest::diagnostic::Code;

/// The groups of codes, in the order in which they are listed.
const GROUPS: &[&str] = &[
    "config",
    "attachment",
    "network",
    "reference",
    "envoy",
    "version",
    "yaml",
    "schema",
    "rule",
    "flux",
    "dns",
    "keda",
    "guard",
    "test",
    "tree",
];

static ALL: LazyLock<Vec<Code>> = LazyLock::new(|| {
    let mut seen = BTreeSet::new();
    let mut all: Vec<Code> = declared().filter(|code| seen.insert(*code)).collect();
    all.sort_by_key(|code| GROUPS.iter().position(|group| *group == code.group()));
    all
});

/// The codes as they are declared. Rules may report codes that are declared somewhere else, so some are in it twice.
fn declared() -> impl Iterator<Item = Code> {
    let lists = [
        manifest::codes::DECLARED,
        crd_validate::codes::DECLARED,
        crate::config::codes::DECLARED,
        crate::model::codes::DECLARED,
        crate::render::codes::DECLARED,
        crate::tree::codes::DECLARED,
        crate::cluster::codes::DECLARED,
        crate::requests::codes::DECLARED,
    ];
    let declared = lists.into_iter().flatten().copied();
    declared.chain(crate::lint::codes())
}

/// Every code, by group.
pub fn all() -> &'static [Code] {
    &ALL
}

/// The groups, in the order in which they are listed.
pub fn groups() -> &'static [&'static str] {
    GROUPS
}

/// The code with the name `text`; `None` if it is not known.
pub fn parse(text: &str) -> Option<Code> {
    all().iter().copied().find(|code| code.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_kebab_case_and_grouped() {
        let names: BTreeSet<&str> = all().iter().map(|code| code.as_str()).collect();
        let pages: BTreeSet<&str> = declared().map(|code| code.page()).collect();
        assert_eq!(names.len(), pages.len(), "a name is declared twice");
        for name in names {
            let (group, rest) = name.split_once('/').expect("a slash");
            for part in [group, rest] {
                assert!(
                    !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '-'),
                    "{name}"
                );
            }
        }
        let listed: BTreeSet<_> = all().iter().map(|code| code.group()).collect();
        assert_eq!(listed, groups().iter().copied().collect());
    }

    #[test]
    fn every_page_has_a_meaning_and_two_examples() {
        for code in all() {
            let page = code.page();
            let rest = page
                .strip_prefix(&format!("# {code}\n\n"))
                .unwrap_or_else(|| panic!("{code}: its own title"));
            let (meaning, rest) = rest
                .split_once("\n## Wrong\n\n```")
                .unwrap_or_else(|| panic!("{code}: a wrong example"));
            let (_, right) = rest
                .split_once("\n```\n\n## Right\n\n```")
                .unwrap_or_else(|| panic!("{code}: a right example"));
            assert!(meaning.len() > 80, "{code}: what it means");
            assert!(right.contains("\n```\n"), "{code}: an end of its example");
            assert!(page.lines().count() < 40, "{code}: at most a screen");
            assert!(page.lines().all(|line| line.len() <= 120), "{code}: width");
        }
    }

    #[test]
    fn right_examples_of_cluster_toml_are_toml() {
        let examples = all().iter().filter_map(|code| {
            let (_, right) = code.page().split_once("## Right\n\n```toml\n")?;
            Some((code, right.split("\n```").next()?))
        });
        for (code, toml) in examples {
            if let Err(error) = toml.parse::<toml::Table>() {
                panic!("{code}: {error}");
            }
        }
    }
}
