//! Programs and rings without the rest of a capture.

use xdpdump::{
    cpus,
    probe::{Probe, RingLayout},
    transport::{
        Rings,
        mapped::{self, Lengths},
        perf,
    },
};

/// Creates rings of one kind, `"ring"` or `"perf"`, of about so many bytes for each CPU, and the maps of the programs that write
/// to them.
pub fn with(transport: &str, bytes: usize, immediate: bool) -> (Probe, Rings) {
    let cpus = cpus::online().unwrap().last().unwrap() + 1;
    if transport != "ring" {
        let probe = Probe::load(RingLayout::without_rings(cpus)).unwrap();
        let bytes = Some(bytes as u64 * u64::from(cpus));
        let rings = Rings::Perf(perf::Rings::open(probe.events(), bytes, immediate).unwrap());
        return (probe, rings);
    }
    let lengths = Lengths::within(bytes);
    let (small_len, ring_len, value_len) = (lengths.small, lengths.large, lengths.value_len());
    let probe = Probe::load(RingLayout { cpus, small_len, ring_len, value_len }).unwrap();
    let rings = mapped::Rings::open(probe.rings(), probe.events(), cpus, lengths, immediate).unwrap();
    (probe, Rings::Mapped(rings))
}
