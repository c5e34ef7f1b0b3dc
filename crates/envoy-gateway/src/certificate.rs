//! Reads what is needed here of a PEM certificate: the kind of its key and its DNS names.
//!
//! Expiry is not checked, because this crate does not use the current time.

use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;

/// The fields of a certificate (RFC 5280) that are needed here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The DNS names of `subjectAltName`.
    pub dns_names: Vec<String>,
    /// The object identifier of the public key's algorithm, DER-encoded without tag and length.
    pub algorithm: Vec<u8>,
}

/// The first certificate in a PEM text; `None` if no certificate in it can be read.
pub fn read(pem: &[u8]) -> Option<Certificate> {
    let block = block(pem, &["CERTIFICATE"])?;
    let certificate = block.parse_x509().ok()?;
    let names = certificate.extensions().iter().filter_map(|extension| {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
            _ => None,
        }
    });
    let dns_names = names.flatten().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    Some(Certificate {
        dns_names: dns_names.collect(),
        algorithm: certificate
            .public_key()
            .algorithm
            .algorithm
            .as_bytes()
            .to_vec(),
    })
}

/// Whether a PEM text contains a private key of a type that the controller accepts.
pub fn is_key(pem: &[u8]) -> bool {
    block(pem, &["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]).is_some()
}

/// The first block with one of the labels (RFC 7468). Blocks that can't be read are skipped.
fn block(pem: &[u8], labels: &[&str]) -> Option<Pem> {
    Pem::iter_from_buffer(pem)
        .filter_map(Result::ok)
        .find(|block| labels.contains(&block.label.as_str()))
}
