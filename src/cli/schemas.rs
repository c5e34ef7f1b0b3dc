//! `gatewayctl schemas`: lists, verifies and extends the catalogue of schemas.

mod values;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};
use walkdir::WalkDir;

use super::cluster::{self, Connection};
use super::location;
use super::owned::with_help;
use super::{Global, found, own, project, used};
use crate::bounds::file::{self, Unread};
use crate::tree::plain;
use crd_validate::schema::files::{self, Difference, Imported, Input};
use crd_validate::schema::import::Keep;
use crd_validate::schema::json_schema::{self, KindName};
use crd_validate::schema::lock::{self, Lock, Locked};
use crd_validate::schema::{Set, embedded};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::printable::printable;
use manifest::read::LARGEST_FILE;

/// Arguments of `schemas`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// List the known projects, versions and channels, with a hash and their kinds; with --verbose, also the SHA-256
    /// sum of each kind's schema and of the file that it was made from
    List {
        /// Show only this project
        project: Option<String>,
    },
    /// Compare the schemas in this program, and the project's own, with their lists of hashes
    Verify,
    /// Compile CustomResourceDefinitions, or the output of `kubectl get --raw /openapi/v2`, into the project's own
    /// schemas, which take precedence over those in this program
    Import(Box<Import>),
}

#[derive(Clone, Debug, clap::Args)]
struct Import {
    /// Files, folders to walk, or `-` for standard input
    #[arg(required_unless_present = "from", value_name = "FILE")]
    paths: Vec<PathBuf>,
    /// Where to take definitions from instead of files: `cluster` reads those that are installed there
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["paths", "by_folder"])]
    from: Option<From>,
    /// The release that all files belong to: PROJECT@VERSION[:CHANNEL]. It can then be declared in cluster.toml or with --use
    /// [default: none; the schemas are then used whatever versions are declared]
    #[arg(long = "as", value_name = "PROJECT@VERSION", value_parser = Release::parse, conflicts_with_all = ["project", "by_folder"])]
    release: Option<Release>,
    /// The folder to write to [default: schemas, beside cluster.toml or in the repository's root]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// The project that all files belong to [default: none; the schemas are then used whatever versions are declared]
    #[arg(long, requires = "version")]
    project: Option<String>,
    /// The project's version
    #[arg(long, requires = "project")]
    version: Option<String>,
    /// Its channel
    #[arg(long, requires = "project")]
    channel: Option<String>,
    /// Take project and version from each file's folders: PROJECT/VERSION[/CHANNEL]/FILE
    #[arg(long, conflicts_with = "project")]
    by_folder: bool,
    /// The kind that a JSON Schema describes, if it doesn't say so itself: GROUP/VERSION/KIND. Only the structure is imported,
    /// because JSON Schemas have no rules, and no reliable defaults
    #[arg(long, value_name = "GROUP/VERSION/KIND", value_parser = kind_name, conflicts_with = "values")]
    kind: Option<KindName>,
    /// The chart and version whose values the file describes (`values.schema.json`): CHART@VERSION. HelmReleases of the chart are
    /// then checked against it
    #[arg(long, value_name = "CHART@VERSION", value_parser = Release::parse, conflicts_with_all = ["project", "by_folder", "from", "release"])]
    values: Option<Release>,
    /// A schema that the file of --values refers to: URL=FILE
    #[arg(long = "ref", value_name = "URL=FILE", requires = "values")]
    references: Vec<String>,
    /// Leave out the messages of rules, as the schemas in this program do
    #[arg(long)]
    facts_only: bool,
    #[command(flatten)]
    connection: Connection,
}

/// A release that is given as PROJECT@VERSION[:CHANNEL].
#[derive(Clone, Debug)]
struct Release(Set);

impl Release {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "write PROJECT@VERSION, such as envoy-gateway@1.9.1".to_owned();
        let (project, version, channel) = used::identity(text).ok_or_else(wrong)?;
        let set = Set::new(project, version, channel);
        match set.version.minor() {
            Some(_) => Ok(Release(set)),
            None => Err(format!("{version} is not a version such as 1.9.1")),
        }
    }
}

fn kind_name(text: &str) -> Result<KindName, String> {
    let wrong =
        || "write GROUP/VERSION/KIND, such as external-secrets.io/v1/ExternalSecret".to_owned();
    KindName::parse(text).ok_or_else(wrong)
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum From {
    /// The API server
    Cluster,
}

/// Runs the command.
///
/// # Errors
/// If a file can't be read or written.
pub(super) fn run(args: Args, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List { project } => list(project.as_deref(), global, out),
        Command::Verify => verify(global, out),
        Command::Import(import) => import_files(&import, global, out),
    }
}

