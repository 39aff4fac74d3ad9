//! A file that `-r` writes is finished when a signal comes.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Format, Precision},
    packet::{Interface, Meta, Packet, Timestamp},
};

const PACKETS: usize = 3000;

/// A capture file.
fn file(path: &Path) -> Vec<u8> {
    let frame = [0x5a; 1000];
    let mut sink = output::open(path, Format::from_path(path), Precision::Nano).unwrap();
    sink.interface(&Interface::default()).unwrap();
    for (number, _) in (0..).zip(0..PACKETS) {
        let (timestamp, frame_len) = (Timestamp(number), 1000);
        let (uptime, interface, meta) = (None, 0, Meta::default());
        sink.packet(&Packet {
            timestamp,
            uptime,
            record: xdpdump::packet::Record::None,
            interface,
            frame: &frame,
            frame_len,
            meta,
        })
        .unwrap();
    }
    sink.finish(&[]).unwrap();
    drop(sink);
    fs::read(path).unwrap()
}

/// Number of packets of a file that is whole.
fn packets(path: &Path) -> usize {
    let mut file = CaptureFile::open(path).unwrap();
    let mut packets = 0;
    while let Some(item) = file.next().unwrap() {
        packets += usize::from(matches!(item, Item::Packet(_)));
    }
    packets
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: no pointers are passed. The child has not been waited for, so the process id is still its own.
    assert_eq!(unsafe { libc::kill(child.id().cast_signed(), signal) }, 0);
}

#[test]
fn a_stream_that_is_read_into_a_file() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["out.pcapng", "out.pcap"] {
        for ending in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            let bytes = file(&directory.path().join(format!("from-{name}")));
            let path = directory.path().join(name);
            let mut command = Command::new(env!("CARGO_BIN_EXE_xdpdump"));
            command.args(["-r", "-", "-w"]).arg(&path).stdin(Stdio::piped());
            let mut tool = command.spawn().unwrap();
            let mut input = tool.stdin.take().unwrap();
            // The last packet is not complete.
            input.write_all(&bytes[..bytes.len() - 200]).unwrap();
            // The file begins once a buffer is full, and ends within a packet then.
            let deadline = Instant::now() + Duration::from_secs(30);
            while fs::metadata(&path).is_ok_and(|file| file.len() == 0) && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(10));
            }
            thread::sleep(Duration::from_millis(300));
            signal(&tool, ending);
            assert_eq!(tool.wait().unwrap().code(), Some(0), "{name}, signal {ending}");
            // In pcapng the end of the file is a block of 20 bytes and more behind the packet.
            assert_eq!(packets(&path), PACKETS - 1, "{name}, signal {ending}");
            drop(input);
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn a_file_that_is_read_into_a_pipe_that_nobody_reads() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in.pcapng");
    file(&path);
    let mut command = Command::new(env!("CARGO_BIN_EXE_xdpdump"));
    command.arg("-r").arg(&path).args(["-w", "-"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let tool = command.spawn().unwrap();
    thread::sleep(Duration::from_millis(500));
    let begin = Instant::now();
    signal(&tool, libc::SIGTERM);
    let mut tool = tool;
    let pipe = tool.stdout.take().unwrap();
    let output = tool.wait_with_output().unwrap();
    drop(pipe);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the reader did not take the rest in time"), "{said}");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}
