//! An output that takes no more is reported in a sentence, and leaves a file that opens.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{fs::File, io::Read as _, path::Path, process::Command, thread};

use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Error, Format, Precision},
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};
use xdpdump_testing::large_capture::{assert_stays_failed, send};

#[test]
fn a_full_device_is_reported_before_the_first_packet() {
    for format in [Format::Pcapng, Format::Pcap] {
        let sentence = "cannot write to /dev/full: no space left on device: \
                        free some space or write elsewhere with -w";
        let opened = output::open(Path::new("/dev/full"), format, Precision::Nano);
        let error = opened.and_then(|mut sink| sink.interface(&Interface::default())).unwrap_err();
        assert_eq!(error.to_string(), sentence);
    }
}

#[test]
fn a_path_that_cannot_be_opened_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("none/out.pcap");
    for (path, reason) in [
        (missing.as_path(), "no such directory: create it or write elsewhere with -w"),
        (directory.path(), "it is a directory: name a file with -w"),
    ] {
        let error = output::open(path, Format::Pcap, Precision::Nano).err().unwrap();
        assert_eq!(error.to_string(), format!("cannot open {} for writing: {reason}", path.display()));
    }
}

fn named_pipe(directory: &Path) -> std::path::PathBuf {
    let path = directory.join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

#[test]
fn a_closed_pipe_is_no_write_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = named_pipe(directory.path());
    let reader = thread::spawn({
        let path = path.clone();
        move || assert_eq!(File::open(path).unwrap().read(&mut [0; 4]).unwrap(), 4)
    });
    let mut sink = output::open(&path, Format::Pcapng, Precision::Nano).unwrap();
    reader.join().unwrap();
    assert!(matches!(send(&mut *sink), Err(Error::Closed(_))));
    assert_stays_failed(&mut *sink, &format!("{}: the reader closed the pipe", path.display()));
}

#[test]
fn a_pipe_has_headers_at_once_and_packets_after_a_flush() {
    for format in [Format::Pcapng, Format::Pcap] {
        let directory = tempfile::tempdir().unwrap();
        let path = named_pipe(directory.path());
        // Opened for both ways, so that neither end waits for the other here.
        let reader = File::options().read(true).write(true).open(&path).unwrap();
        let mut sink = output::open(&path, format, Precision::Nano).unwrap();
        sink.interface(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() }).unwrap();

        let mut capture = CaptureFile::new(reader, "pipe").unwrap();
        assert!(matches!(capture.next(), Ok(Some(Item::Interface(_)))));
        for frame in [&b"first"[..], b"second"] {
            let (timestamp, meta, frame_len) = (Timestamp(0), Meta::default(), frame.len() as u32);
            sink.packet(&Packet { timestamp, uptime: None, interface: 0, frame, frame_len, meta }).unwrap();
            sink.flush().unwrap();
            // Would wait for ever if the reader wanted more than this packet.
            let Ok(Some(Item::Packet(packet))) = capture.next() else { panic!("no packet") };
            assert_eq!(packet.frame, frame);
        }
    }
}
