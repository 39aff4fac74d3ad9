//! Attaches programs to the interfaces and sets up their rings, of the fastest kind that works.

use std::rc::Rc;

use xdpdump_ebpf::{ADAPTER_LEN, MAX_CAPTURE_LEN, ring};

use super::Error;
use crate::{
    clock::Sample,
    config::{self, At, Interfaces},
    cpus,
    filter::Here,
    interface::{
        Disturbance, Link, Metadata, Namespace, Offloads, Promiscuous, Stamping, TimeStampType, XdpMode,
    },
    packet::{Detail, Direction, EXIT, Interface, LinkType},
    printable::printable,
    probe::{self, Attached, Named, Observed, Place, Point, Probe, RingLayout, Task},
    selection::{self, Selection, Selections},
    sys::ptp::PtpClock,
    transport::{
        self, RingKind, Rings,
        mapped::{self, Lengths},
        perf,
    },
};

/// Most bytes of a frame that come with what the adapter says about it.
const LONGEST_WITH_ADAPTER: u32 = MAX_CAPTURE_LEN - ADAPTER_LEN as u32;

/// Attached programs and the rings that they write to.
///
/// The order of the fields matters: programs are detached before interfaces are left as they were.
pub struct Connection {
    pub probe: Probe,
    pub rings: Rings,
    /// Ordered by source number.
    pub sources: Vec<Source>,
    /// Which kind of rings is used, and why.
    pub explanation: Option<String>,
    /// Interfaces that were left out, and why.
    pub left_out: Vec<(Link, Error)>,
    /// Most bytes of a frame that the rings carry.
    longest: u32,
}

/// An interface at a capture point.
pub struct Source {
    pub link: Link,
    pub attached: Attached,
    /// Its description for a capture file.
    pub interface: Interface,
    /// Whether the program is still attached.
    pub is_attached: bool,
    /// The program beside which frames are captured, and on which side of it; `None` for a program of this capture.
    pub beside: Option<(Named, Point)>,
    /// Offloads that attaching changed, until this is dropped.
    pub disturbance: Option<Disturbance>,
    /// Keeps the adapter stamping frames, if that is wanted, until this is dropped.
    pub stamping: Option<Stamping>,
    /// Whose time stamps its packets have.
    pub time: Time,
    /// Keeps the interface in promiscuous mode, if that is wanted; the kernel ends it when the process ends.
    pub promiscuous: Option<Promiscuous>,
}

/// Whose time stamps packets have.
#[derive(Clone, Debug)]
pub enum Time {
    /// The host's.
    Host,
    /// The adapter's; converted by its clock, which was compared with the host's, if that is wanted.
    Adapter(Option<(Rc<PtpClock>, Sample)>),
}

impl Time {
    /// The time stamps of an interface.
    fn of(link: &Link, kind: TimeStampType) -> Result<Self, Error> {
        match kind {
            TimeStampType::Host => Ok(Self::Host),
            TimeStampType::AdapterUnsynced => Ok(Self::Adapter(None)),
            TimeStampType::Adapter => {
                let compared = link.clock().and_then(|clock| Ok((Sample::of_adapter(&clock)?, clock)));
                let (sample, clock) = compared.map_err(|error| Error::NoClock(link.display_name(), error))?;
                Ok(Self::Adapter(Some((Rc::new(clock), sample))))
            }
        }
    }

    /// What the description of the interface says about them.
    fn description(&self) -> Option<String> {
        let text = match self {
            Self::Host => return None,
            Self::Adapter(Some(_)) => "time stamps of the adapter, converted to the host's clock",
            Self::Adapter(None) => "time stamps of the adapter's own clock",
        };
        Some(text.to_owned())
    }
}

impl Source {
    /// Leaves the interface as it was, after its program was detached.
    fn end(&mut self) {
        self.is_attached = false;
        self.promiscuous = None;
        self.stamping = None;
        self.disturbance = None;
    }
}

