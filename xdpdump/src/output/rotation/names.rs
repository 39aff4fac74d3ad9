//! The names of the files of one capture, which are those that tcpdump gives them.

use std::{
    ffi::{OsStr, OsString},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use chrono::{
    FixedOffset, Offset as _, TimeZone as _, Utc,
    format::{Item, Parsed, StrftimeItems, parse_and_remainder},
};

use super::{Rotation, format};
use crate::{packet::Timestamp, sys::local_time::LocalTime};

/// What programs that compress a file put behind its name.
const COMPRESSED: [&str; 6] = [".gz", ".zst", ".lz4", ".xz", ".bz2", ".lzo"];

/// A conversion in a name that strftime(3) does not have.
#[derive(Debug, thiserror::Error)]
#[error(
    "the name {0} has a \"%\" that begins no conversion of strftime(3), which -G takes it for: write \"%%\" for the character"
)]
pub struct Error(String);

/// The names of the files, one after the other.
///
/// With `-G` a name is formatted by strftime(3) with the local time at which the file's period begins. A number follows the second
/// and later files of the same name; it has as many digits as it can need, from the first file on, if the number of files is
/// limited by `-W` and they are limited in size. If the name says that the file is compressed, numbers come before that.
#[derive(Debug)]
pub struct Names {
    /// Without the ending of a compressed file.
    path: PathBuf,
    is_compressed: bool,
    is_timed: bool,
    /// Digits of the number behind each name.
    digits: usize,
    /// The number after which numbers begin anew.
    wraps_at: Option<u32>,
    /// The name without a number that was given last.
    last: Option<OsString>,
    number: u32,
}

impl Names {
    /// The names for files at `path`.
    ///
    /// # Errors
    /// When the path has to be formatted and is no format.
    pub fn new(path: &Path, rotation: &Rotation) -> Result<Self, Error> {
        let is_timed = rotation.period.is_some();
        if is_timed && items(path).any(|item| item == Item::Error) {
            return Err(Error(path.display().to_string()));
        }
        let is_compressed = format::is_compressed(path);
        let numbered = rotation.files.filter(|_| rotation.size.is_some());
        Ok(Self {
            path: if is_compressed { path.with_extension("") } else { path.to_owned() },
            is_compressed,
            is_timed,
            digits: numbered.map_or(0, digits_below),
            wraps_at: numbered.filter(|_| !is_timed),
            last: None,
            number: 0,
        })
    }

    /// The name of the next file, whose period begins at `begin`.
    pub fn next(&mut self, begin: Timestamp) -> PathBuf {
        let mut name = self.formatted(begin);
        self.number = if self.last.as_ref() == Some(&name) { self.number + 1 } else { 0 };
        self.number %= self.wraps_at.unwrap_or(u32::MAX);
        self.last = Some(name.clone());
        if self.number > 0 || self.digits > 0 {
            name.push(format!("{:0digits$}", self.number, digits = self.digits));
        }
        if self.is_compressed {
            name.push(".");
            name.push(format::COMPRESSED);
        }
        name.into()
    }

    /// Whether a file of this name, in the same folder, may be one of these files; perhaps it was compressed since.
    pub fn includes(&self, name: &OsStr) -> bool {
        let (Some(name), Some(own)) = (name.to_str(), self.path.file_name().and_then(OsStr::to_str)) else {
            return false;
        };
        let name = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
        let rest = if self.is_timed {
            parse_and_remainder(&mut Parsed::new(), name, StrftimeItems::new(own)).ok()
        } else {
            name.strip_prefix(own)
        };
        rest.is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
    }

    fn formatted(&self, time: Timestamp) -> OsString {
        let mut name = String::new();
        let utc = Utc.timestamp_nanos(time.0);
        let shift = LocalTime::shift(utc.timestamp());
        let zone = i32::try_from(shift).ok().and_then(FixedOffset::east_opt).unwrap_or(Utc.fix());
        let format = utc.with_timezone(&zone);
        let format = format.format_with_items(items(&self.path));
        if self.is_timed && write!(name, "{format}").is_ok() && !name.is_empty() {
            name.into()
        } else {
            self.path.clone().into()
        }
    }
}

/// The path as a format; one that is not UTF-8 has no conversions.
fn items(path: &Path) -> impl Iterator<Item = Item<'_>> + Clone {
    path.to_str().map(StrftimeItems::new).into_iter().flatten()
}

