//! Parses YAML (and JSON, which is a subset of YAML) into trees with source positions.
//! YAML is read as kustomize and therefore Flux do, or as kubectl does ([`Reader`]): for kustomize, `yes` is a string, for
//! kubectl, it is true; for both, `010` is eight, and duplicate keys are refused. A file is split at its `---` lines before any
//! document is parsed, as in k8s.io/apimachinery, so that an invalid document doesn't hide the others.

use memchr::memmem;

use super::compose::{Composed, compose};
use super::{differences, kustomize, plain, tree};
use crate::codes;
use crate::diagnostic::{Diagnostic, SourceId, Sources, Span};
use crate::meaning::KUSTOMIZATIONS;
use crate::value::path::name;
use crate::value::{Kind, Node};

/// The maximum size of a file, in bytes.
pub const LARGEST_FILE: u64 = 16 << 20;

/// The maximum number of documents in a file, which is far more than charts and bundles of CRDs have.
const MOST_DOCUMENTS: usize = 50_000;

/// A parsed document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// The tree of the document.
    pub node: Node,
    /// Notes on the values that kubectl reads otherwise than kustomize and Flux, if the document is an object.
    pub differences: Vec<Diagnostic>,
}

/// The position of a document in a source, before it is parsed.
#[derive(Clone, Debug)]
pub struct DocumentRange(std::ops::Range<usize>);

/// Splits a source into documents without parsing them. Returns a finding if there are too many.
pub fn pieces(sources: &Sources, source: SourceId) -> (Vec<DocumentRange>, Option<Diagnostic>) {
    let text = sources.get(source).text();
    let mut parts = split(text);
    let problem = parts
        .get(MOST_DOCUMENTS)
        .map(|part| too_many(source, part.start));
    parts.truncate(MOST_DOCUMENTS);
    (parts.into_iter().map(DocumentRange).collect(), problem)
}

/// Parses one document; `None` if it is empty.
/// # Errors
/// Returns the problem if the document is invalid.
pub fn read_piece(
    sources: &Sources,
    source: SourceId,
    DocumentRange(range): &DocumentRange,
) -> Result<Option<Document>, ReadProblem> {
    let text = sources
        .get(source)
        .text()
        .get(range.clone())
        .unwrap_or_default();
    if let Err(fault) = kustomize::check_marks(text, range.start == 0) {
        return Err(tree::differs(fault, text, source, range.start));
    }
    let reader = Reader::of_file(sources.get(source).name());
    if let Some(node) = plain::parse(text, source, range.start) {
        return Ok(Some(node.into()));
    }
    let composed = parse_general(reader, text, source, range.start)?;
    if composed.node.kind == Kind::Null {
        return Ok(None);
    }
    let has_differences = composed.may_differ && reader == Reader::Kustomize;
    let differences = match has_differences && is_object(&composed.node) {
        true => differences::notes(&composed.node, text, source, range.start),
        false => Vec::new(),
    };
    Ok(Some(Document {
        node: composed.node,
        differences,
    }))
}

impl From<Node> for Document {
    fn from(node: Node) -> Self {
        Document {
            node,
            differences: Vec::new(),
        }
    }
}

fn is_object(node: &Node) -> bool {
    ["apiVersion", "kind"]
        .iter()
        .all(|field| node.get(field).is_some())
}

/// Parses all documents of a source. Empty documents are skipped; an invalid one becomes a diagnostic.
pub fn read(sources: &Sources, source: SourceId) -> (Vec<Document>, Vec<Diagnostic>) {
    let (pieces, problem) = pieces(sources, source);
    let mut documents = Vec::new();
    let mut problems = Vec::new();
    for piece in &pieces {
        match read_piece(sources, source, piece) {
            Ok(document) => documents.extend(document),
            Err(problem) => problems.push(problem.diagnostic()),
        }
    }
    problems.extend(problem);
    (documents, problems)
}

fn too_many(source: SourceId, start: usize) -> Diagnostic {
    Diagnostic::new(
        codes::CONFIG_TOO_LARGE,
        format!("the file has more than {MOST_DOCUMENTS} documents"),
    )
    .at(Span::new(source, start, start + 3))
    .why("the documents from here on were not read")
    .help("split the file")
}

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadProblemKind {
    /// The text is not valid YAML.
    Syntax,
    /// The text is beyond the limits on nesting and size with which it is read. Other programs may be able to read it.
    Limits,
    /// kustomize reads the text differently than other programs, or refuses it.
    Readers,
}

/// A problem that keeps a text from being read.
#[derive(Clone, Debug)]
pub struct ReadProblem {
    /// The kind of the problem.
    pub wrong: ReadProblemKind,
    /// A description of the problem.
    pub message: String,
    /// The position of the problem.
    pub span: Span,
}

