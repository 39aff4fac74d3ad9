//! A live capture: the one place that wires probe, rings, clock and sinks together.

mod cpus;
mod error;
mod poller;
mod rings;
mod signals;
mod statistics;
mod watch;

use std::{
    ops::ControlFlow,
    os::fd::AsFd,
    time::{Duration, Instant},
};

pub use error::Error;
use poller::Poller;
use rings::Rings;
use signals::Signals;
pub use statistics::Totals;
use watch::Watch;
use xdpdump_ebpf::{MAX_CAPTURE_LEN, flags};

use crate::{
    clock::{Clock, RESAMPLE_EVERY, Sample, monotonic},
    config,
    interface::{Link, Promiscuous, XdpMode},
    output::{self, Sink},
    packet::{Direction, InterfaceStatistics, Meta, Packet, Timestamp},
    probe::{Attached, Probe},
    transport::event::Event,
};

/// How long a packet waits in a ring or a buffer, at most: half of what design allows for a pipe.
const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// How long events wait that are younger than the reader's horizon.
const HORIZON: Duration = Duration::from_millis(1);

/// How long a CPU may still be inside the program after it was detached.
const DRAIN_FOR: Duration = Duration::from_millis(500);

/// What the user may want to know while a capture goes on, a line each, for standard error.
pub type Notify<'a> = &'a mut dyn FnMut(&str);

/// How packets are handed on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Stop after so many packets.
    pub packets: Option<u64>,
    /// Hand every packet to the operating system as soon as it is read.
    pub packet_buffered: bool,
    /// Say now and then how many packets were captured.
    pub progress: bool,
    /// Standard output is an output: stop when its reader is gone.
    pub watch_stdout: bool,
}

/// A capture that runs.
struct Session<'a> {
    probe: Probe,
    rings: Rings,
    delivery: Delivery<'a>,
    signals: Signals,
    watch: Watch,
    limits: Limits,
}

/// Captures until a signal, the packet limit, a closed pipe or an error ends it; detached in any case.
///
/// The totals are there also when the capture failed after it had begun.
///
/// # Errors
/// When the capture could not begin; the second value when it ended before its time.
pub fn run(
    config: &config::Capture,
    limits: Limits,
    sink: &mut dyn Sink,
    notify: Notify<'_>,
) -> Result<(Totals, Result<(), Error>), Error> {
    let signals = Signals::register().map_err(Error::Poll)?;
    let link = Link::find(&config.interface)?;
    let mut interface = link.describe()?;
    interface.snap_len = config.snap_len.min(MAX_CAPTURE_LEN);

    let mut probe = Probe::load(config.snap_len)?;
    let rings = Rings::open(&probe, config.buffer, config.immediate)?;
    sink.interface(&interface)?;
    let delivery = Delivery::new(sink, interface.snap_len, limits.packets);
    let attached = probe.attach(&link, config.mode)?;
    announce(&link, &interface, &attached, notify);
    // Held until the capture is over; the kernel takes it back when the process ends.
    let _promiscuous = config.promiscuous.then(|| enter_promiscuous(&link, notify));
    let watch = Watch::new(link, probe.program_id())?;

    let mut session = Session { probe, rings, delivery, signals, watch, limits };
    let end = session.capture(notify);
    Ok(session.finish(end))
}

fn enter_promiscuous(link: &Link, notify: Notify<'_>) -> Option<Promiscuous> {
    Promiscuous::enter(link.index)
        .inspect_err(|error| {
            notify(&format!(
                "{} is not in promiscuous mode ({error}): frames for other stations may be missing; -p asks for that",
                link.display_name()
            ));
        })
        .ok()
}

fn announce(link: &Link, interface: &crate::packet::Interface, attached: &Attached, notify: Notify<'_>) {
    let name = link.display_name();
    if let Some(refusal) = &attached.native_refused {
        notify(&format!("{name}: no native XDP ({refusal}); capturing in generic mode"));
    }
    if !attached.multi_buffer && attached.mode != XdpMode::Offload {
        notify(&format!(
            "{name}: no multi-buffer XDP here: frames of several buffers do not reach the capture"
        ));
    }
    if !link.up {
        notify(&format!("{name} is down: frames will be captured when it comes up"));
    }
    notify(&format!(
        "listening on {name}, link-type {}, snapshot length {} bytes, {} mode",
        interface.link_type, interface.snap_len, attached.mode
    ));
}

/// Why the loop ended.
enum End {
    /// A signal, or a closed pipe: what the rings hold is still wanted.
    Stopped,
    /// Enough packets: what the rings hold is not.
    Enough,
    /// Something failed.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for End {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Output(output::Error::Closed(_)) => Self::Enough,
            error => Self::Failed(error),
        }
    }
}

