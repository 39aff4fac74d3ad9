//! Keeps capture files readable when the process that writes them is killed with SIGKILL.
//!
//! SIGKILL can end write(2) in the middle of a record, so a killed process can leave a partial record at the end of its
//! file, and nothing inside that process can prevent or repair this. The guardian is a second, small process; one guards
//! all files of a capture. It gets a descriptor of each file, and a shared page of memory in which the writer stores, for
//! each file, where the last whole record ends. When the writer has ended, the guardian cuts off everything after that
//! position. For the writer this costs one store per write.

mod message;
mod process;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::CommandExt,
    },
    process::{Child, Command, Stdio},
    rc::Rc,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::sys::shared_page::{SLOTS, SharedPage};
pub use process::run_if_called;

/// Value of a slot whose file must not be cut, whatever the file contains.
const NOTHING: u64 = u64::MAX;

/// Minimum time between two starts of a guardian, and the age at which a guardian counts as running for good.
const LIFE: Duration = Duration::from_secs(1);

/// The guardian of a capture's files. Its process starts with the first file and ends when this value and all [`Guarded`]
/// values are dropped. Clones share one process.
#[derive(Clone, Debug, Default)]
pub struct Guardian(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    process: Option<Process>,
    page: Option<Rc<SharedPage>>,
    /// The guarded files and their ends, by slot number. They are sent again when the guardian has to be restarted.
    files: BTreeMap<u32, (OwnedFd, Vec<u8>)>,
    /// When a guardian was last started, successfully or not.
    last_start: Option<Instant>,
    /// The user was told that there is no guardian, and not yet that there is one again.
    reported_missing: bool,
}

/// The guardian process. It may have ended without our having noticed yet.
#[derive(Debug)]
struct Process {
    child: Child,
    socket: OwnedFd,
}

/// A guarded file. Dropping this value ends the guarding.
#[derive(Debug)]
pub struct Guarded {
    guardian: Guardian,
    page: Rc<SharedPage>,
    slot: u32,
}

impl Guardian {
    /// Starts to guard `file`. The file is not cut unless [`Guarded::set_whole`] has said where its records end; `end`, at most
    /// 8 bytes, is written behind them.
    ///
    /// The guardian process runs this same program, so `main` has to begin with [`run_if_called`]. It is in a process group
    /// of its own and gets no descriptors of this process except the files.
    ///
    /// # Errors
    /// When the guardian process cannot be started, for example because `/proc` is missing.
    pub fn guard(&self, file: &File, end: &[u8]) -> io::Result<Guarded> {
        let file = file.as_fd().try_clone_to_owned()?;
        let mut state = self.0.borrow_mut();
        let page = match &state.page {
            Some(page) => Rc::clone(page),
            None => Rc::clone(state.page.insert(Rc::new(SharedPage::new()?))),
        };
        let free = (0..SLOTS as u32).find(|slot| !state.files.contains_key(slot));
        let slot = free.ok_or_else(|| io::Error::other("there are too many files"))?;
        store(&page, slot, NOTHING);
        if state.process.is_none() {
            state.start(&page)?;
        }
        if let Some(process) = &state.process {
            message::send(&process.socket, slot, Some(file.as_fd()), end)?;
        }
        state.files.insert(slot, (file, end.to_vec()));
        Ok(Guarded { guardian: self.clone(), page, slot })
    }
}

impl State {
    /// Starts a guardian process and sends it all files.
    fn start(&mut self, page: &SharedPage) -> io::Result<()> {
        self.last_start = Some(Instant::now());
        let process = Process::start(page)?;
        for (slot, (file, end)) in &self.files {
            message::send(&process.socket, *slot, Some(file.as_fd()), end)?;
        }
        self.process = Some(process);
        Ok(())
    }

    /// Whether the last start was at least [`LIFE`] ago.
    fn has_settled(&self) -> bool {
        self.last_start.is_none_or(|start| start.elapsed() >= LIFE)
    }

    /// See [`Guarded::look_after`].
    fn look_after(&mut self, page: &SharedPage, say: &mut dyn FnMut(&str)) {
        let was_killed = self.process.take_if(|process| process.is_gone()).is_some();
        if self.process.is_some() {
            if self.reported_missing && self.has_settled() {
                self.reported_missing = false;
                say("a guardian process runs again");
            }
        } else if self.has_settled() {
            match self.start(page) {
                Ok(()) if self.reported_missing => {}
                Ok(()) => say("the guardian process was killed: another one was started"),
                Err(error) => self.report_missing(&error, say),
            }
        } else if was_killed {
            let error = io::Error::other("it was killed as soon as it began; another one will be tried");
            self.report_missing(&error, say);
        }
    }

