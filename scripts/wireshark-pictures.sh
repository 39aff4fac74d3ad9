#!/bin/sh
# Makes the pictures of Wireshark in docs/images: the list of interfaces, the settings, and a capture with the toolbar.
# Needs root and Debian's xvfb, wireshark, xdotool and imagemagick. Everything happens in two network namespaces of its own, on a
# display that nobody sees, in a home folder that is deleted afterwards.
set -eu

if [ $# -ne 2 ]; then
    echo "usage: $0 XDPDUMP FOLDER" >&2
    exit 2
fi
program=$(realpath "$1")
folder=$(realpath "$2")
name=xdpdump-pictures-$$
home=$(mktemp -d)
started=

# Stops what was started, the last first.
cleanup() {
    for pid in $started; do
        kill "$pid" 2>/dev/null || true
    done
    wait
    ip netns delete "$name-a" 2>/dev/null || true
    ip netns delete "$name-b" 2>/dev/null || true
    rm -rf "$home"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

ip netns add "$name-a"
ip netns add "$name-b"
ip link add eth4 netns "$name-a" type veth peer name eth0 netns "$name-b"
for end in a,eth4,10.0.0.1 b,eth0,10.0.0.2; do
    IFS=, read -r side interface address <<END
$end
END
    ip -n "$name-$side" address add "$address/24" dev "$interface"
    ip -n "$name-$side" link set "$interface" up
done

mkdir -p "$home/.config/wireshark/extcap" "$home/.local/lib/wireshark/extcap" "$home/run"
ln -s "$program" "$home/.config/wireshark/extcap/xdpdump"
ln -s "$program" "$home/.local/lib/wireshark/extcap/xdpdump"
chmod 700 "$home/run"
others=any,bluetooth-monitor,nflog,nfqueue,dbus-system,dbus-session
others=$others,ciscodump,dpauxmon,randpkt,sdjournal,sshdump,udpdump,wifidump
echo "capture.devices_hide: $others" > "$home/.config/wireshark/preferences"
export HOME="$home" TMPDIR="$home" XDG_CONFIG_HOME="$home/.config" XDG_CACHE_HOME="$home/.cache" XDG_DATA_HOME="$home/.local/share"
export XDG_RUNTIME_DIR="$home/run" QT_QPA_PLATFORM=xcb LIBGL_ALWAYS_SOFTWARE=1

mkfifo "$home/display"
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3> "$home/display" > "$home/xvfb.log" 2>&1 &
started="$! $started"
read -r number < "$home/display"
export DISPLAY=":$number"

# show ARGUMENTS: starts Wireshark and waits for its window.
show() {
    ip netns exec "$name-a" wireshark "$@" > "$home/wireshark.log" 2>&1 &
    wireshark=$!
    started="$wireshark $started"
    timeout 60 xdotool search --sync --onlyvisible --name 'Wireshark|Capturing' > "$home/windows"
    # Until the list of interfaces has come.
    sleep 10
}

# picture NAME: the part of the screen on which something is, with few colours.
picture() {
    import -window root "$home/screen.png"
    convert "$home/screen.png" -trim +repage -colors 64 -strip "$folder/$1.png"
}

click() {
    xdotool mousemove "$1" "$2" click 1
    sleep 2
}

show
picture wireshark-list
# The cogwheel of the last interface, which is eth4.
click 66 310
picture wireshark-settings
kill "$wireshark"
wait "$wireshark" || true

ip netns exec "$name-b" ping -q -i 0.2 10.0.0.1 > "$home/ping.log" &
started="$! $started"
ip netns exec "$name-b" ping -q -s 1000 -i 0.3 10.0.0.1 > "$home/ping.log" &
started="$! $started"
show -k -i xdp:eth4
# View > Interface Toolbars > XDP capture
click 120 30
xdotool key Down Down Down Down Right
sleep 1
xdotool key Return
sleep 2
click 348 126
xdotool type 'icmp and greater 500'
xdotool key Return
sleep 4
picture wireshark-toolbar
kill "$wireshark"
wait "$wireshark" || true
