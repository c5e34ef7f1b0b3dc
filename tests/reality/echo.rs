//! Backends that tell who they are and what they received.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::http2;
use crate::surroundings::{Backend, Certificate};

/// What a backend speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Speaks {
    /// HTTP/1.1: the answer is an object with `backend`, `method`, `path`, `headers` and `from`. A request may ask for a
    /// status (`x-echo-status`) and for a time to wait (`x-echo-wait`, in milliseconds); `x-attempts` in the answer tells
    /// how often it came (`x-echo-key`).
    Http,
    /// The same inside TLS, with a certificate of its own.
    Https,
    /// Lines: the client says one, and the backend answers with its name and ends the connection. Envoy judges a
    /// connection by a SecurityPolicy only when the client has said something.
    Line,
    /// What the first bytes of a connection are: one of the above, or HTTP/2 without TLS.
    Anything,
}

/// How often requests with a key came to a backend.
type Seen = Arc<Mutex<BTreeMap<String, u32>>>;

/// Backends that listen. They end with this value, because a network namespace lasts as long as a thread is in it.
#[derive(Debug)]
pub struct Echoes {
    addresses: Vec<SocketAddr>,
    is_over: Arc<AtomicBool>,
}

/// Starts backends in the network namespace of this thread.
pub fn start(backends: &[Backend], certificate: &Certificate) -> Echoes {
    let is_over = Arc::new(AtomicBool::new(false));
    for backend in backends.iter().cloned() {
        let listener = TcpListener::bind(backend.address).expect("a port for a backend");
        let tls = backend.tls.clone().unwrap_or_else(|| certificate.server());
        let is_over = Arc::clone(&is_over);
        let seen = Seen::default();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (backend, tls, seen) = (backend.clone(), Arc::clone(&tls), Arc::clone(&seen));
                // A connection that Envoy gives up is no failure of the test.
                std::thread::spawn(move || serve(stream, &backend, &seen, tls).unwrap_or_default());
            }
        });
    }
    Echoes {
        addresses: backends.iter().map(|it| it.address).collect(),
        is_over,
    }
}

impl Drop for Echoes {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        for address in &self.addresses {
            // Each waits for one more connection.
            let _ = TcpStream::connect(address);
        }
    }
}

fn serve(
    mut stream: TcpStream,
    backend: &Backend,
    seen: &Seen,
    tls: Arc<rustls::ServerConfig>,
) -> std::io::Result<()> {
    let from = stream.peer_addr()?;
    let name = &backend.name;
    match spoken(&stream, backend.speaks)? {
        Speaks::Line => {
            BufReader::new(&stream).read_line(&mut String::new())?;
            writeln!(stream, "{name}")
        }
        Speaks::Http => talk(stream, name, seen, from),
        Speaks::Anything => http2::talk(stream, &json!({"backend": name}).to_string()),
        Speaks::Https => {
            let connection = rustls::ServerConnection::new(tls).map_err(std::io::Error::other)?;
            let stream = rustls::StreamOwned::new(connection, stream);
            let mut stream = Buffered(BufReader::new(stream));
            match stream.0.fill_buf()?.starts_with(b"PRI") {
                true => http2::talk(stream, &json!({"backend": name}).to_string()),
                false => talk(stream, name, seen, from),
            }
        }
    }
}

/// A stream whose first bytes are looked at before they are read.
struct Buffered<S>(BufReader<S>);

impl<S: Read> Read for Buffered<S> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(bytes)
    }
}

impl<S: Read + Write> Write for Buffered<S> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.get_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.get_mut().flush()
    }
}

/// What a client speaks; `Anything` is HTTP/2.
fn spoken(stream: &TcpStream, expected: Speaks) -> std::io::Result<Speaks> {
    if expected != Speaks::Anything {
        return Ok(expected);
    }
    let mut first = [0; 3];
    // The first packet of every client has at least so many bytes.
    stream.peek(&mut first)?;
    Ok(match &first {
        // A handshake of TLS.
        [0x16, ..] => Speaks::Https,
        b"PRI" => Speaks::Anything,
        _ if first.iter().all(u8::is_ascii_uppercase) => Speaks::Http,
        _ => Speaks::Line,
    })
}

/// Answers requests until the client closes the connection.
fn talk(
    stream: impl Read + Write,
    name: &str,
    seen: &Seen,
    from: SocketAddr,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream)? {
        let headers = request.get("headers").cloned().unwrap_or_default();
        let asked = |name: &str| headers[name].as_str().unwrap_or_default().to_owned();
        let wait = asked("x-echo-wait").parse().unwrap_or_default();
        std::thread::sleep(Duration::from_millis(wait));
        let status: u16 = asked("x-echo-status").parse().unwrap_or(200);
        let attempts = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let count = seen.entry(asked("x-echo-key")).or_insert(0);
            *count += 1;
            *count
        };
        let mut body = json!({"backend": name, "from": from.ip()});
        if let Value::Object(body) = &mut body {
            body.extend(request);
        }
        let body = body.to_string();
        // A type that compressors take.
        write!(
            stream.get_mut(),
            "HTTP/1.1 {status} Echo\r\nx-attempts: {attempts}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )?;
        stream.get_mut().flush()?;
    }
    Ok(())
}

/// One request: its method, path, headers and the length of its body; `None` at the end of the connection.
fn read(stream: &mut impl std::io::BufRead) -> std::io::Result<Option<Map<String, Value>>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let mut request = Map::new();
    request.insert("method".to_owned(), json!(method));
    request.insert("path".to_owned(), json!(path));
    let mut headers = Map::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        let Some((key, value)) = line.trim().split_once(':') else {
            continue;
        };
        let key = key.to_ascii_lowercase();
        if key == "content-length" {
            length = value.trim().parse().unwrap_or(0);
        }
        headers.insert(key, json!(value.trim()));
    }
    let received = std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
    request.insert("headers".to_owned(), Value::Object(headers));
    request.insert("received".to_owned(), json!(received));
    Ok(Some(request))
}
