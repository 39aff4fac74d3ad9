//! What the name of a file to write or read means.

use std::{
    fs::{self, File, Metadata},
    io,
    os::{
        fd::RawFd,
        unix::fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

use crate::sys::inherited;

/// Stands for the standard stream.
const STANDARD: &str = "-";

/// As many symbolic links as the kernel follows (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// A descriptor that the process was started with; 0 is standard input, 1 standard output.
    Descriptor(RawFd),
    /// A file, named pipe or device.
    Path(&'a Path),
}

impl<'a> Target<'a> {
    /// What `path` to write is: `-`, `/dev/stdout`, `/dev/fd/N`, `/proc/self/fd/N`, and links to them, are descriptors.
    pub fn of(path: &'a Path) -> Self {
        descriptor(path).map_or(Self::Path(path), Self::Descriptor)
    }

    /// What `path` to read is: as [`Target::of`], but `-` is standard input.
    pub fn of_input(path: &'a Path) -> Self {
        if path == Path::new(STANDARD) { Self::Descriptor(0) } else { Self::of(path) }
    }

    /// What a person calls it.
    pub fn name(self) -> String {
        match self {
            Self::Descriptor(number) => name(number),
            Self::Path(path) => path.display().to_string(),
        }
    }

    /// Whether bytes written to one would be mixed with bytes written to the other.
    pub fn is_same_as(self, other: Self) -> bool {
        self == other
            || identity(self.metadata()).is_some_and(|known| identity(other.metadata()) == Some(known))
    }

    /// What the kernel knows of it.
    ///
    /// # Errors
    /// When it is closed, or not there.
    pub fn metadata(self) -> io::Result<Metadata> {
        match self {
            Self::Descriptor(number) => File::from(inherited::descriptor(number)?).metadata(),
            Self::Path(path) => path.metadata(),
        }
    }
}

/// Whether bytes written to `path` go where standard output goes: `path` is that descriptor, or the same pipe, socket or
/// regular file.
pub fn is_standard_output(path: &Path) -> bool {
    Target::of(path).is_same_as(Target::Descriptor(1))
}

/// The name of a descriptor in messages.
pub(super) fn name(number: RawFd) -> String {
    match number {
        0 => "standard input".into(),
        1 => "standard output".into(),
        2 => "standard error".into(),
        _ => format!("file descriptor {number}"),
    }
}

/// The descriptor that `path` names, if any.
fn descriptor(path: &Path) -> Option<RawFd> {
    if path == Path::new(STANDARD) {
        return Some(1);
    }
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let number = match path.to_str() {
            // These names work without /proc too.
            Some("/dev/stdin") => Some(0),
            Some("/dev/stdout") => Some(1),
            Some("/dev/stderr") => Some(2),
            _ => number(&path),
        };
        if number.is_some() {
            return number;
        }
        let link = fs::read_link(&path).ok()?;
        path = path.parent().unwrap_or(Path::new("/")).join(link);
    }
    None
}

/// N, if the path is `…/fd/N` and that folder lists this process's descriptors.
fn number(path: &Path) -> Option<RawFd> {
    let number = path.file_name()?.to_str()?.parse().ok().filter(|number| *number >= 0)?;
    let folder = path.parent()?;
    let is_ours = ["/dev/fd", "/proc/self/fd", "/proc/thread-self/fd"].into_iter().any(|ours| {
        let ours = Path::new(ours);
        folder == ours || canonical(folder).is_some_and(|folder| canonical(ours) == Some(folder))
    });
    is_ours.then_some(number)
}

fn canonical(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok()
}

/// Device and inode number of a pipe, socket or regular file: equal for all names of one file. `None` for devices, because
/// two outputs may both go to `/dev/null`.
fn identity(metadata: io::Result<Metadata>) -> Option<(u64, u64)> {
    let metadata = metadata.ok()?;
    let kind = metadata.file_type();
    let counts = kind.is_file() || kind.is_fifo() || kind.is_socket();
    counts.then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn names_of_descriptors() {
        let own = format!("/proc/{}/fd/7", std::process::id());
        for (path, number) in [
            ("-", 1),
            ("/dev/stdin", 0),
            ("/dev/stdout", 1),
            ("/dev//stdout", 1),
            ("/dev/stderr", 2),
            ("/dev/fd/1", 1),
            ("/dev/fd/63", 63),
            ("/proc/self/fd/1", 1),
            ("/proc/self/../self/fd/12", 12),
            ("/proc/thread-self/fd/2", 2),
            (&own, 7),
        ] {
            assert_eq!(Target::of(Path::new(path)), Target::Descriptor(number), "{path}");
        }
    }

    #[test]
    fn a_dash_to_read_is_standard_input() {
        assert_eq!(Target::of_input(Path::new("-")), Target::Descriptor(0));
        assert_eq!(Target::of_input(Path::new("/dev/stdin")), Target::Descriptor(0));
        assert_eq!(Target::of_input(Path::new("file")), Target::Path(Path::new("file")));
    }

    #[test]
    fn names_of_files() {
        for path in ["./-", "1", "fd/1", "/dev/null", "/dev/fd/x", "/dev/fd/-1", "/proc/1/fd/1", "/tmp/1", ""]
        {
            assert_eq!(Target::of(Path::new(path)), Target::Path(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn links_are_what_they_point_to() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("first"), directory.path().join("second"));
        symlink("/dev/stdout", &first).unwrap();
        symlink("first", &second).unwrap();
        assert_eq!(Target::of(&second), Target::Descriptor(1));
        let ring = directory.path().join("ring");
        symlink("ring", &ring).unwrap();
        assert_eq!(Target::of(&ring), Target::Path(&ring));
    }
}