/// Digits of the greatest number below `limit`; 0 if that is 0.
fn digits_below(limit: u32) -> usize {
    (limit.saturating_sub(1)).checked_ilog10().map_or(0, |digits| digits as usize + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn names(path: &str, rotation: &Rotation) -> Names {
        Names::new(Path::new(path), rotation).unwrap()
    }

    fn four(mut names: Names, seconds: i64) -> Vec<String> {
        let time = |file: i64| Timestamp(1_700_000_000_000_000_000 + file * seconds * 1_000_000_000);
        (0..4).map(|file| names.next(time(file)).display().to_string()).collect()
    }

    fn sized() -> Rotation {
        Rotation { size: Some(1000), ..Rotation::default() }
    }

    fn timed() -> Rotation {
        Rotation { period: Some(Duration::from_mins(1)), ..Rotation::default() }
    }

    #[test]
    fn sizes_alone_number_the_files_from_the_second_on() {
        assert_eq!(four(names("a.pcap", &sized()), 1), ["a.pcap", "a.pcap1", "a.pcap2", "a.pcap3"]);
    }

    #[test]
    fn a_ring_of_files_has_numbers_of_equal_length_and_begins_anew() {
        let ring = |files| names("a%Y", &Rotation { files: Some(files), ..sized() });
        assert_eq!(four(ring(3), 1), ["a%Y0", "a%Y1", "a%Y2", "a%Y0"]);
        assert_eq!(four(ring(11), 1), ["a%Y00", "a%Y01", "a%Y02", "a%Y03"]);
        assert_eq!(four(ring(10), 1), ["a%Y0", "a%Y1", "a%Y2", "a%Y3"]);
        assert_eq!(four(ring(1), 1), ["a%Y"; 4]);
    }

    #[test]
    fn numbers_come_before_the_ending_of_compressed_files() {
        assert_eq!(
            four(names("a.pcap.zst", &sized()), 1),
            ["a.pcap.zst", "a.pcap1.zst", "a.pcap2.zst", "a.pcap3.zst"]
        );
        let given = four(names("%s.pcapng.zst", &timed()), 0);
        assert_eq!(given[..2], ["1700000000.pcapng.zst", "1700000000.pcapng1.zst"]);
    }

    #[test]
    fn times_are_formatted() {
        let given = four(names("t-%s-%%.pcapng", &timed()), 60);
        let seconds = [1_700_000_000, 1_700_000_060, 1_700_000_120, 1_700_000_180];
        assert_eq!(given, seconds.map(|second| format!("t-{second}-%.pcapng")));
    }

    /// tcpdump would overwrite the first file.
    #[test]
    fn a_name_that_comes_twice_in_turn_gets_a_number() {
        assert_eq!(four(names("a.pcap", &timed()), 60), ["a.pcap", "a.pcap1", "a.pcap2", "a.pcap3"]);
        let both = Rotation { size: Some(1), ..timed() };
        let mut names = names("%s", &both);
        let at = |second: i64| Timestamp(second * 1_000_000_000);
        let given = [60, 60, 120, 120, 120].map(|second| names.next(at(second)).display().to_string());
        assert_eq!(given, ["60", "601", "120", "1201", "1202"]);
    }

    #[test]
    fn files_of_earlier_captures_are_recognised() {
        let includes = |path, rotation, name: &str| names(path, &rotation).includes(OsStr::new(name));
        for name in ["a.pcap", "a.pcap1", "a.pcap12.gz"] {
            assert!(includes("x/a.pcap", sized(), name), "{name}");
        }
        for name in ["a.pcap.zst", "a.pcap1.zst"] {
            assert!(includes("x/a.pcap.zst", sized(), name), "{name}");
        }
        for name in ["b.pcap", "a.pcapng", "a.pcap.old", "a.pcap1.gz.1", "aa.pcap", ".a.pcap.next"] {
            assert!(!includes("x/a.pcap", sized(), name), "{name}");
        }
        for name in ["2023-11-14T22.pcapng", "2023-11-14T22.pcapng3", "2024-02-29T00.pcapng.zst"] {
            assert!(includes("x/%Y-%m-%dT%H.pcapng", timed(), name), "{name}");
        }
        for name in ["2023-11-14.pcapng", "2023-13-14T22.pcapng", "notes.pcapng", "2023-11-14T22.pcap"] {
            assert!(!includes("x/%Y-%m-%dT%H.pcapng", timed(), name), "{name}");
        }
    }

    #[test]
    fn what_is_no_format_is_refused() {
        assert!(Names::new(Path::new("100%_.pcap"), &timed()).is_err());
        assert!(Names::new(Path::new("100%_.pcap"), &sized()).is_ok());
    }
}