/// What to capture, where and how.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub config: &'a config::Capture,
    /// The network namespace of the interfaces, if it was chosen.
    pub namespace: Option<&'a Namespace>,
    pub links: &'a [Link],
    pub selections: &'a Selections,
    /// Whether to show every frame at once.
    pub immediate: bool,
    /// Whether the filter may be exchanged during the capture.
    pub may_change: bool,
}

impl<'a> Order<'a> {
    /// The interfaces to begin with: with `-i any` those that are up.
    fn wanted(self) -> impl Iterator<Item = &'a Link> {
        let any = self.config.interfaces == Interfaces::Any;
        self.links.iter().filter(move |link| link.up || !any)
    }
}

/// Attaches as the configuration says. If it does not name a transport, tries mapped rings first.
pub fn connect(order: Order<'_>) -> Result<Connection, Error> {
    let on_the_nic = order.config.mode == Some(XdpMode::Offload);
    let beside = order.config.direction.has_in()
        && order.wanted().any(|link| probe::beside(link, order.config.mode).is_some());
    match order.config.rings {
        // Of all interfaces, those with a program are left out.
        Some(RingKind::Mapped) if beside && order.config.interfaces != Interfaces::Any => {
            Err(Error::RingBeside)
        }
        Some(RingKind::Mapped) if on_the_nic => Err(Error::RingOnNic),
        Some(RingKind::Mapped) => through_ring(order).map_err(Error::without_mapped_rings),
        Some(RingKind::Perf) => through_perf(order),
        None if on_the_nic => Ok(through_perf(order)?.because("a program on a NIC supports no other kind")),
        // Programs of others may come later.
        None if beside || order.config.at != At::Entry => {
            Ok(through_perf(order)?.because("a program beside another one supports no other kind"))
        }
        None if order.config.adapter.is_asked() => {
            Ok(through_perf(order)?.because("a program that asks the adapter supports no other kind"))
        }
        None if ring_share(order.config)? > mapped::MAX_RING_LEN => {
            Ok(through_perf(order)?.because("mapped rings have at most 256 MiB for each CPU"))
        }
        None => match through_ring(order).map_err(Error::without_mapped_rings) {
            // Errors that have to do with the interface would be the same with perf rings.
            Err(reason @ Error::NoMappedRings(_)) => Ok(through_perf(order)?.because(&reason.to_string())),
            result => Ok(result?.because("the fastest kind that this kernel has")),
        },
    }
}

