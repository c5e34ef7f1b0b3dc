//! A folder to work in, and a disk that fails or stops where a test says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::rc::Rc;

use tempfile::TempDir;

use crate::tree::disk::{Content, Disk, Folder, Os, Stands};
use crate::tree::{
    Applied, Class, Configuration, Error, File, LOCK_FILE, Lock, Locks, Options, Plan, apply, plan,
};

/// A root folder.
pub struct Tree {
    pub folder: TempDir,
}

/// Paths and contents; paths of folders end with `/`.
pub type Snapshot = BTreeMap<String, Vec<u8>>;

impl Tree {
    pub fn new() -> Self {
        Tree {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// A root in memory if the system has such a place, for tests that render thousands of times.
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

    /// All files below the root except the lock, and all folders.
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

/// How the operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with this error once; the process continues.
    Once(io::ErrorKind),
    /// The process is killed during the operation, so that nothing after it happens.
    Killed,
}

/// A disk whose operation number `at` (from 0) fails.
#[derive(Clone)]
pub struct Faulty {
    pub fault: Fault,
    pub at: usize,
    pub done: Rc<Cell<usize>>,
    pub log: Rc<RefCell<Vec<String>>>,
    /// The number of an operation, and what somebody else does immediately before it.
    meanwhile: Option<(usize, Rc<dyn Fn()>)>,
    exchanges: bool,
}

impl Faulty {
    pub fn new(at: usize, fault: Fault) -> Self {
        Faulty {
            fault,
            at,
            done: Rc::default(),
            log: Rc::default(),
            meanwhile: None,
            exchanges: true,
        }
    }

    /// The same disk, but unable to exchange files.
    pub fn without_exchange(mut self) -> Self {
        self.exchanges = false;
        self
    }

    /// The same disk, with somebody else doing something immediately before operation number `at`.
    pub fn meanwhile(mut self, at: usize, work: impl Fn() + 'static) -> Self {
        self.meanwhile = Some((at, Rc::new(work)));
        self
    }

    pub fn struck(&self) -> bool {
        self.done.get() > self.at
    }

    fn step(&self, what: &str, path: &str) -> io::Result<()> {
        let number = self.done.replace(self.done.get() + 1);
        self.log.borrow_mut().push(format!("{what} {path}"));
        if let Some((at, work)) = &self.meanwhile
            && *at == number
        {
            work();
        }
        match self.fault {
            Fault::Once(kind) if number == self.at => Err(kind.into()),
            Fault::Killed if number >= self.at => Err(io::Error::other("killed")),
            _ => Ok(()),
        }
    }
}

impl Disk for Faulty {
    fn root(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn Folder>>> {
        self.step("open", ".")?;
        let folder = Os.root(path, create)?;
        let open = |folder| -> Box<dyn Folder> {
            Box::new(FaultyFolder {
                disk: self.clone(),
                folder,
                path: String::new(),
            })
        };
        Ok(folder.map(open))
    }
}

struct FaultyFolder {
    disk: Faulty,
    folder: Box<dyn Folder>,
    /// Ends with a `/`; empty for the root.
    path: String,
}

impl FaultyFolder {
    fn step(&self, what: &str, name: &str) -> io::Result<()> {
        self.disk.step(what, &format!("{}{name}", self.path))
    }
}

impl Folder for FaultyFolder {
    fn stands(&self, name: &str) -> io::Result<Stands> {
        self.step("look at", name)?;
        self.folder.stands(name)
    }
    fn enter(&self, name: &str) -> io::Result<Box<dyn Folder>> {
        self.step("open", name)?;
        Ok(Box::new(FaultyFolder {
            disk: self.disk.clone(),
            folder: self.folder.enter(name)?,
            path: format!("{}{name}/", self.path),
        }))
    }
    fn read(&self, name: &str, most: u64) -> io::Result<Content> {
        self.step("read", name)?;
        self.folder.read(name, most)
    }
    fn names(&self) -> io::Result<Vec<String>> {
        self.step("list", ".")?;
        self.folder.names()
    }
    fn is_empty(&self) -> io::Result<bool> {
        self.step("list", ".")?;
        self.folder.is_empty()
    }
    fn create_folder(&self, name: &str) -> io::Result<()> {
        self.step("make", name)?;
        self.folder.create_folder(name)
    }
    /// If it fails, half of the bytes have been written.
    fn write_new(&self, name: &str, bytes: &[u8], like: &str) -> io::Result<()> {
        let alive = !(self.disk.struck() && self.disk.fault == Fault::Killed);
        let step = self.step("write", name);
        let written = if step.is_ok() {
            bytes
        } else {
            bytes.get(..bytes.len() / 2).unwrap_or_default()
        };
        if alive {
            self.folder.write_new(name, written, like)?;
        }
        step
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step("rename", to)?;
        self.folder.rename(from, to)
    }
    fn rename_new(&self, from: &str, to: &str) -> io::Result<()> {
        self.step("name", to)?;
        self.folder.rename_new(from, to)
    }
    fn exchange(&self, one: &str, other: &str) -> io::Result<()> {
        self.step("exchange", other)?;
        if !self.disk.exchanges {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.folder.exchange(one, other)
    }
    fn remove_file(&self, name: &str) -> io::Result<()> {
        self.step("remove", name)?;
        self.folder.remove_file(name)
    }
    fn remove_folder(&self, name: &str) -> io::Result<()> {
        self.step("remove", name)?;
        self.folder.remove_folder(name)
    }
    fn sync(&self) -> io::Result<()> {
        let path = if self.path.is_empty() {
            "."
        } else {
            self.path.trim_end_matches('/')
        };
        self.disk.step("flush", path)
    }
}

/// The lock for `cluster.toml` in a root.
pub fn lock_in(tree: &Tree) -> Lock {
    Locks::load(tree.root(), &Configuration::default())
        .expect("a lock")
        .own
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
