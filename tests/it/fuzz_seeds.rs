//! Runs the fuzz targets on the stored inputs, so that what a search has found stays fixed, and then on changed
//! copies of the inputs. The changes are the same in every run.
//!
//! `FUZZ_CHANGED=10000 cargo test --release --test it fuzz_seeds:: yaml` changes each input of a target this often, if
//! there is no time to build for libFuzzer. The last input is in `target/tmp/fuzz-TARGET`.

#[path = "../../fuzz/src/lib.rs"]
mod entries;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The maximum size of all inputs of a target together, in bytes, because people read them too.
const MOST: usize = 64 << 10;

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

/// How often each input is changed, unless `FUZZ_CHANGED` is set.
const CHANGED: usize = 20;

/// Runs a target on its inputs, and on changed copies.
fn run(target: &str) {
    let inputs = files(&seeds().join(target));
    assert!(inputs.len() > 2, "{target} has {} inputs", inputs.len());
    let texts: Vec<Vec<u8>> = inputs
        .iter()
        .map(|path| std::fs::read(path).expect("an input"))
        .collect();
    for (path, input) in inputs.iter().zip(&texts) {
        println!("{}", path.display());
        entries::run(target, input);
    }
    let bytes: usize = texts.iter().map(Vec::len).sum();
    assert!(bytes <= MOST, "{target}: {bytes} bytes of inputs");

    let often = std::env::var("FUZZ_CHANGED").ok();
    let often = often.map_or(CHANGED, |often| often.parse().expect("a number"));
    let last = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{target}"));
    let mut random = Random(1);
    for _ in 0..often {
        for input in &texts {
            let changed = changed(input, &texts, &mut random);
            // If the program is killed, for example by a stack overflow, the input is in this file.
            std::fs::write(&last, &changed).expect("a file in the target folder");
            println!("{}", String::from_utf8_lossy(&changed));
            entries::run(target, &changed);
        }
    }
}

/// Reproducible pseudo-random numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = usize::try_from((mixed ^ (mixed >> 31)) >> 32).expect("32 bits");
        mixed % end.max(1)
    }
}

/// Texts that have a meaning in one of the languages, or that are often forgotten.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    "\0",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{a0}",
    "é",
    "🦀",
    "\"",
    "'",
    "`",
    "\\",
    "#",
    "//",
    "--",
    "---\n",
    "...",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "[[",
    "]]",
    "{{",
    "}}",
    "{%",
    "%}",
    "${",
    "$$",
    ":",
    ": ",
    ",",
    ".",
    "-",
    "- ",
    "? ",
    "| ",
    "> ",
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "!",
    "=",
    "==",
    "~",
    "null",
    "true",
    "on",
    "0",
    "-1",
    "1e999",
    "0x",
    "010",
    "99999999999999999999",
    "1:30",
    "2026-01-01",
    "and",
    "not ",
    "end",
    "function()",
    "self",
    ".all(x, ",
];

/// Changes an input one to six times: pieces are inserted, doubled, removed, or copied from another input.
fn changed(input: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut text: Vec<char> = String::from_utf8_lossy(input).chars().collect();
    for _ in 0..=random.below(6) {
        let at = random.below(text.len() + 1);
        let end = (at + 1 + random.below(12)).min(text.len());
        let piece: Vec<char> = match random.below(6) {
            0 => text[at..end].to_vec(),
            1 => {
                let other =
                    String::from_utf8_lossy(&others[random.below(others.len())]).into_owned();
                let from = random.below(other.chars().count());
                other
                    .chars()
                    .skip(from)
                    .take(1 + random.below(40))
                    .collect()
            }
            2 => PIECES[random.below(PIECES.len())]
                .repeat(1 + random.below(100))
                .chars()
                .collect(),
            3 => Vec::new(),
            _ => PIECES[random.below(PIECES.len())].chars().collect(),
        };
        let taken = if random.below(2) == 0 {
            at..at
        } else {
            at..end
        };
        text.splice(taken, piece);
    }
    text.into_iter().collect::<String>().into_bytes()
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test] fn $name() { run(stringify!($name)); })*
        /// The targets that are run here.
        const TARGETS: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! { cel cluster_toml crd kubeconfig kustomization lock lua_parse lua_run template variables yaml }

#[test]
fn every_target_is_run_here_and_by_the_search_and_has_inputs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let run_here: BTreeSet<String> = TARGETS.iter().map(|&name| name.to_owned()).collect();
    let known: BTreeSet<String> = entries::TARGETS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(run_here, known);
    let stems = |folder: &str| -> BTreeSet<String> {
        let stem = |path: &PathBuf| {
            path.file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        files(&root.join(folder)).iter().map(stem).collect()
    };
    assert_eq!(stems("fuzz_targets"), known);
    assert_eq!(stems("seeds"), known);
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the package");
    for name in known {
        let bin = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&bin), "{name}");
        let target = std::fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs")));
        let call = format!("gatewayctl_fuzz::run(\"{name}\", input)");
        assert!(target.expect("a target").contains(&call), "{name}");
    }
}
