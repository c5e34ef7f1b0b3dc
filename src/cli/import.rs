//! `gatewayctl import`: writes the cluster.toml that renders an existing tree.

mod root;

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::output::Stream;
use super::several::JoinedFindings;
use super::{Global, found};
use crate::bounds::file;
use crate::compile::{Compiled, compile};
use crate::config::load::LARGEST_CONFIG;
use crate::import::clusters::{self, ImportedClusters};
use crate::import::files::{Files, Reader};
use crate::import::{self, Failure, Import, find, report, template};
use crate::report::Report;
use crd_validate::schema::Catalogue;
use manifest::diagnostic::printable::printable;
use root::{Root, Written};

/// The file name of the configuration.
const CONFIG: &str = "cluster.toml";

/// Arguments of `import`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// A repository, any folder in it, or the `cluster.toml` of cluster-template
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The file to write; `-` is standard output [default: cluster.toml at the top of the repository]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The folder to import, from the top of the repository, if several folders have gateways
    #[arg(long, value_name = "FOLDER")]
    path: Option<String>,
    /// The format of the result
    #[arg(long, default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text
    Human,
    /// One JSON object
    Json,
}

/// Runs the command.
///
/// # Errors
/// If there is nothing to import, or something can't be read or written.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let catalogue = Catalogue::embedded();
    let given = args.dir.canonicalize();
    let given = given.with_context(|| format!("{}: can't be read", args.dir.display()))?;
    if given.is_file() {
        return convert(args, global, &given, &catalogue, out);
    }
    let root = Root::of(&given, args)?;
    let files = root.files(&root.base)?;
    let wanted = root.wanted(&given, args)?;
    let found = import::import(&files, &wanted, &catalogue);
    let mut why_not_one = None;
    if let Err((Failure::Several(folders), _)) = &found {
        match clusters::import_all(&files, folders, &catalogue) {
            Ok(clusters) => return import_clusters(args, global, clusters, &root, out),
            Err(why) => why_not_one = Some(why),
        }
    }
    let import = match found_or_asked(found, &files, &catalogue, out)? {
        Ok(import) => import,
        Err((Failure::Several(folders), _)) => {
            bail!(
                "{}",
                Failure::Unlike(folders, why_not_one.unwrap_or_default())
            )
        }
        Err((Failure::NoGateway(_), _)) if is_template(&given.join(CONFIG), &catalogue) => {
            return convert(args, global, &given.join(CONFIG), &catalogue, out);
        }
        Err((Failure::Broken(problems), sources)) => {
            let report = Report::new(problems, 0, 0, &sources);
            global.report(&report, &sources)?;
            bail!("nothing was imported, because some files of the gateways can't be read");
        }
        Err((failure, _)) => bail!("{failure}"),
    };
    let written = root.write(args, &import.config, out)?;
    print_report(args, global, import, &[], &written, out)
}

/// Writes the description of several clusters, and prints what was done as if they were one.
fn import_clusters(
    args: &Args,
    global: &Global,
    clusters: ImportedClusters,
    root: &Root,
    out: &mut Stream,
) -> anyhow::Result<ExitCode> {
    let (names, imports): (Vec<String>, Vec<Import>) = clusters.all.into_iter().unzip();
    let mut joined = JoinedFindings::default();
    let mut whole: Option<Import> = None;
    for (name, mut import) in names.iter().zip(imports) {
        let found = std::mem::take(&mut import.compiled.diagnostics);
        let compiled = &import.compiled;
        let counts = (compiled.files.len(), compiled.objects.len());
        joined.add(Some(name), found, &compiled.sources, counts);
        match &mut whole {
            None => whole = Some(import),
            Some(whole) => {
                whole.outcomes.extend(import.outcomes);
                whole.added.extend(import.added);
                whole.dropped.extend(import.dropped);
                whole.notes.extend(import.notes);
                whole.lines += import.lines;
                whole.compiled.files.extend(import.compiled.files);
                whole.compiled.objects.extend(import.compiled.objects);
            }
        }
    }
    let Some(mut whole) = whole else {
        bail!("there is no cluster to import");
    };
    whole.compiled.diagnostics = joined.diagnostics;
    whole.compiled.sources = joined.sources;
    let written = root.write(args, &whole.config, out)?;
    print_report(args, global, whole, &names, &written, out)
}

