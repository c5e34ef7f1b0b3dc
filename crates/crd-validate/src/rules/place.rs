//! A rule's `fieldPath`.

/// The fields in a path: `.a.b`, `['a.b'].c`. `None` if it is not a valid path.
pub(super) fn steps(path: &str) -> Option<Vec<String>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("['") {
            let mut name = String::new();
            let mut chars = after.chars();
            loop {
                match chars.next()? {
                    '\\' => name.push(chars.next()?),
                    '\'' => break,
                    c => name.push(c),
                }
            }
            rest = chars.as_str().strip_prefix(']')?;
            steps.push(name);
        } else {
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            if name.is_empty() {
                return None;
            }
            steps.push(name.to_owned());
            rest = after;
        }
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_paths_are_read_in_both_notations() {
        let of = |path| steps(path).map(|steps| steps.join("|"));
        assert_eq!(of(".spec.type").as_deref(), Some("spec|type"));
        assert_eq!(of(".spec['a.b/c'].d").as_deref(), Some("spec|a.b/c|d"));
        assert_eq!(of(".x['it\\'s']").as_deref(), Some("x|it's"));
        assert_eq!(of("spec"), None);
        assert_eq!(of(".a['b"), None);
        assert_eq!(of(".a..b"), None);
    }
}
