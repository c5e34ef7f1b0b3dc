//! What a certificate in PEM says, as far as it is needed: that it is one, its key's kind, its DNS names.
//!
//! Whether it has expired is not looked at: there is no clock here.

/// What is read of a certificate (RFC 5280).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The DNS names of `subjectAltName`.
    pub dns_names: Vec<String>,
    /// The object identifier of the public key's algorithm, as its bytes.
    pub algorithm: Vec<u8>,
}

/// The first certificate of a text in PEM; `None` where there is none that can be read.
pub fn read(pem: &[u8]) -> Option<Certificate> {
    let der = block(pem, |label| label == "CERTIFICATE")?;
    parse(&der)
}

/// Whether a text in PEM holds a private key of a kind that the controller takes.
pub fn is_key(pem: &[u8]) -> bool {
    block(pem, |label| {
        matches!(label, "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY")
    })
    .is_some()
}

/// The bytes of the first block whose label is wanted (RFC 7468).
fn block(pem: &[u8], is_wanted: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let mut rest = text;
    loop {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once("-----END ")?;
        if is_wanted(label) {
            return base64(body.as_bytes());
        }
        rest = after;
    }
}

/// Bytes from base64 (RFC 4648), line ends and blanks aside.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut is_over = false;
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                is_over = true;
                continue;
            }
            byte if byte.is_ascii_whitespace() => continue,
            _ => return None,
        };
        if is_over {
            return None;
        }
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// One value of DER (X.690): its tag, its contents, and what follows it.
fn value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // Four bytes of length are more than any certificate needs.
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (
                bytes
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte)),
                rest,
            )
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((*tag, contents, rest))
}

/// The values that stand one after the other.
fn values(mut der: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, contents, rest) = value(der)?;
        der = rest;
        Some((tag, contents))
    })
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
/// 2.5.29.17
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

fn parse(der: &[u8]) -> Option<Certificate> {
    let (SEQUENCE, outer, _) = value(der)? else {
        return None;
    };
    let (SEQUENCE, body, _) = value(outer)? else {
        return None;
    };
    // The key is the only sequence of the body that begins with a sequence and ends with a bit string.
    let key = values(body).find_map(|(tag, contents)| {
        let mut inside = values(contents);
        let (algorithm, bits) = (inside.next()?, inside.next()?);
        (tag == SEQUENCE && algorithm.0 == SEQUENCE && bits.0 == 0x03).then_some(algorithm.1)
    })?;
    let (OBJECT_IDENTIFIER, algorithm, _) = value(key)? else {
        return None;
    };
    let extensions = values(body).find(|(tag, _)| *tag == EXTENSIONS);
    let extensions = extensions.and_then(|(_, contents)| Some(value(contents)?.1));
    let mut dns_names = Vec::new();
    for (_, extension) in extensions.into_iter().flat_map(values) {
        let mut parts = values(extension);
        if parts.next() != Some((OBJECT_IDENTIFIER, SUBJECT_ALT_NAME)) {
            continue;
        }
        let octets = parts.find(|(tag, _)| *tag == OCTET_STRING);
        let names = octets.and_then(|(_, octets)| Some(value(octets)?.1));
        let names = names
            .into_iter()
            .flat_map(values)
            .filter(|(tag, _)| *tag == DNS_NAME);
        dns_names.extend(names.map(|(_, name)| String::from_utf8_lossy(name).into_owned()));
    }
    Some(Certificate {
        dns_names,
        algorithm: algorithm.to_vec(),
    })
}
