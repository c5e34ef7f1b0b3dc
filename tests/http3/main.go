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
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

func main() {
	authority := flag.String("cacert", "", "the file with the certificate that the client trusts")
	address := flag.String("connect-to", "", "the address that every connection goes to; the port is that of the URL")
	patience := flag.Duration("max-time", time.Minute, "the maximum time for everything")
	flag.Parse()
	if err := ask(*authority, *address, flag.Arg(0), *patience); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Prints the answer as curl --include does.
func ask(authority, address, url string, patience time.Duration) error {
	pem, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	transport := &http3.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusted},
		Dial: func(ctx context.Context, named string, tls *tls.Config, config *quic.Config) (*quic.Conn, error) {
			_, port, err := net.SplitHostPort(named)
			if err != nil {
				return nil, err
			}
			return quic.DialAddr(ctx, net.JoinHostPort(address, port), tls, config)
		},
	}
	defer func() { _ = transport.Close() }()
	// Redirects are answers like others.
	client := &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	response, err := client.Get(url)
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
