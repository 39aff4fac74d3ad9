//! Reads several files and streams.

use std::{
    ops::ControlFlow,
    os::fd::AsFd as _,
    time::{Duration, Instant},
};

use super::{Error, check_filter, copy::Copy, finish, say_what_is_read};
use crate::{
    input::{
        Item,
        merge::{Merger, Receiver},
    },
    output::Format,
    packet::Interface,
    report::Reporter,
    signals::{END_WITHIN, Signals},
    sys::poll::Poller,
};

/// Hands on what is merged, and finishes the sink. What is wrong with an input is said, and the others go on.
///
/// # Errors
/// When the output cannot be written, or an input was not read to its end.
pub fn replay(
    merger: &mut Merger,
    copy: &mut Copy<'_>,
    signals: Option<&Signals>,
    reporter: &mut dyn Reporter,
) -> Result<(), Error> {
    let mut way = Way { copy, signals, reporter };
    let mut end = merger.run(&mut way);
    if let ControlFlow::Break(End::Interrupted) = end {
        let deadline = Instant::now() + END_WITHIN;
        way.copy.sink.end_by(deadline);
        way.reporter.end_by(deadline);
        way.signals = None;
        end = merger.drain(&mut way);
    }
    merger.late().for_each(|sentence| way.reporter.say(&sentence));
    let finished = finish(way.copy);
    if let ControlFlow::Break(End::Failed(error)) = end {
        return Err(error);
    }
    finished?;
    match merger.counts() {
        (_, 0) => Ok(()),
        (all, failed) => Err(Error::Inputs { failed, all }),
    }
}

/// The way to the sinks.
struct Way<'a, 'b> {
    copy: &'a mut Copy<'b>,
    /// What may ask to end; nothing does when it has ended.
    signals: Option<&'a Signals>,
    reporter: &'a mut dyn Reporter,
}

/// Why no more is wanted.
enum End {
    /// There are as many packets as were asked for.
    Enough,
    /// A signal came.
    Interrupted,
    Failed(Error),
}

impl Way<'_, '_> {
    fn stop(&self) -> ControlFlow<End> {
        if self.signals.is_some_and(Signals::stop) {
            ControlFlow::Break(End::Interrupted)
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Waits, and looks after the output.
    fn sleep(&mut self, mut poller: Poller, timeout: Duration) -> Result<(), Error> {
        if !timeout.is_zero() {
            self.copy.sink.flush()?;
            self.reporter.catch_up();
        }
        if let Some(signals) = self.signals {
            poller.readable(signals.as_fd());
        }
        self.copy.sink.watch(&mut |output| poller.closed(output));
        let ready = poller.wait(timeout).map_err(Error::Wait)?;
        let mut is_closed = false;
        self.copy.sink.watch(&mut |output| is_closed |= ready.is_closed(output));
        if is_closed {
            self.copy.sink.look_after(&mut |sentence| self.reporter.say(sentence))?;
        }
        Ok(())
    }
}

impl Receiver for Way<'_, '_> {
    type End = End;

    fn item(&mut self, item: Item<'_>) -> ControlFlow<End> {
        match self.copy.item(&item) {
            Ok(true) => self.stop(),
            Ok(false) => ControlFlow::Break(End::Enough),
            Err(error) => ControlFlow::Break(End::Failed(error)),
        }
    }

    fn begins(&mut self, name: &str, format: Format, interface: &Interface) -> ControlFlow<End> {
        say_what_is_read(&format!("file {name}"), interface, self.reporter);
        match check_filter(self.copy.request, name, format, interface) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(End::Failed(error)),
        }
    }

    fn say(&mut self, sentence: &str) {
        self.reporter.say(sentence);
    }

    fn wait(&mut self, poller: Poller, timeout: Duration) -> ControlFlow<End> {
        match self.sleep(poller, timeout) {
            Ok(()) => self.stop(),
            Err(error) => ControlFlow::Break(End::Failed(error)),
        }
    }
}
