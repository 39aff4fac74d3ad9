//! Turns events into packets and hands them to the sink.

use std::{
    num::NonZeroU64,
    ops::{ControlFlow, RangeInclusive},
    os::fd::{AsFd, BorrowedFd},
    rc::Rc,
};

use super::{
    Totals,
    connect::{self, Source},
    ending::{End, Ending},
    statistics::{Read, Verdicts},
};
use crate::{
    clock::{Clock, Sample, monotonic},
    output::{self, Cause, Sink},
    packet::{Direction, InterfaceStatistics, Meta, PASS, Packet, Timestamp},
    selection::{Choice, Selection, Selections, Selector},
    sys::{clock::StepWatch, ptp::PtpClock},
    transport::{Receiver, event::Event},
};

/// Number of packets after which the sink is asked whether a signal interrupted it: few enough to keep in memory if it was.
const LOOK_FOR_INTERRUPT: u64 = 64;

/// Gives events their wall-clock time and hands them to the sink as packets.
pub struct Delivery<'a> {
    sink: &'a mut dyn Sink,
    clock: Clock,
    /// Notices when the wall clock is set; `None` if the kernel has no such timer.
    steps: Option<StepWatch>,
    /// Ordered by source number, which is also the interface id in the sink.
    sources: Vec<SourceDelivery>,
    /// Which packets make the sink write what it keeps.
    triggers: Option<Selections>,
    limit: Option<u64>,
    captured: u64,
    /// Packets with a time stamp before that of the packet before them.
    late: u64,
    last: u64,
    start: Timestamp,
}

/// The state of one source.
#[derive(Debug)]
struct SourceDelivery {
    /// The snap length in bytes.
    snap_len: u32,
    /// The direction of its frames.
    direction: Direction,
    /// What the program decides about each of its frames, if it is one of this capture.
    verdict: Option<u64>,
    /// Does the part of the selection that the kernel program does not do.
    selector: Selector,
    read: Read,
    verdicts: Verdicts,
    /// Accepts a packet that makes the sink write what it keeps.
    trigger: Option<Selector>,
    time: Time,
}

/// Whose time stamps the packets of a source have.
#[derive(Debug)]
enum Time {
    Host,
    Adapter(Option<AdapterClock>),
}

/// The clock of an adapter, and the wall clock as a function of it.
#[derive(Debug)]
struct AdapterClock {
    device: Rc<PtpClock>,
    clock: Clock,
}

impl Time {
    fn new(time: &connect::Time) -> Self {
        match time {
            connect::Time::Host => Self::Host,
            connect::Time::Adapter(converted) => {
                Self::Adapter(converted.as_ref().map(|(device, sample)| AdapterClock {
                    device: device.clone(),
                    clock: Clock::new(*sample),
                }))
            }
        }
    }

    /// The time of an event by the adapter's time stamp; `None` if the host's is wanted or the adapter's is not known.
    fn of(&mut self, stamp: Option<NonZeroU64>) -> Option<Timestamp> {
        match (self, stamp) {
            (Self::Adapter(Some(adapter)), Some(stamp)) => Some(adapter.clock.wall(stamp.get())),
            (Self::Adapter(None), Some(stamp)) => {
                Some(Timestamp(i64::try_from(stamp.get()).unwrap_or(i64::MAX)))
            }
            _ => None,
        }
    }

    /// Compares the clocks again.
    fn follow(&mut self) {
        if let Self::Adapter(Some(AdapterClock { device, clock })) = self
            // An adapter that has gone sends no more frames either.
            && let Ok(sample) = Sample::of_adapter(device)
        {
            clock.follow(sample, false);
        }
    }
}

impl<'a> Delivery<'a> {
    /// Delivers at most `limit` packets, of a capture that begins at `start`.
    pub fn new(sink: &'a mut dyn Sink, start: Sample, limit: Option<u64>) -> Self {
        let mut clock = Clock::new(start);
        let start = clock.wall(start.monotonic);
        let steps = StepWatch::new().ok();
        let (sources, triggers) = (Vec::new(), None);
        Self { sink, clock, steps, sources, triggers, limit, captured: 0, late: 0, last: 0, start }
    }

