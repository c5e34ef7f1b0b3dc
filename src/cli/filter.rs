//! Filters findings by `--select` and `--ignore`.

use crd_validate::codes::SCHEMA_UNKNOWN_KIND;
use std::str::FromStr;

use crate::codes;
use manifest::diagnostic::{Code, Diagnostic, Severity, suggest};

/// A code, or a group, which stands for all of its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Selector {
    /// All codes of a group: `config`.
    Group(&'static str),
    /// A single code: `config/unknown-key`.
    Code(Code),
}

impl Selector {
    /// Whether the selector includes `code`.
    pub(super) fn covers(self, code: Code) -> bool {
        match self {
            Selector::Group(group) => group == code.group(),
            Selector::Code(only) => only == code,
        }
    }
}

impl FromStr for Selector {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let group = || codes::groups().iter().copied().find(|group| *group == text);
        codes::parse(text)
            .map(Selector::Code)
            .or_else(|| group().map(Selector::Group))
            .ok_or_else(|| UnknownCode::new(text))
    }
}

/// Keeps the findings that `select` includes (all if it is empty), except for those that `ignore` includes.
/// `ignore` takes precedence: `--select config --ignore config/lua` is the group without that code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    select: Vec<Selector>,
    ignore: Vec<Selector>,
}

impl Filter {
    /// Parses lists of the form `CODE,…` from the command line. Empty parts are skipped.
    /// # Errors
    /// Returns the first name that is neither a code nor a group, with the most similar one.
    pub(super) fn parse<S: AsRef<str>>(select: &[S], ignore: &[S]) -> Result<Self, UnknownCode> {
        Ok(Filter {
            select: selectors(select)?,
            ignore: selectors(ignore)?,
        })
    }

    /// Whether findings with this code are shown.
    pub(super) fn keeps(&self, code: Code) -> bool {
        let covered = |by: &[Selector]| by.iter().any(|selector| selector.covers(code));
        let is_ignored = covered(&self.ignore) && !self.makes_notes_of(code);
        (self.select.is_empty() || covered(&self.select)) && !is_ignored
    }

    /// Whether findings with this code are shown as notes. That is the case if `schema/unknown-kind` is
    /// ignored, so that a report never hides that an object was not checked.
    fn makes_notes_of(&self, code: Code) -> bool {
        code == SCHEMA_UNKNOWN_KIND && self.ignore.contains(&Selector::Code(code))
    }

    /// Removes the findings that are not shown.
    pub(super) fn apply(&self, diagnostics: &mut Vec<Diagnostic>) {
        diagnostics.retain(|finding| self.keeps(finding.code));
        for finding in diagnostics {
            if self.makes_notes_of(finding.code) {
                finding.severity = Severity::Note;
            }
        }
    }
}

fn selectors<S: AsRef<str>>(lists: &[S]) -> Result<Vec<Selector>, UnknownCode> {
    lists
        .iter()
        .flat_map(|list| list.as_ref().split(','))
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(Selector::from_str)
        .collect()
}

/// The error for a name that is neither a code nor a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no code or group is called `{name}`; {}", self.advice())]
pub(super) struct UnknownCode {
    name: String,
    nearest: Option<&'static str>,
}

impl UnknownCode {
    /// What is wrong, without the advice.
    pub(super) fn message(&self) -> String {
        format!("no code or group is called `{}`", self.name)
    }

    fn new(name: &str) -> Self {
        UnknownCode {
            name: name.to_owned(),
            nearest: nearest(name),
        }
    }

    /// What to write instead.
    pub(super) fn advice(&self) -> String {
        match self.nearest {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("the groups are {}", codes::groups().join(", ")),
        }
    }
}

/// The most similar code or group. A code is also found by its name without the group.
fn nearest(name: &str) -> Option<&'static str> {
    let codes = || codes::all().iter().map(|code| code.as_str());
    let bare = |code: &'static str| code.split_once('/').map_or(code, |(_, bare)| bare);
    suggest::nearest(name, codes().chain(codes::groups().iter().copied())).or_else(|| {
        let near = suggest::nearest(name, codes().map(bare))?;
        codes().find(|code| bare(code) == near)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::codes::CONFIG_SYNTAX;
    use crate::tree::codes::TREE_EDITED;
    use crd_validate::codes::{SCHEMA_REQUIRED, SCHEMA_TYPE};
    use manifest::codes::YAML_SYNTAX;

    fn filter(select: &str, ignore: &str) -> Filter {
        Filter::parse(&[select], &[ignore]).expect("known codes")
    }

    fn complaint(list: &str) -> String {
        Filter::parse(&[list], &[])
            .expect_err("an unknown code")
            .to_string()
    }

    #[test]
    fn groups_and_codes_are_selected_and_ignored_and_ignore_wins() {
        let all = filter("", "");
        assert!(codes::all().iter().all(|code| all.keeps(*code)));

        let some = filter("config, schema/type,", "config/lua");
        assert!(some.keeps(CONFIG_SYNTAX));
        assert!(some.keeps(SCHEMA_TYPE));
        assert!(!some.keeps(crate::lint::config::lua::CODE));
        assert!(!some.keeps(SCHEMA_REQUIRED));

        assert!(!filter("config/lua", "config").keeps(crate::lint::config::lua::CODE));
    }

    #[test]
    fn several_lists_add_up() {
        let filter = Filter::parse(&["config", "tree"], &[]).expect("known codes");
        assert!(filter.keeps(CONFIG_SYNTAX) && filter.keeps(TREE_EDITED));
        assert!(!filter.keeps(YAML_SYNTAX));
    }

    #[test]
    fn an_unknown_code_is_refused_with_the_nearest_known_one() {
        assert_eq!(
            complaint("config/unknow-key"),
            "no code or group is called `config/unknow-key`; did you mean `config/unknown-key`?"
        );
        assert_eq!(
            complaint("tree,netwrok"),
            "no code or group is called `netwrok`; did you mean `network`?"
        );
        assert_eq!(
            complaint("unknown-field"),
            "no code or group is called `unknown-field`; did you mean `schema/unknown-field`?"
        );
        let far = complaint("everything");
        assert!(
            far.starts_with("no code or group is called `everything`; the groups are config, "),
            "{far}"
        );
    }

    #[test]
    fn a_report_is_filtered_in_place() {
        let mut diagnostics = vec![
            Diagnostic::new(CONFIG_SYNTAX, "one"),
            Diagnostic::new(TREE_EDITED, "two"),
        ];
        filter("", "tree").apply(&mut diagnostics);
        let left: Vec<_> = diagnostics.iter().map(|finding| finding.code).collect();
        assert_eq!(left, [CONFIG_SYNTAX]);
    }
}
