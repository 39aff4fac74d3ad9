//! Runs a command on each file that is finished, beside the capture.

use std::{
    collections::VecDeque,
    io,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, setpriority_process};

/// Number of commands that run at the same time.
const AT_ONCE: usize = 4;
/// Time after which a command that still runs is worth a message.
const LONG: Duration = Duration::from_mins(1);
/// The lowest priority (setpriority(2)), as tcpdump gives it.
const PRIORITY: i32 = 19;

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
    pub fn new(command: String) -> Self {
        Self { command, waiting: VecDeque::new(), running: Vec::new() }
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

    /// Starts what still waits, because nobody looks after it any more.
    pub fn finish(&mut self, say: &mut dyn FnMut(&str)) {
        self.look_after(say);
        while let Some(file) = self.waiting.pop_front() {
            self.start(file, say);
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
