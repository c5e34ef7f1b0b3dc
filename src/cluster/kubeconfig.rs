//! Reads kubeconfigs and the files that they name, with limits on their size.

use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};
use serde_json::Value as Json;

use super::error::Error;
use crate::bounds::file;

/// The maximum size of a kubeconfig, and of a file that one names.
const LARGEST: u64 = 4 << 20;

/// Reads kubeconfigs. If there are several, the first one that sets a value wins.
///
/// # Errors
/// If one can't be read, or is not a kubeconfig.
pub(super) fn read(files: &[PathBuf]) -> Result<Kubeconfig, Error> {
    files
        .iter()
        .try_fold(Kubeconfig::default(), |merged, path| {
            let place = path.display().to_string();
            let unread = |problem: String| Error::Kubeconfig {
                place: place.clone(),
                problem,
            };
            let bytes = file::read(path, LARGEST)
                .map_err(|error| unread(format!("it can't be read: {error}")))?;
            let text = decoded(bytes).map_err(&unread)?;
            let mut one = parse(&place, &text)?;
            resolve(&mut one, path.parent().unwrap_or(Path::new("")));
            merged.merge(one).map_err(|error| unread(told(&error)))
        })
}

/// Parses a kubeconfig; `place` is its file.
///
/// # Errors
/// If it is not a kubeconfig.
pub(super) fn parse(place: &str, text: &str) -> Result<Kubeconfig, Error> {
    Kubeconfig::from_yaml(text).map_err(|error| Error::Kubeconfig {
        place: place.to_owned(),
        problem: told(&error),
    })
}

/// What is wrong with a kubeconfig. The text never quotes it, because it contains keys and tokens.
pub(super) fn told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => "it is not a valid kubeconfig".to_owned(),
        KubeconfigError::ReadConfig(error, _) => format!("it can't be read: {error}"),
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("the context's cluster `{name}` doesn't exist")
        }
        KubeconfigError::MissingClusterUrl => "the cluster has no `server`".to_owned(),
        other => other.to_string(),
    }
}

/// Decodes the text of a kubeconfig, which may be UTF-16 if a Windows tool wrote it.
fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let (text, _) = file::decoded(bytes).map_err(|error| error.to_string())?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Makes the paths in a kubeconfig relative to its folder, including those of programs, unless they are searched in
/// PATH.
fn resolve(config: &mut Kubeconfig, folder: &Path) {
    let absolute = |path: &mut Option<String>| {
        if let Some(name) = path.as_ref().filter(|name| Path::new(name).is_relative()) {
            *path = Some(folder.join(name).to_string_lossy().into_owned());
        }
    };
    for cluster in config
        .clusters
        .iter_mut()
        .filter_map(|it| it.cluster.as_mut())
    {
        absolute(&mut cluster.certificate_authority);
    }
    for user in config
        .auth_infos
        .iter_mut()
        .filter_map(|it| it.auth_info.as_mut())
    {
        absolute(&mut user.client_certificate);
        absolute(&mut user.client_key);
        absolute(&mut user.token_file);
        if let Some(exec) = &mut user.exec
            && exec
                .command
                .as_ref()
                .is_some_and(|it| it.contains(std::path::MAIN_SEPARATOR))
        {
            absolute(&mut exec.command);
        }
    }
}

/// Replaces a cluster's files by their contents.
///
/// # Errors
/// If one can't be read.
pub(super) fn load_cluster(cluster: &mut Cluster) -> Result<(), String> {
    if let Some(data) = encoded(
        &mut cluster.certificate_authority,
        &cluster.certificate_authority_data,
    )? {
        cluster.certificate_authority_data = Some(data);
    }
    Ok(())
}

/// Replaces a user's files by their contents.
///
/// # Errors
/// If one can't be read.
pub(super) fn load_user(user: &mut AuthInfo) -> Result<(), String> {
    if let Some(data) = encoded(&mut user.client_certificate, &user.client_certificate_data)? {
        user.client_certificate_data = Some(data);
    }
    if let Some(data) = encoded(&mut user.client_key, &user.client_key_data)? {
        user.client_key_data = Some(data.into());
    }
    match user.token_file.take() {
        Some(path) if user.token.is_none() => {
            let token = file::text(Path::new(&path), LARGEST)
                .map_err(|error| format!("{path}: can't be read: {error}"))?;
            user.token = Some(token.trim().to_owned().into());
        }
        _ => {}
    }
    Ok(())
}

/// Reads a file as base64, unless there is data already, and removes the path.
fn encoded<T>(path: &mut Option<String>, data: &Option<T>) -> Result<Option<String>, String> {
    let Some(path) = path
        .take()
        .filter(|path| data.is_none() && !path.is_empty())
    else {
        return Ok(None);
    };
    let bytes = file::read(Path::new(&path), LARGEST)
        .map_err(|error| format!("{path}: can't be read: {error}"))?;
    Ok(Some(BASE64.encode(&bytes)))
}

/// Checks the values that go into request headers, because the client assumes that they are valid.
///
/// # Errors
/// What is not valid, without quoting it.
pub(super) fn check_headers(user: &AuthInfo) -> Result<(), String> {
    let user = serde_json::to_value(user).unwrap_or_default();
    let provider = &user["auth-provider"]["config"];
    let extra = user["as-user-extra"].as_object().into_iter().flatten();
    let all = [
        ("token", &user["token"]),
        ("as", &user["as"]),
        ("as-uid", &user["as-uid"]),
        ("as-groups", &user["as-groups"]),
        ("auth-provider", &provider["id-token"]),
        ("auth-provider", &provider["access-token"]),
    ];
    let all = all
        .into_iter()
        .chain(extra.map(|(_, values)| ("as-user-extra", values)));
    for (name, value) in all {
        let fits = |value: &Json| {
            let text = value.as_str().unwrap_or_default();
            http::HeaderValue::from_str(text).is_ok()
        };
        let is_fit = match value {
            Json::Array(values) => values.iter().all(fits),
            value => fits(value),
        };
        if !is_fit {
            return Err(format!(
                "its `{name}` contains a character that is not allowed in a request header, such as a newline"
            ));
        }
    }
    if provider.get("cmd-path").is_some() {
        return Err(
            "its `auth-provider` runs a program, which Kubernetes 1.26 removed; use `exec` instead"
                .to_owned(),
        );
    }
    Ok(())
}
