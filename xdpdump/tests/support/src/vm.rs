//! The virtual machine of `cargo xtask vm-test`, in which tests may change the whole machine.

use std::{env, fs};

/// Returns only inside that virtual machine.
///
/// # Panics
/// Outside the virtual machine.
pub fn required() {
    assert_eq!(
        env::var("XDPDUMP_VM").as_deref(),
        Ok("1"),
        "this test changes the whole machine and is for a virtual one: run `cargo xtask vm-test`"
    );
}

/// Writes a file of sysfs, debugfs or the like.
///
/// # Panics
/// Outside the virtual machine, or when the kernel refuses.
pub fn write(path: &str, content: &str) {
    required();
    fs::write(path, content).unwrap_or_else(|error| panic!("cannot write {content:?} to {path}: {error}"));
}
