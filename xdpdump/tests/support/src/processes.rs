//! Other processes, by their id.

use std::{
    fs, io,
    os::unix::process::CommandExt as _,
    process::{Child, ChildStderr, ChildStdout, Command, Output},
};

use crate::wait;

/// A program or a shell's command line that runs, in a process group of its own as a terminal makes it; when this is dropped, all
/// of the group is killed.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> Self {
        Self(command.process_group(0).spawn().unwrap())
    }

    /// The process id, which is also that of its group.
    pub fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    /// Its standard output, which the command must have piped.
    pub fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().unwrap()
    }

    /// Its standard error, which the command must have piped.
    pub fn stderr(&mut self) -> ChildStderr {
        self.0.stderr.take().unwrap()
    }

    /// Sends a signal to all of its processes, as a terminal does.
    pub fn signal(&self, number: i32) {
        signal(-self.pid(), number);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub fn wait(&mut self) {
        wait::until(|| self.has_ended());
    }

    /// How it ended, and what it printed. It must have ended.
    pub fn output(&mut self) -> Output {
        let read = |pipe: Option<&mut dyn io::Read>| {
            let mut bytes = Vec::new();
            pipe.map(|pipe| pipe.read_to_end(&mut bytes).unwrap());
            bytes
        };
        let stdout = read(self.0.stdout.as_mut().map(|pipe| pipe as &mut dyn io::Read));
        let stderr = read(self.0.stderr.as_mut().map(|pipe| pipe as &mut dyn io::Read));
        Output { status: self.0.wait().unwrap(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SAFETY: no pointers are passed. The group is that of a child, or empty; it may have ended already.
        unsafe { libc::kill(-self.pid(), libc::SIGKILL) };
        let _ = self.0.wait();
    }
}

/// The children of `pid` that it has not waited for.
pub fn children(pid: i32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

/// Whether a process still runs; a zombie does not.
pub fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the name, which is in parentheses.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Sends a signal to a process that was started by the test, directly or indirectly.
pub fn signal(pid: i32, signal: i32) {
    // SAFETY: no pointers are passed.
    let result = unsafe { libc::kill(pid, signal) };
    assert_eq!(result, 0, "signal {signal} to {pid}: {}", io::Error::last_os_error());
}
