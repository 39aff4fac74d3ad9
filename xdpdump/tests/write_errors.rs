//! A failing output is reported with one sentence and leaves a file that can be opened.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    os::{fd::AsFd as _, unix::net::UnixStream},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use xdpdump::{
    input::{CaptureFile, Item},
    output::{
        self, Error, Format, Precision, Sink, Stream,
        text::{HexDump, TextOptions, TextSink},
    },
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
        // Opened for reading and writing, so that neither end waits for the other.
        let reader = File::options().read(true).write(true).open(&path).unwrap();
        let mut sink = output::open(&path, format, Precision::Nano).unwrap();
        sink.interface(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() }).unwrap();

        let mut capture = CaptureFile::new(reader, "pipe").unwrap();
        if format == Format::Pcapng {
            assert!(matches!(capture.next(), Ok(Some(Item::Block(_)))));
        }
        assert!(matches!(capture.next(), Ok(Some(Item::Interface(_)))));
        for frame in [&b"first"[..], b"second"] {
            let (timestamp, meta, frame_len) = (Timestamp(0), Meta::default(), frame.len() as u32);
            sink.packet(&Packet {
                timestamp,
                uptime: None,
                record: xdpdump::packet::Record::None,
                interface: 0,
                frame,
                frame_len,
                meta,
            })
            .unwrap();
            sink.flush().unwrap();
            // This would never return if the reader needed more bytes than this packet.
            let Ok(Some(Item::Packet(packet))) = capture.next() else { panic!("no packet") };
            assert_eq!(packet.frame, frame);
        }
    }
}

/// A sink whose file contains a packet and is still open.
fn begun(path: &Path) -> Box<dyn Sink> {
    let mut sink = output::open(path, Format::Pcapng, Precision::Nano).unwrap();
    sink.interface(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() }).unwrap();
    send_one(&mut *sink);
    sink
}

fn send_one(sink: &mut dyn Sink) {
    let (timestamp, meta, frame) = (Timestamp(0), Meta::default(), &b"frame"[..]);
    sink.packet(&Packet {
        timestamp,
        uptime: None,
        record: xdpdump::packet::Record::None,
        interface: 0,
        frame,
        frame_len: 5,
        meta,
    })
    .unwrap();
    sink.flush().unwrap();
}

#[test]
fn a_file_that_another_capture_writes_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.pcapng");
    let mut first = begun(&path);
    let so_far = fs::read(&path).unwrap();
    let error = output::open(&path, Format::Pcap, Precision::Nano).err().unwrap();
    let sentence = format!(
        "{} is being written by another capture (it has a lock on it): name another file with -w",
        path.display()
    );
    assert_eq!(error.to_string(), sentence);
    assert_eq!(fs::read(&path).unwrap(), so_far);
    first.finish(&[]).unwrap();
    drop(first);
    assert!(output::open(&path, Format::Pcap, Precision::Nano).is_ok());
}

/// Noticed by the check once a second, or at the end.
#[test]
fn a_file_that_somebody_else_changes_is_reported() {
    type Act = fn(&Path);
    let changes: [(Act, &str); 3] = [
        (
            |path| drop(File::create(path).unwrap()),
            "another program shortened the file while it was being written: it may be damaged",
        ),
        (
            |path| fs::remove_file(path).unwrap(),
            "it was deleted while it was written: what was captured is in a file that has no name any more",
        ),
        (
            |path| File::options().append(true).open(path).unwrap().write_all(b"more").unwrap(),
            "another program wrote to the file as well: it may be damaged",
        ),
    ];
    for (change, what) in changes {
        for looked_after in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("out.pcapng");
            let mut sink = begun(&path);
            let mut said = Vec::new();
            let mut look = |sink: &mut dyn Sink| sink.look_after(&mut |line| said.push(line.to_owned()));
            look(&mut *sink).unwrap();
            change(&path);
            // Bytes that are written before the check do not hide the change.
            send_one(&mut *sink);
            let result = if looked_after { look(&mut *sink) } else { sink.finish(&[]) };
            assert_eq!(result.unwrap_err().to_string(), format!("{}: {what}", path.display()));
            assert!(sink.finish(&[]).is_err());
            drop(sink);
            assert!(said.is_empty(), "{said:?}");
            // The file must not contain a gap of zeros.
            let bytes = fs::read(&path).unwrap_or_default();
            assert!(bytes.first().is_none_or(|&first| first != 0), "{what}");
        }
    }
}

