//! What the arguments of `-r` mean.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use super::Error;
use crate::output::Target;

/// A file, a stream or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// What goes in front of the names of interfaces that another one has too; different for each argument.
    pub label: String,
    /// Whether the label was given.
    pub is_named: bool,
    /// Where it is.
    pub path: PathBuf,
}

impl Argument {
    /// `NAME=FILE`, or `FILE`. If there is a file of the whole name, it is that file.
    pub fn of(path: &Path) -> Self {
        if let Some((label, path)) = named(path) {
            return Self { label, is_named: true, path: path.to_owned() };
        }
        let label = match Target::of_input(path) {
            Target::Descriptor(0) => "stdin".to_owned(),
            Target::Descriptor(number) => format!("fd{number}"),
            Target::Path(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        };
        Self { label, is_named: false, path: path.to_owned() }
    }

    /// All arguments, with labels of which no two are the same: a path instead of the name of a file, and a number for
    /// what is left.
    pub fn all(paths: &[PathBuf]) -> Vec<Self> {
        let mut all: Vec<_> = paths.iter().map(|path| Self::of(path)).collect();
        for is_last_resort in [false, true] {
            let labels: Vec<_> = all.iter().map(|argument| argument.label.clone()).collect();
            let mut seen = BTreeSet::new();
            for (number, argument) in (1..).zip(&mut all) {
                let is_first = seen.insert(argument.label.clone());
                let count = labels.iter().filter(|label| **label == argument.label).count();
                if count > 1 && !is_last_resort && !argument.is_named {
                    argument.label = argument.path.display().to_string();
                } else if !is_first && is_last_resort {
                    argument.label = format!("{}#{number}", argument.label);
                }
            }
        }
        all
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(Target::of_input(&self.path), Target::Path(path) if path.is_dir())
    }

    /// The regular files in the directory, by name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let name = || self.path.display().to_string();
        let entries = fs::read_dir(&self.path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.map_err(|error| Error::Open { name: name(), error })?;
        let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
        files.retain(|path| path.is_file());
        files.sort();
        Ok(files)
    }
}

/// What `-r` names.
pub struct Inputs(Vec<Argument>);

impl Inputs {
    /// Of these arguments.
    pub fn of(paths: &[PathBuf]) -> Self {
        Self(Argument::all(paths))
    }

    /// The paths of everything that is read.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn paths(&self) -> Result<Vec<PathBuf>, Error> {
        let mut paths = Vec::new();
        for argument in &self.0 {
            if argument.is_directory() {
                paths.extend(argument.files()?);
            } else {
                paths.push(argument.path.clone());
            }
        }
        Ok(paths)
    }

    /// The path of a lone file or stream, for which nothing is merged.
    pub fn only(&self) -> Option<&Path> {
        match self.0.as_slice() {
            [only] if !only.is_directory() => Some(&only.path),
            _ => None,
        }
    }

    /// The arguments, each with a label of its own.
    pub(super) fn into_arguments(self) -> Vec<Argument> {
        self.0
    }
}

/// The name and the file of `NAME=FILE`.
fn named(path: &Path) -> Option<(String, &Path)> {
    if matches!(Target::of_input(path), Target::Descriptor(_)) || path.symlink_metadata().is_ok() {
        return None;
    }
    let bytes = path.as_os_str().as_bytes();
    let (name, file) = bytes.split_at(bytes.iter().position(|byte| *byte == b'=')?);
    let name = str::from_utf8(name).ok().filter(|name| !name.is_empty() && !name.contains('/'))?;
    let file = file.get(1..).filter(|file| !file.is_empty())?;
    Some((name.to_owned(), Path::new(OsStr::from_bytes(file))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(paths: &[&str]) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
        Argument::all(&paths).into_iter().map(|argument| argument.label).collect()
    }

    #[test]
    fn labels_are_short_and_different() {
        assert_eq!(
            labels(&["/x/a.pcap", "b.pcap", "-", "/dev/fd/63"]),
            ["a.pcap", "b.pcap", "stdin", "fd63"]
        );
        assert_eq!(labels(&["/x/a", "/y/a", "b"]), ["/x/a", "/y/a", "b"]);
        assert_eq!(labels(&["a", "a", "web=a", "web=b"]), ["a", "a#2", "web", "web#4"]);
    }

    #[test]
    fn names_of_inputs() {
        let argument = |text: &str| {
            let argument = Argument::of(Path::new(text));
            (argument.label, argument.path.to_str().unwrap().to_owned())
        };
        let pair = |label: &str, path: &str| (label.to_owned(), path.to_owned());
        assert_eq!(argument("web=/dev/fd/63"), pair("web", "/dev/fd/63"));
        assert_eq!(argument("web=-"), pair("web", "-"));
        assert_eq!(argument("a=b=c"), pair("a", "b=c"));
        assert_eq!(argument("/x/a=b"), pair("a=b", "/x/a=b"));
        assert_eq!(argument("=b"), pair("=b", "=b"));
        assert_eq!(argument("a="), pair("a=", "a="));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x=1.pcap");
        fs::write(&file, "").unwrap();
        assert_eq!(Argument::of(&file).label, "x=1.pcap");
    }
}
