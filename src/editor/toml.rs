//! Keys and values of TOML, token by token, so that a line that is not finished hides no other.

use std::collections::BTreeMap;
use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

use super::outline::{Cursor, Entry, Outline, unquoted, word_end};
use manifest::value::Pointer;

/// The deepest nesting that is followed.
const DEEPEST: usize = 64;

/// The keys and values of a file.
pub fn outline(text: &str) -> Outline {
    let mut reader = Reader::new(text);
    // An end inside of a bracket is only of interest for the cursor.
    let _ = reader.document();
    Outline {
        range: 0..text.len(),
        entries: reader.entries,
    }
}

/// Where somebody types at a byte. `None` in a comment.
pub fn cursor(text: &str, at: usize) -> Option<Cursor> {
    let before = text.get(..at)?;
    let mut reader = Reader::new(before);
    let open = match reader.document() {
        Err(open) => open,
        Ok(()) if reader.is_in_comment() => return None,
        Ok(()) => Open {
            container: reader.table.clone(),
            key: None,
            word: at,
        },
    };
    let end = match text.get(open.word..).and_then(|it| it.chars().next()) {
        Some('"' | '\'') => quoted_end(text, open.word).max(at),
        _ => word_end(text, at),
    };
    Some(Cursor {
        container: open.container,
        key: open.key,
        word: open.word.min(at)..end,
    })
}

/// The end of a text in quotes that begins at a byte; that of the line if it is not closed.
fn quoted_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let quote = line.chars().next().unwrap_or_default();
    let close = line.char_indices().skip(1).find(|(_, c)| *c == quote);
    start + close.map_or(line.len(), |(at, c)| at + c.len_utf8())
}

/// Where a text ends inside of a key, a value or a bracket.
struct Open {
    container: Pointer,
    key: Option<String>,
    word: usize,
}

/// A key with dots: its parts, with their bytes.
type Path = Vec<(String, Range<usize>)>;

