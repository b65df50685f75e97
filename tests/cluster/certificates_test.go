package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"testing"
)

func TestCertificatesHaveOneAuthorityAndStay(t *testing.T) {
	l := layout{state: t.TempDir()}
	if err := l.makeCertificates(); err != nil {
		t.Fatal(err)
	}
	load := func(name string) *x509.Certificate {
		content, err := os.ReadFile(l.pki(name + ".crt"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(content)
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	pool := x509.NewCertPool()
	pool.AddCert(load("ca"))
	for _, identity := range identities {
		certificate := load(identity.file)
		if _, err := certificate.Verify(x509.VerifyOptions{
			Roots: pool, DNSName: "127.0.0.1", KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}); err != nil {
			t.Errorf("%s: %v", identity.file, err)
		}
		if certificate.Subject.CommonName != identity.user {
			t.Errorf("%s is of %s", identity.file, certificate.Subject.CommonName)
		}
	}
	before := load("admin")
	if err := l.makeCertificates(); err != nil {
		t.Fatal(err)
	}
	if !before.Equal(load("admin")) {
		t.Error("a second call made new ones")
	}
}

func TestKubeconfigHasTwoUsers(t *testing.T) {
	l := layout{state: t.TempDir()}
	if err := l.makeCertificates(); err != nil {
		t.Fatal(err)
	}
	if err := l.writeKubeconfig(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(l.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		CurrentContext string `json:"current-context"`
		Users          []struct {
			Name string
			User map[string]string
		}
	}
	if err := json.Unmarshal(content, &config); err != nil {
		t.Fatal(err)
	}
	if config.CurrentContext != "admin" || len(config.Users) != 2 {
		t.Fatalf("got %s", content)
	}
	if narrow := config.Users[1]; narrow.Name != narrowUser || len(narrow.User["token"]) != 32 {
		t.Errorf("the narrow user is %v", narrow)
	}
	if info, _ := os.Stat(l.kubeconfig()); info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", info.Mode())
	}
}
