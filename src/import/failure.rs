//! Why nothing could be imported.

use std::fmt;

use manifest::diagnostic::Diagnostic;

/// Why nothing could be imported.
#[derive(Debug)]
pub enum Failure {
    /// There is no Gateway of Envoy Gateway at or below this folder.
    NoGateway(String),
    /// There are several front doors.
    Several(Vec<String>),
    /// A file of the front door can't be read: its path, and why.
    Unreadable(String, String),
    /// None of the Gateways of this folder can be made by `cluster.toml`.
    NoneMade(String),
    /// A kustomization has one of its other names.
    Name(String),
    /// Files of the front door are no YAML.
    Broken(Vec<Diagnostic>),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoGateway(folder) => {
                let place = match folder.as_str() {
                    "" => "here".to_owned(),
                    folder => format!("in {folder}"),
                };
                write!(
                    f,
                    "there is no Gateway of Envoy Gateway {place}\n  help: give the repository's folder, or the \
                     one with the Gateway; hidden folders and files that aren't .yaml or .yml are not looked at"
                )
            }
            Failure::Several(folders) => {
                write!(f, "there are several front doors:")?;
                for folder in folders {
                    write!(f, "\n  {folder}")?;
                }
                write!(
                    f,
                    "\n  help: choose one with `--path {}`",
                    folders.first().map_or("", String::as_str)
                )
            }
            Failure::Unreadable(path, why) => write!(
                f,
                "{path}: {why}\n  help: it belongs to the front door; nothing is imported until it can be read"
            ),
            Failure::NoneMade(folder) => write!(
                f,
                "{folder}: none of its Gateways can be taken over\n  help: a kustomization has to list them; their \
                 names can't hold Flux variables, and their namespace is the one that Flux puts them in"
            ),
            Failure::Name(path) => write!(
                f,
                "{path}: `render` writes a kustomization.yaml beside it, and kustomize refuses a folder with two\n  \
                 help: rename it to kustomization.yaml, then import"
            ),
            Failure::Broken(problems) => {
                write!(
                    f,
                    "{} of the front door's files can't be read as YAML",
                    problems.len()
                )
            }
        }
    }
}

impl std::error::Error for Failure {}
