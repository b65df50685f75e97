package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kueue admits a Job of a queue once the queue's quota has room for its Pods.
// It sees only namespaces with a label, so it does not affect other tests.

const (
	// kueueLabel is on the namespaces whose Jobs Kueue manages.
	kueueLabel, kueueLabelValue = "kueue-managed", "true"
	kueueModule                 = "sigs.k8s.io/kueue"
)

func (l layout) buildKueue() error {
	return l.build(goBuild{
		what:     "Building Kueue (a few minutes the first time)",
		folder:   "kueue",
		target:   l.bin("kueue"),
		flags:    []string{"-ldflags", "-s -w"},
		packages: kueueModule + "/cmd/kueue",
	})
}

// kueue runs with its folder as root: it reads a certificate for metrics from a
// fixed path, even without metrics.
func (l layout) kueue() part {
	return part{
		name:    "kueue",
		ports:   []int{kueueWebhookPort, kueueHealthPort},
		root:    l.config("kueue"),
		command: []string{l.bin("kueue"), "--kubeconfig=/kubeconfig", "--config=/config.json", "--zap-log-level=error"},
		prepare: l.prepareKueue,
		healthy: func() error { return healthyAt(fmt.Sprintf("http://127.0.0.1:%d/readyz", kueueHealthPort)) },
	}
}

// prepareKueue fills Kueue's folder.
func (l layout) prepareKueue() error {
	root := l.config("kueue")
	if err := emptyFolder(root); err != nil {
		return err
	}
	if err := os.Link(l.bin("kueue"), filepath.Join(root, "kueue")); err != nil {
		return err
	}
	for _, folder := range []string{"webhook", "etc/kueue/metrics/certs"} {
		for from, to := range map[string]string{"server.crt": "tls.crt", "server.key": "tls.key"} {
			content, err := os.ReadFile(l.pki(from))
			if err != nil {
				return err
			}
			if err := writeFile(filepath.Join(root, folder, to), content, 0o600); err != nil {
				return err
			}
		}
	}
	kubeconfig, err := os.ReadFile(l.kubeconfig())
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(root, "kubeconfig"), kubeconfig, 0o600); err != nil {
		return err
	}
	configuration, err := json.Marshal(object{
		"apiVersion":                   "config.kueue.x-k8s.io/v1beta2",
		"kind":                         "Configuration",
		"health":                       object{"healthProbeBindAddress": fmt.Sprintf("127.0.0.1:%d", kueueHealthPort)},
		"metrics":                      object{"bindAddress": "0"},
		"webhook":                      object{"host": "127.0.0.1", "port": kueueWebhookPort, "certDir": "/webhook"},
		"leaderElection":               object{"leaderElect": false},
		"internalCertManagement":       object{"enable": false},
		"integrations":                 object{"frameworks": []string{"batch/job"}},
		"managedJobsNamespaceSelector": kueueNamespaces(),
		// It would serve an API of its own, at another fixed path.
		"featureGates": object{"VisibilityOnDemand": false},
	})
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(root, "config.json"), configuration, 0o644)
}

func kueueNamespaces() object {
	return object{"matchLabels": object{kueueLabel: kueueLabelValue}}
}

// bringKueue adds Kueue to the cluster, or removes it.
func (l layout) bringKueue(v version, wanted int) error {
	had := l.noted(v, "kueue")
	if wanted == same {
		wanted = had
	}
	if wanted == had && (wanted == 0 || l.running("kueue") != 0) {
		return nil
	}
	if err := l.note(v, "kueue", wanted); err != nil {
		return err
	}
	definitions, webhooks, err := l.kueueManifests()
	if err != nil {
		return err
	}
	if wanted == 0 {
		say("Removing Kueue …")
		// Kueue must run to remove the finalizers of its objects.
		_, objects := l.kubectl("delete", "--ignore-not-found", "--timeout=60s", "-f", definitions, "-f", webhooks)
		return errors.Join(objects, l.end(l.kueue()))
	}
	if _, err := l.kubectl("apply", "--server-side", "--force-conflicts", "-f", definitions); err != nil {
		return err
	}
	if _, err := l.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", definitions); err != nil {
		return err
	}
	if _, err := l.bringGroup([]part{l.kueue()}); err != nil {
		return err
	}
	_, err = l.kubectl("apply", "--server-side", "--force-conflicts", "-f", webhooks)
	return err
}

// kueueManifests returns the paths of Kueue's resource definitions and of its
// webhooks, changed for this cluster.
func (l layout) kueueManifests() (definitions, webhooks string, err error) {
	cmd := exec.Command("go", "mod", "download", "-json", kueueModule)
	cmd.Dir = filepath.Join(l.source, "kueue")
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	output, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("go mod download %s: %w: %s", kueueModule, err, lastLines(string(output), 3))
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(output, &module); err != nil {
		return "", "", err
	}
	components := filepath.Join(module.Dir, "config", "components")
	// It turns YAML into JSON.
	manifests, err := l.kubectl("create", "--dry-run=client", "-o", "json", "-f", filepath.Join(components, "webhook", "manifests.yaml"))
	if err != nil {
		return "", "", err
	}
	authority, err := l.encoded("ca.crt")
	if err != nil {
		return "", "", err
	}
	webhooks = l.config("kueue-webhooks.json")
	fitted, err := fitWebhooks(manifests, fmt.Sprintf("https://127.0.0.1:%d", kueueWebhookPort), authority)
	if err != nil {
		return "", "", err
	}
	return filepath.Join(components, "crd", "bases"), webhooks, writeFile(webhooks, fitted, 0o644)
}

// fitWebhooks keeps Kueue's webhooks for Jobs and its own objects, as JSON
// documents: reached by a URL, and only from Kueue's namespaces.
func fitWebhooks(manifests []byte, url, authority string) ([]byte, error) {
	var fitted bytes.Buffer
	for documents := json.NewDecoder(bytes.NewReader(manifests)); documents.More(); {
		var configuration struct {
			APIVersion string   `json:"apiVersion"`
			Kind       string   `json:"kind"`
			Metadata   object   `json:"metadata"`
			Webhooks   []object `json:"webhooks"`
		}
		if err := documents.Decode(&configuration); err != nil {
			return nil, err
		}
		var kept []object
		for _, webhook := range configuration.Webhooks {
			// A path is /VERB-GROUP-VERSION-KIND, with dashes for dots.
			path, _ := webhook["clientConfig"].(object)["service"].(object)["path"].(string)
			_, of, _ := strings.Cut(path, "-")
			if !strings.HasPrefix(of, "batch-v1-job") && !strings.HasPrefix(of, "kueue-x-k8s-io-") {
				continue
			}
			webhook["clientConfig"] = object{"url": url + path, "caBundle": authority}
			webhook["namespaceSelector"] = kueueNamespaces()
			kept = append(kept, webhook)
		}
		configuration.Webhooks = kept
		configuration.Metadata["name"] = "kueue-" + configuration.Metadata["name"].(string)
		if err := json.NewEncoder(&fitted).Encode(configuration); err != nil {
			return nil, err
		}
	}
	return fitted.Bytes(), nil
}

// kubectl runs kubectl as the administrator and returns what it prints.
func (l layout) kubectl(arguments ...string) ([]byte, error) {
	cmd := exec.Command(l.bin("kubectl"), append([]string{"--kubeconfig=" + l.kubeconfig()}, arguments...)...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("kubectl %s: %w: %s", strings.Join(arguments, " "), err, lastLines(problems.String(), 3))
	}
	return output, nil
}
