//! Captures whose messages nobody reads.

use std::{
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    path::Path,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use rustix::pipe::fcntl_setpipe_size;
use xdpdump_testing::{
    capture::xdpdump,
    files, kernel,
    netns::Traces,
    scene::Scene,
    terminal::Terminal,
    wait::{self, PATIENCE},
};

use crate::{PATIENT, SOON};

/// Frames that are sent.
const FRAMES: u8 = 20;
/// Bytes of a pipe for messages: its smallest size.
const PAGE: usize = 4096;
/// Bytes of a pipe for packets: the tool makes it no larger than this.
const MEGABYTE: usize = 1 << 20;

/// The tool, killed when dropped.
struct Tool(Child);

impl Tool {
    /// Starts it and waits until its program is attached: what it says cannot be seen.
    fn start(scene: &Scene, mut command: Command) -> Self {
        let tool = Self(command.spawn().unwrap());
        wait::until(|| scene.right.traces("right") != Traces::default());
        // The program is attached before the output is opened.
        thread::sleep(Duration::from_millis(300) * wait::slowness());
        tool
    }

    fn signal(&self, signal: i32) {
        // SAFETY: no pointers are passed. The child has not been waited for, so the process id is still its own.
        assert_eq!(unsafe { libc::kill(self.0.id().cast_signed(), signal) }, 0);
    }

    /// Asserts that SIGTERM detaches soon.
    fn terminate(&self, scene: &Scene) -> Instant {
        let begin = Instant::now();
        self.signal(libc::SIGTERM);
        scene.assert_clean();
        assert!(begin.elapsed() < SOON * wait::slowness(), "{:?} until it was detached", begin.elapsed());
        begin
    }

    /// Waits for its end, which must come within `PATIENT` of `begin`.
    fn wait(mut self, begin: Instant) -> ExitStatus {
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                assert!(begin.elapsed() < PATIENT * wait::slowness(), "{:?} until its end", begin.elapsed());
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A pipe of this many bytes.
fn pipe(len: usize) -> (PipeReader, PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    fcntl_setpipe_size(&writer, len).unwrap();
    (reader, writer)
}

/// A pipe of this many bytes that has no room.
fn full_pipe(len: usize) -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe(len);
    writer.write_all(&vec![b'\n'; len]).unwrap();
    (reader, writer)
}

fn capture_to(path: &Path, scene: &Scene, transport: &str) -> Command {
    let mut command = scene.right.command(xdpdump());
    command.args(["-i", "right", "-B", "4096", "--transport", transport, "-w"]).arg(path);
    command
}

/// Reads until `words` were read.
fn read_up_to(pipe: &mut PipeReader, words: &str) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&text).contains(words) {
        pipe.read_exact(&mut byte).unwrap();
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn a_standard_error_that_is_full_from_the_start() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let (reader, writer) = full_pipe(PAGE);
        let mut command = capture_to(&scene.file(), &scene, transport);
        command.stderr(writer);
        let tool = Tool::start(&scene, command);
        scene.send_numbered(FRAMES);
        tool.signal(libc::SIGUSR1);
        thread::sleep(Duration::from_millis(100));
        let begin = tool.terminate(&scene);
        assert_eq!(tool.wait(begin).code(), Some(0), "{transport}");
        assert_eq!(files::read_by_tshark(&scene.file()).len(), usize::from(FRAMES), "{transport}");
        drop(reader);
    }
}

#[test]
fn a_standard_error_whose_reader_pauses() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let (mut reader, writer) = pipe(PAGE);
        let mut command = capture_to(&scene.file(), &scene, transport);
        command.stderr(writer);
        let tool = Tool::start(&scene, command);
        read_up_to(&mut reader, "listening on");
        // More reports than pipe and tool can hold.
        for _ in 0..1000 {
            tool.signal(libc::SIGUSR1);
            thread::sleep(Duration::from_millis(1) * wait::slowness());
        }
        scene.send_numbered(FRAMES);
        wait::until(|| scene.arrived() >= u64::from(FRAMES));
        let begin = tool.terminate(&scene);
        // Somebody reads again before the time is up.
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        assert_eq!(tool.wait(begin).code(), Some(0), "{transport}: {said}");
        let [.., gap, ending, captured, received, dropped] = said.lines().collect::<Vec<_>>()[..] else {
            panic!("{transport}: {said}")
        };
        assert!(gap.contains("lines are missing here"), "{transport}: {said}");
        assert_eq!(ending, "xdpdump: stopped by SIGTERM", "{transport}: {said}");
        assert_eq!(captured, format!("{FRAMES} packets captured"), "{transport}: {said}");
        assert!(received.ends_with("received by filter") && dropped.ends_with("dropped by kernel"), "{said}");
    }
}

/// As with `2>&1 |`.
#[test]
fn messages_and_text_in_one_pipe_that_nobody_reads() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let (reader, writer) = full_pipe(MEGABYTE);
        let mut command = scene.right.command(xdpdump());
        command.args(["-i", "right", "-B", "4096", "--transport", transport]);
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let tool = Tool::start(&scene, command);
        scene.send_numbered(FRAMES);
        thread::sleep(Duration::from_millis(100));
        let begin = tool.terminate(&scene);
        assert_eq!(tool.wait(begin).code(), Some(1), "{transport}: its packets did not come out");
        drop(reader);
    }
}

#[test]
fn a_terminal_after_ctrl_s() {
    for transport in kernel::transports() {
        let scene = Scene::new();
        let mut terminal = Terminal::new(80);
        terminal.press(b"\x13");
        let mut command = scene.right.command(xdpdump());
        command.args(["-i", "right", "-B", "4096", "--transport", transport]);
        command.stdout(terminal.descriptor()).stderr(terminal.descriptor());
        let tool = Tool::start(&scene, command);
        scene.send_numbered(FRAMES);
        thread::sleep(Duration::from_millis(100));
        let begin = tool.terminate(&scene);
        assert_eq!(tool.wait(begin).code(), Some(1), "{transport}: its packets did not come out");
    }
}