struct Reader<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    /// The table of the last header.
    table: Pointer,
    /// The number of tables in each list of tables.
    counts: BTreeMap<Pointer, usize>,
    entries: Vec<Entry>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Reader {
            text,
            tokens: Source::new(text).lex().collect(),
            at: 0,
            table: Pointer::root(),
            counts: BTreeMap::new(),
            entries: Vec::new(),
        }
    }

    fn kind(&self) -> TokenKind {
        let token = self.tokens.get(self.at);
        token.map_or(TokenKind::Eof, Token::kind)
    }

    fn range(&self) -> Range<usize> {
        let end = self.text.len();
        let token = self.tokens.get(self.at);
        token.map_or(end..end, |token| token.span().start()..token.span().end())
    }

    fn next_is(&self, kind: TokenKind) -> bool {
        let next = self.tokens.get(self.at + 1);
        next.is_some_and(|token| token.kind() == kind)
    }

    fn is_in_comment(&self) -> bool {
        let mut last = self.tokens.iter().rev();
        let last = last.find(|token| token.kind() != TokenKind::Eof);
        last.is_some_and(|token| token.kind() == TokenKind::Comment)
    }

    fn skip_blanks(&mut self, with_lines: bool) {
        while match self.kind() {
            TokenKind::Whitespace => true,
            TokenKind::Newline | TokenKind::Comment => with_lines,
            _ => false,
        } {
            self.at += 1;
        }
    }

    fn is_at_line_start(&self) -> bool {
        let before = self.tokens.get(..self.at).unwrap_or_default().iter().rev();
        let mut before = before
            .map(Token::kind)
            .filter(|kind| *kind != TokenKind::Whitespace);
        before.next().is_none_or(|kind| kind == TokenKind::Newline)
    }

    fn skip_line(&mut self) {
        while !matches!(self.kind(), TokenKind::Newline | TokenKind::Eof) {
            self.at += 1;
        }
    }

    fn document(&mut self) -> Result<(), Open> {
        loop {
            self.skip_blanks(true);
            match self.kind() {
                TokenKind::Eof => return Ok(()),
                TokenKind::LeftSquareBracket => self.header()?,
                _ => {
                    let table = self.table.clone();
                    self.key_and_value(&table, 0)?;
                }
            }
            self.skip_blanks(false);
            // A table that is not closed ends before the header of the next one.
            if self.kind() != TokenKind::Comment && !self.is_at_line_start() {
                self.skip_line();
            }
        }
    }

    /// Reads `[a.b]` or `[[a.b]]`.
    fn header(&mut self) -> Result<(), Open> {
        let is_list = self.next_is(TokenKind::LeftSquareBracket);
        self.at += if is_list { 2 } else { 1 };
        let path = self.path(&Pointer::root())?;
        let mut table = Pointer::root();
        let parts = path.len();
        for (nth, (name, range)) in path.into_iter().enumerate() {
            table = table.key(name);
            self.entries.push(Entry {
                pointer: table.clone(),
                key: Some(range),
                value: None,
            });
            if is_list && nth + 1 == parts {
                let count = self.counts.entry(table.clone()).or_default();
                *count += 1;
            }
            if let Some(last) = self
                .counts
                .get(&table)
                .and_then(|count| count.checked_sub(1))
            {
                table = table.index(last);
            }
        }
        self.table = table;
        Ok(())
    }

    /// Reads a key with dots. `above` is the table that it is in.
    fn path(&mut self, above: &Pointer) -> Result<Path, Open> {
        let mut path = Path::new();
        loop {
            self.skip_blanks(false);
            let range = self.range();
            let is_part = matches!(
                self.kind(),
                TokenKind::Atom | TokenKind::BasicString | TokenKind::LiteralString
            );
            let text = self.text.get(range.clone()).filter(|_| is_part);
            let is_last = range.end >= self.text.len();
            if is_last || self.kind() == TokenKind::Eof {
                let container = path.iter().fold(self.list_item(above), |at, (name, _)| {
                    self.list_item(&at.key(name.clone()))
                });
                let word = if is_part {
                    range.start
                } else {
                    self.text.len()
                };
                return Err(Open {
                    container,
                    key: None,
                    word,
                });
            }
            let Some(text) = text else {
                return Ok(path);
            };
            path.push((unquoted(text).to_owned(), range));
            self.at += 1;
            self.skip_blanks(false);
            if self.kind() != TokenKind::Dot {
                return Ok(path);
            }
            self.at += 1;
        }
    }

    /// The last table of a list of tables, or the table itself.
    fn list_item(&self, table: &Pointer) -> Pointer {
        let count = self
            .counts
            .get(table)
            .and_then(|count| count.checked_sub(1));
        count.map_or_else(|| table.clone(), |last| table.index(last))
    }

    fn key_and_value(&mut self, table: &Pointer, depth: usize) -> Result<(), Open> {
        let path = self.path(table)?;
        let Some((last, above)) = path.split_last() else {
            // A character that begins no key must not stop the reader.
            self.at += 1;
            return Ok(());
        };
        let mut container = table.clone();
        for (name, range) in above {
            container = container.key(name.clone());
            self.entries.push(Entry {
                pointer: container.clone(),
                key: Some(range.clone()),
                value: None,
            });
        }
        let (name, key) = last;
        match self.kind() {
            TokenKind::Equals => {
                self.at += 1;
                self.value((&container, Some(name)), Some(key.clone()), depth)
            }
            TokenKind::Eof => Err(Open {
                container,
                key: None,
                word: self.text.len(),
            }),
            _ => {
                self.entries.push(Entry {
                    pointer: container.key(name.clone()),
                    key: Some(key.clone()),
                    value: None,
                });
                Ok(())
            }
        }
    }

    /// Reads the value of a key, or an item.
    fn value(
        &mut self,
        (container, name): (&Pointer, Option<&str>),
        key: Option<Range<usize>>,
        depth: usize,
    ) -> Result<(), Open> {
        self.skip_blanks(false);
        let pointer = match name {
            Some(name) => container.key(name),
            None => container.clone(),
        };
        let start = self.range().start;
        let open = |word| Open {
            container: container.clone(),
            key: name.map(str::to_owned),
            word,
        };
        let is_collection = matches!(
            self.kind(),
            TokenKind::LeftCurlyBracket | TokenKind::LeftSquareBracket
        );
        if is_collection && depth < DEEPEST {
            self.entries.push(Entry {
                pointer: pointer.clone(),
                key,
                value: None,
            });
            return match self.kind() {
                TokenKind::LeftCurlyBracket => self.inline_table(&pointer, depth + 1),
                _ => self.list(&pointer, depth + 1),
            };
        }
        let mut end = start;
        while !matches!(
            self.kind(),
            TokenKind::Comma
                | TokenKind::Newline
                | TokenKind::Comment
                | TokenKind::RightCurlyBracket
                | TokenKind::RightSquareBracket
                | TokenKind::Eof
        ) {
            if self.kind() != TokenKind::Whitespace {
                end = self.range().end;
            }
            self.at += 1;
        }
        if self.kind() == TokenKind::Eof {
            return Err(open(start));
        }
        self.entries.push(Entry {
            pointer,
            key,
            value: (start < end).then_some(start..end),
        });
        Ok(())
    }

    fn inline_table(&mut self, pointer: &Pointer, depth: usize) -> Result<(), Open> {
        self.at += 1;
        loop {
            self.skip_blanks(true);
            match self.kind() {
                TokenKind::RightCurlyBracket => {
                    self.at += 1;
                    return Ok(());
                }
                // A header: the table above it is not closed.
                TokenKind::LeftSquareBracket => return Ok(()),
                TokenKind::Comma => self.at += 1,
                TokenKind::Eof => {
                    return Err(Open {
                        container: pointer.clone(),
                        key: None,
                        word: self.text.len(),
                    });
                }
                _ => self.key_and_value(pointer, depth)?,
            }
        }
    }

    fn list(&mut self, pointer: &Pointer, depth: usize) -> Result<(), Open> {
        self.at += 1;
        let mut index = 0;
        loop {
            self.skip_blanks(true);
            match self.kind() {
                TokenKind::RightSquareBracket => {
                    self.at += 1;
                    return Ok(());
                }
                TokenKind::Comma => {
                    index += 1;
                    self.at += 1;
                }
                TokenKind::Eof => {
                    return Err(Open {
                        container: pointer.index(index),
                        key: None,
                        word: self.text.len(),
                    });
                }
                // It belongs to a bracket outside.
                TokenKind::RightCurlyBracket => return Ok(()),
                _ => {
                    let before = self.at;
                    self.value((&pointer.index(index), None), None, depth)?;
                    self.at = self.at.max(before + 1);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
