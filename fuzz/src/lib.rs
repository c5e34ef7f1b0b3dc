//! What the fuzz targets do with an input. Each target is a function that must end, must not panic, and checks what
//! must be true for any input: two readers agree, what was written can be read again, each finding has an existing
//! place.
//!
//! libFuzzer calls these functions (in `fuzz_targets`). `cargo test --test it fuzz_seeds::` calls them, too, with the
//! inputs in `seeds`.

// libFuzzer's targets and the test each use only a part of this module.
#![allow(dead_code)]

mod cel;
mod cluster;
mod crd;
mod files;
mod kustomization;
mod lock;
mod lua;
mod report;
mod template;
mod variables;
mod yaml;

/// A target: its name, which is also the name of its folder in `seeds`, and its function.
type Target = (&'static str, fn(&str));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("cel", cel::parse_and_evaluate),
    ("cluster_toml", cluster::compile),
    ("crd", crd::import_and_check),
    ("kubeconfig", cluster::kubeconfig),
    ("kustomization", kustomization::merge_and_read),
    ("lock", lock::parse),
    ("lua_parse", lua::parse),
    ("lua_run", lua::run),
    ("template", template::render),
    ("variables", variables::find),
    ("yaml", yaml::compare_readers),
];

/// The maximum length of an input in bytes. Longer inputs find nothing new and slow down the search.
pub const LONGEST: usize = 64 << 10;

/// Runs the target with this name. An input that is not UTF-8 is ignored, because the program doesn't read such files.
///
/// If something is not true that must be true for any input. The search looks for this.
pub fn run(target: &str, input: &[u8]) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, look) = found.unwrap_or_else(|| panic!("there is no target {target}"));
    if input.len() <= LONGEST
        && let Ok(text) = std::str::from_utf8(input)
    {
        look(text);
    }
}
