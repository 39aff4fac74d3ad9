//! The toolbar that Wireshark shows for a capture, through two named pipes.

use std::{
    cell::RefCell,
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    rc::Rc,
    time::Instant,
};

use super::{
    Error,
    message::{Command, Parser, message},
    sentence::Sentence,
};
use crate::{
    capture::{Control, Totals},
    config::{self, At},
    packet::VERDICTS,
    printable::printable,
    report::Reporter,
};

/// Numbers of the controls.
const FILTER: u8 = 0;
const VERDICT: u8 = 1;
const LOG: u8 = 2;
const HELP: u8 = 3;
/// No control: for what is shown elsewhere.
const NONE: u8 = 255;

/// The choice of verdicts that means all of them.
const ALL: &str = "all";

/// Most bytes of a message: such a write to a pipe is done as a whole or not at all (`PIPE_BUF`, pipe(7)).
const ATOMIC: usize = 4096;

/// The sentences that describe the toolbar.
pub fn sentences() -> Vec<Sentence> {
    let control = |number: u8, kind: &str, display: &str, tooltip: &str| {
        Sentence::new("control")
            .with("number", number)
            .with("type", kind)
            .with("display", display)
            .with("tooltip", tooltip)
    };
    let mut sentences = vec![
        control(FILTER, "string", "Filter", "Capture filter from now on, in the kernel; empty: every frame")
            .with("placeholder", "tcp port 443"),
        control(
            VERDICT,
            "selector",
            "Verdict",
            "Only frames of which the XDP program decided this; takes the capture point after the program",
        ),
    ];
    sentences.extend([ALL].into_iter().chain(VERDICTS).map(|verdict| {
        Sentence::new("value")
            .with("control", VERDICT)
            .with("value", verdict)
            .with("display", verdict)
            .with_flag("default", verdict == ALL)
    }));
    sentences.extend([
        control(LOG, "button", "Log", "What xdpdump says about the capture").with("role", "logger"),
        control(HELP, "button", "Help", "About captures in Wireshark, or the language of filters")
            .with("role", "help"),
    ]);
    sentences
}

/// The pipe to Wireshark, if there is one. What it does not take at once is left out: a capture waits for nobody who looks at it.
#[derive(Debug, Default)]
pub struct Shown(Option<File>);

impl Shown {
    fn send(&mut self, control: u8, command: Command, text: &str) {
        if let Some(pipe) = &mut self.0 {
            // Fails if the pipe is full, or Wireshark is gone, which ends the capture by other ways.
            let _ = pipe.write_all(&message(control, command, text, ATOMIC));
        }
    }

    fn log(&mut self, line: &str) {
        // A line that is cut has to end in a line break too.
        let most = ATOMIC - 16;
        let end = (0..=line.len().min(most)).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        self.send(LOG, Command::Add, &format!("{}\n", line.get(..end).unwrap_or_default()));
    }
}

/// The toolbar of a capture that runs.
#[derive(Debug)]
pub struct Toolbar {
    shown: Rc<RefCell<Shown>>,
    /// The pipe from Wireshark.
    asked: Option<File>,
    parser: Parser,
    filter: String,
    verdict: String,
    /// The number of packets a moment ago.
    before: Option<(Instant, u64)>,
}

impl Toolbar {
    /// Opens the pipes, and shows the filter with which the capture begins.
    ///
    /// # Errors
    /// When a pipe cannot be opened, or is none.
    pub fn open(pipes: &config::ControlPipes, capture: &config::Capture) -> Result<Self, Error> {
        let filter = match &capture.selection.filter {
            Some(config::Filter::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let mut shown = Shown(pipes.to_wireshark.as_deref().map(open).transpose()?);
        let asked = pipes.from_wireshark.as_deref().map(open).transpose()?;
        shown.send(FILTER, Command::Set, &filter);
        if capture.at == At::Entry {
            // Only the exit of a program has verdicts.
            shown.send(VERDICT, Command::Disable, "");
        }
        Ok(Self {
            shown: Rc::new(RefCell::new(shown)),
            asked,
            parser: Parser::default(),
            filter,
            verdict: ALL.to_owned(),
            before: None,
        })
    }

    /// A reporter that puts lines into the log.
    pub fn log(&self) -> Log {
        Log(self.shown.clone())
    }

    /// Takes what the user changed; whether that changes the filter.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let before = (self.filter.clone(), self.verdict.clone());
        let mut is_repeated = false;
        for change in self.parser.take(bytes) {
            let value = String::from_utf8_lossy(&change.value).trim().to_owned();
            match change.control {
                // Also if it is the same, because the one before may have been refused.
                FILTER => (self.filter, is_repeated) = (value, true),
                VERDICT if value == ALL || VERDICTS.contains(&value.as_str()) => self.verdict = value,
                _ => {}
            }
        }
        is_repeated || before != (self.filter.clone(), self.verdict.clone())
    }

    /// The filter that the controls make together.
    fn wanted(&self) -> Option<String> {
        match (self.filter.as_str(), self.verdict.as_str()) {
            ("", ALL) => None,
            (filter, ALL) => Some(filter.to_owned()),
            ("", verdict) => Some(format!("verdict {verdict}")),
            (filter, verdict) => Some(format!("({filter}) and verdict {verdict}")),
        }
    }
}

/// Opens one end of a named pipe. Opened for both directions it neither waits for the other end nor reports that there is
/// none (fifo(7)).
fn open(path: &Path) -> Result<File, Error> {
    let error = |source| Error::Pipe(PathBuf::from(path), source);
    let pipe =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(error)?;
    match pipe.metadata() {
        Ok(metadata) if metadata.file_type().is_fifo() => Ok(pipe),
        Ok(_) => Err(Error::NoPipe(path.into())),
        Err(source) => Err(error(source)),
    }
}

impl Control for Toolbar {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.asked.as_ref().map(|pipe| pipe.as_fd())
    }

