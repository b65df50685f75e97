# The common part of up and down, which source it: checks the requirements, then
# builds and runs the program in this folder. Needs $folder, its folder, and $verb.

refuse() {
    echo "error: $1" >&2
    echo "hint: examples/quickstart --context NAME uses a cluster of yours" >&2
    exit 1
}

for argument; do
    case $argument in
    -h | --help)
        # The comment at the top of the entry is its help.
        sed -n '3,/^$/s/^# \{0,1\}//p' "$folder/$verb"
        exit 0
        ;;
    esac
done

[ "$(uname -s)" = Linux ] ||
    refuse "the test cluster needs Linux, because it runs containers; this is $(uname -s)."
[ "$(id -u)" = 0 ] ||
    refuse "the test cluster needs root, because it runs containers; you are user $(id -un) ($(id -u))."

repository=$(cd "$folder/../.." && pwd -P) || exit 1
state=${KUBECTL_INDEXED_CLUSTER:-$repository/target/cluster}
case $state in
/*) ;;
*) state=$PWD/$state ;;
esac
program=$state/bin/cluster

if command -v go >/dev/null 2>&1; then
    mkdir -p "$state/bin" || exit 1
    (cd "$folder" && CGO_ENABLED=0 GOFLAGS= GOWORK=off go build -trimpath -buildvcs=false -o "$program" .) ||
        refuse "the test cluster's own program doesn't build; Go must be 1.21 or newer, and this is $(go version)."
elif [ "$verb" != down ] || [ ! -x "$program" ]; then
    refuse "the test cluster needs Go to build Kubernetes, and there is no go in PATH."
fi

exec "$program" "$folder" "$state" "$verb" "$@"