impl ReadProblem {
    /// Converts the problem to a finding.
    pub fn diagnostic(self) -> Diagnostic {
        if self.wrong == ReadProblemKind::Readers {
            return Diagnostic::new(codes::YAML_READERS_DIFFER, format!("programs read this YAML differently: {}", self.message))
                .at(self.span)
                .why("kustomize and Flux would apply something else than other tools and people see in the file")
                .help("write the value in double quotes, or remove the text at the mark");
        }
        let help = if self.message.contains("duplicate mapping key") {
            "remove one of the two; other programs would silently use the last one"
        } else if self.message.contains("tab") {
            "indent with spaces"
        } else {
            "check indentation, quotes and colons at the mark"
        };
        Diagnostic::new(
            codes::YAML_SYNTAX,
            format!("invalid YAML: {}", self.message),
        )
        .at(self.span)
        .why("kustomize and Flux fail at this file, so nothing from its Kustomization is applied")
        .help(help)
    }
}

/// The byte ranges of the documents in a text. Each includes its `---` line.
pub fn split(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0;
    for before in memmem::find_iter(text.as_bytes(), "\n---") {
        let at = before + 1;
        if text.get(at..).is_some_and(is_mark) {
            parts.push(start..at);
            start = at;
        }
    }
    parts.push(start..text.len());
    parts
}

/// Whether a text begins with a `---` line.
pub fn is_mark(text: &str) -> bool {
    let rest = text.strip_prefix("---");
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// A program that reads YAML. Where two of them get other values from the same text, the value that counts is the one
/// of the program that applies the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reader {
    /// kustomize, and therefore Flux: `yes` is a string, a date gets a time, a key must be a string (kyaml).
    #[default]
    Kustomize,
    /// kubectl, Helm, and kustomize for its own `kustomization.yaml`: `yes` is true, a key may be a number
    /// (`sigs.k8s.io/yaml`).
    Kubectl,
}

impl Reader {
    /// The program that reads a file of a repository that Flux applies.
    pub fn of_file(path: &str) -> Self {
        match KUSTOMIZATIONS.contains(&name(path)) {
            true => Reader::Kubectl,
            false => Reader::Kustomize,
        }
    }
}

/// Parses a document that begins at byte `offset` of `source`, with the values that kustomize reads.
/// # Errors
/// Fails if the text is not valid YAML, if programs read it differently, or if it exceeds the limits on nesting, nodes
/// and aliases.
pub fn parse(text: &str, source: SourceId, offset: usize) -> Result<Node, ReadProblem> {
    parse_for(Reader::Kustomize, text, source, offset)
}

/// Like [`parse`], with the values that a reader reads.
/// # Errors
/// The same as for [`parse`].
pub fn parse_for(
    reader: Reader,
    text: &str,
    source: SourceId,
    offset: usize,
) -> Result<Node, ReadProblem> {
    match plain::parse(text, source, offset) {
        Some(node) => Ok(node),
        None => parse_general(reader, text, source, offset).map(|it| it.node),
    }
}

/// Like [`parse`], but always uses the general parser.
/// # Errors
/// The same as for [`parse`].
pub fn parse_any(text: &str, source: SourceId, offset: usize) -> Result<Node, ReadProblem> {
    parse_general(Reader::Kustomize, text, source, offset).map(|it| it.node)
}

fn parse_general(
    reader: Reader,
    text: &str,
    source: SourceId,
    offset: usize,
) -> Result<Composed, ReadProblem> {
    // The judge comes first: it refuses what is too large after less work.
    let in_object = tree::judge(text, source, offset)?;
    let composed = compose(text, reader, source, offset)
        .map_err(|fault| tree::differs(fault, text, source, offset))?;
    match in_object {
        Some(fault) if is_object(&composed.node) => Err(tree::differs(fault, text, source, offset)),
        _ => Ok(composed),
    }
}

/// The document exactly as one program reads it, whatever other programs make of the text.
/// # Errors
/// Fails if that program refuses the text, or if it exceeds the limits.
pub fn parse_as(
    reader: Reader,
    text: &str,
    source: SourceId,
    offset: usize,
) -> Result<Node, ReadProblem> {
    if let Some(node) = plain::parse(text, source, offset) {
        return Ok(node);
    }
    let composed = compose(text, reader, source, offset)
        .map_err(|fault| tree::refused(fault, text, source, offset))?;
    if let Some(fault) = composed.refused() {
        return Err(tree::refused(fault.clone(), text, source, offset));
    }
    match composed.node.kind {
        Kind::Bool(_) | Kind::Number(_) | Kind::String(_) if reader == Reader::Kustomize => {
            let fault = kustomize::Fault {
                message: "a document that is not an object".into(),
                at: 0,
                only_in_objects: false,
            };
            Err(tree::refused(fault, text, source, offset))
        }
        _ => Ok(composed.node),
    }
}

/// All documents of a source exactly as one program reads them. Empty documents are skipped.
/// # Errors
/// Returns the first thing that the program refuses.
pub fn read_as(
    reader: Reader,
    sources: &Sources,
    source: SourceId,
) -> Result<Vec<Document>, ReadProblem> {
    let text = sources.get(source).text();
    let mut documents = Vec::new();
    for range in split(text).into_iter().take(MOST_DOCUMENTS) {
        let part = text.get(range.clone()).unwrap_or_default();
        kustomize::check_marks(part, range.start == 0)
            .map_err(|fault| tree::refused(fault, part, source, range.start))?;
        let node = parse_as(reader, part, source, range.start)?;
        if node.kind != Kind::Null {
            documents.push(node.into());
        }
    }
    Ok(documents)
}

#[cfg(test)]
mod tests;
