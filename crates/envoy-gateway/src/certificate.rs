//! Reads what is needed here of a PEM certificate: the kind of its key and its DNS names.
//!
//! Expiry is not checked, because this crate does not use the current time.

use x509_parser::asn1_rs::{Class, Tag};
use x509_parser::der_parser::ber::BerObject;
use x509_parser::der_parser::parse_der;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION};
use x509_parser::pem::Pem;
use x509_parser::public_key::PublicKey;

/// The fields of a certificate (RFC 5280) that are needed here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The DNS names of `subjectAltName`.
    pub dns_names: Vec<String>,
    /// The common name of its subject, which counts only without DNS names.
    pub common_name: Option<String>,
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
    let mut common_names = certificate.subject().iter_common_name();
    let common_name = common_names.next().and_then(|it| it.as_str().ok());
    Some(Certificate {
        dns_names: dns_names.collect(),
        common_name: common_name.map(str::to_owned),
        algorithm: certificate
            .public_key()
            .algorithm
            .algorithm
            .as_bytes()
            .to_vec(),
    })
}

/// The first certificate of a chain in a PEM text; `None` if there is none, or if a part of the chain can't be read.
pub fn read_chain(pem: &[u8]) -> Option<Certificate> {
    let mut blocks = Pem::iter_from_buffer(pem).filter_map(Result::ok);
    match blocks.all(|block| block.parse_x509().is_ok()) {
        true => read(pem),
        false => None,
    }
}

/// Whether a private key belongs to the first certificate of a chain. `None` if that is not known: the public key of an
/// elliptic curve is computed here only if the private key contains it.
pub fn fits(chain: &[u8], key: &[u8]) -> Option<bool> {
    let block = block(chain, &["CERTIFICATE"])?;
    let certificate = block.parse_x509().ok()?;
    let public = certificate.public_key();
    let key = private_key(key)?;
    match public.parsed().ok()? {
        PublicKey::RSA(rsa) => {
            let modulus = key.modulus.as_deref();
            Some(modulus.is_some_and(|it| without_zeros(it) == without_zeros(rsa.modulus)))
        }
        PublicKey::EC(point) => match (&key.modulus, &key.point) {
            (Some(_), _) => Some(false),
            (None, Some(own)) => Some(own == point.data()),
            (None, None) => None,
        },
        _ => None,
    }
}

/// The parts of a private key that its public key has, too.
#[derive(Default)]
struct PrivateKey {
    /// The modulus of an RSA key.
    modulus: Option<Vec<u8>>,
    /// The point of the public key on an elliptic curve.
    point: Option<Vec<u8>>,
}

/// Reads a private key in one of the forms of PKCS #1, PKCS #8 (RFC 5208) and SEC 1 (RFC 5915).
fn private_key(pem: &[u8]) -> Option<PrivateKey> {
    let block = block(pem, KEYS)?;
    match block.label.as_str() {
        "RSA PRIVATE KEY" => rsa_key(&block.contents),
        "EC PRIVATE KEY" => elliptic_key(&block.contents),
        _ => {
            let parts = sequence(&block.contents)?;
            let algorithm = parts.get(1)?.as_sequence().ok()?;
            let algorithm = algorithm.first()?.as_oid().ok()?;
            let inner = parts.get(2)?.as_slice().ok()?;
            match *algorithm == OID_PKCS1_RSAENCRYPTION {
                true => rsa_key(inner),
                false if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY => elliptic_key(inner),
                false => None,
            }
        }
    }
}

fn rsa_key(der: &[u8]) -> Option<PrivateKey> {
    let modulus = sequence(der)?.get(1)?.as_slice().ok()?.to_vec();
    Some(PrivateKey {
        modulus: Some(modulus),
        point: None,
    })
}

fn elliptic_key(der: &[u8]) -> Option<PrivateKey> {
    /// The tag of the optional public key.
    const PUBLIC: u32 = 1;
    let parts = sequence(der)?;
    let public = parts
        .iter()
        .find(|it| it.header.class() == Class::ContextSpecific && it.header.tag() == Tag(PUBLIC));
    let point = public.and_then(|it| {
        let (_, bits) = parse_der(it.as_slice().ok()?).ok()?;
        Some(bits.as_bitstring().ok()?.data.to_vec())
    });
    Some(PrivateKey {
        modulus: None,
        point,
    })
}

fn sequence(der: &[u8]) -> Option<Vec<BerObject<'_>>> {
    let (_, object) = parse_der(der).ok()?;
    object.as_sequence().ok().cloned()
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The types of private keys that the controller accepts.
const KEYS: &[&str] = &["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// Whether a PEM text contains a private key of a type that the controller accepts.
pub fn is_key(pem: &[u8]) -> bool {
    block(pem, KEYS).is_some()
}

/// The first block with one of the labels (RFC 7468). Blocks that can't be read are skipped.
fn block(pem: &[u8], labels: &[&str]) -> Option<Pem> {
    Pem::iter_from_buffer(pem)
        .filter_map(Result::ok)
        .find(|block| labels.contains(&block.label.as_str()))
}
