//! One of the files and streams that are merged.

use std::{
    collections::BTreeMap,
    mem::{replace, take},
    os::fd::{AsFd as _, BorrowedFd},
    path::Path,
    time::{Duration, Instant},
};

use xdpdump_ebpf::pcapng::COMMENT;

use crate::{
    input::{CaptureFile, Error, Item, MAX_RECORD, Source},
    order::Stream,
    output::{Format, Target},
    packet::{
        BRIEF, Block, ByteOrder, Interface, InterfaceStatistics, Meta, OwnedBlock, Packet, Record, Timestamp,
        block::{SECTION_OPTIONS, options, section, text},
    },
};

/// Most bytes that are read ahead of a stream; at least the longest record must fit.
const READ_AHEAD: usize = 2 * MAX_RECORD as usize;
/// Bytes that blocks in front of a packet may take until they are handed on.
const MAX_BLOCKS: usize = MAX_RECORD as usize;

/// A file or a stream, and its next packet.
pub struct Branch {
    /// In messages.
    pub name: String,
    /// The number of the argument that it belongs to.
    pub argument: usize,
    /// It is no regular file: what it will have is not there yet.
    pub is_live: bool,
    /// Interfaces that it has described and that were not announced.
    pub described: Vec<Interface>,
    /// The numbers of those that were, in the output.
    pub numbers: Vec<u32>,
    /// Blocks in front of the next packet that were not handed on.
    pub blocks: Vec<OwnedBlock>,
    /// The memory that they take, in bytes.
    bytes: usize,
    /// What is to be said of the section that is read, with its first interface.
    note: Option<String>,
    /// How it ended, which was not said yet.
    pub ended: Option<Result<(), Error>>,
    /// Packets that were read.
    pub packets: u64,
    /// Packets that came when later ones of other branches had been handed on.
    pub late: Late,
    state: State,
    head: Option<Head>,
    /// The bytes of the next packet: its block, or its frame if it had none.
    packet: Vec<u8>,
    /// The time of the next packet, or of the last one if that is later: a branch keeps its own order.
    time: u64,
    /// The newest totals of its interfaces.
    totals: BTreeMap<u32, InterfaceStatistics>,
    /// Interfaces that were described when it was read for the first time.
    to_skip: usize,
    /// When the next packet came.
    arrived: Instant,
    /// When something came last.
    pub silent_since: Instant,
}

/// How many packets were late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Late {
    /// Their number.
    pub packets: u64,
    /// By how much at most.
    pub most: Duration,
}

enum State {
    /// Read up to its first packet; it takes a descriptor and no buffers until the time of that comes.
    Asleep(Format, Source),
    Awake(Box<CaptureFile<Source>>),
    Ended,
}

/// What it was read from.
#[derive(Clone, Copy)]
enum Origin {
    /// See [`Record::None`] and [`Record::Pcap`].
    Record(Record<'static>),
    /// A block with this order of bytes.
    Block(ByteOrder),
}

/// A packet without its bytes.
#[derive(Clone, Copy)]
struct Head {
    timestamp: Timestamp,
    interface: u32,
    frame_len: u32,
    meta: Meta,
    /// Where its frame is in the bytes of the packet.
    frame: (usize, usize),
    origin: Origin,
}

impl Stream for Branch {
    fn next_time(&mut self) -> Option<u64> {
        self.head.is_some().then_some(self.time)
    }
}

/// Times as [`Stream`] wants them.
fn time(timestamp: Timestamp) -> u64 {
    (timestamp.0.cast_unsigned() ^ 1 << 63).min(u64::MAX - 1)
}

impl Branch {
    /// Opens a file, and reads up to its first packet. Of a stream, nothing is read.
    ///
    /// # Errors
    /// When it cannot be opened, or a file does not begin like a capture.
    pub fn open(argument: usize, path: &Path, name: String) -> Result<Self, Error> {
        let target = Target::of_input(path);
        let opened = Source::open_without_waiting(target).and_then(|source| Ok((source.again()?, source)));
        let (again, source) = opened.map_err(|error| Error::Open { name: name.clone(), error })?;
        let is_live = !source.is_file();
        let mut file = CaptureFile::unread(source, &name);
        if is_live {
            file.body.window.wait_for_nothing();
        } else {
            file.begin(matches!(target, Target::Path(_)))?;
        }
        let mut branch = Self { is_live, ..Self::new(argument, name, State::Awake(Box::new(file))) };
        if !is_live {
            branch.load();
            if branch.is_open() && !branch.is_full() {
                branch.state = State::Asleep(branch.format(), again);
                branch.packet = Vec::new();
                // They are read again.
                branch.blocks = Vec::new();
            }
        }
        Ok(branch)
    }

