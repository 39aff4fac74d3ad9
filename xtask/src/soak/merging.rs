//! Three live captures, whose clocks are apart, merged into one: one stalls for a while, one is killed.

use std::{
    fs::{self, File},
    io::{Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use xdpdump_testing::{load::under_load, scene::Scene};

use super::blocks;
use crate::process;

/// Frames a second of each source.
const RATE: u32 = 20_000;
/// How far the clocks are apart, in nanoseconds.
const OFFSETS: [i64; 3] = [0, 300_000_000, -200_000_000];
/// How long one stalls.
const STALLS_FOR: Duration = Duration::from_secs(5);
/// How long packets wait for those of other sources. That is less than the stall.
const WINDOW: &str = "1s";

/// Runs it for so many minutes.
pub fn run(xdpdump: &Path, minutes: u64) -> Result<()> {
    let scenes = [Scene::new(), Scene::new(), Scene::new()];
    let folder = scenes[0].directory.path();
    let pipes: Vec<PathBuf> = ["a", "b", "c"].iter().map(|name| folder.join(name)).collect();
    process::run(Command::new("mkfifo").args(&pipes))?;
    let merged = folder.join("merged.pcapng");
    let said = folder.join("said");
    let mut command = Command::new(xdpdump);
    for pipe in &pipes {
        command.arg("-r").arg(pipe);
    }
    command.args(["--reorder-window", WINDOW, "-w"]).arg(&merged).stderr(File::create(&said)?);
    let mut merge = command.spawn().context("cannot start the merge")?;
    let time = Duration::from_mins(minutes);
    let begin = Instant::now();
    let mut captures = Vec::new();
    let mut forwarders = Vec::new();
    for ((scene, pipe), offset) in scenes.iter().zip(&pipes).zip(OFFSETS) {
        let mut command = scene.right.command(xdpdump);
        command.args(["-q", "-i", "right", "-w", "-"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut capture = command.spawn().context("cannot start a capture")?;
        let stdout = capture.stdout.take().context("no pipe")?;
        let stall = (offset > 0).then(|| (begin + time / 3, STALLS_FOR));
        forwarders.push(forward(stdout, pipe.clone(), offset, stall));
        captures.push(capture);
    }
    let [first, second, third] = &scenes;
    under_load(&first.left, "left", 200, RATE, || {
        under_load(&second.left, "left", 200, RATE, || {
            under_load(&third.left, "left", 200, RATE, || -> Result<()> {
                thread::sleep((time * 2 / 3).saturating_sub(begin.elapsed()));
                captures[2].kill()?;
                thread::sleep(time.saturating_sub(begin.elapsed()));
                Ok(())
            })
        })
    })?;
    for capture in &mut captures {
        interrupt(capture)?;
    }
    let mut sent = Vec::new();
    for forwarder in forwarders {
        sent.push(forwarder.join().map_err(|_| anyhow::anyhow!("a source failed"))??);
    }
    ensure!(merge.wait()?.code().is_some(), "the merge was killed");
    let said = fs::read_to_string(said)?;
    println!("{said}packets of each source: {sent:?}");
    check(&merged, &sent)
}

/// Ends a capture, if it still runs.
fn interrupt(capture: &mut Child) -> Result<()> {
    if capture.try_wait()?.is_none() {
        process::run(Command::new("kill").args(["-INT", &capture.id().to_string()]))?;
    }
    capture.wait()?;
    Ok(())
}

/// Hands on what a capture writes, with the time of another clock; returns the number of packets.
fn forward(
    mut from: ChildStdout,
    pipe: PathBuf,
    offset: i64,
    mut stall: Option<(Instant, Duration)>,
) -> JoinHandle<Result<u64>> {
    thread::spawn(move || {
        let mut to = File::options().write(true).open(pipe)?;
        let mut packets = 0;
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = from.read(&mut chunk)?;
            if count == 0 {
                // What is left is the part of a packet of a capture that was killed.
                to.write_all(&bytes)?;
                return Ok(packets);
            }
            bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
            if let Some((_, time)) = stall.take_if(|(at, _)| Instant::now() >= *at) {
                thread::sleep(time);
            }
            let mut whole = 0;
            while let Some(len) = bytes.get(whole..).and_then(blocks::whole) {
                if blocks::is_packet(&bytes[whole..]) {
                    packets += 1;
                    blocks::shift(&mut bytes[whole..], offset);
                }
                whole += len;
            }
            to.write_all(&bytes[..whole])?;
            bytes.drain(..whole);
        }
    })
}

/// Compares the file with what the sources sent.
fn check(merged: &Path, sent: &[u64]) -> Result<()> {
    let bytes = fs::read(merged)?;
    let mut packets = vec![0; sent.len()];
    let mut last = vec![0; sent.len()];
    for packet in blocks::packets(&bytes) {
        let interface = packet.interface as usize;
        let count = packets.get_mut(interface).context("one interface too many")?;
        let before = last.get_mut(interface).context("one interface too many")?;
        *count += 1;
        ensure!(packet.time >= std::mem::replace(before, packet.time), "a source is not in order");
    }
    // The interfaces may come in another order.
    let (mut found, mut expected) = (packets, sent.to_vec());
    found.sort_unstable();
    expected.sort_unstable();
    ensure!(found == expected, "the file has {found:?} packets of the sources, which sent {expected:?}");
    process::run(Command::new("capinfos").arg("-c").arg(merged))?;
    println!("the file has all of them");
    Ok(())
}
