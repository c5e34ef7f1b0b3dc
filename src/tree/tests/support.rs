//! A folder to work on, and a disk that fails or stops where a test says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::tree::disk::{Disk, Os, Stands};
use crate::tree::{Applied, Class, Error, File, LOCK_FILE, Options, Plan, apply, plan};

/// A root folder.
pub struct Tree {
    pub folder: TempDir,
}

/// Paths and texts; folders are paths that end in `/`.
pub type Snapshot = BTreeMap<String, Vec<u8>>;

impl Tree {
    pub fn new() -> Self {
        Tree {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A root in memory where the system has such a place: for tests that render thousands of times.
    pub fn quick() -> Self {
        match tempfile::tempdir_in("/dev/shm") {
            Ok(folder) => Tree { folder },
            Err(_) => Tree::new(),
        }
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn put(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).expect("a file")
    }

    pub fn plan(&self, files: &[File]) -> Plan {
        plan(self.root(), files, &Options::default()).expect("a plan")
    }

    pub fn force(&self, files: &[File]) -> Plan {
        let options = Options {
            force: true,
            ..Options::default()
        };
        plan(self.root(), files, &options).expect("a plan")
    }

    pub fn render(&self, files: &[File]) -> Applied {
        apply(&self.plan(files)).expect("applied")
    }

    pub fn class(&self, files: &[File], path: &str) -> Class {
        let plan = self.plan(files);
        let entry = plan
            .entries
            .iter()
            .find(|entry| entry.path.as_str() == path);
        entry
            .unwrap_or_else(|| panic!("no entry for {path}"))
            .class
            .clone()
    }

    /// All files below the root but the lock, and all folders.
    pub fn snapshot(&self) -> Snapshot {
        let mut all = Snapshot::new();
        for entry in walkdir::WalkDir::new(self.root()).min_depth(1) {
            let entry = entry.expect("an entry");
            let path = entry
                .path()
                .strip_prefix(self.root())
                .expect("below the root");
            let path = path.to_str().expect("UTF-8").to_owned();
            if entry.file_type().is_dir() {
                all.insert(path + "/", Vec::new());
            } else if path != LOCK_FILE {
                all.insert(path, fs::read(entry.path()).expect("a file"));
            }
        }
        all
    }
}

pub fn file(path: &str, text: &str) -> File {
    File::new(path, text)
}

/// How the n-th operation goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with this error, once; the process lives on.
    Once(io::ErrorKind),
    /// The process dies in its middle: whatever is tried afterwards never happens.
    Killed,
}

/// A disk whose operation number `at` (from 0) goes wrong.
pub struct Faulty {
    pub fault: Fault,
    pub at: usize,
    pub done: Cell<usize>,
    pub log: RefCell<Vec<String>>,
}

impl Faulty {
    pub fn new(at: usize, fault: Fault) -> Self {
        Faulty {
            fault,
            at,
            done: Cell::new(0),
            log: RefCell::default(),
        }
    }

    pub fn struck(&self) -> bool {
        self.done.get() > self.at
    }

    fn step(&self, what: &str, path: &Path) -> io::Result<()> {
        let number = self.done.replace(self.done.get() + 1);
        self.log
            .borrow_mut()
            .push(format!("{what} {}", path.display()));
        match self.fault {
            Fault::Once(kind) if number == self.at => Err(kind.into()),
            Fault::Killed if number >= self.at => Err(io::Error::other("killed")),
            _ => Ok(()),
        }
    }
}

impl Disk for Faulty {
    fn stands(&self, path: &Path) -> io::Result<Stands> {
        self.step("look at", path)?;
        Os.stands(path)
    }
    fn read(&self, path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
        self.step("read", path)?;
        Os.read(path, most)
    }
    fn is_empty(&self, folder: &Path) -> io::Result<bool> {
        self.step("list", folder)?;
        Os.is_empty(folder)
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step("make", path)?;
        Os.create_folder(path)
    }
    /// Not flushed, for speed; and where it goes wrong, half of the bytes have been written.
    fn write_new(&self, path: &Path, bytes: &[u8], _: &Path) -> io::Result<()> {
        let alive = !(self.struck() && self.fault == Fault::Killed);
        let step = self.step("write", path);
        let written = if step.is_ok() {
            bytes
        } else {
            bytes.get(..bytes.len() / 2).unwrap_or_default()
        };
        if alive {
            assert!(!path.exists(), "a temporary file is made anew");
            fs::write(path, written)?;
        }
        step
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename", to)?;
        Os.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.step("remove", path)?;
        Os.remove_file(path)
    }
    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        self.step("remove", path)?;
        Os.remove_folder(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step("flush", path)
    }
}

/// Plans and applies on a disk that may fail.
pub fn render_on(
    disk: &dyn Disk,
    root: &Path,
    files: &[File],
    options: &Options,
) -> Result<Applied, Error> {
    let plan = crate::tree::plan::plan_on(disk, root, files, options)?;
    crate::tree::apply::apply_on(disk, &plan)
}
