//! Writes one file after the other, each of which is complete in itself.
//!
//! The next file is ready, with its headers and under another name, before it is needed, so that beginning it is one rename(2).
//! What has ended gets its totals when the capture has computed them; until then it lacks only those.

mod budget;
mod commands;
mod member;
mod names;
mod repeated;
mod schedule;

use std::{
    collections::VecDeque,
    fs,
    ops::ControlFlow,
    os::fd::BorrowedFd,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use budget::Budget;
use commands::Commands;
pub use commands::Missing as MissingCommand;
use member::{Member, Totals};
pub use names::Error as NameError;
use names::Names;
use repeated::{MAX_REPEATED, Repeated};
use schedule::Schedule;

use super::{
    BlockSink, Error, FileOptions, FileSink, Sink, Target, format,
    guardian::Guardian,
    record::{self, Framing},
};
use crate::{
    packet::{Block, ByteOrder, Interface, InterfaceStatistics, Packet, Timestamp},
    sys::clock,
};

/// When the next file begins, and what becomes of the files before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// A file of at least so many bytes is full; the packet that makes it so is still in it.
    pub size: Option<u64>,
    /// A file has the packets of so much time.
    pub period: Option<Duration>,
    /// Whether periods begin at multiples of their length in local time.
    pub is_aligned: bool,
    /// Number of files: with a size, as many as are kept; with a period alone, the capture ends after them.
    pub files: Option<u32>,
    /// Whether SIGHUP begins another file.
    pub on_hangup: bool,
    /// What to run on each finished file: a program and perhaps arguments, separated by spaces.
    pub command: Option<String>,
    /// Bytes that all files together may have, also those of an earlier capture with such names.
    pub max_total: Option<u64>,
    /// Bytes that stay free on the file system.
    pub min_free: Option<u64>,
}

/// A sink that writes packets to one file after the other.
pub struct RotatingSink {
    rotation: Rotation,
    options: FileOptions,
    guardian: Option<Guardian>,
    names: Names,
    /// When periods end; `None` before the first one begins, and if files have no period.
    schedule: Option<Schedule>,
    /// When the present period began.
    period: Option<Timestamp>,
    /// Of the section that is written.
    interfaces: Vec<Interface>,
    /// Number of interfaces in earlier sections.
    earlier: u32,
    /// What each file begins with.
    repeated: Repeated,
    /// The file that is written; `None` before it begins.
    current: Option<Member>,
    /// The next file, at `path_of_next` until it is needed.
    next: Option<Box<dyn FileSink>>,
    /// Whether it was made ready for an earlier section.
    is_stale: bool,
    path_of_next: PathBuf,
    /// A file that has ended and lacks its totals.
    ended: Option<Member>,
    /// Whether totals are computed while packets are written.
    is_live: bool,
    /// The totals in the files before.
    totals: Totals,
    /// Finished files, from the oldest on, if their number is limited and they do not overwrite each other.
    kept: VecDeque<PathBuf>,
    commands: Option<Commands>,
    budget: Option<Budget>,
    /// Number of files begun.
    files: u32,
    /// Bytes of finished files.
    finished: u64,
    /// Packets that finished files lack.
    unwritten: u64,
    /// What to tell the user.
    messages: Vec<String>,
}

