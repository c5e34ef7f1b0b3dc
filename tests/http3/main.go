// A client for HTTP/3, for the tests in tests/reality: curl sends such requests only if it was built for it. Nothing here
// is the project's own behaviour.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// The maximum time for everything: far more than any machine needs.
const patience = 10 * time.Minute

type headers []string

func (all *headers) String() string        { return "" }
func (all *headers) Set(line string) error { *all = append(*all, line); return nil }

func main() {
	var lines headers
	flag.Var(&lines, "header", "a header of the request, as NAME: VALUE")
	authority := flag.String("cacert", "", "the file with the certificate that the client trusts")
	address := flag.String("connect-to", "", "the address that every connection goes to; the port is that of the URL")
	from := flag.String("interface", "", "the address that the connection comes from")
	flag.Parse()
	if err := ask(*authority, *from, *address, flag.Arg(0), lines); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Prints the answer as curl --include does.
func ask(authority, from, address, url string, lines headers) error {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(from)})
	if err != nil {
		return err
	}
	connections := &quic.Transport{Conn: socket}
	defer func() { _ = connections.Close() }()
	transport := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted},
		QUICConfig:      &quic.Config{HandshakeIdleTimeout: patience, MaxIdleTimeout: patience},
		Dial: func(ctx context.Context, named string, tls *tls.Config, config *quic.Config) (*quic.Conn, error) {
			_, port, err := net.SplitHostPort(named)
			if err != nil {
				return nil, err
			}
			to, err := net.ResolveUDPAddr("udp", net.JoinHostPort(address, port))
			if err != nil {
				return nil, err
			}
			return connections.Dial(ctx, to, tls, config)
		},
	}
	defer func() { _ = transport.Close() }()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		request.Header.Set(name, strings.TrimSpace(value))
	}
	// Redirects are answers like others.
	client := &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	fmt.Printf("HTTP/%d %d\r\n", response.ProtoMajor, response.StatusCode)
	for name, values := range response.Header {
		for _, value := range values {
			fmt.Printf("%s: %s\r\n", name, value)
		}
	}
	fmt.Print("\r\n")
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}
