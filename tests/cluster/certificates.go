package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"
)

// All parts and users have certificates of one authority, which each cluster
// makes for itself. So no other user of the machine has access to a server that
// runs containers as root.

// identities lists the certificates: file name, user, group.
var identities = []struct{ file, user, group string }{
	{"server", "kubernetes", ""},
	{"etcd-client", "etcd-client", ""},
	{"kubelet-client", "kube-apiserver", "system:masters"},
	{"admin", "admin", "system:masters"},
	{"kube-controller-manager", "system:kube-controller-manager", ""},
	{"kube-scheduler", "system:kube-scheduler", ""},
	{"kubelet", "system:node:" + nodeName, "system:nodes"},
	{"kwok", "kwok", "system:masters"},
}

// narrowUser may only read Jobs and Pods. It has a token and the administrator
// has a certificate, so the tests use both.
const narrowUser = "narrow"

// makeCertificates makes all keys and certificates unless they exist.
func (l layout) makeCertificates() error {
	if exists(l.in("pki")) {
		return nil
	}
	partial := layout{l.source, l.in("pki.partial")}
	if err := emptyFolder(partial.state); err != nil {
		return err
	}
	authority, err := newAuthority()
	if err != nil {
		return err
	}
	if err := partial.writePair("ca", authority.certificate.Raw, authority.key); err != nil {
		return err
	}
	for _, identity := range identities {
		certificate, key, err := authority.issue(identity.user, identity.group)
		if err != nil {
			return err
		}
		if err := partial.writePair(identity.file, certificate, key); err != nil {
			return err
		}
	}
	// The key that signs the tokens of service accounts needs no certificate.
	key, err := newKey()
	if err != nil {
		return err
	}
	if err := partial.writePair("service-account", nil, key); err != nil {
		return err
	}
	token := make([]byte, 16)
	rand.Read(token)
	line := hex.EncodeToString(token) + "," + narrowUser + "," + narrowUser + "\n"
	if err := writeFile(partial.in("tokens.csv"), []byte(line), 0o600); err != nil {
		return err
	}
	return os.Rename(partial.state, l.in("pki"))
}

// writePair writes a certificate, if there is one, and its key.
func (l layout) writePair(name string, certificate []byte, key *ecdsa.PrivateKey) error {
	if certificate != nil {
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
		if err := writeFile(l.in(name+".crt"), block, 0o644); err != nil {
			return err
		}
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	return writeFile(l.in(name+".key"), block, 0o600)
}

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func newAuthority() (*authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := newTemplate("kubectl-indexed test cluster", "")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage |= x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{certificate, key}, nil
}

// issue makes a key and a certificate for one user. It is also valid for a
// server: all servers are on the loopback address.
func (a *authority) issue(user, group string) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := newKey()
	if err != nil {
		return nil, nil, err
	}
	template := newTemplate(user, group)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	template.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	return der, key, err
}

func newTemplate(user, group string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	subject := pkix.Name{CommonName: user}
	if group != "" {
		subject.Organization = []string{group}
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		// From yesterday, because the clock of a virtual machine may go back.
		NotBefore: time.Now().Add(-24 * time.Hour),
		NotAfter:  time.Now().AddDate(10, 0, 0),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
}
