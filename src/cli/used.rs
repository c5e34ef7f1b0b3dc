//! `--use PROJECT@VERSION`: versions that a command takes as given.

use std::sync::Arc;

use anyhow::{Context, bail};

use super::{Global, project};
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::{Catalogue, Reason, Selection};

/// The versions for commands that follow the controller.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Used {
    /// The version of a project, in place of the one in the manifests: envoy-gateway@VERSION
    #[arg(long = "use", value_name = "PROJECT@VERSION")]
    uses: Vec<String>,
}

impl Used {
    /// The minor version of Envoy Gateway that `--use` or `cluster.toml` declares.
    ///
    /// # Errors
    /// If the catalogue doesn't have a version, or `cluster.toml` can't be read.
    pub(super) fn envoy_gateway(&self, global: &Global) -> anyhow::Result<Option<(u64, u64)>> {
        let (_, selection) = selection(&self.uses, global)?;
        let chosen = selection.of(ENVOY_GATEWAY);
        let declared =
            chosen.filter(|it| matches!(it.reason, Reason::Declared(_) | Reason::Like { .. }));
        Ok(declared.and_then(|it| it.declared().minor()))
    }
}

/// The parts of `PROJECT@VERSION[:CHANNEL]`.
pub(super) fn identity(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let (project, version) = text.split_once('@')?;
    let (version, channel) = match version.split_once(':') {
        Some((version, channel)) => (version, Some(channel)),
        None => (version, None),
    };
    let is_named = |part: &str| !part.is_empty();
    let is_whole = is_named(project) && is_named(version) && channel.is_none_or(is_named);
    is_whole.then_some((project, version, channel))
}

/// The schemas, and the version of each project: the newest, replaced by those in `cluster.toml`, then by those of
/// `--use`.
///
/// # Errors
/// If the catalogue doesn't have a version, or `cluster.toml` can't be read.
pub(super) fn selection(
    uses: &[String],
    global: &Global,
) -> anyhow::Result<(Arc<Catalogue>, Selection)> {
    let (catalogue, mut selection) = project::in_force(global)?;
    for text in uses {
        let Some((project, version, channel)) = identity(text) else {
            bail!("--use {text}: write PROJECT@VERSION, such as envoy-gateway@1.9.0");
        };
        selection
            .declare(&catalogue, project, version, channel, "--use")
            .map_err(|unknown| anyhow::anyhow!("{unknown}; {}", unknown.help()))
            .with_context(|| format!("--use {text}"))?;
    }
    Ok((catalogue, selection))
}
