//! Texts whose final value is not known: references to secrets that another tool replaces before the manifest is applied,
//! ciphertexts of SOPS, and Flux variables.

use super::variable;

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

/// Whether a text is a ciphertext of SOPS.
pub fn is_ciphertext(text: &str) -> bool {
    text.starts_with("ENC[")
}

/// Whether the final value of a text is not known. `is_encrypted` says that the object is encrypted with SOPS; elsewhere a
/// text that looks like a ciphertext is what it says.
///
/// ```
/// use manifest::value::placeholder::is_unsettled;
/// assert!(is_unsettled("https://${DOMAIN}", false));
/// assert!(is_unsettled("ENC[AES256_GCM,data:x]", true));
/// assert!(!is_unsettled("ENC[AES256_GCM,data:x]", false));
/// ```
pub fn is_unsettled(text: &str, is_encrypted: bool) -> bool {
    variable::in_text(text) || is_placeholder(text) || (is_encrypted && is_ciphertext(text))
}
