//! Parts of a line of YAML.

/// A key at the start of a text.
pub(super) struct Key {
    /// The key without quotes.
    pub name: String,
    /// How many bytes are written for it, with quotes.
    pub written: usize,
    /// How many bytes there are up to the value: with the colon.
    pub after: usize,
}

/// The key that a text begins with. `None` if there is none, or its colon is not written yet.
pub(super) fn key_of(text: &str) -> Option<Key> {
    let first = text.chars().next()?;
    let written = match first {
        '"' | '\'' => quoted_end(text, first)?,
        '#' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' => return None,
        _ => plain_key_end(text)?,
    };
    let colon = written + text.get(written..)?.find(|c| c != ' ')?;
    let rest = text.get(colon..)?.strip_prefix(':')?;
    let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
    let name = super::super::outline::unquoted(text.get(..written)?.trim_end());
    ends.then(|| Key {
        name: name.to_owned(),
        written: text
            .get(..written)
            .map_or(written, |it| it.trim_end().len()),
        after: colon + 1,
    })
}

/// The end of a plain key: the first colon that a blank or the end of the line follows.
fn plain_key_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut colons = bytes.iter().enumerate();
    let mut colons = colons
        .by_ref()
        .filter(|(_, byte)| **byte == b':')
        .map(|(at, _)| at);
    let at = colons.find(|at| matches!(bytes.get(at + 1), None | Some(b' ' | b'\t')))?;
    let key = text.get(..at)?;
    (!key.contains(" #")).then_some(at)
}

/// The number of bytes of a text in quotes. `None` if it is not closed in the line.
pub(super) fn quoted_end(text: &str, quote: char) -> Option<usize> {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && quote == '"' {
            characters.next();
        } else if c == quote {
            let is_doubled =
                quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == quote);
            if !is_doubled {
                return Some(at + 1);
            }
            characters.next();
        }
    }
    None
}

/// The number of bytes of a scalar at the start of a text, without a comment and blanks after it.
pub(super) fn scalar_end(text: &str) -> usize {
    let first = text.chars().next().unwrap_or(' ');
    if let Some(end) = matches!(first, '"' | '\'')
        .then(|| quoted_end(text, first))
        .flatten()
    {
        return end;
    }
    let end = text.find(" #").or_else(|| text.find("\t#"));
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    text.trim_end().len()
}
