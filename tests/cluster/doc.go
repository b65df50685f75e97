// Command cluster starts a real Kubernetes on one Linux machine for the tests
// of kubectl-indexed, from Go modules and Debian packages alone: no Docker, no
// registry of images, nothing installed. It is started by the two entries
// beside it, up and down; their --help says how.
//
// # What runs
//
// One node with containerd and runc, and a control plane of the same version
// as the kubelet: Kubernetes 1.36, or 1.30 to test against an old server. All
// of it listens on 127.0.0.1. The parts are
//
//	etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet
//	            one binary, built from kubernetes/VERSION
//	containerd  from a Debian package, unpacked and not installed
//	registry    this program: the images busybox, bash, python, static and pause,
//	            and "not found" for any other image of any registry
//	kwok        only with --fake-nodes: it pretends to be the kubelets of
//	            nodes whose Pods run nothing
//	kueue       only with --kueue: it admits the Jobs of queues
//
// Each has its pid in target/cluster/run/PART.pid and its log in
// target/cluster/log/PART.log. Any of them may be killed: up starts only those
// that died. Containers and their logs survive
// the death of every part; a Pod ends when its own containerd-shim does.
//
// # How to use it
//
// target/cluster/kubeconfig has two contexts: admin, the current one, has a
// certificate and all permissions; narrow has a token and may only get, list and
// watch Jobs and Pods. target/cluster/bin/kubectl is that of Kubernetes 1.36, or
// of 1.30 if only this version was built, because a second build takes minutes.
//
// The image docker.io/library/static holds one program and no shell: see
// static/main.go. Pods for fake nodes select the label type=kwok and tolerate
// the taint kwok.x-k8s.io/node=fake:NoSchedule; annotations in kwok/stages.yaml
// make them slow or fail.
//
// Each version has its own data, which only down deletes.
//
// # How it leaves nothing behind
//
// All files are below target/cluster. The kubelet and containerd need fixed
// paths elsewhere and many mounts, so they run in their own mount namespace
// (mountns.go). Containers are below one control group (cgroup.go) and on one
// bridge (network.go). Every process has a mark in its environment (members.go),
// so down finds the rest of a cluster without a record.
//
// # Where to look
//
//	up.go, down.go    the two commands
//	layout.go         every path, port and version
//	part.go           how a part is started and awaited
//	controlplane.go, etcd.go, kubelet.go, containerd.go, registry.go, kwok.go,
//	kueue.go
//	                  each part's command line, configuration and health
//	build.go, debian.go, images.go
//	                  preparations before any part starts
//	certificates.go, kubeconfig.go, api.go
//	                  identities, and requests of this program
//
// To move to another version of Kubernetes, edit layout.go and the module in
// kubernetes/VERSION: its requirement of k8s.io/kubernetes and the replacement
// of each staging module, which all have the same number.
package main
