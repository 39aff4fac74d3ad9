//! A live capture: connects probe, rings, clock and sinks. This is the only module that does.

pub mod command;
mod connect;
mod control;
mod delivery;
mod ending;
mod error;
mod live;
mod privileges;
mod service;
mod session;
mod statistics;
mod status;
mod waiting;
mod watch;

use std::{os::fd::AsFd as _, process::ExitStatus, time::Instant};

use command::Command;
use connect::{Order, Source};
pub use control::Control;
use control::Remote;
use delivery::Delivery;
use ending::Ending;
pub use error::Error;
use session::{Ended, Manner, Session};
pub use statistics::Totals;
use watch::Watch;

use crate::{
    clock::{self, Sample},
    config::{self, At, Interfaces},
    interface::{self, Link, Promiscuous, VlanTags, XdpMode, namespace},
    output::{self, Sink, guardian::Guardian},
    packet::{Direction, LinkType},
    printable::printable,
    privilege::{self, Capabilities},
    probe::{self, Place, Point},
    report::Reporter,
    run_as::{self, RunAs},
    selection::{Request, Selections},
    signals::{END_WITHIN, Signals},
    sinks,
};

/// Captures until a signal, the packet limit, an error, or an output whose reader has left ends the capture; then
/// detaches the programs and prints the totals. Returns how the command ended for which is captured, if it ended by itself.
///
/// # Errors
/// When the capture could not begin, or ended early because of an error.
pub fn run(config: &config::Capture, reporter: &mut dyn Reporter) -> Result<Option<ExitStatus>, Error> {
    run_with(config, None, reporter)
}

/// Like [`run`], with somebody who watches the capture and may give it another filter.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    config: &config::Capture,
    control: Option<&mut dyn Control>,
    reporter: &mut dyn Reporter,
) -> Result<Option<ExitStatus>, Error> {
    let destination = &config.destination;
    let captured = capture(config, control, reporter);
    // Also for a capture that never began.
    reporter.end_by(Instant::now() + END_WITHIN);
    let Ended { totals, verdicts, command, result, deadline } = match captured {
        Err(Error::Output(output::Error::Closed(output))) => {
            reporter.say(&Ending::ReaderLeft(output).to_string());
            return Ok(None);
        }
        captured => captured?,
    };
    totals.to_string().lines().for_each(|line| reporter.say_plainly(line));
    for line in &verdicts {
        reporter.say_plainly(line);
    }
    let printed =
        if destination.count { output::print_count(totals.captured, Some(deadline)) } else { Ok(()) };
    // The reason for the end of the capture is more important than an error of standard output.
    result.and(printed.map_err(Error::Output)).map(|()| command)
}