impl RotatingSink {
    /// Opens the first file. For a live capture, its period begins at `begin`; otherwise at the time of the first packet. For the
    /// other arguments, see [`format::open_with`].
    ///
    /// # Errors
    /// When it cannot be opened, or `path` is no name for several files.
    pub fn open(
        path: &Path,
        options: FileOptions,
        rotation: Rotation,
        guardian: Option<&Guardian>,
        begin: Option<Timestamp>,
    ) -> Result<Self, Error> {
        if let Target::Descriptor(_) = Target::of(path) {
            return Err(Error::NotRotated(Target::of(path).name()));
        }
        let names = Names::new(path, &rotation)?;
        let folder = folder(path, &rotation);
        let has_budget = rotation.max_total.is_some() || rotation.min_free.is_some();
        if has_budget
            && path.ancestors().nth(1).is_some_and(|parent| parent != folder && parent != Path::new(""))
        {
            return Err(Error::Budget(path.display().to_string()));
        }
        let commands = rotation.command.as_deref().map(Commands::new).transpose()?;
        let mut sink = Self {
            names,
            path_of_next: folder.join(name_of_next(path)),
            commands,
            budget: has_budget.then(|| Budget::new(rotation.max_total, rotation.min_free, folder)),
            rotation,
            options,
            guardian: guardian.cloned(),
            schedule: None,
            period: None,
            interfaces: Vec::new(),
            earlier: 0,
            repeated: Repeated::default(),
            current: None,
            next: None,
            is_stale: false,
            ended: None,
            is_live: begin.is_some(),
            totals: Totals::default(),
            kept: VecDeque::new(),
            files: 0,
            finished: 0,
            unwritten: 0,
            messages: Vec::new(),
        };
        sink.prepare()?;
        if let Some(begin) = begin {
            sink.begin(begin)?;
        }
        Ok(sink)
    }

    /// Makes the next file ready, unless it is, or none will follow.
    fn prepare(&mut self) -> Result<(), Error> {
        if self.is_stale {
            self.is_stale = false;
            self.next.take().map_or(Ok(()), |mut next| next.output().remove())?;
        }
        if self.next.is_some() || self.is_last() {
            return Ok(());
        }
        let messages = &mut self.messages;
        let mut say = |line: &str| messages.push(line.to_owned());
        let mut sink = format::open_file(&self.path_of_next, self.options, self.guardian.as_ref(), &mut say)?;
        sink.skip_interfaces(self.earlier);
        self.repeated.section.iter().try_for_each(|header| sink.block(&header.borrow()))?;
        self.interfaces.iter().try_for_each(|interface| sink.interface(interface))?;
        self.repeated.blocks.iter().try_for_each(|block| sink.block(&block.borrow()))?;
        self.next = Some(sink);
        Ok(())
    }

    /// Takes note of the header of a section, or of a block that every file gets.
    fn repeat(&mut self, block: &Block<'_>) {
        if block.is_section() {
            self.earlier += self.interfaces.len() as u32;
            self.interfaces.clear();
            self.repeated = Repeated::of_section(block);
            // Of the first file nothing was written.
            self.is_stale = self.current.is_some();
        } else if !self.repeated.add(block) {
            self.messages.push(format!(
                "more than {MAX_REPEATED} bytes of names and secrets: later files do not have all of them"
            ));
        }
    }

    /// Whether the capture ends with the present file.
    fn is_last(&self) -> bool {
        self.rotation.size.is_none() && self.rotation.files == Some(self.files)
    }

    /// Ends the present file, and begins the next one. Its name tells when the period began, or `begin` if that is the first.
    fn begin(&mut self, begin: Timestamp) -> Result<(), Error> {
        self.prepare()?;
        if self.next.is_none() {
            return Ok(());
        }
        let path = self.names.next(*self.period.get_or_insert(begin));
        let earlier_end = self.current.as_ref().map_or(begin, |current| current.begin);
        if let Some(earlier) = self.ended.take() {
            // The totals since it began are for the file that ends now, except for the packets in it.
            let share = if self.is_live {
                self.totals.of_packets(self.interfaces.len(), &earlier, earlier_end)
            } else {
                Vec::new()
            };
            self.complete(earlier, &share)?;
        }
        if let Some(mut replaced) = self.current.take_if(|current| current.path == path) {
            // It needs no totals. While it is open, it has a lock on its file.
            let result = replaced.sink.finish(&[]);
            self.finished += replaced.sink.accepted();
            self.unwritten += replaced.sink.unwritten();
            result?;
        }
        let Some(next) = &mut self.next else { return Ok(()) };
        next.output().rename(&path)?;
        if let Some(sink) = self.next.take() {
            self.ended = self.current.replace(Member::new(sink, path, begin));
        }
        self.files += 1;
        if let (None, Some(period)) = (&self.schedule, self.rotation.period) {
            self.schedule = Some(Schedule::new(period, self.rotation.is_aligned, begin));
        }
        self.find_files()?;
        self.keep_to_budget()
    }

