//! Pseudo-terminals, with a person in front of them.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    sync::{Arc, Mutex},
    thread,
};

/// A terminal.
#[derive(Debug)]
pub struct Terminal {
    master: File,
    slave: OwnedFd,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// A terminal with lines of so many columns.
    pub fn new(columns: u16) -> Self {
        let (mut master, mut slave) = (-1, -1);
        let (name, settings) = (std::ptr::null_mut(), std::ptr::null());
        let size = size(columns);
        // SAFETY: the function writes two descriptors and reads the size; it asks for nothing else where it gets null pointers.
        let result =
            unsafe { libc::openpty(&raw mut master, &raw mut slave, name, settings, &raw const size) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        // SAFETY: they are new, and nothing else owns them.
        let (master, slave) = unsafe { (File::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) };
        Self { master, slave, seen: Arc::default() }
    }

    /// A descriptor for a program in the terminal.
    pub fn descriptor(&self) -> OwnedFd {
        self.slave.try_clone().unwrap()
    }

    /// Makes it wider or narrower.
    pub fn resize(&self, columns: u16) {
        let size = size(columns);
        // SAFETY: the kernel reads the size.
        assert_eq!(unsafe { libc::ioctl(self.master.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) }, 0);
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &[u8]) {
        self.master.write_all(keys).unwrap();
    }

    /// Begins to show what is written: until then it is kept, as far as there is room.
    pub fn show(&self) {
        let mut master = self.master.try_clone().unwrap();
        let seen = self.seen.clone();
        // It ends when the last descriptor of the terminal is closed.
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = master.read(&mut bytes) {
                seen.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
    }

    /// All that was written and shown, with its control characters.
    pub fn seen(&self) -> String {
        String::from_utf8(self.seen.lock().unwrap().clone()).unwrap()
    }

    /// The lines that are to be seen now.
    pub fn screen(&self) -> Vec<String> {
        screen(&self.seen())
    }
}

/// The lines that a terminal shows which was given `text`.
///
/// # Panics
/// When there is a control sequence other than those for clearing the rest of a line, and for colours.
pub fn screen(text: &str) -> Vec<String> {
    let mut lines = vec![Vec::new()];
    let mut column = 0;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let line = lines.last_mut().unwrap();
        match character {
            '\r' => column = 0,
            '\n' => lines.push(Vec::new()),
            '\x1b' => {
                let sequence: String = characters.by_ref().take(1).collect();
                assert_eq!(sequence, "[", "{text:?}");
                match characters.find(|c| !c.is_ascii_digit()) {
                    Some('K') => line.truncate(column),
                    Some('m') => {}
                    _ => panic!("{text:?}"),
                }
            }
            _ => {
                line.resize(line.len().max(column + 1), ' ');
                line[column] = character;
                column += 1;
            }
        }
    }
    lines.iter().map(|line| line.iter().collect()).collect()
}

fn size(columns: u16) -> libc::winsize {
    libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