fn list(project: Option<&str>, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (catalogue, in_force) = project::in_force(global)?;
    let mut rows = files::rows(&catalogue);
    rows.retain(|row| project.is_none_or(|wanted| row.set.project == wanted));
    if rows.is_empty() {
        bail!(
            "there is no project `{}`; the known ones are {}",
            project.unwrap_or_default(),
            catalogue.projects().join(", ")
        );
    }
    let embedded = embedded_list()?;
    let own = place(global).map_or(Ok(Lock::default()), |folder| own::list(&folder))?;
    let own: Vec<&Locked> = own.without(&embedded).collect();
    let all: Vec<&Locked> = embedded.files().iter().collect();
    let width = |of: fn(&files::Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let names = width(|row| row.set.project.len());
    let versions = width(|row| row.set.version.as_str().len());
    let channels = width(|row| row.set.channel.as_ref().map_or(0, String::len));
    for row in &rows {
        let listed = if row.is_own { &own } else { &all };
        let of_set: Vec<&Locked> = listed
            .iter()
            .copied()
            .filter(|it| it.set() == row.set)
            .collect();
        writeln!(
            out,
            "{} {:names$}  {:versions$}  {:channels$}  {}  {}{}",
            if in_force.has(&row.set) { '*' } else { ' ' },
            printable(&row.set.project),
            printable(row.set.version.as_str()),
            printable(row.set.channel.as_deref().unwrap_or_default()),
            lock::digest(&of_set),
            if row.is_own { "in schemas/: " } else { "" },
            printable(&row.kinds.join(", "))
        )?;
        for file in of_set.iter().filter(|_| global.verbose) {
            let (path, source) = (printable(&file.path), printable(&file.source));
            writeln!(out, "    {}  {path}", printable(&file.sha256))?;
            writeln!(out, "    {}  from {source}", printable(&file.source_sha256))?;
        }
    }
    writeln!(out, "\n* in force")?;
    Ok(ExitCode::SUCCESS)
}

fn embedded_list() -> anyhow::Result<Lock> {
    Lock::parse(embedded::LOCK).context("can't read the list of schemas in this program")
}

/// The folder of the user's own schemas; `None` if it can't be determined.
fn place(global: &Global) -> Option<PathBuf> {
    location::schemas_folder(global).ok()
}

fn verify(global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let embedded = embedded_list()?;
    let unpacked = embedded::files().iter().map(|it| (it.path, it.unpack()));
    let mut differences =
        print_differences("in this program", &files::verify(&embedded, unpacked), out)?;
    let mut known = format!("{} schemas in this program", embedded.files().len());
    if let Some(folder) = place(global) {
        let (list, there) = (own::list(&folder)?, own::files_in(&folder)?);
        let there = there
            .iter()
            .map(|(name, text)| (name.as_str(), text.clone()));
        // Without a list, the folder was not written by this program.
        if !list.files().is_empty() {
            let title = folder.display().to_string();
            differences += print_differences(&title, &files::verify(&list, there), out)?;
            known += &format!(", {} in {title}", list.files().len());
        }
    }
    if differences == 0 {
        writeln!(out, "verified: {known}")?;
    }
    Ok(found(differences > 0))
}

/// Prints how files differ from their list, and returns how many do.
fn print_differences(
    place: &str,
    differences: &[Difference],
    out: &mut dyn Write,
) -> anyhow::Result<usize> {
    for difference in differences {
        let (path, what) = match difference {
            Difference::Changed(path) => (path, "doesn't have the hash that is listed"),
            Difference::Missing(path) => (path, "is listed but doesn't exist"),
            Difference::Unlisted(path) => (path, "exists but is not listed"),
            Difference::Unreadable(path, why) => (path, why.as_str()),
        };
        let (path, what) = (printable(path), printable(what));
        writeln!(out, "{}: {path}: {what}", printable(place))?;
    }
    Ok(differences.len())
}

fn import_files(args: &Import, global: &Global, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let into = match &args.into {
        Some(into) => into.clone(),
        None => location::schemas_folder(global)?,
    };
    if let Some(Release(chart)) = &args.values {
        return values::import(chart, &args.paths, &args.references, &into, out);
    }
    let inputs = match args.from {
        Some(From::Cluster) => installed(args)?,
        None => inputs(args)?,
    };
    let keep = if args.facts_only {
        Keep::Facts
    } else {
        Keep::Messages
    };
    let target = Target::of(&into);
    // The list is read before anything else, by the rules for writing it: something that is not a regular file is
    // refused instead of waited for.
    let listed = target.seen(files::LOCK)?;
    let lock = own::list(&into)?;
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
        bail!(
            "there is no CustomResourceDefinition (apiextensions.k8s.io/v1) and no OpenAPI document in these files"
        );
    }
    target.write(imported.files, listed)?;
    let shown = printable(&into.display().to_string());
    writeln!(out, "{schemas} {} in {shown}", plural(schemas))?;
    Ok(ExitCode::SUCCESS)
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "schema" } else { "schemas" }
}

/// The folder to write to. No link below its parent folder is followed.
struct Target {
    above: PathBuf,
    name: String,
}

