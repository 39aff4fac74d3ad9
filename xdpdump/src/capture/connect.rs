//! Puts the program on the interface, with rings behind it: by the fastest way there is.

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

/// Attached programs and what they write to.
pub struct Connection {
    pub probe: Probe,
    pub rings: Rings,
    /// In the order of their numbers.
    pub sources: Vec<Source>,
    /// Which way frames take, and why.
    pub explanation: Option<String>,
}

/// An interface at a capture point.
pub struct Source {
    pub link: Link,
    pub attached: Attached,
    /// What a capture file says of it.
    pub interface: Interface,
    /// Held for as long as frames for other stations are wanted; the kernel takes it back when the process ends.
    pub promiscuous: Option<Promiscuous>,
}

/// What is to be captured, where and how.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub config: &'a config::Capture,
    pub link: &'a Link,
    pub selection: &'a Selection,
    /// Whether every frame is to be shown at once.
    pub immediate: bool,
}

/// Attaches as the configuration says; where it leaves the transport open, by the mapped ring if the kernel can.
pub fn connect(order: Order<'_>) -> Result<Connection, Error> {
    let on_the_nic = order.config.mode == Some(XdpMode::Offload);
    match order.config.rings {
        Some(RingKind::Mapped) if on_the_nic => Err(Error::RingOnNic),
        Some(RingKind::Mapped) => through_ring(order).map_err(Error::without_mapped_rings),
        Some(RingKind::Perf) => through_perf(order),
        None if on_the_nic => Ok(through_perf(order)?.because("a NIC writes to nothing else")),
        None if ring_share(order.config)? > mapped::MAX_RING_LEN => {
            Ok(through_perf(order)?.because("mapped rings have at most 256 MiB for each CPU"))
        }
        None => match through_ring(order).map_err(Error::without_mapped_rings) {
            // What is wrong with the interface is wrong for both.
            Err(reason @ Error::NoMappedRings(_)) => Ok(through_perf(order)?.because(&reason.to_string())),
            result => Ok(result?.because("the fastest this kernel has")),
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

/// Bytes for the ring of each CPU.
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

/// `longest` is what the transport carries of a frame.
fn attach(probe: &mut Probe, order: Order<'_>, longest: u32) -> Result<Source, Error> {
    let Order { config, link, selection, .. } = order;
    let snap_len = config.snap_len.min(longest);
    let filter = selection.filter.as_ref().map(|filter| filter.text().to_owned());
    let interface = Interface { snap_len, filter, ..link.describe()? };
    let attached = probe.attach(link, config.mode, Task { snap_len, selection })?;
    Ok(Source { link: link.clone(), attached, interface, promiscuous: None })
}
