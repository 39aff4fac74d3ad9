//! Hands each packet to several sinks.

use std::{
    ops::ControlFlow,
    os::fd::BorrowedFd,
    path::Path,
    time::{Duration, Instant},
};

use super::{BlockSink, Cause, Error, Sink};
use crate::packet::{Block, Interface, InterfaceStatistics, Packet, Timestamp};

/// Several sinks, each of which gets every packet. A call ends with the first error.
#[derive(Default)]
pub struct Fanout(Vec<Box<dyn Sink>>);

impl Fanout {
    /// Adds a sink.
    pub fn push(&mut self, sink: Box<dyn Sink>) {
        self.0.push(sink);
    }
}

impl Sink for Fanout {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|sink| sink.interface(interface))
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|sink| sink.packet(packet))
    }

    fn block(&mut self, block: &Block<'_>) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|sink| sink.block(block))
    }

    /// Only a lone sink can take encoded blocks: several sinks may each need another form.
    fn is_block_sink(&self) -> bool {
        matches!(self.0.as_slice(), [only] if only.is_block_sink())
    }

    fn as_block_sink(&mut self) -> Option<&mut dyn BlockSink> {
        match self.0.as_mut_slice() {
            [only] => only.as_block_sink(),
            _ => None,
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|sink| sink.flush())
    }

    fn patience(&self) -> Duration {
        self.0.iter().map(|sink| sink.patience()).min().unwrap_or(super::PATIENCE)
    }

    fn accepted(&self) -> u64 {
        self.0.iter().map(|sink| sink.accepted()).sum()
    }

    fn current_file(&self) -> Option<(&Path, u64)> {
        self.0.iter().find_map(|sink| sink.current_file())
    }

    /// The count of the sink that lost the most packets.
    fn unwritten(&self) -> u64 {
        self.0.iter().map(|sink| sink.unwritten()).max().unwrap_or(0)
    }

    /// Finishes every sink, even when one of them fails; returns the first error.
    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        self.0.iter_mut().map(|sink| sink.finish(statistics)).fold(Ok(()), Result::and)
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.0.iter().for_each(|sink| sink.watch(each));
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|sink| sink.look_after(say))
    }

    fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|sink| sink.interrupted_by(interrupt))
    }

    fn is_interrupted(&self) -> bool {
        self.0.iter().any(|sink| sink.is_interrupted())
    }

    fn end_by(&mut self, deadline: Instant) {
        self.0.iter_mut().for_each(|sink| sink.end_by(deadline));
    }

    fn tell(&mut self, say: &mut dyn FnMut(&str)) {
        self.0.iter_mut().for_each(|sink| sink.tell(say));
    }

    fn due(&self) -> Option<Timestamp> {
        self.0.iter().filter_map(|sink| sink.due()).min()
    }

    fn clock(&mut self, now: Timestamp) -> Result<ControlFlow<String>, Error> {
        for sink in &mut self.0 {
            if let end @ ControlFlow::Break(_) = sink.clock(now)? {
                return Ok(end);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn hang_up(&mut self, now: Timestamp) -> Result<bool, Error> {
        self.0.iter_mut().try_fold(false, |wanted, sink| Ok(sink.hang_up(now)? || wanted))
    }

    fn dump(&mut self, now: Timestamp, cause: Cause) -> bool {
        // Each of them is asked.
        self.0.iter_mut().filter_map(|sink| sink.dump(now, cause).then_some(())).count() > 0
    }

    fn wants_totals(&self) -> bool {
        self.0.iter().any(|sink| sink.wants_totals())
    }

    fn totals(&mut self, totals: &[InterfaceStatistics]) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|sink| sink.totals(totals))
    }
}
