//! Checks `metadata` as the API server does on creation (apimachinery's `api/validation`, Kubernetes 1.37): names,
//! labels, annotations, owners, finalizers, and the types of all fields.
//!
//! A namespaced object without a namespace is accepted, because Flux and kubectl fill it in. Values with a Flux
//! variable are not known yet, and are accepted too.

mod owners;
mod typed;

use crate::builtin::forms::{Form, LABEL, SEGMENT};
use crate::codes;
use crate::passes::Request;
use crate::schema::KindSchema;
use crate::schema::compiled::Scope;
use k8s_syntax::names;
use manifest::Object;
use manifest::diagnostic::{Code, Diagnostic, Severity};
use manifest::value::{Kind, Map, Node, Pointer, variable};
use manifest::{finding, finding_on_key};

/// The maximum size of all annotations of an object, in bytes of keys and values.
const MOST_ANNOTATIONS: usize = 256 << 10;

/// How many characters of a value a finding shows.
const LONGEST_SHOWN: usize = 60;

const SUBDOMAIN: Form = Form {
    holds: names::is_dns_subdomain,
    want: "lower-case letters, digits, `-` and `.`, a letter or digit at both ends, at most 253 characters",
};

/// A CronJob's name must be shorter, because the names of its Jobs are eleven characters longer. It is compared by its address.
static CRON_JOB: Form = Form {
    holds: |text| names::is_dns_subdomain(text) && text.len() <= 52,
    want: "lower-case letters, digits, `-` and `.`, a letter or digit at both ends, at most 52 characters",
};

/// A Job's name becomes a label of its pods.
static JOB: Form = Form {
    holds: |text| names::is_dns_subdomain(text) && text.len() <= 63,
    want: "lower-case letters, digits, `-` and `.`, a letter or digit at both ends, at most 63 characters",
};

const KEY: Form = Form {
    holds: names::is_qualified_name,
    want: "`name` or `prefix.example.com/name`: letters, digits, `-`, `_` and `.` in the name, at most 63 characters",
};

const LABEL_VALUE: Form = Form {
    holds: names::is_label_value,
    want: "at most 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends; other text belongs in an annotation",
};

/// A placeholder for the name of a Namespace, which kustomize's `namespace:` replaces.
const FILLED_IN: &str = "_";

/// The kinds whose names have another format than a DNS subdomain: those that become part of a DNS name or a label,
/// and those that only have to fit into an API path (`pkg/apis/*/validation`, Kubernetes 1.37).
static FORMS: &[(&str, &str, &Form)] = &[
    ("", "Event", &SEGMENT),
    ("", "Namespace", &LABEL),
    ("", "Service", &LABEL),
    ("apiregistration.k8s.io", "APIService", &SEGMENT),
    ("apps", "StatefulSet", &LABEL),
    ("batch", "CronJob", &CRON_JOB),
    ("batch", "Job", &JOB),
    ("certificates.k8s.io", "CertificateSigningRequest", &SEGMENT),
    ("certificates.k8s.io", "ClusterTrustBundle", &SEGMENT),
    ("networking.k8s.io", "IPAddress", &SEGMENT),
    ("policy", "PodDisruptionBudget", &SEGMENT),
    ("rbac.authorization.k8s.io", "ClusterRole", &SEGMENT),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", &SEGMENT),
    ("rbac.authorization.k8s.io", "Role", &SEGMENT),
    ("rbac.authorization.k8s.io", "RoleBinding", &SEGMENT),
];

