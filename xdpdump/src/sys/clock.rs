//! The kernel's clocks, in nanoseconds, and notice when the wall clock is set.

use std::{
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::MetadataExt as _,
    },
    sync::OnceLock,
};

use rustix::{
    io::Errno,
    time::{
        ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
        timerfd_create, timerfd_settime,
    },
};

/// Number of the initial time namespace (`PROC_TIME_INIT_INO`, include/linux/proc_ns.h; since v6.18 `TIME_NS_INIT_INO`,
/// include/uapi/linux/nsfs.h).
const INITIAL_TIME_NAMESPACE: u64 = 0xEFFF_FFFA;

/// Nanoseconds by which this process's `CLOCK_MONOTONIC` is ahead of the kernel's own.
static AHEAD: OnceLock<i64> = OnceLock::new();

/// The kernel's own `CLOCK_MONOTONIC`, which is the clock of events: time since boot, without the time that the machine
/// slept. In a time namespace this is correct only after [`learn_time_namespace`] has been called.
pub fn monotonic() -> i64 {
    nanos(ClockId::Monotonic).saturating_sub(AHEAD.get().copied().unwrap_or(0))
}

/// `CLOCK_REALTIME`: time since 1970, UTC. It is the same in all time namespaces.
pub fn realtime() -> i64 {
    nanos(ClockId::Realtime)
}

fn nanos(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1_000_000_000).saturating_add(time.tv_nsec)
}

/// Finds out by how much the time namespace of this process shifts its clocks (time_namespaces(7)). Without `/proc`, and
/// before Linux 5.6, this assumes that the process is in no time namespace.
///
/// # Errors
/// When the process is in a time namespace and cannot find out its offset.
pub fn learn_time_namespace() -> io::Result<()> {
    let ahead = namespace_offset()?;
    // A second call would find the same offset: a process does not change its own time namespace.
    AHEAD.get_or_init(|| ahead);
    Ok(())
}

fn namespace_offset() -> io::Result<i64> {
    let number = |name| fs::metadata(format!("/proc/self/ns/{name}")).map(|namespace| namespace.ino());
    let Ok(own) = number("time") else { return Ok(0) };
    if own == INITIAL_TIME_NAMESPACE {
        return Ok(0);
    }
    // The file contains the offsets of the namespace in which children are created.
    if number("time_for_children")? != own {
        return Err(io::Error::other("/proc/self/timens_offsets is that of another time namespace"));
    }
    let text = fs::read_to_string("/proc/self/timens_offsets")?;
    parse_offset(&text).ok_or_else(|| io::Error::other("/proc/self/timens_offsets has no monotonic offset"))
}

/// The offset of the monotonic clock, from lines with the name of a clock, seconds and nanoseconds
/// (`proc_timens_show_offsets`, kernel/time/namespace.c, v6.18).
fn parse_offset(text: &str) -> Option<i64> {
    let mut numbers = text.lines().find_map(|line| line.strip_prefix("monotonic"))?.split_whitespace();
    let (seconds, nanos) = (numbers.next()?.parse::<i64>().ok()?, numbers.next()?.parse::<i64>().ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Notices when `CLOCK_REALTIME` is set: every step, also one by a leap second or while the machine slept, but not the
/// slewing of NTP (`TFD_TIMER_CANCEL_ON_SET`, timerfd_create(2)).
#[derive(Debug)]
pub struct StepWatch(OwnedFd);

impl StepWatch {
    /// Starts to watch.
    ///
    /// # Errors
    /// When the kernel refuses to create the timer.
    pub fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        // The timer must never expire: the kernel's time ends in 2262.
        let never = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec { tv_sec: i64::MAX, tv_nsec: 0 },
        };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &never)?;
        Ok(Self(timer))
    }

    /// Whether the clock has been set since the last call. If so, the descriptor is readable.
    pub fn has_stepped(&self) -> bool {
        rustix::io::read(&self.0, &mut [0; 8]) == Err(Errno::CANCELED)
    }
}

impl AsFd for StepWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_as_the_kernel_writes_them() {
        let text = "monotonic        1000         5\nboottime           -2         0\n";
        assert_eq!(parse_offset(text), Some(1_000_000_000_005));
        assert_eq!(parse_offset("monotonic -1 500000000\n"), Some(-500_000_000));
        assert_eq!(parse_offset("boottime 1 2\n"), None);
        assert_eq!(parse_offset("monotonic 9223372036854775807 0\n"), None);
    }

    #[test]
    fn a_clock_that_nobody_sets_does_not_step() {
        let watch = StepWatch::new().unwrap();
        assert!(!watch.has_stepped());
    }
}