/// The folders below a folder that have gateways, which `import` can read. Nothing if it can't be walked.
pub(super) fn folders_with_gateways(folder: &Path) -> Vec<String> {
    let root = Root {
        base: folder.to_path_buf(),
        top: folder.to_path_buf(),
    };
    let Ok(files) = root.files(folder) else {
        return Vec::new();
    };
    match find::find(&mut Reader::new(&files), "") {
        Ok((found, _)) => vec![found.folder],
        Err(Failure::Several(folders)) => folders,
        Err(_) => Vec::new(),
    }
}

/// What was found. If several folders have gateways, asks which one, provided there is a terminal.
fn found_or_asked(
    found: Result<Import, (Failure, manifest::diagnostic::Sources)>,
    files: &Files,
    catalogue: &Catalogue,
    out: &mut Stream,
) -> anyhow::Result<Result<Import, (Failure, manifest::diagnostic::Sources)>> {
    let asks = std::io::stdin().is_terminal() && out.is_terminal();
    let Err((Failure::Several(folders), sources)) = found else {
        return Ok(found);
    };
    if !asks {
        return Ok(Err((Failure::Several(folders), sources)));
    }
    for (at, folder) in folders.iter().enumerate() {
        writeln!(out, "{:>3}  {}", at + 1, printable(folder))?;
    }
    write!(out, "Several folders have gateways. Which one? ")?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let chosen = line
        .trim()
        .parse::<usize>()
        .ok()
        .and_then(|at| folders.get(at.checked_sub(1)?));
    match chosen {
        Some(folder) => Ok(import::import(files, folder, catalogue)),
        None => Ok(Err((Failure::Several(folders), sources))),
    }
}

/// Prints what was done, then the findings of `validate` on the result.
fn print_report(
    args: &Args,
    global: &Global,
    import: Import,
    clusters: &[String],
    written: &Written,
    out: &mut Stream,
) -> anyhow::Result<ExitCode> {
    let different = import.is_different();
    if args.format == Format::Json {
        let json = report::json(&import, clusters, &written.shown);
        if !written.on_stdout {
            out.json(&json)?;
        }
        return Ok(found(different));
    }
    if !global.quiet {
        let mut text = format!("{} {}\n", written.word, printable(&written.shown));
        if !clusters.is_empty() {
            let names = clusters.join(", ");
            text.push_str(&format!(
                "{} clusters: {}\n",
                clusters.len(),
                printable(&names)
            ));
        }
        text.push_str(&report::human(&import));
        match written.on_stdout {
            true => global.stderr().write_all(text.as_bytes())?,
            false => out.write_all(text.as_bytes())?,
        }
    }
    let Compiled {
        diagnostics,
        sources,
        files,
        objects,
        ..
    } = import.compiled;
    if !diagnostics.is_empty() {
        let report = Report::new(diagnostics, files.len(), objects.len(), &sources);
        global.report(&report, &sources)?;
    }
    Ok(found(different))
}

/// Converts the cluster.toml of cluster-template.
fn convert(
    args: &Args,
    global: &Global,
    path: &Path,
    catalogue: &Catalogue,
    out: &mut Stream,
) -> anyhow::Result<ExitCode> {
    let text = read_config(path)?;
    let Some(converted) = template::convert(&text, catalogue) else {
        bail!(
            "{}: is not a cluster.toml of cluster-template\n  help: `import` takes a repository, a folder in it, or such a file",
            path.display()
        );
    };
    let folder = path.parent().unwrap_or(path).to_path_buf();
    let root = Root {
        base: folder.clone(),
        top: folder,
    };
    let compiled = compile(CONFIG, &converted.config, &Files::default(), catalogue);
    let written = root.write(args, &converted.config, out)?;
    let import = Import {
        place: find::FrontDoorFolders::default(),
        outcomes: Vec::new(),
        added: Vec::new(),
        dropped: Vec::new(),
        notes: converted.notes,
        lines: 0,
        config: converted.config,
        compiled,
    };
    print_report(args, global, import, &[], &written, out)
}

fn read_config(path: &Path) -> anyhow::Result<String> {
    file::text(path, LARGEST_CONFIG).with_context(|| format!("{}: can't be read", path.display()))
}

fn is_template(path: &Path, catalogue: &Catalogue) -> bool {
    read_config(path).is_ok_and(|text| template::convert(&text, catalogue).is_some())
}
