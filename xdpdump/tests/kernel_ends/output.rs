//! The outputs of a capture, and how their contents are checked.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsRawFd, OwnedFd},
    path::Path,
    process::{ChildStdout, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pipe::fcntl_setpipe_size,
};
use xdpdump::input::{CaptureFile, Item};
use xdpdump_testing::{capture::xdpdump, files, wait};

/// A slow reader's bytes per read and the interval between reads: together 320 KB per second.
const PIECE: u64 = 16_000;
const PAUSE: Duration = Duration::from_millis(50);

/// Bytes of a pipe that text is written to. The tool asks for a megabyte, which could hold every line of a test on a busy machine,
/// so that no reader would be too slow.
const SMALL_PIPE: usize = 64 << 10;

/// Where packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    File,
    Pipe,
    /// Lines of text into a pipe, or into a file if the file system is to become full.
    Text,
}

/// How fast pipes are read until the capture is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    Fast,
    Slow,
    Stuck,
}

/// Shrinks a pipe to [`SMALL_PIPE`].
pub fn shrink(pipe: &ChildStdout) {
    fcntl_setpipe_size(pipe, SMALL_PIPE).unwrap();
}

/// Waits until a pipe has no room left.
pub fn wait_until_full(pipe: &OwnedFd) {
    let end = File::options().write(true).open(format!("/proc/self/fd/{}", pipe.as_raw_fd())).unwrap();
    wait::until(|| poll(&mut [PollFd::new(&end, PollFlags::OUT)], Some(&Timespec::default())).unwrap() == 0);
}

/// Reads a pipe at the reader's pace until `hurry` is set, then reads the rest at once.
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

/// Number of whole packets in a file that may be cut.
pub fn whole_packets(bytes: &[u8]) -> u64 {
    let mut file = CaptureFile::new(bytes, "output").unwrap();
    let mut packets = 0;
    while let Ok(Some(item)) = file.next() {
        packets += u64::from(matches!(item, Item::Packet(_)));
    }
    packets
}

/// Number of complete lines.
pub fn lines(text: &[u8]) -> u64 {
    text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n")).count() as u64
}

/// Number of packets that `-r` reads from a file whose writer was killed, and which may end within a packet. Also asserts
/// that tshark reads the rewritten file, and the file after `xdpdump repair`, without a complaint.
pub fn recovered(path: &Path) -> u64 {
    let copy = path.with_extension("pcapng");
    let output = Command::new(xdpdump()).arg("-r").arg(path).arg("-w").arg(&copy).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || said.contains("all before them was read"), "{said}");
    let repaired = Command::new(xdpdump()).arg("repair").arg(path).output().unwrap();
    assert!(repaired.status.success(), "{}", String::from_utf8_lossy(&repaired.stderr));
    let packets = files::read_by_tshark(&copy).len();
    assert_eq!(files::read_by_tshark(path).len(), packets);
    packets as u64
}
