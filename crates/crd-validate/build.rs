//! Compresses `schemas/` into the binary, each file by itself, so that a look-up only unpacks one.
//!
//! It reads the files that `schemas/lock.json` lists, and nothing else, and writes `schemas.bin` (the compressed
//! files, one after the other) and `schemas.rs` (a table of their positions) to the output folder.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../schemas");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../schemas");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let lock = std::fs::read_to_string(root.join("lock.json"))?;
    let lock: Value = serde_json::from_str(&lock)?;
    let mut packed = Vec::new();
    let mut table = String::from("static FILES: &[Packed] = &[\n");
    for file in lock["files"].as_array().ok_or("lock.json has no files")? {
        let start = packed.len();
        let text = read(&root, file)?;
        let mut encoder = DeflateEncoder::new(&mut packed, Compression::best());
        encoder.write_all(text.as_bytes())?;
        encoder.finish()?;
        entry(&mut table, file, &text, start..packed.len())?;
    }
    table.push_str("];\n");
    std::fs::write(out.join("schemas.bin"), packed)?;
    std::fs::write(out.join("schemas.rs"), table)?;
    Ok(())
}

fn read(root: &Path, file: &Value) -> Result<String, Box<dyn Error>> {
    let path = file["path"].as_str().ok_or("a file without a path")?;
    std::fs::read_to_string(root.join(path))
        .map_err(|error| format!("schemas/{path}: {error}").into())
}

fn entry(
    table: &mut String,
    file: &Value,
    text: &str,
    place: std::ops::Range<usize>,
) -> Result<(), Box<dyn Error>> {
    let first = text.lines().next().unwrap_or_default();
    let header: Value = serde_json::from_str(&format!("{first}]}}"))?;
    let versions = header["versions"].as_array().ok_or("no versions")?;
    let served: Vec<&str> = versions
        .iter()
        .filter(|version| version["served"] == true)
        .filter_map(|version| version["name"].as_str())
        .collect();
    let text_of = |value: &Value| value.as_str().map(str::to_owned).ok_or("not a text");
    writeln!(
        table,
        "    Packed {{ path: {:?}, project: {:?}, version: {:?}, channel: {:?}, group: {:?}, kind: {:?}, \
         served: &{served:?}, start: {}, end: {}, length: {} }},",
        text_of(&file["path"])?,
        text_of(&file["project"])?,
        text_of(&file["version"])?,
        file["channel"].as_str(),
        text_of(&header["group"])?,
        text_of(&header["kind"])?,
        place.start,
        place.end,
        text.len(),
    )?;
    Ok(())
}
