#!/bin/sh
# The second program in the virtual machine: runs the tests, with the host's files as the root file system, and switches the
# machine off. Results go to the second serial port; everything else, like the kernel's messages, goes to the first.

# Defines the function `tests`, `modules` (the folder of the kernel's modules) and `slowness` (how many times slower than
# usual this machine is).
. /run/vm/tests.sh

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TMPDIR=/run/tmp LC_ALL=C.UTF-8

stty -F /dev/ttyS1 raw -echo
exec 3>/dev/ttyS1 </dev/null

must() {
    "$@" && return
    echo "vm: failed: $*" >&3
    exec /run/vm/busybox poweroff -f
}

must mount -t proc proc /proc
must mount -t sysfs sys /sys
mount -t bpf bpf /sys/fs/bpf
mount -t debugfs debug /sys/kernel/debug
mount -t tracefs trace /sys/kernel/tracing
mount -t cgroup2 cgroup /sys/fs/cgroup
# Not /tmp, because the source tree may be there.
must mkdir "$TMPDIR"
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=666 pts /dev/pts
mount -t tmpfs shm /dev/shm
ip link set lo up
# udev would create this device; opening it loads the module.
mkdir -p /dev/net
mknod /dev/net/tun c 10 200

# Show the kernel's own modules in the folder where modprobe and the kernel look for them.
release=$(uname -r)
must mkdir -p "/lib/modules/$release"
must mount --bind "$modules/$release" "/lib/modules/$release"

# udev would also load the module of the loop devices that `mount -o loop` needs.
modprobe loop

# Debian's kernels default to 3; then, before 6.1, only cap_sys_admin allows a process to use perf.
echo 2 >/proc/sys/kernel/perf_event_paranoid

run() { # target, folder of its package, test binary, its arguments
    target=$1
    must cd "$2"
    shift 2
    echo "vm: begin $target" >&3
    CARGO_MANIFEST_DIR=$PWD RUST_TEST_THREADS=1 XDPDUMP_VM=1 XDPDUMP_TEST_SLOW=$slowness \
        XDPDUMP_VM_CAPABILITIES=/run/vm/capabilities "$@" --color=never >&3 2>&3
    echo "vm: end $target $?" >&3
}

echo "vm: kernel $release" >&3
tests
if [ -e /run/vm/capabilities ]; then
    sed 's/^/vm: can /' /run/vm/capabilities >&3
fi
echo "vm: done" >&3
# Wait until everything has been sent: output that is still buffered is lost when the machine is switched off.
stty -F /dev/ttyS1 >/dev/null
sleep 1
exec /run/vm/busybox poweroff -f
