//! Enters another network namespace.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    fs::{self, File},
    io,
    os::{
        fd::AsFd as _,
        unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{did_you_mean, suggestion};
use crate::printable::printable;

/// Where ip(8) keeps namespaces that have names: ip-netns(8) says the second, which usually is a link to the first.
const FOLDERS: [&str; 2] = ["/run/netns", "/var/run/netns"];
/// Most names in a message.
const MOST_NAMES: usize = 10;

/// A network namespace as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// By its name or by a file.
    Named(OsString),
    /// By a process in it.
    OfProcess(u32),
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "network namespace {}", printable(name)),
            Self::OfProcess(process) => write!(f, "network namespace of process {process}"),
        }
    }
}

/// Why a network namespace could not be entered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no namespace with that name.
    #[error(
        "no network namespace named {name:?}; {}{}a path or the pid of a process is accepted too",
        did_you_mean(nearest.as_deref()),
        listed(existing)
    )]
    UnknownName {
        /// The name that was given.
        name: OsString,
        /// The name that was probably meant.
        nearest: Option<String>,
        /// The names that exist.
        existing: Vec<String>,
    },
    /// There is no process with that number, and no namespace with that name.
    #[error("no process has the number {0}, and no network namespace is named so")]
    NoProcess(u32),
    /// The file is that of no network namespace.
    #[error("{path:?} is not a network namespace")]
    NotNetwork {
        /// The file.
        path: PathBuf,
    },
    /// The file of the namespace cannot be opened.
    #[error("cannot open {path:?}{}", needs(source, "CAP_SYS_PTRACE"))]
    Open {
        /// The file.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The kernel did not let this process in.
    #[error("cannot enter the {namespace}{}", needs(source, "CAP_SYS_ADMIN"))]
    Enter {
        /// The namespace.
        namespace: Namespace,
        /// The error of the system call.
        source: io::Error,
    },
}

/// What a refusal asks for.
fn needs(error: &io::Error, capability: &str) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!(", which needs root or {capability}"),
        _ => String::new(),
    }
}

fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(MOST_NAMES).map(String::as_str).collect();
    match names.len().saturating_sub(shown.len()) {
        0 if shown.is_empty() => "none has a name here; ".to_owned(),
        0 => format!("these exist: {}; ", shown.join(", ")),
        more => format!("these exist: {} and {more} more; ", shown.join(", ")),
    }
}

/// Moves the calling thread into a network namespace, in which it then finds interfaces and attaches programs.
///
/// `wanted` is a name as ip(8) gives them, the path of a namespace's file if it contains a `/`, or the number of a process.
/// A name is preferred to a number, as in `ip link set netns`.
///
/// # Errors
/// When there is no such namespace, or the process may not enter it: that takes `CAP_SYS_ADMIN` both here and in the user
/// namespace that owns the other one (setns(2)), and for a process also the right to trace it (proc(5)).
pub fn enter(wanted: &OsStr) -> Result<Namespace, Error> {
    let (namespace, path, file) = open(wanted)?;
    match move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)) {
        Ok(()) => Ok(namespace),
        // Not a namespace, or one of another type. A name also lasts in places that see only the empty file below the mount.
        Err(rustix::io::Errno::INVAL) => Err(Error::NotNetwork { path }),
        Err(errno) => Err(Error::Enter { namespace, source: errno.into() }),
    }
}

fn open(wanted: &OsStr) -> Result<(Namespace, PathBuf, File), Error> {
    let named = Namespace::Named(wanted.to_owned());
    if wanted.as_bytes().contains(&b'/') {
        let path = PathBuf::from(wanted);
        return match open_file(&path) {
            Ok(file) => Ok((named, path, file)),
            Err(source) => Err(Error::Open { path, source }),
        };
    }
    // The path of no name is that of the folder.
    for folder in FOLDERS.into_iter().filter(|_| !wanted.is_empty()) {
        let path = Path::new(folder).join(wanted);
        match open_file(&path) {
            Ok(file) => return Ok((named, path, file)),
            Err(error) if is_missing(&error) => {}
            Err(source) => return Err(Error::Open { path, source }),
        }
    }
    if let Some(process) = wanted.to_str().and_then(|text| text.parse().ok()) {
        return of_process(process);
    }
    let existing = names();
    let nearest = suggestion::nearest(wanted, existing.iter().map(OsString::as_os_str)).map(printable);
    Err(Error::UnknownName {
        name: wanted.to_owned(),
        nearest,
        existing: existing.iter().map(printable).collect(),
    })
}

fn of_process(process: u32) -> Result<(Namespace, PathBuf, File), Error> {
    let path = PathBuf::from(format!("/proc/{process}/ns/net"));
    match open_file(&path) {
        Ok(file) => Ok((Namespace::OfProcess(process), path, file)),
        // A process that has ended, and was not waited for yet, has no namespaces either.
        Err(error) if is_missing(&error) && Path::new("/proc/self").exists() => {
            Err(Error::NoProcess(process))
        }
        Err(source) => Err(Error::Open { path, source }),
    }
}

/// Opens a file without waiting for anything, in case it is a named pipe.
fn open_file(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

/// Whether there is no such file. A name can be too long for a file.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENOTDIR | libc::ENAMETOOLONG | libc::ESRCH))
}

/// The names of namespaces, sorted.
fn names() -> Vec<OsString> {
    let entries = FOLDERS.into_iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_are_listed() {
        let names = |count: usize| (0..count).map(|number| format!("n{number}")).collect::<Vec<_>>();
        assert_eq!(listed(&names(0)), "none has a name here; ");
        assert_eq!(listed(&names(2)), "these exist: n0, n1; ");
        assert!(listed(&names(12)).ends_with("n8, n9 and 2 more; "), "{}", listed(&names(12)));
    }

    #[test]
    fn what_is_no_namespace_is_refused() {
        let refusal = |wanted: &str| enter(OsStr::new(wanted)).unwrap_err().to_string();
        assert_eq!(
            refusal("4294967295"),
            "no process has the number 4294967295, and no network namespace is named so"
        );
        assert!(
            refusal("no-such-namespace").starts_with(r#"no network namespace named "no-such-namespace"; "#)
        );
        assert!(refusal(&"n".repeat(300)).starts_with("no network namespace named"));
        assert_eq!(refusal("/no/such/file"), r#"cannot open "/no/such/file""#);
        let not_network = r#""/proc/self/ns/uts" is not a network namespace"#;
        assert_eq!(refusal("/proc/self/ns/uts"), not_network);
        assert_eq!(refusal("/dev/null"), r#""/dev/null" is not a network namespace"#);
    }
}
