//! Regular files as a medium.

use std::{
    fs::{self, File, Metadata, TryLockError},
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

/// How often to try to lock a file: the guardian of a capture that was killed still holds the lock for a moment.
const LOCK_TRIES: u32 = 25;
/// Pause between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A regular file that is written from an offset on, with one system call per write.
///
/// If the open file description belongs to this process alone, it has O_APPEND. Then, if another program cuts the file, the
/// next write leaves no gap of zeros, and the file's length shows that the file was changed.
#[derive(Debug)]
pub struct Regular {
    file: File,
    /// The open file description that this process inherited: other processes share its position.
    shared: Option<File>,
    /// The file was opened by name, so it is lost when its last name is deleted.
    named: bool,
    /// That name; `None` once the user was told that the file no longer has it.
    path: Option<PathBuf>,
    /// Where this process writes next: the file's length in bytes, as far as this process knows.
    end: u64,
    /// Something has been written.
    begun: bool,
    guarded: Option<Guarded>,
}

impl Regular {
    /// Takes a file that this process has opened at `path`.
    ///
    /// # Errors
    /// When the kernel refuses O_APPEND.
    pub fn own(file: File, path: &Path) -> io::Result<Self> {
        let flags = fcntl_getfl(&file)?;
        fcntl_setfl(&file, flags | OFlags::APPEND)?;
        let path = Some(path.to_owned());
        Ok(Self { file, shared: None, named: true, path, end: 0, begun: false, guarded: None })
    }

    /// Takes a file that this process inherited. It is written from its present position on, or from its end if it was
    /// opened for appending.
    ///
    /// # Errors
    /// When its position or length cannot be read.
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

    /// Locks the file with flock(2) so that no other capture writes to it; `false` when another process holds the lock.
    pub fn lock(&self) -> bool {
        for _ in 0..LOCK_TRIES {
            match self.file.try_lock() {
                Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
                // A file system may have no locks: capture without one.
                Ok(()) | Err(TryLockError::Error(_)) => return true,
            }
        }
        false
    }

    /// Has `guardian` cut the file back to its last whole record if this process is killed while it writes one, and write `end`
    /// behind that.
    ///
    /// # Errors
    /// When the guardian cannot be started or reached.
    pub fn guard(&mut self, guardian: &Guardian, end: &[u8]) -> io::Result<()> {
        self.guarded = Some(guardian.guard(&self.file, end)?);
        Ok(())
    }

    fn set_whole(&self, end: u64) {
        if let Some(guarded) = &self.guarded {
            guarded.set_whole(end);
        }
    }

    /// Fails if the file no longer holds what was written.
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

    /// Moves the position that other processes share to the end of what was written.
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
        // With O_APPEND the kernel ignores the offset (pwrite(2), BUGS).
        let count = self.file.write_at(bytes, self.end)?;
        self.end += count as u64;
        Ok(count)
    }

    fn set_partial(&mut self, partial: u64) {
        self.set_whole(self.end.saturating_sub(partial));
    }

    fn take_back(&mut self, count: u64) -> io::Result<()> {
        let whole = self.end.saturating_sub(count);
        // Never make it longer: another program may have cut off more.
        if self.file.metadata()?.len() > whole {
            self.file.set_len(whole)?;
        }
        self.end = whole;
        self.set_whole(whole);
        Ok(())
    }

    fn rename(&mut self, to: &Path) -> io::Result<()> {
        match fs::symlink_metadata(to) {
            Ok(there) if !there.is_file() => {
                return Err(io::Error::other("there is something else that is no regular file"));
            }
            Ok(_) if is_locked(to) => return Err(io::ErrorKind::ResourceBusy.into()),
            _ => {}
        }
        let from = self.path.as_ref().ok_or(io::ErrorKind::NotFound)?;
        fs::rename(from, to)?;
        self.path = Some(to.to_owned());
        Ok(())
    }

    fn remove(&mut self) -> io::Result<()> {
        self.path.take().map_or(Ok(()), fs::remove_file)
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
        let is_elsewhere = |path: &mut PathBuf| match path.metadata() {
            // The user who called sudo may not look there.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => false,
            there => identity(there) != here,
        };
        if self.path.take_if(is_elsewhere).is_some() {
            // Messages begin with the name.
            say("it was renamed or replaced: the capture goes on in the file that had this name");
        }
        Ok(())
    }
}

/// A capture that ends early also leaves the shared position at the end of what was written. It unlocks the file
/// explicitly, because the guardian may keep the same description open for a moment longer.
impl Drop for Regular {
    fn drop(&mut self) {
        // A failure cannot be reported from here.
        let _ = self.settle();
        let _ = self.file.unlock();
    }
}

/// Whether another capture writes to the file at `path`.
fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Opens the same file again for appending, so that this process has an open file description of its own.
fn reopened(file: &File) -> Option<File> {
    let own = File::options().append(true).open(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    (identity(own.metadata())? == identity(file.metadata())?).then_some(own)
}

/// Device and inode number: equal for all names of a file, different for different files.
fn identity(metadata: io::Result<Metadata>) -> Option<(u64, u64)> {
    metadata.ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
