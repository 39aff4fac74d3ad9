//! Per-CPU memory that the kernel program writes in place and user space maps: no copy and no system call on the way to
//! a pcapng file but `write(2)` itself.

pub mod block;
mod memory;
mod protocol;
mod ring;
mod rings;

pub use memory::value_len;
pub use rings::{MAX_RING_LEN, Rings, ring_len};
