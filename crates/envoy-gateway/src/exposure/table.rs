//! The types for exposures. They own their data, because tables are compared after their objects are gone.

use std::fmt;

/// Everything that is exposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The gateways, sorted by name.
    pub gateways: Vec<ExposedGateway>,
    /// The exposures, sorted by hostname.
    pub exposures: Vec<Exposure>,
}

impl Table {
    /// The gateway with this name.
    pub fn gateway(&self, name: &str) -> Option<&ExposedGateway> {
        self.gateways.iter().find(|it| it.name == name)
    }

    /// The side of the network that a gateway faces.
    pub fn side(&self, name: &str) -> Side {
        self.gateway(name).map_or(Side::Unknown, |it| it.reach.side)
    }
}

/// A side of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The Internet.
    External,
    /// The internal network.
    Internal,
    /// The side can't be determined.
    #[default]
    Unknown,
}

impl Side {
    /// `external`, `internal`, `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::External => "external",
            Side::Internal => "internal",
            Side::Unknown => "unknown",
        }
    }
}

/// The side that a gateway faces, with the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The side.
    pub side: Side,
    /// The reason as text; empty if the side is unknown.
    pub why: String,
}

/// A gateway of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExposedGateway {
    /// `namespace/name`.
    pub name: String,
    /// The side that it faces.
    pub reach: Reach,
    /// The requested addresses, as they are written.
    pub addresses: Vec<String>,
    /// The target of the DNS records of its routes, if an annotation sets it.
    pub target: Option<String>,
    /// The listeners that are configured in Envoy.
    pub listeners: Vec<ExposedListener>,
}

/// The namespaces whose routes a listener accepts, from the narrowest to the widest.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namespaces {
    /// No namespace.
    None,
    /// The namespace of the listener.
    #[default]
    Same,
    /// Namespaces whose labels match a selector, which is given as JSON.
    Selected(String),
    /// All namespaces.
    All,
}

impl Namespaces {
    /// `none`, `same`, `selected`, `all`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Namespaces::None => "none",
            Namespaces::Same => "same",
            Namespaces::Selected(_) => "selected",
            Namespaces::All => "all",
        }
    }
}

impl fmt::Display for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Namespaces::None => f.write_str("no namespace"),
            Namespaces::Same => f.write_str("its own namespace"),
            Namespaces::Selected(_) => f.write_str("selected namespaces"),
            Namespaces::All => f.write_str("all namespaces"),
        }
    }
}

/// A listener of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExposedListener {
    /// The name of the listener, prefixed with the name of its ListenerSet and a slash if it has one.
    pub name: String,
    /// The port of the listener.
    pub port: i64,
    /// The protocol of the listener.
    pub protocol: String,
    /// The hostname; `None` matches all.
    pub hostname: Option<String>,
    /// The namespaces whose routes it accepts.
    pub namespaces: Namespaces,
    /// The sources that are trusted for the client's address; `None` if there are none.
    pub trusted: Option<Trusted>,
    /// The guards for all routes that have no policies of their own.
    pub guards: Vec<Guard>,
}

/// The sources that are trusted for the client's address (`clientIPDetection` of a ClientTrafficPolicy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The networks, as they are written.
    pub cidrs: Vec<String>,
    /// How many proxies in front of the gateway are trusted, whatever their addresses are.
    pub hops: i64,
    /// The header that is trusted, whoever sends it.
    pub header: Option<String>,
    /// The policy as `namespace/name`.
    pub policy: String,
}

/// The name of an exposure: a hostname, or a port for protocols without hostnames (TCP, UDP).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hostname {
    /// A hostname; `*` matches all.
    Name(String),
    /// A port and its protocol.
    Port(i64, String),
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hostname::Name(name) => f.write_str(name),
            Hostname::Port(port, protocol) => write!(f, "port {port} ({protocol})"),
        }
    }
}

/// A route that answers requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnsweringRoute {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The Helm release that creates the route, if a chart does.
    pub release: Option<String>,
}

impl AnsweringRoute {
    /// `namespace/name`, or the name alone.
    pub fn path(&self) -> String {
        match self.namespace.as_str() {
            "" => self.name.clone(),
            namespace => format!("{namespace}/{}", self.name),
        }
    }
}