    /// A packet that these accept makes the sink write what it keeps. To be called before sources are added.
    pub fn trigger_on(&mut self, triggers: Option<Selections>) {
        self.triggers = triggers;
    }

    /// Delivers from one more source; returns its number.
    pub fn add(&mut self, source: &Source) -> Result<u32, output::Error> {
        self.sink.interface(&source.interface)?;
        let direction = source.attached.place.direction();
        self.sources.push(SourceDelivery {
            snap_len: source.interface.snap_len,
            direction,
            verdict: (source.beside.is_none() && direction == Direction::Inbound).then_some(PASS.into()),
            selector: Selector::new(source.attached.left.clone()),
            read: Read::default(),
            verdicts: Verdicts::default(),
            trigger: self.triggers.as_ref().and_then(|triggers| {
                // One that makes no sense for a link type matches none of its frames.
                triggers.of(source.interface.link_type).ok().cloned().map(Selector::new)
            }),
            time: Time::new(&source.time),
        });
        Ok(self.sources.len() as u32 - 1)
    }

    /// From now on, this is selected of the frames of a source.
    pub fn select(&mut self, source: u32, left: Selection) {
        if let Some(source) = self.sources.get_mut(source as usize) {
            source.selector.exchange(left);
        }
    }

    /// Number of sources.
    pub fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Packets delivered so far.
    pub fn captured(&self) -> u64 {
        self.captured
    }

    /// What was done so far with the frames of each source.
    pub fn read_of_each(&self) -> impl Iterator<Item = Read> {
        self.sources.iter().map(|source| source.read)
    }

    /// The verdicts on the captured packets of each source, where they are known; not for packets in whole blocks.
    pub fn verdicts_of_each(&self) -> impl Iterator<Item = Verdicts> {
        self.sources.iter().map(|source| source.verdicts)
    }

    /// Packets with a time stamp before that of the packet before them.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Compares the clocks again if that is due, or if the descriptor of [`Delivery::clock_descriptor`] `can_be_read`.
    pub fn follow_clock(&mut self, can_be_read: bool) {
        if can_be_read || self.clock.is_due(monotonic()) {
            // Checked before the clocks are read: a step between the two is noticed the next time.
            let stepped = self.steps.as_ref().is_some_and(StepWatch::has_stepped);
            self.clock.follow(Sample::take(), stepped);
            self.sources.iter_mut().for_each(|source| source.time.follow());
        }
    }

    /// A descriptor that becomes readable when the wall clock is set.
    pub fn clock_descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.steps.as_ref().map(AsFd::as_fd)
    }

    /// Passes everything that was delivered to the operating system.
    pub fn flush(&mut self) -> Result<(), output::Error> {
        self.sink.flush()
    }

    /// Calls `each` with the descriptors of the output that should be watched, see [`Sink::watch`].
    pub fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.sink.watch(each);
    }

    /// The sink that all packets go to.
    pub fn sink(&mut self) -> &mut dyn Sink {
        self.sink
    }

    /// Delivered packets that were lost because writing them failed.
    pub fn unwritten(&self) -> u64 {
        self.sink.unwritten()
    }

    /// Writes the end of the output: the totals of each source.
    pub fn finish(&mut self, totals: &[Totals]) -> Result<(), output::Error> {
        let statistics = self.statistics(totals);
        self.sink.finish(&statistics)
    }

    /// Writes the totals of each source so far, for a file that has ended.
    pub fn totals(&mut self, totals: &[Totals]) -> Result<(), output::Error> {
        let statistics = self.statistics(totals);
        self.sink.totals(&statistics)
    }

    fn statistics(&mut self, totals: &[Totals]) -> Vec<InterfaceStatistics> {
        let (start, end) = (self.start, self.clock.wall(monotonic()));
        let of_source = |(interface, totals): (u32, &Totals)| InterfaceStatistics {
            interface,
            start,
            end,
            received: totals.seen,
            accepted: totals.received,
            dropped: totals.dropped,
            delivered: totals.captured,
        };
        (0..).zip(totals).map(of_source).collect()
    }
}

