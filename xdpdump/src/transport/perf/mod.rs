//! Per-CPU perf rings: the transport every kernel and an offloading NIC has.

mod memory;
mod pulse;
mod ring;
mod rings;
pub mod walk;

pub use memory::RingMemory;
pub use pulse::Pulse;
pub use ring::{Batch, Ring, data_size};
pub use rings::Rings;
