#!/bin/sh
# Creates a pair of network namespaces joined by a veth pair, to try xdpdump on your own traffic.
#
#     xdpdump-a  veth0  10.0.0.1/24  fd00::1/64
#     xdpdump-b  veth0  10.0.0.2/24  fd00::2/64
set -eu

usage() {
    echo "usage: $0 up|down" >&2
    exit 2
}

up() {
    ip netns add xdpdump-a
    ip netns add xdpdump-b
    ip link add veth0 netns xdpdump-a type veth peer name veth0 netns xdpdump-b
    address xdpdump-a 1
    address xdpdump-b 2
    cat <<TRY
In one terminal:
    sudo ip netns exec xdpdump-a target/release/xdpdump -i veth0
In another:
    sudo ip netns exec xdpdump-b ping 10.0.0.1
    sudo ip netns exec xdpdump-b ping fd00::1
At the end:
    sudo $0 down
TRY
}

# address NAMESPACE NUMBER: gives the namespace's veth0 its addresses and brings it up.
address() {
    ip -n "$1" address add "10.0.0.$2/24" dev veth0
    # nodad: the address is usable at once; nobody else can have it.
    ip -n "$1" address add "fd00::$2/64" dev veth0 nodad
    ip -n "$1" link set lo up
    ip -n "$1" link set veth0 up
}

# Deleting a namespace deletes its end of the veth pair, and with it the other end.
down() {
    for namespace in xdpdump-a xdpdump-b; do
        if [ -e "/run/netns/$namespace" ]; then
            ip netns delete "$namespace"
        fi
    done
}

[ $# -eq 1 ] || usage
if [ "$(id -u)" -ne 0 ]; then
    echo "$0: network namespaces need root: run \`sudo $0 $1\`" >&2
    exit 1
fi
case $1 in
    up)
        if [ -e /run/netns/xdpdump-a ] || [ -e /run/netns/xdpdump-b ]; then
            echo "$0: the namespaces exist already: use them, or run \`sudo $0 down\` first" >&2
            exit 1
        fi
        # Remove a pair that was created only in part.
        trap down EXIT
        up
        trap - EXIT
        ;;
    down) down ;;
    *) usage ;;
esac
