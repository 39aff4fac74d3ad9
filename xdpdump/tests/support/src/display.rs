//! Programs with windows, on a display that nobody sees.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// An X server without a screen (Debian's package xvfb); ended when dropped.
#[derive(Debug)]
pub struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// Starts the server and waits until it takes clients.
    ///
    /// # Panics
    /// When it is not installed.
    pub fn new() -> Self {
        let mut command = Command::new("sh");
        // The number goes to standard output, once the server is ready.
        command
            .args(["-c", "exec Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>&1 >/dev/null 2>&1"]);
        let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        assert!(!number.trim().is_empty(), "Xvfb (package xvfb) does not start");
        Self { server, name: format!(":{}", number.trim()) }
    }

    /// Lets a program with windows run on this display, with its files in `home`.
    pub fn show(&self, command: &mut Command, home: &Path) {
        command.env("DISPLAY", &self.name).env("QT_QPA_PLATFORM", "xcb").env("LIBGL_ALWAYS_SOFTWARE", "1");
        command.env("HOME", home).env("XDG_RUNTIME_DIR", home).env("TMPDIR", home);
        for (name, folder) in
            [("CONFIG", ".config"), ("CACHE", ".cache"), ("DATA", ".local/share"), ("STATE", ".local/state")]
        {
            command.env(format!("XDG_{name}_HOME"), home.join(folder));
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
