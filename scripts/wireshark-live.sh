#!/bin/sh
# Shows the packets of an interface in Wireshark while they arrive; more arguments go to xdpdump.
set -eu

if [ $# -lt 1 ]; then
    echo "usage: $0 INTERFACE [XDPDUMP_OPTION...]" >&2
    exit 2
fi
interface=$1
shift

# Only xdpdump runs as root; Wireshark runs as the user.
xdpdump=$(command -v xdpdump || echo "$(dirname "$0")/../target/release/xdpdump")
if [ ! -x "$xdpdump" ]; then
    echo "$0: there is no xdpdump yet: run \`cargo build --release\`" >&2
    exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
    sudo=sudo
    # Ask for the password before the pipe starts.
    sudo -v
fi
$sudo "$xdpdump" -i "$interface" "$@" -w - | wireshark -k -i -
