package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// object is any JSON object of the API.
type object = map[string]any

// client talks to a server of the cluster, as one of its identities.
type client struct {
	base string
	http *http.Client
}

// client returns a client for a base URL.
func (l layout) client(base, identity string) (*client, error) {
	certificate, err := tls.LoadX509KeyPair(l.pki(identity+".crt"), l.pki(identity+".key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(l.pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	return &client{base, &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig:     &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: pool},
			MaxIdleConnsPerHost: 8,
		},
	}}, nil
}

// admin returns a client of the API server with all permissions.
func (l layout) admin() (*client, error) { return l.client(apiServerURL, "admin") }

// do sends a request and reads the response into result unless it is nil.
// It returns the status, also with an error.
func (c *client) do(method, path string, body, result any) (int, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequest(method, c.base+path, content)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return response.StatusCode, err
	}
	if response.StatusCode >= 300 {
		return response.StatusCode, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, lastLines(string(answer), 3))
	}
	if result == nil {
		return response.StatusCode, nil
	}
	return response.StatusCode, json.Unmarshal(answer, result)
}

// ensure creates an object unless one with its name exists.
func (c *client) ensure(path string, content object) error {
	status, err := c.do("POST", path, content, nil)
	if status == http.StatusConflict {
		return nil
	}
	return err
}

// healthyAt returns an error unless a health path of a server returns 200.
// Self-signed certificates are accepted: nothing secret is sent.
func healthyAt(url string) error {
	response, err := (&http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			DisableKeepAlives: true,
		},
	}).Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return nil
}
