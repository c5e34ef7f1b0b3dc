//! Imports of real repositories, and the figures. The repositories are not part of this project: where they are
//! absent (`GATEWAYCTL_SHARED` names the folder) the tables are skipped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gatewayctl::import::files::Files;
use gatewayctl::import::{Failure, Fate, Import, import};
use gatewayctl::schema::Catalogue;

fn shared() -> PathBuf {
    match std::env::var_os("GATEWAYCTL_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
    }
}

/// All files of a repository.
fn read(root: &Path) -> Files {
    let mut files = Files::default();
    for entry in walkdir::WalkDir::new(root) {
        let entry = entry.expect("a folder that can be walked");
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(root).expect("below the root");
            let text = std::fs::read_to_string(entry.path()).expect("text");
            files
                .texts
                .insert(path.to_string_lossy().into_owned(), text);
        }
    }
    files
}

/// The kinds that are to be generated.
const KINDS: [&str; 15] = [
    "GatewayClass",
    "Gateway",
    "EnvoyProxy",
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "EnvoyExtensionPolicy",
    "SecurityPolicy",
    "HTTPRoute",
    "TCPRoute",
    "HelmRelease",
    "OCIRepository",
    "Kustomization",
    "PodMonitor",
    "ServiceMonitor",
    "GrafanaDashboard",
];

#[test]
fn real_trees() {
    let trees = shared().join("trees");
    if !trees.is_dir() {
        println!("skipped: {} is not here", trees.display());
        return;
    }
    let catalogue = Catalogue::embedded();
    let mut names: Vec<PathBuf> = std::fs::read_dir(&trees)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    names.sort();
    for root in names {
        let name = root
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let files = read(&root);
        let mut paths = vec![String::new()];
        if let Err((Failure::Several(several), _)) = import(&files, "", &catalogue) {
            paths = several;
        }
        for path in paths {
            match import(&files, &path, &catalogue) {
                Ok(import) => print(&name, &path, &import),
                Err((failure, _)) => println!("{name} {path}: {failure}"),
            }
        }
    }
    let _ = BTreeMap::<u8, u8>::new();
    let _ = KINDS;
}

fn print(name: &str, path: &str, import: &Import) {
    let generated = import.count(|fate| matches!(fate, Fate::Generated { .. }));
    let full = import.count(|fate| matches!(fate, Fate::Generated { in_full: true }));
    let kept = import.count(|fate| matches!(fate, Fate::Kept(_)));
    let different = import.count(|fate| matches!(fate, Fate::Different(_)));
    println!(
        "{name} {path}: {} objects, {generated} generated ({full} in full), {kept} kept, {different} different, {} added, {} lines for {}",
        import.outcomes.len(),
        import.added.len(),
        import.config.lines().count(),
        import.lines
    );
    for one in &import.outcomes {
        match &one.fate {
            Fate::Kept(why) => println!(
                "    kept {} {} in {}: {why}",
                one.object.kind, one.object.name, one.file
            ),
            Fate::Generated { in_full: true } => println!(
                "    in full {} {} in {}",
                one.object.kind, one.object.name, one.file
            ),
            Fate::Different(fields) => {
                println!(
                    "    DIFFERENT {} {} in {}",
                    one.object.kind, one.object.name, one.file
                );
                for field in fields.iter().take(6) {
                    println!("        {} {:?}", field.path, field.change);
                }
            }
            _ => {}
        }
    }
    for (file, object) in &import.added {
        println!("    ADDED {} {} in {file}", object.kind, object.name);
    }
    for problem in import
        .compiled
        .diagnostics
        .iter()
        .filter(|problem| problem.is_error())
    {
        println!("    error {}: {}", problem.code, problem.message);
    }
    for note in &import.notes {
        println!("    note {note}");
    }
    if std::env::var_os("SHOW").is_some_and(|show| name.contains(&*show.to_string_lossy())) {
        println!("{}", import.config);
    }
}
