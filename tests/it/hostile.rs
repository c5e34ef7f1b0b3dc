//! Runs commands on a collection of hostile inputs: every run must end by itself, with the right exit code, and its
//! cost is printed.
//!
//! `cargo test --release --test it hostile:: -- --nocapture` prints the table. A debug build takes several times as long,
//! and must give the same exit codes. The inputs are in the folder that `GATEWAYCTL_SHARED` names, else in
//! `../shared`; without it the test is skipped, and says so. The kernel's limits only stop runs that hang; they are
//! far above what any input needs.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{MINIMAL, PROGRAM, Project};
use wait4::Wait4;

/// The limits for an input in a release build: seconds of processor time, and bytes of memory.
const MOST_TIME: Duration = Duration::from_secs(2);
const MOST_MEMORY: u64 = 256 << 20;

/// The limits at which the kernel ends a run that hangs or takes all memory.
const GUARD: &str = "ulimit -t 120; ulimit -v 8000000; exec \"$0\" \"$@\"";

/// How inputs of a kind are put into a project, and which commands are run on them.
struct Kind {
    /// Whether a file or folder with this name is of this kind.
    is: fn(&str) -> bool,
    /// Puts the input into a project.
    lay: fn(Project, &Path) -> Project,
    /// The commands in order, each with the exit codes that are right for some input of this kind.
    runs: &'static [(&'static str, &'static [i32])],
}

/// The first kind that matches is used.
const KINDS: &[Kind] = &[
    Kind {
        is: |name| name == "app-renamed",
        lay: folder,
        // It lists a file that an earlier render has removed.
        runs: &[
            ("render", &[1]),
            ("render --check", &[1]),
            ("validate", &[1]),
        ],
    },
    Kind {
        is: |name| name == "lua-backtick",
        lay: folder,
        runs: &[("validate", &[1]), ("render", &[1])],
    },
    Kind {
        is: |name| name == "template-selfref",
        lay: folder,
        runs: &[("validate", &[1]), ("render", &[1])],
    },
    Kind {
        is: |name| name == "pattern",
        lay: folder,
        // Its patterns are large, and its values don't match any of them.
        runs: &[
            ("validate w.yaml", &[1]),
            ("validate sixty.yaml", &[1]),
            ("schemas import crd.yaml --into again", &[0]),
        ],
    },
    Kind {
        is: |name| name.ends_with(".j2"),
        lay: |project, input| {
            project
                .minimal("[layout]\ntemplates = \"t\"")
                .file("t/gateway.yaml.j2", bytes(input))
        },
        runs: &[("validate", &[1]), ("render", &[1])],
    },
    Kind {
        is: |name| name.ends_with(".lua") || name.starts_with("fz-lua-"),
        lay: |project, input| {
            let tables = format!("{MINIMAL}\n[lua]\nscript = \"script.lua\"\n");
            project.config(tables).file("script.lua", bytes(input))
        },
        runs: &[("validate", &[0, 1]), ("render", &[0, 1])],
    },
    Kind {
        // TOML 1.1 accepts what TOML 1.0 refuses: inline tables with several lines.
        is: |name| name.starts_with("fz-config-"),
        lay: |project, input| project.config(bytes(input)),
        runs: &[("validate", &[0, 1]), ("render", &[0, 1])],
    },
    Kind {
        is: |name| name.ends_with("-crd.json") || name.starts_with("fz-crd-"),
        lay: |project, input| project.minimal("").file("crd.yaml", bytes(input)),
        runs: &[("schemas import crd.yaml", &[0, 1, 2])],
    },
    Kind {
        is: |name| name.starts_with("yaml11-"),
        lay: manifest,
        runs: &[("validate input.yaml", &[1])],
    },
    Kind {
        is: |name| name.starts_with("lua-trace-"),
        lay: manifest,
        runs: &[
            ("validate input.yaml", &[0, 1]),
            ("trace https://app.example.com/ --in input.yaml", &[0, 1]),
        ],
    },
    Kind {
        is: |_| true,
        lay: manifest,
        runs: &[
            ("validate input.yaml", &[0, 1]),
            ("status input.yaml", &[0, 1]),
        ],
    },
];

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("an input that can be read")
}

fn manifest(project: Project, input: &Path) -> Project {
    project.minimal("").file("input.yaml", bytes(input))
}

/// Copies a whole folder to the root.
fn folder(mut project: Project, input: &Path) -> Project {
    for (path, bytes) in crate::common::files(input) {
        project = project.file(&path, bytes);
    }
    project
}

/// The cost of a run: its exit status, its processor time, and its maximum memory.
struct Cost {
    code: Option<i32>,
    time: Duration,
    memory: u64,
}

fn run(project: &Project, arguments: &str) -> Cost {
    let mut command = Command::new("sh");
    command
        .args(["-c", GUARD, PROGRAM])
        .args(arguments.split(' '))
        .current_dir(project.root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command.spawn().expect("the shell starts");
    let used = child.wait4().expect("it ends");
    Cost {
        code: used.status.code(),
        time: used.rusage.utime + used.rusage.stime,
        memory: used.rusage.maxrss,
    }
}

#[test]
fn every_hostile_input_ends_by_itself_with_the_right_exit_code() {
    let shared = std::env::var_os("GATEWAYCTL_SHARED").map(PathBuf::from);
    let shared = shared
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"))
        .join("cases/hostile");
    let Ok(entries) = std::fs::read_dir(&shared) else {
        println!("skipped: {} is not there", shared.display());
        return;
    };
    let mut inputs: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", shared.display());

    let (mut wrong, mut above, mut runs) = (Vec::new(), Vec::new(), 0);
    let (mut slowest, mut largest) = (Duration::ZERO, 0);
    for input in &inputs {
        let name = input.file_name().unwrap_or_default().to_string_lossy();
        let kind = KINDS.iter().find(|kind| (kind.is)(&name));
        let kind = kind.expect("the last kind takes all");
        let project = (kind.lay)(Project::new(), input);
        for (arguments, codes) in kind.runs {
            let cost = run(&project, arguments);
            runs += 1;
            slowest = slowest.max(cost.time);
            largest = largest.max(cost.memory);
            let line = format!(
                "{name}: {arguments}: exit {}, {:.2} s, {} MiB",
                cost.code
                    .map_or("by a signal".to_owned(), |code| code.to_string()),
                cost.time.as_secs_f64(),
                cost.memory >> 20
            );
            if cost.time > MOST_TIME || cost.memory > MOST_MEMORY {
                above.push(line.clone());
            }
            if !cost.code.is_some_and(|code| codes.contains(&code)) {
                wrong.push(format!("{line}, right is {codes:?}"));
            }
        }
    }
    println!(
        "{} hostile inputs, {runs} runs: at most {:.2} s of processor time and {} MiB",
        inputs.len(),
        slowest.as_secs_f64(),
        largest >> 20
    );
    for line in &above {
        println!("above 2 s or 256 MiB: {line}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