impl Session<'_> {
    /// Runs until something ends it.
    fn capture(&mut self, notify: Notify<'_>) -> End {
        let mut poller = Poller::default();
        let mut next_flush = Instant::now() + FLUSH_EVERY;
        let mut next_housekeeping = Instant::now() + RESAMPLE_EVERY;
        loop {
            let events_left = match self.round(false) {
                ControlFlow::Continue(events_left) => events_left,
                ControlFlow::Break(end) => return end,
            };
            if self.signals.stop() {
                return End::Stopped;
            }
            if self.signals.report() {
                match self.totals(false) {
                    Ok(totals) => notify(&totals.one_line()),
                    Err(error) => return End::Failed(error),
                }
            }
            let now = Instant::now();
            if self.limits.packet_buffered || now >= next_flush {
                next_flush = now + FLUSH_EVERY;
                if let Err(error) = self.delivery.sink.flush() {
                    return error.into();
                }
            }
            if let Err(error) = self.watch.changes(notify) {
                return error.into();
            }
            if now >= next_housekeeping {
                next_housekeeping = now + RESAMPLE_EVERY;
                if let Err(error) = self.housekeeping(notify) {
                    return End::Failed(error);
                }
            }
            let timeout = if events_left { HORIZON } else { FLUSH_EVERY };
            if let Err(error) = self.sleep(&mut poller, timeout) {
                return error;
            }
        }
    }

    /// What is due once a second.
    fn housekeeping(&mut self, notify: Notify<'_>) -> Result<(), Error> {
        self.rings.follow_cpus(&self.probe)?;
        self.watch.refresh(notify)?;
        if self.limits.progress {
            notify(&format!("Got {}", self.delivery.captured));
        }
        Ok(())
    }

    fn sleep(&mut self, poller: &mut Poller, timeout: Duration) -> Result<(), End> {
        let stdout = std::io::stdout();
        poller.clear();
        for ring in self.rings.descriptors() {
            poller.readable(ring);
        }
        poller.readable(self.signals.as_fd());
        poller.readable(self.watch.as_fd());
        if self.limits.watch_stdout {
            poller.closed(stdout.as_fd());
        }
        poller.wait(timeout).map_err(Error::Poll)?;
        if self.limits.watch_stdout && poller.is_closed(stdout.as_fd()) {
            return Err(End::Enough);
        }
        Ok(())
    }

    /// Hands on what the rings hold; says whether the youngest events were left for the next round.
    fn round(&mut self, to_the_end: bool) -> ControlFlow<End, bool> {
        self.delivery.follow_clock();
        let delivery = &mut self.delivery;
        self.rings.read(to_the_end, |event| delivery.event(&event))
    }

    fn totals(&self, drained: bool) -> Result<Totals, Error> {
        let program = self.probe.counters()?;
        Ok(Totals::new(self.delivery.captured, program, self.rings.counts(), drained))
    }

    /// Detaches, takes what the rings still hold and finishes the output.
    fn finish(mut self, end: End) -> (Totals, Result<(), Error>) {
        self.probe.detach();
        let end = match end {
            End::Stopped => self.drain(),
            end => end,
        };
        let drained = matches!(end, End::Stopped);
        let mut result = match end {
            End::Stopped | End::Enough => Ok(()),
            End::Failed(error) => Err(error),
        };
        let totals = self.totals(drained).unwrap_or_else(|error| {
            result = Err(error);
            Totals { captured: self.delivery.captured, ..Totals::default() }
        });
        match self.delivery.finish(totals) {
            Ok(()) | Err(output::Error::Closed(_)) => {}
            // The first error is the one that ended the capture.
            Err(error) => result = result.and(Err(error.into())),
        }
        (totals, result)
    }

    /// Reads until everything that the program emitted is read. It may still be running on another CPU for a moment after
    /// it was detached.
    fn drain(&mut self) -> End {
        let deadline = Instant::now() + DRAIN_FOR;
        loop {
            if let ControlFlow::Break(end) = self.round(true) {
                return end;
            }
            match self.probe.counters() {
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

/// From events to packets in the sink.
struct Delivery<'a> {
    sink: &'a mut dyn Sink,
    clock: Clock,
    snap_len: u32,
    limit: Option<u64>,
    captured: u64,
    start: Timestamp,
}

impl<'a> Delivery<'a> {
    fn new(sink: &'a mut dyn Sink, snap_len: u32, limit: Option<u64>) -> Self {
        let sample = Sample::take();
        let clock = Clock::new(sample);
        let start = clock.wall(sample.monotonic);
        Self { sink, clock, snap_len, limit, captured: 0, start }
    }

    fn follow_clock(&mut self) {
        if self.clock.is_due(monotonic()) {
            self.clock.follow(Sample::take());
        }
    }

    fn event(&mut self, event: &Event<'_>) -> ControlFlow<End> {
        let header = &event.header;
        // A program on a NIC does not know the snap length.
        let kept = event.frame.len().min(self.snap_len as usize);
        let packet = Packet {
            timestamp: self.clock.wall(event.time),
            uptime: Some(event.time),
            interface: 0,
            frame: &event.frame[..kept],
            frame_len: header.frame_len,
            meta: Meta {
                direction: Direction::Inbound,
                queue: Some(header.queue),
                packet_id: event.packet_id(),
                verdict: (header.flags & flags::VERDICT != 0).then_some(header.verdict.into()),
                lost: event.lost,
            },
        };
        if let Err(error) = self.sink.packet(&packet) {
            return ControlFlow::Break(error.into());
        }
        self.captured += 1;
        if self.limit == Some(self.captured) {
            ControlFlow::Break(End::Enough)
        } else {
            ControlFlow::Continue(())
        }
    }

    fn finish(self, totals: Totals) -> Result<(), output::Error> {
        let end = self.clock.wall(monotonic());
        self.sink.finish(&[InterfaceStatistics {
            interface: 0,
            start: self.start,
            end,
            received: totals.received,
            accepted: totals.received,
            dropped: totals.dropped,
            delivered: totals.captured,
        }])
    }
}
