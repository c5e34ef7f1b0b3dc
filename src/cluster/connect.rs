//! Connects to a cluster. Kubeconfigs and contexts are handled as kubectl does.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use kube::client::ClientBuilder;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

use super::error::Error;
use super::server::{Server, Until};
use super::{kubeconfig, plugin, transport};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How to connect.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The kubeconfig; `None` for those in `KUBECONFIG`, else `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The context; `None` for the current one.
    pub context: Option<String>,
    /// The time limit for everything.
    pub time: Duration,
}

/// Prepares a connection. Nothing is sent yet, but an exec plugin may be run.
///
/// The kubeconfig is the given one, else the files in `KUBECONFIG` (those that exist; the first one that sets a value
/// wins), else `~/.kube/config`, else the service account of the Pod that this runs in.
///
/// # Errors
/// If there is no address of a cluster, or no credentials.
pub async fn connect(options: &Options) -> Result<Server, Error> {
    let until = Until::from_now(options.time);
    let (config, context) = config(options, until).await?;
    let url = config.cluster_url.to_string();
    let url = url.trim_end_matches('/').to_owned();
    let builder = ClientBuilder::try_from(config).map_err(|error| unusable(&url, &error))?;
    Ok(Server::new(builder.build(), url, context, until))
}

fn unusable(server: &str, error: &kube::Error) -> Error {
    let problem = transport::credentials(error);
    Error::Credentials {
        server: server.to_owned(),
        problem: problem.unwrap_or_else(|| error.to_string()),
    }
}

async fn config(options: &Options, until: Until) -> Result<(Config, String), Error> {
    let (files, looked) = files(options)?;
    if files.is_empty() {
        let inside = Config::incluster().map_err(|_| Error::NoKubeconfig { looked })?;
        return Ok((settled(inside), "in-cluster".to_owned()));
    }
    let place = shown(&files);
    let mut kubeconfig = kubeconfig::read(&files)?;
    let context = context(&place, &kubeconfig, options.context.as_deref())?;
    prepare(&mut kubeconfig, &context, &place, until)?;
    let asked = KubeConfigOptions {
        context: Some(context.clone()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &asked)
        .await
        .map_err(|error| Error::Kubeconfig {
            problem: kubeconfig::told(&error),
            place,
        })?;
    Ok((settled(config), context))
}

/// Parses a kubeconfig, and returns it with the context that a connection would use. Nothing that it names is opened
/// or run.
///
/// # Errors
/// If the text is not a kubeconfig, or doesn't have the context.
pub fn parse(place: &str, text: &str, asked: Option<&str>) -> Result<(Kubeconfig, String), Error> {
    let kubeconfig = kubeconfig::parse(place, text)?;
    let context = context(place, &kubeconfig, asked)?;
    Ok((kubeconfig, context))
}

/// The requested context, else the current one.
fn context(place: &str, kubeconfig: &Kubeconfig, asked: Option<&str>) -> Result<String, Error> {
    let contexts = kubeconfig.contexts.iter();
    let known: Vec<String> = contexts.map(|it| it.name.clone()).collect();
    let current = kubeconfig.current_context.as_deref();
    let place = place.to_owned();
    match asked.or(current.filter(|name| !name.is_empty())) {
        None => Err(Error::NoContext { place, known }),
        Some(context) if known.iter().any(|name| name == context) => Ok(context.to_owned()),
        Some(context) => Err(Error::UnknownContext {
            place,
            context: context.to_owned(),
            known,
        }),
    }
}

/// Reads the files that the context's cluster and user name, and runs the program for credentials. The client would
/// do both itself, but without limits.
fn prepare(
    kubeconfig: &mut Kubeconfig,
    context: &str,
    place: &str,
    until: Until,
) -> Result<(), Error> {
    let found = kubeconfig.contexts.iter().find(|it| it.name == context);
    let Some(found) = found.and_then(|it| it.context.clone()) else {
        return Ok(());
    };
    let unusable = |problem: String| Error::Kubeconfig {
        place: place.to_owned(),
        problem,
    };
    let clusters = kubeconfig.clusters.iter_mut();
    let mut clusters = clusters.filter(|it| it.name == found.cluster);
    let Some(cluster) = clusters.find_map(|it| it.cluster.as_mut()) else {
        return Ok(());
    };
    kubeconfig::load_cluster(cluster).map_err(unusable)?;
    let users = kubeconfig.auth_infos.iter_mut();
    let mut users = users.filter(|it| Some(&it.name) == found.user.as_ref());
    let Some(user) = users.find_map(|it| it.auth_info.as_mut()) else {
        return Ok(());
    };
    kubeconfig::load_user(user).map_err(unusable)?;
    plugin::replace(user, cluster, until.left()).map_err(|problem| Error::Credentials {
        server: cluster.server.clone().unwrap_or_default(),
        problem,
    })?;
    kubeconfig::check_headers(user).map_err(unusable)
}

/// Disables the client's own retries and timeouts, because [`Server`] has its own.
fn settled(mut config: Config) -> Config {
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT);
    config
}

/// The kubeconfigs that exist, and all that were looked for.
fn files(options: &Options) -> Result<(Vec<PathBuf>, Vec<String>), Error> {
    if let Some(file) = &options.kubeconfig {
        let looked = vec![file.display().to_string()];
        // If it is not a file, the error is reported when it is read.
        return match file.exists() {
            true => Ok((vec![file.clone()], looked)),
            false => Err(Error::NoKubeconfig { looked }),
        };
    }
    let named = std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty());
    let paths = candidates(named, std::env::home_dir());
    let looked = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Ok((
        paths.into_iter().filter(|path| path.exists()).collect(),
        looked,
    ))
}

/// The files to look for, from `KUBECONFIG` and the home folder.
fn candidates(named: Option<OsString>, home: Option<PathBuf>) -> Vec<PathBuf> {
    match named {
        Some(value) => std::env::split_paths(&value)
            .filter(|path| !path.as_os_str().is_empty())
            .collect(),
        None => home
            .map(|home| home.join(".kube").join("config"))
            .into_iter()
            .collect(),
    }
}

fn shown(files: &[PathBuf]) -> String {
    let names: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn several_files_may_be_named_and_the_home_folder_has_one() {
        let names = std::env::join_paths(["/a", "", "/b"].map(Path::new)).expect("paths");
        assert_eq!(
            candidates(Some(names), Some(PathBuf::from("/home/x"))),
            ["/a", "/b"].map(PathBuf::from)
        );
        assert_eq!(
            candidates(None, Some(PathBuf::from("/home/x"))),
            [PathBuf::from("/home/x/.kube/config")]
        );
        assert!(candidates(None, None).is_empty());
    }
}
