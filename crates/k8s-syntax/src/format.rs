//! The formats that the API server enforces in CRDs, and the one that it uses for Kubernetes' own kinds.
//!
//! apiextensions.k8s.io/v1 has a list of formats (`supportedFormats`, Kubernetes 1.34) and ignores all others:
//! `idn-hostname` is not enforced, for example. `int32` and similar ones are enforced as bounds of integers. Each
//! format accepts what `strfmt` of k8s.io/kube-openapi accepts. Formats of the list that are missing here are rare,
//! and not enforced.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::base64;
use crate::time;

/// The format of a field that Go decodes as bytes: base64 in which line breaks are ignored (`encoding/base64`). The
/// format `byte` in a CRD is different: the server checks it with a pattern that doesn't allow line breaks.
pub const BYTES: &str = "gobytes";

/// A format: its name, a test, and a description of what is allowed.
struct Format {
    name: &'static str,
    holds: fn(&str) -> bool,
    want: &'static str,
}

const FORMATS: &[Format] = &[
    Format {
        name: "ipv4",
        holds: |text| text.parse::<Ipv4Addr>().is_ok(),
        want: "an IPv4 address, like `10.10.30.26`",
    },
    Format {
        name: "ipv6",
        holds: |text| text.parse::<Ipv6Addr>().is_ok(),
        want: "an IPv6 address, like `fd00::26`",
    },
    Format {
        name: "cidr",
        holds: is_cidr,
        want: "a network, like `10.10.30.0/24`",
    },
    Format {
        name: "byte",
        holds: |text| !text.contains(['\r', '\n']) && base64::decode(text).is_some(),
        want: "base64, with its padding",
    },
    Format {
        name: BYTES,
        holds: |text| base64::decode(text).is_some(),
        want: "base64, with its padding",
    },
    Format {
        name: "datetime",
        holds: |text| time::date_time(text).is_some(),
        want: "a date and time, like `2026-01-31T08:00:00Z`",
    },
    Format {
        name: "date",
        holds: |text| time::date(text).is_some(),
        want: "a date, like `2026-01-31`",
    },
    Format {
        name: "uuid",
        holds: is_uuid,
        want: "a UUID, like `123e4567-e89b-12d3-a456-426614174000`",
    },
    Format {
        name: "hostname",
        holds: is_hostname,
        want: "a host name, like `app.example.com`",
    },
];

/// A description of `format`, if `text` doesn't have that format; `None` if it does, or if the format is not
/// enforced.
pub fn violated(format: &str, text: &str) -> Option<&'static str> {
    let format = known(format)?;
    (!(format.holds)(text)).then_some(format.want)
}

/// A description of a format, if it is enforced.
pub fn description(format: &str) -> Option<&'static str> {
    known(format).map(|format| format.want)
}

fn known(format: &str) -> Option<&'static Format> {
    let name = format.replace('-', "");
    FORMATS.iter().find(|format| format.name == name)
}

/// An address and a prefix length. Host bits are allowed, as in Go's `net.ParseCIDR`.
fn is_cidr(text: &str) -> bool {
    text.parse::<ipnet::IpNet>().is_ok()
}

fn is_uuid(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| *c != '-').collect();
    plain.len() == 32 && plain.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

/// The names of all formats that are enforced on strings.
pub fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_the_api_server() {
        for (format, yes, no) in [
            ("ipv4", "10.10.30.26", "10.10.30.256"),
            ("ipv6", "fd00::1", "10.10.30.26"),
            ("cidr", "10.10.30.26/24", "10.10.30.26"),
            ("byte", "aGk=", "aGk"),
            ("byte", "aGk=", "aG\nk="),
            (BYTES, "aG\nk=\n", "aGk"),
            (
                "date-time",
                "2024-02-29T08:00:00.5+01:00",
                "2023-02-29T08:00:00Z",
            ),
            ("date-time", "2024-02-29t08:00:00z", "2024-02-29T24:00:00Z"),
            ("date", "2026-01-31", "2026-1-31"),
            ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
            ("hostname", "app.example.com", "app_.example.com"),
        ] {
            assert_eq!(violated(format, yes), None, "{format} {yes}");
            assert!(violated(format, no).is_some(), "{format} {no}");
        }
        assert_eq!(violated("int32", "not enforced"), None);
    }
}
