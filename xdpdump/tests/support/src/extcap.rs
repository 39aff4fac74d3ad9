//! Calls the tool as Wireshark does, and plays the part of its toolbar.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    thread::{self, JoinHandle},
};

use tempfile::TempDir;

use crate::{
    capture::{Capture, Ended, xdpdump},
    netns::NetNs,
    wait,
};

/// Commands of control messages.
pub const SET: u8 = 1;
/// Appends to the log.
pub const ADD: u8 = 2;
/// Grays out a control.
pub const DISABLE: u8 = 5;
/// Shows a text in the status bar.
pub const STATUS: u8 = 6;
/// Shows an error in a window.
pub const ERROR: u8 = 9;

/// A home folder in which Wireshark's programs find the tool, of an ordinary user too.
#[derive(Debug)]
pub struct Home(TempDir);

impl Home {
    /// Creates it, with links where versions 4.0 and 4.2 look.
    pub fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
        for folder in [".config/wireshark/extcap", ".local/lib/wireshark/extcap"] {
            let folder = home.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            symlink(xdpdump(), folder.join("xdpdump")).unwrap();
        }
        home
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A command of Wireshark's in this home and a network namespace.
    pub fn command(&self, netns: &NetNs, program: &str) -> Command {
        let mut command = netns.command(program);
        command
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("WIRESHARK_CONFIG_DIR");
        command
    }
}

/// A message of a control pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The control's number.
    pub control: u8,
    /// What to do with it.
    pub command: u8,
    /// The payload.
    pub text: String,
}

/// A capture for Wireshark, with the other ends of its pipes.
#[derive(Debug)]
pub struct Watched {
    capture: Capture,
    packets: JoinHandle<Vec<u8>>,
    asked: File,
    shown: File,
    unread: Vec<u8>,
    /// Every message so far.
    pub messages: Vec<Message>,
    _folder: TempDir,
}

impl Watched {
    /// Starts a capture of `right`, and waits until it listens.
    pub fn start(netns: &NetNs, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [fifo, control_in, control_out] =
            ["fifo", "in", "out"].map(|name| named_pipe(folder.path(), name));
        let mut command = netns.command(xdpdump());
        command.args(["--capture", "--extcap-interface", "xdp:right", "--fifo"]).arg(&fifo);
        command.arg("--extcap-control-in").arg(&control_in).arg("--extcap-control-out").arg(&control_out);
        let capture = Capture::spawn(command.args(settings));
        let packets = thread::spawn(move || {
            let mut bytes = Vec::new();
            File::open(&fifo).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        });
        let open = |path: &Path| {
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path).unwrap()
        };
        let (asked, shown) = (open(&control_in), open(&control_out));
        let (unread, messages) = (Vec::new(), Vec::new());
        let mut watched = Self { capture, packets, asked, shown, unread, messages, _folder: folder };
        watched.wait_for(|message| message.command == ADD && message.text.contains("listening on"));
        watched
    }

    /// Sets a control.
    pub fn set(&mut self, control: u8, value: &str) {
        let length = (value.len() as u32 + 2).to_be_bytes();
        let header = [b'T', length[1], length[2], length[3], control, SET];
        self.asked.write_all(&[&header, value.as_bytes()].concat()).unwrap();
    }

    /// Gives the capture another filter, and waits until it is in force.
    pub fn filter(&mut self, filter: &str) {
        let before = self.messages.len();
        self.set(0, filter);
        wait::until(|| {
            self.read();
            let mut new = self.messages[before..].iter();
            new.any(|message| message.command == STATUS && message.text.starts_with("XDP filter from now on"))
        });
    }

    /// Waits for a message, and returns it.
    pub fn wait_for(&mut self, wanted: impl Fn(&Message) -> bool) -> Message {
        wait::until(|| {
            self.read();
            self.messages.iter().any(&wanted)
        });
        self.messages.iter().find(|message| wanted(message)).unwrap().clone()
    }

    /// Sends a signal to the tool.
    pub fn signal(&self, signal: i32) {
        self.capture.signal(signal);
    }

    /// Ends the capture as Wireshark does, and returns how it ended, the packets, and the lines of the log.
    pub fn stop(mut self) -> (Ended, Vec<u8>, Vec<String>) {
        self.capture.signal(libc::SIGTERM);
        // The pipe must not fill up meanwhile.
        while self.capture.is_running() {
            self.read();
            thread::sleep(std::time::Duration::from_millis(10));
        }
        self.read();
        let is_log = |message: &Message| message.command == ADD;
        let log = self.messages.iter().filter(|message| is_log(message));
        let log = log.map(|message| message.text.trim_end().to_owned()).collect();
        (self.capture.wait(), self.packets.join().unwrap(), log)
    }

    fn read(&mut self) {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = self.shown.read(&mut bytes) {
            self.unread.extend_from_slice(&bytes[..count]);
        }
        while let [b'T', a, b, c, ..] = self.unread[..] {
            let end = 4 + u32::from_be_bytes([0, a, b, c]) as usize;
            if self.unread.len() < end {
                return;
            }
            let message: Vec<_> = self.unread.drain(..end).collect();
            let text = String::from_utf8(message[6..].to_vec()).unwrap();
            self.messages.push(Message { control: message[4], command: message[5], text });
        }
        assert!(self.unread.is_empty(), "no message: {:?}", self.unread);
    }
}

fn named_pipe(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}
