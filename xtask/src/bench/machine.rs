//! The machine: what it is, and whether it has room.

use std::fs::{self, File};
use std::io::{self, Write};
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
    let largest = largest_file(args) >> 10;
    let free = memory_kib("MemAvailable").context("/proc/meminfo does not tell the free memory")?;
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

/// Sees to it that a virtual machine has the memory for capture files when they are written: what its host has to give first
/// takes longer than everything that is to be measured.
///
/// A guest gives free memory back in blocks of 2 MiB (mm/page_reporting.c, v6.18). So all the memory is used once, and one
/// page of each MiB stays in use, in a file in `folder`: there are no such blocks, and other pages come from there first.
pub fn hold_memory(args: &Args, folder: &Path) -> Result<()> {
    static MIB: [u8; 1 << 20] = [0; 1 << 20];
    let (kept, freed) = (folder.join("held"), folder.join("freed"));
    let fill = || -> io::Result<()> {
        let (mut kept, mut freed) = (File::create(&kept)?, File::create(&freed)?);
        let (page, rest) = MIB.split_at(4096);
        // Something is always in use elsewhere, and some memory of the last file still on its way back.
        for _ in 0..(largest_file(args) >> 20) * 3 / 2 {
            kept.write_all(page)?;
            freed.write_all(rest)?;
        }
        Ok(())
    };
    fill().and_then(|()| fs::remove_file(&freed)).with_context(|| format!("cannot fill {}", folder.display()))
}

/// Bytes of the largest capture file, at most.
fn largest_file(args: &Args) -> u64 {
    let lens = args.sizes.iter().map(|&len| (u64::from(len) + RECORD) * u64::from(args.frames(len)));
    lens.max().unwrap_or_default()
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
