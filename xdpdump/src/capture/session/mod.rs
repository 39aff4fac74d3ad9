//! The loop of a capture: wait, read, hand on, look after what changes.

mod finish;
mod follow;

use std::{
    ops::ControlFlow,
    os::fd::AsFd,
    time::{Duration, Instant},
};

pub use finish::Ended;

use super::{
    Error, Totals,
    command::Command,
    connect::{Connection, Order, Source},
    control::Remote,
    delivery::Delivery,
    ending::{End, Ending},
    live::{Limits, Live},
    service::Service,
    status::{Progress, Status},
    waiting::Waiting,
    watch::Watch,
};
use crate::{
    clock::RESAMPLE_EVERY,
    output::{self, Cause},
    packet::{Direction, Timestamp},
    report::Reporter,
    signals::Signals,
    sys::{
        clock,
        poll::{Poller, Ready},
    },
    transport::REORDER_WINDOW,
};

/// How long after a packet arrived it may be handed to the output, in nanoseconds, if the rings are read all the time.
const LATE: i64 = 2 * REORDER_WINDOW.as_nanos() as i64;

/// How a capture behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Hand every packet to the operating system as soon as it is read.
    pub packet_buffered: bool,
    /// Show how it goes, in a line that is drawn again and again.
    pub is_live: bool,
}

/// A capture that runs.
pub struct Session<'a> {
    connection: Connection,
    order: Order<'a>,
    delivery: Delivery<'a>,
    signals: Signals,
    watch: Watch,
    manner: Manner,
    /// Who watches it and may give it another filter.
    remote: Option<Remote<'a>>,
    /// A CPU has no ring or no doorbell, and that was said.
    lacking: bool,
    /// Interfaces that another program would let be captured.
    waiting: Vec<Waiting>,
    /// When packets that are in a buffer are to leave it.
    flush_at: Option<Instant>,
    /// When the capture ends.
    end_at: Option<Instant>,
    /// Says now and then how it goes.
    status: Option<Status>,
    service: Service,
    /// A command for whose life is captured.
    command: Option<Command>,
    /// Packets that were lost, when that was last looked at.
    dropped: u64,
    /// Bytes in files, when that was last said.
    bytes: u64,
}

/// The name of the interface, the direction and the totals of each source.
fn named<'s>(sources: &'s [Source], totals: &[Totals]) -> Vec<(&'s str, &'static str, Totals)> {
    let of_source = |(source, totals): (&'s Source, &Totals)| {
        let direction = match source.attached.place.direction() {
            Direction::Outbound => "out",
            _ => "in",
        };
        (source.interface.name.as_deref().unwrap_or_default(), direction, *totals)
    };
    sources.iter().zip(totals).map(of_source).collect()
}

/// How long it takes until packets that arrived before this time were handed to the output.
fn until(time: Timestamp) -> Duration {
    let nanoseconds = time.0.saturating_add(LATE).saturating_sub(clock::realtime());
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
}

impl<'a> Session<'a> {
    /// A capture of what is connected.
    pub fn new(
        mut connection: Connection,
        order: Order<'a>,
        delivery: Delivery<'a>,
        signals: Signals,
        watch: Watch,
        manner: Manner,
        remote: Option<Remote<'a>>,
    ) -> Self {
        let left_out = std::mem::take(&mut connection.left_out).into_iter();
        let waiting = left_out
            .filter_map(|(link, reason)| Waiting::for_another_program(&link, &reason, order.config.mode))
            .collect();
        Self {
            connection,
            order,
            delivery,
            signals,
            watch,
            manner,
            remote,
            lacking: false,
            waiting,
            flush_at: None,
            end_at: order.config.destination.duration.and_then(|time| Instant::now().checked_add(time)),
            status: None,
            service: Service::default(),
            command: None,
            dropped: 0,
            bytes: 0,
        }
    }

    /// Lasts as long as the command, which begins with the capture.
    pub fn last_as_long_as(&mut self, command: Option<Command>) {
        self.command = command;
    }

