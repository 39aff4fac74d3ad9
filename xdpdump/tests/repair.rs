//! Files that end within a packet are read up to that packet, and can be repaired.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{fs, path::Path, process::Command};

use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Format, Precision},
    packet::{Interface, Meta, Packet, Timestamp},
    repair::{self, Repaired, repair},
};

/// A file of two packets, and the offset of the second.
fn file(directory: &Path, name: &str) -> (Vec<u8>, usize) {
    let path = directory.join(name);
    let frame = [0x5a; 101];
    let (timestamp, frame_len) = (Timestamp(1_700_000_000_000_000_000), 101);
    let packet =
        Packet { timestamp, uptime: None, interface: 0, frame: &frame, frame_len, meta: Meta::default() };
    let mut sink = output::open(&path, Format::from_path(&path), Precision::Nano).unwrap();
    sink.interface(&Interface::default()).unwrap();
    sink.packet(&packet).unwrap();
    sink.flush().unwrap();
    let second = path.metadata().unwrap().len() as usize;
    sink.packet(&packet).unwrap();
    sink.finish(&[]).unwrap();
    drop(sink);
    (fs::read(path).unwrap(), second)
}

fn packets(path: &Path) -> u64 {
    let mut file = CaptureFile::open(path).unwrap();
    let mut packets = 0;
    while let Some(item) = file.next().unwrap() {
        packets += u64::from(matches!(item, Item::Packet(_)));
    }
    packets
}

#[test]
fn wherever_a_packet_is_cut_the_packets_before_it_are_saved() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["out.pcap", "out.pcapng"] {
        let (bytes, second) = file(directory.path(), name);
        let path = directory.path().join(name);
        for len in second + 1..bytes.len() {
            fs::write(&path, &bytes[..len]).unwrap();
            let read = Command::new(env!("CARGO_BIN_EXE_xdpdump")).arg("-r").arg(&path).output().unwrap();
            let said = String::from_utf8(read.stderr).unwrap();
            let text = String::from_utf8(read.stdout).unwrap();
            // Lines of a hex dump begin with a tab.
            assert_eq!(text.lines().filter(|line| !line.starts_with('\t')).count(), 1, "{len}");
            assert_eq!(
                said.lines().filter(|line| line.contains("`xdpdump repair FILE`")).count(),
                1,
                "{said}"
            );

            let repaired = repair(&path).unwrap();
            let (name, cut) = (path.display().to_string(), (len - second) as u64);
            assert_eq!(repaired, Repaired { name: name.clone(), packets: 1, cut });
            assert_eq!(
                repaired.to_string(),
                format!("{name}: cut off {cut} bytes of an unfinished packet; it holds 1 packet")
            );
            assert_eq!((path.metadata().unwrap().len() as usize, packets(&path)), (second, 1));
            assert_eq!(repair(&path).unwrap().cut, 0);
        }
        fs::write(&path, &bytes).unwrap();
        assert_eq!(repair(&path).unwrap(), Repaired { name: path.display().to_string(), packets: 2, cut: 0 });
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn what_cannot_be_repaired_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (mut bytes, second) = file(directory.path(), "out.pcapng");
    let path = directory.path().join("out.pcapng");
    // An impossible length.
    bytes[second + 4] = 1;
    for damaged in [&bytes[..], &bytes[..7], b"no capture"] {
        fs::write(&path, damaged).unwrap();
        assert!(matches!(repair(&path), Err(repair::Error::Input(_))));
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    assert!(matches!(repair(directory.path()), Err(repair::Error::Open(..))));

    let path = directory.path().join("running.pcapng");
    let mut sink = output::open(&path, Format::Pcapng, Precision::Nano).unwrap();
    sink.interface(&Interface::default()).unwrap();
    assert!(matches!(repair(&path), Err(repair::Error::Busy(_))));
}
