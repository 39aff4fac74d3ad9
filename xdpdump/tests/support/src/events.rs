//! Events taken out of rings as a test wants them.

use std::{convert::Infallible, ops::ControlFlow};

use xdpdump::{
    packet::Timestamp,
    transport::{Receiver, event::Event},
};

/// Hands each event of a single source to a function, and never stops.
#[derive(Debug)]
pub struct Each<F>(pub F);

impl<F: FnMut(&Event<'_>)> Receiver for Each<F> {
    type End = Infallible;

    fn sources(&self) -> u32 {
        1
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<Infallible> {
        (self.0)(event);
        ControlFlow::Continue(())
    }

    fn wants_blocks(&self) -> bool {
        false
    }

    fn stamp(&mut self, _: u32, _: u64) -> Timestamp {
        unreachable!("only blocks are stamped")
    }

    fn blocks(&mut self, _: &[u8]) -> ControlFlow<Infallible> {
        unreachable!("it takes events")
    }
}