    /// Finds what counts for the budget.
    fn find_files(&mut self) -> Result<(), Error> {
        let Some(budget) = &mut self.budget else { return Ok(()) };
        let open: Vec<_> = self.ended.iter().chain(&self.current).map(|member| &*member.path).collect();
        budget.find(&self.names, &open).map_err(Error::OverBudget)
    }

    /// Deletes old files if there are too many bytes.
    fn keep_to_budget(&mut self) -> Result<(), Error> {
        let Some(budget) = &mut self.budget else { return Ok(()) };
        let written = self.ended.iter().chain(&self.current).map(|member| member.sink.accepted()).sum();
        budget.keep(written).map_err(Error::OverBudget)
    }

    /// Deletes old files if there are too many bytes now that the last file is complete; that one stays.
    fn keep_beside(&mut self, last: &Path) -> Result<(), Error> {
        let Some(budget) = &mut self.budget else { return Ok(()) };
        budget.find(&self.names, &[last]).map_err(Error::OverBudget)?;
        let len = fs::metadata(last).map_or(0, |last| last.len());
        budget.keep(len).map_err(Error::OverBudget)
    }

    /// Begins the next file if that is due before a packet of this time.
    fn make_room(&mut self, time: Timestamp) -> Result<(), Error> {
        if self.room() == Some(0) {
            // What becomes of bytes that are still to be compressed was a guess. And what cannot be written has to be known
            // before another file begins.
            self.flush()?;
            if self.room() == Some(0) {
                return self.begin(time);
            }
        }
        // Packets after the last period are written to its file, until the capture has ended.
        if !self.is_last()
            && let Some(begin) = self.schedule.as_mut().and_then(|schedule| schedule.next(time))
        {
            return self.begin_period(begin);
        }
        Ok(())
    }

    /// Ends the present file, and begins the first one of a period.
    fn begin_period(&mut self, begin: Timestamp) -> Result<(), Error> {
        self.period = Some(begin);
        self.begin(begin)
    }

    /// Bytes until the present file is full; `None` if that has no limit. A file has a packet at least.
    fn room(&self) -> Option<u64> {
        let Some(current) = &self.current else { return Some(0) };
        let size = self.rotation.size?;
        Some(size.saturating_sub(current.sink.accepted()).max(u64::from(current.is_empty())))
    }

    /// Writes the totals of the file that has ended.
    fn finish_ended(&mut self, totals: &[InterfaceStatistics]) -> Result<(), Error> {
        let Some(ended) = self.ended.take() else { return Ok(()) };
        let end = self.current.as_ref().map_or(ended.begin, |current| current.begin);
        let share = self.totals.so_far(totals, &ended, end);
        self.complete(ended, &share)?;
        self.find_files()?;
        self.keep_to_budget()
    }

    /// Finishes a file, for which there may be a command.
    fn complete(&mut self, mut member: Member, totals: &[InterfaceStatistics]) -> Result<(), Error> {
        let result = member.sink.finish(totals);
        let messages = &mut self.messages;
        member.sink.tell(&mut |line| messages.push(line.to_owned()));
        self.finished += member.sink.accepted();
        self.unwritten += member.sink.unwritten();
        let Member { sink, path, .. } = member;
        // Before the command begins, which may look for a lock.
        drop(sink);
        self.run_command(&path);
        self.keep(path);
        result
    }

    fn run_command(&mut self, file: &Path) {
        if let Some(commands) = &mut self.commands {
            let messages = &mut self.messages;
            commands.run_on(file.to_owned(), &mut |line| messages.push(line.to_owned()));
        }
    }