/// The kinds of Kubernetes whose versions the API server counts, whatever is given.
const COUNTED: &[&str] = &[
    "CronJob",
    "DaemonSet",
    "Deployment",
    "EndpointSlice",
    "HorizontalPodAutoscaler",
    "Ingress",
    "IngressClass",
    "Job",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "NetworkPolicy",
    "Pod",
    "PodDisruptionBudget",
    "PodTemplate",
    "PriorityClass",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// How many characters of `generateName` the API server uses.
const LONGEST_PREFIX: usize = 58;

/// The format of the beginning of a name. A CronJob's may be as long as that of other kinds.
fn form_of_prefix(form: &'static Form) -> &'static Form {
    match std::ptr::eq(form, &CRON_JOB) {
        true => &SUBDOMAIN,
        false => form,
    }
}

/// The beginning of a name in the form that is checked: a hyphen at its end is allowed (`maskTrailingDash`).
fn masked(prefix: &str) -> String {
    match prefix.strip_suffix('-').filter(|rest| !rest.is_empty()) {
        Some(rest) => {
            // Go removes a byte. If it is a part of a character, the rest of that is not allowed either.
            let mut chars = rest.chars();
            if chars.as_str().ends_with(|c: char| c.is_ascii()) {
                chars.next_back();
            }
            format!("{}a", chars.as_str())
        }
        None => prefix.to_owned(),
    }
}

/// The format of a kind's names.
fn form_of(object: &Object) -> &'static Form {
    let is_of = |group: &str, kind: &str| object.group() == group && object.kind() == kind;
    let mut forms = FORMS.iter();
    let form = forms.find(|(group, kind, _)| is_of(group, kind));
    form.map_or(&SUBDOMAIN, |(.., form)| form)
}

/// Finds everything that is wrong with an object's metadata, except for the types of labels and annotations, which
/// the structure pass checks. kustomize's own files are skipped, because they never reach the API server.
pub(crate) fn check(object: &Object, schema: &KindSchema<'_>, request: Request) -> Vec<Diagnostic> {
    let mut walk = MetadataWalk {
        object,
        request,
        found: Vec::new(),
    };
    if object.group() != "kustomize.config.k8s.io" {
        walk.metadata(schema.compiled.header().scope);
    }
    walk.found
}

/// Finds what is wrong with the metadata of an object inside another one (`x-kubernetes-embedded-resource`), which
/// needs no name.
pub(crate) fn check_embedded(object: &Object, metadata: &Node, root: &Pointer) -> Vec<Diagnostic> {
    let mut walk = MetadataWalk {
        object,
        request: Request::Create,
        found: Vec::new(),
    };
    match &metadata.kind {
        Kind::Map(map) => {
            walk.typed(map, root, typed::METADATA);
            let name = walk.text(map, "name").unwrap_or_default();
            if !name.is_empty() && !(SEGMENT.holds)(name) {
                walk.form("name", name, root, &SEGMENT);
            }
            walk.namespace(map, root, Scope::Namespaced);
            walk.texts(map, root, "labels");
            walk.texts(map, root, "annotations");
            walk.parts(map, root);
        }
        Kind::Null => {}
        _ => walk.wrong_type(root, "a map"),
    }
    walk.found
}

struct MetadataWalk<'a> {
    object: &'a Object,
    request: Request,
    found: Vec<Diagnostic>,
}

