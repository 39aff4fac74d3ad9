//! Raw system calls, memory shared with the kernel, and facts about the kernel: everything that neither the standard
//! library nor rustix nor aya offers as a safe function.
//!
//! The modules here do not depend on the rest of the crate.

pub mod affinity;
pub mod bpf;
pub mod clock;
pub mod ethtool;
pub mod inherited;
pub mod kernel;
pub mod local_time;
pub mod mapping;
pub mod nonblocking;
pub mod packet_socket;
pub mod perf_event;
pub mod poll;
pub mod program;
pub mod ptp;
pub mod shared_page;
pub mod signal;
