//! A case of the matrix: how a capture runs, how it is ended, and what it must leave behind.

use std::{
    fs::{self, File},
    io::Write,
    os::{fd::AsFd, unix::process::ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use xdpdump_testing::{
    capture::{Capture, Ended, xdpdump},
    cgroup::ControlGroup,
    disk::Disk,
    files, kernel,
    load::under_load,
    objects::Objects,
    processes,
    scene::Scene,
    wait,
};

use crate::output::{self, Output, Reader};

/// Frames per second, of [`FRAME_LEN`] bytes: far more than a stuck or slow reader takes, far fewer than a capture can
/// handle. A line of text is shorter than a frame.
const RATE: u32 = 20_000;
const RATE_OF_LINES: u32 = 80_000;
const FRAME_LEN: usize = 1514;
/// Size in bytes of a file system that does not become full.
pub const ROOM: u64 = 1 << 30;
/// How long frames arrive before the capture is ended.
const BEFORE: Duration = Duration::from_millis(500);

/// Where a capture runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    Usual,
    /// In a control group, which can be killed.
    Group,
    /// In a PID namespace whose init is a shell.
    PidNamespace,
}

/// How the capture must end.
#[derive(Clone, Copy, Debug)]
pub enum Expected {
    /// Without a failure, within this time, with totals that agree with the output.
    Success(Duration),
    /// With a sentence that ends with these words, within this time, and with totals that agree with the output.
    Failure(&'static str, Duration),
    /// Killed by this signal. A file can be read up to its last whole packet.
    Killed(i32),
}

/// A case of the matrix; it is run for each kind of ring.
pub struct Case {
    pub outputs: &'static [Output],
    pub reader: Reader,
    pub surroundings: Surroundings,
    /// Size in bytes of the file system with the file. If it is less than [`ROOM`], text goes to that file system too.
    pub room: u64,
    /// Ends the capture.
    pub end: fn(&mut Running),
    pub expected: Expected,
}

/// The running capture, for the function that ends it.
pub struct Running<'a> {
    pub scene: &'a Scene,
    pub capture: Capture,
    /// The tool's process, which may be a child of the command that was started.
    tool: i32,
    pub group: Option<&'a ControlGroup>,
    /// The file, if the capture writes one.
    path: &'a Path,
}

impl Running<'_> {
    pub fn signal(&self, signal: i32) {
        self.capture.signal(signal);
    }

    /// Calls `kill` as if it happened in the middle of a write: first appends the partial record that the kernel would
    /// leave, so that this case happens in every run.
    pub fn cut(&self, kill: impl FnOnce()) {
        processes::signal(self.tool, libc::SIGSTOP);
        thread::sleep(Duration::from_millis(100));
        if let Ok(mut file) = File::options().append(true).open(self.path) {
            file.write_all(&[6, 0, 0, 0, 252, 1, 0, 0, 0, 0]).unwrap();
        }
        kill();
    }
}

impl Case {
    /// Runs it.
    pub fn run(&self) {
        for transport in kernel::transports() {
            for &output in self.outputs {
                // This is shown when the test fails.
                println!("{transport} rings, {:?} reader, to {output:?}", self.reader);
                self.run_one(transport, output);
            }
        }
    }

