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
// target/cluster/log/PART.log. Any of them may be killed: up starts those
// that died and leaves the others alone. Containers and their logs survive
// the death of every part; a Pod ends when its own containerd-shim does.
//
// # How to use it
//
// target/cluster/kubeconfig has two contexts: admin, the current one, proves
// itself by a certificate and may do everything; narrow has a token and may
// only get, list and watch Jobs and Pods. target/cluster/bin/kubectl is the
// one of Kubernetes 1.36, or that of 1.30 if only that has been built,
// because a second build takes minutes.
//
// The image docker.io/library/static holds one program and no shell: see
// static/main.go. Pods that are to run on fake nodes select the label
// type=kwok and tolerate the taint kwok.x-k8s.io/node=fake:NoSchedule;
// kwok/stages.yaml says by which annotations they take time or fail.
//
// Data survives anything but down: each version has its own.
//
// # How it leaves nothing behind
//
// Everything is written below target/cluster. The kubelet and containerd,
// which insist on paths elsewhere and mount a lot, live in a mount namespace
// of their own (mountns.go). Containers live below one control group
// (cgroup.go) and on one bridge (network.go). Every process carries a mark in
// its environment (members.go), so down finds what is left of a cluster
// without any record of what was started.
//
// # Where to look
//
//	up.go, down.go    the two commands, as stories
//	layout.go         every path, port and version
//	part.go           how a part is started and awaited
//	controlplane.go, etcd.go, kubelet.go, containerd.go, registry.go, kwok.go,
//	kueue.go
//	                  each part's command line, configuration and health
//	build.go, debian.go, images.go
//	                  what is made before anything is started
//	certificates.go, kubeconfig.go, api.go
//	                  who may talk to whom, and how this program does
//
// To move to another version of Kubernetes, edit layout.go and the module in
// kubernetes/VERSION: its requirement of k8s.io/kubernetes and the replacement
// of each staging module, which all have the same number.
package main
