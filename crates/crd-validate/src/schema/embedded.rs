//! The schemas in the binary, as `build.rs` compresses them.

use std::io::Read as _;

use flate2::bufread::DeflateDecoder;

/// One compressed file of `schemas/`.
#[derive(Clone, Copy, Debug)]
pub struct Packed {
    /// Its path relative to `schemas/`.
    pub path: &'static str,
    /// The project.
    pub project: &'static str,
    /// The project's version, without a leading `v`.
    pub version: &'static str,
    /// The project's channel.
    pub channel: Option<&'static str>,
    /// The API group of its kind.
    pub group: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// The versions in which the kind is served.
    pub served: &'static [&'static str],
    start: usize,
    end: usize,
    length: usize,
}

include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/schemas.bin"));

/// The list of the files, as committed.
pub static LOCK: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../schemas/lock.json"
));

/// All files, by path.
pub fn files() -> &'static [Packed] {
    FILES
}

impl Packed {
    /// The text of the file; `None` if the binary is damaged.
    pub fn unpack(&self) -> Option<String> {
        let mut text = String::with_capacity(self.length);
        let bytes = BYTES.get(self.start..self.end)?;
        let limit = u64::try_from(self.length).ok()?;
        DeflateDecoder::new(bytes)
            .take(limit)
            .read_to_string(&mut text)
            .ok()?;
        (text.len() == self.length).then_some(text)
    }
}
