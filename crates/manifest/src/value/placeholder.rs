//! References to secrets that another tool replaces before the manifest is applied.

/// How a reference to a secret starts: those of vals (`ref+BACKEND://…`, also `secretref+`), of 1Password's `op inject`
/// and of the Argo CD Vault Plugin.
const STARTS: [&str; 4] = ["ref+", "secretref+", "op://", "<path:"];

/// Whether a text is such a reference, so that the final value is not known.
///
/// ```
/// use manifest::value::placeholder::is_placeholder;
/// assert!(is_placeholder("ref+op://home/router/password"));
/// assert!(!is_placeholder("c2VjcmV0"));
/// ```
pub fn is_placeholder(text: &str) -> bool {
    STARTS.iter().any(|start| text.starts_with(start))
}
