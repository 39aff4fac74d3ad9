//! The tests' own network namespaces and packet source.
//!
//! They are files of the tests, included here rather than kept in a crate of both: they panic where a test should
//! fail, which is no manner for a library, and the workspace has no place for a fourth crate.
#![expect(dead_code, reason = "the tests use more of it")]
#![expect(
    clippy::unwrap_used,
    reason = "a failed set-up is a failed test, and here the end of the benchmark"
)]

#[path = "../../../xdpdump/tests/support/bpf.rs"]
pub mod bpf;
#[path = "../../../xdpdump/tests/support/generator.rs"]
pub mod generator;
#[path = "../../../xdpdump/tests/support/kernel.rs"]
pub mod kernel;
#[path = "../../../xdpdump/tests/support/netns.rs"]
pub mod netns;
#[path = "../../../xdpdump/tests/support/wire.rs"]
pub mod wire;
#[path = "../../../xdpdump/tests/support/xdp.rs"]
pub mod xdp;
