//! The formats that the API server enforces in CRDs, and the one that it uses for Kubernetes' own kinds.
//!
//! apiextensions.k8s.io/v1 has a list of formats (`supportedVersionedFormats`, Kubernetes 1.37) and ignores all others:
//! `idn-hostname` is not enforced, for example. `int32` and similar ones are enforced as bounds of integers. Each
//! format accepts what `strfmt` of k8s.io/kube-openapi accepts, which is often more or less than its name promises.

mod checked;

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use crate::base64;
use crate::email;
use crate::names;
use crate::pattern::Pattern;
use crate::time;
use crate::uri;
use checked::{is_credit_card, is_hex_color, is_isbn10, is_isbn13, is_rgb_color, is_ssn};

/// The format of a field that Go decodes as bytes: base64 in which line breaks are ignored (`encoding/base64`). The
/// format `byte` in a CRD is different: the server checks it with a pattern that doesn't allow line breaks.
pub const BYTES: &str = "gobytes";

/// A format: its name, a test, and a description of what is allowed.
struct Format {
    name: &'static str,
    holds: fn(&str) -> bool,
    want: &'static str,
}

/// A row of the table of formats.
const fn format(name: &'static str, holds: fn(&str) -> bool, want: &'static str) -> Format {
    Format { name, holds, want }
}

/// Names are without hyphens, which the server ignores in names of formats.
const FORMATS: &[Format] = &[
    format("ipv4", is_ipv4, "an IPv4 address, like `10.10.30.26`"),
    format(
        "ipv6",
        |text| text.parse::<Ipv6Addr>().is_ok(),
        "an IPv6 address, like `fd00::26`",
    ),
    format("cidr", is_cidr, "a network, like `10.10.30.0/24`"),
    format("byte", is_base64, "base64, with its padding"),
    format(
        BYTES,
        |text| base64::decode(text).is_some(),
        "base64, with its padding",
    ),
    format(
        "datetime",
        is_date_time,
        "a date and time, like `2026-01-31T08:00:00Z`",
    ),
    format(
        "date",
        |text| time::date(text).is_some(),
        "a date, like `2026-01-31`",
    ),
    format(
        "duration",
        |text| time::loose_duration(text).is_some(),
        "a duration, like `30s` or `2 days`",
    ),
    format(
        "uri",
        uri::is_request_uri,
        "an absolute URL, or a path that begins with `/`",
    ),
    format(
        "email",
        email::is_address,
        "an e-mail address, like `a@example.com`",
    ),
    format(
        "hostname",
        is_hostname,
        "a host name, like `app.example.com`",
    ),
    format("mac", is_mac, "a MAC address, like `01:23:45:67:89:ab`"),
    format(
        "uuid",
        |text| is_uuid(text, None, false),
        "a UUID, like `123e4567-e89b-12d3-a456-426614174000`",
    ),
    format(
        "uuid3",
        |text| is_uuid(text, Some(b'3'), false),
        "a UUID of version 3",
    ),
    format(
        "uuid4",
        |text| is_uuid(text, Some(b'4'), true),
        "a UUID of version 4",
    ),
    format(
        "uuid5",
        |text| is_uuid(text, Some(b'5'), true),
        "a UUID of version 5",
    ),
    format(
        "isbn",
        |text| is_isbn10(text) || is_isbn13(text),
        "an ISBN, with its check digit",
    ),
    format(
        "isbn10",
        is_isbn10,
        "an ISBN of ten digits, with its check digit",
    ),
    format(
        "isbn13",
        is_isbn13,
        "an ISBN of thirteen digits, with its check digit",
    ),
    format(
        "creditcard",
        is_credit_card,
        "a credit card's number, with its check digit",
    ),
    format(
        "ssn",
        is_ssn,
        "a social security number, like `123-45-6789`",
    ),
    format("hexcolor", is_hex_color, "a color, like `#ff8800`"),
    format("rgbcolor", is_rgb_color, "a color, like `rgb(255, 136, 0)`"),
    format(
        "bsonobjectid",
        |text| text.len() == 24 && is_hex(text),
        "24 hexadecimal digits",
    ),
    format(
        "k8sshortname",
        names::is_dns_label,
        "lower-case letters, digits and `-`, at most 63 characters",
    ),
    format(
        "k8slongname",
        names::is_dns_subdomain,
        "lower-case letters, digits, `-` and `.`, at most 253 characters",
    ),
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

fn known(name: &str) -> Option<&'static Format> {
    let is_it = |format: &&Format| {
        let letters = name.bytes().filter(|byte| *byte != b'-');
        letters.eq(format.name.bytes())
    };
    FORMATS.iter().find(is_it)
}

/// A text whose numbers have no leading zeros, which Go's older parsers of addresses skip.
fn without_leading_zeros(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_in_number = false;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_skipped =
            c == '0' && !is_in_number && rest.peek().is_some_and(char::is_ascii_hexdigit);
        if !is_skipped {
            is_in_number = c.is_ascii_hexdigit();
            out.push(c);
        }
    }
    out
}

