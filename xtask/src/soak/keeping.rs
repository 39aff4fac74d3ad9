//! A flight recorder at a high rate, which is asked for dumps again and again: each of them has to hold exactly the newest packets,
//! and nothing may be lost meanwhile.

use std::{
    fs::{self, File},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use xdpdump_testing::{generator::number, load::under_bursts, scene::Scene};

use super::blocks;
use crate::process;

/// Bytes of a frame, and of its packet in a file.
const FRAME: usize = 60;
const PACKET: u64 = 108;
/// What is kept, in bytes.
const KEPT: u64 = 64 << 20;
/// Time in which the rate is kept.
const BURST: Duration = Duration::from_secs(1);
/// How often a dump is asked for.
const ASK_EVERY: Duration = Duration::from_secs(5);
/// How far the newest packet of a dump may be from the moment of the request, in nanoseconds.
const AGE: i64 = 500_000_000;

/// Runs it for so many minutes, with so many frames per second.
pub fn run(xdpdump: &Path, minutes: u64, rate: u32) -> Result<()> {
    let scene = Scene::new();
    let folder = scene.directory.path().join("dumps");
    fs::create_dir(&folder)?;
    let said = scene.directory.path().join("said");
    let mut command = scene.right.command(xdpdump);
    command.args(["-i", "right", "--keep", "64M", "-w"]).arg(folder.join("dump.pcapng"));
    let mut capture = command.stderr(File::create(&said)?).spawn().context("cannot start xdpdump")?;
    let begin = Instant::now();
    while !fs::read_to_string(&said)?.contains("listening on") {
        ensure!(begin.elapsed() < Duration::from_secs(30), "it does not begin");
        thread::sleep(Duration::from_millis(20));
    }
    let pid = capture.id().to_string();
    let signal = |name: &str| process::run(Command::new("kill").args([name, &pid]));
    let mut asked = Vec::new();
    let time = Duration::from_mins(minutes);
    let begin = Instant::now();
    under_bursts(&scene.left, "left", FRAME, rate, BURST, || -> Result<()> {
        while begin.elapsed() + ASK_EVERY < time {
            thread::sleep(ASK_EVERY);
            asked.push(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as i64);
            signal("-USR2")?;
        }
        thread::sleep(ASK_EVERY);
        Ok(())
    })?;
    let milliseconds = u64::try_from(begin.elapsed().as_millis())?;
    let arrived = scene.arrived();
    signal("-INT")?;
    ensure!(capture.wait()?.success(), "the capture failed: {}", fs::read_to_string(&said)?);
    let said = fs::read_to_string(&said)?;
    println!("{said}{arrived} frames arrived, {} a second", arrived * 1000 / milliseconds);
    ensure!(said.contains(&format!("\n{arrived} packets captured\n")), "not every frame was captured");
    ensure!(said.contains("\n0 packets dropped by kernel"), "frames were lost");
    let mut dumps: Vec<_> = fs::read_dir(&folder)?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    dumps.sort();
    ensure!(dumps.len() == asked.len(), "{} dumps, of {} requests", dumps.len(), asked.len());
    for (dump, asked) in dumps.iter().zip(asked) {
        check(dump, asked).with_context(|| dump.display().to_string())?;
    }
    println!("{} dumps have exactly the newest packets", dumps.len());
    Ok(())
}

/// Checks that a dump has as many packets as are kept, without a gap, up to the moment of the request.
fn check(dump: &Path, asked: i64) -> Result<()> {
    let file = fs::read(dump)?;
    let (mut count, mut last, mut newest) = (0, None, 0);
    for packet in blocks::packets(&file) {
        let number = number(packet.frame);
        if let Some(before) = last.replace(number) {
            ensure!(number == before + 1, "frame {number} comes after {before}");
        }
        ensure!(packet.time >= newest, "frame {number} has an earlier time than the one before");
        newest = packet.time;
        count += 1;
    }
    let len = count * PACKET;
    ensure!(KEPT - PACKET < len && len <= KEPT, "{len} bytes of packets");
    let late = i64::try_from(newest)? - asked;
    ensure!(late.abs() < AGE, "the newest is of {newest}, and it was asked for at {asked}");
    Ok(())
}
