//! Asks gateways for requests of tests: by address and server name, with HTTP/1.1.
//!
//! A few lines of HTTP are enough, because only the first lines of the answer matter. Each request has a connection of its
//! own, [`AT_ONCE`] at a time, and both its time and the size of its answer are limited.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// How many requests are on the way at a time.
const AT_ONCE: usize = 4;

/// How long a request may take.
const LONGEST: Duration = Duration::from_secs(10);

/// How many bytes of an answer are read.
const MOST_BYTES: usize = 64 << 10;

/// A request to a gateway.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The address of the gateway.
    pub address: SocketAddr,
    /// The server name of TLS; `None` for plain HTTP.
    pub server_name: Option<String>,
    /// Whether the certificate of the gateway is verified.
    pub verifies: bool,
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The value of the header `Host`.
    pub host: String,
    /// The other headers.
    pub headers: Vec<(String, String)>,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A response.
    Response {
        /// The status.
        status: u16,
        /// The header `Location`.
        location: Option<String>,
    },
    /// Nothing: the connection is refused, closed, or fails; with the reason.
    Nothing(String),
}

/// Asks all, and returns the answers in the same order.
pub fn ask_all(asks: &[Ask]) -> Vec<Answer> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(vec![
        Answer::Nothing("it was not asked".to_owned());
        asks.len()
    ]);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(asks.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(asked) = asks.get(at) else {
                        return;
                    };
                    let answer = ask(asked).unwrap_or_else(Answer::Nothing);
                    if let Ok(mut answers) = answers.lock()
                        && let Some(slot) = answers.get_mut(at)
                    {
                        *slot = answer;
                    }
                }
            });
        }
    });
    answers.into_inner().unwrap_or_default()
}

fn ask(asked: &Ask) -> Result<Answer, String> {
    let until = Instant::now() + LONGEST;
    let stream = TcpStream::connect_timeout(&asked.address, LONGEST)
        .map_err(|error| format!("no connection to {}: {error}", asked.address))?;
    let stream = Limited { stream, until };
    match &asked.server_name {
        None => exchange(asked, stream),
        Some(name) => {
            let name = ServerName::try_from(name.clone())
                .map_err(|_| format!("`{name}` is not a server name"))?;
            let config =
                config(asked.verifies).map_err(|error| format!("TLS can't be used: {error}"))?;
            let connection = ClientConnection::new(Arc::new(config), name)
                .map_err(|error| format!("TLS can't be used: {error}"))?;
            exchange(asked, StreamOwned::new(connection, stream))
        }
    }
}

fn exchange(asked: &Ask, mut stream: impl Read + Write) -> Result<Answer, String> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        asked.method, asked.target, asked.host
    );
    for (name, value) in &asked.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let failed =
        |error: std::io::Error| format!("the connection to {} fails: {error}", asked.address);
    stream.write_all(head.as_bytes()).map_err(failed)?;
    stream.flush().map_err(failed)?;
    let mut read = Vec::new();
    let mut buffer = [0; 4096];
    while !has_head(&read) && read.len() < MOST_BYTES {
        match stream.read(&mut buffer).map_err(failed)? {
            0 => break,
            count => read.extend(buffer.iter().take(count)),
        }
    }
    response(&read)
        .ok_or_else(|| format!("{} closes the connection without an answer", asked.address))
}

fn has_head(read: &[u8]) -> bool {
    read.windows(4).any(|it| it == b"\r\n\r\n")
}

/// The status and the location of a response.
fn response(read: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(read);
    let mut lines = text.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?;
    let status = status.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.take_while(|line| !line.is_empty());
    let mut headers = headers.filter_map(|line| line.split_once(':'));
    let location = headers.find(|(name, _)| name.eq_ignore_ascii_case("location"));
    Some(Answer::Response {
        status,
        location: location.map(|(_, value)| value.trim().to_owned()),
    })
}

/// A connection that ends at a point in time, however slowly the other side sends.
struct Limited {
    stream: TcpStream,
    until: Instant,
}

impl Limited {
    fn left(&self) -> std::io::Result<Option<Duration>> {
        let left = self.until.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err(std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                "there is no answer in time",
            )),
            false => Ok(Some(left)),
        }
    }
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

fn config(verifies: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    Ok(match verifies {
        true => builder.with_platform_verifier()?.with_no_client_auth(),
        false => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
    })
}

/// Accepts any certificate, for tests that say `insecure = true`.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_of_an_answer_are_enough() {
        let read = |text: &str| response(text.as_bytes());
        assert_eq!(
            read(
                "HTTP/1.1 301 Moved Permanently\r\nserver: envoy\r\nLocation: https://a/\r\n\r\nlocation: no"
            ),
            Some(Answer::Response {
                status: 301,
                location: Some("https://a/".to_owned()),
            })
        );
        assert_eq!(
            read("HTTP/1.0 200\r\n\r\n"),
            Some(Answer::Response {
                status: 200,
                location: None,
            })
        );
        for text in [
            "",
            "\r\n",
            "SSH-2.0-x\r\n",
            "HTTP/1.1\r\n",
            "HTTP/1.1 x y\r\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
