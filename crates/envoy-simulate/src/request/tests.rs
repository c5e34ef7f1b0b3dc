use super::*;

#[test]
fn urls_are_read() {
    for (url, scheme, host, port, target) in [
        (
            "https://App.Example.com",
            Scheme::Https,
            "app.example.com",
            443,
            "/",
        ),
        (
            "http://a.example.com:8080/x?y=1#z",
            Scheme::Http,
            "a.example.com",
            8080,
            "/x?y=1",
        ),
        (
            "https://a.example.com?q",
            Scheme::Https,
            "a.example.com",
            443,
            "/?q",
        ),
        (
            "ssh://git.example.com",
            Scheme::Tcp,
            "git.example.com",
            22,
            "",
        ),
        (
            "tls://[2001:db8::1]:8443",
            Scheme::Tls,
            "2001:db8::1",
            8443,
            "",
        ),
        (
            "wss://a.example.com./ws",
            Scheme::Https,
            "a.example.com",
            443,
            "/ws",
        ),
        (
            "https://a.${DOMAIN:=example.com}/x",
            Scheme::Https,
            "a.${DOMAIN:=example.com}",
            443,
            "/x",
        ),
    ] {
        let read = Request::get(url).expect(url);
        assert_eq!(
            (read.scheme, &*read.host, read.port, &*read.target()),
            (scheme, host, port, target),
            "{url}"
        );
    }
}

#[test]
fn what_is_no_url_is_told() {
    for (url, told) in [
        (
            "app.example.com",
            "app.example.com: write a complete URL, such as https://app.example.com",
        ),
        (
            "tcp://a.example.com",
            "tcp://a.example.com: a port is needed; write tcp://a.example.com:PORT",
        ),
        ("https://a:0/", "0: a port must be a number from 1 to 65535"),
        ("https://a:+1/", "`:+1` after the host is not a port"),
        ("https://", "`` is not a host"),
        (
            "https://u@a/",
            "u@a: a URL can't have a user name here; use --header instead",
        ),
        (
            "https://a/b c",
            "https://a/b c: blanks and control characters must be percent-encoded; a blank is %20",
        ),
        ("https://[::1/", "[::1: `]` is missing"),
    ] {
        assert_eq!(Request::get(url).expect_err(url).to_string(), told);
    }
    let told = Request::get("gopher://a")
        .expect_err("a scheme")
        .to_string();
    assert!(
        told.starts_with("the scheme `gopher` is not supported; these are: http, ws"),
        "{told}"
    );
}

#[test]
fn headers_are_joined_and_host_takes_the_place_of_the_urls() {
    let mut request = Request::get("https://a.example.com/").expect("a URL");
    for line in ["X-A: 1", "x-a:2", "Host: B.example.com:8443"] {
        request.add_header(line).expect(line);
    }
    assert_eq!(request.header("x-a").as_deref(), Some("1,2"));
    assert_eq!(request.authority, "b.example.com");
    assert_eq!(request.host, "a.example.com");
    for line in ["none", "a b: c", ": x", "a: b\u{7}"] {
        assert!(request.add_header(line).is_err(), "{line}");
    }
    assert!(request.set_method("GET IT").is_err());
}
