//! What an exposure is. Everything is owned: two tables are compared long after their objects are gone.

use std::fmt;

/// All that is exposed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The gateways, by name.
    pub gateways: Vec<Front>,
    /// Hostnames at gateways, by hostname.
    pub exposures: Vec<Exposure>,
}

impl Table {
    /// The gateway of an exposure.
    pub fn gateway(&self, name: &str) -> Option<&Front> {
        self.gateways.iter().find(|it| it.name == name)
    }

    /// Which side of the network a gateway faces.
    pub fn side(&self, name: &str) -> Side {
        self.gateway(name).map_or(Side::Unknown, |it| it.reach.side)
    }
}

/// Which side of the network a gateway faces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The Internet.
    External,
    /// The own network.
    Internal,
    /// Nothing tells.
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

/// Which side a gateway faces, and what tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// The side.
    pub side: Side,
    /// What tells, in words; empty where nothing does.
    pub why: String,
}

/// A gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// `namespace/name`.
    pub name: String,
    /// Which side it faces.
    pub reach: Reach,
    /// The addresses that it asks for, as written.
    pub addresses: Vec<String>,
    /// Where the DNS records of its routes lead, where an annotation says it.
    pub target: Option<String>,
    /// Its listeners that Envoy is told of.
    pub doors: Vec<Door>,
}

/// The namespaces that a listener takes routes from, the narrowest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Namespaces {
    /// None.
    None,
    /// Its own.
    #[default]
    Same,
    /// Those with the labels of a selector, which is here as JSON.
    Selected(String),
    /// All.
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

/// A listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Door {
    /// Its name; behind that of its ListenerSet and a slash, where it has one.
    pub name: String,
    /// Its port.
    pub port: i64,
    /// Its protocol.
    pub protocol: String,
    /// Its hostname; `None` takes all.
    pub hostname: Option<String>,
    /// The namespaces that it takes routes from.
    pub namespaces: Namespaces,
    /// The networks whose word on the client's address is trusted; `None` where nobody's is.
    pub trusted: Option<Trusted>,
    /// What holds for all routes without policies of their own.
    pub guards: Vec<Guard>,
}

/// Whose word on the client's address is trusted (`clientIPDetection` of a ClientTrafficPolicy).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The networks, as written.
    pub cidrs: Vec<String>,
    /// How many proxies before the gateway are trusted, whatever their addresses.
    pub hops: i64,
    /// The header that is believed, whoever sends it.
    pub header: Option<String>,
    /// The policy, `namespace/name`.
    pub policy: String,
}

/// What is reached: a hostname, or a port where there are no hostnames (TCP, UDP).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hostname {
    /// A hostname; `*` is all.
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

/// A route that answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The Helm release that makes it, where a chart does.
    pub release: Option<String>,
}

impl Answer {
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
    /// The gateway, `namespace/name`.
    pub gateway: String,
    /// The listeners that take it, by name.
    pub listeners: Vec<String>,
    /// The routes that answer.
    pub routes: Vec<Answer>,
    /// Whether it is certain that a route answers: what lets it in may not be at hand.
    pub is_certain: bool,
    /// Whether all that answers is a redirect.
    pub is_redirect: bool,
    /// Whether anything but a redirect is answered without TLS.
    pub is_plain: bool,
    /// Who publishes its DNS record.
    pub records: Records,
    /// What a client has to pass.
    pub guards: Vec<Guard>,
}

/// Who publishes a hostname's DNS record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The records.
    pub all: Vec<Record>,
    /// Where there is none: why.
    pub none: Option<NoRecord>,
}

/// Why no record is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRecord {
    /// No publisher is at hand.
    NotKnown,
    /// Publishers are at hand, and none of them takes the route up.
    Nobody,
    /// It has no name to publish.
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
    /// Who publishes it, `Kind namespace/name`.
    pub by: String,
    /// The DNS provider, where it is said.
    pub provider: Option<String>,
    /// Where it leads, where that is said.
    pub target: Option<String>,
    /// Whether that is certain: what is not at hand, or can't be read, may keep the publisher from it.
    pub is_certain: bool,
}

/// What a client has to pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guard {
    /// What it asks for.
    pub kind: GuardKind,
    /// The policy, `Kind namespace/name`.
    pub policy: String,
    /// Whether it stands before all that answers.
    pub is_everywhere: bool,
    /// The networks of clients that it lets in, where it goes by them.
    pub allows: Vec<String>,
}

/// What a guard asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GuardKind {
    /// A certificate of the client's (`tls.clientValidation`).
    ClientCertificate,
    /// OpenID Connect.
    Oidc,
    /// A JSON Web Token.
    Jwt,
    /// A user and a password.
    BasicAuth,
    /// A key.
    ApiKey,
    /// The word of a service outside of Envoy.
    ExternalAuth,
    /// Rules about addresses, tokens, methods.
    Authorization,
    /// A number of requests in a time.
    RateLimit,
    /// A Lua script.
    Lua,
    /// A WebAssembly module.
    Wasm,
    /// A service that sees each request.
    ExternalProcessing,
}

impl GuardKind {
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
