//! `gatewayctl schemas`: the catalogue.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Subcommand;
use walkdir::WalkDir;

use crate::diagnostic::Diagnostic;
use crate::manifest::read::LARGEST_FILE;
use crate::schema::files::{self, Difference, Imported, Input};
use crate::schema::import::Keep;
use crate::schema::lock::Lock;
use crate::schema::{Catalogue, Selection, Set, embedded};

/// Arguments of `schemas`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// List the projects, versions and channels that are known, and their kinds
    List {
        /// Only this project
        project: Option<String>,
    },
    /// Compare the schemas in this program with their list of hashes
    Verify,
    /// Compile CustomResourceDefinitions
    Import(Import),
}

#[derive(Clone, Debug, clap::Args)]
struct Import {
    /// Files, or folders to walk; without --project, laid out as PROJECT/VERSION[/CHANNEL]/FILE
    #[arg(required = true, value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// The project that all files belong to
    #[arg(long, requires = "version")]
    project: Option<String>,
    /// Its version
    #[arg(long, requires = "project")]
    version: Option<String>,
    /// Its channel
    #[arg(long, requires = "project")]
    channel: Option<String>,
    /// Leave the messages of rules out, as the schemas in this program do
    #[arg(long)]
    facts_only: bool,
}

/// Runs the command.
///
/// # Errors
/// Where a file can't be read or written.
pub fn run(args: Args, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { project } => list(project.as_deref(), out),
        Command::Verify => verify(out),
        Command::Import(import) => import_files(&import, out),
    }
}

