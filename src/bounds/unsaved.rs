//! Texts that stand in place of files: those that somebody has open in an editor and has not saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::{self, Unread};

/// Texts by the absolute paths of the files that they stand for. Without any, everything is read from the disk.
#[derive(Clone, Debug, Default)]
pub struct UnsavedTexts(Arc<BTreeMap<PathBuf, Arc<str>>>);

impl UnsavedTexts {
    /// These texts. The paths must be written as the files are read, because links are not followed.
    pub fn new(texts: BTreeMap<PathBuf, Arc<str>>) -> Self {
        UnsavedTexts(Arc::new(texts))
    }

    /// All texts, by path.
    pub fn all(&self) -> &BTreeMap<PathBuf, Arc<str>> {
        &self.0
    }

    /// The text that stands for a file.
    pub fn get(&self, path: &Path) -> Option<&Arc<str>> {
        self.0.get(path)
    }

    /// The text that stands for a file, or else that of the file on the disk, of at most `most` bytes.
    ///
    /// # Errors
    /// Fails if it is too large, or can't be read completely.
    pub fn text(&self, path: &Path, most: u64) -> Result<String, Unread> {
        let Some(text) = self.get(path) else {
            return file::text(path, most);
        };
        match u64::try_from(text.len()) {
            Ok(bytes) if bytes <= most => Ok(text.to_string()),
            bytes => Err(Unread::TooLarge {
                bytes: bytes.unwrap_or(u64::MAX),
                most,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsaved_text_counts_more_than_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        std::fs::write(&path, "saved").expect("a file");
        let none = UnsavedTexts::default();
        assert_eq!(none.text(&path, 9).expect("the text"), "saved");
        let one = UnsavedTexts::new([(path.clone(), "typed".into())].into());
        assert_eq!(one.text(&path, 9).expect("the text"), "typed");
        let error = one.text(&path, 4).expect_err("too large");
        assert!(matches!(error, Unread::TooLarge { bytes: 5, most: 4 }));
    }
}
