//! Messages to the user while the tool runs.

mod live;

use std::{
    error::Error,
    fs::File,
    io::{self, Stderr, stderr},
    os::fd::{AsFd as _, BorrowedFd},
    time::Instant,
};

use live::Abilities;
pub use live::Part;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::{
    printable::printable,
    sys::{
        inherited,
        nonblocking::{self, TERMINAL_PIECE, Way},
    },
};

/// Bytes of messages that are kept for a standard error that takes no more: some dozen lines.
const MOST_WAITING: usize = 16 << 10;

/// What to do about `EMFILE`.
const TOO_FEW_DESCRIPTORS: &str = "the limit of open files is too low: raise it (`ulimit -n`)";

/// An error and its causes as one sentence. A cause that an error has already named in its own words is not said again.
///
/// Where no file descriptor is left, that is all that is said: what was to be opened is not to blame.
pub fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut sentence = error.to_string();
    let mut source = Some(error);
    while let Some(cause) = source {
        let code = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        if matches!(code, Some(libc::EMFILE)) {
            return TOO_FEW_DESCRIPTORS.to_owned();
        }
        let text = cause.to_string();
        if !sentence.contains(&text) {
            sentence = format!("{sentence}: {text}");
        }
        source = cause.source();
    }
    sentence
}

/// Receives the messages to the user. None of these calls waits, unless [`Reporter::end_by`] has said until when it may.
pub trait Reporter {
    /// Reports one line.
    fn say(&mut self, line: &str);

    /// Reports one line as tcpdump prints it, without the tool's name in front.
    fn say_plainly(&mut self, line: &str);

    /// Whether [`Reporter::live`] shows anything.
    fn has_live_line(&mut self) -> bool {
        false
    }

    /// Shows a line that stays below all messages until the next call; none if there are no parts.
    fn live(&mut self, _parts: &[Part]) {}

    /// Tries again to say what could not be said yet: to be called now and then.
    fn catch_up(&mut self) {}

    /// The run ends: from now on what is said may wait until `deadline` for whoever reads it. The first deadline counts.
    fn end_by(&mut self, _deadline: Instant) {}
}

/// Writes messages to standard error. Errors of these writes are ignored: there is nowhere else to report them.
///
/// All messages go through here. Each call prints one line, whatever the names in the message contain.
///
/// A capture must not stand still because nobody reads its messages (a full pipe, a terminal after Ctrl-S). So nothing waits
/// here before the end: what cannot be written is kept, and what does not fit is left out, which a line says later.
#[derive(Debug, Default)]
pub struct StandardError {
    place: Place,
    /// Whole lines that were not written yet; of the first one the rest.
    waiting: Vec<u8>,
    /// Lines that were left out since the last one that was kept.
    left_out: u64,
    patience: Patience,
    live: LiveLine,
}

/// The line below the messages.
#[derive(Debug, Default)]
struct LiveLine {
    /// What the terminal can show, if it can show the line and that was looked for.
    abilities: Option<Abilities>,
    /// What it says; nothing if there is none.
    parts: Vec<Part>,
    /// It stands where the next message goes.
    is_drawn: bool,
}

/// How long to wait for a reader.
#[derive(Clone, Copy, Debug, Default)]
enum Patience {
    #[default]
    None,
    Until(Instant),
    Endless,
}

/// Where standard error is.
#[derive(Debug, Default)]
enum Place {
    /// Not looked for yet: nothing was said.
    #[default]
    Unknown,
    /// It was closed when the process began.
    Nowhere,
    Open(File, Way),
    /// The descriptor itself, because there is no other descriptor to be had.
    Shared(Stderr),
}

impl Place {
    fn find() -> Self {
        match inherited::for_writing(2).map(File::from).and_then(nonblocking::inherited) {
            Ok((file, way)) => Self::Open(file, way),
            Err(error) if matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE)) => {
                Self::Shared(stderr())
            }
            Err(_) => Self::Nowhere,
        }
    }

    fn descriptor(&self) -> Option<(BorrowedFd<'_>, Way)> {
        match self {
            Self::Unknown | Self::Nowhere => None,
            Self::Open(file, way) => Some((file.as_fd(), *way)),
            Self::Shared(stderr) => Some((stderr.as_fd(), Way::Pieces(TERMINAL_PIECE))),
        }
    }
}

