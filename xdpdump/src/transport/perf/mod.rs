//! Per-CPU perf rings: the transport every kernel and an offloading NIC has.

mod event_open;
mod pulse;
mod ring;
mod rings;
pub mod walk;

pub use event_open::{Mapping, Wakeup, open as open_event};
pub use pulse::Pulse;
pub use ring::{Batch, Ring, data_size};
pub use rings::Rings;
