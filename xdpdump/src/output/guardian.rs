//! Keeps a file whole when the process that writes it is killed by force.
//!
//! SIGKILL ends write(2) wherever it is, so a killed process leaves a part of a record at the end of its file, and nothing
//! inside the process can prevent or mend that. The guardian is a second, tiny process. It shares the file's open
//! description, and with it the file's position, which the writer moves only past whole records: it writes by pwrite(2),
//! which leaves the position alone, and seeks once the write is complete. When the writer is gone, whatever lies
//! behind the position is cut off.

use std::{
    env,
    ffi::OsStr,
    fs::File,
    io::{self, Read, Seek},
    os::{fd::AsFd, unix::process::CommandExt},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

/// The name that this program is run under to be a guardian.
const NAME: &str = "capture-guardian";

/// Guards one file until it is dropped.
#[derive(Debug)]
pub struct Guardian(Child);

impl Guardian {
    /// Starts a guardian for `file`, which is called `name`: this program again, so its `main` has to begin with
    /// [`run_if_called`].
    ///
    /// It is in a process group of its own, and gets none of this process's descriptors but the file.
    ///
    /// # Errors
    /// When the program cannot be started again, for want of `/proc` for example.
    pub fn start(file: &File, name: &str) -> io::Result<Self> {
        let file = file.as_fd().try_clone_to_owned()?;
        let guardian = Command::new("/proc/self/exe")
            .arg0(NAME)
            .arg(name)
            // Nothing is ever written to this pipe. It closes when this process ends, however it ends.
            .stdin(Stdio::piped())
            .stdout(file)
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        guardian.map(Self)
    }
}

/// The writer ends in order, and needs no guardian any more.
impl Drop for Guardian {
    fn drop(&mut self) {
        // A guardian that is gone already is none either.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Is a guardian, if this process was started as one, until the writer is gone; `None` for everybody else.
pub fn run_if_called() -> Option<ExitCode> {
    let name = env::args_os().next()?;
    if Path::new(&name).file_name() != Some(OsStr::new(NAME)) {
        return None;
    }
    prepare();
    Some(match guard() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn guard() -> io::Result<()> {
    let mut writer = io::stdin();
    while writer.read(&mut [0; 16])? > 0 {}
    let mut file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let whole = file.stream_position()?;
    if file.metadata()?.len() > whole { file.set_len(whole) } else { Ok(()) }
}

/// Lets nothing but the end of the writer end this process, and lets go of what the writer has inherited itself.
fn prepare() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: nothing runs on a signal that is ignored.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    let first_unused: libc::c_uint = 3;
    // SAFETY: nothing in this process owns any of these descriptors yet. A kernel without close_range (before 5.9) refuses.
    unsafe { libc::syscall(libc::SYS_close_range, first_unused, libc::c_uint::MAX, 0) };
    // SAFETY: the name is a string that ends in NUL, and the kernel copies it.
    unsafe { libc::prctl(libc::PR_SET_NAME, c"capture-guard".as_ptr()) };
}