impl StandardError {
    /// Says what was not said yet, and waits for whoever reads it: until the deadline of [`Reporter::end_by`], if there was one.
    pub fn finish(&mut self) {
        if matches!(self.patience, Patience::None) {
            self.patience = Patience::Endless;
        }
        self.live(&[]);
        self.catch_up();
    }

    /// Adds `text` to what waits, or leaves it out.
    fn keep(&mut self, text: &str) {
        let gap = self.gap();
        let clear = self.clear();
        let is_ending = !matches!(self.patience, Patience::None);
        if is_ending || self.waiting.len() + clear.len() + gap.len() + text.len() <= MOST_WAITING {
            self.left_out = 0;
            self.live.is_drawn = false;
            for piece in [clear, &gap, text] {
                self.waiting.extend_from_slice(piece.as_bytes());
            }
        } else {
            self.left_out += 1;
        }
    }

    /// What clears the line below the messages if it stands there. A process in the background has left it to others.
    fn clear(&self) -> &'static str {
        match self.place.descriptor() {
            Some((fd, _)) if self.live.is_drawn && !live::is_in_background(fd) => live::CLEAR,
            _ => "",
        }
    }

    /// Draws the line below the messages, unless they still wait: then the next line says more.
    fn draw(&mut self) {
        self.write();
        let Some(abilities) = self.live.abilities else { return };
        let Some((fd, _)) = self.place.descriptor() else { return };
        if self.live.parts.is_empty() || !self.waiting.is_empty() || live::is_in_background(fd) {
            return;
        }
        let text = format!("{}{}", live::CLEAR, live::text(&self.live.parts, live::columns(fd), abilities));
        self.waiting.extend_from_slice(text.as_bytes());
        self.write();
        if self.waiting.len() == text.len() {
            // The terminal takes nothing now.
            self.waiting.clear();
        } else {
            self.live.is_drawn = true;
        }
    }

    /// The line that says what was left out, if anything was.
    fn gap(&self) -> String {
        match self.left_out {
            0 => String::new(),
            1 => "xdpdump: 1 line is missing here: nobody read standard error\n".to_owned(),
            lines => format!("xdpdump: {lines} lines are missing here: nobody read standard error\n"),
        }
    }

    /// Writes what waits, as far as the patience reaches.
    fn write(&mut self) {
        if !self.waiting.is_empty() {
            self.find();
        }
        while !self.waiting.is_empty() {
            let written = match self.place.descriptor() {
                Some((fd, way)) => way.attempt(fd, &self.waiting),
                None => Ok(self.waiting.len()),
            };
            match written {
                Ok(count @ 1..) => drop(self.waiting.drain(..count.min(self.waiting.len()))),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if self.wait() => {}
                Err(Errno::WOULDBLOCK) => return,
                Ok(0) | Err(_) => self.waiting.clear(),
            }
        }
    }

    fn find(&mut self) {
        if matches!(self.place, Place::Unknown) {
            self.place = Place::find();
        }
    }

    /// Waits until there is room; false when the patience is at its end.
    fn wait(&self) -> bool {
        let timeout = match self.patience {
            Patience::None => return false,
            Patience::Endless => None,
            Patience::Until(deadline) => {
                let remaining = deadline.saturating_duration_since(Instant::now());
                if remaining.is_zero() {
                    return false;
                }
                Timespec::try_from(remaining).ok()
            }
        };
        let Some((fd, _)) = self.place.descriptor() else { return false };
        // An error is one that the write will say, or an interruption.
        let _ = poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::OUT)], timeout.as_ref());
        true
    }
}

impl Reporter for StandardError {
    fn say(&mut self, line: &str) {
        self.say_plainly(&format!("xdpdump: {line}"));
    }

