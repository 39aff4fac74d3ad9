#!/busybox sh
# The first program in the virtual machine: makes the host's files the root file system, below a layer in memory that takes
# all writes.

fail() {
    /busybox echo "vm: $1"
    /busybox echo "vm: $1" >/dev/ttyS1
    /busybox poweroff -f
}

/busybox mount -t proc proc /proc
/busybox mount -t devtmpfs dev /dev
/busybox sh /modules/load || fail "a module needed for the host's files cannot be loaded"

options=trans=virtio,version=9p2000.L,msize=524288,ro
/busybox mount -t 9p -o "$options,cache=loose" host /host || fail "the host's files cannot be mounted"
/busybox mount -t tmpfs -o size=50% memory /memory || fail "no memory for the layer of writes"
/busybox mkdir /memory/upper /memory/work
/busybox mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work root /tree ||
    fail "the layer of writes cannot be mounted over the host's files"
/busybox mount -t tmpfs -o size=50% run /tree/run || fail "/run cannot be mounted"
/busybox mkdir /tree/run/vm
/busybox cp /guest.sh /tests.sh /busybox /tree/run/vm/
/busybox umount /proc
/busybox mount -o move /dev /tree/dev || fail "/dev cannot be moved"
exec /busybox switch_root /tree /bin/sh /run/vm/guest.sh