    /// Says from now on how the capture goes, if that is wanted.
    ///
    /// # Errors
    /// When the file for it cannot be written.
    pub fn begin_status(&mut self) -> Result<(), Error> {
        let destination = &self.order.config.destination;
        let order = destination.status.as_ref();
        let live = self.manner.is_live.then(|| Live::new(Limits::of(destination), Instant::now()));
        if order.is_none() && live.is_none() {
            return Ok(());
        }
        let totals = self.totals(false)?;
        let sources = named(&self.connection.sources, &totals);
        let progress = Progress { sources: &sources, bytes: 0, file: None };
        let status = Status::begin(order, live, progress).map_err(|error| {
            let file = order.and_then(|order| order.file.as_deref()).map(|file| file.display().to_string());
            Error::Status(file.unwrap_or_default(), error)
        })?;
        self.status = Some(status);
        Ok(())
    }

    /// Runs until something ends it.
    pub fn capture(&mut self, reporter: &mut dyn Reporter) -> End {
        self.service = Service::ready();
        self.command.iter_mut().for_each(Command::begin);
        let mut ready = Ready::default();
        let mut housekeeping_at = Instant::now();
        loop {
            match self.turn(&ready, &mut housekeeping_at, reporter) {
                Ok(found) => ready = found,
                Err(end) => {
                    Service::stopping();
                    return end;
                }
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
        // Frames that arrived by then are handed over by this round, however far behind the reader is.
        let handed_over = Timestamp(clock::realtime() - LATE);
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
        if let Some(signal) = self.signals.stopped_by() {
            return Err(End::Ended(Ending::Signal(signal)));
        }
        self.end_with_command(ready)?;
        if self.signals.report() {
            let totals: Totals = self.totals(false)?.into_iter().sum();
            reporter.say(&totals.one_line());
        }
        if self.signals.flush() && !self.delivery.sink().dump(Timestamp(clock::realtime()), Cause::Request) {
            self.delivery.flush()?;
        }
        self.rotate(handed_over)?;
        let now = Instant::now();
        self.end_if_enough(now)?;
        self.service.goes_on(now);
        self.flush(now, quiet)?;
        if ready.is_readable(self.watch.as_fd()) {
            let probe = &self.connection.probe;
            let changes = self.watch.changes(&|source| probe.xdp_program_id(source), reporter)?;
            self.follow_interfaces(changes, reporter)?;
        }
        self.follow_remote(ready);
        let status_due = self.status.as_ref().and_then(Status::due);
        if status_due.is_some_and(|due| now >= due) {
            let totals = self.totals(false)?;
            self.tell(&totals, false, reporter);
        }
        if now >= *housekeeping_at {
            *housekeeping_at = now + RESAMPLE_EVERY;
            self.housekeeping(reporter)?;
        }
        // Also when there is no time to sleep: what else happens is to be seen, and a signal that is not taken note of would keep
        // the output from waiting for its reader.
        let longest = self.connection.rings.prepare_sleep(quiet, events_left).unwrap_or(Duration::ZERO);
        let due = self.flush_at.map_or(*housekeeping_at, |at| at.min(*housekeeping_at));
        let longest = self.remote.as_ref().map_or(longest, |remote| longest.min(remote.patience()));
        let due = self.service.due().map_or(due, |at| due.min(at));
        let longest = self.end_at.map_or(longest, |at| longest.min(at.saturating_duration_since(now)));
        let status_due = self.status.as_ref().and_then(Status::due);
        let longest = status_due.map_or(longest, |due| longest.min(due.saturating_duration_since(now)));
        let longest = self.delivery.sink().due().map_or(longest, |due| longest.min(until(due)));
        self.sleep(longest.min(due.saturating_duration_since(now)), reporter)
    }

    /// Says how the capture goes, or went.
    fn tell(&mut self, totals: &[Totals], is_end: bool, reporter: &mut dyn Reporter) {
        let Some(status) = &mut self.status else { return };
        let sink = self.delivery.sink();
        // What becomes of bytes that are still to be compressed is a guess, and a counter does not go back.
        self.bytes = self.bytes.max(sink.accepted());
        let bytes = self.bytes;
        // What is kept in memory is in no file.
        let only = self.order.config.destination.file.as_ref().filter(|file| file.recorder.is_none());
        let only = only.map(|file| (&*file.path, bytes));
        let file = sink.current_file().or(only);
        let sources = named(&self.connection.sources, totals);
        status.tell(Progress { sources: &sources, bytes, file }, is_end, reporter);
    }

    /// Ends the capture if its command has ended.
    fn end_with_command(&mut self, ready: &Ready) -> Result<(), End> {
        let Some(command) = &mut self.command else { return Ok(()) };
        if !ready.is_readable(command.as_fd()) {
            return Ok(());
        }
        command.status().map_or(Ok(()), |status| Err(End::Ended(Ending::Command(status))))
    }

    /// Ends the capture if it has lasted or written what was wanted.
    fn end_if_enough(&mut self, now: Instant) -> Result<(), End> {
        if self.end_at.is_some_and(|at| now >= at) {
            return Err(End::Ended(Ending::Duration));
        }
        let Some(most) = self.order.config.destination.max_bytes else { return Ok(()) };
        if self.delivery.sink().accepted() >= most {
            // What becomes of bytes that are still to be compressed was a guess.
            self.delivery.flush()?;
            if self.delivery.sink().accepted() >= most {
                return Err(End::Ended(Ending::Bytes));
            }
        }
        Ok(())
    }

    /// Does what the clock, SIGHUP or a full file asks of the output, to which packets up to a time were `handed_over`.
    fn rotate(&mut self, handed_over: Timestamp) -> Result<(), End> {
        if let ControlFlow::Break(reason) = self.delivery.sink().clock(handed_over)? {
            return Err(End::Ended(Ending::Files(reason)));
        }
        if self.signals.hang_up() {
            self.delivery.sink().hang_up(Timestamp(clock::realtime()))?;
        }
        if self.delivery.sink().wants_totals() {
            let totals = self.totals(false)?;
            self.delivery.totals(&totals)?;
        }
        Ok(())
    }

    /// Exchanges the filter, if that is wanted.
    fn follow_remote(&mut self, ready: &Ready) {
        let Some(remote) = &mut self.remote else { return };
        if remote.descriptor().is_some_and(|asked| ready.is_readable(asked)) {
            remote.listen();
        }
        remote.exchange(self.order, &mut self.connection, &mut self.delivery, &self.signals);
    }

    /// Lets packets out that were in a buffer for long enough.
    fn flush(&mut self, now: Instant, quiet: bool) -> Result<(), output::Error> {
        if !quiet && self.flush_at.is_none() {
            self.flush_at =
                Some(if self.manner.packet_buffered { now } else { now + self.delivery.sink().patience() });
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
        self.connection.probe.close_released()?;
        let left = self.connection.probe.sources_of_left_slots();
        if !left.is_empty() {
            self.wait_for_program(&left);
        }
        let probe = &self.connection.probe;
        let changes = self.watch.refresh(&|source| probe.xdp_program_id(source), reporter)?;
        self.follow_interfaces(changes, reporter)?;
        self.delivery.sink().look_after(&mut |line| reporter.say(line))?;
        reporter.catch_up();
        self.dump_on_loss()?;
        if self.remote.is_some() {
            let totals = self.totals(false)?.into_iter().sum();
            self.remote.iter_mut().for_each(|remote| remote.totals(&totals));
        }
        Ok(())
    }

    /// Has what is kept in memory written, if packets were lost, and if that is wanted.
    fn dump_on_loss(&mut self) -> Result<(), Error> {
        let recorder = self.order.config.destination.file.as_ref().and_then(|file| file.recorder.as_ref());
        if recorder.is_some_and(|recorder| recorder.on_loss) {
            let dropped = self.totals(false)?.into_iter().map(|totals| totals.dropped).sum();
            if std::mem::replace(&mut self.dropped, dropped) < dropped {
                self.delivery.sink().dump(Timestamp(clock::realtime()), Cause::Loss);
            }
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
        if let Some(command) = &self.command {
            poller.readable(command.as_fd());
        }
        self.delivery.watch(&mut |output| poller.closed(output));
        if let Some(clock) = self.delivery.clock_descriptor() {
            poller.readable(clock);
        }
        if let Some(asked) = self.remote.as_ref().and_then(Remote::descriptor) {
            poller.readable(asked);
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
}
