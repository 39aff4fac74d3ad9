//! The machine: its description, and whether it has enough memory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Args;
use crate::process;

/// Largest number of bytes that a capture file adds to a frame.
const RECORD: u64 = 120;

/// Processor, CPUs, memory and kernel, on one line.
pub fn description() -> String {
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let memory = memory_kib("MemTotal").unwrap_or_default() >> 20;
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = process::output(Command::new("uname").arg("-r")).unwrap_or_default();
    format!("{processor}, {cpus} CPUs, {memory} GiB of memory, Linux {kernel}")
}

/// Fails unless the largest capture file fits into half of the free memory.
pub fn has_room(args: &Args, folder: &Path) -> Result<()> {
    let largest = largest_file(args) >> 10;
    let free = memory_kib("MemAvailable").context("/proc/meminfo does not contain the free memory")?;
    if largest > free / 2 {
        bail!(
            "the largest file in {} would take {} MiB of {} MiB that are free: ask for fewer --frames",
            folder.display(),
            largest >> 10,
            free >> 10
        );
    }
    Ok(())
}

/// Makes sure that a virtual machine already has the memory for capture files when they are written: if the host had to
/// provide it first, that would take longer than what is to be measured.
///
/// A guest gives free memory back to its host in blocks of 2 MiB (mm/page_reporting.c, v6.18). So all the memory is used
/// once, and one page of each MiB stays in use, in a file in `folder`: then no such block is free, and new pages come from
/// memory that the guest already has.
pub fn hold_memory(args: &Args, folder: &Path) -> Result<()> {
    static MIB: [u8; 1 << 20] = [0; 1 << 20];
    let (kept, freed) = (folder.join("held"), folder.join("freed"));
    let fill = || -> io::Result<()> {
        let (mut kept, mut freed) = (File::create(&kept)?, File::create(&freed)?);
        let (page, rest) = MIB.split_at(4096);
        // Half as much again, because some memory is in use elsewhere, and some of the last file is not free yet.
        for _ in 0..(largest_file(args) >> 20) * 3 / 2 {
            kept.write_all(page)?;
            freed.write_all(rest)?;
        }
        Ok(())
    };
    fill().and_then(|()| fs::remove_file(&freed)).with_context(|| format!("cannot fill {}", folder.display()))
}

/// Upper bound for the size of the largest capture file, in bytes.
fn largest_file(args: &Args) -> u64 {
    let lens = args.sizes.iter().map(|&len| (u64::from(len) + RECORD) * u64::from(args.frames(len)));
    lens.max().unwrap_or_default()
}

fn memory_kib(name: &str) -> Option<u64> {
    field("/proc/meminfo", name)?.strip_suffix(" kB")?.parse().ok()
}

/// The first value of `name` in a file of lines `name: value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find_map(|(key, value)| (key.trim() == name).then(|| value.trim().to_owned()))
}
