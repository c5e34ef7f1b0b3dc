//! Messages on standard input and output: a header with the length, then JSON.
//!
//! `lsp-server` has the types of messages. Its own reader allocates as many bytes as a header declares, and stops at the first
//! message that is none, so this one is used.

use std::io::{self, BufRead, Read, Write};

use lsp_server::Message;

/// The largest message that is read, in bytes. A document of the largest size that is checked fits into it.
const LARGEST_MESSAGE: u64 = 64 << 20;

/// The longest line of a header, in bytes.
const LONGEST_LINE: u64 = 4096;

/// What was read.
pub(super) enum Frame {
    Message(Message),
    /// Something that is no message.
    Nonsense(String),
    /// The editor has gone.
    End,
}

/// Reads the next message.
///
/// # Errors
/// If reading fails.
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Frame> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        input
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(Frame::End);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if line.is_empty() {
            match length {
                Some(_) => break,
                // Blank lines between messages do no harm.
                None => continue,
            }
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().ok();
            if length.is_none() {
                return Ok(Frame::Nonsense(
                    "the Content-Length is not a number".to_owned(),
                ));
            }
        }
    }
    let length = length.unwrap_or_default();
    let mut body = input.by_ref().take(length);
    if length > LARGEST_MESSAGE {
        io::copy(&mut body, &mut io::sink())?;
        return Ok(Frame::Nonsense(format!(
            "the message has more than {LARGEST_MESSAGE} bytes"
        )));
    }
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes)?;
    Ok(match serde_json::from_slice(&bytes) {
        Ok(message) => Frame::Message(message),
        Err(error) => Frame::Nonsense(format!("this is no message: {error}")),
    })
}

/// Writes a message.
///
/// # Errors
/// If it can't be written.
pub(super) fn write(message: &serde_json::Value, out: &mut impl Write) -> io::Result<()> {
    let text = message.to_string();
    write!(out, "Content-Length: {}\r\n\r\n{text}", text.len())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(mut bytes: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            match read(&mut bytes).expect("a slice") {
                Frame::Message(message) => found.push(format!("{message:?}")),
                Frame::Nonsense(why) => found.push(why),
                Frame::End => return found,
            }
        }
    }

    #[test]
    fn what_is_no_message_hides_no_later_one() {
        let good = "Content-Length: 36\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"x\":1}";
        for bad in [
            "Content-Length: 3\r\n\r\n{{{",
            "Content-Length: x\r\n\r\n",
            "Content-Length: 2\r\nContent-Type: a\r\n\r\n[]",
            "\r\n\r\nContent-Length: 4\r\n\r\nnull",
        ] {
            let found = frames(format!("{bad}{good}").as_bytes());
            assert_eq!(found.len(), 2, "{bad:?}: {found:?}");
            assert!(found[1].contains("\"a\""), "{found:?}");
        }
        // Nothing of this size is allocated.
        let found = frames(b"Content-Length: 9999999999999999\r\n\r\n{}");
        assert_eq!(found, ["the message has more than 67108864 bytes"]);
        assert_eq!(frames(b"\xff\xfe\x00"), Vec::<String>::new());
    }
}
