//! Turns errors of the network client into our own.

use std::error::Error as StdError;
use std::io;

use super::error::Error;
use super::server::Server;

/// Finds the cause of an error of the client.
pub(super) fn error(error: &kube::Error, server: &Server) -> Error {
    let server = || server.url.clone();
    if let kube::Error::Service(inner) = error
        && let Some(problem) = credentials(inner.as_ref())
    {
        return Error::Credentials {
            server: server(),
            problem,
        };
    }
    if let Some(problem) = chain(error).find_map(wrong_certificate) {
        let (problem, expired) = certificate(problem);
        return Error::Certificate {
            server: server(),
            problem,
            expired,
        };
    }
    let last = chain(error).last().map(|cause| cause.to_string());
    Error::Unreachable {
        server: server(),
        problem: last.unwrap_or_else(|| error.to_string()),
    }
}

/// An error and its causes, from the outermost on.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| {
        (*error).source()
    })
}

/// The TLS error on a certificate. An I/O error may wrap another one without returning it as its source.
fn wrong_certificate<'a>(
    cause: &'a (dyn StdError + 'static),
) -> Option<&'a rustls::CertificateError> {
    if let Some(rustls::Error::InvalidCertificate(problem)) = cause.downcast_ref() {
        return Some(problem);
    }
    let inner = cause.downcast_ref::<io::Error>()?.get_ref()?;
    chain(inner).find_map(wrong_certificate)
}

/// What is wrong with credentials, if the error is about them.
pub(super) fn credentials(error: &(dyn StdError + 'static)) -> Option<String> {
    use kube::client::AuthError;
    let found = chain(error).find_map(|cause| {
        cause
            .downcast_ref::<AuthError>()
            .or_else(|| match cause.downcast_ref::<kube::Error>() {
                Some(kube::Error::Auth(error)) => Some(error),
                _ => None,
            })
    })?;
    Some(found.to_string())
}

fn certificate(problem: &rustls::CertificateError) -> (String, bool) {
    use rustls::CertificateError as Wrong;
    let (text, expired) = match problem {
        Wrong::Expired | Wrong::ExpiredContext { .. } => ("it has expired", true),
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => ("it isn't valid yet", true),
        Wrong::UnknownIssuer => (
            "it is not signed by the kubeconfig's certificate authority",
            false,
        ),
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
            ("it is not valid for the host name in the kubeconfig", false)
        }
        other => return (other.to_string(), false),
    };
    (text.to_owned(), expired)
}
