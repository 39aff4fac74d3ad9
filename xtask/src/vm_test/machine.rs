//! One run of a virtual machine.

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

/// Longest silence. A test may take a minute or two on an emulated CPU.
const SILENCE: Duration = Duration::from_mins(5);
/// Longest run.
const LIFETIME: Duration = Duration::from_hours(1);

/// A virtual machine to be: two CPUs, 2 GiB of memory, the host's files read-only, and no network.
pub struct Machine<'a> {
    /// What it runs in.
    pub qemu: &'a Qemu,
    /// What it boots.
    pub image: &'a Image,
    /// The file with what it starts from.
    pub initramfs: &'a Path,
    /// Where the kernel's messages go.
    pub console: PathBuf,
    /// How instructions are executed: what `qemu -accel` takes.
    pub accelerator: &'a str,
}

/// How a machine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It switched itself off.
    Off,
    /// Nothing came from it any more.
    Silent,
    /// It had been running for too long.
    Late,
}

impl Machine<'_> {
    /// Runs it, handing every line of the results to `line`, until it is off or has been silent for too long.
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
            // Ends when qemu does.
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

    /// The last lines on the console, for somebody who wants to know what went wrong.
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
        // A panic restarts the machine, which -no-reboot makes an end.
        qemu.args(["-append", "console=ttyS0 panic=-1 mitigations=off audit=0"]);
        // Two serial lines: the console and the results.
        qemu.arg("-serial").arg(prefixed("file:", &self.console)).args(["-serial", "stdio"]);
        qemu.args(["-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"]);
        qemu.args(["-device", "virtio-9p-pci,fsdev=host,mount_tag=host"]);
        qemu.args(["-device", "virtio-rng-pci"]);
        qemu
    }
}

/// Ends with us, whatever happens.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn prefixed(prefix: &str, path: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from(prefix);
    word.push(path);
    word
}
