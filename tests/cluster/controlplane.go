package main

import (
	"fmt"
	"net/http"
)

func (l layout) apiServer(v version) part {
	return part{
		name:  "kube-apiserver",
		ports: []int{apiServerPort},
		command: []string{
			l.bin(v.binary()), "kube-apiserver",
			"--bind-address=127.0.0.1",
			fmt.Sprintf("--secure-port=%d", apiServerPort),
			"--advertise-address=127.0.0.1",
			// A loopback address can't be an endpoint of the service that
			// leads to the API server.
			"--endpoint-reconciler-type=none",
			"--service-cluster-ip-range=10.96.0.0/16",
			fmt.Sprintf("--etcd-servers=https://127.0.0.1:%d", etcdPort),
			"--etcd-cafile=" + l.pki("ca.crt"),
			"--etcd-certfile=" + l.pki("etcd-client.crt"),
			"--etcd-keyfile=" + l.pki("etcd-client.key"),
			"--tls-cert-file=" + l.pki("server.crt"),
			"--tls-private-key-file=" + l.pki("server.key"),
			"--client-ca-file=" + l.pki("ca.crt"),
			"--token-auth-file=" + l.pki("tokens.csv"),
			// No client has this name. Without the setting, the other parts
			// print errors all the time.
			"--requestheader-client-ca-file=" + l.pki("ca.crt"),
			"--requestheader-allowed-names=aggregator",
			"--requestheader-username-headers=X-Remote-User",
			"--requestheader-group-headers=X-Remote-Group",
			"--requestheader-extra-headers-prefix=X-Remote-Extra-",
			"--authorization-mode=Node,RBAC",
			"--enable-admission-plugins=NodeRestriction",
			"--allow-privileged=true",
			"--kubelet-client-certificate=" + l.pki("kubelet-client.crt"),
			"--kubelet-client-key=" + l.pki("kubelet-client.key"),
			// Logs are read from the node's name, which is that of the loopback.
			"--kubelet-preferred-address-types=Hostname",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + l.pki("service-account.key"),
			"--service-account-signing-key-file=" + l.pki("service-account.key"),
		},
		healthy: func() error {
			admin, err := l.admin()
			if err != nil {
				return err
			}
			_, err = admin.do("GET", "/readyz", nil, nil)
			return err
		},
	}
}

// fastClients lets a part send the requests for thousands of Pods. The default
// is 20 to 50 a second, for a shared control plane.
var fastClients = []string{"--kube-api-qps=2000", "--kube-api-burst=4000"}

func (l layout) controllerManager(v version) part {
	return l.controller(v, "kube-controller-manager", controllerManagerPort,
		"--use-service-account-credentials=true",
		"--service-account-private-key-file="+l.pki("service-account.key"),
		"--root-ca-file="+l.pki("ca.crt"),
		"--cluster-signing-cert-file="+l.pki("ca.crt"),
		"--cluster-signing-key-file="+l.pki("ca.key"),
		// It would make this folder below /usr.
		"--flex-volume-plugin-dir="+l.data(v, "volume-plugins"),
	)
}

func (l layout) scheduler(v version) part {
	return l.controller(v, "kube-scheduler", schedulerPort)
}

// controller returns the common part of the controller manager and the scheduler.
func (l layout) controller(v version, name string, port int, flags ...string) part {
	kubeconfig := l.partKubeconfigPath(name)
	command := []string{
		l.bin(v.binary()), name,
		"--kubeconfig=" + kubeconfig,
		"--authentication-kubeconfig=" + kubeconfig,
		"--authorization-kubeconfig=" + kubeconfig,
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=" + l.pki("server.crt"),
		"--tls-private-key-file=" + l.pki("server.key"),
		// There is only one instance, so it needs no election.
		"--leader-elect=false",
	}
	return part{
		name:    name,
		ports:   []int{port},
		command: append(append(command, fastClients...), flags...),
		prepare: func() error {
			_, err := l.partKubeconfig(name)
			return err
		},
		healthy: func() error { return healthyAt(fmt.Sprintf("https://127.0.0.1:%d/healthz", port)) },
	}
}

// ensureNarrowUser allows the second user to read Jobs and Pods.
func (l layout) ensureNarrowUser() error {
	admin, err := l.admin()
	if err != nil {
		return err
	}
	const rbac = "/apis/rbac.authorization.k8s.io/v1/"
	const group = "rbac.authorization.k8s.io"
	read := []string{"get", "list", "watch"}
	if err := admin.ensure(rbac+"clusterroles", object{
		"metadata": object{"name": narrowUser},
		"rules": []object{
			{"apiGroups": []string{"batch"}, "resources": []string{"jobs"}, "verbs": read},
			{"apiGroups": []string{""}, "resources": []string{"pods"}, "verbs": read},
		},
	}); err != nil {
		return err
	}
	return admin.ensure(rbac+"clusterrolebindings", object{
		"metadata": object{"name": narrowUser},
		"roleRef":  object{"apiGroup": group, "kind": "ClusterRole", "name": narrowUser},
		"subjects": []object{{"apiGroup": group, "kind": "User", "name": narrowUser}},
	})
}

// checkDefaultNamespace returns what Pods in the default namespace still lack.
func (l layout) checkDefaultNamespace() error {
	admin, err := l.admin()
	if err != nil {
		return err
	}
	for _, path := range []string{"serviceaccounts/default", "configmaps/kube-root-ca.crt"} {
		if status, err := admin.do("GET", "/api/v1/namespaces/default/"+path, nil, nil); status != http.StatusOK {
			return err
		}
	}
	return nil
}