    fn say_plainly(&mut self, line: &str) {
        self.keep(&format!("{}\n", printable(line)));
        self.draw();
    }

    fn has_live_line(&mut self) -> bool {
        self.find();
        self.live.abilities = self.place.descriptor().and_then(|(fd, _)| Abilities::of(fd));
        self.live.abilities.is_some()
    }

    fn live(&mut self, parts: &[Part]) {
        self.live.parts = parts.to_vec();
        if parts.is_empty() && self.live.is_drawn {
            let clear = self.clear();
            self.waiting.extend_from_slice(clear.as_bytes());
            self.live.is_drawn = false;
        }
        self.draw();
    }

    fn catch_up(&mut self) {
        self.write();
        if self.left_out > 0 && self.waiting.is_empty() {
            self.keep("");
            self.draw();
        }
    }

    fn end_by(&mut self, deadline: Instant) {
        if matches!(self.patience, Patience::None) {
            self.patience = Patience::Until(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{PipeReader, Read as _},
        os::fd::OwnedFd,
        time::Duration,
    };

    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        #[derive(Debug, thiserror::Error)]
        enum Outer {
            #[error("the door is closed ({0})")]
            Names(#[source] io::Error),
            #[error("the door is closed")]
            LeavesOut(#[source] io::Error),
        }
        let cause = || io::Error::other("no key");
        assert_eq!(sentence(&Outer::Names(cause())), "the door is closed (no key)");
        assert_eq!(sentence(&Outer::LeavesOut(cause())), "the door is closed: no key");
        let too_many = io::Error::from_raw_os_error(libc::EMFILE);
        assert_eq!(sentence(&Outer::Names(too_many)), TOO_FEW_DESCRIPTORS);
    }

    /// A standard error that is a pipe of one page.
    fn pipe() -> (PipeReader, StandardError) {
        let (reader, writer) = io::pipe().unwrap();
        rustix::pipe::fcntl_setpipe_size(&writer, 4096).unwrap();
        let (file, way) = nonblocking::inherited(OwnedFd::from(writer).into()).unwrap();
        (reader, StandardError { place: Place::Open(file, way), ..StandardError::default() })
    }

    #[test]
    fn what_nobody_reads_is_kept_for_a_while_and_then_counted() {
        let (mut reader, mut stderr) = pipe();
        let line = "x".repeat(90);
        for _ in 0..1000 {
            stderr.say(&line);
        }
        assert!(stderr.waiting.len() <= MOST_WAITING);
        let lost = stderr.left_out;
        assert!((700..990).contains(&lost), "{lost}");
        stderr.end_by(Instant::now() + Duration::from_mins(1));
        let text = std::thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        stderr.say_plainly("the totals");
        stderr.finish();
        drop(stderr);
        let text = text.join().unwrap();
        let lines: Vec<_> = text.lines().collect();
        let [first @ .., missing, totals] = lines.as_slice() else { panic!("{text}") };
        assert!(first.iter().all(|first| first.ends_with(&line)), "{text}");
        assert_eq!(first.len() as u64 + lost, 1000);
        assert_eq!(*missing, format!("xdpdump: {lost} lines are missing here: nobody read standard error"));
        assert_eq!(*totals, "the totals");
    }

    #[test]
    fn the_end_waits_until_its_deadline() {
        let (_reader, mut stderr) = pipe();
        let begin = Instant::now();
        stderr.end_by(begin + Duration::from_millis(50));
        stderr.end_by(begin + Duration::from_hours(1));
        (0..100).for_each(|_| stderr.say(&"x".repeat(90)));
        stderr.finish();
        assert!((Duration::from_millis(50)..Duration::from_secs(10)).contains(&begin.elapsed()));
    }

    #[test]
    fn a_reader_that_left_is_not_waited_for() {
        let (reader, mut stderr) = pipe();
        drop(reader);
        stderr.say("nobody is there");
        stderr.finish();
        assert!(stderr.waiting.is_empty());
    }
}
