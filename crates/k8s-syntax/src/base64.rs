//! Base64 as Kubernetes decodes it in Secrets and in all fields that contain bytes: like Go's `base64.StdEncoding`.

use data_encoding::BASE64_MIME_PERMISSIVE;

/// Decodes base64 (RFC 4648, section 4); `None` if the text is not valid.
///
/// Line breaks are ignored, and padding is required. As in Go, the unused bits of the last character may have any
/// value.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    // The crate would also accept several concatenated texts, each with its own padding.
    let ends = text.trim_end_matches(['=', '\r', '\n']);
    if ends.contains('=') {
        return None;
    }
    BASE64_MIME_PERMISSIVE.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn what_go_decodes_is_decoded_and_nothing_else() {
        for (text, want) in [
            ("", Some("")),
            ("Zg==", Some("f")),
            ("Zm8=", Some("fo")),
            ("Zm9v", Some("foo")),
            ("Zm9v\r\nYg=\n=\n", Some("foob")),
            ("Zh==", Some("f")),
            ("Zg", None),
            ("Zg=", None),
            ("Zg===", None),
            ("====", None),
            ("Zg==Zg==", None),
            ("Zm9v Yg==", None),
            ("Zm-_", None),
            ("ENC[AES256_GCM,data:x]", None),
        ] {
            assert_eq!(decode(text).as_deref(), want.map(str::as_bytes), "{text:?}");
        }
    }
}