impl Connection {
    fn new(mut probe: Probe, rings: Rings, order: Order<'_>, longest: u32) -> Result<Self, Error> {
        probe.set_detail(
            order.config.destination.file.as_ref().map_or_else(Detail::default, |file| file.options.detail),
        );
        let mut connection =
            Self { probe, rings, sources: Vec::new(), explanation: None, left_out: Vec::new(), longest };
        let any = order.config.interfaces == Interfaces::Any;
        for link in order.wanted() {
            match connection.attach(order, link) {
                Ok(()) => {}
                // Of all interfaces, those are captured that can be.
                Err(error) if any && error.is_of_one_interface() => {
                    connection.left_out.push((link.clone(), error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(connection)
    }

    /// Attaches to one more interface, as the next sources: one for each direction that is wanted, or two for received frames
    /// if both sides of a program are. After an error, there may be sources for the first direction; another call continues
    /// from there.
    pub fn attach(&mut self, order: Order<'_>, link: &Link) -> Result<(), Error> {
        let Order { config, selections, .. } = order;
        check_link_type(link, config.link_type)?;
        let not_for = |error: &selection::Error| Error::NotFor(link.display_name(), error.to_string());
        let selection = selections.of(link.link_type()?).map_err(not_for)?;
        let longest = if config.adapter.is_asked() { LONGEST_WITH_ADAPTER } else { self.longest };
        let snap_len = config.snap_len.min(longest);
        // The file cannot say that the filter changes, so then it names none.
        let filter = selection.filter_text().filter(|_| !order.may_change);
        let interface = Interface { snap_len, filter, ..describe(link, order.namespace)? };
        let task = Task { snap_len, selection };
        let has_in = config.direction.has_in();
        let target = if has_in && !self.has(link, Direction::Inbound) {
            Some(Observed::find(link, config.mode, config.program.as_deref())?)
        } else {
            None
        };
        let received = if matches!(target, Some(Some(_))) { Here::AT_EXIT } else { Here::RECEIVED };
        let places = [(has_in, received), (config.direction.has_out(), Here::SENT)];
        let places: Vec<Here> = places.into_iter().filter(|place| place.0).map(|place| place.1).collect();
        if !selection.can_match(&places) {
            return Err(Error::MatchesNothing(link.display_name(), kinds(&places)));
        }
        if let Some(target) = target {
            if let Some(target) = target {
                // A filter that comes later may look at more than is captured; the rest is cut off after it.
                let task = if order.may_change { Task { snap_len: u32::MAX, ..task } } else { task };
                self.tap(config, link, &target, task, &interface)?;
            } else {
                self.attach_own(config, link, task, &interface)?;
            }
        }
        if config.direction.has_out() && !self.has(link, Direction::Outbound) {
            let attached = self.probe.attach_egress(link, task)?;
            self.push(link, attached, described(&interface, Some("sent frames".to_owned())), None);
        }
        Ok(())
    }

    /// Attaches to an interface without an XDP program.
    fn attach_own(
        &mut self,
        config: &config::Capture,
        link: &Link,
        task: Task<'_>,
        interface: &Interface,
    ) -> Result<(), Error> {
        match (config.at, &config.program) {
            (At::Entry, None) => {}
            (_, Some(_)) => return Err(Error::NoProgram(link.display_name())),
            (_, None) => return Err(Error::NoExit(link.display_name())),
        }
        let offloads = Offloads::of(link);
        let asked = config.adapter;
        let wanted = Metadata { time: asked.time != TimeStampType::Host, hash: asked.hash };
        probe::check_driver_tells(link, wanted)?;
        let time = Time::of(link, asked.time)?;
        // Most drivers stamp frames only after they were told to, and some reset the adapter then.
        let stamping = match time {
            Time::Host => None,
            Time::Adapter(_) => {
                Stamping::begin(link).map_err(|error| Error::Stamping(link.display_name(), error))?
            }
        };
        let attached = if asked.is_asked() {
            self.probe.attach_asking(link, wanted, task)?
        } else {
            self.probe.attach(link, config.mode, task)?
        };
        let disturbance = match attached.place {
            Place::Xdp(mode) => offloads.and_then(|offloads| offloads.changed(mode)),
            Place::Tcx | Place::Clsact => None,
        };
        self.push(link, attached, described(interface, time.description()), None);
        if let Some(source) = self.sources.last_mut() {
            (source.disturbance, source.stamping, source.time) = (disturbance, stamping, time);
        }
        Ok(())
    }

    /// Attaches beside the program that runs on the interface.
    fn tap(
        &mut self,
        &config::Capture { at, adapter: asked, .. }: &config::Capture,
        link: &Link,
        target: &Observed,
        task: Task<'_>,
        interface: &Interface,
    ) -> Result<(), Error> {
        if asked.is_asked() {
            return Err(Error::AdapterBeside(link.display_name(), target.program.to_string()));
        }
        if self.probe.has_mapped_rings() {
            return Err(Error::BesideNeedsPerf(link.display_name(), target.program.to_string()));
        }
        if at == At::Entry && task.selection.asks_for_verdict() {
            return Err(Error::NoVerdictYet(target.program.to_string()));
        }
        let points = match at {
            At::Entry => &[Point::Entry][..],
            At::Exit => &[Point::Exit],
            At::Both => &[Point::Entry, Point::Exit],
        };
        let attached = self.probe.tap(link, target, points, task)?;
        for (attached, point) in attached.into_iter().zip(points) {
            let interface = at_point(interface, &target.program, *point);
            self.push(link, attached, interface, Some((target.program.clone(), *point)));
        }
        Ok(())
    }

    fn push(
        &mut self,
        link: &Link,
        attached: Attached,
        interface: Interface,
        beside: Option<(Named, Point)>,
    ) {
        let link = link.clone();
        self.sources.push(Source {
            link,
            attached,
            interface,
            is_attached: true,
            beside,
            disturbance: None,
            stamping: None,
            time: Time::Host,
            promiscuous: None,
        });
    }

    fn has(&self, link: &Link, direction: Direction) -> bool {
        self.sources.iter().any(|source| {
            source.link.index == link.index
                && source.attached.place.direction() == direction
                && source.is_attached
        })
    }

    /// Checks that some frames can match what is to be selected from now on.
    pub fn check(&self, selections: &Selections) -> Result<(), Error> {
        let place = |source: &Source| match (&source.beside, source.attached.place.direction()) {
            (Some(_), _) => Here::AT_EXIT,
            (None, Direction::Inbound) => Here::RECEIVED,
            (None, _) => Here::SENT,
        };
        let attached = || self.sources.iter().filter(|source| source.is_attached);
        let can_match = |source: &Source| {
            let selection = selections.of(source.interface.link_type);
            selection.is_ok_and(|selection| selection.can_match(&[place(source)]))
        };
        match attached().next() {
            Some(first) if !attached().any(can_match) => {
                let mut places: Vec<_> = attached().map(place).collect();
                places.dedup();
                Err(Error::MatchesNothing(first.link.display_name(), kinds(&places)))
            }
            _ => Ok(()),
        }
    }

    /// Exchanges what is selected of the frames of a source, which is not interrupted by that. Returns what user space has to do
    /// of it; `None` if the source is not attached any more.
    ///
    /// Frames that are on their way already were selected by the program before, if it did that; what user space does is done
    /// with them too.
    pub fn exchange(
        &mut self,
        order: Order<'_>,
        number: u32,
        selections: &Selections,
    ) -> Result<Option<Selection>, Error> {
        let Some(source) = self.sources.get_mut(number as usize).filter(|source| source.is_attached) else {
            return Ok(None);
        };
        let not_for = |error: &selection::Error| Error::NotFor(source.link.display_name(), error.to_string());
        let selection = selections.of(source.interface.link_type).map_err(not_for)?;
        let left = match &source.beside {
            Some((program, Point::Entry)) if order.config.at == At::Entry && selection.asks_for_verdict() => {
                return Err(Error::NoVerdictYet(program.to_string()));
            }
            // It hands over every frame.
            Some(_) => selection.clone(),
            None => {
                let task = Task { snap_len: source.interface.snap_len, selection };
                let left = self.probe.select(number, task)?;
                // Frames on their way may not be filtered yet, if the program before did not do that.
                let was_left =
                    source.attached.left.filter.is_some() || source.attached.left.headers.is_some();
                if was_left && left.is_everything() {
                    Selection { one_in: None, ..selection.clone() }
                } else {
                    left
                }
            }
        };
        source.attached.left = left.clone();
        Ok(Some(left))
    }

    /// Whether a program is attached to any interface.
    pub fn is_attached(&self) -> bool {
        self.sources.iter().any(|source| source.is_attached)
    }

    /// Gives up a source whose interface or program is gone.
    pub fn release(&mut self, source: u32) {
        self.probe.release(source);
        if let Some(source) = self.sources.get_mut(source as usize) {
            source.end();
        }
    }

    /// Leaves all interfaces as they were before.
    pub fn detach(&mut self) {
        self.probe.detach();
        for source in &mut self.sources {
            source.end();
        }
    }

    fn because(mut self, reason: &str) -> Self {
        let kind = match self.rings {
            Rings::Perf(_) => "perf rings",
            Rings::Mapped(_) => "mapped rings",
        };
        self.explanation = Some(format!("frames come through {kind}: {reason}"));
        self
    }
}

fn through_ring(order: Order<'_>) -> Result<Connection, Error> {
    let online = cpus::online().map_err(transport::Error::Cpus)?;
    let lengths = Lengths::within(ring_share(order.config)?);
    let possible = cpus::possible();
    let there = online.last().map_or(1, |last| last + 1).min(possible);
    let (small_len, ring_len, value_len) = (lengths.small, lengths.large, lengths.value_len());
    let load = |cpus| Probe::load(RingLayout { cpus, small_len, ring_len, value_len });
    let (probe, cpus) = match cpus::with_spare(&online, possible) {
        // The kernel makes all of the memory at once; it may have none for CPUs that may come.
        more if more > there => {
            load(more).map(|probe| (probe, more)).or_else(|_| Ok::<_, Error>((load(there)?, there)))?
        }
        _ => (load(there)?, there),
    };
    let rings = mapped::Rings::open(probe.rings(), probe.events(), cpus, lengths, order.immediate)?;
    Connection::new(probe, Rings::Mapped(rings), order, ring::MAX_CAPTURE_LEN)
}

/// Size in bytes of the ring of each CPU.
fn ring_share(config: &config::Capture) -> Result<usize, Error> {
    let cpus = cpus::online().map_err(transport::Error::Cpus)?.len();
    Ok(cpus::share(config.buffer.unwrap_or_else(|| cpus::default_buffer(cpus)), cpus))
}

fn through_perf(order: Order<'_>) -> Result<Connection, Error> {
    let probe = Probe::load(RingLayout::without_rings(cpus::limit()))?;
    let rings = perf::Rings::open(probe.events(), order.config.buffer, order.immediate)?;
    Connection::new(probe, Rings::Perf(rings), order, MAX_CAPTURE_LEN)
}

/// Refuses an interface with another link type than the one that was asked for, before anything is attached to it.
pub fn check_link_type(link: &Link, wanted: Option<LinkType>) -> Result<(), Error> {
    let Some(wanted) = wanted else { return Ok(()) };
    match link.link_type()? {
        has if has == wanted => Ok(()),
        has => Err(Error::LinkType { interface: link.display_name(), wanted, has }),
    }
}

/// What frames that are captured at these places have in common, for a message.
fn kinds(places: &[Here]) -> String {
    let kind = |place: &Here| match *place {
        Here::RECEIVED => {
            "received ones, which xdpdump's own program passes (no other XDP program runs there)"
        }
        Here::SENT => "sent ones, which have neither a queue nor a verdict yet",
        _ => "received ones",
    };
    places.iter().map(kind).collect::<Vec<_>>().join(", and ")
}

/// The description of an interface at a point beside a program.
fn at_point(interface: &Interface, program: &Named, point: Point) -> Interface {
    let name = interface.name.clone().unwrap_or_default();
    let (name, place) = match point {
        Point::Entry => (name, "entry"),
        Point::Exit => (format!("{name}{EXIT}"), "exit"),
    };
    let place = format!("{place} of the XDP program {}", printable(program.to_string()));
    Interface { name: Some(name), ..described(interface, Some(place)) }
}

/// The interface with more in its description.
fn described(interface: &Interface, more: Option<String>) -> Interface {
    let description = match (&interface.description, more) {
        (Some(description), Some(more)) => Some(format!("{description}; {more}")),
        (description, more) => more.or_else(|| description.clone()),
    };
    Interface { description, ..interface.clone() }
}

/// The description of an interface, with the namespace that was chosen: there may be other interfaces of the same name.
fn describe(link: &Link, namespace: Option<&Namespace>) -> Result<Interface, Error> {
    let mut interface = link.describe()?;
    if let Some(namespace) = namespace {
        interface.description = Some(match interface.description {
            Some(description) => format!("{description} (in {namespace})"),
            None => format!("in {namespace}"),
        });
    }
    Ok(interface)
}
