//! The wire: a pair of network namespaces, one sends and the other is captured from.

use std::io;
use std::time::{Duration, Instant};

use super::support::generator::Generator;
use super::support::netns::NetNs;
use super::support::wire;
use super::support::xdp::{Attachment, DRIVER_MODE, PassProgram};

/// The CPU that sends. A veth's far end runs its XDP program there as well.
pub const SENDER_CPU: usize = 0;
/// The CPU of the tool, and of the reader of its pipe.
pub const READER_CPU: usize = 1;

/// The captured interface.
pub const INTERFACE: &str = "bench1";

/// Two namespaces joined by a veth pair.
pub struct Link {
    sender: NetNs,
    /// Where the tools run.
    pub receiver: NetNs,
    empty: PassProgram,
}

/// What became of a burst.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    /// Frames sent.
    pub offered: u64,
    /// How long that took.
    pub time: Duration,
}

impl Burst {
    /// Frames a second.
    pub fn rate(self) -> f64 {
        self.offered as f64 / self.time.as_secs_f64()
    }
}

impl Link {
    /// Makes it.
    pub fn new() -> Self {
        let (sender, receiver) = NetNs::quiet_pair("bench0", INTERFACE);
        Self { sender, receiver, empty: PassProgram::load() }
    }

    /// The kernel's number for the empty XDP program.
    pub fn empty_program(&self) -> u32 {
        self.empty.id()
    }

    /// Puts an XDP program that does nothing on the captured interface, until the result is dropped. A veth drops the
    /// generator's frames where there is none.
    pub fn attach_empty(&self) -> Attachment {
        let index = self.receiver.interface_index(INTERFACE);
        self.receiver.run(|| self.empty.attach(index, DRIVER_MODE))
    }

    /// Prepares frames of `len` bytes.
    pub fn generator(&self, len: u32) -> Generator {
        Generator::new(self.sender.interface_index("bench0"), wire::frame(len as usize, b"bench"))
    }

    /// Sends `count` frames as fast as the kernel can.
    pub fn send(&self, generator: &Generator, count: u32) -> Burst {
        let before = generator.sent();
        let time = self.sender.run(|| {
            pin_to(SENDER_CPU);
            let start = Instant::now();
            generator.send(count);
            start.elapsed()
        });
        Burst { offered: generator.sent() - before, time }
    }
}

/// Keeps the calling thread, and what it starts, on one CPU.
///
/// # Panics
/// When there is no such CPU.
pub fn pin_to(cpu: usize) {
    // SAFETY: cpu_set_t is plain integers, for which zero is valid; the macros write within it; the call reads it.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    assert_eq!(result, 0, "the benchmark needs CPUs 0 and 1: {}", io::Error::last_os_error());
}
