//! Where the packets of a capture go, and what is found there.

use std::{
    io::Read,
    path::Path,
    process::{ChildStdout, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use xdpdump::input::{CaptureFile, Item};
use xdpdump_testing::{capture::xdpdump, files};

/// What a slow reader reads at once, and how often: 320 KB a second.
const PIECE: u64 = 16_000;
const PAUSE: Duration = Duration::from_millis(50);

/// Where packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    File,
    Pipe,
    /// Lines of text into a pipe, or into a file on a disk that gets full.
    Text,
}

/// How fast pipes are read until the end.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    Fast,
    Slow,
    Stuck,
}

/// Reads a pipe at the reader's pace until `hurry`, then the rest.
pub fn read(mut pipe: ChildStdout, reader: Reader, hurry: Arc<AtomicBool>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        while !hurry.load(Ordering::Relaxed) {
            let at_once = match reader {
                Reader::Fast => u64::MAX,
                Reader::Slow => PIECE,
                Reader::Stuck => 0,
            };
            (&mut pipe).take(at_once).read_to_end(&mut bytes).unwrap();
            thread::sleep(PAUSE);
        }
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Packets up to where the file is cut.
pub fn whole_packets(bytes: &[u8]) -> u64 {
    let mut file = CaptureFile::new(bytes, "output").unwrap();
    let mut packets = 0;
    while let Ok(Some(item)) = file.next() {
        packets += u64::from(matches!(item, Item::Packet(_)));
    }
    packets
}

/// Lines that are complete.
pub fn lines(text: &[u8]) -> u64 {
    text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n")).count() as u64
}

/// Packets that `-r` finds in a file whose writer was killed; tshark has nothing to say against what it makes of them.
pub fn recovered(path: &Path) -> u64 {
    let copy = path.with_extension("pcapng");
    let output = Command::new(xdpdump()).arg("-r").arg(path).arg("-w").arg(&copy).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    files::read_by_tshark(&copy).len() as u64
}
