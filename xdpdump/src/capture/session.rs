//! The loop of a capture: wait, read, hand on, look after what changes; then take everything down.

use std::{
    ops::ControlFlow,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use super::{
    Error, Limits, Notify, Totals,
    connect::Connection,
    delivery::{Delivery, End},
    poller::{Poller, Ready},
    signals::Signals,
    watch::Watch,
};
use crate::{
    clock::RESAMPLE_EVERY,
    output,
    probe::Probe,
    transport::{HORIZON, Rings},
};

/// How long a packet waits in a buffer, at most: half of what the tool promises for a pipe.
const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// How long a CPU may still be inside the program after it was detached.
const DRAIN_FOR: Duration = Duration::from_millis(500);

/// A capture that runs.
pub struct Session<'a> {
    probe: Probe,
    rings: Rings,
    delivery: Delivery<'a>,
    signals: Signals,
    watch: Watch,
    limits: Limits,
    /// When packets that are in a buffer are to leave it.
    flush_at: Option<Instant>,
}

impl<'a> Session<'a> {
    /// A capture of what is connected.
    pub fn new(
        connection: Connection,
        delivery: Delivery<'a>,
        signals: Signals,
        watch: Watch,
        limits: Limits,
    ) -> Self {
        let Connection { probe, rings, .. } = connection;
        Self { probe, rings, delivery, signals, watch, limits, flush_at: None }
    }

    /// Runs until something ends it.
    pub fn capture(&mut self, notify: Notify<'_>) -> End {
        let mut ready = Ready::default();
        let mut housekeeping_at = Instant::now();
        loop {
            match self.turn(&ready, &mut housekeeping_at, notify) {
                Ok(found) => ready = found,
                Err(end) => return end,
            }
        }
    }

    fn turn(
        &mut self,
        ready: &Ready,
        housekeeping_at: &mut Instant,
        notify: Notify<'_>,
    ) -> Result<Ready, End> {
        let before = self.delivery.captured();
        let clock_was_set = self.delivery.clock_descriptor().is_some_and(|clock| ready.is_readable(clock));
        self.delivery.follow_clock(clock_was_set);
        let events_left = match self.round(false) {
            ControlFlow::Continue(events_left) => events_left,
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
            notify.say(&self.totals(false)?.one_line());
        }
        if self.signals.flush() {
            self.delivery.flush()?;
        }
        let now = Instant::now();
        self.flush(now, quiet)?;
        if ready.is_readable(self.watch.as_fd()) {
            self.watch.changes(notify)?;
        }
        if now >= *housekeeping_at {
            *housekeeping_at = now + RESAMPLE_EVERY;
            self.housekeeping(notify)?;
        }
        match self.rings.prepare_sleep(quiet, events_left) {
            Some(longest) => {
                let due = self.flush_at.map_or(*housekeeping_at, |at| at.min(*housekeeping_at));
                self.sleep(longest.min(due.saturating_duration_since(now)))
            }
            None => Ok(Ready::default()),
        }
    }

    /// Lets packets out that were in a buffer for long enough.
    fn flush(&mut self, now: Instant, quiet: bool) -> Result<(), output::Error> {
        if !quiet && self.flush_at.is_none() {
            self.flush_at = Some(if self.limits.packet_buffered { now } else { now + FLUSH_EVERY });
        }
        if self.flush_at.is_some_and(|at| now >= at) {
            self.flush_at = None;
            self.delivery.flush()?;
        }
        Ok(())
    }

    /// What is due once a second.
    fn housekeeping(&mut self, notify: Notify<'_>) -> Result<(), Error> {
        self.rings.follow_cpus(&self.probe)?;
        self.watch.refresh(notify)?;
        if self.limits.progress {
            notify.progress(self.delivery.captured());
        }
        Ok(())
    }

    fn sleep(&self, timeout: Duration) -> Result<Ready, End> {
        let stdout = std::io::stdout();
        let mut poller = Poller::default();
        for ring in self.rings.descriptors() {
            poller.readable(ring);
        }
        poller.readable(self.signals.as_fd());
        poller.readable(self.watch.as_fd());
        if let Some(clock) = self.delivery.clock_descriptor() {
            poller.readable(clock);
        }
        if self.limits.watch_stdout {
            poller.closed(stdout.as_fd());
        }
        let ready = poller.wait(timeout).map_err(Error::Poll)?;
        if self.limits.watch_stdout && ready.is_closed(stdout.as_fd()) {
            return Err(End::Enough);
        }
        Ok(ready)
    }

    /// Hands on what the rings hold; says whether the youngest events were left for the next round.
    fn round(&mut self, to_the_end: bool) -> ControlFlow<End, bool> {
        self.rings.read(to_the_end, &mut self.delivery)
    }

    fn totals(&self, drained: bool) -> Result<Totals, Error> {
        let program = self.rings.counters(&self.probe)?;
        Ok(Totals::new(self.delivery.captured(), program, self.rings.counts(), drained))
    }

    /// Detaches, takes what the rings still hold and finishes the output.
    pub fn finish(mut self, end: End) -> (Totals, Result<(), Error>) {
        self.probe.detach();
        // A CPU may have come online, and seen frames, since that was last looked at. What fails here is counted below.
        let _ = self.rings.follow_cpus(&self.probe);
        // What arrived before an interface was deleted is wanted as much as what arrived before a signal.
        let wants_the_rest = !matches!(end, End::Enough | End::Failed(Error::Output(_)));
        let mut result = match end {
            End::Stopped | End::Enough => Ok(()),
            End::Failed(error) => Err(error),
        };
        let drained = wants_the_rest
            && match self.drain() {
                End::Stopped => true,
                End::Enough => false,
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
                Totals { captured: self.delivery.captured(), ..Totals::default() }
            }
        };
        let totals = totals.at_the_end(self.delivery.late());
        match self.delivery.finish(totals) {
            Ok(()) | Err(output::Error::Closed(_)) => {}
            Err(error) => result = result.and(Err(error.into())),
        }
        (totals.without(self.delivery.unwritten()), result)
    }

    /// Reads until everything that the program emitted is read. It may still be running on another CPU for a moment after
    /// it was detached.
    fn drain(&mut self) -> End {
        let deadline = Instant::now() + DRAIN_FOR;
        loop {
            self.delivery.follow_clock(false);
            if let ControlFlow::Break(end) = self.round(true) {
                return end;
            }
            match self.rings.counters(&self.probe) {
                Ok(Some(counters)) if !counters.is_settled(self.rings.counts().read) => {}
                Ok(_) => return End::Stopped,
                Err(error) => return End::Failed(error.into()),
            }
            if Instant::now() > deadline {
                return End::Stopped;
            }
            std::thread::sleep(HORIZON);
        }
    }
}
