//! A flight recorder: the newest packets are in memory, and are written to a file when they are asked for.
//!
//! A dump is written a piece at a time, between the packets that come meanwhile, so that it does not hold them up for longer than
//! a write of a few MiB. What is still to be written is not given up: if packets come faster than a dump can be written, a
//! packet waits for the dump.

mod memory;
mod names;

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub use memory::Keep;
use memory::{Memory, Place};

use super::{
    BlockSink, Error, FileOptions, FileSink, Sink, Target, format, guardian::Guardian, pcapng::encode, record,
};
use crate::{
    packet::{Interface, InterfaceStatistics, Packet, Timestamp},
    sys::kernel,
};

/// Bytes of a dump that are written at once.
const PIECE: usize = 4 << 20;

/// Time between the beginnings of dumps that nobody asked for by himself: so a condition that holds all the time does not
/// fill the disk.
const BETWEEN: Duration = Duration::from_secs(10);

/// What is kept, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorder {
    /// How much is kept.
    pub keep: Keep,
    /// Packets of so much time after the request are written as well.
    pub after: Duration,
    /// Whether it is written when packets were lost.
    pub on_loss: bool,
}

/// Why packets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Somebody asked for it.
    Request,
    /// A packet that the user waits for.
    Trigger,
    /// Packets were lost.
    Loss,
}

impl Cause {
    fn words(self) -> &'static str {
        match self {
            Self::Request => "on request",
            Self::Trigger => "because of a packet that --trigger accepts",
            Self::Loss => "because packets were lost",
        }
    }
}

/// A sink that keeps the newest packets, and writes files of them.
pub struct RecorderSink {
    recorder: Recorder,
    path: PathBuf,
    options: FileOptions,
    guardian: Option<Guardian>,
    interfaces: Vec<Interface>,
    memory: Memory,
    /// A block that is being encoded.
    block: Vec<u8>,
    dump: Option<Dump>,
    /// Somebody asked while a dump was written.
    is_asked_again: bool,
    /// When the last dump began that nobody asked for.
    last: Option<Instant>,
    /// Bytes of finished files.
    finished: u64,
    /// Until when a dump has to be written.
    deadline: Option<Instant>,
    messages: Vec<String>,
}

/// A file that is written.
struct Dump {
    sink: Box<dyn FileSink>,
    path: PathBuf,
    cause: Cause,
    /// What is written next.
    place: Place,
    /// Where it ends; `None` while packets that come are for it, too.
    end: Option<Place>,
    /// Packets before this time are for it.
    until: Timestamp,
    /// Number of packets in it, by interface.
    packets: Vec<u64>,
    first: Option<Timestamp>,
    newest: Timestamp,
}

impl Dump {
    fn is_written(&self) -> bool {
        self.end.is_some_and(|end| self.place >= end)
    }

    /// Writes one piece of what the memory has.
    fn write(&mut self, memory: &Memory) -> Result<(), Error> {
        let rest = memory.from(self.place);
        let most = self.end.map_or(rest.len() as u64, |end| end.saturating_sub(self.place));
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(PIECE);
        let mut len = 0;
        while let Some(block) = rest.get(len..).and_then(record::packet_block).filter(|_| len < most) {
            if block.time >= self.until {
                self.end = Some(self.place + len as u64);
                break;
            }
            self.count(block.interface);
            self.first.get_or_insert(block.time);
            self.newest = self.newest.max(block.time);
            len += block.len;
        }
        let Some(piece) = rest.get(..len).filter(|piece| !piece.is_empty()) else { return Ok(()) };
        self.place += len as u64;
        match self.sink.as_block_sink() {
            Some(sink) => sink.blocks(piece),
            None => Ok(()),
        }
    }

    fn count(&mut self, interface: u32) {
        let interface = interface as usize;
        if self.packets.len() <= interface {
            self.packets.resize(interface + 1, 0);
        }
        if let Some(count) = self.packets.get_mut(interface) {
            *count += 1;
        }
    }