    /// One that could not be read.
    pub fn failed(argument: usize, name: String, error: Error) -> Self {
        Self { ended: Some(Err(error)), ..Self::new(argument, name, State::Ended) }
    }

    fn new(argument: usize, name: String, state: State) -> Self {
        let now = Instant::now();
        Self {
            name,
            argument,
            is_live: false,
            described: Vec::new(),
            blocks: Vec::new(),
            bytes: 0,
            note: None,
            numbers: Vec::new(),
            ended: None,
            packets: 0,
            late: Late::default(),
            state,
            head: None,
            packet: Vec::new(),
            time: 0,
            totals: BTreeMap::new(),
            to_skip: 0,
            arrived: now,
            silent_since: now,
        }
    }

    /// Whether more can come.
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Ended)
    }

    /// Whether it is not known whether another packet comes, and when it was taken.
    pub fn is_awaited(&self) -> bool {
        self.head.is_none() && self.is_open()
    }

    /// Whether there is something to announce or to say.
    pub fn has_news(&self) -> bool {
        !self.described.is_empty() || !self.blocks.is_empty() || self.ended.is_some()
    }

    /// Whether it has so much in front of its next packet that this has to be handed on first.
    pub fn is_full(&self) -> bool {
        self.bytes > MAX_BLOCKS
    }

    /// Takes the blocks in front of the next packet.
    pub fn take_blocks(&mut self) -> Vec<OwnedBlock> {
        self.bytes = 0;
        take(&mut self.blocks)
    }

    /// The format, while it is read.
    pub fn format(&self) -> Format {
        match &self.state {
            State::Awake(file) => file.format(),
            State::Asleep(format, _) => *format,
            State::Ended => Format::default(),
        }
    }

    /// What to wait for: a stream of which more can be read.
    pub fn descriptor(&mut self) -> Option<BorrowedFd<'_>> {
        match &mut self.state {
            State::Awake(file) if self.is_live => {
                let window = &file.body.window;
                if window.has_ended() || window.buffered().len() >= READ_AHEAD {
                    return None;
                }
                let source: &Source = file.body.source()?;
                Some(source.as_fd())
            }
            _ => None,
        }
    }

    /// Reads what has come of a stream, and the next packet if that is complete.
    pub fn read_ahead(&mut self, now: Instant, window: Duration) {
        if self.is_live
            && let State::Awake(file) = &mut self.state
            && file.body.window.read_ahead(READ_AHEAD, now, window / 32)
        {
            self.silent_since = now;
        }
        if self.head.is_none() {
            self.load();
        }
    }

    /// Until when the next packet waits for those of silent branches, which will have been waited for long enough at `silent`.
    pub fn waits_until(&self, window: Duration, silent: Instant) -> Instant {
        let is_full = match &self.state {
            State::Awake(file) => file.body.window.buffered().len() >= READ_AHEAD,
            State::Asleep(..) | State::Ended => false,
        };
        // What is in a file waits as long as necessary, and so does what its writer keeps when the memory is full.
        if is_full || !self.is_live { silent } else { self.arrived + window }
    }

    /// The next packet.
    pub fn packet(&self) -> Option<Packet<'_>> {
        let Head { timestamp, interface, frame_len, meta, frame: (start, end), origin } = self.head?;
        let interface = self.numbers.get(interface as usize).copied()?;
        let frame = self.packet.get(start..end)?;
        let record = match origin {
            Origin::Record(record) => record,
            Origin::Block(order) => Record::Pcapng(Block { bytes: &self.packet, order }),
        };
        Some(Packet { timestamp, uptime: None, interface, frame, frame_len, meta, record })
    }

    /// Opens the file again and reads it up to the first packet, if it sleeps.
    pub fn wake(&mut self) {
        if !matches!(self.state, State::Asleep(..)) {
            return;
        }
        let State::Asleep(_, mut source) = replace(&mut self.state, State::Ended) else { return };
        let rewound = source.rewind().map_err(|error| Error::Read { name: self.name.clone(), error });
        let mut file = CaptureFile::unread(source, &self.name);
        match rewound.and_then(|()| file.begin(true)) {
            Ok(()) => {
                self.to_skip = self.numbers.len() + self.described.len();
                self.packets = 0;
                self.state = State::Awake(Box::new(file));
                self.load();
            }
            Err(error) => {
                self.head = None;
                self.ended = Some(Err(error));
            }
        }
    }

    /// Reads the next packet, if it is there.
    pub fn load(&mut self) {
        self.head = None;
        let State::Awake(file) = &mut self.state else { return };
        let end = loop {
            match file.body.next() {
                Ok(Some(Item::Packet(packet))) => {
                    let Packet { timestamp, interface, frame_len, meta, frame, record, .. } = packet;
                    let block = record.block();
                    let start = block.and_then(Block::frame_offset).unwrap_or(0);
                    self.packet.clear();
                    self.packet.extend_from_slice(block.map_or(frame, |block| block.bytes));
                    self.time = self.time.max(time(timestamp));
                    let frame = (start, start + frame.len());
                    let origin = match record {
                        Record::None => Origin::Record(Record::None),
                        Record::Pcap { seconds, fraction, is_micro } => {
                            Origin::Record(Record::Pcap { seconds, fraction, is_micro })
                        }
                        Record::Pcapng(block) => Origin::Block(block.order),
                    };
                    self.head = Some(Head { timestamp, interface, frame_len, meta, frame, origin });
                    self.packets += 1;
                    if self.is_live {
                        self.arrived = file.body.window.arrived().unwrap_or(self.arrived);
                    }
                    return;
                }
                Ok(Some(Item::Interface(interface))) => {
                    if let Some(rest) = self.to_skip.checked_sub(1) {
                        self.to_skip = rest;
                    } else {
                        let note = self.note.take();
                        self.described.push(Interface { note, ..interface.clone() });
                    }
                }
                Ok(Some(Item::Statistics(newer, _))) => drop(self.totals.insert(newer.interface, newer)),
                Ok(Some(Item::Block(block))) if block.is_section() => self.note = described(block),
                Ok(Some(Item::Block(block))) => {
                    self.bytes += block.cost();
                    self.blocks.push(block.owned());
                    if self.bytes > MAX_BLOCKS {
                        return;
                    }
                }
                Ok(None) => break Ok(()),
                Err(stop) if stop.is_not_yet() => return,
                Err(stop) => break Err(stop.of(&file.name, file.compression, file.repairable)),
            }
        };
        self.state = State::Ended;
        self.ended = Some(end);
    }

    /// Reads nothing any more: what of a stream is in memory is left, of a file nothing is.
    pub fn stop_reading(&mut self) {
        match &mut self.state {
            State::Awake(file) if self.is_live => file.body.window.stop_reading(),
            _ if self.is_live => {}
            state => {
                *state = State::Ended;
                self.head = None;
            }
        }
    }

    /// Its totals, with the numbers of interfaces in the output.
    pub fn totals(&mut self) -> impl Iterator<Item = InterfaceStatistics> {
        let numbers = take(&mut self.numbers);
        take(&mut self.totals).into_iter().filter_map(move |(interface, statistics)| {
            let interface = numbers.get(interface as usize).copied()?;
            Some(InterfaceStatistics { interface, ..statistics })
        })
    }

    /// Takes note of the time of the packet that is handed on, after one of the time `latest`.
    pub fn note_late(&mut self, latest: u64) {
        if let Some(late @ 1..) = latest.checked_sub(self.time) {
            self.late.packets += 1;
            self.late.most = self.late.most.max(Duration::from_nanos(late));
        }
    }
}

/// What the header of a section says of where it is from: the section of a merge has another.
fn described(section: Block<'_>) -> Option<String> {
    let facts = options(section.options_at(SECTION_OPTIONS)).filter_map(|(code, value)| {
        let what = match code {
            section::HARDWARE => "hardware",
            section::OS => "operating system",
            section::USER_APPLICATION => "captured by",
            COMMENT if value.rest != BRIEF.as_bytes() => "comment",
            _ => return None,
        };
        Some(format!("{what}: {}", text(value.rest)))
    });
    let facts: Vec<_> = facts.collect();
    (!facts.is_empty()).then(|| facts.join("; "))
}
