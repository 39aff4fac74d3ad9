//! Reads packets from capture files. Every byte of a file is treated as hostile.

mod body;
mod error;
mod medium;
pub mod merge;
mod options;
mod pcap;
mod pcapng;
mod source;
mod window;

use std::{io, io::Read, os::fd::BorrowedFd, path::Path};

pub use error::{Error, Fault};
pub use medium::{Compression, Fault as CompressionFault};
pub use source::Source;

use self::{body::Body, medium::Medium};
use crate::{
    output::{Format, Target},
    packet::{Block, Interface, InterfaceStatistics, Packet},
};

/// Longest pcap record or pcapng block that is read, in bytes. No capture tool writes longer ones.
pub const MAX_RECORD: u32 = 16 << 20;

/// One item of a capture file, in the order in which a sink must get them.
#[derive(Debug)]
pub enum Item<'a> {
    /// The next interface; the first one has index 0.
    Interface(&'a Interface),
    /// A packet of an interface that was announced before.
    Packet(Packet<'a>),
    /// Totals of an interface that was announced before, and the block they were read from.
    Statistics(InterfaceStatistics, Option<Block<'a>>),
    /// Another block of a pcapng file: the header of a section, to which everything until the next one belongs, or one that is
    /// about no packet and no interface.
    Block(Block<'a>),
}

/// A pcap or pcapng file, compressed or not, read packet by packet in constant memory.
#[derive(Debug)]
pub struct CaptureFile<R> {
    name: String,
    body: Body<R>,
    compression: Option<Compression>,
    /// It is a regular file that was opened by its name, and not compressed.
    repairable: bool,
}

impl CaptureFile<Source> {
    /// Opens the file at `path`, or the descriptor that it names, as [`Target::of_input`] takes it.
    ///
    /// # Errors
    /// When it cannot be opened or does not begin like a capture file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let target = Target::of_input(path);
        let name = match target {
            Target::Descriptor(0) => target.name(),
            // tcpdump, too, calls /dev/fd/63 a file.
            _ => path.display().to_string(),
        };
        match Source::open(target) {
            Ok(source) => {
                let is_file = matches!(target, Target::Path(_)) && source.is_file();
                let mut file = Self::unread(source, name);
                file.begin(is_file)?;
                Ok(file)
            }
            Err(error) => Err(Error::Open { name, error }),
        }
    }

    /// From now on reading fails when `interrupt` can be read, instead of waiting for a stream.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated.
    pub fn interrupted_by(&mut self, interrupt: BorrowedFd<'_>) -> io::Result<()> {
        if let Some(source) = self.body.source() {
            source.interrupted_by(interrupt.try_clone_to_owned()?);
        }
        Ok(())
    }
}

impl<R: Read> CaptureFile<R> {
    /// Reads a capture from `reader`, up to the description of its first interface. `name` is the file's name in messages.
    ///
    /// # Errors
    /// When it cannot be read or does not begin like a capture file.
    pub fn new(reader: R, name: impl Into<String>) -> Result<Self, Error> {
        let mut file = Self::unread(reader, name);
        file.begin(false)?;
        Ok(file)
    }

    /// A capture of which nothing is read yet.
    fn unread(reader: R, name: impl Into<String>) -> Self {
        let body = Body::new(Medium::new(reader));
        Self { name: name.into(), body, compression: None, repairable: false }
    }

    /// Looks ahead up to the description of the first interface. `is_file` says that it is a regular file with a name.
    fn begin(&mut self, is_file: bool) -> Result<(), Error> {
        let begun = self.body.begin();
        self.compression = self.body.compression();
        begun.map_err(|stop| stop.of(&self.name, self.compression, false))?;
        self.repairable = is_file && self.compression.is_none();
        Ok(())
    }

    /// The file's name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Byte offset in the file where the next record begins; after an error, where the damaged record begins.
    pub fn offset(&self) -> u64 {
        self.body.offset()
    }

    /// How the file is compressed, if it is.
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// The file's format.
    pub fn format(&self) -> Format {
        self.body.format()
    }

    /// The interface that was described last; before the first call of [`next`](Self::next), the first one of the file.
    /// `None` for a pcapng file that has no interfaces, and therefore no packets.
    pub fn interface(&self) -> Option<&Interface> {
        self.body.interface()
    }

    /// Returns the next item as soon as all its bytes have been read; `None` at the end of the file and after an error.
    ///
    /// # Errors
    /// When the file cannot be read, ends within a record, or contains an impossible value.
    #[expect(
        clippy::should_implement_trait,
        reason = "an item borrows from the file, which Iterator does not allow"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, Error> {
        let Self { name, body, compression, repairable } = self;
        body.next().map_err(|stop| stop.of(name, *compression, *repairable))
    }
}
