//! Attaches the program to the interface and sets up its rings, of the fastest kind that works.

use xdpdump_ebpf::{MAX_CAPTURE_LEN, ring};

use super::Error;
use crate::{
    config, cpus,
    interface::{Link, Promiscuous, XdpMode},
    packet::Interface,
    probe::{Attached, Probe, RingLayout, Task},
    selection::Selection,
    transport::{self, RingKind, Rings, mapped, perf},
};

/// Attached programs and the rings that they write to.
pub struct Connection {
    pub probe: Probe,
    pub rings: Rings,
    /// Ordered by source number.
    pub sources: Vec<Source>,
    /// Which kind of rings is used, and why.
    pub explanation: Option<String>,
}

/// An interface at a capture point.
pub struct Source {
    pub link: Link,
    pub attached: Attached,
    /// Its description for a capture file.
    pub interface: Interface,
    /// Keeps the interface in promiscuous mode, if that is wanted; the kernel ends it when the process ends.
    pub promiscuous: Option<Promiscuous>,
}

/// What to capture, where and how.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub config: &'a config::Capture,
    pub link: &'a Link,
    pub selection: &'a Selection,
    /// Whether to show every frame at once.
    pub immediate: bool,
}

/// Attaches as the configuration says. If it does not name a transport, tries mapped rings first.
pub fn connect(order: Order<'_>) -> Result<Connection, Error> {
    let on_the_nic = order.config.mode == Some(XdpMode::Offload);
    match order.config.rings {
        Some(RingKind::Mapped) if on_the_nic => Err(Error::RingOnNic),
        Some(RingKind::Mapped) => through_ring(order).map_err(Error::without_mapped_rings),
        Some(RingKind::Perf) => through_perf(order),
        None if on_the_nic => Ok(through_perf(order)?.because("a program on a NIC supports no other kind")),
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
    let ring_len = mapped::ring_len(ring_share(order.config)?);
    let possible = cpus::possible();
    let there = online.last().map_or(1, |last| last + 1).min(possible);
    let load = |cpus| Probe::load(RingLayout { cpus, ring_len, value_len: mapped::value_len(ring_len) });
    let (mut probe, cpus) = match cpus::with_spare(&online, possible) {
        // The kernel makes all of the memory at once; it may have none for CPUs that may come.
        more if more > there => {
            load(more).map(|probe| (probe, more)).or_else(|_| Ok::<_, Error>((load(there)?, there)))?
        }
        _ => (load(there)?, there),
    };
    let rings = mapped::Rings::open(probe.rings(), probe.events(), cpus, ring_len, order.immediate)?;
    let sources = vec![attach(&mut probe, order, ring::MAX_CAPTURE_LEN)?];
    Ok(Connection { probe, rings: Rings::Mapped(rings), sources, explanation: None })
}

/// Size in bytes of the ring of each CPU.
fn ring_share(config: &config::Capture) -> Result<usize, Error> {
    let cpus = cpus::online().map_err(transport::Error::Cpus)?.len();
    Ok(cpus::share(config.buffer.unwrap_or_else(|| cpus::default_buffer(cpus)), cpus))
}

fn through_perf(order: Order<'_>) -> Result<Connection, Error> {
    let layout = RingLayout { cpus: cpus::limit(), ring_len: 0, value_len: size_of::<ring::Control>() };
    let mut probe = Probe::load(layout)?;
    let rings = perf::Rings::open(probe.events(), order.config.buffer, order.immediate)?;
    let sources = vec![attach(&mut probe, order, MAX_CAPTURE_LEN)?];
    Ok(Connection { probe, rings: Rings::Perf(rings), sources, explanation: None })
}

/// `longest` is the most bytes of a frame that the transport carries.
fn attach(probe: &mut Probe, order: Order<'_>, longest: u32) -> Result<Source, Error> {
    let Order { config, link, selection, .. } = order;
    let snap_len = config.snap_len.min(longest);
    let filter = selection.filter_text();
    let interface = Interface { snap_len, filter, ..link.describe()? };
    let attached = probe.attach(link, config.mode, Task { snap_len, selection })?;
    Ok(Source { link: link.clone(), attached, interface, promiscuous: None })
}
