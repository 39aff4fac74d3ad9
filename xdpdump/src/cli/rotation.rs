//! The options for captures in several files.

use std::time::Duration;

use clap::{Args, value_parser};

use super::units;
use crate::output::Rotation;

/// When one file is followed by another.
#[derive(Debug, Args)]
#[group(id = "rotation", multiple = true)]
pub struct RotationOptions {
    /// Begin another file when one has SIZE
    ///
    /// In millions of bytes, or with k, m or g in KiB, MiB or GiB. The second file has a 1 behind its name, the third a 2, and so on.
    #[arg(short = 'C', long, value_name = "SIZE", value_parser = units::file_size, requires = "write", help_heading = "Files")]
    pub file_size: Option<u64>,

    /// Begin another file every TIME
    ///
    /// In seconds, or with m, h or d in minutes, hours or days; also when no packet arrives. The name is formatted by
    /// strftime(3), as in -w 'trace-%Y%m%d-%H%M%S.pcapng', with the local time at which the file begins; if two files in turn would
    /// have one name, the second has a 1 behind it. With -r, the time of the packets counts.
    #[arg(short = 'G', long, value_name = "TIME", value_parser = units::time, requires = "write", help_heading = "Files")]
    pub file_time: Option<Duration>,

    /// Write N files
    ///
    /// With -C, the oldest is overwritten when there are N, and their names have numbers of equal length. With -G, the capture ends
    /// after N files. With both, the newest N files are kept.
    #[arg(short = 'W', long, value_name = "N", value_parser = value_parser!(u32).range(1..), help_heading = "Files")]
    pub files: Option<u32>,

    /// Run CMD on each finished file
    ///
    /// As CMD FILE, at low priority, beside the capture; CMD may have arguments, as in "zstd --rm". It is also run on the last file.
    #[arg(short = 'z', long, value_name = "CMD", requires = "write", help_heading = "Files")]
    pub postrotate_command: Option<String>,

    /// Delete the oldest files when all have SIZE
    ///
    /// In bytes, or with k, m, g or t. Files of earlier captures with such names count and are deleted, too, also if they were
    /// compressed since.
    #[arg(long, value_name = "SIZE", value_parser = units::bytes, requires = "write", conflicts_with = "read", hide_short_help = true, help_heading = "Files")]
    pub max_total: Option<u64>,

    /// Delete the oldest files when less than SIZE is free
    ///
    /// If there is none left to delete, the capture ends.
    #[arg(long, value_name = "SIZE", value_parser = units::bytes, requires = "write", conflicts_with = "read", hide_short_help = true, help_heading = "Files")]
    pub min_free: Option<u64>,

    /// Begin files at full minutes, hours or days
    ///
    /// -G's periods then begin at multiples of their length in local time; the first one is shorter.
    #[arg(long, requires = "file_time", hide_short_help = true, help_heading = "Files")]
    pub align: bool,

    /// Begin another file when SIGHUP comes
    ///
    /// Without it, SIGHUP ends the capture.
    #[arg(long, requires = "write", conflicts_with = "read", hide_short_help = true, help_heading = "Files")]
    pub rotate_on_hangup: bool,
}

impl RotationOptions {
    /// What they ask for; `None` for one file.
    pub fn rotation(&self) -> Result<Option<Rotation>, String> {
        let rotation = Rotation {
            size: self.file_size,
            period: self.file_time,
            is_aligned: self.align,
            files: self.files,
            on_hangup: self.rotate_on_hangup,
            command: self.postrotate_command.clone(),
            max_total: self.max_total,
            min_free: self.min_free,
        };
        if let (Some(size), Some(total)) = (rotation.size, rotation.max_total)
            && total < size
        {
            return Err(
                "--max-total is less than one file may have (-C): give it room for several".to_owned()
            );
        }
        if rotation.size.is_some() || rotation.period.is_some() || rotation.on_hangup {
            return Ok(Some(rotation));
        }
        let given = [
            (self.files.is_some(), "-W limits the number of files"),
            (self.postrotate_command.is_some(), "-z is for files"),
            (self.max_total.is_some(), "--max-total is for files"),
            (self.min_free.is_some(), "--min-free is for files"),
        ];
        match given.into_iter().find(|(given, _)| *given) {
            Some((_, what)) => Err(format!("{what} that -C or -G begin: give one of these, too")),
            None => Ok(None),
        }
    }
}