impl MetadataWalk<'_> {
    fn metadata(&mut self, scope: Scope) {
        let root = Pointer::root().key("metadata");
        let object = self.object;
        let empty = Map::default();
        let map = match object.node.get("metadata").map(|node| &node.kind) {
            Some(Kind::Map(map)) => map,
            None | Some(Kind::Null) => &empty,
            // The structure pass reports this.
            Some(_) => return,
        };
        self.typed(map, &root, typed::METADATA);
        self.name(map, &root);
        self.namespace(map, &root, scope);
        self.resource_version(map, &root);
        self.generation(map, &root);
        self.parts(map, &root);
    }

    /// The version that an applied object expects is a number.
    fn resource_version(&mut self, map: &Map, root: &Pointer) {
        let version = self.text(map, "resourceVersion").unwrap_or_default();
        let is_number = version.parse::<u64>().is_ok();
        if self.request == Request::Apply && !version.is_empty() && !is_number {
            let pointer = root.key("resourceVersion");
            let message = format!("`{}` can't be {}", pointer.dotted(), shown(version));
            self.report(&pointer, message, "remove it; the API server writes it");
        }
    }

    /// The server counts the versions of some of its kinds itself, and takes the number of others as it is.
    fn generation(&mut self, map: &Map, root: &Pointer) {
        let number = map.get("generation").map(|node| &node.kind);
        let is_negative =
            matches!(number, Some(Kind::Number(it)) if it.as_i64().is_some_and(|it| it < 0));
        let group = self.object.group();
        let is_counted = !names::is_builtin_group(group) || COUNTED.contains(&self.object.kind());
        if is_negative && !is_counted {
            let pointer = root.key("generation");
            let message = format!("`{}` can't be negative", pointer.dotted());
            self.report(&pointer, message, "remove it; the API server writes it");
        }
    }

    /// Checks what metadata has besides names.
    fn parts(&mut self, map: &Map, root: &Pointer) {
        self.labels(map, root);
        self.annotations(map, root);
        self.owners(map, root);
        self.finalizers(map, root);
        self.managed_fields(map, root);
    }

    fn report(&mut self, pointer: &Pointer, message: String, help: impl Into<String>) {
        self.report_as(codes::SCHEMA_METADATA, pointer, message, help);
    }

    fn report_as(
        &mut self,
        code: Code,
        pointer: &Pointer,
        message: String,
        help: impl Into<String>,
    ) {
        let found = finding(code, self.object, pointer, message)
            .why("the API server refuses the object")
            .help(help);
        self.found.push(found);
    }

    /// The string in a field, if it is a string and known.
    fn text<'n>(&mut self, map: &'n Map, key: &str) -> Option<&'n str> {
        let text = map.get(key).and_then(Node::as_str);
        text.filter(|text| !variable::in_text(text))
    }

    fn name(&mut self, map: &Map, root: &Pointer) {
        let form = form_of(self.object);
        let is_empty = |key: &str| match map.get(key).map(|node| &node.kind) {
            Some(Kind::String(text)) => text.is_empty(),
            None | Some(Kind::Null) => true,
            Some(_) => false,
        };
        let needs_name = self.request == Request::Apply || is_empty("generateName");
        if is_empty("name") && needs_name {
            let pointer = root.key("name");
            let message = "`metadata.name` is missing".to_owned();
            let help = match is_empty("generateName") {
                true => "add `name:`, a string",
                false => {
                    "add `name:`; an object that is applied needs it, even if it has `generateName`"
                }
            };
            self.report_as(codes::SCHEMA_REQUIRED, &pointer, message, help);
        }
        let object = self.object;
        let is_filled_in = |name: &str| name == FILLED_IN && object.kind() == "Namespace";
        if let Some(name) = self.text(map, "name")
            && !name.is_empty()
            && !(form.holds)(name)
            && !is_filled_in(name)
        {
            self.form("name", name, root, form);
        }
        if let Some(prefix) = self
            .text(map, "generateName")
            .filter(|text| !text.is_empty())
        {
            let whole = form;
            let form = form_of_prefix(form);
            let has_separator = prefix.contains(['/', '%']);
            if has_separator || !(form.holds)(&masked(prefix)) {
                self.form("generateName", prefix, root, form);
            }
            // The API server appends five letters and digits, and checks the result, too.
            let start = prefix
                .char_indices()
                .nth(LONGEST_PREFIX)
                .map_or(prefix.len(), |(at, _)| at);
            let made = format!("{}xxxxx", prefix.get(..start).unwrap_or_default());
            if is_empty("name") && !needs_name && !(whole.holds)(&made) {
                self.form("name", &made, root, whole);
            }
        }
    }

    fn form(&mut self, key: &str, text: &str, root: &Pointer, form: &Form) {
        let pointer = root.key(key);
        let message = format!("`{}` can't be {}", pointer.dotted(), shown(text));
        self.report(&pointer, message, format!("write {}", form.want));
    }

    fn namespace(&mut self, map: &Map, root: &Pointer, scope: Scope) {
        let Some(namespace) = self.text(map, "namespace").filter(|it| !it.is_empty()) else {
            return;
        };
        if scope == Scope::Cluster {
            let pointer = root.key("namespace");
            let kind = self.object.kind();
            let message = format!("{kind} is cluster-scoped, but `metadata.namespace` is set");
            // apiserver's `EnsureObjectNamespaceMatchesRequestNamespace` clears the namespace and doesn't refuse the
            // object.
            let found = finding(codes::SCHEMA_METADATA, self.object, &pointer, message)
                .severity(Severity::Warning)
                .why("the API server drops the namespace, so the object is not in it")
                .help("remove `namespace`");
            self.found.push(found);
        } else if !names::is_dns_label(namespace) {
            self.form("namespace", namespace, root, &LABEL);
        }
    }

    fn labels(&mut self, map: &Map, root: &Pointer) {
        let root = root.key("labels");
        let labels = map.get("labels").and_then(Node::as_map);
        for (key, value) in labels.into_iter().flat_map(Map::iter) {
            self.key(key, key, &root);
            let text = value.as_str().filter(|text| !variable::in_text(text));
            if let Some(text) = text.filter(|text| !names::is_label_value(text)) {
                let pointer = root.key(key);
                let message = format!("the label `{key}` can't be {}", shown(text));
                self.report(&pointer, message, format!("write {}", LABEL_VALUE.want));
            }
        }
    }

    /// Checks a key of labels or annotations. `checked` is the key in the form that is checked.
    fn key(&mut self, key: &str, checked: &str, root: &Pointer) {
        if variable::in_text(key) || (KEY.holds)(checked) {
            return;
        }
        let pointer = root.key(key);
        let message = format!("`{}` can't have the key {}", root.dotted(), shown(key));
        let found = finding_on_key(codes::SCHEMA_METADATA, self.object, &pointer, message)
            .why("the API server refuses the object")
            .help(format!("write {}", KEY.want));
        self.found.push(found);
    }

    fn annotations(&mut self, map: &Map, root: &Pointer) {
        let root = root.key("annotations");
        let annotations = map.get("annotations").and_then(Node::as_map);
        let mut size = 0;
        for (key, value) in annotations.into_iter().flat_map(Map::iter) {
            // Annotation keys are not case-sensitive.
            self.key(key, &key.to_lowercase(), &root);
            size += key.len() + value.as_str().map_or(0, str::len);
        }
        if size > MOST_ANNOTATIONS {
            let message = format!("`{}` has {size} bytes", root.dotted());
            let help = format!(
                "keys and values together must stay below {MOST_ANNOTATIONS}; put large text into a ConfigMap"
            );
            self.report(&root, message, help);
        }
    }
}

fn shown(text: &str) -> String {
    let text = format!("{text:?}");
    match text.char_indices().nth(LONGEST_SHOWN) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
