//! Keeps a capture's files within a disk budget by deleting the oldest.

use std::{
    collections::VecDeque,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::{fs::statvfs, process::geteuid};

use super::names::Names;

/// The limits, and the finished files that count.
#[derive(Debug)]
pub struct Budget {
    /// All files together may have so many bytes.
    max_total: Option<u64>,
    /// So many bytes stay free on the file system.
    min_free: Option<u64>,
    folder: PathBuf,
    /// Files and their sizes, from the oldest on.
    files: VecDeque<(PathBuf, u64)>,
}

impl Budget {
    /// A budget for the files in `folder`.
    pub fn new(max_total: Option<u64>, min_free: Option<u64>, folder: PathBuf) -> Self {
        Self { max_total, min_free, folder, files: VecDeque::new() }
    }

    /// Finds the files with such `names`, also those of an earlier capture, but not those in `open`.
    ///
    /// # Errors
    /// A sentence, when the folder cannot be read.
    pub fn find(&mut self, names: &Names, open: &[&Path]) -> Result<(), String> {
        let mut found = Vec::new();
        let refused = |error| format!("cannot look for old files in {}: {error}", self.folder.display());
        for entry in fs::read_dir(&self.folder).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            if !names.includes(&entry.file_name())
                || open.iter().any(|open| open.file_name() == Some(&entry.file_name()))
            {
                continue;
            }
            // It may be deleted by somebody else meanwhile.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_file() && metadata.uid() == geteuid().as_raw() {
                found.push((metadata.mtime(), metadata.mtime_nsec(), entry.path(), metadata.len()));
            }
        }
        found.sort();
        self.files = found.into_iter().map(|(_, _, path, len)| (path, len)).collect();
        Ok(())
    }

    /// Deletes the oldest files until the others, and `written` bytes of open files, are within the budget.
    ///
    /// # Errors
    /// A sentence, when that is not enough.
    pub fn keep(&mut self, written: u64) -> Result<(), String> {
        while let Some(excess) = self.excess(written) {
            let Some((oldest, _)) = self.files.pop_front() else { return Err(excess) };
            match fs::remove_file(&oldest) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(format!("{excess}, and {} cannot be deleted: {error}", oldest.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Which limit is exceeded, as a sentence.
    fn excess(&self, written: u64) -> Option<String> {
        let total = written + self.files.iter().map(|(_, len)| len).sum::<u64>();
        if self.max_total.is_some_and(|most| total > most) {
            // The file that is written cannot be deleted.
            return (!self.files.is_empty())
                .then(|| "there are more bytes than --max-total allows".to_owned());
        }
        let least = self.min_free?;
        let free = statvfs(&self.folder).map(|system| system.f_bavail * system.f_frsize).ok()?;
        (free < least).then(|| {
            format!("only {free} bytes are free in {}, fewer than --min-free", self.folder.display())
        })
    }
}
