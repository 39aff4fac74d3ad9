//! Runs the tool as a user does.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader},
    iter,
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::LazyLock,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Instant,
};

use crate::{netns::NetNs, wait::PATIENCE};

/// The path of the tool's executable, which cargo puts into the parent of the folder with the test executables. The variable
/// `XDPDUMP_BIN` names another one to be tested, such as that of a package.
///
/// # Panics
/// When it does not exist: cargo builds it only for the tests of the package `xdpdump`.
pub fn xdpdump() -> &'static str {
    static PATH: LazyLock<String> = LazyLock::new(|| {
        let test = env::current_exe().unwrap();
        let built = || test.ancestors().nth(2).unwrap().join("xdpdump");
        let path = env::var_os("XDPDUMP_BIN").map_or_else(built, PathBuf::from);
        assert!(path.exists(), "there is no {}: run `cargo build -p xdpdump`", path.display());
        path.into_os_string().into_string().unwrap()
    });
    &PATH
}

/// A running xdpdump; killed when dropped.
#[derive(Debug)]
pub struct Capture {
    child: Child,
    lines: Receiver<String>,
    stderr: String,
}

/// How a capture ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code, or the signal that killed it.
    pub status: ExitStatus,
    /// Its output on standard error.
    pub stderr: String,
}

/// The numbers in the three lines at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets in the output.
    pub captured: u64,
    /// Frames that the program in the kernel saw and that the filter let through.
    pub received: u64,
    /// Those of the received frames that were lost because a ring had no room.
    pub dropped: u64,
}

impl Capture {
    /// Starts xdpdump in a namespace and waits until it listens.
    pub fn start<S: AsRef<OsStr>>(netns: &NetNs, arguments: impl IntoIterator<Item = S>) -> Self {
        let mut capture = Self::spawn(netns.command(xdpdump()).args(arguments));
        capture.wait_for("listening on");
        capture
    }

    /// Runs a command that is, or becomes, xdpdump.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stderr.lines() {
                let _ = sender.send(line.unwrap());
            }
        });
        Self { child, lines, stderr: String::new() }
    }

    /// Waits for a line on standard error that contains `words`, and returns it.
    ///
    /// # Panics
    /// When the tool ends or prints nothing for too long before that.
    pub fn wait_for(&mut self, words: &str) -> String {
        self.hear(words).unwrap_or_else(|| panic!("never said {words:?}, but:\n{}", self.stderr))
    }

    /// The next line on standard error that contains `words`; `None` if the tool ends or prints nothing for too long before
    /// that.
    pub fn hear(&mut self, words: &str) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        iter::from_fn(|| self.next_line(deadline).ok()).find(|line| line.contains(words))
    }

    /// The next line on standard error before `deadline`.
    fn next_line(&mut self, deadline: Instant) -> Result<String, RecvTimeoutError> {
        let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()))?;
        self.stderr += &line;
        self.stderr.push('\n');
        Ok(line)
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Its standard output, which the command must have piped.
    pub fn stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        // SAFETY: no pointers are passed. The child has not been waited for, so the process id is still its own.
        assert_eq!(unsafe { libc::kill(self.pid(), signal) }, 0);
    }

    /// Whether it is still running.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends SIGINT, as Ctrl-C does, and waits for its end.
    pub fn stop(self) -> Ended {
        self.signal(libc::SIGINT);
        self.wait()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn wait(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.next_line(deadline) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("does not end, but said:\n{}", self.stderr),
            }
        }
        let status = self.child.wait().unwrap();
        Ended { status, stderr: std::mem::take(&mut self.stderr) }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// The totals of a capture that ended successfully.
    ///
    /// # Panics
    /// When it did not end successfully, or the totals are not the last three lines.
    pub fn totals(&self) -> Totals {
        assert_eq!(self.status.code(), Some(0), "{}", self.stderr);
        self.counts()
    }

    /// The totals, however it ended.
    ///
    /// # Panics
    /// When there are not three lines in tcpdump's words.
    pub fn counts(&self) -> Totals {
        let count = |words| {
            let count = self.count(words);
            count.unwrap_or_else(|| panic!("no line ends in {words:?} in:\n{}", self.stderr))
        };
        Totals {
            captured: count("captured"),
            received: count("received by filter"),
            dropped: count("dropped by kernel"),
        }
    }

    /// How many packets came too late to be written in the order of time: of a CPU that was interrupted in the middle of a
    /// frame, by the host of a virtual machine or by a more urgent task.
    pub fn late(&self) -> u64 {
        self.count("out of the order of time").unwrap_or(0)
    }

    /// The number in the line `N packets WORDS`, if there is one.
    ///
    /// # Panics
    /// When there are several.
    pub fn count(&self, words: &str) -> Option<u64> {
        let mut counts = self.stderr.lines().filter_map(|line| {
            let (count, rest) = line.split_once(' ')?;
            let rest = rest.strip_prefix("packets ").or(rest.strip_prefix("packet "))?;
            (rest == words).then(|| count.parse().unwrap())
        });
        let count = counts.next();
        assert_eq!(counts.next(), None, "several lines end in {words:?} in:\n{}", self.stderr);
        count
    }

    /// Asserts that each frame the program saw is in exactly one of the counts, and returns the number of packets in the
    /// output.
    pub fn accounted(&self) -> u64 {
        let totals = self.counts();
        let elsewhere = ["left unread", "lost by the output"].map(|words| self.count(words).unwrap_or(0));
        assert_eq!(
            totals.received,
            totals.captured + totals.dropped + elsewhere.iter().sum::<u64>(),
            "{}",
            self.stderr
        );
        totals.captured
    }

    /// The sentence of a capture that failed: its one line that is neither part of the totals nor an earlier message.
    ///
    /// # Panics
    /// When the status is not 1.
    pub fn failure(&self) -> &str {
        assert_eq!(self.status.code(), Some(1), "{}", self.stderr);
        let mut lines = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("xdpdump: ") && !line.contains("listening on"));
        let line = lines.next_back().unwrap_or_else(|| panic!("no sentence in:\n{}", self.stderr));
        line.trim_start_matches("xdpdump: ")
    }
}

impl Totals {
    /// The totals of a capture that captured and dropped these numbers of frames, with none unaccounted for.
    pub fn exact(captured: u64, dropped: u64) -> Self {
        Self { captured, received: captured + dropped, dropped }
    }
}
