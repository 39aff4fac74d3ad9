//! A live capture: the one place that wires probe, rings, clock and sinks together.

mod connect;
mod delivery;
mod error;
mod poller;
mod session;
mod signals;
mod statistics;
mod watch;

use delivery::Delivery;
pub use error::Error;
use session::Session;
use signals::Signals;
pub use statistics::Totals;
use watch::Watch;

use crate::{
    clock::{self, Sample},
    config,
    interface::{Link, Promiscuous, XdpMode},
    output::{self, Sink},
    packet::Interface,
    probe::Attached,
};

/// Who is told what goes on while a capture runs.
pub trait Audience {
    /// Something to know, a line.
    fn say(&mut self, line: &str);

    /// How many packets were captured so far.
    fn progress(&mut self, packets: u64);
}

type Notify<'a> = &'a mut dyn Audience;

/// How packets are handed on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Stop after so many packets.
    pub packets: Option<u64>,
    /// Hand every packet to the operating system as soon as it is read.
    pub packet_buffered: bool,
    /// Say now and then how many packets were captured.
    pub progress: bool,
    /// Say how frames get to user space.
    pub verbose: bool,
    /// Standard output is an output: stop when its reader is gone.
    pub watch_stdout: bool,
}

/// Captures until a signal, the packet limit, a closed pipe or an error ends it; detached in any case.
///
/// `open` is called once nothing else can keep the capture from beginning: one that cannot begin leaves the file of an
/// earlier one as it is.
///
/// The totals are there also when the capture failed after it had begun.
///
/// # Errors
/// When the capture could not begin; the second value when it ended before its time.
pub fn run<S: Sink>(
    config: &config::Capture,
    limits: Limits,
    open: impl FnOnce() -> Result<S, output::Error>,
    notify: Notify<'_>,
) -> Result<(Totals, Result<(), Error>), Error> {
    let signals = Signals::register().map_err(Error::Poll)?;
    clock::prepare()?;
    let link = Link::find(&config.interface)?;
    let mut interface = link.describe()?;

    let start = Sample::take();
    let connection = connect::connect(config, &link)?;
    interface.snap_len = connection.snap_len;
    // Opening a named pipe waits for its reader.
    let Some(sink) = signals.end_at_once_during(open) else {
        return Ok((Totals::default(), Ok(())));
    };
    let mut sink = sink?;
    sink.interface(&interface)?;
    if let Some(choice) = connection.explanation.as_deref().filter(|_| limits.verbose) {
        notify.say(choice);
    }
    // Held until the capture is over; the kernel takes it back when the process ends.
    let _promiscuous = config.promiscuous.then(|| enter_promiscuous(&link, notify));
    announce(&link, &interface, &connection.attached, notify);
    let watch = Watch::new(link, connection.probe.program_id())?;

    let delivery = Delivery::new(&mut sink, start, interface.snap_len, limits.packets);
    let mut session = Session::new(connection, delivery, signals, watch, limits);
    let end = session.capture(notify);
    Ok(session.finish(end))
}

fn enter_promiscuous(link: &Link, notify: Notify<'_>) -> Option<Promiscuous> {
    Promiscuous::enter(link.index)
        .inspect_err(|error| {
            notify.say(&format!(
                "{} is not in promiscuous mode ({error}): frames for other stations may be missing; -p asks for that",
                link.display_name()
            ));
        })
        .ok()
}

fn announce(link: &Link, interface: &Interface, attached: &Attached, notify: Notify<'_>) {
    let name = link.display_name();
    if let Some(refusal) = &attached.native_refused {
        notify.say(&format!("{name}: no native XDP ({refusal}); capturing in generic mode"));
    }
    if !attached.multi_buffer && attached.mode != XdpMode::Offload {
        notify.say(&format!(
            "{name}: no multi-buffer XDP here: frames of several buffers do not reach the capture"
        ));
    }
    if !link.up {
        notify.say(&format!("{name} is down: frames will be captured when it comes up"));
    }
    notify.say(&format!(
        "listening on {name}, link-type {}, snapshot length {} bytes, {} mode",
        interface.link_type, interface.snap_len, attached.mode
    ));
}
