//! Where the bytes of a capture file go: a regular file, a pipe, a device.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Seek as _, Write},
    os::{
        fd::AsFd as _,
        unix::fs::{FileExt as _, FileTypeExt as _, OpenOptionsExt as _},
    },
    path::Path,
};

use crate::output::{
    Error, append,
    guardian::Guardian,
    pipe::{self, Patient},
    record::Framing,
};

/// Bytes collected before they are handed to the operating system in one call.
const FULL: usize = 1 << 20;
/// Room for the record that crosses [`FULL`], so that the buffer does not grow with every fill.
const ROOM: usize = 1 << 19;
/// From so many bytes on, records are written from where they are.
const DIRECT: usize = 64 << 10;

/// A buffered destination of whole records.
///
/// Bytes leave only in [`Output::flush`] and when the buffer is full. After a failed write a regular file
/// is cut back to its last whole record, and every later call fails without writing.
#[derive(Debug)]
pub struct Output {
    name: String,
    file: File,
    kind: Kind,
    framing: Framing,
    buffer: Vec<u8>,
    /// Nothing was written yet.
    file_start: bool,
    failure: Option<Failure>,
    /// Packets taken that are not in the file.
    unwritten: u64,
    guardian: Option<Guardian>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A regular file, with the end of its last whole record in bytes. The file's position is the same.
    Regular(u64),
    Pipe,
    /// A terminal, socket or device.
    Other,
}

/// Why no more can be written.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Closed,
    Write {
        kind: io::ErrorKind,
        code: Option<i32>,
        /// The file ends within a record.
        cut: bool,
    },
}

