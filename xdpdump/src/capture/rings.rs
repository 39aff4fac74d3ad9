//! The rings of all CPUs of one probe.

use std::{
    fs, io,
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd},
};

use super::{Error, cpus};
use crate::{
    clock::monotonic,
    order,
    probe::Probe,
    transport::{
        event::Event,
        perf::{Counts, Ring, Wakeup, data_size},
    },
};

/// How long a CPU may take from stamping an event to showing it. Events younger than this wait for the next round, so that
/// one that another CPU is still writing can come before them.
const HORIZON_NANOS: u64 = 1_000_000;

/// A ring for every online CPU.
pub struct Rings {
    each: Vec<Ring>,
    /// Bytes of each.
    data_len: usize,
    immediate: bool,
    /// Of rings that are gone with their CPU.
    retired: Counts,
}

impl Rings {
    /// Opens a ring for every online CPU and connects it to the probe: `buffer` bytes together, or a share of the machine's
    /// memory.
    ///
    /// # Errors
    /// When the kernel gives no ring that large.
    pub fn open(probe: &Probe, buffer: Option<u64>, immediate: bool) -> Result<Self, Error> {
        let cpus = cpus::online().map_err(Error::Cpus)?;
        let each = buffer.unwrap_or_else(|| default_buffer(cpus.len())) / cpus.len().max(1) as u64;
        let data_len = data_size(usize::try_from(each).unwrap_or(usize::MAX >> 1));
        let mut rings = Self { each: Vec::new(), data_len, immediate, retired: Counts::default() };
        for cpu in cpus {
            rings.add(probe, cpu)?;
        }
        Ok(rings)
    }

    fn add(&mut self, probe: &Probe, cpu: u32) -> Result<(), Error> {
        let wakeup =
            if self.immediate { Wakeup::EveryFrame } else { Wakeup::Bytes(wakeup_bytes(self.data_len)) };
        let ring = Ring::open(cpu, self.data_len, wakeup)
            .and_then(|ring| probe.set_ring(cpu, ring.as_fd()).map(|()| ring))
            .map_err(|source| Error::Ring { cpu, kib: self.data_len >> 10, source })?;
        self.each.push(ring);
        Ok(())
    }

    /// Opens rings for CPUs that came online, and closes those of CPUs that went offline, after they were read to the end.
    ///
    /// # Errors
    /// When the kernel gives no ring for a new CPU.
    pub fn follow_cpus(&mut self, probe: &Probe) -> Result<(), Error> {
        let online = cpus::online().map_err(Error::Cpus)?;
        let retired = &mut self.retired;
        self.each.retain(|ring| {
            if online.contains(&ring.cpu()) || ring.has_events() {
                return true;
            }
            // Not connected any more is as good.
            let _ = probe.unset_ring(ring.cpu());
            *retired = *retired + ring.counts();
            false
        });
        for cpu in online {
            if self.each.iter().all(|ring| ring.cpu() != cpu) {
                self.add(probe, cpu)?;
            }
        }
        Ok(())
    }

    /// Hands what the rings hold to `use_event`, in the order of time, until it breaks. Without `to_the_end`, the events of
    /// the last moment stay; the result says whether any did.
    pub fn read<B>(
        &mut self,
        to_the_end: bool,
        use_event: impl FnMut(Event<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B, bool> {
        // Time first, rings second: what is older than the horizon is in the rings by then.
        let alone = self.each.len() == 1;
        let now = monotonic();
        let limit = if to_the_end || alone { u64::MAX } else { now.saturating_sub(HORIZON_NANOS) };
        let mut batches: Vec<_> = self.each.iter_mut().map(Ring::batch).collect();
        order::merge(&mut batches, limit, use_event)?;
        ControlFlow::Continue(batches.iter_mut().any(|batch| order::Source::next_time(batch).is_some()))
    }

    /// What was read from all rings.
    pub fn counts(&self) -> Counts {
        self.each.iter().fold(self.retired, |sum, ring| sum + ring.counts())
    }

    /// The descriptors to poll.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.each.iter().map(AsFd::as_fd)
    }
}

/// Wake up when a quarter is full, but not later than it takes for a good write.
fn wakeup_bytes(data_len: usize) -> u32 {
    (data_len / 4).min(512 << 10) as u32
}

/// 8 MiB a CPU, but at most 1/32 of the machine's memory together.
fn default_buffer(cpus: usize) -> u64 {
    let wanted = cpus as u64 * (8 << 20);
    total_memory().map_or(wanted, |memory| wanted.min(memory / 32))
}

/// Bytes of memory of the machine.
fn total_memory() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    text.lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        })
        .map(|kib| kib << 10)
        .ok_or_else(|| io::Error::other("/proc/meminfo has no MemTotal"))
}
