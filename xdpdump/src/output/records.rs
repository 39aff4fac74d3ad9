//! Collects whole records, writes them to a medium, counts those that are lost, and cuts the file back to the last whole
//! record when a write fails.

use std::{
    collections::VecDeque,
    io::{self, Write},
    os::fd::BorrowedFd,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    output::{
        Error,
        medium::{Change, Fault, Medium},
        record::Framing,
    },
    packet::ByteOrder,
};

/// Bytes that are collected before they are written in one system call.
const FULL: usize = 1 << 20;
/// Extra room for the record that crosses [`FULL`], so that the buffer does not grow again and again.
const ROOM: usize = 1 << 19;
/// Encoded records of at least this many bytes are written directly, without a copy into the buffer.
const DIRECT: usize = 64 << 10;

/// A buffered destination of whole records.
///
/// Bytes are written only by [`Output::flush`] and when the buffer is full. If a write is interrupted while it waits, the
/// rest stays in the buffer, and this is not an error. After a failed write a regular file is cut back to its last whole
/// record, and every later call fails without writing.
pub struct Output {
    name: String,
    medium: Box<dyn Medium>,
    framing: Framing,
    /// The byte order of numbers in the first record of the buffer.
    order: ByteOrder,
    /// Byte orders that begin after so many bytes of records.
    orders: VecDeque<(u64, ByteOrder)>,
    /// Records to be written; begins with a record.
    buffer: Vec<u8>,
    /// Bytes at the beginning of the buffer that are already written: a part of its first record.
    sent: usize,
    /// A write was interrupted: packets are only collected until the next flush.
    interrupted: bool,
    /// No whole record has been written yet.
    file_start: bool,
    failure: Option<Failure>,
    /// Bytes of whole records that were written.
    written: u64,
    /// Packets that were accepted and are not in the file.
    unwritten: u64,
}

/// Why every later write fails.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Closed,
    TooLate,
    Changed(Change),
    Write {
        kind: io::ErrorKind,
        code: Option<i32>,
        /// The file ends within a record, because the partial record could not be removed.
        cut: bool,
    },
}

impl Output {
    /// Creates an output that writes to `medium`. Messages call it `name`: the path, or "standard output".
    pub fn new(name: String, medium: Box<dyn Medium>, framing: Framing) -> Self {
        Self {
            name,
            medium,
            framing,
            order: ByteOrder::NATIVE,
            orders: VecDeque::new(),
            buffer: Vec::with_capacity(FULL + ROOM),
            sent: 0,
            interrupted: false,
            file_start: true,
            failure: None,
            written: 0,
            unwritten: 0,
        }
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes that the records take which were accepted, whether they are written or not.
    pub fn accepted(&self) -> u64 {
        self.medium.stored(self.written + self.buffer.len() as u64)
    }

    /// As [`Sink::patience`](super::Sink::patience).
    pub fn patience(&self) -> Duration {
        self.medium.patience()
    }

    /// Gives the file another name, under which another file may be replaced.
    ///
    /// # Errors
    /// [`Error::Busy`], and [`Error::Open`] when it cannot have that name.
    pub fn rename(&mut self, path: &Path) -> Result<(), Error> {
        let name = path.display().to_string();
        match self.medium.rename(path) {
            Ok(()) => self.name = name,
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => return Err(Error::Busy(name)),
            Err(error) => return Err(Error::Open(name, error)),
        }
        Ok(())
    }

    /// Deletes the file, to which nothing may be written any more.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn remove(&mut self) -> Result<(), Error> {
        self.medium.remove().map_err(|error| Error::Write(self.name.clone(), error))
    }

    /// Packets that were accepted and are missing from the file because a write failed.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// From the next record on, numbers have this byte order. Without a call, they have that of this machine.
    pub fn begin_section(&mut self, order: ByteOrder) {
        let last = self.orders.back().map_or(self.order, |(_, order)| *order);
        if order != last {
            self.orders.push_back((self.written + self.buffer.len() as u64, order));
        }
    }

    /// The byte order of a record behind so many bytes.
    fn order_at(&self, place: u64) -> ByteOrder {
        let begun = self.orders.iter().take_while(|(begin, _)| *begin <= place);
        begun.last().map_or(self.order, |(_, order)| *order)
    }

    /// Appends one record, which `encode` appends to the buffer.
    ///
    /// # Errors
    /// As [`Output::flush`].
    pub fn record(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        self.usable()?;
        encode(&mut self.buffer);
        if self.buffer.len() >= FULL && !self.interrupted { self.write_buffer() } else { Ok(()) }
    }

    /// Appends whole records that are already encoded: a large number of bytes is written directly, a small number goes
    /// into the buffer.
    ///
    /// # Errors
    /// As [`Output::flush`].
    pub fn records(&mut self, records: &[u8]) -> Result<(), Error> {
        if records.len() >= DIRECT && !self.interrupted {
            if let Err(error) = self.write_buffer() {
                self.unwritten += self.framing.packets(records, false, self.order);
                return Err(error);
            }
            if self.buffer.is_empty() {
                let whole = self.write_records(records)?;
                self.buffer.extend_from_slice(records.get(whole..).unwrap_or_default());
                return Ok(());
            }
        }
        self.record(|buffer| buffer.extend_from_slice(records))
    }

    /// Writes everything collected, unless the write is interrupted.
    ///
    /// # Errors
    /// [`Error::Closed`], [`Error::TooLate`], [`Error::Changed`], [`Error::Write`] and [`Error::Cut`].
    pub fn flush(&mut self) -> Result<(), Error> {
        self.interrupted = false;
        self.write_buffer()
    }

