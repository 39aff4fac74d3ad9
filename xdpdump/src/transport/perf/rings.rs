//! The perf rings of all CPUs.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use super::{Batch, Ring, data_size, ring::Losses};
use crate::{
    cpus,
    order::Merge,
    sys::{
        bpf,
        perf_event::{self, Wakeup},
    },
    transport::{Counts, Error, Receiver, limit},
};

/// The kernel does not wake the reader while less than the watermark is waiting, so read the rings at this interval, which
/// is also how long packets may wait to be written.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A ring for every online CPU.
pub struct Rings {
    /// The perf event array in which programs find the rings.
    events: OwnedFd,
    each: Vec<Ring>,
    merge: Merge,
    /// Bytes of each ring.
    data_len: usize,
    immediate: bool,
    /// Counts of the rings that were closed because their CPU went offline.
    retired: Counts,
    /// The losses of the programs on those CPUs when their ring was closed.
    losses: BTreeMap<u32, Losses>,
}

impl Rings {
    /// Opens a ring for every online CPU and puts it into the perf event array `events`. All rings together have `buffer`
    /// bytes; without that, a share of the machine's memory, or less if the process may not lock that much.
    ///
    /// # Errors
    /// When the kernel refuses a ring of that size.
    pub fn open(events: BorrowedFd<'_>, buffer: Option<u64>, immediate: bool) -> Result<Self, Error> {
        let online = cpus::online().map_err(Error::Cpus)?;
        let bytes = buffer.unwrap_or_else(|| cpus::default_buffer(online.len()));
        let mut data_len = data_size(cpus::share(bytes, online.len()));
        loop {
            let rings = Self::open_on(events, &online, data_len, immediate);
            let smaller = data_size(data_len / 2);
            match rings {
                // Without CAP_IPC_LOCK rings count against RLIMIT_MEMLOCK. The user did not ask for this size, so try a
                // smaller one.
                Err(Error::Ring { ref source, .. })
                    if buffer.is_none() && is_not_permitted(source) && smaller < data_len =>
                {
                    data_len = smaller;
                }
                result => return result,
            }
        }
    }

    fn open_on(
        events: BorrowedFd<'_>,
        online: &BTreeSet<u32>,
        data_len: usize,
        immediate: bool,
    ) -> Result<Self, Error> {
        let mut rings = Self {
            events: events.try_clone_to_owned().map_err(Error::Descriptor)?,
            each: Vec::new(),
            merge: Merge::default(),
            data_len,
            immediate,
            retired: Counts::default(),
            losses: BTreeMap::new(),
        };
        let mut absent = None;
        for &cpu in online {
            match rings.add(cpu) {
                Err(error) if error.is_absent() => absent = Some(error),
                result => result?,
            }
        }
        match absent {
            Some(error) if rings.each.is_empty() => Err(error),
            _ => Ok(rings),
        }
    }

    fn add(&mut self, cpu: u32) -> Result<(), Error> {
        let wakeup =
            if self.immediate { Wakeup::EveryFrame } else { Wakeup::Bytes(wakeup_bytes(self.data_len)) };
        let event = perf_event::open(cpu, wakeup).map_err(|source| Error::perf_event(cpu, source))?;
        let ring = Ring::new(event, cpu, self.data_len)
            .and_then(|ring| bpf::set_ring(self.events.as_fd(), cpu, ring.as_fd()).map(|()| ring))
            .map_err(|source| Error::Ring { cpu, kib: self.data_len >> 10, source })?;
        self.each.push(ring.resume(self.losses.remove(&cpu).unwrap_or_default()));
        Ok(())
    }

    /// Opens rings for CPUs that came online, and closes the rings of CPUs that went offline after reading them to the end.
    /// A CPU that went offline and came back gets a new ring.
    ///
    /// # Errors
    /// When the kernel refuses a ring for a new CPU.
    pub fn follow_cpus(&mut self) -> Result<(), Error> {
        let online = cpus::online().map_err(Error::Cpus)?;
        let Self { events, retired, losses, .. } = self;
        self.each.retain_mut(|ring| {
            if ring.has_events() || online.contains(&ring.cpu()) && ring.is_running() {
                return true;
            }
            // This fails if the kernel has removed it already.
            let _ = bpf::unset_ring(events.as_fd(), ring.cpu());
            *retired = *retired + ring.counts();
            losses.insert(ring.cpu(), ring.losses().clone());
            false
        });
        for cpu in online {
            if self.each.iter().all(|ring| ring.cpu() != cpu) {
                match self.add(cpu) {
                    Err(error) if error.is_absent() => {}
                    result => result?,
                }
            }
        }
        Ok(())
    }

    /// See [`transport::Rings::read`](crate::transport::Rings::read).
    pub fn read<R: Receiver>(&mut self, to_the_end: bool, receiver: &mut R) -> ControlFlow<R::End, bool> {
        // Time first, rings second: what is older than the limit is in the rings by then.
        let limit = limit(to_the_end || self.each.len() == 1);
        let mut batches: Vec<Batch<'_>> = self.each.iter_mut().map(Ring::batch).collect();
        self.merge.run(&mut batches, limit, |batch, until| batch.drain_until(until, receiver))
    }

    /// The longest time to sleep.
    pub fn longest_sleep(&self) -> Duration {
        if self.immediate { Duration::MAX } else { LOOK_EVERY }
    }

    /// Counts of what was read from all rings.
    pub fn counts(&self) -> Counts {
        self.each.iter().fold(self.retired, |sum, ring| sum + ring.counts())
    }

    /// The descriptors to poll.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.each.iter().map(AsFd::as_fd)
    }
}

/// The watermark: a quarter of the ring, but no more than is efficient for one write.
fn wakeup_bytes(data_len: usize) -> u32 {
    (data_len / 4).min(512 << 10) as u32
}

fn is_not_permitted(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EPERM)
}