impl Target {
    fn of(into: &Path) -> Self {
        let name = into.file_name().and_then(|name| name.to_str());
        match (into.parent(), name) {
            (Some(above), Some(name)) => Target {
                above: above.to_owned(),
                name: name.to_owned(),
            },
            // For example `.`: the folder itself.
            _ => Target {
                above: into.to_owned(),
                name: String::new(),
            },
        }
    }

    fn path(&self, file: &str) -> String {
        match self.name.as_str() {
            "" => file.to_owned(),
            name => format!("{name}/{file}"),
        }
    }

    fn seen(&self, file: &str) -> anyhow::Result<plain::SeenFile> {
        plain::read(&self.above, &self.path(file)).map_err(with_help)
    }

    /// Writes all files, and the list last, if the list is still the one that was read.
    fn write(&self, files: Vec<(String, Vec<u8>)>, listed: plain::SeenFile) -> anyhow::Result<()> {
        let files: Vec<_> = files
            .into_iter()
            .map(|(file, bytes)| {
                let expected = (file == files::LOCK).then(|| listed.clone());
                (self.path(&file), bytes, expected)
            })
            .collect();
        plain::write(&self.above, &files).map_err(with_help)
    }
}

fn line(imported: &Imported, problem: &Diagnostic) -> String {
    let place = problem.span.map(|span| imported.sources.locate(span));
    let place = place.map_or(String::new(), |it| {
        format!("{}:{}: ", printable(&it.file), it.line)
    });
    let help = problem.help.iter();
    let help: String = help.map(|it| format!("\n  {}", printable(it))).collect();
    format!("{place}{}{help}", printable(&problem.message))
}

/// The definitions that the cluster has, each as a file of its own.
fn installed(args: &Import) -> anyhow::Result<Vec<Input>> {
    let definitions = cluster::definitions(&args.connection)?;
    if definitions.is_empty() {
        bail!("the cluster has no CustomResourceDefinitions");
    }
    let input = |definition: cluster::Definition| Input {
        path: format!("cluster/{}.json", definition.name),
        text: definition.text,
        set: Some(set(args)),
    };
    Ok(definitions.into_iter().map(input).collect())
}

/// The project, version and channel of files whose folders don't say it.
fn set(args: &Import) -> Set {
    if let Some(Release(set)) = &args.release {
        return set.clone();
    }
    match (&args.project, &args.version) {
        (Some(project), Some(version)) => Set::new(project, version, args.channel.as_deref()),
        _ => Set::own(),
    }
}

/// The CRD with the structure of a JSON Schema; `None` if the file is something else.
fn crd_of_json_schema(text: &str, args: &Import, path: &str) -> anyhow::Result<Option<String>> {
    if !path.ends_with(".json") {
        return Ok(None);
    }
    let Ok(schema) = serde_json::from_str::<serde_json::Value>(text) else {
        return Ok(None);
    };
    if !json_schema::is_kind(&schema) {
        return Ok(None);
    }
    let Some(name) = args.kind.clone().or_else(|| KindName::in_schema(&schema)) else {
        bail!(
            "{path} is a JSON Schema that doesn't name its kind: give it with `--kind GROUP/VERSION/KIND`"
        );
    };
    Ok(Some(json_schema::to_crd(&schema, &name).to_string()))
}

/// The files to import, sorted by path, each with the project and version that it belongs to.
fn inputs(args: &Import) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in &args.paths {
        if path.as_os_str() == "-" {
            let read = file::stream(std::io::stdin().lock(), LARGEST_FILE)
                .and_then(file::decoded)
                .map(|(text, _)| text);
            inputs.push(input(args, "<stdin>".to_owned(), read)?);
            continue;
        }
        for found in WalkDir::new(path).sort_by_file_name() {
            let found = found?;
            let is_yaml = found
                .path()
                .extension()
                .is_some_and(|it| it == "yaml" || it == "yml" || it == "json");
            // A file that the user names is always read, and an error is reported if that fails.
            let is_named = found.depth() == 0 && !found.file_type().is_dir();
            if is_named || (is_yaml && found.file_type().is_file()) {
                let shown = found.path().to_string_lossy().replace('\\', "/");
                let read = file::yaml(found.path(), LARGEST_FILE);
                inputs.push(input(args, shown, read)?);
            }
        }
    }
    Ok(inputs)
}

fn input(args: &Import, path: String, read: Result<String, Unread>) -> anyhow::Result<Input> {
    let text = match read {
        Ok(text) => text,
        Err(Unread::TooLarge { most, .. }) => {
            bail!("{path} has more than {most} bytes; import it in parts")
        }
        Err(error) => return Err(error).with_context(|| format!("reading {path}")),
    };
    let set = match args.by_folder {
        true => Set::of_path(&path),
        false => Some(set(args)),
    };
    let text = match crd_of_json_schema(&text, args, &path)? {
        Some(crd) => crd,
        None => text,
    };
    Ok(Input { path, text, set })
}
