//! A project in a folder of its own, and the real program run in it.
//!
//! ```text
//! folder/            watched: no test may change anything here except in the root
//!   root/            the project: cluster.toml, the user's files, rendered files
//! ```

pub mod agreement;
pub mod json_schema;
pub mod random;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_gatewayctl");

/// A complete configuration with only the required settings. Tables may be added after it.
pub const MINIMAL: &str = r#"domain = "example.com"
certificates = "example-com-tls"

[chart]
version = "1.9.0"

[gateways.envoy-external]
address = "10.10.30.26"

[gateways.envoy-internal]
address = "10.10.30.25"
"#;

/// The configuration at the top of this repository, which uses every feature.
pub const REFERENCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/cluster.toml"));

/// For a shell: ends processes that hang. It is far above what any run takes on any machine; no test measures with
/// it.
pub const NO_HANGING: &str = "ulimit -t 600";

/// The folder that the app of [`MINIMAL`] is rendered to.
pub const APP: &str = "kubernetes/apps/network/envoy-gateway/app";

/// The file with the gateways of [`MINIMAL`].
pub const ENVOY: &str = "kubernetes/apps/network/envoy-gateway/app/envoy.yaml";

/// The kustomization of the namespace of [`MINIMAL`].
pub const INDEX: &str = "kubernetes/apps/network/kustomization.yaml";

/// The lock file.
pub const LOCK: &str = ".gatewayctl.lock";

/// A project in a temporary folder.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// Creates an empty project.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("root")).expect("the root");
        Project { folder }
    }

    /// Adds this `cluster.toml`.
    pub fn config(self, text: impl AsRef<[u8]>) -> Self {
        self.file("cluster.toml", text)
    }

    /// Adds a `cluster.toml` of [`MINIMAL`] and these tables.
    pub fn minimal(self, tables: &str) -> Self {
        self.config(format!("{MINIMAL}\n{tables}"))
    }

    /// Adds a file.
    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.write(path, text);
        self
    }

    /// Renders the tree.
    pub fn rendered(self) -> Self {
        self.run(["render"]).success();
        self
    }

    /// The root of the project.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// The folder around the root, where nothing may change.
    pub fn around(&self) -> &Path {
        self.folder.path()
    }

    /// A path below the root.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file, as a user would.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        std::fs::write(&path, text).expect("the file");
    }

    /// The text of a file.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Changes a file by hand: replaces each `from` by `to`.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}:\n{text}");
        self.write(path, text.replace(from, to));
    }

    /// All files below the root with their bytes.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.root())
    }

    /// A command for the program, to be run in the root.
    pub fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        self.prepare(&mut command);
        command
    }

    /// Runs a shell script in the root; `$PROGRAM` is the program.
    pub fn shell(&self, script: &str) -> Run {
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("PROGRAM", PROGRAM);
        self.prepare(&mut command);
        self.output(&mut command, b"")
    }

    fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.root())
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            // The machine's Git configuration must not affect tests.
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([
                ("GIT_AUTHOR_NAME", "A"),
                ("GIT_AUTHOR_EMAIL", "a@example.com"),
            ])
            .envs([
                ("GIT_COMMITTER_NAME", "A"),
                ("GIT_COMMITTER_EMAIL", "a@example.com"),
            ]);
    }

    /// Runs the program in the root.
    pub fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Run {
        self.run_with(args, b"")
    }

    /// Runs the program in the root with this standard input.
    pub fn run_with<'a>(&self, args: impl IntoIterator<Item = &'a str>, input: &[u8]) -> Run {
        let mut command = self.command();
        command.args(args);
        self.output(&mut command, input)
    }

    fn output(&self, command: &mut Command, input: &[u8]) -> Run {
        let before = self.outside();
        let output = run(command, input);
        assert_eq!(
            self.outside(),
            before,
            "something outside of the root changed"
        );
        let text = |bytes: &[u8]| {
            let around = self.folder.path().to_string_lossy();
            String::from_utf8_lossy(bytes).replace(&*around, "[FOLDER]")
        };
        let run = Run {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(!run.stderr.contains("panicked at"), "{run}");
        run
    }

    /// The files around the root.
    fn outside(&self) -> BTreeMap<String, Vec<u8>> {
        let mut all = files(self.folder.path());
        all.retain(|path, _| !path.starts_with("root/"));
        all
    }
}

/// Writes a program that can be run. A shell does it: a child that another test starts in the meantime would inherit the
/// open file from this process, and the system runs no file that is open for writing.
pub fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        r#"mkdir -p "$(dirname "$0")" && cat >"$0" && chmod 755 "$0""#,
    ]);
    let output = run(shell.arg(path), text.as_bytes());
    assert!(output.status.success(), "{}: {output:?}", path.display());
}

/// All files below a folder with their bytes. A link has those of its target; folders are left out.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).min_depth(1).into_iter();
    let entries = entries.map(|entry| entry.expect("a folder that can be read"));
    entries
        .filter(|entry| !entry.file_type().is_dir())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("a path below");
            let bytes = if entry.path_is_symlink() {
                let target = std::fs::read_link(entry.path()).expect("a link");
                target.to_string_lossy().into_owned().into_bytes()
            } else if entry.file_type().is_file() {
                std::fs::read(entry.path()).unwrap_or_default()
            } else {
                // Reading a pipe would wait for a writer.
                Vec::new()
            };
            (path.to_string_lossy().into_owned(), bytes)
        })
        .collect()
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("standard input");
    // The program may stop reading before the end.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The exit code; `None` if a signal ended the process.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Asserts the exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asserts exit code 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.code(0)
    }

    /// Asserts that standard output contains a text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no {text:?} in {self}");
        self
    }

    /// Asserts that standard error contains a text.
    #[track_caller]
    pub fn warns(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in {self}");
        self
    }

    /// Asserts that neither stream contains a text.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        let said = self.stdout.contains(text) || self.stderr.contains(text);
        assert!(!said, "{text:?} in {self}");
        self
    }
}

/// The output as a user sees it, with the exit code.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "--- {name}\n{}", text.trim_end())?;
            }
        }
        match self.code {
            Some(code) => writeln!(f, "--- exit {code}"),
            None => writeln!(f, "--- ended by a signal"),
        }
    }
}

/// The name of a snapshot: the module that it is of, without the name of this binary, and its own name.
pub fn snapshot_name(module: &str, name: &str) -> String {
    let module = module.strip_prefix("it::").unwrap_or(module);
    format!("{}__{name}", module.replace("::", "__"))
}

/// Compares a text with the snapshot of that name in `snapshots/`.
macro_rules! snapshot {
    ($name:expr, $text:expr) => {
        insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, { insta::assert_snapshot!(crate::common::snapshot_name(module_path!(), $name), $text) })
    };
}
