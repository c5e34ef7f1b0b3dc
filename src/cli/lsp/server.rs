//! The open documents and the last check of each repository, and what happens with each message.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use gen_lsp_types as lsp;
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId};
use serde_json::{Value, json};

use super::super::Global;
use super::analysis::{self, Analysis};
use super::answers::{self, Knowledge};
use super::documents::Documents;
use super::lenses::Exposures;
use super::wire::Frame;
use super::worker::Worker;
use super::{findings, protocol, roots, uri};
use crate::config::schema::json_schema;
use crate::editor::Index;
use crd_validate::schema::{Catalogue, Selection};

/// Something that happened.
pub(super) enum Event {
    Frame(Frame),
    /// A repository was checked.
    Checked(PathBuf, anyhow::Result<Box<Analysis>>),
    /// It is known what a repository exposes, or that nothing can be said about it.
    Exposed(PathBuf, Option<Exposures>),
}

/// A repository.
#[derive(Default)]
pub(super) struct Root {
    pub analysis: Option<Box<Analysis>>,
    /// The objects, with those of texts that were typed after the check.
    pub index: Index,
    pub exposures: Option<Exposures>,
    /// Whether it was tried to find out.
    is_exposure_known: bool,
    /// What the editor shows, by file.
    published: BTreeMap<PathBuf, Vec<lsp::Diagnostic>>,
    /// Why the last check failed.
    failure: Option<String>,
}

/// How far the conversation with the editor is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Running,
    ShutDown,
    /// It has ended; whether the editor has shut the server down before.
    Ended(bool),
}

pub(super) struct Server {
    global: Global,
    worker: Worker,
    phase: Phase,
    documents: Documents,
    roots: BTreeMap<PathBuf, Root>,
    /// Requests that wait for the first check of their repository.
    waiting: Vec<Request>,
    outgoing: Vec<Value>,
    schema: Value,
    /// For documents that belong to no repository.
    newest: (Catalogue, Selection),
    nowhere: Root,
    can_refresh_lenses: bool,
    can_watch: bool,
}

impl Server {
    pub(super) fn new(global: &Global, worker: Worker) -> Self {
        Server {
            global: global.clone(),
            worker,
            phase: Phase::Starting,
            documents: Documents::default(),
            roots: BTreeMap::new(),
            waiting: Vec::new(),
            outgoing: Vec::new(),
            schema: json_schema(),
            newest: analysis::without_repository(),
            nowhere: Root::default(),
            can_refresh_lenses: false,
            can_watch: false,
        }
    }

