//! Programs and rings without the rest of a capture.

use xdpdump::{
    cpus,
    probe::{Probe, RingLayout},
    transport::{Rings, mapped, perf},
};
use xdpdump_ebpf::ring::Control;

/// Creates rings of one kind, `"ring"` or `"perf"`, of about so many bytes for each CPU, and the maps of the programs that write
/// to them.
pub fn with(transport: &str, bytes: usize, immediate: bool) -> (Probe, Rings) {
    let cpus = cpus::online().unwrap().last().unwrap() + 1;
    let ring_len = if transport == "ring" { mapped::ring_len(bytes) } else { 0 };
    let value_len = if ring_len == 0 { size_of::<Control>() } else { mapped::value_len(ring_len) };
    let probe = Probe::load(RingLayout { cpus, ring_len, value_len }).unwrap();
    let rings = if ring_len == 0 {
        Rings::Perf(
            perf::Rings::open(probe.events(), Some(bytes as u64 * u64::from(cpus)), immediate).unwrap(),
        )
    } else {
        let (rings, events) = (probe.rings(), probe.events());
        Rings::Mapped(mapped::Rings::open(rings, events, cpus, ring_len, immediate).unwrap())
    };
    (probe, rings)
}
