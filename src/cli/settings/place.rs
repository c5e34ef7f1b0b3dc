//! Finds the `[validate]` table: in `cluster.toml`, or in `gatewayctl.toml` if there is none.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::ValidateSettings;
use crate::cli::Global;
use crate::cli::location;
use crate::cli::project::{ConfigText, Project};
use crate::cli::today;
use crate::compile::{Compiled, described};
use crate::config;
use crate::config::load::{LARGEST_CONFIG, load_settings};
use crate::model::{self, rules::Rules};
use manifest::diagnostic::{Diagnostic, Sources};

/// The file name of the settings of a repository without a `cluster.toml`.
const SETTINGS: &str = "gatewayctl.toml";

/// The `[validate]` table of the project that `compiled` is from. Adds what is wrong with it to the findings.
pub(in crate::cli) fn of_project(
    project: &Project,
    compiled: &mut Compiled,
) -> Option<ValidateSettings> {
    let (name, table) = (project.config_name(), &compiled.cluster.as_ref()?.validate);
    let problems = &mut compiled.diagnostics;
    Some(ValidateSettings::new(table, &name, &project.root, problems))
}

/// The tables `[validate]` and `[rules]` in force for manifests: those of `cluster.toml`, or of `gatewayctl.toml` if there is none. Adds
/// what is wrong with them to `problems`.
///
/// # Errors
/// If a file can't be read.
pub(in crate::cli) fn in_force(
    global: &Global,
    sources: &mut Sources,
    problems: &mut Vec<Diagnostic>,
) -> anyhow::Result<Option<(ValidateSettings, Rules)>> {
    if location::locate(global)?.is_some() {
        let project = Project::nearest(global)?;
        match project.config_text()? {
            ConfigText::Read(text) => {
                let name = project.config_name();
                let source = sources.add(&*name, text);
                let described = described(sources, source, &project);
                let (cluster, wrong) = (described.cluster, described.diagnostics);
                let is_here = |one: &Diagnostic| {
                    let pointer = one.pointer.as_deref();
                    pointer
                        .is_some_and(|it| it.starts_with("/validate") || it.starts_with("/rules"))
                };
                problems.extend(wrong.into_iter().filter(is_here));
                let cluster = cluster.unwrap_or_default();
                let table = cluster.validate;
                let settings = ValidateSettings::new(&table, &name, &project.root, problems);
                return Ok(Some((settings, rules(&cluster.rules, problems))));
            }
            ConfigText::TooLarge(_) => return Ok(None),
            ConfigText::OfAnotherTool(..) => {}
        }
    }
    let Some(path) = locate_settings(global)? else {
        return Ok(None);
    };
    let text = global.unsaved.text(&path, LARGEST_CONFIG);
    let text = text.with_context(|| format!("{}: can't be read", path.display()))?;
    let name = path.to_string_lossy().replace('\\', "/");
    let source = sources.add(&*name, text);
    let (settings, wrong) = load_settings(sources, source);
    problems.extend(wrong);
    let table = settings.unwrap_or_default();
    let root = path.parent().unwrap_or(Path::new(""));
    let settings = ValidateSettings::new(&table.validate, &name, root, problems);
    Ok(Some((settings, rules(&table.rules, problems))))
}

/// The rules of the project itself, as of today.
fn rules(table: &config::rules::Rules, problems: &mut Vec<Diagnostic>) -> Rules {
    Rules {
        today: today::today(),
        ..model::rules::build(table, problems)
    }
}

/// The path of `gatewayctl.toml`: in the given root, or the nearest one at or above the current folder.
pub(in crate::cli) fn locate_settings(global: &Global) -> anyhow::Result<Option<PathBuf>> {
    match &global.root {
        Some(root) => {
            let path = root.join(SETTINGS);
            Ok(path.is_file().then_some(path))
        }
        None => location::at_or_above(SETTINGS),
    }
}