    pub(super) fn take_outgoing(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.outgoing)
    }

    /// The exit code, once the editor has ended the server. An editor that goes without a word is an error, as the protocol
    /// says.
    pub(super) fn exit_code(&self) -> Option<ExitCode> {
        match self.phase {
            Phase::Ended(true) => Some(ExitCode::SUCCESS),
            Phase::Ended(false) => Some(ExitCode::FAILURE),
            _ => None,
        }
    }

    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Frame(Frame::Message(Message::Request(request))) => self.request(request),
            Event::Frame(Frame::Message(Message::Notification(it))) => self.notification(it),
            // The answers of the editor say nothing that is needed.
            Event::Frame(Frame::Message(Message::Response(_))) => {}
            Event::Frame(Frame::Nonsense(why)) => {
                let error = protocol::error(None, ErrorCode::ParseError, &why);
                self.outgoing.push(error);
            }
            Event::Frame(Frame::End) => self.end(),
            Event::Checked(root, Ok(analysis)) => self.checked(&root, analysis),
            Event::Checked(root, Err(error)) => self.failed(&root, &format!("{error:#}")),
            Event::Exposed(root, exposures) => self.exposed(&root, exposures),
        }
    }

    fn end(&mut self) {
        self.phase = Phase::Ended(self.phase == Phase::ShutDown);
    }

    fn request(&mut self, request: Request) {
        let refuse = |code, why: &str| protocol::error(Some(&request.id), code, why);
        let message = match (self.phase, request.method.as_str()) {
            (Phase::Starting, "initialize") => {
                self.initialize(&request.params);
                protocol::answer(&request.id, &protocol::capabilities())
            }
            (Phase::Starting, _) => refuse(
                ErrorCode::ServerNotInitialized,
                "`initialize` must come first",
            ),
            (Phase::Running, "shutdown") => {
                self.phase = Phase::ShutDown;
                self.waiting.clear();
                protocol::answer(&request.id, &Value::Null)
            }
            (Phase::Running, "initialize") => {
                refuse(ErrorCode::InvalidRequest, "the server runs already")
            }
            (Phase::Running, method) if !answers::METHODS.contains(&method) => {
                refuse(ErrorCode::MethodNotFound, "there is no such request")
            }
            (Phase::Running, _) => {
                if self.must_wait(&request) {
                    self.waiting.push(request);
                    return;
                }
                self.answer(&request)
            }
            (Phase::ShutDown | Phase::Ended(_), _) => {
                refuse(ErrorCode::InvalidRequest, "the server is shut down")
            }
        };
        self.outgoing.push(message);
    }

    fn initialize(&mut self, params: &Value) {
        self.phase = Phase::Running;
        let has = |path: &str| params.pointer(path).and_then(Value::as_bool) == Some(true);
        self.can_refresh_lenses = has("/capabilities/workspace/codeLens/refreshSupport");
        self.can_watch = has("/capabilities/workspace/didChangeWatchedFiles/dynamicRegistration");
        let folders = params.get("workspaceFolders").and_then(Value::as_array);
        let folders = folders.into_iter().flatten();
        let uris = folders.filter_map(|folder| folder.get("uri"));
        let mut uris: Vec<&str> = uris.filter_map(Value::as_str).collect();
        let root = params.get("rootUri").and_then(Value::as_str);
        if uris.is_empty() {
            uris.extend(root);
        }
        self.add_folders(&uris);
    }

    fn add_folders(&mut self, uris: &[&str]) {
        for path in uris.iter().filter_map(|uri| uri::to_path(uri)) {
            if let Some(root) = roots::of_workspace(&path, &self.global) {
                self.check(&root, true);
            }
        }
    }

    fn notification(&mut self, it: Notification) {
        let params = it.params;
        match (self.phase, it.method.as_str()) {
            (_, "exit") => self.end(),
            (Phase::Running, "initialized") if self.can_watch => {
                self.outgoing.push(protocol::watch_files());
            }
            (Phase::Running, "textDocument/didOpen") => {
                if let Ok(params) = serde_json::from_value::<lsp::DidOpenTextDocumentParams>(params)
                {
                    let document = params.text_document;
                    self.documents
                        .open(&document.uri.0, document.version, &document.text);
                    self.touched(&document.uri.0, true);
                }
            }
            (Phase::Running, "textDocument/didChange") => {
                if let Ok(params) =
                    serde_json::from_value::<lsp::DidChangeTextDocumentParams>(params)
                {
                    let document = params.text_document;
                    let (uri, version) =
                        (document.text_document_identifier.uri.0, document.version);
                    self.documents
                        .change(&uri, version, &params.content_changes);
                    self.touched(&uri, false);
                }
            }
            (Phase::Running, "textDocument/didSave") => {
                let uri = params.pointer("/textDocument/uri").and_then(Value::as_str);
                self.touched(uri.unwrap_or_default(), true);
            }
            (Phase::Running, "textDocument/didClose") => {
                let uri = params.pointer("/textDocument/uri").and_then(Value::as_str);
                let document = uri.and_then(|uri| self.documents.close(uri));
                let path = document.and_then(|document| document.path);
                if let Some(root) = path.and_then(|path| roots::of_document(&path, &self.global)) {
                    self.check(&root, true);
                }
            }
            (Phase::Running, "workspace/didChangeWatchedFiles") => {
                let roots: Vec<PathBuf> = self.roots.keys().cloned().collect();
                roots.iter().for_each(|root| self.check(root, false));
            }
            (Phase::Running, "workspace/didChangeWorkspaceFolders") => {
                let added = params.pointer("/event/added").and_then(Value::as_array);
                let uris = added
                    .into_iter()
                    .flatten()
                    .filter_map(|it| it.get("uri")?.as_str());
                self.add_folders(&uris.collect::<Vec<_>>());
            }
            (Phase::Running, "$/cancelRequest") => self.cancel(params.get("id")),
            _ => {}
        }
    }

    /// Answers a request that waits and that nobody wants any more.
    fn cancel(&mut self, id: Option<&Value>) {
        let id = id.and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
        let Some(at) = self
            .waiting
            .iter()
            .position(|it| Some(&it.id) == id.as_ref())
        else {
            return;
        };
        let request = self.waiting.remove(at);
        let error = protocol::error(Some(&request.id), ErrorCode::RequestCanceled, "cancelled");
        self.outgoing.push(error);
    }

    /// Takes over the text of a document, and asks for a check of its repository.
    fn touched(&mut self, uri: &str, now: bool) {
        let Some(document) = self.documents.get(uri) else {
            return;
        };
        let Some(path) = &document.path else {
            return;
        };
        let Some(root) = roots::of_document(path, &self.global) else {
            return;
        };
        if let (Some(known), Ok(name)) = (self.roots.get_mut(&root), path.strip_prefix(&root)) {
            let name = name.to_string_lossy().replace('\\', "/");
            known.index.set_text(&name, &document.text);
        }
        self.check(&root, now);
    }

    fn check(&mut self, root: &Path, now: bool) {
        self.roots.entry(root.to_path_buf()).or_default();
        let unsaved = self.documents.texts_below(root);
        let options = analysis::options(root, &self.global, unsaved);
        self.worker.check(root.to_path_buf(), options, now);
    }

    fn checked(&mut self, root: &Path, mut analysis: Box<Analysis>) {
        let documents = &self.documents;
        let uri_of = |path: &Path| match documents.of_path(path) {
            Some((uri, _)) => uri.to_owned(),
            None => uri::of_path(path),
        };
        let found = findings::by_file(&analysis, root, &uri_of);
        let known = self.roots.entry(root.to_path_buf()).or_default();
        known.failure = None;
        let mut index = std::mem::take(&mut analysis.index);
        for name in &analysis.broken {
            index.keep(name, &known.index);
            if analysis.config.as_ref() == Some(name) {
                index.keep_missing(&known.index);
            }
        }
        for (path, text) in documents.texts_below(root) {
            if let Ok(name) = path.strip_prefix(root) {
                index.set_text(&name.to_string_lossy().replace('\\', "/"), &text);
            }
        }
        known.index = index;
        let is_whole = analysis.broken.is_empty();
        let broken: Vec<PathBuf> = analysis.broken.iter().map(|name| root.join(name)).collect();
        let mut paths: Vec<PathBuf> = known
            .published
            .keys()
            .chain(found.keys())
            .cloned()
            .collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            // While a file can't be parsed, what others find in it is missing, and they stay as they were.
            if !is_whole && !broken.contains(&path) {
                continue;
            }
            let document = documents.of_path(&path);
            // The findings in a text that has changed since are at the wrong places; those of the next check follow.
            let is_current = |text: &Arc<str>| analysis.unsaved.get(&path) == Some(text);
            if document.is_some_and(|(_, document)| !is_current(&document.text)) {
                continue;
            }
            let of_file = found.get(&path).cloned().unwrap_or_default();
            if known.published.get(&path).unwrap_or(&Vec::new()) == &of_file {
                continue;
            }
            let mut params = json!({"uri": uri_of(&path), "diagnostics": of_file});
            if let Some((_, document)) = document {
                params["version"] = document.version.into();
            }
            self.outgoing.push(protocol::notification(
                "textDocument/publishDiagnostics",
                params,
            ));
            match of_file.is_empty() {
                true => known.published.remove(&path),
                false => known.published.insert(path, of_file),
            };
        }
        known.analysis = Some(analysis);
        self.answer_waiting();
    }

    fn failed(&mut self, root: &Path, why: &str) {
        let known = self.roots.entry(root.to_path_buf()).or_default();
        if known.failure.as_deref() != Some(why) {
            let text = format!("{} can't be checked: {why}", root.display());
            self.outgoing.push(protocol::log(&text));
        }
        known.failure = Some(why.to_owned());
        self.answer_waiting();
    }

    fn exposed(&mut self, root: &Path, exposures: Option<Exposures>) {
        let known = self.roots.entry(root.to_path_buf()).or_default();
        let is_other = known.is_exposure_known && known.exposures != exposures;
        known.exposures = exposures;
        known.is_exposure_known = true;
        if is_other && self.can_refresh_lenses {
            self.outgoing.push(protocol::refresh_lenses());
        }
        self.answer_waiting();
    }

    fn answer_waiting(&mut self) {
        for request in std::mem::take(&mut self.waiting) {
            if self.must_wait(&request) {
                self.waiting.push(request);
            } else {
                let answer = self.answer(&request);
                self.outgoing.push(answer);
            }
        }
    }

    /// The repository of the document that a request is about.
    fn root_of(&self, request: &Request) -> Option<&Root> {
        let uri = request.params.pointer("/textDocument/uri")?.as_str()?;
        let path = self.documents.get(uri)?.path.as_ref()?;
        self.roots.get(&roots::of_document(path, &self.global)?)
    }

    /// Whether nothing is known yet of the repository that a request is about.
    fn must_wait(&self, request: &Request) -> bool {
        let Some(root) = self.root_of(request) else {
            return false;
        };
        let is_lens = request.method == "textDocument/codeLens";
        let is_unknown = root.analysis.is_none() || is_lens && !root.is_exposure_known;
        is_unknown && root.failure.is_none()
    }

    fn answer(&self, request: &Request) -> Value {
        // A bug in one answer must not end the server.
        match catch_unwind(AssertUnwindSafe(|| self.result(request))) {
            Ok(result) => protocol::answer(&request.id, &result),
            Err(_) => protocol::error(
                Some(&request.id),
                ErrorCode::InternalError,
                "this is a bug in gatewayctl",
            ),
        }
    }

    fn result(&self, request: &Request) -> Value {
        let uri = request.params.pointer("/textDocument/uri");
        let Some(uri) = uri.and_then(Value::as_str) else {
            return Value::Null;
        };
        let Some(document) = self.documents.get(uri) else {
            return Value::Null;
        };
        let path = document.path.clone().unwrap_or_else(|| PathBuf::from(uri));
        let folder = roots::of_document(&path, &self.global).unwrap_or_default();
        let root = self.roots.get(&folder).unwrap_or(&self.nowhere);
        let (catalogue, selection) = match &root.analysis {
            Some(analysis) => (&*analysis.catalogue, &analysis.selection),
            None => (&self.newest.0, &self.newest.1),
        };
        let name = path.strip_prefix(&folder).unwrap_or(&path);
        let knowledge = Knowledge {
            root,
            folder: &folder,
            name: name.to_string_lossy().replace('\\', "/"),
            is_config: analysis::is_config(&path, &folder, &self.global),
            document,
            documents: &self.documents,
            catalogue,
            selection,
            schema: &self.schema,
            global: &self.global,
        };
        answers::answer(&request.method, &request.params, &knowledge).unwrap_or_default()
    }
}
