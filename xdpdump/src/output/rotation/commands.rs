//! Runs a command on each file that is finished, beside the capture.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    io,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, setpriority_process};

use crate::sys::program;

/// Number of commands that run at the same time.
const AT_ONCE: usize = 4;
/// Time after which a command that still runs is worth a message.
const LONG: Duration = Duration::from_mins(1);
/// Time that commands have when the capture has ended.
const AT_THE_END: Duration = Duration::from_secs(2);
/// The lowest priority (setpriority(2)), as tcpdump gives it.
const PRIORITY: i32 = 19;

/// There is no such program.
#[derive(Debug, thiserror::Error)]
#[error(
    "-z: there is no program \"{0}\": name one, by its path if it is not where programs are looked for (PATH)"
)]
pub struct Missing(String);

/// A command and the files to run it on.
#[derive(Debug)]
pub struct Commands {
    /// As the user wrote it: a program and perhaps arguments, separated by spaces.
    command: String,
    waiting: VecDeque<PathBuf>,
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    file: PathBuf,
    /// When to say that it takes long.
    long_at: Option<Instant>,
}

impl Commands {
    /// Finds the program of a command.
    ///
    /// # Errors
    /// When there is none, which otherwise would be known when the first file is finished.
    pub fn new(command: &str) -> Result<Self, Missing> {
        let name = command.split_whitespace().next().unwrap_or_default();
        if !program::is_there(OsStr::new(name)) {
            return Err(Missing(name.to_owned()));
        }
        Ok(Self { command: command.to_owned(), waiting: VecDeque::new(), running: Vec::new() })
    }

    /// Runs the command on `file`, as soon as no others keep it from that.
    pub fn run_on(&mut self, file: PathBuf, say: &mut dyn FnMut(&str)) {
        self.waiting.push_back(file);
        self.look_after(say);
    }

    /// Starts what waits, and tells `say` what failed.
    pub fn look_after(&mut self, say: &mut dyn FnMut(&str)) {
        let command = &self.command;
        self.running.retain_mut(|running| {
            let failure = match running.child.try_wait() {
                Ok(None) => {
                    if running.long_at.take_if(|at| Instant::now() >= *at).is_some() {
                        say(&format!("-z {command} still runs on {}", running.file.display()));
                    }
                    return true;
                }
                Ok(Some(status)) if status.success() => None,
                Ok(Some(status)) => Some(ending(status)),
                Err(error) => Some(error.to_string()),
            };
            if let Some(failure) = failure {
                say(&format!("-z {command} failed on {}: {failure}", running.file.display()));
            }
            false
        });
        while self.running.len() < AT_ONCE
            && let Some(file) = self.waiting.pop_front()
        {
            self.start(file, say);
        }
    }

    /// Waits a little for what runs and what waits, because nobody looks after them any more.
    pub fn finish(&mut self, say: &mut dyn FnMut(&str)) {
        let deadline = Instant::now() + AT_THE_END;
        loop {
            self.look_after(say);
            if self.waiting.is_empty() && self.running.is_empty() {
                return;
            }
            if Instant::now() >= deadline {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        for Running { file, .. } in &self.running {
            say(&format!("-z {} still runs on {}", self.command, file.display()));
        }
        if let Some(first) = self.waiting.front() {
            let files = self.waiting.len();
            say(&format!("-z {} was not run on {files} files, from {} on", self.command, first.display()));
        }
    }

    fn start(&mut self, file: PathBuf, say: &mut dyn FnMut(&str)) {
        let mut words = self.command.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        // In a group of its own, because Ctrl-C is not meant for it.
        command.args(words).arg(&file).stdin(Stdio::null()).stdout(io::stderr()).process_group(0);
        match command.spawn() {
            Ok(child) => {
                // It may have ended already.
                let _ = setpriority_process(Pid::from_raw(child.id().cast_signed()), PRIORITY);
                self.running.push(Running { child, file, long_at: Some(Instant::now() + LONG) });
            }
            Err(error) => say(&format!("cannot run -z {} on {}: {error}", self.command, file.display())),
        }
    }
}

fn ending(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("its status is {code}"),
        None => status.to_string(),
    }
}
