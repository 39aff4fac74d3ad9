//! The loop of a capture: wait, read, hand on, look after what changes; then take everything down.

use std::{
    ops::ControlFlow,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use super::{
    Error, Totals, announce,
    connect::{Connection, Order},
    delivery::{Delivery, End},
    statistics::Read,
    until_stopped,
    watch::{Change, Watch},
};
use crate::{
    clock::RESAMPLE_EVERY,
    config::Interfaces,
    interface::Link,
    output,
    report::Reporter,
    signals::{END_WITHIN, Signals},
    sys::poll::{Poller, Ready},
    transport::REORDER_WINDOW,
};

/// How long a packet waits in a buffer, at most: half of what the tool promises for a pipe.
const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// How long a CPU may still be inside the program after it was detached.
const DRAIN_FOR: Duration = Duration::from_millis(500);

/// How a capture behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Hand every packet to the operating system as soon as it is read.
    pub packet_buffered: bool,
    /// Say now and then how many packets were captured.
    pub progress: bool,
}

/// A capture that runs.
pub struct Session<'a> {
    connection: Connection,
    order: Order<'a>,
    delivery: Delivery<'a>,
    signals: Signals,
    watch: Watch,
    manner: Manner,
    /// A CPU has no ring or no doorbell, and that was said.
    lacking: bool,
    /// When packets that are in a buffer are to leave it.
    flush_at: Option<Instant>,
}

/// What became of a capture.
pub struct Ended {
    pub totals: Totals,
    /// Why it ended before its time.
    pub result: Result<(), Error>,
    /// Until when to wait for whoever reads what is said of it.
    pub deadline: Instant,
}

impl Ended {
    /// A signal came first.
    pub fn before_it_began() -> Self {
        Self { totals: Totals::default(), result: Ok(()), deadline: Instant::now() + END_WITHIN }
    }
}

impl<'a> Session<'a> {
    /// A capture of what is connected.
    pub fn new(
        connection: Connection,
        order: Order<'a>,
        delivery: Delivery<'a>,
        signals: Signals,
        watch: Watch,
        manner: Manner,
    ) -> Self {
        Self { connection, order, delivery, signals, watch, manner, lacking: false, flush_at: None }
    }

    /// Runs until something ends it.
    pub fn capture(&mut self, reporter: &mut dyn Reporter) -> End {
        let mut ready = Ready::default();
        let mut housekeeping_at = Instant::now();
        loop {
            match self.turn(&ready, &mut housekeeping_at, reporter) {
                Ok(found) => ready = found,
                Err(end) => return end,
            }
        }
    }

    fn turn(
        &mut self,
        ready: &Ready,
        housekeeping_at: &mut Instant,
        reporter: &mut dyn Reporter,
    ) -> Result<Ready, End> {
        let before = self.delivery.captured();
        let clock_was_set = self.delivery.clock_descriptor().is_some_and(|clock| ready.is_readable(clock));
        self.delivery.follow_clock(clock_was_set);
        let events_left = match self.round(false) {
            ControlFlow::Continue(events_left) => events_left,
            ControlFlow::Break(End::Interrupted) => {
                self.flush_at = Some(Instant::now());
                true
            }
            ControlFlow::Break(end) => return Err(end),
        };
        let quiet = self.delivery.captured() == before;
        if ready.is_readable(self.signals.as_fd()) {
            self.signals.clear();
        }
        if self.signals.stop() {
            return Err(End::Stopped);
        }
        if self.signals.report() {
            let totals: Totals = self.totals(false)?.into_iter().sum();
            reporter.say(&totals.one_line());
        }
        if self.signals.flush() {
            self.delivery.flush()?;
        }
        let now = Instant::now();
        self.flush(now, quiet)?;
        if ready.is_readable(self.watch.as_fd()) {
            let probe = &self.connection.probe;
            let changes = self.watch.changes(&|source| probe.xdp_program_id(source), reporter)?;
            self.follow_interfaces(changes, reporter)?;
        }
        if now >= *housekeeping_at {
            *housekeeping_at = now + RESAMPLE_EVERY;
            self.housekeeping(reporter)?;
        }
        // Also when there is no time to sleep: what else happens is to be seen, and a signal that is not taken note of would keep
        // the output from waiting for its reader.
        let longest = self.connection.rings.prepare_sleep(quiet, events_left).unwrap_or(Duration::ZERO);
        let due = self.flush_at.map_or(*housekeeping_at, |at| at.min(*housekeeping_at));
        self.sleep(longest.min(due.saturating_duration_since(now)), reporter)
    }

    /// Lets packets out that were in a buffer for long enough.
    fn flush(&mut self, now: Instant, quiet: bool) -> Result<(), output::Error> {
        if !quiet && self.flush_at.is_none() {
            self.flush_at = Some(if self.manner.packet_buffered { now } else { now + FLUSH_EVERY });
        }
        if self.flush_at.is_some_and(|at| now >= at) {
            self.flush_at = None;
            self.delivery.flush()?;
        }
        Ok(())
    }

