//! An output that takes no more is reported in a sentence, and leaves a file that opens.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{fs::File, io::Read as _, path::Path, process::Command, thread};

use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Error, Format, Precision, Sink},
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};

/// More than fits into one buffer and one pipe.
const MANY: usize = 10_000;

fn send(sink: &mut dyn Sink) -> Result<(), Error> {
    sink.interface(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() })?;
    for number in 0..MANY {
        let (frame, meta) = (&[0x5a; 999][..], Meta { packet_id: Some(number as u64), ..Meta::default() });
        let timestamp = Timestamp(1_700_000_000_000_000_000 + number as i64);
        sink.packet(&Packet { timestamp, uptime: None, interface: 0, frame, frame_len: 999, meta })?;
    }
    sink.finish(&[])
}

/// Every call after the first failed one fails too, with the same sentence.
fn assert_stays_failed(sink: &mut dyn Sink, sentence: &str) {
    assert_eq!(send(sink).unwrap_err().to_string(), sentence);
    assert_eq!(sink.flush().unwrap_err().to_string(), sentence);
    assert_eq!(sink.finish(&[]).unwrap_err().to_string(), sentence);
}

#[test]
fn a_full_device_is_reported_before_the_first_packet() {
    for format in [Format::Pcapng, Format::Pcap] {
        let sentence = "cannot write to /dev/full: no space left on device: \
                        free some space or write elsewhere with -w";
        let opened = output::open(Path::new("/dev/full"), format, Precision::Nano);
        let error = match opened.map(|mut sink| sink.interface(&Interface::default())) {
            Err(error) | Ok(Err(error)) => error,
            Ok(Ok(())) => panic!("{format:?} was written"),
        };
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

/// In a process of its own, whose file size limit others do not feel.
#[test]
fn a_file_at_its_size_limit_ends_on_a_whole_packet() {
    let directory = tempfile::tempdir().unwrap();
    for (name, format) in [("limit.pcapng", Format::Pcapng), ("limit.pcap", Format::Pcap)] {
        let path = directory.path().join(name);
        let mut sink = output::open(&path, format, Precision::Nano).unwrap();
        let sentence = format!(
            "cannot write to {}: the file reached its size limit: raise it (`ulimit -f`) or write elsewhere with -w",
            path.display()
        );
        with_file_size_limit(3_000_001, || {
            assert_eq!(send(&mut *sink).unwrap_err().to_string(), sentence);
            assert_stays_failed(&mut *sink, &sentence);
            drop(sink);
        });

        let size = path.metadata().unwrap().len();
        assert!((2_998_000..3_000_001).contains(&size), "{name}: {size} bytes");
        let output = Command::new("capinfos").arg("-Mc").arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("cut short"));

        let mut file = CaptureFile::open(&path).unwrap();
        let mut packets = 0;
        while let Some(item) = file.next().unwrap() {
            packets += i64::from(matches!(item, Item::Packet(_)));
        }
        assert!((2_800..3_000).contains(&packets), "{name}: {packets} packets");
    }
}

/// Runs `action` while no file of this process may grow beyond `bytes`.
fn with_file_size_limit(bytes: u64, action: impl FnOnce()) {
    let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointers are to rlimits that live through the calls; ignoring a signal installs no handler.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut old), 0);
        let new = libc::rlimit { rlim_cur: bytes, ..old };
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const new), 0);
    }
    action();
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &raw const old) }, 0);
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
        move || drop(File::open(path).unwrap().read(&mut [0; 4]).unwrap())
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
