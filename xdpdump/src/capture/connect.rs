//! Puts the program on the interface, with rings behind it: by the fastest way there is.

use xdpdump_ebpf::{MAX_CAPTURE_LEN, ring};

use super::Error;
use crate::{
    config, cpus,
    interface::{Link, XdpMode},
    probe::{Attached, Probe, RingMemory},
    transport::{self, Rings, Transport, mapped, perf},
};

/// An attached program and what it writes to.
pub struct Connection {
    pub probe: Probe,
    pub rings: Rings,
    pub attached: Attached,
    /// Most bytes that are captured of a frame.
    pub snap_len: u32,
    /// Which way frames take, and why.
    pub explanation: Option<String>,
}

/// Attaches as the configuration says; where it leaves the transport open, by the mapped ring if the kernel can.
pub fn connect(config: &config::Capture, link: &Link) -> Result<Connection, Error> {
    let on_the_nic = config.mode == Some(XdpMode::Offload);
    match config.transport {
        Some(Transport::Mapped) if on_the_nic => Err(Error::RingOnNic),
        Some(Transport::Mapped) => through_ring(config, link).map_err(Error::without_mapped_rings),
        Some(Transport::Perf) => through_perf(config, link),
        None if on_the_nic => Ok(through_perf(config, link)?.because("a NIC writes to nothing else")),
        None if ring_share(config)? > mapped::MAX_RING_LEN => {
            Ok(through_perf(config, link)?.because("mapped rings have at most 256 MiB for each CPU"))
        }
        None => match through_ring(config, link).map_err(Error::without_mapped_rings) {
            // What is wrong with the interface is wrong for both.
            Err(reason @ Error::NoMappedRings(_)) => {
                Ok(through_perf(config, link)?.because(&reason.to_string()))
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

fn through_ring(config: &config::Capture, link: &Link) -> Result<Connection, Error> {
    let online = cpus::online().map_err(transport::Error::Cpus)?;
    let ring_len = mapped::ring_len(ring_share(config)?);
    let memory = RingMemory {
        cpus: online.last().map_or(1, |last| last + 1),
        ring_len,
        value_len: mapped::value_len(ring_len),
    };
    let snap_len = config.snap_len.min(ring::MAX_CAPTURE_LEN);
    let mut probe = Probe::load(snap_len, Some(memory))?;
    let rings = Rings::Mapped(mapped::Rings::open(&probe, ring_len, config.immediate)?);
    let attached = probe.attach(link, config.mode)?;
    Ok(Connection { probe, rings, attached, snap_len, explanation: None })
}

/// Bytes for the ring of each CPU.
fn ring_share(config: &config::Capture) -> Result<usize, Error> {
    let cpus = cpus::online().map_err(transport::Error::Cpus)?.len();
    Ok(cpus::share(config.buffer.unwrap_or_else(|| cpus::default_buffer(cpus)), cpus))
}

fn through_perf(config: &config::Capture, link: &Link) -> Result<Connection, Error> {
    let snap_len = config.snap_len.min(MAX_CAPTURE_LEN);
    let mut probe = Probe::load(snap_len, None)?;
    let rings = Rings::Perf(perf::Rings::open(&probe, config.buffer, config.immediate)?);
    let attached = probe.attach(link, config.mode)?;
    Ok(Connection { probe, rings, attached, snap_len, explanation: None })
}
