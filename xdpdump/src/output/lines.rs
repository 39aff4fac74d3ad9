//! Packets as lines, whatever the lines look like.

use std::{os::fd::BorrowedFd, time::Instant};

use super::{Error, Fault, Medium, Sink};
use crate::packet::{Interface, InterfaceStatistics, Packet};

/// The buffer is written when it holds this many bytes.
const BUFFER: usize = 64 * 1024;
/// Room for a last line behind a buffer that was not yet full; longer ones let the buffer grow.
const LINE: usize = 4 * 1024;

/// Makes lines of packets.
pub trait Printer {
    /// Takes note of an interface; the first has index 0, the next 1, and so on.
    fn interface(&mut self, interface: &Interface);

    /// Appends everything about one packet to `out`, newline included.
    fn print(&mut self, out: &mut Vec<u8>, packet: &Packet<'_>);
}

/// Prints packets into a medium.
pub struct Lines<W: Medium, P> {
    medium: W,
    name: String,
    printer: P,
    /// Write every packet as soon as it is printed.
    packet_flush: bool,
    buffer: Vec<u8>,
    /// A write was interrupted: lines are only collected until the next flush.
    interrupted: bool,
    /// Where the lines of each packet in the buffer end.
    ends: Vec<usize>,
    /// Packets whose lines were not written completely.
    unwritten: u64,
}

impl<W: Medium, P: Printer> Lines<W, P> {
    /// Creates a sink that prints into `medium`, which error messages call `name`.
    pub(super) fn of(printer: P, medium: W, name: impl Into<String>, packet_flush: bool) -> Self {
        Self {
            medium,
            name: name.into(),
            printer,
            packet_flush,
            buffer: Vec::with_capacity(BUFFER + LINE),
            interrupted: false,
            ends: Vec::new(),
            unwritten: 0,
        }
    }

    /// Removes the first `written` bytes from the buffer.
    fn take_off(&mut self, written: usize) {
        self.buffer.drain(..written);
        self.ends.retain_mut(|end| {
            let is_left = *end > written;
            *end = end.saturating_sub(written);
            is_left
        });
    }

    /// Writes the whole buffer, or a part of it if the write is interrupted.
    fn write_buffer(&mut self) -> Result<(), Error> {
        let mut written = 0;
        while let Some(rest) = self.buffer.get(written..).filter(|rest| !rest.is_empty()) {
            match self.medium.write(rest) {
                Ok(count) => written += count,
                Err(Fault::Interrupted) => {
                    self.interrupted = true;
                    self.take_off(written);
                    return Ok(());
                }
                Err(fault) => {
                    self.take_off(written);
                    self.unwritten += self.ends.len() as u64;
                    self.ends.clear();
                    self.buffer.clear();
                    return Err(self.error(fault));
                }
            }
        }
        self.buffer.clear();
        self.ends.clear();
        Ok(())
    }

    fn error(&self, fault: Fault) -> Error {
        Error::from_fault(fault, self.name.clone())
    }
}

impl<W: Medium, P: Printer> Sink for Lines<W, P> {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.printer.interface(interface);
        Ok(())
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        self.printer.print(&mut self.buffer, packet);
        self.ends.push(self.buffer.len());
        if !self.interrupted && (self.packet_flush || self.buffer.len() >= BUFFER) {
            self.write_buffer()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.interrupted = false;
        self.write_buffer()
    }

    fn unwritten(&self) -> u64 {
        self.unwritten
    }

    fn finish(&mut self, _statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        self.flush()
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.medium.watch(each);
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.medium.look_after(say).map_err(|fault| self.error(fault))
    }

    fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> Result<(), Error> {
        self.medium.interrupted_by(interrupt).map_err(|error| self.error(error.into()))
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    fn end_by(&mut self, deadline: Instant) {
        self.interrupted = false;
        self.medium.end_by(deadline);
    }
}
