//! Repairs a capture file that ends within a packet, for example because of a power failure or because a whole control
//! group was killed.

use std::{
    fmt,
    fs::{File, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use crate::{
    input::{self, CaptureFile, Compression, Item},
    output,
};

/// The result of a repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// The file.
    pub name: String,
    /// Number of packets in the file.
    pub packets: u64,
    /// Bytes of an unfinished record that were cut off; 0 when the file was whole.
    pub cut: u64,
}

/// One line for the user.
impl fmt::Display for Repaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, packets, cut } = self;
        let packets = if *packets == 1 { "1 packet".to_owned() } else { format!("{packets} packets") };
        match cut {
            0 => write!(f, "{name} is whole: nothing to repair ({packets})"),
            _ => write!(f, "{name}: cut off {cut} bytes of an unfinished packet; it holds {packets}"),
        }
    }
}

/// Why a file was not repaired. It was not changed, except perhaps by [`Error::Cut`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not a capture, or it is damaged in another way than by a missing end.
    #[error("{0}; `repair` cannot mend this: the file was not changed")]
    Input(#[from] input::Error),
    /// The file could not be opened.
    #[error("cannot open {0} for reading and writing: {1}")]
    Open(String, io::Error),
    /// It is a pipe or a device.
    #[error("{0} is no regular file: there is nothing to cut off; save what comes from it with -r and -w")]
    NoFile(String),
    /// Nothing can be cut off within compressed data.
    #[error("{0} is compressed with {1}: save what can be read of it with -r and -w")]
    Compressed(String, Compression),
    /// A capture is still writing to it.
    #[error("{0} is still being written by a capture: end that first")]
    Busy(String),
    /// The unfinished record could not be cut off.
    #[error("cannot shorten {0}: {1}")]
    Cut(String, io::Error),
}

/// Cuts the regular file at `path` back to its last whole packet, if it ends within one.
///
/// # Errors
/// When the file cannot be opened or cut, or is damaged in another way.
pub fn repair(path: &Path) -> Result<Repaired, Error> {
    let name = path.display().to_string();
    let open = || {
        // A pipe or a device is not waited for.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let path = output::resolve(path)?;
        let file = File::options().read(true).write(true).custom_flags(flags).open(path)?;
        let reader = file.try_clone()?;
        Ok((file, reader))
    };
    let (file, reader) = open().map_err(|error| Error::Open(name.clone(), error))?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(Error::NoFile(name));
    }
    if let Err(TryLockError::WouldBlock) = file.try_lock() {
        return Err(Error::Busy(name));
    }
    let mut capture = CaptureFile::new(reader, &name)?;
    if let Some(compression) = capture.compression() {
        return Err(Error::Compressed(name, compression));
    }
    let mut packets = 0;
    loop {
        match capture.next() {
            Ok(Some(item)) => packets += u64::from(matches!(item, Item::Packet(_))),
            Ok(None) => return Ok(Repaired { name, packets, cut: 0 }),
            Err(input::Error::Truncated { .. }) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let whole = capture.offset();
    let cut = file.metadata().and_then(|metadata| {
        file.set_len(whole)?;
        Ok(metadata.len().saturating_sub(whole))
    });
    match cut {
        Ok(cut) => Ok(Repaired { name, packets, cut }),
        Err(error) => Err(Error::Cut(name, error)),
    }
}