    /// Keeps a finished file. If there are too many, the oldest is deleted, unless files are overwritten instead.
    fn keep(&mut self, path: PathBuf) {
        let Rotation { files: Some(files), size: Some(_), period: Some(_), .. } = self.rotation else {
            return;
        };
        self.kept.push_back(path);
        // The file that is written is one of them.
        while self.kept.len() + usize::from(self.current.is_some()) > files as usize
            && let Some(oldest) = self.kept.pop_front()
        {
            if let Err(error) = fs::remove_file(&oldest) {
                self.messages.push(format!("cannot delete the old file {}: {error}", oldest.display()));
            }
        }
    }

    /// Counts those of `blocks` that belong into the present file, at least the first; returns their length in bytes.
    fn fitting(&mut self, blocks: &[u8]) -> usize {
        let room = self.room().unwrap_or(u64::MAX);
        let end = self.schedule.as_ref().filter(|_| !self.is_last()).map(Schedule::end);
        let Some(current) = &mut self.current else { return blocks.len() };
        let mut len = 0;
        while let Some(block) = blocks.get(len..).and_then(record::packet_block) {
            if len > 0 && (len as u64 >= room || end.is_some_and(|end| block.time >= end)) {
                return len;
            }
            current.count(block.interface);
            len += block.len;
        }
        // Nothing but packets comes here.
        blocks.len()
    }
}

impl Sink for RotatingSink {
    fn interface(&mut self, interface: &Interface) -> Result<(), Error> {
        self.interfaces.push(interface.clone());
        if let Some(next) = self.next.as_mut().filter(|_| !self.is_stale) {
            next.interface(interface)?;
        }
        self.current.as_mut().map_or(Ok(()), |current| current.sink.interface(interface))
    }

    fn packet(&mut self, packet: &Packet<'_>) -> Result<(), Error> {
        if let Err(error) = self.make_room(packet.timestamp) {
            self.unwritten += 1;
            return Err(error);
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        current.count(packet.interface);
        current.sink.packet(packet)
    }

    fn block(&mut self, block: &Block<'_>) -> Result<(), Error> {
        let is_repeated = block.is_section() || Repeated::includes(block);
        if is_repeated {
            self.repeat(block);
        }
        if let Some(next) = self.next.as_mut().filter(|_| !self.is_stale)
            && (is_repeated || self.current.is_none())
        {
            next.block(block)?;
        }
        self.current.as_mut().map_or(Ok(()), |current| current.sink.block(block))
    }

    fn is_block_sink(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.sink.is_block_sink())
    }

    fn as_block_sink(&mut self) -> Option<&mut dyn BlockSink> {
        if self.is_block_sink() { Some(self) } else { None }
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.current.as_mut().map_or(Ok(()), |current| current.sink.flush())
    }

    fn patience(&self) -> Duration {
        self.current.as_ref().map_or(super::PATIENCE, |current| current.sink.patience())
    }

    fn accepted(&self) -> u64 {
        self.finished
            + self.ended.iter().chain(&self.current).map(|member| member.sink.accepted()).sum::<u64>()
    }

    fn current_file(&self) -> Option<(&Path, u64)> {
        self.current.as_ref().map(|current| (&*current.path, current.sink.accepted()))
    }

    fn unwritten(&self) -> u64 {
        let open = self.ended.iter().chain(&self.current);
        self.unwritten + open.map(|member| member.sink.unwritten()).sum::<u64>()
    }