    /// What a person is told of it.
    fn sentence(&self) -> String {
        let packets: u64 = self.packets.iter().sum();
        let time = self.first.map_or(0, |first| self.newest.0.saturating_sub(first.0));
        let milliseconds = time / 1_000_000;
        format!(
            "wrote {packets} packets of {}.{:03} s to {}, {}",
            milliseconds / 1000,
            milliseconds % 1000,
            self.path.display(),
            self.cause.words()
        )
    }
}

impl RecorderSink {
    /// Keeps packets for files with names made of `path`. Nothing is written before it is asked for.
    ///
    /// # Errors
    /// When `path` is no name for files.
    pub fn open(
        path: &Path,
        options: FileOptions,
        recorder: Recorder,
        guardian: Option<&Guardian>,
    ) -> Result<Self, Error> {
        if let Target::Descriptor(_) = Target::of(path) {
            return Err(Error::NoFiles(Target::of(path).name()));
        }
        // So that a mistake is known now, and not when the packets are wanted.
        names::check(path)?;
        let memory = kernel::total_memory();
        if recorder.keep.bytes > memory {
            return Err(Error::TooMuchToKeep(memory >> 20));
        }
        let memory = Memory::new(recorder.keep);
        Ok(Self {
            recorder,
            path: path.to_owned(),
            options,
            guardian: guardian.cloned(),
            interfaces: Vec::new(),
            memory,
            block: Vec::new(),
            dump: None,
            is_asked_again: false,
            last: None,
            finished: 0,
            deadline: None,
            messages: Vec::new(),
        })
    }

    /// Begins a file.
    fn begin(&mut self, now: Timestamp, cause: Cause) {
        let path = names::free(&self.path, now);
        let messages = &mut self.messages;
        let mut say = |line: &str| messages.push(line.to_owned());
        let opened = format::open_file(&path, self.options, self.guardian.as_ref(), &mut say);
        let announced = opened.and_then(|mut sink| {
            self.interfaces.iter().try_for_each(|interface| sink.interface(interface))?;
            Ok(sink)
        });
        let sink = match announced {
            Ok(sink) => sink,
            Err(error) => return say(&format!("{error}; the capture goes on, and keeps its packets")),
        };
        let after = i64::try_from(self.recorder.after.as_nanos()).unwrap_or(i64::MAX);
        let (until, end) = match after {
            0 => (Timestamp(i64::MAX), Some(self.memory.end())),
            after => (Timestamp(now.0.saturating_add(after)), None),
        };
        self.dump = Some(Dump {
            sink,
            path,
            cause,
            place: self.memory.first(),
            end,
            until,
            packets: Vec::new(),
            first: None,
            newest: Timestamp(i64::MIN),
        });
    }

    /// Writes a piece of the dump. If that fails, the capture goes on without.
    fn go_on(&mut self) {
        let Some(dump) = &mut self.dump else { return };
        if let Err(error) = dump.write(&self.memory) {
            self.messages.push(format!("{error}; the capture goes on, and keeps its packets"));
            self.dump = None;
        }
    }

    fn keep(&mut self, blocks: &[u8]) {
        let mut rest = blocks;
        loop {
            let len = self.memory.append(rest);
            rest = rest.get(len..).unwrap_or_default();
            while let Some(behind) = self.memory.too_old() {
                // What is to be written is not given up before.
                let is_needed =
                    |dump: &Dump| dump.place < behind && dump.end.is_none_or(|end| dump.place < end);
                while self.dump.as_ref().is_some_and(is_needed) {
                    self.go_on();
                }
                self.memory.give_up();
            }
            if len == 0 || rest.is_empty() {
                return;
            }
        }
    }

