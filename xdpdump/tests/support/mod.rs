<<<<<<< HEAD
//! What tests on a real kernel share.
#![allow(dead_code, reason = "every test target uses another part of it")]
#![allow(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

pub mod netns;
pub mod xdp;
=======
//! What the tests of the text output share: frames, fixture files and a reader for them.

pub mod build;
pub mod capture;
pub mod frames;
>>>>>>> decode
