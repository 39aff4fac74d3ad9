//! Takes a capture down: what the rings still hold is read, and the totals are written.

use std::{
    ops::ControlFlow,
    process::ExitStatus,
    time::{Duration, Instant},
};

use super::Session;
use crate::{
    capture::{
        Error, Totals,
        connect::Source,
        ending::{End, Ending},
        statistics::{Read, Verdicts},
    },
    output,
    printable::printable,
    probe::Point,
    report::Reporter,
    signals::{END_WITHIN, Signals},
    transport::REORDER_WINDOW,
};

/// How long a CPU may still be inside the program after it was detached.
const DRAIN_FOR: Duration = Duration::from_millis(500);

/// What became of a capture.
pub struct Ended {
    pub totals: Totals,
    /// A line for each source that was told a program's verdicts.
    pub verdicts: Vec<String>,
    /// How the command ended, if it ended before the capture.
    pub command: Option<ExitStatus>,
    /// Why it ended before its time.
    pub result: Result<(), Error>,
    /// Until when to wait for whoever reads what is said of it.
    pub deadline: Instant,
}

impl Ended {
    /// A signal came first.
    pub fn before_it_began(signals: &Signals, reporter: &mut dyn Reporter) -> Self {
        if let Some(signal) = signals.stopped_by() {
            reporter.say(&Ending::Signal(signal).to_string());
        }
        let deadline = Instant::now() + END_WITHIN;
        Self { totals: Totals::default(), verdicts: Vec::new(), command: None, result: Ok(()), deadline }
    }
}

impl Session<'_> {
    /// What programs decided about the frames that were captured at their exits: a line for each.
    fn verdicts(&self) -> Vec<String> {
        let line = |(source, verdicts): (&Source, Verdicts)| match &source.beside {
            Some((program, Point::Exit)) => Some(format!(
                "verdicts of {} on {}: {verdicts}",
                printable(program.to_string()),
                source.link.display_name()
            )),
            _ => None,
        };
        self.connection.sources.iter().zip(self.delivery.verdicts_of_each()).filter_map(line).collect()
    }

    /// Whether no frame is under way any more to user space.
    fn is_settled(&self) -> Result<bool, Error> {
        for (source, read) in (0..).zip(self.delivery.read_of_each()) {
            if self
                .connection
                .probe
                .counters(source)?
                .is_some_and(|counters| !counters.is_settled(read.all()))
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Detaches, takes what the rings still hold and finishes the output.
    pub fn finish(mut self, end: End, reporter: &mut dyn Reporter) -> Ended {
        self.connection.detach();
        let deadline = Instant::now() + END_WITHIN;
        self.delivery.sink().end_by(deadline);
        reporter.end_by(deadline);
        // A CPU may have come online, and seen frames, since that was last looked at. What fails here is counted below.
        let _ = self.connection.rings.follow_cpus();
        // What arrived before an interface was deleted is wanted as much as what arrived before a signal.
        let wants_the_rest = match &end {
            End::Ended(ending) => {
                reporter.say(&ending.to_string());
                ending.wants_the_rest()
            }
            End::Interrupted => true,
            End::Failed(error) => !matches!(error, Error::Output(_)),
        };
        let mut result = if let End::Failed(error) = end { Err(error) } else { Ok(()) };
        let drained = wants_the_rest
            && match self.drain() {
                ControlFlow::Continue(()) => true,
                ControlFlow::Break(End::Failed(error)) => {
                    // The first error is the one that ended the capture.
                    result = result.and(Err(error));
                    false
                }
                ControlFlow::Break(_) => false,
            };
        let totals = match self.totals(drained) {
            Ok(totals) => totals,
            Err(error) => {
                result = result.and(Err(error));
                let captured_only = |read: Read| Totals { captured: read.captured, ..Totals::default() };
                self.delivery.read_of_each().map(captured_only).collect()
            }
        };
        match self.delivery.finish(&totals) {
            Ok(()) | Err(output::Error::Closed(_)) => {}
            Err(error) => result = result.and(Err(error.into())),
        }
        self.delivery.sink().tell(&mut |line| reporter.say(line));
        self.tell(&totals, true, reporter);
        let totals = totals.into_iter().sum::<Totals>().at_the_end(self.delivery.late());
        let totals = totals.without(self.delivery.unwritten());
        let command = self.end_command(deadline, reporter);
        Ended { totals, verdicts: self.verdicts(), command, result, deadline }
    }

    /// Ends the command if it still runs; returns how it ended otherwise.
    fn end_command(&mut self, deadline: Instant, reporter: &mut dyn Reporter) -> Option<ExitStatus> {
        let mut command = self.command.take()?;
        let status = command.status();
        if status.is_none() {
            let id = command.id();
            if !command.end(deadline) {
                reporter.say(&format!("the command does not end (process {id}); it goes on"));
            }
        }
        status
    }

    /// Reads until everything that the program emitted is read. It may still be running on another CPU for a moment after
    /// it was detached.
    fn drain(&mut self) -> ControlFlow<End> {
        let deadline = Instant::now() + DRAIN_FOR;
        loop {
            self.delivery.follow_clock(false);
            match self.round(true) {
                ControlFlow::Continue(_) | ControlFlow::Break(End::Interrupted) => {}
                ControlFlow::Break(end) => return ControlFlow::Break(end),
            }
            match self.is_settled() {
                Ok(false) => {}
                Ok(true) => return ControlFlow::Continue(()),
                Err(error) => return ControlFlow::Break(error.into()),
            }
            if Instant::now() > deadline {
                return ControlFlow::Continue(());
            }
            std::thread::sleep(REORDER_WINDOW);
        }
    }
}