impl Receiver for Delivery<'_> {
    type End = End;

    fn sources(&self) -> u32 {
        self.sources.len() as u32
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<End> {
        let Some(source) = self.sources.get_mut(event.source as usize) else {
            return ControlFlow::Continue(());
        };
        // A program on a NIC, and one that leaves the selection to user space, captures more than is wanted. A frame that needs
        // no selection is cut here, not below: then its pointer and its length are copied one by one. Copied together, just
        // after they were stored one by one, they would cost a stall of the CPU, half of the time spent on a small frame.
        let snap_len = source.snap_len as usize;
        let len = if source.selector.takes_everything() { snap_len } else { usize::MAX };
        let mut packet = Packet {
            timestamp: Timestamp::default(),
            uptime: Some(event.time),
            record: crate::packet::Record::None,
            interface: event.source,
            frame: event.frame.get(..len.min(event.frame.len())).unwrap_or_default(),
            frame_len: event.frame_len,
            meta: Meta {
                direction: source.direction,
                // A lean record does not say whether the frame was sent.
                queue: event.queue.filter(|_| source.direction == Direction::Inbound),
                packet_id: event.packet_id(),
                verdict: event.verdict.or(source.verdict),
                lost: event.lost,
                hash: event.adapter.hash,
                has_host_time: false,
            },
        };
        match source.selector.choose(&mut packet, Some(event.cpu)) {
            Choice::Taken => {}
            Choice::Filtered => {
                source.read.filtered += 1;
                return ControlFlow::Continue(());
            }
            Choice::Thinned => {
                source.read.thinned += 1;
                return ControlFlow::Continue(());
            }
        }
        let triggers = source
            .trigger
            .as_mut()
            .is_some_and(|trigger| trigger.choose(&mut packet.clone(), Some(event.cpu)) == Choice::Taken);
        // That the program of this capture passes every frame on is only for filters.
        packet.meta.verdict = event.verdict;
        if let Some(verdict) = event.verdict {
            source.verdicts.count(verdict);
        }
        packet.frame = packet.frame.get(..snap_len).unwrap_or(packet.frame);
        let adapters = source.time.of(event.adapter.time);
        if adapters.is_none() && matches!(source.time, Time::Adapter(_)) {
            source.read.unstamped += 1;
            packet.meta.has_host_time = true;
        }
        let hosts = self.stamp(event.source, event.time);
        packet.timestamp = adapters.unwrap_or(hosts);
        if let Err(error) = self.sink.packet(&packet) {
            return ControlFlow::Break(error.into());
        }
        if triggers {
            self.sink.dump(hosts, Cause::Trigger);
        }
        if self.captured.is_multiple_of(LOOK_FOR_INTERRUPT) && self.sink.is_interrupted() {
            return ControlFlow::Break(End::Interrupted);
        }
        if self.limit == Some(self.captured) {
            return ControlFlow::Break(End::Ended(Ending::Packets));
        }
        ControlFlow::Continue(())
    }

    /// Not with a packet limit, which may be reached in the middle of a run of blocks, and not if there is a selection.
    fn wants_blocks(&self) -> bool {
        self.limit.is_none()
            && self.sink.is_block_sink()
            && self
                .sources
                .iter()
                .all(|source| source.selector.takes_everything() && source.trigger.is_none())
    }

    fn stamp(&mut self, source: u32, time: u64) -> Timestamp {
        self.captured += 1;
        if let Some(source) = self.sources.get_mut(source as usize) {
            source.read.captured += 1;
        }
        self.late += u64::from(time < self.last);
        self.last = self.last.max(time);
        self.clock.wall(time)
    }

    fn offset(&self, now: u64) -> Option<u64> {
        self.clock.offset_from(now)
    }

    fn unread(&mut self, blocks: &[u8], count: u64, times: RangeInclusive<u64>) -> ControlFlow<End> {
        self.captured += count;
        if let Some(source) = self.sources.first_mut() {
            source.read.captured += count;
        }
        self.late += u64::from(*times.start() < self.last);
        self.last = self.last.max(*times.end());
        self.clock.wall(*times.end());
        self.blocks(blocks)
    }

    fn blocks(&mut self, blocks: &[u8]) -> ControlFlow<End> {
        match self.sink.as_block_sink().map(|sink| sink.blocks(blocks)) {
            Some(Err(error)) => ControlFlow::Break(error.into()),
            _ if self.sink.is_interrupted() => ControlFlow::Break(End::Interrupted),
            _ => ControlFlow::Continue(()),
        }
    }
}
