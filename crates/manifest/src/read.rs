//! Parses YAML (and JSON, which is a subset of YAML) into trees with source positions.
//! YAML is read as Kubernetes does (sigs.k8s.io/yaml, which uses YAML 1.1 for scalars): `on`, `yes` and `y`
//! are true, `010` is eight, duplicate keys are refused. A file is split at its `---` lines before any
//! document is parsed, as in k8s.io/apimachinery, so that an invalid document doesn't hide the others.

use memchr::memmem;

use super::{kustomize, plain, tree};
use crate::codes;
use crate::diagnostic::{Diagnostic, SourceId, Sources, Span};
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
    match parse(text, source, range.start) {
        Ok(node) if node.kind == Kind::Null => Ok(None),
        Ok(node) => Ok(Some(Document { node })),
        Err(problem) => Err(problem),
    }
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

/// Parses a document that begins at byte `offset` of `source`.
/// # Errors
/// Fails if the text is not valid YAML, or exceeds the limits on nesting, nodes and aliases.
pub fn parse(text: &str, source: SourceId, offset: usize) -> Result<Node, ReadProblem> {
    match plain::parse(text, source, offset) {
        Some(node) => Ok(node),
        None => tree::parse(text, source, offset),
    }
}

/// Like [`parse`], but always uses the general parser.
/// # Errors
/// The same as for [`parse`].
pub fn parse_any(text: &str, source: SourceId, offset: usize) -> Result<Node, ReadProblem> {
    tree::parse(text, source, offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Pointer;

    fn read_text(text: &str) -> (Sources, Vec<Document>, Vec<Diagnostic>) {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let (documents, problems) = read(&sources, id);
        (sources, documents, problems)
    }

    #[test]
    fn a_broken_document_does_not_hide_the_others() {
        let (sources, documents, problems) =
            read_text("---\na: 1\n---\nb: [1\nc: d\n--- # third\nd: 2\n---\n");
        assert_eq!(documents.len(), 2);
        assert_eq!(problems.len(), 1);
        let place = sources.locate(problems[0].span.expect("a place"));
        assert!((4..=6).contains(&place.line), "{place:?}");
    }

    #[test]
    fn every_node_knows_its_bytes() {
        let text = "---\nspec:\n  ports:\n    - name: \"é\"\n      port: 80\n";
        let (sources, documents, _) = read_text(text);
        let at = |pointer: &str| {
            let pointer = Pointer::parse(pointer).expect("a pointer");
            let span = documents[0].node.nearest_span(&pointer).expect("a place");
            let place = sources.locate(span);
            (place.line, place.column, text[span.range()].to_owned())
        };
        assert_eq!(at("/spec/ports/0/name"), (4, 13, "\"é\"".to_owned()));
        assert_eq!(at("/spec/ports/0/port"), (5, 13, "80".to_owned()));
        assert_eq!(at("/spec/ports/0/nothing").0, 4);
    }

    #[test]
    fn scalars_have_the_types_that_kubernetes_reads() {
        let (_, documents, _) = read_text(
            "[on, 'on', 010, 0x1F, 12:30, ~, 1.0, 1e3, \"1\", tRUE, 1_000.5, 1_a, '1_0.5']",
        );
        assert_eq!(
            documents[0].node.to_json().to_string(),
            r#"[true,"on",8,31,"12:30",null,1.0,1000.0,"1","tRUE",1000.5,"1_a","1_0.5"]"#
        );
    }

    /// The first problem of a text: its line, its column and its message.
    fn problem(text: &str) -> Option<(usize, usize, String)> {
        let (sources, _, problems) = read_text(text);
        let problem = problems.first()?;
        assert!(problem.why.is_some() && problem.help.is_some());
        let place = sources.locate(problem.span.expect("a place"));
        Some((place.line, place.column, problem.message.clone()))
    }

    #[test]
    fn invisible_line_ends_are_refused_outside_of_quotes() {
        for end in ["\u{2028}", "\u{2029}", "\u{85}", "\r"] {
            let code = end.chars().map(u32::from).next().unwrap_or_default();
            for (line, column, text) in [
                (2, 13, format!("a:\n  - b: c # x{end}    - b: d\n")),
                (1, 5, format!("a: b{end}c\n")),
                (1, 6, format!("# a b{end}c: d\ne: f\n")),
                (2, 4, format!("a: |\n  b{end}  c\n")),
                (1, 6, format!("a: [b{end}, c]\n")),
                (1, 4, format!("a: {end}  b\n")),
            ] {
                let said = format!(
                    "programs read this YAML differently: U+{code:04X}, which ends a line for kustomize but not for other programs"
                );
                assert_eq!(problem(&text).map(|it| it.2), Some(said), "{text:?}");
                assert_eq!(
                    problem(&text).map(|it| (it.0, it.1)),
                    Some((line, column)),
                    "{text:?}"
                );
            }
        }
        // As an escape, or where both kinds of parser agree, it is a normal character.
        assert_eq!(problem("a: \"b\\u2028\\u0085c\"\nd: 'e\u{2028}f'\n"), None);
        assert!(
            problem("a: 'b \u{2028} c'\n").is_some(),
            "blanks around it are kept, or not"
        );
        assert!(
            problem("a: \"b\u{85}c\"\n").is_some(),
            "it is a blank, or itself"
        );
        assert_eq!(problem("a: b\r\nc: d\r\n"), None);
    }

    #[test]
    fn texts_that_parsers_read_differently_are_refused() {
        for text in [
            "a: {b:}\n",
            "a: [{b:}]\n",
            "a:\n-\tb: c\n",
            "a: \"\u{7f}\"\n",
            "a: b\n--- c\nd: e\n",
            "a: b\n---\nc: d\n----\n",
            "a: b\n...\nc: d\n",
            "%YAML 1.2\n---\na: b\n",
            "a: {<<: }\n",
            "apiVersion: v1\nkind: A\na: {1: b}\n",
            "apiVersion: v1\nkind: A\na: \"\\/\"\n",
            "a: !!int b\n",
            "a: \u{feff}b\n\u{feff}c: d\n",
        ] {
            assert!(problem(text).is_some(), "{text:?}");
        }
    }

    #[test]
    fn ordinary_manifests_are_read() {
        for text in [
            "\u{feff}a: b\n",
            "---\n# a\n---\na: b\n",
            "a: |\n  b",
            "a:\n- b\n-\n- c\n",
            "a: b\t# c\n",
            "a: {b: c, d: [e, f], \"g\": \"h\"}\n",
            "{\n\t\"a\": [1, null],\n\t\"b\": {}\n}\n",
            "a: http://b.c/d?e#f\nb: [http://b.c/d]\n",
            "a: &x {b: c}\nd: *x\ne:\n  <<: *x\nf:\n  <<: [*x, {g: h}]\n",
            "a:\n  !!merge <<: {b: c}\napiVersion: v1\nkind: A\n",
            "a: \"\\ud83d\\ude00\"\n",
            "1: b\n",
            "a: b\n...\n",
        ] {
            assert_eq!(problem(text), None, "{text:?}");
        }
        let (_, documents, _) = read_text("a: |\n  b");
        assert_eq!(documents[0].node.to_json().to_string(), r#"{"a":"b"}"#);
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let below = format!("*a{}, ", level - 1).repeat(9);
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert_eq!(read_text(&bomb).2.len(), 1);
        let deep = "[".repeat(100_000);
        assert_eq!(read_text(&deep).2.len(), 1);
        let deep = "a:\n".to_owned()
            + &(0..5000)
                .map(|n| " ".repeat(n) + "a:\n")
                .collect::<String>();
        assert_eq!(read_text(&deep).2.len(), 1);
    }
}
