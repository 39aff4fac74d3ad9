//! A regular file.

use std::{
    fs::{File, Metadata, TryLockError},
    io::{self, Seek as _},
    os::{
        fd::{AsRawFd as _, BorrowedFd},
        unix::fs::{FileExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::{Change, Fault, Medium};
use crate::output::guardian::{Guarded, Guardian};

/// How often a locked file is tried again: the guardian of a capture that was killed still has it for a moment.
const LOCK_TRIES: u32 = 25;
/// How long between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A regular file that is written from an offset on, with one system call a write.
///
/// Wherever the description is this process's own, it has O_APPEND: should another program cut the file, what is written next
/// does not leave a gap of zeros, and the file's length tells from then on that something happened.
#[derive(Debug)]
pub struct Regular {
    file: File,
    /// The description that came with the process: its position is other processes' as well.
    shared: Option<File>,
    /// Opened by a name, so that without any it is lost.
    named: bool,
    /// That name; `None` once it was said that the file does not have it any more.
    path: Option<PathBuf>,
    /// Bytes of the file as far as this process wrote it or left it as it was.
    end: u64,
    /// Something was written.
    begun: bool,
    guarded: Option<Guarded>,
}

impl Regular {
    /// A file that this process has opened at `path`.
    ///
    /// # Errors
    /// When the kernel refuses to append to it.
    pub fn own(file: File, path: &Path) -> io::Result<Self> {
        let flags = fcntl_getfl(&file)?;
        fcntl_setfl(&file, flags | OFlags::APPEND)?;
        let path = Some(path.to_owned());
        Ok(Self { file, shared: None, named: true, path, end: 0, begun: false, guarded: None })
    }

    /// A file that this process was started with, written from its present position on, or from its end if it was opened for
    /// appending.
    ///
    /// # Errors
    /// When the kernel does not tell its position.
    pub fn inherited(mut file: File) -> io::Result<Self> {
        let appending = fcntl_getfl(&file)?.contains(OFlags::APPEND);
        let end = if appending { file.seek(io::SeekFrom::End(0))? } else { file.stream_position()? };
        let own = if file.metadata()?.len() == end { reopened(&file) } else { None };
        let (file, shared) = match own {
            Some(own) => (own, file),
            None => (file.try_clone()?, file),
        };
        let shared = Some(shared);
        Ok(Self { file, shared, named: false, path: None, end, begun: false, guarded: None })
    }

    /// Keeps other captures from writing to the file, as flock(2) does; `false` when another one has it.
    pub fn lock(&self) -> bool {
        for _ in 0..LOCK_TRIES {
            match self.file.try_lock() {
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                // A file system without locks is no reason not to capture.
                Ok(()) | Err(TryLockError::Error(_)) => return true,
            }
        }
        false
    }

    /// Has the file end on a whole record also when this process is killed in the middle of one.
    ///
    /// # Errors
    /// When there is no guardian.
    pub fn guard(&mut self, guardian: &Guardian) -> io::Result<()> {
        self.guarded = Some(guardian.guard(&self.file)?);
        Ok(())
    }

    fn set_whole(&self, end: u64) {
        if let Some(guarded) = &self.guarded {
            guarded.set_whole(end);
        }
    }

    /// Fails if the file is not what was written any more.
    fn check(&self) -> Result<(), Fault> {
        let metadata = self.file.metadata()?;
        if self.named && metadata.nlink() == 0 {
            return Err(Fault::Changed(Change::Deleted));
        }
        match metadata.len() {
            len if self.begun && len < self.end => Err(Fault::Changed(Change::Shorter)),
            len if self.begun && len > self.end => Err(Fault::Changed(Change::Longer)),
            _ => Ok(()),
        }
    }

    /// Moves the position that others share behind what was written.
    fn settle(&mut self) -> io::Result<()> {
        match self.shared.take() {
            Some(mut shared) => shared.seek(io::SeekFrom::Start(self.end)).map(drop),
            None => Ok(()),
        }
    }
}

impl Medium for Regular {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        if !self.begun {
            self.file.set_len(self.end)?;
            self.begun = true;
            self.set_whole(self.end);
        }
        // With O_APPEND the offset does not count (pwrite(2), BUGS).
        let count = self.file.write_at(bytes, self.end)?;
        self.end += count as u64;
        Ok(count)
    }

    fn set_partial(&mut self, partial: u64) {
        self.set_whole(self.end.saturating_sub(partial));
    }

    fn take_back(&mut self, count: u64) -> io::Result<()> {
        let whole = self.end.saturating_sub(count);
        // Never longer: somebody else may have cut it further.
        if self.file.metadata()?.len() > whole {
            self.file.set_len(whole)?;
        }
        self.end = whole;
        self.set_whole(whole);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Fault> {
        self.check()?;
        Ok(self.settle()?)
    }

    fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        if let Some(guarded) = &self.guarded {
            guarded.watch(each);
        }
    }

    fn look_after(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), Fault> {
        if let Some(guarded) = &self.guarded {
            guarded.look_after(say);
        }
        self.check()?;
        let here = identity(self.file.metadata());
        if let Some(path) = self.path.take_if(|path| identity(path.metadata()) != here) {
            say(&format!(
                "{} was renamed or replaced: the capture goes on in the file that had this name",
                path.display()
            ));
        }
        Ok(())
    }
}

/// A capture that ends early, too, leaves the position where it belongs, and gives the file up, which its guardian may have
/// for a moment longer.
impl Drop for Regular {
    fn drop(&mut self) {
        // Nobody is there to be told of a failure.
        let _ = self.settle();
        let _ = self.file.unlock();
    }
}

/// The same file under a description of this process's own, for appending.
fn reopened(file: &File) -> Option<File> {
    let own = File::options().append(true).open(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    (identity(own.metadata())? == identity(file.metadata())?).then_some(own)
}

/// What is the same for all names of a file, and for no other.
fn identity(metadata: io::Result<Metadata>) -> Option<(u64, u64)> {
    metadata.ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