#[test]
fn a_file_that_is_renamed_is_written_on() {
    let directory = tempfile::tempdir().unwrap();
    let (path, moved) = (directory.path().join("out.pcapng"), directory.path().join("moved"));
    let mut sink = begun(&path);
    fs::rename(&path, &moved).unwrap();
    let mut said = Vec::new();
    for _ in 0..3 {
        sink.look_after(&mut |line| said.push(line.to_owned())).unwrap();
    }
    let sentence = "it was renamed or replaced: the capture goes on in the file that had this name";
    assert_eq!(said, [format!("{}: {sentence}", path.display())]);
    send_one(&mut *sink);
    sink.finish(&[]).unwrap();
    assert!(CaptureFile::open(&moved).is_ok());
}

/// Packets that a slow reader has not taken stay in the sink while the caller does something else, and are lost at the
/// deadline.
#[test]
fn a_full_pipe_does_not_block_the_caller() {
    for (format, text) in [(Format::Pcapng, false), (Format::Pcap, false), (Format::Pcapng, true)] {
        let directory = tempfile::tempdir().unwrap();
        let path = named_pipe(directory.path());
        let mut reader = File::options().read(true).write(true).open(&path).unwrap();
        let (interrupt, signal) = UnixStream::pair().unwrap();
        let mut sink: Box<dyn Sink> = if text {
            let pipe = File::options().write(true).open(&path).unwrap();
            let options = TextOptions { hex: HexDump::Hex, ..TextOptions::default() };
            Box::new(TextSink::new(Stream::own(pipe).unwrap(), "pipe", options))
        } else {
            output::open(&path, format, Precision::Nano).unwrap()
        };
        sink.interrupted_by(interrupt.as_fd()).unwrap();
        sink.interface(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() }).unwrap();
        (&signal).write_all(b"x").unwrap();
        let frame = &[0x5a; 999][..];
        let packet = Packet {
            timestamp: Timestamp(0),
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: 0,
            frame,
            frame_len: 999,
            meta: Meta::default(),
        };
        // More packets than buffer and pipe hold.
        let many = 10_000;
        for _ in 0..many {
            sink.packet(&packet).unwrap();
        }
        sink.flush().unwrap();
        assert_eq!(sink.unwritten(), 0);

        // The reader takes a part that ends within a packet.
        let mut taken = vec![0; 500_001];
        reader.read_exact(&mut taken).unwrap();
        sink.flush().unwrap();
        let began = Instant::now();
        sink.end_by(began + Duration::from_millis(300));
        let error = sink.finish(&[]).unwrap_err();
        assert!(matches!(error, Error::TooLate(_)), "{error}");
        assert!((300..3000).contains(&began.elapsed().as_millis()));
        let unwritten = sink.unwritten();
        drop(sink);
        rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::NONBLOCK).unwrap();
        let _ = reader.read_to_end(&mut taken);
        if text {
            // All packets of a buffer that was only partly written count as lost.
            assert!((1..=many).contains(&unwritten));
            continue;
        }
        assert!((1..many).contains(&unwritten));
        let mut file = CaptureFile::new(&taken[..], "pipe").unwrap();
        let mut whole = 0;
        while let Ok(Some(item)) = file.next() {
            whole += u64::from(matches!(item, Item::Packet(_)));
        }
        assert_eq!(whole + unwritten, many, "{format:?}");
    }
}
