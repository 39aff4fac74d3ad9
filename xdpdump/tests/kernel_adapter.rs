//! What the adapter says about a frame: its time stamp and its hash. Needs root.
//!
//! A veth tells an XDP program the hash that the sender's kernel computed, and no time stamp, because none of its frames ever
//! had one. `vm_adapter.rs` has an adapter with a clock.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};

use xdpdump_testing::{
    capture::{Capture, Ended, xdpdump},
    files::{self, Contents},
    kernel,
    netns::NetNs,
    tun::Tun,
    wire::{self, Wire},
};

/// Two namespaces with a pair of interfaces, and a folder for files.
fn pair() -> (NetNs, NetNs, tempfile::TempDir) {
    let (left, right) = NetNs::quiet_pair("left", "right");
    (left, right, tempfile::tempdir().unwrap())
}

fn capture(netns: &NetNs, options: &[&str], path: &Path, frames: impl FnOnce()) -> (Contents, Ended) {
    let file = ["-i", "right", "-w", path.to_str().unwrap()];
    let capture = Capture::start(netns, file.iter().chain(options));
    frames();
    let ended = capture.stop();
    (files::read(path), ended)
}

fn refused(netns: &NetNs, options: &[&str]) -> String {
    let mut command = netns.command(xdpdump());
    Capture::spawn(command.args(["-w", "/dev/null"]).args(options)).wait().failure().to_owned()
}

/// A kernel says since Linux 6.7 what its drivers tell; before, everything is refused.
fn is_told(netns: &NetNs) -> bool {
    if kernel::is_at_least(6, 7) {
        return true;
    }
    let said = refused(netns, &["-i", "right", "-j", "adapter_unsynced"]);
    assert!(said.contains("the driver of right does not tell") && said.contains("(Linux 6.7)"), "{said}");
    false
}

#[test]
fn each_frame_has_the_hash_of_its_flow() {
    let (left, right, folder) = pair();
    if !is_told(&right) {
        return;
    }
    let path = folder.path().join("out.pcapng");
    let wire = Wire::open(&left, "left");
    let other = wire::frame(60, b"of no flow");
    for filter in ["", "ether[0] >= 0"] {
        let (contents, ended) = capture(&right, &["--rx-hash", filter], &path, || {
            for port in [1000, 2000, 1000, 3000, 2000, 1000] {
                wire.send(&wire::udp(port));
            }
            wire.send(&other);
        });
        assert_eq!(ended.totals().captured, 7);
        assert!(!ended.stderr.contains("user space"), "{}", ended.stderr);
        let hashes: Vec<_> = contents.packets.iter().map(|packet| packet.meta.hash).collect();
        let [a, b, c] = [hashes[0].unwrap(), hashes[1].unwrap(), hashes[3].unwrap()];
        assert_eq!(hashes, [Some(a), Some(b), Some(a), Some(c), Some(b), Some(a), None]);
        assert_eq!(BTreeSet::from([a, b, c]).len(), 3, "one for each flow");
        assert_eq!(contents.packets[6].frame, other);
        // draft-ietf-opsawg-pcapng, section 4.3: code 3, length 5, algorithm 5 (Toeplitz), the hash.
        let mut option = [&3_u16.to_ne_bytes()[..], &5_u16.to_ne_bytes(), &[5]].concat();
        option.extend(a.to_be_bytes());
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.windows(option.len()).filter(|window| **window == option).count(), 3);
        assert_eq!(files::read_by_tshark(&path), [60; 7]);
        assert!(contents.packets.iter().all(|packet| !packet.meta.has_host_time));
    }
}

#[test]
fn a_frame_without_a_time_stamp_of_the_adapter_has_the_hosts_and_says_so() {
    let (left, right, folder) = pair();
    if !is_told(&right) {
        return;
    }
    let path = folder.path().join("out.pcapng");
    let wire = Wire::open(&left, "left");
    let (contents, ended) = capture(&right, &["-j", "adapter_unsynced"], &path, || {
        wire.send(&wire::udp(1000));
        wire.send(&wire::udp(2000));
    });
    assert_eq!(ended.count("without a time stamp of the adapter"), Some(2));
    assert!(contents.packets.iter().all(|packet| packet.meta.has_host_time && packet.meta.hash.is_none()));
    assert_eq!(contents.interfaces[0].description.as_deref(), Some("time stamps of the adapter's own clock"));
    let text = right.execute(xdpdump(), &["-r", path.to_str().unwrap()]);
    assert_eq!(text.lines().filter(|line| line.contains(" [host time] IP 10.0.0.1.")).count(), 2, "{text}");
    let comments = files::fields_by_tshark(&path, &["frame.comment"]);
    assert_eq!(comments, [["time stamp of the host: the adapter did not know it"]; 2]);
    // The host's time: within a minute of that of the file.
    let now = fs::metadata(&path).unwrap().modified().unwrap();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().cast_signed();
    assert!(contents.packets.iter().all(|packet| (packet.time / 1_000_000_000 - now).abs() < 60));
}

#[test]
fn frames_are_cut_to_what_fits_with_the_adapters_words() {
    let (left, right, folder) = pair();
    if !is_told(&right) {
        return;
    }
    let path = folder.path().join("out.pcapng");
    let wire = Wire::open(&left, "left");
    for snap_len in [1, 20, 60] {
        let options = ["--rx-hash", "-s", &snap_len.to_string()];
        let (contents, _) = capture(&right, &options, &path, || wire.send(&wire::udp(7)));
        assert_eq!(contents.frames(), [&wire::udp(7)[..snap_len]]);
        assert!(contents.packets[0].meta.hash.is_some());
    }
    let (contents, _) = capture(&right, &["--rx-hash"], &path, || ());
    assert_eq!(contents.interfaces[0].snap_len, 65452);
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_to_do() {
    let (left, right, _folder) = pair();
    if !is_told(&right) {
        return;
    }
    let list = right.execute(xdpdump(), &["-J", "-i", "right"]);
    let expected = "Time stamp types for right (use option -j to set):\n  host (Host)\n  adapter_unsynced (Adapter, not synced with system time)\n";
    assert_eq!(list, expected);
    let said = refused(&right, &["-i", "right", "-j", "adapter"]);
    assert!(said.contains("right has no clock") && said.contains("-j adapter_unsynced"), "{said}");

    let _plain = Tun::new(&left, "plain");
    let list = left.execute(xdpdump(), &["-J", "-i", "plain"]);
    assert_eq!(list, "Time stamp types for plain (use option -j to set):\n  host (Host)\n");
    let said = refused(&left, &["-i", "plain", "-j", "adapter_unsynced"]);
    assert!(
        said.contains("the driver of plain does not tell an XDP program the adapter's time stamps"),
        "{said}"
    );
    let said = refused(&left, &["-i", "plain", "--rx-hash"]);
    assert!(said.contains("the adapter's hashes"), "{said}");
    // Of all interfaces, those are captured that can be.
    let ended = Capture::start(&left, ["-i", "any", "--rx-hash", "-w", "/dev/null"]).stop();
    assert!(ended.stderr.contains("plain is not captured: the driver of plain"), "{}", ended.stderr);
    assert!(ended.stderr.contains("listening on left"), "{}", ended.stderr);
}
