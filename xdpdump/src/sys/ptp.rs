//! The clocks of network adapters (`include/uapi/linux/ptp_clock.h`, v6.18).

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd as _, OwnedFd},
};

use rustix::ioctl::opcode;

/// How often the two clocks are read by one request; `PTP_MAX_SAMPLES` is 25.
const SAMPLES: usize = 5;

/// `struct ptp_sys_offset`: the times of the system and of the adapter in turn, beginning and ending with the system's.
#[repr(C)]
struct Offset {
    samples: u32,
    reserved: [u32; 3],
    times: [Time; 2 * 25 + 1],
}

/// `struct ptp_clock_time`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Time {
    seconds: i64,
    nanos: u32,
    reserved: u32,
}

const _: () = assert!(size_of::<Offset>() == 832);

/// `PTP_SYS_OFFSET`.
const PTP_SYS_OFFSET: libc::Ioctl = opcode::write::<Offset>(b'=', 5) as libc::Ioctl;

/// The clock of an adapter.
#[derive(Debug)]
pub struct PtpClock(OwnedFd);

impl PtpClock {
    /// Opens `/dev/ptpN`.
    ///
    /// # Errors
    /// When there is no such device, or it may not be opened.
    pub fn open(number: u32) -> io::Result<Self> {
        Ok(Self(File::open(format!("/dev/ptp{number}"))?.into()))
    }

    /// The time of the adapter and `CLOCK_REALTIME` at the same moment, nanoseconds: of several readings, the one with the
    /// shortest time between the readings of the system's clock before and after.
    ///
    /// # Errors
    /// The error of the system call; `InvalidData` if the times are absurd.
    pub fn compare(&self) -> io::Result<(u64, i64)> {
        let time = Time { seconds: 0, nanos: 0, reserved: 0 };
        let mut offset = Offset { samples: SAMPLES as u32, reserved: [0; 3], times: [time; 51] };
        // SAFETY: for this request the kernel reads and writes one `struct ptp_sys_offset`.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), PTP_SYS_OFFSET, &raw mut offset) };
        if result < 0 {
            return Err(io::Error::last_os_error());
        }
        closest(&offset.times[..=2 * SAMPLES]).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

fn closest(times: &[Time]) -> Option<(u64, i64)> {
    let nanos = |time: Time| time.seconds.checked_mul(1_000_000_000)?.checked_add(i64::from(time.nanos));
    let readings = times.windows(3).step_by(2).filter_map(|reading| match *reading {
        [before, adapter, after] => Some((nanos(before)?, nanos(adapter)?, nanos(after)?)),
        _ => None,
    });
    // A step of the system's clock between two readings makes the time between them negative.
    let (before, adapter, after) = readings
        .filter(|(before, _, after)| after >= before)
        .min_by_key(|(before, _, after)| after.saturating_sub(*before))?;
    Some((u64::try_from(adapter).ok()?, i64::midpoint(before, after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(nanos: i64) -> Time {
        Time {
            seconds: nanos / 1_000_000_000,
            nanos: u32::try_from(nanos % 1_000_000_000).unwrap(),
            reserved: 0,
        }
    }

    #[test]
    fn the_reading_that_took_least_time_counts() {
        let times = [1_000, 70_000, 5_000, 71_000, 5_010, 90_000, 30_000].map(time);
        assert_eq!(closest(&times), Some((71_000, 5_005)));
    }

    #[test]
    fn a_clock_that_was_set_back_in_between_does_not_count() {
        let times = [9_000, 70_000, 5_000, 71_000, 6_000].map(time);
        assert_eq!(closest(&times), Some((71_000, 5_500)));
        assert_eq!(closest(&times[..3]), None);
    }

    #[test]
    fn absurd_times_are_left_out() {
        let absurd = Time { seconds: i64::MAX, nanos: 0, reserved: 0 };
        assert_eq!(closest(&[absurd; 3]), None);
    }
}
