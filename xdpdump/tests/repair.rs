//! Files that end within a packet are read up to that packet, and can be repaired.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{fs, path::Path, process::Command, thread, time::Duration};

use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Format, Precision},
    packet::{Interface, Meta, Packet, Timestamp},
    repair::{self, Repaired},
};

/// Repairs a file that this test has closed. For a moment, a process that another test starts may still have it open: until it
/// runs its program.
fn repair(path: &Path) -> Result<Repaired, repair::Error> {
    for _ in 0..100 {
        match repair::repair(path) {
            Err(repair::Error::Busy(_)) => thread::sleep(Duration::from_millis(10)),
            result => return result,
        }
    }
    repair::repair(path)
}

/// A file of two packets, and the offset of the second.
fn file(directory: &Path, name: &str) -> (Vec<u8>, usize) {
    let path = directory.join(name);
    let frame = [0x5a; 101];
    let (timestamp, frame_len) = (Timestamp(1_700_000_000_000_000_000), 101);
    let packet = Packet {
        timestamp,
        uptime: None,
        record: xdpdump::packet::Record::None,
        interface: 0,
        frame: &frame,
        frame_len,
        meta: Meta::default(),
    };
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
    let pipe = directory.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    // Nobody has the other end: this must not wait for somebody.
    assert!(matches!(repair(&pipe), Err(repair::Error::NoFile(_))));

    let path = directory.path().join("running.pcapng");
    let mut sink = output::open(&path, Format::Pcapng, Precision::Nano).unwrap();
    sink.interface(&Interface::default()).unwrap();
    assert!(matches!(repair::repair(&path), Err(repair::Error::Busy(_))));
}

/// What the tool says.
fn said(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn tool() -> Command {
    Command::new(env!("CARGO_BIN_EXE_xdpdump"))
}

#[test]
fn a_file_that_ends_within_its_first_interface_is_one_without_packets() {
    /// Up to here reaches the section's header.
    fn section(bytes: &[u8]) -> usize {
        usize::from(bytes[4]) + (usize::from(bytes[5]) << 8)
    }
    let directory = tempfile::tempdir().unwrap();
    let (bytes, second) = file(directory.path(), "out.pcapng");
    let path = directory.path().join("out.pcapng");
    let section = section(&bytes);
    assert!(section < second);
    for len in [section + 1, section + 8, section + 15] {
        fs::write(&path, &bytes[..len]).unwrap();
        let repaired = repair(&path).unwrap();
        assert_eq!((repaired.packets, repaired.cut), (0, (len - section) as u64));
        assert_eq!(fs::read(&path).unwrap(), bytes[..section]);
        assert_eq!(packets(&path), 0);
    }
}

#[test]
fn a_cut_stream_is_not_to_be_repaired() {
    let directory = tempfile::tempdir().unwrap();
    let (bytes, _) = file(directory.path(), "out.pcapng");
    let path = directory.path().join("out.pcapng");
    fs::write(&path, &bytes[..bytes.len() - 50]).unwrap();
    let script = r#"cat "$1" | "$0" -r -"#;
    let mut piped = Command::new("sh");
    piped.args(["-c", script, env!("CARGO_BIN_EXE_xdpdump")]).arg(&path);
    let (_, _, stream) = said(&mut piped);
    assert!(stream.contains("(all before them was read)") && !stream.contains("repair"), "{stream}");
}

#[test]
fn the_packets_of_a_cut_file_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["out.pcap", "out.pcapng"] {
        let (bytes, second) = file(directory.path(), name);
        let path = directory.path().join(name);
        fs::write(&path, &bytes[..second + 20]).unwrap();
        let (status, printed, complaint) = said(tool().arg("--count").arg("-r").arg(&path));
        assert_eq!((status, printed.as_str()), (Some(1), "1 packet\n"), "{name}: {complaint}");
        assert!(complaint.contains("truncated dump file"), "{name}: {complaint}");
    }
}

#[test]
fn a_refusal_says_its_cause_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    fs::write(&path, b"no capture").unwrap();
    let (status, _, refusal) = said(tool().arg("repair").arg(&path));
    assert_eq!(status, Some(1));
    assert_eq!(refusal.matches("neither pcap nor pcapng").count(), 1, "{refusal}");
}
