//! Runs a virtual machine.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::image::Image;
use super::qemu::Qemu;
use crate::process;

/// Longest time without output. A test may take a minute or two on an emulated CPU.
const SILENCE: Duration = Duration::from_mins(5);
/// Longest time that a machine may run.
const LIFETIME: Duration = Duration::from_hours(4);

/// A virtual machine with two CPUs, 2 GiB of memory, read-only access to the host's files, and no network.
pub struct Machine<'a> {
    /// The emulator.
    pub qemu: &'a Qemu,
    /// The kernel to boot.
    pub image: &'a Image,
    /// The file with its first file system.
    pub initramfs: &'a Path,
    /// The file to which the kernel's messages are written.
    pub console: PathBuf,
    /// How instructions are executed: the argument of `qemu -accel`.
    pub accelerator: &'a str,
}

/// How a machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The machine switched itself off.
    Off,
    /// The machine had no output for too long.
    Silent,
    /// The machine ran for too long.
    Late,
}

impl Machine<'_> {
    /// Runs the machine until it is off, or has had no output for too long, or has run for too long. Every line of the
    /// results is passed to `line`.
    pub fn run(&self, mut line: impl FnMut(&str)) -> Result<End> {
        let console = File::create(&self.console)
            .with_context(|| format!("cannot write {}", self.console.display()))?;
        drop(console);
        let mut qemu = self.command();
        let words = process::line(&qemu);
        let child = qemu.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = Running(child.with_context(|| format!("cannot run `{words}`"))?);

        let (sender, lines) = mpsc::channel();
        if let Some(output) = child.0.stdout.take() {
            // This thread ends when qemu ends.
            thread::spawn(move || {
                for text in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                    let text = String::from_utf8_lossy(&text).trim_end_matches('\r').to_owned();
                    if sender.send(text).is_err() {
                        break;
                    }
                }
            });
        }
        let deadline = Instant::now() + LIFETIME;
        loop {
            if Instant::now() > deadline {
                return Ok(End::Late);
            }
            match lines.recv_timeout(SILENCE) {
                Ok(text) => line(&text),
                Err(RecvTimeoutError::Timeout) => return Ok(End::Silent),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = child.0.wait()?;
        anyhow::ensure!(status.success(), "`{words}` ended with {status}: see its messages above");
        Ok(End::Off)
    }

    /// The last lines on the console, which may show what went wrong.
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.console).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn command(&self) -> Command {
        let mut qemu = self.qemu.command();
        qemu.args(["-accel", self.accelerator, "-cpu", "max", "-smp", "2", "-m", "2048"]);
        qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
        qemu.arg("-kernel").arg(self.image.vmlinuz()).arg("-initrd").arg(self.initramfs);
        // A panic reboots the machine, and with -no-reboot this ends it.
        qemu.args(["-append", "console=ttyS0 panic=-1 mitigations=off audit=0"]);
        // Two serial ports: one for the console, one for the results.
        qemu.arg("-serial").arg(prefixed("file:", &self.console)).args(["-serial", "stdio"]);
        qemu.args(["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"]);
        qemu.args(["-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]);
        qemu.args(["-device", "virtio-rng-pci"]);
        qemu
    }
}

/// The qemu process; killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn prefixed(prefix: &str, path: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from(prefix);
    word.push(path);
    word
}
