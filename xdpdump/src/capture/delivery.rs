//! From events to packets in the sink.

use std::{
    ops::ControlFlow,
    os::fd::{AsFd, BorrowedFd},
};

use super::{Error, Totals};
use crate::{
    clock::{Clock, Sample, monotonic},
    order::Receiver,
    output::{self, Sink},
    packet::{Direction, InterfaceStatistics, Meta, Packet, Timestamp},
    sys::clock::StepWatch,
    transport::event::Event,
};

/// Why a capture ends.
pub enum End {
    /// A signal: what the rings hold is still wanted.
    Stopped,
    /// Enough packets, or a closed pipe: what the rings hold is not.
    Enough,
    /// Something failed.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for End {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Output(output::Error::Closed(_)) => Self::Enough,
            error => Self::Failed(error),
        }
    }
}

/// Gives events their wall-clock time and hands them to the sink.
pub struct Delivery<'a> {
    sink: &'a mut dyn Sink,
    clock: Clock,
    /// Says when the wall clock is set; none where the kernel has no such timer.
    steps: Option<StepWatch>,
    snap_len: u32,
    limit: Option<u64>,
    captured: u64,
    /// Packets that were earlier than the one before them.
    late: u64,
    last: u64,
    start: Timestamp,
}

impl<'a> Delivery<'a> {
    /// Delivers at most `limit` packets, with at most `snap_len` bytes of each, of a capture that begins at `start`.
    pub fn new(sink: &'a mut dyn Sink, start: Sample, snap_len: u32, limit: Option<u64>) -> Self {
        let mut clock = Clock::new(start);
        let start = clock.wall(start.monotonic);
        let steps = StepWatch::new().ok();
        Self { sink, clock, steps, snap_len, limit, captured: 0, late: 0, last: 0, start }
    }

    /// Packets delivered so far.
    pub fn captured(&self) -> u64 {
        self.captured
    }

    /// Packets that were earlier than the one before them.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Compares the clocks again when it is time, or when the descriptor below `can_be_read`.
    pub fn follow_clock(&mut self, can_be_read: bool) {
        if can_be_read || self.clock.is_due(monotonic()) {
            // First this, then the clocks: a step between the two is noticed the next time.
            let stepped = self.steps.as_ref().is_some_and(StepWatch::has_stepped);
            self.clock.follow(Sample::take(), stepped);
        }
    }

    /// What can be read when the wall clock was set.
    pub fn clock_descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.steps.as_ref().map(AsFd::as_fd)
    }

    /// Hands everything delivered to the operating system.
    pub fn flush(&mut self) -> Result<(), output::Error> {
        self.sink.flush()
    }

    /// Packets delivered that a failed write kept out of the output.
    pub fn unwritten(&self) -> u64 {
        self.sink.unwritten()
    }

    /// Writes what belongs at the end of the output.
    pub fn finish(&mut self, totals: Totals) -> Result<(), output::Error> {
        let end = self.clock.wall(monotonic());
        self.sink.finish(&[InterfaceStatistics {
            interface: 0,
            start: self.start,
            end,
            received: totals.received,
            accepted: totals.received,
            dropped: totals.dropped,
            delivered: totals.captured,
        }])
    }
}

impl Receiver for Delivery<'_> {
    type End = End;

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<End> {
        let timestamp = self.stamp(event.time);
        // A program on a NIC does not know the snap length.
        let kept = event.frame.len().min(self.snap_len as usize);
        let packet = Packet {
            timestamp,
            uptime: Some(event.time),
            interface: 0,
            frame: &event.frame[..kept],
            frame_len: event.frame_len,
            meta: Meta {
                direction: Direction::Inbound,
                queue: Some(event.queue),
                packet_id: event.packet_id(),
                verdict: event.verdict,
                lost: event.lost,
            },
        };
        if let Err(error) = self.sink.packet(&packet) {
            return ControlFlow::Break(error.into());
        }
        if self.limit == Some(self.captured) {
            return ControlFlow::Break(End::Enough);
        }
        ControlFlow::Continue(())
    }

    /// Not with a limit, which may end within a run of blocks.
    fn wants_blocks(&self) -> bool {
        self.limit.is_none() && self.sink.is_block_sink()
    }

    fn stamp(&mut self, time: u64) -> Timestamp {
        self.captured += 1;
        self.late += u64::from(time < self.last);
        self.last = self.last.max(time);
        self.clock.wall(time)
    }

    fn blocks(&mut self, blocks: &[u8]) -> ControlFlow<End> {
        match self.sink.as_block_sink().map(|sink| sink.blocks(blocks)) {
            Some(Err(error)) => ControlFlow::Break(error.into()),
            _ => ControlFlow::Continue(()),
        }
    }
}
