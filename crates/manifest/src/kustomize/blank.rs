//! Skips everything between tokens: whitespace, line ends and comments.

use super::scan::Scanner;
use super::token::Fault;

/// How far go-yaml looks ahead for a comment that continues or that follows a value.
const FARTHEST_COMMENT: usize = 512;

impl Scanner<'_> {
    /// Skips to the start of the next token.
    pub(super) fn skip_to_token(&mut self) -> Result<(), Fault> {
        loop {
            loop {
                match self.byte(0) {
                    b' ' => {}
                    b'\t' if self.flow_depth > 0 || !self.key_allowed => self.is_peculiar = true,
                    _ => break,
                }
                self.skip();
            }
            if self.byte(0) == b'#' {
                self.skip_comments()?;
            }
            if !self.is_break(0) {
                return Ok(());
            }
            self.skip_line()?;
            if self.flow_depth == 0 {
                self.key_allowed = true;
            }
        }
    }

    /// Skips a comment after a token, on the same line.
    pub(super) fn skip_line_comment(&mut self) -> Result<(), Fault> {
        if self.newlines > 0 {
            return Ok(());
        }
        let blanks = (0..FARTHEST_COMMENT)
            .take_while(|ahead| self.is_blank(*ahead))
            .count();
        if blanks < FARTHEST_COMMENT && self.byte(blanks) == b'#' {
            let before = self.bytes.get(..self.at + blanks).unwrap_or_default();
            self.is_peculiar |= before.last() != Some(&b' ')
                || before.get(self.at..).is_some_and(|it| it.contains(&b'\t'));
            self.at += blanks;
            self.skip_rest_of_line()?;
        }
        Ok(())
    }

    /// Skips a comment that starts here, and the comments on the following lines.
    fn skip_comments(&mut self) -> Result<(), Fault> {
        self.skip_rest_of_line()?;
        loop {
            // Whitespace and empty lines up to the next `#`. A tab in front of the `#` is allowed here.
            let mut ahead = 1;
            while ahead < FARTHEST_COMMENT
                && (self.is_blank(ahead) || matches!(self.byte(ahead), b'\n' | b'\r'))
            {
                ahead += 1;
            }
            if ahead == FARTHEST_COMMENT || self.byte(ahead) != b'#' || !self.is_break(0) {
                return Ok(());
            }
            let end = self.at + ahead;
            while self.at < end {
                if self.is_break(0) {
                    self.skip_line()?;
                } else {
                    self.is_peculiar |= self.byte(0) == b'\t';
                    self.skip();
                }
            }
            self.skip_rest_of_line()?;
        }
    }

    fn skip_rest_of_line(&mut self) -> Result<(), Fault> {
        while !self.is_line_end(0) {
            self.skip();
        }
        let length = self.break_length(0);
        self.plain_break(length)
    }
}