    /// Ends the file, to which everything was written.
    fn finish_dump(&mut self, totals: &[InterfaceStatistics]) {
        let Some(mut dump) = self.dump.take() else { return };
        let of_file = |total: &InterfaceStatistics| InterfaceStatistics {
            delivered: dump.packets.get(total.interface as usize).copied().unwrap_or(0),
            ..*total
        };
        let statistics: Vec<_> = totals.iter().map(of_file).collect();
        let result = dump.sink.finish(&statistics);
        self.finished += dump.sink.accepted();
        self.messages.push(match result {
            Ok(()) => dump.sentence(),
            Err(error) => format!("{error}; the capture goes on, and keeps its packets"),
        });
    }
}

impl Sink for RecorderSink {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.interfaces.push(interface.clone());
        self.dump.as_mut().map_or(Ok(()), |dump| dump.sink.interface(interface))
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        let mut block = std::mem::take(&mut self.block);
        block.clear();
        let meta = self.options.detail.of(packet.meta);
        encode::enhanced_packet(&mut block, &Packet { meta, ..*packet });
        self.keep(&block);
        self.block = block;
        Ok(())
    }

    fn is_block_sink(&self) -> bool {
        true
    }

    fn as_block_sink(&mut self) -> Option<&mut dyn BlockSink> {
        Some(self)
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn accepted(&self) -> u64 {
        self.finished + self.dump.as_ref().map_or(0, |dump| dump.sink.accepted())
    }

    fn unwritten(&self) -> u64 {
        0
    }

    /// Ends a dump that is being written; nothing else is written at the end.
    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        let end = self.memory.end();
        if let Some(dump) = &mut self.dump {
            dump.end.get_or_insert(end);
        }
        while self.dump.as_ref().is_some_and(|dump| !dump.is_written()) {
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.messages.push("a dump was not written to its end in time".to_owned());
                break;
            }
            self.go_on();
        }
        self.finish_dump(statistics);
        Ok(())
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        self.messages.drain(..).for_each(|line| say(&line));
        Ok(())
    }

    fn tell(&mut self, say: &mut dyn FnMut(&str)) {
        self.messages.drain(..).for_each(|line| say(&line));
    }

    fn end_by(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    fn current_file(&self) -> Option<(&Path, u64)> {
        self.dump.as_ref().map(|dump| (&*dump.path, dump.sink.accepted()))
    }

    fn due(&self) -> Option<Timestamp> {
        let dump = self.dump.as_ref()?;
        match dump.end {
            // Its totals are waited for.
            Some(end) if dump.place >= end => None,
            None if dump.place >= self.memory.end() => Some(dump.until),
            _ => Some(Timestamp(0)),
        }
    }

    fn clock(&mut self, now: Timestamp) -> Result<ControlFlow<String>, Error> {
        let end = self.memory.end();
        if let Some(dump) = &mut self.dump
            && now >= dump.until
        {
            // Everything before was handed over.
            dump.end.get_or_insert(end);
        }
        self.go_on();
        if self.dump.is_none() && std::mem::take(&mut self.is_asked_again) {
            self.begin(now, Cause::Request);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn dump(&mut self, now: Timestamp, cause: Cause) -> bool {
        match (cause, self.dump.is_some()) {
            (Cause::Request, true) => self.is_asked_again = true,
            (Cause::Request, false) => self.begin(now, cause),
            // What comes while a dump is written belongs to that.
            (_, true) => {}
            (_, false) => {
                let at = Instant::now();
                if self.last.is_none_or(|last| at - last >= BETWEEN) {
                    self.last = Some(at);
                    self.begin(now, cause);
                }
            }
        }
        true
    }

    fn wants_totals(&self) -> bool {
        self.dump.as_ref().is_some_and(Dump::is_written)
    }

    fn totals(&mut self, totals: &[InterfaceStatistics]) -> Result<(), Error> {
        self.finish_dump(totals);
        Ok(())
    }
}

impl BlockSink for RecorderSink {
    fn blocks(&mut self, blocks: &[u8]) -> Result<(), Error> {
        self.keep(blocks);
        Ok(())
    }
}