    fn filter(&mut self) -> Option<Option<String>> {
        let mut is_changed = false;
        let mut bytes = [0; ATOMIC];
        // A pipe is read as far as it is filled now; who fills it faster is not waited for.
        for _ in 0..32 {
            let Some(Ok(count @ 1..)) = self.asked.as_mut().map(|pipe| pipe.read(&mut bytes)) else { break };
            is_changed |= self.take(bytes.get(..count).unwrap_or_default());
        }
        is_changed.then(|| self.wanted())
    }

    fn answer(&mut self, answer: Result<(), &[String]>) {
        let text = self.wanted().unwrap_or_else(|| "every frame".to_owned());
        let mut shown = self.shown.borrow_mut();
        match answer {
            Ok(()) => {
                shown.send(NONE, Command::Status, &format!("XDP filter from now on: {text}"));
                shown.log(&format!("filter from now on: {text}"));
            }
            Err(lines) => {
                shown.log(&format!("the filter before stays in force: {}", lines.join("\n")));
                let text = format!("{}\n\nThe filter before stays in force.", lines.join("\n"));
                shown.send(NONE, Command::Error, &text);
            }
        }
    }

    fn totals(&mut self, totals: &Totals) {
        let now = Instant::now();
        let rate = self.before.map_or(0, |(then, captured)| {
            let milliseconds = now.duration_since(then).as_millis().max(1);
            u128::from(totals.captured.saturating_sub(captured)) * 1000 / milliseconds
        });
        self.before = Some((now, totals.captured));
        let text = format!("XDP: {} captured, {} lost, {rate} packets/s", totals.captured, totals.dropped);
        self.shown.borrow_mut().send(NONE, Command::Status, &text);
    }
}

/// A reporter that puts lines into the toolbar's log, and nowhere else: what an extcap program says on standard error is shown as
/// an error.
#[derive(Debug, Default)]
pub struct Log(Rc<RefCell<Shown>>);

impl Reporter for Log {
    fn say(&mut self, line: &str) {
        self.say_plainly(line);
    }

    fn say_plainly(&mut self, line: &str) {
        self.0.borrow_mut().log(&printable(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extcap::sentence::text;

    fn toolbar() -> Toolbar {
        Toolbar {
            shown: Rc::default(),
            asked: None,
            parser: Parser::default(),
            filter: "tcp".to_owned(),
            verdict: ALL.to_owned(),
            before: None,
        }
    }

    #[test]
    fn controls_make_one_filter() {
        let mut toolbar = toolbar();
        let mut set = |control, value: &str| {
            let changed = toolbar.take(&message(control, Command::Set, value, ATOMIC));
            (changed, toolbar.wanted())
        };
        assert_eq!(set(VERDICT, "drop"), (true, Some("(tcp) and verdict drop".to_owned())));
        assert!(!set(VERDICT, "drop) or (tcp").0, "no choice");
        assert_eq!(set(FILTER, "  "), (true, Some("verdict drop".to_owned())));
        assert_eq!(set(VERDICT, "all"), (true, None));
        assert_eq!(set(VERDICT, "all"), (false, None));
        assert_eq!(set(FILTER, "udp port 53\n"), (true, Some("udp port 53".to_owned())));
        assert!(set(FILTER, "udp port 53").0, "it may have been refused before");
        assert!(!set(LOG, "").0);
    }

    #[test]
    fn the_toolbar_offers_what_the_protocol_knows() {
        let text = text(sentences());
        let controls: Vec<_> = text.lines().filter(|line| line.starts_with("control ")).collect();
        assert_eq!(controls.len(), 4, "{text}");
        assert!(controls[0].starts_with("control {number=0}{type=string}{display=Filter}"), "{text}");
        assert!(text.contains("value {control=1}{value=all}{display=all}{default=true}"), "{text}");
        assert!(text.contains("value {control=1}{value=redirect}{display=redirect}\n"), "{text}");
        assert!(controls[2].contains("{role=logger}") && controls[3].contains("{role=help}"), "{text}");
    }
}