fn capture(
    config: &config::Capture,
    control: Option<&mut dyn Control>,
    reporter: &mut dyn Reporter,
) -> Result<Ended, Error> {
    let destination = &config.destination;
    let rotation = destination.file.as_ref().and_then(|file| file.rotation.as_ref());
    let signals = Signals::register(rotation.is_some_and(|rotation| rotation.on_hangup));
    let signals = signals.map_err(Error::Poll)?;
    command::check(&config.command)?;
    clock::prepare()?;
    let user = RunAs::of(&config.user).map_err(run_as::Error::from)?;
    // From here on, this thread is in that namespace.
    let namespace = config.namespace.as_deref().map(namespace::enter).transpose();
    let namespace = namespace.map_err(interface::Error::from)?;
    let links = find(&config.interfaces, reporter)?;
    if config.interfaces != Interfaces::Any {
        for link in &links {
            connect::check_link_type(link, config.link_type)?;
        }
    }
    // An error in the filter should be found before anything is attached. The filter may be read from a pipe, and resolving
    // names in it may send DNS queries, so this can take long.
    let compile = || {
        let request = Request::read(&config.selection)?;
        let trigger = config.trigger.clone().map(|filter| Request::default().with_filter(Some(filter)));
        let triggers = trigger.map(|trigger| selections(&trigger, &config.interfaces, &links)).transpose()?;
        Ok::<_, Error>((selections(&request, &config.interfaces, &links)?, triggers, request))
    };
    let Some(compiled) = signals.end_at_once_during(compile) else {
        return Ok(Ended::before_it_began(&signals, reporter));
    };
    let (selections, triggers, request) = compiled?;
    let start = Sample::take();
    let immediate = config.immediate || sinks::is_watched(destination);
    let order = Order {
        config,
        namespace: namespace.as_ref(),
        links: &links,
        selections: &selections,
        immediate,
        may_change: control.is_some(),
    };
    let Some(mut connection) = until_stopped(&signals, || connect::connect(order))? else {
        return Ok(Ended::before_it_began(&signals, reporter));
    };
    for (link, error) in &connection.left_out {
        reporter.say(&format!("{} is not captured: {error}", link.display_name()));
    }
    if connection.sources.is_empty() {
        return Err(Error::NoInterface);
    }
    // From here on, only the output can prevent the capture. It is opened last, so that a capture which cannot begin
    // leaves the file of an earlier one as it is.
    let guardian = Guardian::default();
    user.become_it(Capabilities::TO_BEGIN).map_err(run_as::Error::from)?;
    let open = || user.open(|| sinks::open(destination, Some(&guardian), &mut |line| reporter.say(line)));
    // Opening a named pipe waits for its reader.
    let Some(sink) = signals.end_at_once_during(open) else {
        return Ok(Ended::before_it_began(&signals, reporter));
    };
    let mut sink = sink?;
    sink.interrupted_by(signals.as_fd())?;
    let mut delivery = Delivery::new(&mut sink, start, destination.limit);
    delivery.trigger_on(triggers);
    for source in &connection.sources {
        delivery.add(source)?;
    }
    if let Some(choice) = connection.explanation.as_deref().filter(|_| destination.verbose) {
        reporter.say(choice);
    }
    // As in tcpdump, not on all interfaces.
    let promiscuous = config.promiscuous && config.interfaces != Interfaces::Any;
    let receives = |source: &&mut Source| source.attached.place.direction() == Direction::Inbound;
    for source in connection.sources.iter_mut().filter(|_| promiscuous).filter(receives) {
        source.promiscuous = enter_promiscuous(&source.link, reporter);
    }
    let has_command = !config.command.is_empty();
    let command =
        has_command.then(|| Command::prepare(&config.command, sinks::take_standard_output(destination)));
    let command = command.transpose()?;
    let needed = privileges::needed_later(order, &connection);
    match privilege::give_up(needed, &sinks::folders(destination), order.may_change) {
        Ok(effect) if destination.verbose => {
            if let Some(name) = user.name() {
                reporter.say(&format!("running as the user {} from here on", printable(name)));
            }
            reporter.say(&effect);
        }
        Ok(_) => {}
        Err(error) => reporter.say(&format!("cannot give up privileges ({error}): the capture keeps them")),
    }
    for source in &connection.sources {
        announce(source, order, reporter);
    }
    let mut watch = Watch::new(&links, config.interfaces == Interfaces::Any)?;
    for (number, source) in (0..).zip(&connection.sources) {
        watch.captured(&source.link, number);
    }
    let manner = Manner {
        packet_buffered: destination.packet_buffered || immediate,
        is_live: destination.live && reporter.has_live_line(),
    };
    let remote = control.map(|control| Remote::new(control, request));
    let mut session = Session::new(connection, order, delivery, signals, watch, manner, remote);
    session.last_as_long_as(command);
    session.begin_status()?;
    let end = session.capture(reporter);
    Ok(session.finish(end, reporter))
}

/// The interfaces to capture from, each once. With `-i any` also those that are down, because they may come up.
fn find(interfaces: &Interfaces, reporter: &mut dyn Reporter) -> Result<Vec<Link>, Error> {
    let names = match interfaces {
        Interfaces::Any => return Ok(Link::all()?),
        Interfaces::Named(names) => names,
    };
    let mut links: Vec<Link> = Vec::new();
    for asked in names {
        let link = Link::find(asked)?;
        let (asked, name) = (printable(asked), link.display_name());
        if asked.rsplit_once('@').is_some_and(|(front, _)| front == name) {
            // `eth0@if2`, as ip(8) prints names.
            reporter.say(&format!("capturing on the interface \"{name}\", which was given as \"{asked}\""));
        }
        if !links.iter().any(|other| other.index == link.index) {
            links.push(link);
        }
    }
    Ok(links)
}

