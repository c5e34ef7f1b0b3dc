//! The formats of texts in Kubernetes' own kinds.

use std::net::IpAddr;

use k8s_syntax::names;

/// A format: a test, and what is allowed.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub holds: fn(&str) -> bool,
    pub want: &'static str,
}

macro_rules! forms {
    ($($name:ident: $holds:expr, $want:literal;)*) => {
        $(pub(crate) const $name: Form = Form { holds: $holds, want: $want };)*
    };
}

forms! {
    LABEL: names::is_dns_label, "lower-case letters, digits and `-`, a letter or digit at both ends, at most 63 characters";
    SUBDOMAIN: names::is_dns_subdomain, "lower-case letters, digits, `-` and `.`, a letter or digit at both ends";
    SUBDOMAIN_OR_WILDCARD: is_subdomain_or_wildcard, "a DNS name in lower case, like `app.example.com` or `*.example.com`";
    EXTERNAL_NAME: |text| names::is_dns_subdomain(text.strip_suffix('.').unwrap_or(text)), "a DNS name in lower case";
    SEGMENT: names::is_path_segment, "a name without `/` and `%`, and not `.` or `..`";
    QUALIFIED: names::is_qualified_name, "`name` or `prefix.example.com/name`";
    LABEL_VALUE: names::is_label_value, "at most 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends";
    CONFIG_KEY: is_config_key, "letters, digits, `-`, `_` and `.`, and not `.` or something that begins with `..`";
    ENV_NAME: is_env_name, "printable characters without `=`";
    PORT_NAME: is_port_name, "at most 15 lower-case letters, digits and single `-`, with a letter";
    IP: |text| text.parse::<IpAddr>().is_ok(), "an IP address";
    ENDPOINT_IP: is_endpoint_ip, "an IP address of another machine: not `127.0.0.1`, `0.0.0.0` or a link-local one";
    CIDR: |text| text.parse::<ipnet::IpNet>().is_ok() && text.contains('/'), "a network, like `10.0.0.0/8`";
    ABSOLUTE: |text| text.starts_with('/'), "an absolute path";
    RELATIVE: |text| !text.starts_with('/') && !has_parent(text), "a relative path without `..`";
    NO_PARENT: |text| !has_parent(text), "a path without `..`";
    PROVISIONER: |text| names::is_qualified_name(&text.to_lowercase()), "`name` or `prefix.example.com/name`";
    DRIVER: |text| text.len() <= 63 && names::is_dns_subdomain(&text.to_lowercase()), "a DNS name of at most 63 characters, like `csi.example.com`";
    CONTROLLER: is_domain_path, "a path with a domain before it, like `example.com/ingress`";
    PERCENT_OR_COUNT: is_percent, "a whole number or a percentage, like `25%`";
    IMAGE: |text| text.trim() == text, "an image without blanks around it";
    TIME_ZONE: is_time_zone, "a name in the database of time zones, like `Europe/Berlin`";
    SYSCTL: is_sysctl, "a name like `net.ipv4.ip_forward`";
    HANDLER: names::is_dns_label, "lower-case letters, digits and `-`, at most 63 characters";
}

/// An address that an endpoint can have (`ValidateEndpointIP`).
fn is_endpoint_ip(text: &str) -> bool {
    let is_local = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_link_local() || matches!(ip.octets(), [224, 0, 0, _]),
        IpAddr::V6(ip) => {
            ip.is_unicast_link_local() || matches!(ip.segments(), [0xff02 | 0xff12, ..])
        }
    };
    text.parse::<IpAddr>()
        .is_ok_and(|ip| !ip.is_unspecified() && !ip.is_loopback() && !is_local(ip))
}

/// The name of a setting of the kernel (`IsValidSysctlName`).
fn is_sysctl(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let ends = [part.bytes().next(), part.bytes().next_back()];
        ends.into_iter().all(|end| end.is_some_and(is_letter))
            && part
                .bytes()
                .all(|byte| is_letter(byte) || matches!(byte, b'-' | b'_'))
    };
    text.len() <= 253 && text.split(['.', '/']).all(is_part)
}

fn has_parent(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

fn is_subdomain_or_wildcard(text: &str) -> bool {
    names::is_dns_subdomain(text.strip_prefix("*.").unwrap_or(text))
}

/// The key of a ConfigMap or Secret (`IsConfigMapKey`).
pub(super) fn is_config_key(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(is_part)
        && text != "."
        && !text.starts_with("..")
}

/// The name of an environment variable (`IsRelaxedEnvVarName`).
fn is_env_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'=')
}

/// The name of a port (`IsValidPortName`).
pub(super) fn is_port_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=15).contains(&text.len())
        && text.bytes().all(is_part)
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.contains("--")
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A domain, `/` and a path (`IsDomainPrefixedPath`).
fn is_domain_path(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    text.len() <= 250
        && text.split_once('/').is_some_and(|(domain, path)| {
            names::is_dns_subdomain(domain) && !path.is_empty() && path.bytes().all(is_part)
        })
}

/// A percentage (`IsValidPercent`).
pub(super) fn is_percent(text: &str) -> bool {
    let digits = text.strip_suffix('%');
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn is_time_zone(text: &str) -> bool {
    !text.eq_ignore_ascii_case("local") && k8s_syntax::time::time_zone(text).is_some()
}