    fn run_one(&self, transport: &str, output: Output) {
        let scene = Scene::new();
        let disk = Disk::in_memory(self.room);
        let group = (self.surroundings == Surroundings::Group).then(ControlGroup::killable).flatten();
        let path = disk.path().join("capture");

        let is_filling = self.room < ROOM;
        let mut command = self.command(&scene, group.as_ref());
        command.args(["-i", "right", "-q", "-B", "4096", "--transport", transport]);
        match output {
            Output::File => command.arg("-w").arg(&path).stdout(Stdio::null()),
            Output::Pipe => command.args(["-w", "-"]).stdout(Stdio::piped()),
            Output::Text if is_filling => command.stdout(File::create(&path).unwrap()),
            Output::Text => command.stdout(Stdio::piped()),
        };
        let mut capture = Capture::spawn(&mut command);
        capture.wait_for("listening on");
        let hurry = Arc::new(AtomicBool::new(false));
        let is_piped = output != Output::File && !is_filling;
        let pipe = is_piped.then(|| capture.stdout());
        if let Some(pipe) = pipe.as_ref().filter(|_| output == Output::Text) {
            output::shrink(pipe);
        }
        let same_pipe = pipe.as_ref().map(|pipe| pipe.as_fd().try_clone_to_owned().unwrap());
        let pipe = pipe.map(|pipe| output::read(pipe, self.reader, Arc::clone(&hurry)));
        let tool = self.tool(&capture);
        let objects = Objects::of_process(tool);

        let mut running = Running { scene: &scene, capture, tool, group: group.as_ref(), path: &path };
        // More lines than a busy machine prints in a second would be too many for a reader that takes them all.
        let is_late = output == Output::Text && self.reader != Reader::Fast;
        let rate = if is_late { RATE_OF_LINES } else { RATE };
        let (ended, time) = under_load(&scene.left, "left", FRAME_LEN, rate / wait::slowness(), || {
            if let Some(pipe) = same_pipe.filter(|_| self.reader != Reader::Fast) {
                output::wait_until_full(&pipe);
            }
            thread::sleep(BEFORE * wait::slowness());
            let begin = Instant::now();
            (self.end)(&mut running);
            (running.capture.wait(), begin.elapsed())
        });
        scene.assert_clean();
        objects.assert_gone();
        hurry.store(true, Ordering::Relaxed);
        let written = pipe.map_or_else(|| fs::read(&path).unwrap(), |pipe| pipe.join().unwrap());
        self.judge(output, &ended, time, &path, &written);
    }

    /// The command that runs the tool in its surroundings, without arguments.
    fn command(&self, scene: &Scene, group: Option<&ControlGroup>) -> Command {
        if self.surroundings == Surroundings::PidNamespace {
            let mut command = scene.right.command("unshare");
            // The shell stays the init, because it still has a command to run after the tool.
            command.args(["--pid", "--fork", "--mount-proc", "sh", "-c", r#""$@"; exit"#, "sh", xdpdump()]);
            return command;
        }
        let command = scene.right.command(xdpdump());
        group.map_or(command, |group| group.enter(&scene.right.command(xdpdump())))
    }

    /// The process id of the tool.
    fn tool(&self, capture: &Capture) -> i32 {
        let generations = if self.surroundings == Surroundings::PidNamespace { 2 } else { 0 };
        (0..generations).fold(capture.pid(), |pid, _| processes::children(pid)[0])
    }

    /// Checks how the capture ended and what it left behind.
    fn judge(&self, output: Output, ended: &Ended, time: Duration, path: &Path, written: &[u8]) {
        let in_the_output = match output {
            Output::File | Output::Pipe => output::whole_packets(written),
            Output::Text => output::lines(written),
        };
        match self.expected {
            Expected::Success(limit) => {
                assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
                assert_eq!(ended.accounted(), in_the_output, "{}", ended.stderr);
                assert!(time < limit * wait::slowness(), "{time:?} until its end: {}", ended.stderr);
            }
            Expected::Failure(end, limit) => {
                assert!(ended.failure().ends_with(end), "{}", ended.stderr);
                assert_eq!(ended.accounted(), in_the_output, "{}", ended.stderr);
                assert!(time < limit * wait::slowness(), "{time:?} until its end: {}", ended.stderr);
            }
            Expected::Killed(signal) => {
                assert!(ended.status.code() != Some(0), "{}", ended.stderr);
                // In a PID namespace this is the status of unshare(1); version 2.38 of it does not pass on the signal that
                // killed its child.
                if self.surroundings != Surroundings::PidNamespace {
                    assert_eq!(ended.status.signal(), Some(signal), "{}", ended.stderr);
                }
                if output == Output::File {
                    assert_eq!(output::recovered(path), in_the_output);
                }
            }
        }
        assert!(in_the_output > 0);
        let is_whole = output == Output::File && !matches!(self.expected, Expected::Killed(_));
        if is_whole {
            assert_eq!(files::read_by_tshark(path).len() as u64, in_the_output);
        }
    }
}
