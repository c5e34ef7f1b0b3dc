//! Reads whole files and streams, up to a maximum number of bytes.
//! Only regular files are read, and symbolic links to them. Reading a pipe could wait forever, and a device
//! may never end. So a file is opened without waiting, and its type is checked with the same handle that it
//! is read from.

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Why a file or a stream was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// The operating system reported an error.
    #[error(transparent)]
    System(#[from] io::Error),
    /// It is not a regular file; the text says what it is.
    #[error("it is {0}, not a regular file")]
    Special(&'static str),
    /// It has more bytes than allowed.
    #[error("it has more than {most} bytes")]
    TooLarge {
        /// The number of bytes, as far as it is known; at least one more than allowed.
        bytes: u64,
        /// The maximum number of bytes.
        most: u64,
    },
    /// It is not text.
    #[error("byte {at} is not valid UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// The position of the first invalid byte, from 0.
        at: usize,
    },
    /// It begins as UTF-16, and goes on as something else.
    #[error("byte {at} is not valid UTF-16; save the file as UTF-8")]
    NotUtf16 {
        /// The position of the first invalid byte, from 0.
        at: usize,
    },
}

impl Unread {
    /// Whether the file doesn't exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Unread::System(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Reads a regular file of at most `most` bytes.
/// # Errors
/// Fails if it can't be read completely.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    // Opening a device may already have an effect, so its type is checked first.
    regular(std::fs::metadata(path)?.file_type())?;
    let file = options().read(true).open(path)?;
    let about = file.metadata()?;
    regular(about.file_type())?;
    let bytes = about.len();
    if bytes > most {
        return Err(Unread::TooLarge { bytes, most });
    }
    // With room for its size, and for what the standard library wants at least, a file is read in one piece.
    let room = usize::try_from(bytes)
        .unwrap_or_default()
        .saturating_add(64);
    stream_into(Vec::with_capacity(room), file, most)
}

/// Reads a regular file of at most `most` bytes as text.
/// # Errors
/// Fails if it can't be read completely, or is not UTF-8.
pub fn text(path: &Path, most: u64) -> Result<String, Unread> {
    utf8(read(path, most)?)
}

/// Reads a regular file of at most `most` bytes as YAML.
/// # Errors
/// Fails if it can't be read completely, or is neither UTF-8 nor UTF-16.
pub fn yaml(path: &Path, most: u64) -> Result<String, Unread> {
    Ok(decoded(read(path, most)?)?.0)
}

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16 with a byte order mark, in either order.
    Utf16,
}

/// Converts bytes to text as all readers of YAML do: a byte order mark says that they are UTF-16. The mark stays.
/// # Errors
/// Fails if they are not what they begin as.
pub fn decoded(bytes: Vec<u8>) -> Result<(String, Encoding), Unread> {
    let unit = match bytes.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Ok((utf8(bytes)?, Encoding::Utf8)),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut at = 0;
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        let c = c.map_err(|_| Unread::NotUtf16 { at })?;
        text.push(c);
        at += 2 * c.len_utf16();
    }
    match rest.is_empty() {
        true => Ok((text, Encoding::Utf16)),
        false => Err(Unread::NotUtf16 { at }),
    }
}

/// Reads a stream to its end, at most `most` bytes.
/// # Errors
/// Fails if reading fails, or if there are more bytes.
pub fn stream(from: impl Read, most: u64) -> Result<Vec<u8>, Unread> {
    stream_into(Vec::new(), from, most)
}

fn stream_into(mut bytes: Vec<u8>, from: impl Read, most: u64) -> Result<Vec<u8>, Unread> {
    // One more byte shows that the stream is longer than allowed.
    let wanted = most.saturating_add(1);
    let read = from.take(wanted).read_to_end(&mut bytes)?;
    match u64::try_from(read) {
        Ok(read) if read <= most => Ok(bytes),
        _ => Err(Unread::TooLarge {
            bytes: wanted,
            most,
        }),
    }
}

/// Converts bytes to text.
/// # Errors
/// Fails if they are not UTF-8.
pub fn utf8(bytes: Vec<u8>) -> Result<String, Unread> {
    String::from_utf8(bytes).map_err(|error| Unread::NotUtf8 {
        at: error.utf8_error().valid_up_to(),
    })
}

/// Opens a regular file for appending. It is created if it doesn't exist.
/// # Errors
/// Fails if it can't be opened, or is not a regular file.
pub fn append(path: &Path) -> Result<File, Unread> {
    let file = options().create(true).append(true).open(path)?;
    regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Options with which opening neither waits for the other end of a pipe nor makes a terminal the controlling
/// one.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    options
}

fn regular(kind: FileType) -> Result<(), Unread> {
    match kind.is_file() {
        true => Ok(()),
        false => Err(Unread::Special(name(kind))),
    }
}

fn name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "a device"
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_read_completely_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        std::fs::write(&path, "four").expect("a file");
        let link = folder.path().join("link");
        symlink(&path, &link).expect("a link");
        assert_eq!(text(&link, 4).expect("the text"), "four");
        let error = read(&path, 3).expect_err("too large");
        assert!(matches!(error, Unread::TooLarge { bytes: 4, most: 3 }));
        assert_eq!(error.to_string(), "it has more than 3 bytes");
        std::fs::write(&path, b"ab\xff").expect("a file");
        assert!(matches!(text(&path, 9), Err(Unread::NotUtf8 { at: 2 })));
        let missing = read(&folder.path().join("none"), 9).expect_err("nothing");
        assert!(missing.is_missing());
    }

    #[test]
    fn a_mark_at_the_start_says_that_a_text_is_utf_16() {
        let marked = "\u{feff}a: é🚪\n";
        let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [&little, &big] {
            let (text, encoding) = decoded(bytes.clone()).expect("a text");
            assert_eq!((text.as_str(), encoding), (marked, Encoding::Utf16));
        }
        let (text, encoding) = decoded(marked.into()).expect("a text");
        assert_eq!((text.as_str(), encoding), (marked, Encoding::Utf8));
        // Half a character, and half of a pair.
        for (bytes, wrong) in [(&b"\xff\xfea\0b"[..], 4), (&b"\xfe\xff\xd8\x3d\0a"[..], 2)] {
            let error = decoded(bytes.to_vec()).expect_err("no text");
            assert!(
                matches!(error, Unread::NotUtf16 { at } if at == wrong),
                "{error}"
            );
        }
    }

    #[test]
    fn special_files_are_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo").success());
        let zero = folder.path().join("zero");
        symlink("/dev/zero", &zero).expect("a link");
        let why = |path: &Path| read(path, 9).expect_err("no file").to_string();
        assert_eq!(why(&pipe), "it is a pipe, not a regular file");
        assert_eq!(why(&zero), "it is a device, not a regular file");
        assert_eq!(why(folder.path()), "it is a folder, not a regular file");
        assert!(append(&pipe).is_err());
        assert!(matches!(append(&zero), Err(Unread::Special("a device"))));
    }

    #[test]
    fn an_endless_stream_is_not_read_to_its_end() {
        let error = stream(io::repeat(0), 1000).expect_err("no end");
        assert!(matches!(error, Unread::TooLarge { bytes: 1001, .. }));
    }
}
