//! A command for whose life is captured.
//!
//! Its process is started early, while this one still has all its privileges, but as this program under another name. That
//! waits until the capture has begun, and becomes the command then. So no frame of the command is missing, and it is not
//! restricted as a capture that runs is.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd},
        unix::process::CommandExt as _,
    },
    process::{self, Child, ExitCode, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};

use super::Error;
use crate::{
    printable::printable,
    signals,
    sys::{inherited, program},
};

/// The name (`argv[0]`) under which this program runs until it becomes the command.
const NAME: &str = "capture-command";

/// The status of a program that could not be run, as shells have it.
const NOT_RUN: u8 = 127;

/// A command that waits or runs.
#[derive(Debug)]
pub struct Command {
    child: Child,
    /// Readable when the command has ended.
    end: OwnedFd,
    /// Lets it begin.
    gate: Option<io::PipeWriter>,
    status: Option<ExitStatus>,
}

/// Checks that there is a program to run.
///
/// # Errors
/// When there is none.
pub fn check(words: &[OsString]) -> Result<(), Error> {
    match words.first() {
        Some(name) if !program::is_there(name) => Err(Error::NoSuchCommand(printable(name))),
        _ => Ok(()),
    }
}

impl Command {
    /// Starts a process that will become the command. Where packets go to standard output, what the command prints there
    /// goes to standard error.
    ///
    /// # Errors
    /// When the kernel gives no process or pipe.
    pub fn prepare(words: &[OsString], is_stdout_taken: bool) -> Result<Self, Error> {
        let name = || words.first().map(printable).unwrap_or_default();
        let start = || {
            let (waits, gate) = io::pipe()?;
            // Only for this process: nothing else is started before it is closed.
            fcntl_setfd(&waits, FdFlags::empty())?;
            let mut command = process::Command::new("/proc/self/exe");
            command.arg0(NAME).arg(waits.as_raw_fd().to_string()).args(words);
            if is_stdout_taken {
                command.stdout(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?));
            }
            let child = command.spawn()?;
            let end = pidfd_open(pid(&child), PidfdFlags::empty())?;
            Ok(Self { child, end, gate: Some(gate), status: None })
        };
        start().map_err(|error| Error::Command(name(), error))
    }

    /// Lets it begin.
    pub fn begin(&mut self) {
        if let Some(mut gate) = self.gate.take() {
            // If its process is gone, that is seen as its end.
            let _ = gate.write_all(&[1]);
        }
    }

    /// How it ended, if it did.
    pub fn status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Ends it, because the capture has ended before; returns false if it still runs at `deadline`.
    pub fn end(mut self, deadline: Instant) -> bool {
        self.gate = None;
        // If that is not allowed, or it has ended, there is nothing more to do.
        let _ = kill_process(pid(&self.child), Signal::TERM);
        while self.status().is_none() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl AsFd for Command {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// If this process was started to become a command: waits, and becomes it. Returns if it does not: with the exit code. `None`
/// in any other process.
pub fn run_if_called() -> Option<ExitCode> {
    let mut words = env::args_os();
    if words.next()? != NAME {
        return None;
    }
    let gate = words.next()?.to_str()?.parse().ok()?;
    let program = words.next()?;
    let mut begins = [0];
    let waited = inherited::descriptor(gate).and_then(|waits| {
        // The command does not get it.
        inherited::close_on_exec(gate)?;
        File::from(waits).read_exact(&mut begins)
    });
    if waited.is_err() {
        // The capture did not begin.
        return Some(ExitCode::FAILURE);
    }
    signals::as_at_first();
    let error = process::Command::new(&program).args(words).exec();
    eprintln!("xdpdump: cannot run {}: {error}", printable(&program));
    Some(ExitCode::from(NOT_RUN))
}