    /// Writes everything collected, and finishes the medium.
    ///
    /// # Errors
    /// As [`Output::flush`].
    pub fn finish(&mut self) -> Result<(), Error> {
        self.flush()?;
        self.medium.finish().or_else(|fault| self.fail(fault, &[], 0))
    }

    /// As [`Sink::watch`](super::Sink::watch).
    pub fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.medium.watch(each);
    }

    /// As [`Sink::look_after`](super::Sink::look_after).
    ///
    /// # Errors
    /// As [`Output::flush`].
    pub fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.usable()?;
        let name = &self.name;
        let looked = self.medium.look_after(&mut |line| say(&format!("{name}: {line}")));
        match looked {
            Ok(()) => Ok(()),
            Err(fault) => {
                let buffer = std::mem::take(&mut self.buffer);
                let sent = std::mem::take(&mut self.sent);
                self.fail(fault, &buffer, sent)
            }
        }
    }

    /// See [`Sink::is_interrupted`](super::Sink::is_interrupted).
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// As [`Sink::interrupted_by`](super::Sink::interrupted_by).
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> Result<(), Error> {
        self.medium.interrupted_by(interrupt).map_err(|error| Error::Write(self.name.clone(), error))
    }

    /// As [`Sink::end_by`](super::Sink::end_by).
    pub fn end_by(&mut self, deadline: Instant) {
        self.interrupted = false;
        self.medium.end_by(deadline);
    }

    fn write_buffer(&mut self) -> Result<(), Error> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.write_records(&buffer);
        match &result {
            Ok(whole) => drop(buffer.drain(..*whole)),
            Err(_) => buffer.clear(),
        }
        self.buffer = buffer;
        result.map(drop)
    }

    /// Writes `records`, the first of which may already be written in part. Returns how many bytes of whole records are
    /// written now: all of them, unless the write was interrupted.
    fn write_records(&mut self, records: &[u8]) -> Result<usize, Error> {
        self.usable()?;
        let mut written = std::mem::take(&mut self.sent);
        while let Some(rest) = records.get(written..).filter(|rest| !rest.is_empty()) {
            let first = self.file_start && written == 0;
            let whole = match self.medium.most() {
                most if rest.len() > most => {
                    let order = self.order_at(self.written + written as u64);
                    self.framing.whole(rest, most, first, order)
                }
                _ => 0,
            };
            let next = rest.get(..whole).filter(|next| !next.is_empty()).unwrap_or(rest);
            match self.medium.write(next) {
                Ok(0) => self.fail(Fault::Io(io::ErrorKind::WriteZero.into()), records, written)?,
                Ok(count) => written += count,
                Err(Fault::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(Fault::Interrupted) => {
                    self.interrupted = true;
                    break;
                }
                Err(fault) => self.fail(fault, records, written)?,
            }
        }
        let whole = match records.len() {
            all if all == written => all,
            _ => self.framing.whole(records, written, self.file_start, self.order),
        };
        self.file_start &= whole == 0;
        self.written += whole as u64;
        self.order = self.order_at(self.written);
        while self.orders.front().is_some_and(|(begin, _)| *begin <= self.written) {
            self.orders.pop_front();
        }
        self.sent = written - whole;
        self.medium.set_partial(self.sent as u64);
        Ok(whole)
    }

    /// Fails if an earlier write failed.
    fn usable(&self) -> Result<(), Error> {
        let name = || self.name.clone();
        match self.failure {
            None => Ok(()),
            Some(Failure::Closed) => Err(Error::Closed(name())),
            Some(Failure::TooLate) => Err(Error::TooLate(name())),
            Some(Failure::Changed(change)) => Err(Error::Changed(name(), change)),
            Some(Failure::Write { kind, code, cut }) => {
                let error = code.map_or_else(|| kind.into(), io::Error::from_raw_os_error);
                Err(if cut { Error::Cut(name(), error) } else { Error::Write(name(), error) })
            }
        }
    }

    /// Remembers `fault`, and removes the one of `records` that was written only in part.
    fn fail(&mut self, fault: Fault, records: &[u8], written: usize) -> Result<(), Error> {
        let whole = self.framing.whole(records, written, self.file_start, self.order);
        let rest = records.get(whole..).unwrap_or_default();
        self.unwritten += self.framing.packets(
            rest,
            self.file_start && whole == 0,
            self.order_at(self.written + whole as u64),
        );
        let partial = written.saturating_sub(whole);
        // This fails, for example, when the file system became read-only.
        let cut = partial > 0 && self.medium.take_back(partial as u64).is_err();
        self.failure = Some(match fault {
            Fault::Closed => Failure::Closed,
            // A fault that is `Interrupted` here is at the end, where nothing tries again.
            Fault::TooLate | Fault::Interrupted => Failure::TooLate,
            Fault::Changed(change) => Failure::Changed(change),
            Fault::Io(error) => Failure::Write { kind: error.kind(), code: error.raw_os_error(), cut },
        });
        self.usable()
    }
}

/// Adds the pieces of a record to the buffer; [`Output::flush`] writes them.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// When a capture ends early because of an error elsewhere, the packets accepted until then are still written.
impl Drop for Output {
    fn drop(&mut self) {
        // The error that ended the capture is reported instead of this one.
        let _ = self.write_buffer();
    }
}
