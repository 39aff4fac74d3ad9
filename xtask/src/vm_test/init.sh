#!/busybox sh
# First program in the virtual machine: makes the host's files the root, under a layer in memory for what is written.

fail() {
    /busybox echo "vm: $1"
    /busybox echo "vm: $1" >/dev/ttyS1
    /busybox poweroff -f
}

/busybox mount -t proc proc /proc
/busybox mount -t devtmpfs dev /dev
/busybox sh /modules/load || fail "a module for the host's files does not load"

options=trans=virtio,version=9p2000.L,msize=524288,ro
/busybox mount -t 9p -o "$options,cache=loose" host /host || fail "the host's files cannot be mounted"
/busybox mount -t tmpfs -o size=50% memory /memory || fail "no memory for what is written"
/busybox mkdir /memory/upper /memory/work
/busybox mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work root /tree ||
    fail "the layer for what is written cannot be put over the host's files"
/busybox mount -t tmpfs -o size=50% run /tree/run || fail "no /run"
/busybox mkdir /tree/run/vm
/busybox cp /guest.sh /tests.sh /busybox /tree/run/vm/
/busybox umount /proc
/busybox mount -o move /dev /tree/dev || fail "/dev does not move"
exec /busybox switch_root /tree /bin/sh /run/vm/guest.sh
