//! A server of HTTP/2 that gives every request the same answer, for backends that gRPC and h2c are sent to (RFC 9113).

use std::io::{Read, Write};

/// The client's first bytes.
const PREFACE: usize = 24;

/// The types of frames that matter here.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

/// The end of a request or an answer, in `DATA` and `HEADERS`.
const END_STREAM: u8 = 1;
/// An answer to `SETTINGS` and `PING`.
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// Answers requests with this JSON until the client closes the connection. What the requests say is not read.
pub fn talk(mut stream: impl Read + Write, json: &str) -> std::io::Result<()> {
    stream.read_exact(&mut [0; PREFACE])?;
    write_frame(&mut stream, SETTINGS, 0, 0, &[])?;
    let mut head = [0; 9];
    while stream.read_exact(&mut head).is_ok() {
        let [a, b, c, kind, flags, request @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let mut payload = Vec::new();
        (&mut stream)
            .take(u64::from(length))
            .read_to_end(&mut payload)?;
        match kind {
            SETTINGS if flags & ACK == 0 => write_frame(&mut stream, SETTINGS, ACK, 0, &[])?,
            PING if flags & ACK == 0 => write_frame(&mut stream, PING, ACK, 0, &payload)?,
            HEADERS | DATA if flags & END_STREAM != 0 => {
                let request = u32::from_be_bytes(request);
                write_frame(&mut stream, HEADERS, END_HEADERS, request, &headers())?;
                write_frame(&mut stream, DATA, END_STREAM, request, json.as_bytes())?;
            }
            _ => {}
        }
        stream.flush()?;
    }
    Ok(())
}

/// `:status: 200` and `content-type: application/json`, by the static table of RFC 7541.
fn headers() -> Vec<u8> {
    let value = b"application/json";
    let mut headers = vec![0x88, 0x0f, 0x10, 16];
    headers.extend(value);
    headers
}

fn write_frame(
    stream: &mut impl Write,
    kind: u8,
    flags: u8,
    request: u32,
    payload: &[u8],
) -> std::io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(std::io::Error::other)?;
    let [_, a, b, c] = length.to_be_bytes();
    stream.write_all(&[a, b, c, kind, flags])?;
    stream.write_all(&request.to_be_bytes())?;
    stream.write_all(payload)
}
