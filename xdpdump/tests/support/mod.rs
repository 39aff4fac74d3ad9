//! What tests on a real kernel share.
#![allow(dead_code, reason = "every test target uses another part of it")]
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

pub mod netns;
pub mod xdp;
