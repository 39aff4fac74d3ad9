//! The mapped rings of all CPUs.

use std::{
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd},
    time::Duration,
};

use xdpdump_ebpf::Counters;

use super::ring::Ring;
use crate::{
    cpus,
    order::{self, Receiver},
    probe::Probe,
    transport::{Counts, Error, HORIZON},
};

/// How long to sleep while frames arrive: the doorbell costs an interrupt, so it is for the first frame after a pause and
/// for a ring that fills up sooner.
const PACE: Duration = Duration::from_millis(2);

/// How long to sleep while a ring fills up with frames that are too young to be written.
const HURRY: Duration = Duration::from_micros(100);

/// A ring for every CPU that has room in the map.
pub struct Rings {
    each: Vec<Ring>,
    /// Bytes of each.
    ring_len: usize,
    immediate: bool,
}

/// Longest ring of a CPU, in bytes: the verifier wants offsets into a map's value below 512 MiB (`BPF_MAX_VAR_OFF`,
/// include/linux/bpf_verifier.h), and records may lie behind the ring's end.
pub const MAX_RING_LEN: usize = 256 << 20;

/// The largest ring of at most `bytes`: a power of two, and room for some of the longest records.
pub fn ring_len(bytes: usize) -> usize {
    // A page in front, slack behind: half of what is asked for must still be a ring.
    1 << bytes.clamp(512 << 10, MAX_RING_LEN).ilog2()
}

impl Rings {
    /// Maps the ring of every online CPU and connects its doorbell.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub fn open(probe: &Probe, ring_len: usize, immediate: bool) -> Result<Self, Error> {
        let online = cpus::online().map_err(Error::Cpus)?;
        let mut rings = Self { each: Vec::new(), ring_len, immediate };
        for cpu in online {
            rings.add(probe, cpu)?;
        }
        Ok(rings)
    }

    fn add(&mut self, probe: &Probe, cpu: u32) -> Result<(), Error> {
        let ring = Ring::open(probe.rings()?, cpu, self.ring_len)
            .and_then(|ring| probe.set_ring(cpu, ring.as_fd()).map(|()| ring))
            .map_err(|source| Error::Ring { cpu, kib: self.ring_len >> 10, source })?;
        self.each.push(ring);
        Ok(())
    }

    /// See [`transport::Rings::read`](crate::transport::Rings::read).
    pub fn read<R: Receiver>(&mut self, to_the_end: bool, receiver: &mut R) -> ControlFlow<R::End, bool> {
        // Time first, rings second: what is older than the limit is in the rings by then.
        let limit = order::limit(to_the_end || self.each.len() == 1);
        let mut batches: Vec<_> = self.each.iter_mut().map(Ring::batch).collect();
        order::merge(&mut batches, limit, receiver)
    }

    /// See [`transport::Rings::prepare_sleep`](crate::transport::Rings::prepare_sleep).
    pub fn prepare_sleep(&mut self, quiet: bool, events_left: bool) -> Option<Duration> {
        // Events left are no reason to wake up, but a ring that fills up meanwhile is.
        let patient = events_left || !quiet && !self.immediate;
        let bytes = if patient { u64::MAX } else { 1 };
        // Every doorbell is to be set, also when one of the rings has something already.
        let waiting =
            self.each.iter_mut().filter_map(|ring| ring.ring_doorbell_at(bytes).then_some(())).count();
        match (events_left, waiting) {
            (true, 0) => Some(HORIZON),
            (true, _) => Some(HURRY),
            (false, 0) => Some(if patient { PACE } else { Duration::MAX }),
            (false, _) => None,
        }
    }

    /// See [`transport::Rings::follow_cpus`](crate::transport::Rings::follow_cpus). The memory of a CPU that is offline stays:
    /// it may come back. The map has no room for CPUs beyond those of the start; their frames are counted as lost.
    ///
    /// # Errors
    /// When the kernel gives no doorbell for a CPU.
    pub fn follow_cpus(&mut self, probe: &Probe) -> Result<(), Error> {
        let online = cpus::online().map_err(Error::Cpus)?;
        for ring in &mut self.each {
            if online.contains(&ring.cpu()) && !ring.has_doorbell() {
                ring.renew_doorbell()
                    .and_then(|()| probe.set_ring(ring.cpu(), ring.as_fd()))
                    .map_err(|source| Error::Ring { cpu: ring.cpu(), kib: self.ring_len >> 10, source })
                    .or_else(Error::unless_offline)?;
            }
        }
        for &cpu in online.range(..probe.ring_count()) {
            if self.each.iter().all(|ring| ring.cpu() != cpu) {
                self.add(probe, cpu).or_else(Error::unless_offline)?;
            }
        }
        Ok(())
    }

    /// What was read from all rings.
    pub fn counts(&self) -> Counts {
        self.each.iter().fold(Counts::default(), |sum, ring| sum + ring.counts())
    }

    /// What the program counted on all CPUs.
    pub fn counters(&self) -> Counters {
        self.each.iter().map(Ring::counters).fold(Counters::default(), |sum, cpu| Counters {
            seen: sum.seen + cpu.seen,
            emitted: sum.emitted + cpu.emitted,
            failed: sum.failed + cpu.failed,
        })
    }

    /// The descriptors to poll.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.each.iter().map(AsFd::as_fd)
    }
}
