//! The reasons for importing nothing.

use std::fmt;

use manifest::diagnostic::Diagnostic;

/// The reason for importing nothing.
#[derive(Debug)]
pub enum Failure {
    /// There is no Gateway of Envoy Gateway at or below this folder.
    NoGateway(String),
    /// There are several front doors, in these folders.
    Several(Vec<String>),
    /// There are several front doors, in these folders, and this is why they can't be clusters of one description.
    Unlike(Vec<String>, String),
    /// A file of the front door can't be read: its path and the reason.
    Unreadable(String, String),
    /// `cluster.toml` can't describe any of the Gateways in this folder.
    NoneMade(String),
    /// A kustomization has another name than `kustomization.yaml`.
    Name(String),
    /// This folder is in a chart whose templates are not plain YAML.
    Chart(String),
    /// Files of the front door are not valid YAML.
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
                    "there is no Gateway of Envoy Gateway {place}\n  help: give the folder of the repository, or the \
                     one with the Gateway; hidden folders, and files that are not .yaml or .yml, are not read"
                )
            }
            Failure::Several(folders) | Failure::Unlike(folders, _) => {
                write!(f, "several folders have gateways")?;
                if let Failure::Unlike(_, why) = self {
                    write!(f, ", which can't be clusters of one cluster.toml: {why}")?;
                } else {
                    write!(f, ":")?;
                }
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
                "{path}: {why}\n  help: the file is one of those to import, so nothing is imported until it can be read"
            ),
            Failure::NoneMade(folder) => write!(
                f,
                "{folder}: none of its Gateways can be imported\n  help: a kustomization must list them, their \
                 names must not have Flux variables, and their namespace must be the one that Flux applies them to"
            ),
            Failure::Name(path) => write!(
                f,
                "{path}: `render` would write a kustomization.yaml beside it, and kustomize refuses a folder with both\n  \
                 help: rename it to kustomization.yaml, then import again"
            ),
            Failure::Chart(folder) => write!(
                f,
                "{folder} is in a Helm chart whose templates are not plain YAML\n  help: `helm template` writes what the \
                 chart makes; import that, or choose another folder with `--path`"
            ),
            Failure::Broken(problems) => {
                write!(
                    f,
                    "{} of the files to import are not valid YAML",
                    problems.len()
                )
            }
        }
    }
}

impl std::error::Error for Failure {}
