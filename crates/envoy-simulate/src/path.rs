//! Paths, as Envoy reads them before it selects a route.

use percent_encoding::percent_decode_str;

/// Whether a part of a URL has no character that must be escaped.
pub fn is_clean(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() && !c.is_whitespace())
}

/// Decodes percent-encoding (RFC 3986). A `+` stays a `+`, as in Envoy.
pub fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Resolves `.` and `..`, and merges repeated slashes unless `merges_slashes` is false.
pub fn normalized(path: &str, merges_slashes: bool) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            "" if merges_slashes && !is_last => continue,
            segment => {
                kept.push(segment);
                continue;
            }
        }
        if is_last {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

/// Replaces `%2F` and `%5C` by slashes; `None` if there are none.
pub fn unescaped_slashes(path: &str) -> Option<String> {
    const CODES: [(&str, &str); 4] = [("%2F", "/"), ("%2f", "/"), ("%5C", "\\"), ("%5c", "\\")];
    let plain = CODES.iter().fold(path.to_owned(), |path, (code, slash)| {
        path.replace(code, slash)
    });
    (plain != path).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        for (path, want) in [
            ("/", "/"),
            ("/a//b", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/../../etc", "/etc"),
            ("//", "/"),
            ("/a/", "/a/"),
            ("/a//", "/a/"),
        ] {
            assert_eq!(normalized(path, true), want, "{path}");
        }
        assert_eq!(normalized("/a//b", false), "/a//b");
    }

    #[test]
    fn codes_are_undone_and_what_is_none_stays() {
        assert_eq!(decoded("a%20b%"), "a b%");
        assert_eq!(decoded("%+1%zz%41"), "%+1%zzA");
        assert_eq!(unescaped_slashes("/a%2fb%5Cc").as_deref(), Some("/a/b\\c"));
        assert_eq!(unescaped_slashes("/a%20b"), None);
    }
}
