//! Raw system calls, and what the kernel tells of itself: all that rustix does not offer as a safe function.
//!
//! The modules here know nothing of captures; whoever calls them needs no `unsafe`.

pub mod affinity;
pub mod clock;
pub mod ethtool;
pub mod kernel;
pub mod packet_socket;
pub mod signal;