    /// Tells the user that there is no guardian, unless that was said already.
    fn report_missing(&mut self, error: &io::Error, say: &mut dyn FnMut(&str)) {
        if !self.reported_missing {
            self.reported_missing = true;
            say(&without(error));
        }
    }
}

impl Guarded {
    /// Records that the last whole record of the file ends at byte `end`.
    pub fn set_whole(&self, end: u64) {
        store(&self.page, self.slot, end);
    }

    /// Passes `each` the descriptor that reports a hang-up when the guardian has ended.
    pub fn watch(&self, each: &mut dyn FnMut(BorrowedFd<'_>)) {
        if let Some(process) = &self.guardian.0.borrow().process {
            each(process.socket.as_fd());
        }
    }

    /// Starts the guardian again if it has ended, and tells `say` so. If the last start was less than [`LIFE`] ago, a later call
    /// does it.
    pub fn look_after(&self, say: &mut dyn FnMut(&str)) {
        self.guardian.0.borrow_mut().look_after(&self.page, say);
    }
}

/// The message for the user when there is no guardian.
pub fn without(error: &io::Error) -> String {
    format!(
        "no guardian process ({error}): if xdpdump is killed with SIGKILL, the file may end within a packet"
    )
}

fn store(page: &SharedPage, slot: u32, end: u64) {
    if let Some(number) = page.slot(slot as usize) {
        number.store(end, Ordering::Release);
    }
}

/// The writer closes the file normally, so nothing has to be cut.
impl Drop for Guarded {
    fn drop(&mut self) {
        self.set_whole(NOTHING);
        let mut state = self.guardian.0.borrow_mut();
        state.files.remove(&self.slot);
        if let Some(process) = &state.process {
            // If the message cannot be sent, the guardian keeps the file open; it cuts nothing, because of the slot's
            // value.
            let _ = message::send(&process.socket, self.slot, None, &[]);
        }
    }
}

impl Process {
    fn start(page: &SharedPage) -> io::Result<Self> {
        let (socket, its_end) = message::connection()?;
        let child = Command::new("/proc/self/exe")
            .arg0(process::NAME)
            // The kernel closes our end when this process ends, however it ends.
            .stdin(its_end)
            .stdout(page.file().try_clone()?)
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => io::Error::other("/proc/self/exe is missing: mount /proc"),
                _ => error,
            })?;
        Ok(Self { child, socket })
    }

    fn is_gone(&self) -> bool {
        let mut socket = [PollFd::new(&self.socket, PollFlags::empty())];
        poll(&mut socket, Some(&Timespec::default())).is_ok_and(|hung_up| hung_up > 0)
    }
}

/// When this is dropped, every file was closed normally, or the guardian has ended already.
impl Drop for Process {
    fn drop(&mut self) {
        // kill(2) fails only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, thread};

    use super::*;

    /// A file of `len` bytes.
    fn file(len: usize) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![1; len]).unwrap();
        file
    }

    #[test]
    fn every_file_that_was_not_let_go_is_cut_to_its_last_whole_record() {
        let page = SharedPage::new().unwrap();
        let (writer, guardian) = message::connection().unwrap();
        let files: Vec<_> = [100, 200, 300, 400].into_iter().map(file).collect();
        for (slot, (file, whole)) in files.iter().zip([60, 500, 70, NOTHING]).enumerate() {
            store(&page, slot as u32, whole);
            message::send(&writer, slot as u32, Some(file.as_fd()), &[]).unwrap();
        }
        let shared = page.file().try_clone().unwrap();
        let process = thread::spawn(move || process::guard(guardian, &shared));
        // The first file is closed normally. The next file takes its slot, whose value changes while the guardian waits.
        message::send(&writer, 0, None, &[]).unwrap();
        let next = file(1000);
        message::send(&writer, 0, Some(next.as_fd()), b"end").unwrap();
        store(&page, 0, 999);
        drop(writer);
        process.join().unwrap().unwrap();
        let len = |file: &File| file.metadata().unwrap().len();
        assert_eq!(files.iter().map(len).collect::<Vec<_>>(), [100, 200, 70, 400]);
        assert_eq!(len(&next), 999 + 3);
    }
}
