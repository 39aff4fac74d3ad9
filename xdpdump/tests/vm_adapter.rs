//! Time stamps of an adapter with a clock of its own. Needs a virtual machine: `cargo xtask vm-test`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs, thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use xdpdump_testing::{
    capture::{Capture, xdpdump},
    files,
    netns::NetNs,
    vm,
    wire::{self, Wire},
};

/// By how much the adapter's clock is ahead of the host's, nanoseconds.
const AHEAD: i64 = 37_000_000_000;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// The adapter's stamps are the host's time later by [`AHEAD`], whatever that is converted to: as it is, it is that much too late;
/// converted, it is right, and between the moments before and after the frame was sent. Frames of odd length have none.
#[test]
fn frames_have_the_time_stamps_of_the_adapter() {
    vm::required();
    let (left, right) = NetNs::quiet_pair("left", "right");
    right.execute("modprobe", &["xdpdump_adapter", "interface=right"]);
    let list = right.execute(xdpdump(), &["-J", "-i", "right"]);
    assert_eq!(
        list,
        "Time stamp types for right (use option -j to set):\n  host (Host)\n  adapter (Adapter)\n  adapter_unsynced (Adapter, not synced with system time)\n"
    );
    let stamping = || fs::read_to_string("/sys/module/xdpdump_adapter/parameters/rx_filter").unwrap();
    assert_eq!(stamping(), "0\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.pcapng");
    let wire = Wire::open(&left, "left");
    for (kind, ahead, description) in [
        ("adapter", 0, "time stamps of the adapter, converted to the host's clock"),
        ("adapter_unsynced", AHEAD, "time stamps of the adapter's own clock"),
    ] {
        let options = ["-i", "right", "-j", kind, "--rx-hash", "-w", path.to_str().unwrap()];
        let capture = Capture::start(&right, options);
        assert_eq!(stamping(), "1\n", "HWTSTAMP_FILTER_ALL");
        let mut moments = vec![now()];
        // Longer than the time between two comparisons of the clocks.
        for round in 0..8 {
            wire.send(&wire::frame(60 + round % 2, b""));
            thread::sleep(Duration::from_millis(300));
            moments.push(now());
        }
        let ended = capture.stop();
        assert_eq!(ended.totals().captured, 8);
        assert_eq!(ended.count("without a time stamp of the adapter"), Some(4));
        let contents = files::read(&path);
        assert_eq!(contents.interfaces[0].description.as_deref(), Some(description));
        for (packet, moment) in contents.packets.iter().zip(moments.windows(2)) {
            let is_odd = packet.frame_len % 2 == 1;
            assert_eq!(packet.meta.has_host_time, is_odd);
            let ahead = if is_odd { 0 } else { ahead };
            // A millisecond for the comparison of the clocks in a slow machine.
            let sent = moment[0] - 1_000_000..moment[1] + 1_000_000;
            assert!(sent.contains(&(packet.time - ahead)), "{kind}: {} not in {sent:?}", packet.time - ahead);
        }
        let times: Vec<_> = contents.packets.iter().filter(|packet| packet.frame_len == 60).collect();
        assert!(times.windows(2).all(|pair| pair[0].time < pair[1].time));
    }
    assert_eq!(stamping(), "0\n", "as before the captures");
}
