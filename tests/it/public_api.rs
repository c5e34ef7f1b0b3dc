//! The public interface of the crates that are libraries for others, as a list in each crate's `public-api.txt`, so that a
//! change of it is seen in the pull request. `UPDATE=1` writes the lists.
//!
//! `cargo public-api` needs the JSON of rustdoc, which only a nightly compiler writes. So the list is made from the source
//! text: every item with `pub`. The lint `unreachable_pub` ensures that no other item has it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{ImplItem, Item, Visibility};

/// The crates whose interface is promised.
const LIBRARIES: &[&str] = &["cel-k8s", "crd-validate"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Code on one line, with usual spaces.
fn code(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, usual) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" <", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        (" : ", ": "),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        ("- >", "->"),
        ("->", " -> "),
        ("  ->", " ->"),
        ("->  ", "-> "),
        (" '", " '"),
        ("for<", "for <"),
    ] {
        text = text.replace(spaced, usual);
    }
    text
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether an item is only for tests.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|it| {
        it.path().is_ident("cfg") && it.meta.to_token_stream().to_string().contains("test")
    })
}

/// The traits that are derived.
fn derived(attributes: &[syn::Attribute]) -> String {
    let derives = attributes.iter().filter(|it| it.path().is_ident("derive"));
    let lists = derives.filter_map(|it| it.meta.require_list().ok());
    let mut traits: Vec<String> = lists
        .flat_map(|list| {
            let text = list.tokens.to_string();
            text.split(',')
                .map(|it| it.replace(' ', ""))
                .collect::<Vec<_>>()
        })
        .filter(|it| !it.is_empty())
        .collect();
    traits.sort();
    match traits.is_empty() {
        true => String::new(),
        false => format!(": {}", traits.join(" + ")),
    }
}

/// The lines for one item, in a module.
fn lines(item: &Item, module: &str, lines: &mut Vec<String>) {
    let mut line = |text: String| lines.push(format!("{module}: {text}"));
    match item {
        Item::Const(it) if is_public(&it.vis) => {
            line(format!("const {}: {}", it.ident, code(&it.ty)));
        }
        Item::Static(it) if is_public(&it.vis) => {
            line(format!("static {}: {}", it.ident, code(&it.ty)));
        }
        Item::Type(it) if is_public(&it.vis) => {
            line(format!("type {} = {}", it.ident, code(&it.ty)));
        }
        Item::Fn(it) if is_public(&it.vis) => line(code(&it.sig)),
        Item::Use(it) if is_public(&it.vis) => line(format!("use {}", code(&it.tree))),
        Item::Trait(it) if is_public(&it.vis) => {
            for method in &it.items {
                line(format!("trait {} {}", it.ident, code(method)));
            }
        }
        Item::Enum(it) if is_public(&it.vis) => {
            line(format!(
                "enum {}{}{}",
                it.ident,
                code(&it.generics),
                derived(&it.attrs)
            ));
            for variant in &it.variants {
                let fields = match &variant.fields {
                    syn::Fields::Named(fields) => {
                        let fields = fields.named.iter().map(|field| {
                            let name = field.ident.as_ref().map(ToString::to_string);
                            format!("{}: {}", name.unwrap_or_default(), code(&field.ty))
                        });
                        format!(" {{ {} }}", fields.collect::<Vec<_>>().join(", "))
                    }
                    syn::Fields::Unnamed(fields) => {
                        let fields = fields.unnamed.iter().map(|field| code(&field.ty));
                        format!("({})", fields.collect::<Vec<_>>().join(", "))
                    }
                    syn::Fields::Unit => String::new(),
                };
                line(format!("enum {} {}{fields}", it.ident, variant.ident));
            }
        }
        Item::Struct(it) if is_public(&it.vis) => {
            line(format!(
                "struct {}{}{}",
                it.ident,
                code(&it.generics),
                derived(&it.attrs)
            ));
            for (at, field) in it.fields.iter().enumerate() {
                if is_public(&field.vis) {
                    let name = field
                        .ident
                        .as_ref()
                        .map_or(at.to_string(), ToString::to_string);
                    line(format!("struct {} {name}: {}", it.ident, code(&field.ty)));
                }
            }
        }
        Item::Impl(it) => {
            let owner = code(&it.self_ty);
            if let Some((_, path, _)) = &it.trait_ {
                line(format!("impl {} for {owner}", code(path)));
                return;
            }
            for method in &it.items {
                match method {
                    ImplItem::Fn(method) if is_public(&method.vis) => {
                        line(format!("impl {owner} {}", code(&method.sig)));
                    }
                    ImplItem::Const(constant) if is_public(&constant.vis) => {
                        line(format!(
                            "impl {owner} const {}: {}",
                            constant.ident,
                            code(&constant.ty)
                        ));
                    }
                    _ => {}
                }
            }
        }
        Item::Mod(it) if !is_test(&it.attrs) => {
            let name = format!("{module}::{}", it.ident);
            for inner in it.content.iter().flat_map(|(_, items)| items) {
                self::lines(inner, &name, lines);
            }
        }
        _ => {}
    }
}

/// The module of a file below `src`, such as `crd_validate::schema`.
fn module(library: &str, path: &Path) -> String {
    let mut names = vec![library.replace('-', "_")];
    let path = path.with_extension("");
    let parts = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    names.extend(parts.filter(|part| part != "lib" && part != "mod"));
    names.join("::")
}

/// The list of a crate.
fn list(library: &str) -> String {
    let source = root().join("crates").join(library).join("src");
    let mut all = Vec::new();
    let files = walkdir::WalkDir::new(&source).sort_by_file_name();
    let files = files
        .into_iter()
        .map(|entry| entry.expect("a file").into_path());
    let is_code = |path: &PathBuf| {
        let is_tests = path
            .iter()
            .any(|part| part == "tests.rs" || part == "tests");
        path.extension().is_some_and(|it| it == "rs") && !is_tests
    };
    for path in files.filter(is_code) {
        let text = std::fs::read_to_string(&path).expect("source");
        let file = syn::parse_file(&text).expect("Rust");
        let inside = path.strip_prefix(&source).expect("a path inside");
        let module = module(library, inside);
        for item in &file.items {
            lines(item, &module, &mut all);
        }
    }
    all.sort();
    all.dedup();
    let mut text = String::from(
        "# The public items of the crate. `UPDATE=1 cargo test --test it public_api::` writes this list.\n",
    );
    for line in all {
        let _ = writeln!(text, "{line}");
    }
    text
}

#[test]
fn the_interfaces_of_libraries_are_those_that_are_listed() {
    for library in LIBRARIES {
        let path = root().join("crates").join(library).join("public-api.txt");
        let now = list(library);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &now).expect("a list");
        }
        let listed = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = |text: &str, other: &str| {
            let others: Vec<&str> = other.lines().collect();
            let lines = text.lines().filter(|line| !others.contains(line));
            lines.map(|line| format!("  {line}\n")).collect::<String>()
        };
        assert!(
            listed == now,
            "the public interface of {library} has changed; if this is intended, run the test with UPDATE=1 and read \
             the diff\nnew:\n{}gone:\n{}",
            differs(&now, &listed),
            differs(&listed, &now)
        );
    }
}
