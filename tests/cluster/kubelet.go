package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

func (l layout) kubelet(v version) part {
	return part{
		name: "kubelet",
		command: []string{
			l.bin(v.binary()), "kubelet",
			"--config=" + l.config("kubelet.json"),
			"--kubeconfig=" + l.partKubeconfigPath("kubelet"),
			"--hostname-override=" + nodeName,
		},
		// It runs mount and other programs, and uses containerd for the rest.
		node:  v,
		ports: []int{kubeletPort, kubeletHealthPort},
		prepare: func() error {
			if err := l.makeCgroup(); err != nil {
				return err
			}
			if _, err := l.partKubeconfig("kubelet"); err != nil {
				return err
			}
			content, err := json.MarshalIndent(l.kubeletConfig(v), "", "  ")
			if err != nil {
				return err
			}
			return writeFile(l.config("kubelet.json"), content, 0o644)
		},
		healthy: func() error {
			return healthyAt(fmt.Sprintf("http://127.0.0.1:%d/healthz", kubeletHealthPort))
		},
	}
}

func (l layout) kubeletConfig(v version) object {
	config := object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",

		"address":            "127.0.0.1",
		"port":               kubeletPort,
		"healthzBindAddress": "127.0.0.1",
		"healthzPort":        kubeletHealthPort,
		"readOnlyPort":       0,
		"tlsCertFile":        l.pki("server.crt"),
		"tlsPrivateKeyFile":  l.pki("server.key"),
		"authentication": object{
			"anonymous": object{"enabled": false},
			"webhook":   object{"enabled": true},
			"x509":      object{"clientCAFile": l.pki("ca.crt")},
		},
		"authorization": object{"mode": "Webhook"},

		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		"cgroupDriver":             "cgroupfs",
		"cgroupRoot":               "/" + l.cgroup(),
		"failSwapOn":               false,
		"makeIPTablesUtilChains":   false,
		"oomScoreAdj":              0,
		"volumePluginDir":          l.data(v, "volume-plugins"),

		// No DNS server runs there, but without it every Pod gets a warning.
		"clusterDNS":    []string{"10.96.0.10"},
		"clusterDomain": "cluster.local",
		"resolvConf":    "",

		"maxPods":             250,
		"serializeImagePulls": false,
		"registryPullQPS":     0,
		// 0 means the client's default of 5 each second, not "no limit" as in
		// the documentation: events would come minutes late or never.
		"eventRecordQPS": 500,
		"eventBurst":     1000,
		"kubeAPIQPS":     500,
		"kubeAPIBurst":   1000,

		// A disk or memory that is nearly full is no reason to end Pods here.
		"imageGCHighThresholdPercent": 100,
		"evictionHard": object{
			"memory.available":   "1Mi",
			"nodefs.available":   "0.1%",
			"nodefs.inodesFree":  "0.1%",
			"imagefs.available":  "0.1%",
			"imagefs.inodesFree": "0.1%",
		},
	}
	if v != oldest {
		// Version 1 of control groups is refused otherwise; the field came
		// in 1.31.
		config["failCgroupV1"] = false
	}
	return config
}

// checkNode returns why the node can't take Pods yet. Reports from before since
// do not count: they may be older than a restart.
func (l layout) checkNode(since time.Time) error {
	admin, err := l.admin()
	if err != nil {
		return err
	}
	var node nodeObject
	if _, err := admin.do("GET", "/api/v1/nodes/"+nodeName, nil, &node); err != nil {
		return err
	}
	return node.check(since)
}

// checkNodeKnowsPods returns why the node can't return the logs of its Pods yet
// after a restart of the kubelet or containerd: the kubelet must reach
// containerd, and know every Pod of the node.
func (l layout) checkNodeKnowsPods() error {
	admin, err := l.admin()
	if err != nil {
		return err
	}
	kubelet, err := l.client(fmt.Sprintf("https://127.0.0.1:%d", kubeletPort), "kubelet-client")
	if err != nil {
		return err
	}
	if _, err := kubelet.do("GET", "/runningpods/", nil, nil); err != nil {
		return err
	}
	var known, all podList
	if _, err := kubelet.do("GET", "/pods", nil, &known); err != nil {
		return err
	}
	if _, err := admin.do("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3D"+nodeName, nil, &all); err != nil {
		return err
	}
	uids := map[string]bool{}
	for _, pod := range known.Items {
		uids[pod.Metadata.UID] = true
	}
	for _, pod := range all.Items {
		if !uids[pod.Metadata.UID] {
			return fmt.Errorf("the kubelet doesn't know the Pod %s yet", pod.Metadata.Name)
		}
	}
	return nil
}

// podList has the needed fields of a list of Pods.
type podList struct {
	Items []struct {
		Metadata struct{ Name, UID string }
	}
}

// nodeObject has the needed fields of a Node.
type nodeObject struct {
	Metadata struct{ Name string }
	Spec     struct {
		Taints []struct{ Key string }
	}
	Status struct {
		Conditions []struct {
			Type, Status, Message string
			LastHeartbeatTime     time.Time
		}
	}
}

// checkTaints returns an error while a taint of Kubernetes keeps Pods from the
// node: until the node has reported that it is ready, and a moment longer.
func (n nodeObject) checkTaints() error {
	for _, taint := range n.Spec.Taints {
		if strings.HasPrefix(taint.Key, "node.kubernetes.io/") {
			return fmt.Errorf("the node %s is tainted %s", n.Metadata.Name, taint.Key)
		}
	}
	return nil
}

// check returns why the node can't take Pods. Only reports after since count.
func (n nodeObject) check(since time.Time) error {
	if err := n.checkTaints(); err != nil {
		return err
	}
	for _, condition := range n.Status.Conditions {
		if condition.Type != "Ready" {
			continue
		}
		switch {
		case condition.Status != "True":
			return fmt.Errorf("the node isn't ready: %s", condition.Message)
		// Times in the API have whole seconds.
		case condition.LastHeartbeatTime.Before(since.Truncate(time.Second)):
			return fmt.Errorf("the node hasn't reported yet")
		}
		return nil
	}
	return fmt.Errorf("the node hasn't reported its state yet")
}

// partStarted returns the time of a part's pid file, or the zero time.
func (l layout) partStarted(name string) time.Time {
	info, err := os.Stat(l.pid(name))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