    /// What is due once a second.
    fn housekeeping(&mut self, reporter: &mut dyn Reporter) -> Result<(), Error> {
        self.follow_cpus(reporter);
        let probe = &self.connection.probe;
        let changes = self.watch.refresh(&|source| probe.xdp_program_id(source), reporter)?;
        self.follow_interfaces(changes, reporter)?;
        self.delivery.sink().look_after(&mut |line| reporter.say(line))?;
        reporter.catch_up();
        if self.manner.progress {
            reporter.progress(self.delivery.captured());
        }
        Ok(())
    }

    /// Leaves out what is gone, and captures what came up. A capture of named interfaces ends with the last one.
    fn follow_interfaces(&mut self, changes: Vec<Change>, reporter: &mut dyn Reporter) -> Result<(), Error> {
        for change in changes {
            match change {
                Change::Lost(sources, error) => {
                    for source in sources {
                        self.connection.release(source);
                    }
                    if self.order.config.interfaces != Interfaces::Any && !self.connection.is_attached() {
                        return Err(error);
                    }
                    reporter.say(&format!("{error}; the capture goes on without it"));
                }
                Change::Up(link) => self.add(&link, reporter)?,
            }
        }
        Ok(())
    }

    /// Captures from one more interface, if that is possible.
    fn add(&mut self, link: &Link, reporter: &mut dyn Reporter) -> Result<(), Error> {
        match until_stopped(&self.signals, || self.connection.attach(self.order, link)) {
            Ok(Some(()) | None) => {}
            Err(error) if error.is_of_one_interface() => {
                reporter.say(&format!("{} is not captured: {error}", link.display_name()));
            }
            Err(error) => return Err(error),
        }
        for source in self.connection.sources.iter().skip(self.delivery.sources()) {
            announce(source, self.order, reporter);
            let number = self.delivery.add(source)?;
            self.watch.captured(link, number);
        }
        Ok(())
    }

    /// What a CPU lacks now is tried again a second later: until then the ring of a CPU without a doorbell is read every second,
    /// and frames of one without a perf ring are counted as lost. That is worth a line, once.
    fn follow_cpus(&mut self, reporter: &mut dyn Reporter) {
        match self.connection.rings.follow_cpus() {
            Ok(()) => self.lacking = false,
            Err(error) if !self.lacking => {
                self.lacking = true;
                reporter.say(&error.to_string());
            }
            Err(_) => {}
        }
    }

    fn sleep(&mut self, timeout: Duration, reporter: &mut dyn Reporter) -> Result<Ready, End> {
        let mut poller = Poller::default();
        for ring in self.connection.rings.descriptors() {
            poller.readable(ring);
        }
        poller.readable(self.signals.as_fd());
        poller.readable(self.watch.as_fd());
        self.delivery.watch(&mut |output| poller.closed(output));
        if let Some(clock) = self.delivery.clock_descriptor() {
            poller.readable(clock);
        }
        let ready = poller.wait(timeout).map_err(Error::Poll)?;
        let mut hung_up = false;
        self.delivery.watch(&mut |output| hung_up |= ready.is_closed(output));
        if hung_up {
            self.delivery.sink().look_after(&mut |line| reporter.say(line))?;
        }
        Ok(ready)
    }

    /// Hands on what the rings hold; says whether the youngest events were left for the next round.
    fn round(&mut self, to_the_end: bool) -> ControlFlow<End, bool> {
        self.connection.rings.read(to_the_end, &mut self.delivery)
    }

    /// The totals of each source.
    fn totals(&self, drained: bool) -> Result<Vec<Totals>, Error> {
        let counts = self.connection.rings.counts();
        let of_source =
            |(source, read)| Ok(Totals::new(read, self.connection.probe.counters(source)?, counts, drained));
        (0..).zip(self.delivery.read_of_each()).map(of_source).collect()
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
        let wants_the_rest = !matches!(end, End::Enough | End::Failed(Error::Output(_)));
        let mut result = match end {
            End::Stopped | End::Enough | End::Interrupted => Ok(()),
            End::Failed(error) => Err(error),
        };
        let drained = wants_the_rest
            && match self.drain() {
                End::Stopped => true,
                End::Enough | End::Interrupted => false,
                // The first error is the one that ended the capture.
                End::Failed(error) => {
                    result = result.and(Err(error));
                    false
                }
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
        let totals = totals.into_iter().sum::<Totals>().at_the_end(self.delivery.late());
        Ended { totals: totals.without(self.delivery.unwritten()), result, deadline }
    }

    /// Reads until everything that the program emitted is read. It may still be running on another CPU for a moment after
    /// it was detached.
    fn drain(&mut self) -> End {
        let deadline = Instant::now() + DRAIN_FOR;
        loop {
            self.delivery.follow_clock(false);
            match self.round(true) {
                ControlFlow::Continue(_) | ControlFlow::Break(End::Interrupted) => {}
                ControlFlow::Break(end) => return end,
            }
            match self.is_settled() {
                Ok(false) => {}
                Ok(true) => return End::Stopped,
                Err(error) => return End::Failed(error),
            }
            if Instant::now() > deadline {
                return End::Stopped;
            }
            std::thread::sleep(REORDER_WINDOW);
        }
    }
}
