#!/usr/bin/env bash
# Runs a command that writes a capture in each pod of the DaemonSet, and makes one capture of all on standard output:
#   docs/fleet/all-nodes.sh xdpdump-live not port 10250 | wireshark -k -i -
#   docs/fleet/all-nodes.sh xdpdump -r /captures -w - port 53 > all.pcapng
# Interfaces that have the same name on several nodes have the node's in front of it.
set -euo pipefail

pods=$(kubectl -n xdpdump get pods -l app.kubernetes.io/name=xdpdump --field-selector status.phase=Running \
    -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{"\n"}{end}')
if [ -z "$pods" ]; then
    echo "no pod of the DaemonSet xdpdump is running" >&2
    exit 1
fi

inputs=()
while read -r pod node; do
    exec {pipe}< <(exec kubectl -n xdpdump exec -c xdpdump "$pod" -- "$@" < /dev/null)
    inputs+=(-r "$node=/dev/fd/$pipe")
done <<< "$pods"

# A node that has nothing to say is not waited for longer than a second; but what was recorded is, until all have begun.
case " $* " in
    *" -r "*) inputs+=(--reorder-window 1h) ;;
esac
exec xdpdump "${inputs[@]}" -w -
