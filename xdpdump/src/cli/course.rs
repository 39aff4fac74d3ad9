//! The options for the course of a capture: when it ends, and what it says until then.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::units;
use crate::config::Status;

/// When a capture ends, and what it says until then.
#[derive(Debug, Args)]
pub struct CourseOptions {
    /// Stop after TIME
    ///
    /// In seconds, or with ms, m, h or d; also when no packet arrives.
    #[arg(long, value_name = "TIME", value_parser = units::time, conflicts_with = "read", help_heading = "Capture")]
    pub duration: Option<Duration>,

    /// Stop when SIZE is written
    ///
    /// In bytes, or with k, m, g or t; to all files together. What was read with the last packets is still written.
    #[arg(long, value_name = "SIZE", value_parser = units::bytes, requires = "write", conflicts_with = "read", hide_short_help = true, help_heading = "Capture")]
    pub max_bytes: Option<u64>,

    /// Say how it goes every TIME
    ///
    /// A line on standard error with the totals so far. The time is in seconds, or with ms, m, h or d.
    #[arg(long, value_name = "TIME", value_parser = units::time, conflicts_with = "read", hide_short_help = true, help_heading = "Capture")]
    pub stats: Option<Duration>,

    /// Say it as JSON
    ///
    /// Each line of --stats is an object.
    #[arg(long, requires = "stats", hide_short_help = true, help_heading = "Capture")]
    pub stats_json: bool,

    /// Write metrics to a file
    ///
    /// In the format of OpenMetrics, for the textfile collector of Prometheus' node_exporter, which reads files whose names end in .prom.
    /// The file is replaced every --stats, or every 10 seconds, and at the end.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "read",
        hide_short_help = true,
        help_heading = "Capture"
    )]
    pub stats_file: Option<PathBuf>,
}

impl CourseOptions {
    /// What to say now and then; `None` for nothing.
    pub fn status(&self) -> Option<Status> {
        (self.stats.is_some() || self.stats_file.is_some()).then(|| Status {
            every: self.stats,
            json: self.stats_json,
            file: self.stats_file.clone(),
        })
    }
}
