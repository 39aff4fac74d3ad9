//! Puts the program on the interface, with rings behind it: by the fastest way there is.

use xdpdump_ebpf::{MAX_CAPTURE_LEN, ring};

use super::Error;
use crate::{
    config, cpus,
    interface::{Link, Promiscuous, XdpMode},
    packet::Interface,
    probe::{Attached, Probe, RingLayout},
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

/// Attaches as the configuration says, with every frame shown at once if `immediate`. Where the configuration leaves the kind of
/// rings open, it is mapped rings if the kernel has them.
pub fn connect(config: &config::Capture, immediate: bool, link: &Link) -> Result<Connection, Error> {
    let on_the_nic = config.mode == Some(XdpMode::Offload);
    match config.rings {
        Some(RingKind::Mapped) if on_the_nic => Err(Error::RingOnNic),
        Some(RingKind::Mapped) => through_ring(config, immediate, link).map_err(Error::without_mapped_rings),
        Some(RingKind::Perf) => through_perf(config, immediate, link),
        None if on_the_nic => {
            Ok(through_perf(config, immediate, link)?.because("a NIC writes to nothing else"))
        }
        None if ring_share(config)? > mapped::MAX_RING_LEN => {
            Ok(through_perf(config, immediate, link)?
                .because("mapped rings have at most 256 MiB for each CPU"))
        }
        None => match through_ring(config, immediate, link).map_err(Error::without_mapped_rings) {
            // What is wrong with the interface is wrong for both.
            Err(reason @ Error::NoMappedRings(_)) => {
                Ok(through_perf(config, immediate, link)?.because(&reason.to_string()))
            }
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

fn through_ring(config: &config::Capture, immediate: bool, link: &Link) -> Result<Connection, Error> {
    let online = cpus::online().map_err(transport::Error::Cpus)?;
    let ring_len = mapped::ring_len(ring_share(config)?);
    let cpus = online.last().map_or(1, |last| last + 1);
    let mut probe = Probe::load(RingLayout { cpus, ring_len, value_len: mapped::value_len(ring_len) })?;
    let rings = mapped::Rings::open(probe.rings(), probe.events(), cpus, ring_len, immediate)?;
    let snap_len = config.snap_len.min(ring::MAX_CAPTURE_LEN);
    let sources = vec![attach(&mut probe, link, config.mode, snap_len)?];
    Ok(Connection { probe, rings: Rings::Mapped(rings), sources, explanation: None })
}

/// Bytes for the ring of each CPU.
fn ring_share(config: &config::Capture) -> Result<usize, Error> {
    let cpus = cpus::online().map_err(transport::Error::Cpus)?.len();
    Ok(cpus::share(config.buffer.unwrap_or_else(|| cpus::default_buffer(cpus)), cpus))
}

fn through_perf(config: &config::Capture, immediate: bool, link: &Link) -> Result<Connection, Error> {
    let layout = RingLayout { cpus: cpus::limit(), ring_len: 0, value_len: size_of::<ring::Control>() };
    let mut probe = Probe::load(layout)?;
    let rings = perf::Rings::open(probe.events(), config.buffer, immediate)?;
    let snap_len = config.snap_len.min(MAX_CAPTURE_LEN);
    let sources = vec![attach(&mut probe, link, config.mode, snap_len)?];
    Ok(Connection { probe, rings: Rings::Perf(rings), sources, explanation: None })
}

fn attach(probe: &mut Probe, link: &Link, mode: Option<XdpMode>, snap_len: u32) -> Result<Source, Error> {
    let interface = Interface { snap_len, ..link.describe()? };
    let attached = probe.attach(link, mode, snap_len)?;
    Ok(Source { link: link.clone(), attached, interface, promiscuous: None })
}