fn list(project: Option<&str>, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let catalogue = Catalogue::embedded();
    let default = Selection::newest(&catalogue);
    let mut rows = files::rows(&catalogue);
    rows.retain(|row| project.is_none_or(|wanted| row.set.project == wanted));
    if rows.is_empty() {
        bail!(
            "no project `{}`; known are {}",
            project.unwrap_or_default(),
            catalogue.projects().join(", ")
        );
    }
    let width = |of: fn(&files::Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let names = width(|row| row.set.project.len());
    let versions = width(|row| row.set.version.as_str().len());
    let channels = width(|row| row.set.channel.as_ref().map_or(0, String::len));
    for row in &rows {
        writeln!(
            out,
            "{} {:names$}  {:versions$}  {:channels$}  {}",
            if default.has(&row.set) { '*' } else { ' ' },
            row.set.project,
            row.set.version.as_str(),
            row.set.channel.as_deref().unwrap_or_default(),
            row.kinds.join(", ")
        )?;
    }
    writeln!(out, "\n* in force where nothing else is declared")?;
    Ok(ExitCode::SUCCESS)
}

fn verify(out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let lock = Lock::parse(embedded::LOCK).context("the list of schemas in this program")?;
    let unpacked = embedded::files().iter().map(|it| (it.path, it.unpack()));
    let differences = files::verify(&lock, unpacked);
    for difference in &differences {
        let (path, what) = match difference {
            Difference::Changed(path) => (path, "is not what the list's hash says"),
            Difference::Missing(path) => (path, "is listed and not there"),
            Difference::Unlisted(path) => (path, "is there and not listed"),
            Difference::Unreadable(path, why) => (path, why.as_str()),
        };
        writeln!(out, "{path}: {what}")?;
    }
    if !differences.is_empty() {
        return Ok(ExitCode::from(1));
    }
    writeln!(out, "{} schemas are as listed", lock.files().len())?;
    Ok(ExitCode::SUCCESS)
}

fn import_files(args: &Import, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let inputs = inputs(args)?;
    let keep = if args.facts_only {
        Keep::Facts
    } else {
        Keep::Messages
    };
    let lock = match std::fs::read_to_string(args.into.join(files::LOCK)) {
        Ok(text) => Lock::parse(&text).with_context(|| {
            let lock = args.into.join(files::LOCK);
            format!("{} is no list of schemas", lock.display())
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Lock::default(),
        Err(error) => return Err(error).context(format!("reading {}", args.into.display())),
    };
    let imported = files::import(&inputs, lock, keep)?;
    if !imported.problems.is_empty() {
        for problem in &imported.problems {
            writeln!(out, "{}", line(&imported, problem))?;
        }
        writeln!(out, "nothing was written")?;
        return Ok(ExitCode::from(1));
    }
    let schemas = imported.files.len() - 1;
    if schemas == 0 {
        bail!("there is no CustomResourceDefinition (apiextensions.k8s.io/v1) in these files");
    }
    for (path, bytes) in &imported.files {
        let path = args.into.join(path);
        write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    writeln!(out, "{schemas} schemas in {}", args.into.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes beside the file and renames, so that a reader sees the old file or the new one.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension("json.new");
    std::fs::write(&beside, bytes)?;
    std::fs::rename(&beside, path)
}

fn line(imported: &Imported, problem: &Diagnostic) -> String {
    let place = problem.span.map(|span| imported.sources.locate(span));
    let place = place.map_or(String::new(), |it| format!("{}:{}: ", it.file, it.line));
    let help = problem.help.iter().map(|help| format!("\n  {help}"));
    format!("{place}{}{}", problem.message, help.collect::<String>())
}

/// The files to import, each with what it belongs to, in the order of their paths.
fn inputs(args: &Import) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in &args.paths {
        for found in WalkDir::new(path).sort_by_file_name() {
            let found = found?;
            let is_yaml = found
                .path()
                .extension()
                .is_some_and(|it| it == "yaml" || it == "yml" || it == "json");
            if found.file_type().is_file() && (is_yaml || found.depth() == 0) {
                inputs.push(input(args, found.path())?);
            }
        }
    }
    Ok(inputs)
}

fn input(args: &Import, path: &Path) -> anyhow::Result<Input> {
    let shown = path.to_string_lossy().replace('\\', "/");
    let set = match (&args.project, &args.version) {
        (Some(project), Some(version)) => Some(Set::new(project, version, args.channel.as_deref())),
        _ => Set::of_path(&shown),
    };
    let size = std::fs::metadata(path).map_or(0, |it| it.len());
    if size > LARGEST_FILE {
        bail!("{shown} has {size} bytes; files are read up to {LARGEST_FILE}");
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {shown}"))?;
    Ok(Input {
        path: shown,
        text,
        set,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    /// Runs `schemas` with the given words; its exit status and what it prints.
    fn schemas(words: &[&str]) -> (String, String) {
        let line = Line::try_parse_from([&["schemas"], words].concat()).expect("usage");
        let mut out = Vec::new();
        let text = |out: Vec<u8>| String::from_utf8(out).expect("a text");
        match run(line.args, &mut out) {
            Ok(code) => (format!("{code:?}"), text(out)),
            Err(error) => (format!("{error:#}"), text(out)),
        }
    }

    fn success() -> String {
        format!("{:?}", ExitCode::SUCCESS)
    }

    const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec:\n  group: \
                       example.com\n  names: {kind: Widget, plural: widgets}\n  scope: Cluster\n  versions:\n  - \
                       name: v1\n    served: true\n    storage: true\n    schema: {openAPIV3Schema: {type: object}}\n";

    #[test]
    fn the_list_marks_what_is_in_force() {
        let (code, out) = schemas(&["list", "keda"]);
        assert_eq!(code, success());
        assert_eq!(
            out,
            "  keda  2.18.3    ClusterTriggerAuthentication, ScaledObject, TriggerAuthentication\n  keda  2.19.0    \
             ClusterTriggerAuthentication, ScaledObject, TriggerAuthentication\n* keda  2.20.2    \
             ClusterTriggerAuthentication, ScaledObject, TriggerAuthentication\n\n* in force where nothing else is \
             declared\n"
        );
        let (error, _) = schemas(&["list", "kda"]);
        assert!(
            error.starts_with("no project `kda`; known are cert-manager, "),
            "{error}"
        );
    }

    #[test]
    fn the_schemas_in_the_program_are_as_listed() {
        let (code, out) = schemas(&["verify"]);
        assert_eq!(
            (code, out.ends_with("schemas are as listed\n")),
            (success(), true)
        );
    }

    #[test]
    fn an_import_writes_everything_or_nothing() {
        let root = std::env::temp_dir().join(format!("gatewayctl-schemas-{}", std::process::id()));
        let from = root.join("crds/widgets/v1.2.3/beta");
        std::fs::create_dir_all(&from).expect("a folder");
        std::fs::write(from.join("widgets.yaml"), CRD).expect("a file");
        std::fs::write(root.join("crds/README.yaml"), "a: 1\n").expect("a file");
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let (crds, into) = (text(root.join("crds")), text(root.join("schemas")));
        let (code, out) = schemas(&["import", &crds, "--into", &into]);
        assert_eq!((code, out), (success(), format!("1 schemas in {into}\n")));
        let written = root.join("schemas/widgets/v1.2.3/beta/example.com_widgets.json");
        assert!(written.is_file() && root.join("schemas/lock.json").is_file());

        let before = std::fs::read(root.join("schemas/lock.json")).expect("a file");
        std::fs::write(root.join("crds/more.yaml"), CRD).expect("a file");
        let (_, out) = schemas(&["import", &crds, "--into", &into]);
        assert_eq!(
            out,
            format!(
                "{crds}/more.yaml:1: nothing says which project and version this belongs to\n  give --project and \
                 --version, or lay the files out as PROJECT/VERSION/FILE\nnothing was written\n"
            )
        );
        let after = std::fs::read(root.join("schemas/lock.json")).expect("a file");
        assert_eq!(before, after);
        std::fs::remove_dir_all(root).expect("removed");
    }
}