    fn finish(&mut self, statistics: &[InterfaceStatistics]) -> Result<(), Error> {
        if self.current.is_none() {
            self.begin(Timestamp(clock::realtime()))?;
        }
        let ended = self.finish_ended(if self.is_live { statistics } else { &[] });
        let Some(current) = self.current.take() else { return ended };
        let share = if self.is_live {
            self.totals.until_the_end(statistics, &current)
        } else {
            // They are about another capture.
            statistics.to_vec()
        };
        let path = current.path.clone();
        let finished = self.complete(current, &share).and_then(|()| self.keep_beside(&path));
        let removed = self.next.take().map_or(Ok(()), |mut next| next.output().remove());
        ended.and(finished).and(removed)
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        self.current.iter().for_each(|current| current.sink.watch(each));
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
        let prepared = self.prepare().and_then(|()| self.keep_to_budget());
        self.commands.iter_mut().for_each(|commands| commands.look_after(say));
        self.messages.drain(..).for_each(|line| say(&line));
        self.current.as_mut().map_or(Ok(()), |current| current.sink.look_after(say))?;
        prepared
    }

    fn tell(&mut self, say: &mut dyn FnMut(&str)) {
        self.messages.drain(..).for_each(|line| say(&line));
        self.commands.iter_mut().for_each(|commands| commands.finish(say));
    }

    fn end_by(&mut self, deadline: Instant) {
        self.current.iter_mut().for_each(|current| current.sink.end_by(deadline));
    }

    fn due(&self) -> Option<Timestamp> {
        self.schedule.as_ref().map(Schedule::end)
    }

    fn clock(&mut self, now: Timestamp) -> Result<ControlFlow<String>, Error> {
        if let Some(schedule) = self.schedule.as_mut().filter(|_| self.is_live) {
            schedule.follow(now);
        }
        match self.schedule.as_mut().and_then(|schedule| schedule.next(now)) {
            Some(_) if self.is_last() => Ok(ControlFlow::Break(match self.files {
                1 => "the file is complete (-W 1)".to_owned(),
                files => format!("the last of {files} files is complete (-W)"),
            })),
            Some(begin) => self.begin_period(begin).map(ControlFlow::Continue),
            None => Ok(ControlFlow::Continue(())),
        }
    }

    fn hang_up(&mut self, now: Timestamp) -> Result<bool, Error> {
        if self.rotation.on_hangup {
            self.begin(now)?;
        }
        Ok(self.rotation.on_hangup)
    }

    fn wants_totals(&self) -> bool {
        self.ended.is_some()
    }

    fn totals(&mut self, totals: &[InterfaceStatistics]) -> Result<(), Error> {
        self.finish_ended(totals)
    }
}

impl BlockSink for RotatingSink {
    fn blocks(&mut self, blocks: &[u8]) -> Result<(), Error> {
        let mut rest = blocks;
        while let Some(first) = record::packet_block(rest) {
            if let Err(error) = self.make_room(first.time) {
                self.lose(rest);
                return Err(error);
            }
            let len = self.fitting(rest);
            let (fitting, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            let sink = self.current.as_mut().and_then(|current| current.sink.as_block_sink());
            if let Some(Err(error)) = sink.map(|sink| sink.blocks(fitting)) {
                // The file counts those that it was given.
                self.lose(behind);
                return Err(error);
            }
            rest = behind;
        }
        Ok(())
    }
}

impl RotatingSink {
    /// Counts packets that no file gets.
    fn lose(&mut self, blocks: &[u8]) {
        self.unwritten += Framing::Pcapng.packets(blocks, false, ByteOrder::NATIVE);
    }
}

/// A capture that ends before its time, or does not begin, leaves no file that was ready for later.
impl Drop for RotatingSink {
    fn drop(&mut self) {
        // A failure cannot be reported from here.
        let _ = self.next.take().map(|mut next| next.output().remove());
    }
}

/// The folder of the files: with -G, the part of the path that has no conversion.
pub fn folder(path: &Path, rotation: &Rotation) -> PathBuf {
    let is_formatted = |folder: &&Path| rotation.period.is_some() && folder.to_string_lossy().contains('%');
    let folder = path.ancestors().skip(1).find(|folder| !is_formatted(folder));
    folder.filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")).to_owned()
}

/// The name of the next file while it is not needed.
fn name_of_next(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".next");
    name.into()
}
