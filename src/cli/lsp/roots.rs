//! The folder of the repository that a document belongs to.

use std::path::{Path, PathBuf};

use super::super::{Global, git};

/// The file that describes gateways.
const CONFIG: &str = "cluster.toml";

/// The settings for a repository: the folder that `validate` would check for a document. `None` if the document belongs to no
/// repository, so that no folder of somebody's machine is searched by mistake.
pub(super) fn of_document(path: &Path, global: &Global) -> Option<PathBuf> {
    if let Some(root) = given(global) {
        return Some(root);
    }
    let folder = path.parent()?.canonicalize().ok()?;
    of_folder(&folder)
}

/// The folder that is checked for a folder that is open in the editor.
pub(super) fn of_workspace(folder: &Path, global: &Global) -> Option<PathBuf> {
    given(global).or_else(|| of_folder(&folder.canonicalize().ok()?))
}

fn of_folder(folder: &Path) -> Option<PathBuf> {
    let repository = git::repository(folder);
    let mut above = folder.ancestors().take_while(|above| match repository {
        Some(repository) => above.starts_with(repository),
        None => true,
    });
    let with_config = above.find(|above| above.join(CONFIG).is_file());
    with_config.or(repository).map(Path::to_path_buf)
}

/// The root that the arguments name.
fn given(global: &Global) -> Option<PathBuf> {
    let root = match (&global.root, &global.config) {
        (Some(root), _) => root.clone(),
        (None, Some(config)) => config.parent()?.to_path_buf(),
        (None, None) => return None,
    };
    let root = match root.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => root,
    };
    root.canonicalize().ok()
}

/// The options for a check of this root.
pub(super) fn options(root: &Path, global: &Global) -> Global {
    let config = global.config.as_ref();
    Global {
        root: Some(root.to_path_buf()),
        config: config.and_then(|config| config.canonicalize().ok()),
        quiet: true,
        verbose: false,
        is_background: true,
        ..global.clone()
    }
}
