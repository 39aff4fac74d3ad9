//! What the tests of the text output share: frames, fixture files and a reader for them.

pub mod build;
pub mod capture;
pub mod frames;