impl Output {
    /// Creates the file at `path`, readable for those whom the umask lets; what an earlier file holds goes with the first
    /// write. A named pipe is waited for until somebody opens its other end.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn create(path: &Path, framing: Framing) -> Result<Self, Error> {
        let name = path.display().to_string();
        let opened =
            File::options().write(true).create(true).truncate(false).mode(0o666).open(path).and_then(kind_of);
        match opened {
            Ok((file, kind)) => Ok(Self::new(name, file, kind, framing)),
            Err(error) => Err(Error::Open(name, error)),
        }
    }

    /// Standard output, whatever it is connected to.
    ///
    /// # Errors
    /// [`Error::Open`], and [`Error::Terminal`] when that is one.
    pub fn stdout(framing: Framing) -> Result<Self, Error> {
        if io::stdout().is_terminal() {
            return Err(Error::Terminal);
        }
        let name = "standard output".to_owned();
        match io::stdout().as_fd().try_clone_to_owned().map(File::from).and_then(kind_of) {
            Ok((file, kind)) => Ok(Self::new(name, file, kind, framing)),
            Err(error) => Err(Error::Open(name, error)),
        }
    }

    fn new(name: String, file: File, kind: Kind, framing: Framing) -> Self {
        if kind == Kind::Pipe {
            pipe::enlarge(&file, FULL);
        }
        let buffer = Vec::with_capacity(FULL + ROOM);
        Self {
            name,
            file,
            kind,
            framing,
            buffer,
            file_start: true,
            failure: None,
            unwritten: 0,
            guardian: None,
        }
    }

    /// Has a regular file end on a whole record also when this process is killed in the middle of one; see
    /// [`Guardian::start`]. Other outputs stay as they are.
    ///
    /// # Errors
    /// When there is no guardian; the output works without.
    pub fn guard(&mut self) -> io::Result<()> {
        if let Kind::Regular(_) = self.kind {
            self.guardian = Some(Guardian::start(&self.file, &self.name)?);
        }
        Ok(())
    }

    /// What a person calls it: the path, or "standard output".
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Packets taken that a failed write kept out of the file.
    pub fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Appends one record, which `encode` puts at the end of the buffer.
    ///
    /// # Errors
    /// [`Error::Closed`] and [`Error::Write`].
    pub fn record(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        self.usable()?;
        encode(&mut self.buffer);
        if self.buffer.len() >= FULL { self.flush() } else { Ok(()) }
    }

    /// Hands everything collected to the operating system.
    ///
    /// # Errors
    /// [`Error::Closed`] and [`Error::Write`].
    pub fn flush(&mut self) -> Result<(), Error> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.write_records(&buffer);
        buffer.clear();
        self.buffer = buffer;
        result
    }

    /// Appends whole records that are encoded already: many at once straight to the operating system, few by way of the
    /// buffer.
    ///
    /// # Errors
    /// [`Error::Closed`] and [`Error::Write`].
    pub fn records(&mut self, records: &[u8]) -> Result<(), Error> {
        if records.len() >= DIRECT {
            return match self.flush() {
                Ok(()) => self.write_records(records),
                Err(error) => {
                    self.unwritten += self.framing.packets(records, false);
                    Err(error)
                }
            };
        }
        self.record(|buffer| buffer.extend_from_slice(records))
    }

    fn write_records(&mut self, records: &[u8]) -> Result<(), Error> {
        self.usable()?;
        let mut written = 0;
        while let Some(rest) = records.get(written..).filter(|rest| !rest.is_empty()) {
            match self.write_some(rest, written as u64) {
                Ok(0) => return self.fail(&io::ErrorKind::WriteZero.into(), records, written),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(&error, records, written),
            }
        }
        self.file_start &= written == 0;
        self.advance(written as u64).or_else(|error| self.fail(&error, records, written))
    }

    /// Writes as much of `bytes` as the operating system takes, `ahead` bytes behind the last whole record.
    fn write_some(&mut self, bytes: &[u8], ahead: u64) -> io::Result<usize> {
        match self.kind {
            Kind::Regular(end) => {
                if self.file_start && ahead == 0 {
                    self.file.set_len(end)?;
                }
                self.file.write_at(bytes, end + ahead)
            }
            Kind::Pipe | Kind::Other => Patient(&self.file).write(bytes),
        }
    }

    /// Moves the position of a regular file past whole records just written.
    fn advance(&mut self, count: u64) -> io::Result<()> {
        if let Kind::Regular(end) = &mut self.kind {
            *end = self.file.seek(io::SeekFrom::Start(*end + count))?;
        }
        Ok(())
    }

    /// Fails if an earlier write did.
    fn usable(&self) -> Result<(), Error> {
        let name = || self.name.clone();
        match self.failure {
            None => Ok(()),
            Some(Failure::Closed) => Err(Error::Closed(name())),
            Some(Failure::Write { kind, code, cut }) => {
                let error = code.map_or_else(|| kind.into(), io::Error::from_raw_os_error);
                Err(if cut { Error::Cut(name(), error) } else { Error::Write(name(), error) })
            }
        }
    }

    /// Remembers `error`, and takes back that one of the `records` of which only a part was written.
    fn fail(&mut self, error: &io::Error, records: &[u8], written: usize) -> Result<(), Error> {
        let whole = self.framing.whole(records, written, self.file_start);
        let rest = records.get(whole..).unwrap_or_default();
        self.unwritten += self.framing.packets(rest, self.file_start && whole == 0);
        let mut cut = false;
        if let Kind::Regular(end) = self.kind {
            // A file system that became read-only does not let us.
            let taken_back = self.file.set_len(end + whole as u64).and_then(|()| self.advance(whole as u64));
            cut = taken_back.is_err() && whole < written;
        }
        self.failure = Some(match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            kind => Failure::Write { kind, code: error.raw_os_error(), cut },
        });
        self.usable()
    }
}

/// Collects the pieces of a record without writing; [`Output::flush`] does that.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A capture that ends early, with an error elsewhere, keeps the packets taken until then.
impl Drop for Output {
    fn drop(&mut self) {
        let _ = Self::flush(self);
    }
}

fn kind_of(mut file: File) -> io::Result<(File, Kind)> {
    let kind = match file.metadata()?.file_type() {
        // Standard output may have been redirected to the end of a file that has something in it.
        kind if kind.is_file() && append::is_set(&file) => Kind::Regular(file.seek(io::SeekFrom::End(0))?),
        kind if kind.is_file() => Kind::Regular(file.stream_position()?),
        kind if kind.is_fifo() => Kind::Pipe,
        _ => Kind::Other,
    };
    Ok((file, kind))
}