/// A hostname at a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The hostname.
    pub hostname: Hostname,
    /// The gateway as `namespace/name`.
    pub gateway: String,
    /// The names of the listeners.
    pub listeners: Vec<String>,
    /// The routes that answer requests.
    pub routes: Vec<AnsweringRoute>,
    /// The backends that the routes lead to, each as `namespace/name:port`, with the kind in front if it is no Service.
    pub backends: Vec<String>,
    /// Whether it is certain that a route attaches. It is not if objects that decide it are missing.
    pub is_certain: bool,
    /// Whether all answers are redirects.
    pub is_redirect: bool,
    /// Whether anything but redirects is answered without TLS.
    pub is_plain: bool,
    /// The DNS records, with their publishers.
    pub records: Records,
    /// The guards that a client has to pass.
    pub guards: Vec<Guard>,
}

/// The DNS records of a hostname, with their publishers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The records.
    pub all: Vec<Record>,
    /// The reason if there are no records.
    pub none: Option<NoRecord>,
}

/// The reason why no record is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRecord {
    /// There is no publisher among the objects.
    NotKnown,
    /// There are publishers, but none of them publishes the route.
    Nobody,
    /// There is no name to publish.
    Nameless,
}

impl NoRecord {
    /// `unknown`, `nobody`, `nameless`.
    pub fn as_str(self) -> &'static str {
        match self {
            NoRecord::NotKnown => "unknown",
            NoRecord::Nobody => "nobody",
            NoRecord::Nameless => "nameless",
        }
    }
}

/// A DNS record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The publisher as `Kind namespace/name`.
    pub by: String,
    /// The DNS provider, if it is given.
    pub provider: Option<String>,
    /// The target of the record, if it is given.
    pub target: Option<String>,
    /// Whether the record is certain. It is not if settings of the publisher are missing or can't be read.
    pub is_certain: bool,
}

/// A setting of a policy that can refuse clients.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guard {
    /// What it checks.
    pub kind: GuardKind,
    /// The policy as `Kind namespace/name`.
    pub policy: String,
    /// Whether it applies to all answers.
    pub is_everywhere: bool,
    /// The client networks that it admits, if it uses networks.
    pub allows: Vec<String>,
}

/// What a guard checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardKind {
    /// A client certificate (`tls.clientValidation`).
    ClientCertificate,
    /// OpenID Connect.
    Oidc,
    /// A JSON Web Token (JWT).
    Jwt,
    /// A user name and a password.
    BasicAuth,
    /// An API key.
    ApiKey,
    /// The decision of an external service.
    ExternalAuth,
    /// Rules on addresses, tokens or methods.
    Authorization,
    /// The number of requests per time.
    RateLimit,
    /// A Lua script.
    Lua,
    /// A WebAssembly module.
    Wasm,
    /// A service that processes each request.
    ExternalProcessing,
}

impl GuardKind {
    /// All of them.
    pub const ALL: [GuardKind; 11] = [
        GuardKind::ClientCertificate,
        GuardKind::Oidc,
        GuardKind::Jwt,
        GuardKind::BasicAuth,
        GuardKind::ApiKey,
        GuardKind::ExternalAuth,
        GuardKind::Authorization,
        GuardKind::RateLimit,
        GuardKind::Lua,
        GuardKind::Wasm,
        GuardKind::ExternalProcessing,
    ];

    /// The kind with this name, in the form of [`as_str`](Self::as_str).
    pub fn parse(name: &str) -> Option<Self> {
        GuardKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// The name, for people and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            GuardKind::ClientCertificate => "client certificate",
            GuardKind::Oidc => "oidc",
            GuardKind::Jwt => "jwt",
            GuardKind::BasicAuth => "basic auth",
            GuardKind::ApiKey => "api key",
            GuardKind::ExternalAuth => "external auth",
            GuardKind::Authorization => "authorization",
            GuardKind::RateLimit => "rate limit",
            GuardKind::Lua => "lua",
            GuardKind::Wasm => "wasm",
            GuardKind::ExternalProcessing => "external processing",
        }
    }
}
