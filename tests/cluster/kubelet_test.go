package main

import (
	"encoding/json"
	"testing"
	"time"
)

func TestNodeCheck(t *testing.T) {
	started := time.Date(2026, 1, 1, 12, 0, 0, 900_000_000, time.UTC)
	for _, test := range []struct {
		name, node string
		ready      bool
	}{
		{"nothing reported", `{}`, false},
		{"ready", `{"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T12:00:00Z"}]}}`, true},
		{"ready before the restart", `{"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T11:59:59Z"}]}}`, false},
		{"not ready", `{"status":{"conditions":[{"type":"Ready","status":"False","lastHeartbeatTime":"2026-01-01T12:00:01Z"}]}}`, false},
		{"ready but tainted", `{"spec":{"taints":[{"key":"node.kubernetes.io/not-ready"}]},"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T12:00:01Z"}]}}`, false},
		{"ready with a taint of ours", `{"spec":{"taints":[{"key":"kwok.x-k8s.io/node"}]},"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-01-01T12:00:01Z"}]}}`, true},
	} {
		var node nodeObject
		if err := json.Unmarshal([]byte(test.node), &node); err != nil {
			t.Fatal(err)
		}
		if err := node.check(started); (err == nil) != test.ready {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestOldKubeletGetsNoNewField(t *testing.T) {
	const field = "failCgroupV1"
	if _, found := (layout{}).kubeletConfig(newest)[field]; !found {
		t.Errorf("%s: %s is missing", newest.minor, field)
	}
	if _, found := (layout{}).kubeletConfig(oldest)[field]; found {
		t.Errorf("%s doesn't know %s", oldest.minor, field)
	}
}
