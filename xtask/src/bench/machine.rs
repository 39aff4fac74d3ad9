//! The machine: what it is, and whether it has room.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Args;
use crate::process;

/// Bytes that a capture file adds to a frame, at most.
const RECORD: u64 = 120;

/// Processor, CPUs, memory and kernel, on a line.
pub fn description() -> String {
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = memory_kib("MemTotal").unwrap_or_default() >> 20;
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = process::output(Command::new("uname").arg("-r")).unwrap_or_default();
    format!("{processor}, {cpus} CPUs, {memory} GiB of memory, Linux {kernel}")
}

/// Fails unless the largest capture file fits into half of the memory that is free.
pub fn has_room(args: &Args, folder: &Path) -> Result<()> {
    let largest = args.sizes.iter().map(|&len| (u64::from(len) + RECORD) * u64::from(args.frames(len))).max();
    let needed = largest.unwrap_or_default() >> 10;
    let free = memory_kib("MemAvailable").context("/proc/meminfo does not tell the free memory")?;
    if needed > free / 2 {
        bail!(
            "the largest file in {} would take {} MiB of {} MiB that are free: ask for fewer --frames",
            folder.display(),
            needed >> 10,
            free >> 10
        );
    }
    Ok(())
}

fn memory_kib(name: &str) -> Option<u64> {
    field("/proc/meminfo", name)?.strip_suffix(" kB")?.parse().ok()
}

/// The first value of a file of lines `name: value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find_map(|(key, value)| (key.trim() == name).then(|| value.trim().to_owned()))
}
