//! What the fuzz targets do with an input. Each is a function of bytes that must end, must not panic, and checks what
//! holds for any input: two readers agree, what was written is read back, what was found has a place that exists.
//!
//! libFuzzer calls these functions (`fuzz_targets`), and so does `cargo test --test fuzz_seeds`, with the inputs in `seeds`.

// The libFuzzer side calls targets by name; the test walks the table.
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

/// A target: its name, which is also its folder in `seeds`, and what is done with an input.
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

/// Longer inputs say nothing new, and slow the search.
pub const LONGEST: usize = 64 << 10;

/// Hands an input to the target of this name. Bytes that are no UTF-8 are read as the program reads them: not at all.
///
/// # Panics
/// Where something doesn't hold that must hold for any input: that is what the search is for.
pub fn run(target: &str, input: &[u8]) {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    let (_, look) = found.unwrap_or_else(|| panic!("there is no target {target}"));
    if input.len() <= LONGEST
        && let Ok(text) = std::str::from_utf8(input)
    {
        look(text);
    }
}
