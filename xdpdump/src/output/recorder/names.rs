//! The names of the files that a recorder writes.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use chrono::{Local, TimeZone as _};

use crate::{
    output::{Error, format},
    packet::Timestamp,
};

/// Checks that files can be written where their names lead.
///
/// # Errors
/// When there is no such folder.
pub fn check(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let is_folder = fs::metadata(folder).map(|metadata| metadata.is_dir());
    let error = match is_folder {
        Ok(true) if path.file_name().is_some() => return Ok(()),
        Ok(_) => io::Error::from(io::ErrorKind::NotFound),
        Err(error) => error,
    };
    Err(Error::Open(path.display().to_string(), error))
}

/// A name that no file has yet: with the local time of the request before its endings, and a number if there is one already.
pub fn free(path: &Path, time: Timestamp) -> PathBuf {
    let stamp = Local.timestamp_nanos(time.0).format("-%Y%m%d-%H%M%S").to_string();
    let first = with(path, &stamp);
    if fs::symlink_metadata(&first).is_err() {
        return first;
    }
    let numbered = (2..).map(|number: u32| with(path, &format!("{stamp}-{number}")));
    numbered.into_iter().find(|name| fs::symlink_metadata(name).is_err()).unwrap_or(first)
}

/// The path with something before the endings of its name.
fn with(path: &Path, middle: &str) -> PathBuf {
    let mut endings = OsString::new();
    let mut rest = path.to_owned();
    let take = |rest: &mut PathBuf, endings: &mut OsString| {
        if let (Some(extension), true) = (rest.extension(), rest.file_stem().is_some()) {
            let mut longer = OsString::from(".");
            longer.push(extension);
            longer.push(&*endings);
            *endings = longer;
            rest.set_extension("");
        }
    };
    if format::is_compressed(&rest) {
        take(&mut rest, &mut endings);
    }
    take(&mut rest, &mut endings);
    let mut name = rest.file_name().unwrap_or_default().to_owned();
    name.push(middle);
    name.push(endings);
    rest.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_before_the_endings() {
        for (path, name) in [
            ("a/out.pcapng", "a/out-T.pcapng"),
            ("out.pcapng.zst", "out-T.pcapng.zst"),
            ("out", "out-T"),
            ("x/10.0.0.1.pcapng", "x/10.0.0.1-T.pcapng"),
            (".hidden", ".hidden-T"),
        ] {
            assert_eq!(with(Path::new(path), "-T"), Path::new(name), "{path}");
        }
    }

    #[test]
    fn no_file_is_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.pcapng");
        let mut seen = Vec::new();
        for _ in 0..3 {
            let name = free(&path, Timestamp(1_700_000_000_000_000_000));
            assert!(!seen.contains(&name));
            fs::write(&name, "").unwrap();
            seen.push(name);
        }
        assert!(seen[2].to_str().unwrap().ends_with("-3.pcapng"));
    }

    #[test]
    fn a_folder_that_is_not_there_is_known_at_once() {
        assert!(check(Path::new("/no/such/folder/out.pcapng")).is_err());
        assert!(check(Path::new("out.pcapng")).is_ok());
    }
}
