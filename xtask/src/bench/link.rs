//! The link of the benchmark: a pair of network namespaces, one to send from and one to capture in.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use xdpdump_testing::generator::{Exception, Generator};
use xdpdump_testing::netns::NetNs;
use xdpdump_testing::wire;
use xdpdump_testing::xdp::{Attachment, DRIVER_MODE, PassProgram};

/// The CPU that sends. The XDP program at the other end of the veth pair runs on it as well.
pub const SENDER_CPU: usize = 0;
/// The CPU of the tool, and of the reader of its pipe.
pub const READER_CPU: usize = 1;

/// The captured interface.
pub const INTERFACE: &str = "bench1";

/// Two namespaces joined by a veth pair.
pub struct Link {
    sender: NetNs,
    /// The namespace in which the tools run.
    pub receiver: NetNs,
    empty: PassProgram,
    /// The kernel thread (ksoftirqd) that handles received frames when the sender's CPU has no time for them: its folder in
    /// /proc.
    helper: Option<PathBuf>,
}

/// The result of a burst.
#[derive(Clone, Copy, Debug)]
pub struct Burst {
    /// Frames sent.
    pub offered: u64,
    /// How many of the frames were different, see [`Exception`].
    pub exceptions: u64,
    /// CPU time of sending, including everything up to the other end.
    pub cpu: Duration,
}

impl Burst {
    /// Frames per second of CPU time; on an otherwise idle machine this is the rate in real time.
    pub fn rate(self) -> f64 {
        self.offered as f64 / self.cpu.as_secs_f64()
    }
}

/// A frame of `len` bytes, for captures without a filter.
pub fn frame(len: u32) -> Vec<u8> {
    wire::frame(len as usize, b"bench")
}

impl Link {
    /// Creates the namespaces.
    pub fn new() -> Self {
        let (sender, receiver) = NetNs::quiet_pair("bench0", INTERFACE);
        Self { sender, receiver, empty: PassProgram::load(), helper: kernel_helper() }
    }

    /// The kernel's id of the empty XDP program.
    pub fn empty_program(&self) -> u32 {
        self.empty.id()
    }

    /// Attaches an empty XDP program to the captured interface, until the result is dropped. Without any program, veth
    /// drops the generator's frames.
    pub fn attach_empty(&self) -> Attachment {
        let index = self.receiver.interface_index(INTERFACE);
        self.receiver.run(|| self.empty.attach(index, DRIVER_MODE))
    }

    /// Prepares copies of `frame`.
    pub fn generator(&self, frame: Vec<u8>) -> Generator {
        Generator::new(self.sender.interface_index("bench0"), frame)
    }

    /// Prepares frames that are sent at a rate with which every tool can keep up.
    pub fn unhurried_generator(&self, frame: Vec<u8>) -> Generator {
        Generator::unhurried(self.sender.interface_index("bench0"), frame)
    }

    /// Prepares copies of `frame` of which some are different.
    pub fn generator_with(&self, frame: Vec<u8>, exception: Exception) -> Generator {
        Generator::with_exception(self.sender.interface_index("bench0"), frame, exception)
    }

    /// Sends `count` frames as fast as the kernel can.
    pub fn send(&self, generator: &Generator, count: u32) -> Burst {
        let helper_cpu = || self.helper.as_deref().and_then(cpu_of).unwrap_or_default();
        let (sent, exceptions, helped) = (generator.sent(), generator.exceptions(), helper_cpu());
        let own = self.sender.run(|| {
            pin_to(SENDER_CPU);
            let start = own_cpu();
            generator.send(count);
            own_cpu().saturating_sub(start)
        });
        Burst {
            offered: generator.sent() - sent,
            exceptions: generator.exceptions() - exceptions,
            cpu: own + helper_cpu().saturating_sub(helped),
        }
    }
}

/// The folder in /proc of the ksoftirqd of the sender's CPU.
fn kernel_helper() -> Option<PathBuf> {
    let name = format!("ksoftirqd/{SENDER_CPU}\n");
    let mut processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    processes.find(|path| fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm == name))
}

/// CPU time of a thread: the first number in its `schedstat` (Documentation/scheduler/sched-stats.rst).
fn cpu_of(thread: &Path) -> Option<Duration> {
    let statistics = fs::read_to_string(thread.join("schedstat")).ok()?;
    Some(Duration::from_nanos(statistics.split(' ').next()?.parse().ok()?))
}

/// CPU time of the calling thread.
fn own_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one timespec to the given address; every thread has this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Binds the calling thread, and processes that it starts, to one CPU.
///
/// # Panics
/// When there is no such CPU.
pub fn pin_to(cpu: usize) {
    // SAFETY: cpu_set_t consists of integers, for which zero is valid; the macros write within it; the call reads it.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    assert_eq!(result, 0, "the benchmark needs CPUs 0 and 1: {}", io::Error::last_os_error());
}
