//! One packet to several sinks.

use super::{Error, Sink};
use crate::packet::{Interface, InterfaceStatistics, Packet};

/// Sinks that all get everything; the first error ends the call.
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

    fn flush(&mut self) -> Result<(), Error> {
        self.0.iter_mut().try_for_each(|sink| sink.flush())
    }

    /// Finishes every sink, also when one of them fails.
    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        self.0.iter_mut().map(|sink| sink.finish(statistics)).fold(Ok(()), Result::and)
    }
}
