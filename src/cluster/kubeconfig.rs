//! Kubeconfigs, read within bounds: the files, and those that they name.

use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};
use serde_json::Value as Json;

use super::error::Error;
use crate::bounds::file;

/// The largest kubeconfig, and the largest file that one names.
const LARGEST: u64 = 4 << 20;

/// Reads kubeconfigs; of several, the first to say something wins.
///
/// # Errors
/// Where one can't be read, or is none.
pub fn read(files: &[PathBuf]) -> Result<Kubeconfig, Error> {
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

/// What the text of a kubeconfig says; `place` is where it stands.
///
/// # Errors
/// Where it is none.
pub fn parse(place: &str, text: &str) -> Result<Kubeconfig, Error> {
    Kubeconfig::from_yaml(text).map_err(|error| Error::Kubeconfig {
        place: place.to_owned(),
        problem: told(&error),
    })
}

/// What is wrong with a kubeconfig, without words that may quote it: it holds keys and tokens.
pub fn told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(_) => "this is not the YAML of a kubeconfig".to_owned(),
        KubeconfigError::ReadConfig(error, _) => format!("it can't be read: {error}"),
        KubeconfigError::LoadClusterOfContext(name) => {
            format!("there is no cluster `{name}`, which the context names")
        }
        KubeconfigError::MissingClusterUrl => "the cluster has no `server`".to_owned(),
        other => other.to_string(),
    }
}

/// The text of a kubeconfig: Windows' tools write UTF-16.
fn decoded(bytes: Vec<u8>) -> Result<String, String> {
    let units = |from: fn([u8; 2]) -> u16| {
        let pairs = bytes.chunks_exact(2).skip(1);
        let units: Vec<u16> = pairs
            .map(|pair| from([pair.first(), pair.get(1)].map(|it| it.copied().unwrap_or_default())))
            .collect();
        String::from_utf16(&units).map_err(|_| "it is no UTF-16".to_owned())
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => units(u16::from_le_bytes),
        [0xfe, 0xff, ..] => units(u16::from_be_bytes),
        _ => {
            let text = file::utf8(bytes).map_err(|error| error.to_string())?;
            Ok(text.trim_start_matches('\u{feff}').to_owned())
        }
    }
}

/// The files that a kubeconfig names count from its own folder; so do programs, but those that are looked for.
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

/// Puts what a cluster's files hold in their place.
///
/// # Errors
/// Where one can't be read.
pub fn load_cluster(cluster: &mut Cluster) -> Result<(), String> {
    if let Some(data) = encoded(
        &mut cluster.certificate_authority,
        &cluster.certificate_authority_data,
    )? {
        cluster.certificate_authority_data = Some(data);
    }
    Ok(())
}

/// Puts what a user's files hold in their place.
///
/// # Errors
/// Where one can't be read.
pub fn load_user(user: &mut AuthInfo) -> Result<(), String> {
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

/// A file as base64, where there is no data already; the path is taken.
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

/// Looks at what goes into the headers of requests: the client takes for granted that it fits.
///
/// # Errors
/// What doesn't fit, without quoting it.
pub fn check_headers(user: &AuthInfo) -> Result<(), String> {
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
                "its `{name}` holds a character that no header of a request can have, such as the end of a line"
            ));
        }
    }
    if provider.get("cmd-path").is_some() {
        return Err(
            "its `auth-provider` runs a program; Kubernetes 1.26 took that away: write it as `exec`"
                .to_owned(),
        );
    }
    Ok(())
}