/// Compiles a request for frames of each link type. It has no error for any interface that was named.
fn selections(request: &Request, interfaces: &Interfaces, links: &[Link]) -> Result<Selections, Error> {
    let mut selections = Selections::compile(request);
    match interfaces {
        Interfaces::Any => selections.check(LinkType::ETHERNET)?,
        Interfaces::Named(_) => {
            for link in links {
                selections.check(link.link_type()?)?;
            }
        }
    }
    Ok(selections)
}

/// Loads programs by `attempt`. The kernel can take seconds to verify a large filter, and gives up when any signal comes; then
/// this tries again, or returns `None` if the signal asks to stop.
fn until_stopped<T>(
    signals: &Signals,
    mut attempt: impl FnMut() -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    loop {
        match attempt() {
            Err(Error::Probe(probe::Error::Interrupted)) if signals.stop() => return Ok(None),
            Err(Error::Probe(probe::Error::Interrupted)) => {}
            result => return result.map(Some),
        }
    }
}

fn enter_promiscuous(link: &Link, reporter: &mut dyn Reporter) -> Option<Promiscuous> {
    Promiscuous::enter(link.index)
        .inspect_err(|error| {
            reporter.say(&format!(
                "cannot put {} into promiscuous mode ({error}): frames for other stations may be missing; -p does without that mode",
                link.display_name()
            ));
        })
        .ok()
}

/// What to do for the VLAN tags that an interface takes off.
fn missing_tags(link: &Link) -> String {
    let taken_off = "VLAN tags that were taken off received frames are missing";
    match link.kind.as_deref() {
        _ if link.has_ports() => {
            format!(
                "{taken_off}; a capture on the interfaces that {} has as ports has them",
                link.display_name()
            )
        }
        Some("veth") => {
            format!("{taken_off}; `ethtool -K IF txvlan off` on its peer leaves them in the frames")
        }
        _ => {
            format!("{taken_off}; `ethtool -K {} rxvlan off` leaves them in the frames", link.display_name())
        }
    }
}

fn announce(source: &Source, order: Order<'_>, reporter: &mut dyn Reporter) {
    let Source { link, attached, interface, beside, disturbance, .. } = source;
    let name = interface.name.clone().unwrap_or_else(|| link.display_name());
    let at = order.config.at;
    // With both points, the entry is announced for both.
    if let Some((program, point)) = beside
        && (at, *point) != (At::Both, Point::Exit)
    {
        let place = match at {
            At::Entry => "entry",
            At::Exit => "exit",
            At::Both => "entry and exit",
        };
        let (interface, program) = (link.display_name(), printable(program.to_string()));
        reporter.say(&format!("{interface} runs the XDP program {program}: capturing at its {place}"));
    }
    if let Some(refusal) = &attached.native_refused {
        reporter.say(&format!("{name}: no native XDP ({refusal}); capturing in generic mode"));
    }
    if let Some(reason) = &attached.left_because {
        reporter.say(&format!(
            "{name}: frames are selected in user space, so every frame is handed to it ({reason})"
        ));
    }
    if !attached.multi_buffer && attached.place != Place::Xdp(XdpMode::Offload) {
        reporter
            .say(&format!("{name}: no multi-buffer XDP here: frames in several buffers are not captured"));
    }
    if attached.vlan_tags == VlanTags::TakenOff {
        reporter.say(&format!("{name}: {}", missing_tags(link)));
    }
    if let Some(disturbance) = disturbance {
        reporter.say(&format!("{name}: {disturbance}"));
    }
    if !link.up {
        reporter.say(&format!("{name} is down: frames will be captured when it comes up"));
    }
    let place = order.namespace.map_or_else(String::new, |namespace| format!(" in {namespace}"));
    reporter.say(&format!(
        "listening on {name}{place}, link-type {}, snapshot length {} bytes, {}, direction {}",
        interface.link_type,
        interface.snap_len,
        attached.place,
        if attached.place.direction() == Direction::Outbound { "out" } else { "in" }
    ));
}