/// An IPv4 address, or an IPv6 address that ends like one. Numbers may have leading zeros.
fn is_ipv4(text: &str) -> bool {
    let address = without_leading_zeros(text);
    text.contains('.') && address.parse::<std::net::IpAddr>().is_ok()
}

/// An address and a prefix length. Host bits and leading zeros are allowed.
fn is_cidr(text: &str) -> bool {
    without_leading_zeros(text).parse::<ipnet::IpNet>().is_ok()
}

/// Base64 in the standard alphabet. The last digit may have bits that are not used; an empty text is not base64.
fn is_base64(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let digits = text
        .strip_suffix("==")
        .or_else(|| text.strip_suffix('='))
        .unwrap_or(text);
    !digits.is_empty() && text.len().is_multiple_of(4) && digits.bytes().all(is_digit)
}

/// The server's pattern for the time of a day accepts any character before the fraction.
fn is_date_time(text: &str) -> bool {
    static TIME: LazyLock<Option<Pattern>> = LazyLock::new(|| {
        Pattern::new("^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$").ok()
    });
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(day), Some(clock)) = (parts.next(), parts.next()) else {
        return false;
    };
    let at_most = |range: std::ops::Range<usize>, most: &str| {
        clock.get(range).is_some_and(|number| number <= most)
    };
    time::date(day).is_some()
        && TIME.as_ref().is_some_and(|time| time.is_match(clock))
        && at_most(0..2, "23")
        && at_most(3..5, "59")
        && at_most(6..8, "59")
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A UUID with or without its hyphens, of a version, and with the variant of RFC 4122 if that is wanted.
fn is_uuid(text: &str, version: Option<u8>, has_variant: bool) -> bool {
    let mut rest = text;
    let mut plain = Vec::with_capacity(32);
    for (at, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        rest = if at > 0 {
            rest.strip_prefix('-').unwrap_or(rest)
        } else {
            rest
        };
        let Some((group, after)) = rest.split_at_checked(length) else {
            return false;
        };
        plain.extend(group.bytes());
        rest = after;
    }
    let is_variant = |byte: &u8| matches!(byte, b'8' | b'9' | b'a' | b'b' | b'A' | b'B');
    rest.is_empty()
        && plain.iter().all(u8::is_ascii_hexdigit)
        && version.is_none_or(|version| plain.get(12) == Some(&version))
        && (!has_variant || plain.get(16).is_some_and(is_variant))
}

/// A host name: one label in which only the second character may be a hyphen, or labels with a top-level domain of
/// letters. Symbols are allowed, too.
fn is_hostname(text: &str) -> bool {
    static LETTER: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\p{L}$").ok());
    static SYMBOL: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(r"^\p{S}$").ok());
    let is_of = |class: &Option<Pattern>, c: char| {
        class
            .as_ref()
            .is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
    };
    let is_letter = |c: char| match c.is_ascii() {
        true => c.is_ascii_alphabetic(),
        false => is_of(&LETTER, c),
    };
    let is_plain = |c: char| match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || "$+<=>^`|~".contains(c),
        false => is_letter(c) || is_of(&SYMBOL, c),
    };
    let is_label = |label: &str| {
        let count = label.chars().count();
        (1..=63).contains(&count)
            && label.starts_with(is_plain)
            && label.ends_with(is_plain)
            && label.chars().all(|c| c == '-' || is_plain(c))
    };
    let is_single = || {
        let mut chars = text.chars();
        chars.next().is_some_and(is_plain) && {
            let rest = chars.as_str();
            let rest = rest.strip_prefix('-').unwrap_or(rest);
            rest.chars().count() <= 62 && rest.chars().all(is_plain)
        }
    };
    let holds = match text.rsplit_once('.') {
        Some((labels, last)) => {
            (2..=63).contains(&last.chars().count())
                && last.chars().all(is_letter)
                && labels.split('.').all(is_label)
        }
        None => is_single(),
    };
    holds && text.len() <= 255 && text.split('.').all(|label| label.len() <= 63)
}

/// Six, eight or twenty bytes, with `:` or `-` after each byte, `.` after two of them, or nothing.
fn is_mac(text: &str) -> bool {
    let (size, separator) = match (text.as_bytes().get(2), text.as_bytes().get(4)) {
        (Some(b':'), _) => (2, ':'),
        (Some(b'-'), _) => (2, '-'),
        (_, Some(b'.')) => (4, '.'),
        _ => return matches!(text.len(), 12 | 16 | 40) && is_hex(text),
    };
    let groups = text.split(separator);
    let bytes = groups.clone().count() * size / 2;
    matches!(bytes, 6 | 8 | 20)
        && groups
            .into_iter()
            .all(|group| group.len() == size && is_hex(group))
}

/// The names of all formats that are enforced on strings.
pub fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.name)
}

#[cfg(test)]
mod tests;
