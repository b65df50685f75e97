package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
)

// Fake nodes accept Pods and report like a kubelet, but run nothing. So
// thousands of Pods start and end in the time that a real node needs for a
// hundred. KWOK acts as their kubelets; kwok/stages.yaml has its rules.

const (
	// fakeNodeKey is an annotation by which KWOK knows its nodes and a taint
	// that keeps ordinary Pods away from them.
	fakeNodeKey   = "kwok.x-k8s.io/node"
	fakeNodeValue = "fake"
	// fakeNodeLabel is what Pods that want fake nodes select.
	fakeNodeLabel, fakeNodeLabelValue = "type", "kwok"
)

func (l layout) buildKwok() error {
	return l.build(goBuild{
		what:     "Building KWOK for the fake nodes (a few minutes the first time)",
		folder:   "kwok",
		target:   l.bin("kwok"),
		flags:    []string{"-ldflags", "-s -w"},
		packages: "sigs.k8s.io/kwok/cmd/kwok",
	})
}

func (l layout) kwok() part {
	return part{
		name:  "kwok",
		ports: []int{kwokPort},
		command: []string{
			l.bin("kwok"),
			"--kubeconfig=" + l.partKubeconfigPath("kwok"),
			"--config=" + filepath.Join(l.source, "kwok", "stages.yaml"),
			"--config=" + l.config("kwok.yaml"),
			"--manage-nodes-with-annotation-selector=" + fakeNodeKey + "=" + fakeNodeValue,
			"--node-ip=127.0.0.1",
			fmt.Sprintf("--node-port=%d", kwokPort),
			fmt.Sprintf("--server-address=127.0.0.1:%d", kwokPort),
			"--tls-cert-file=" + l.pki("server.crt"),
			"--tls-private-key-file=" + l.pki("server.key"),
			"--node-lease-duration-seconds=40",
			// Otherwise it logs every change of every Pod.
			"--v=WARN",
		},
		prepare: func() error {
			if _, err := l.partKubeconfig("kwok"); err != nil {
				return err
			}
			return l.writeKwokConfig()
		},
		healthy: func() error { return healthyAt(fmt.Sprintf("https://127.0.0.1:%d/healthz", kwokPort)) },
	}
}

// writeKwokConfig writes the settings with paths: the file that serves as the
// log of every container on a fake node.
func (l layout) writeKwokConfig() error {
	log := l.config("fake.log")
	if err := writeFile(log, []byte("2026-01-01T00:00:00Z stdout F a fake node ran this\n"), 0o644); err != nil {
		return err
	}
	configuration, err := json.Marshal(object{
		"apiVersion": "config.kwok.x-k8s.io/v1alpha1",
		"kind":       "KwokConfiguration",
		// All options, because the others would be empty without their defaults.
		"options": object{
			"podPlayStageParallelism":       16,
			"nodePlayStageParallelism":      4,
			"nodeLeaseParallelism":          4,
			"podsOnNodeSyncParallelism":     4,
			"enablePodsOnNodeSyncListPager": false,
			"enableDebuggingHandlers":       true,
		},
	})
	if err != nil {
		return err
	}
	logs, err := json.Marshal(object{
		"apiVersion": "kwok.x-k8s.io/v1alpha1",
		"kind":       "ClusterLogs",
		"metadata":   object{"name": "all"},
		"spec":       object{"logs": []object{{"logsFile": log}}},
	})
	if err != nil {
		return err
	}
	content := strings.Join([]string{string(configuration), string(logs), ""}, "\n---\n")
	return writeFile(l.config("kwok.yaml"), []byte(content), 0o644)
}

// fakeNodes returns the wanted number of fake nodes.
func (l layout) fakeNodes(v version) int { return l.noted(v, "fake-nodes") }

// bringFakeNodes adds or removes fake nodes until the cluster has this number.
func (l layout) bringFakeNodes(v version, wanted int) error {
	had := l.fakeNodes(v)
	if wanted == same {
		wanted = had
	}
	if wanted == 0 && had == 0 {
		return nil
	}
	if err := l.note(v, "fake-nodes", wanted); err != nil {
		return err
	}
	admin, err := l.admin()
	if err != nil {
		return err
	}
	for i := wanted; i < had; i++ {
		if status, err := admin.do("DELETE", "/api/v1/nodes/"+fakeNodeName(i), nil, nil); err != nil && status != http.StatusNotFound {
			return fmt.Errorf("removing a fake node: %w", err)
		}
	}
	if wanted == 0 {
		say("Ending KWOK; Pods of fake nodes are removed within a minute …")
		return l.end(l.kwok())
	}
	if _, err := l.bringGroup([]part{l.kwok()}); err != nil {
		return err
	}
	for i := range wanted {
		if err := admin.ensure("/api/v1/nodes", fakeNode(i)); err != nil {
			return fmt.Errorf("making a fake node: %w", err)
		}
	}
	return l.awaitFakeNodes(admin, wanted)
}

func fakeNodeName(i int) string { return fmt.Sprintf("fake-%d", i) }

func fakeNode(i int) object {
	return object{
		"metadata": object{
			"name":        fakeNodeName(i),
			"annotations": object{fakeNodeKey: fakeNodeValue},
			"labels": object{
				fakeNodeLabel:            fakeNodeLabelValue,
				"kubernetes.io/hostname": fakeNodeName(i),
				"kubernetes.io/os":       "linux",
			},
		},
		"spec": object{"taints": []object{
			{"key": fakeNodeKey, "value": fakeNodeValue, "effect": "NoSchedule"},
		}},
	}
}

// awaitFakeNodes waits until all fake nodes accept Pods.
func (l layout) awaitFakeNodes(admin *client, wanted int) error {
	var problem error
	if until(startLimit, func() bool {
		var nodes struct{ Items []nodeObject }
		_, problem = admin.do("GET", "/api/v1/nodes?labelSelector="+fakeNodeLabel+"%3D"+fakeNodeLabelValue, nil, &nodes)
		if problem == nil && len(nodes.Items) < wanted {
			problem = fmt.Errorf("there are %d fake nodes of %d", len(nodes.Items), wanted)
		}
		for _, node := range nodes.Items {
			if problem == nil {
				problem = node.checkTaints()
			}
		}
		return problem == nil
	}) {
		return nil
	}
	return fail("read "+l.log("kwok"), "the fake nodes aren't ready after %.0f s: %w; the last lines of KWOK's log:\n%s",
		startLimit.Seconds(), problem, tailOf(l.log("kwok"), 12))
}
