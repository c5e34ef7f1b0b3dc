//! The syntax of names that the API server checks (apimachinery's `util/validation`, Kubernetes 1.34).

/// An RFC 1123 label: at most 63 of `a-z`, `0-9` and `-`, with `-` neither first nor last.
pub fn is_dns_label(text: &str) -> bool {
    is_label_of(text, |byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit()
    })
}

/// An RFC 1035 label: an RFC 1123 label that starts with a letter.
pub fn is_dns_1035_label(text: &str) -> bool {
    is_dns_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}

fn is_label_of(text: &str, is_end: fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(|byte| is_end(*byte))
        && bytes.last().is_some_and(|byte| is_end(*byte))
        && bytes.iter().all(|byte| is_end(*byte) || *byte == b'-')
}

/// An RFC 1123 subdomain: labels with dots between them, at most 253 characters in total. Single labels may
/// be longer than 63 characters here.
pub fn is_dns_subdomain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        bytes.first().is_some_and(|byte| is_plain(*byte))
            && bytes.last().is_some_and(|byte| is_plain(*byte))
            && bytes.iter().all(|byte| is_plain(*byte) || *byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

/// A valid path segment (apimachinery's `api/validation/path`).
pub fn is_path_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['/', '%'])
}

/// At most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
pub(crate) fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| is_inside(*byte))
}

/// The key of a label or annotation: a name part, or a subdomain, `/` and a name part.
pub fn is_qualified_name(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_name_part(name),
        None => is_name_part(text),
    }
}

/// The groups of Kubernetes' own kinds that have a dot, as those of CustomResourceDefinitions have.
const BUILTIN_GROUPS: &[&str] = &[
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
];

/// Whether a group is one of Kubernetes' own kinds: a group of a CustomResourceDefinition always has a dot.
pub fn is_builtin_group(group: &str) -> bool {
    !group.contains('.') || BUILTIN_GROUPS.contains(&group)
}

/// The value of a label: a name part, or an empty text.
pub fn is_label_value(text: &str) -> bool {
    text.is_empty() || is_name_part(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_api_server_accepts() {
        type Row = (
            fn(&str) -> bool,
            &'static [&'static str],
            &'static [&'static str],
        );
        let rows: &[Row] = &[
            (
                is_dns_label,
                &["a", "a-1", "1"],
                &["", "-a", "a-", "A", "a.b"],
            ),
            (is_dns_1035_label, &["a1"], &["1a"]),
            (
                is_path_segment,
                &["system:a", "A B", "..."],
                &["", ".", "..", "a/b", "a%2f"],
            ),
            (
                is_dns_subdomain,
                &["a.b", "1.a-b"],
                &["", "a..b", "a.-b", "a_b", "."],
            ),
            (is_name_part, &["A_b.c", "1"], &["", "_a", "a."]),
            (
                is_qualified_name,
                &["a", "example.com/A_b"],
                &["", "/a", "a/", "a/b/c", "Example.com/a"],
            ),
            (is_label_value, &["", "v1.2"], &["a b", "a:b"]),
        ];
        for (holds, yes, no) in rows {
            for text in *yes {
                assert!(holds(text), "{text}");
            }
            for text in *no {
                assert!(!holds(text), "{text}");
            }
        }
        assert!(is_dns_label(&"a".repeat(63)) && !is_dns_label(&"a".repeat(64)));
        assert!(is_dns_subdomain(&"a".repeat(253)) && !is_dns_subdomain(&"a".repeat(254)));
    }
}
