//! What tests on a real kernel share.
#![allow(dead_code, reason = "every test target uses another part of it")]

pub mod netns;
pub mod xdp;
