//! Where the bytes of a capture file go: a regular file, a pipe, a device.

use std::{
    fs::File,
    io::{self, Seek as _, Write},
    os::{
        fd::AsFd as _,
        unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    },
    path::Path,
};

use crate::output::{Error, pipe, record::Framing};

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Regular,
    Pipe,
    /// A terminal, socket or device.
    Other,
}

/// Why no more can be written.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Closed,
    Write(io::ErrorKind, Option<i32>),
}

impl Output {
    /// Creates or empties the file at `path`, readable for those whom the umask lets. A named pipe is waited for
    /// until somebody opens its other end.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn create(path: &Path, framing: Framing) -> Result<Self, Error> {
        let name = path.display().to_string();
        let opened =
            File::options().write(true).create(true).truncate(true).mode(0o666).open(path).and_then(kind_of);
        match opened {
            Ok((file, kind)) => Ok(Self::new(name, file, kind, framing)),
            Err(error) => Err(Error::Open(name, error)),
        }
    }

    /// Standard output, whatever it is connected to.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub fn stdout(framing: Framing) -> Result<Self, Error> {
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
        Self { name, file, kind, framing, buffer, file_start: true, failure: None }
    }

    /// What a person calls it: the path, or "standard output".
    pub fn name(&self) -> &str {
        &self.name
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
            self.flush()?;
            return self.write_records(records);
        }
        self.record(|buffer| buffer.extend_from_slice(records))
    }

    fn write_records(&mut self, records: &[u8]) -> Result<(), Error> {
        self.usable()?;
        let mut written = 0;
        while let Some(rest) = records.get(written..).filter(|rest| !rest.is_empty()) {
            match self.file.write(rest) {
                Ok(0) => return self.fail(&io::ErrorKind::WriteZero.into(), records, written),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The other end of standard output may have made it non-blocking for all its users.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => pipe::wait_writable(&self.file),
                Err(error) => return self.fail(&error, records, written),
            }
        }
        self.file_start &= written == 0;
        Ok(())
    }

    /// Fails if an earlier write did.
    fn usable(&self) -> Result<(), Error> {
        let error = match self.failure {
            None => return Ok(()),
            Some(Failure::Closed) => return Err(Error::Closed(self.name.clone())),
            Some(Failure::Write(_, Some(code))) => io::Error::from_raw_os_error(code),
            Some(Failure::Write(kind, None)) => kind.into(),
        };
        Err(Error::Write(self.name.clone(), error))
    }

    /// Remembers `error`, and takes back that one of the `records` of which only a part was written.
    fn fail(&mut self, error: &io::Error, records: &[u8], written: usize) -> Result<(), Error> {
        if self.kind == Kind::Regular {
            let whole = self.framing.whole(records, written, self.file_start);
            // Nothing is left to be done if this fails too; the first error is the one to report.
            let _ = self.cut((written - whole) as u64);
        }
        self.failure = Some(match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            kind => Failure::Write(kind, error.raw_os_error()),
        });
        self.usable()
    }

    /// Removes the last `count` bytes written. Counted from the file's position, because standard output may have
    /// been redirected to the end of a file that had something in it.
    fn cut(&mut self, count: u64) -> io::Result<()> {
        let end = self.file.stream_position()?.saturating_sub(count);
        self.file.set_len(end)?;
        self.file.seek(io::SeekFrom::Start(end)).map(drop)
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

fn kind_of(file: File) -> io::Result<(File, Kind)> {
    let kind = match file.metadata()?.file_type() {
        kind if kind.is_file() => Kind::Regular,
        kind if kind.is_fifo() => Kind::Pipe,
        _ => Kind::Other,
    };
    Ok((file, kind))
}
