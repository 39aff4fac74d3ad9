//! Tests that cannot do their work on every machine.

use std::io::{self, Write};

/// Says that a test is skipped and why, for the test to return then: `cargo xtask test` counts it, and fails in CI.
pub fn because(reason: &str) {
    // What print! prints, the test harness keeps to itself when the test passes.
    let _ = writeln!(io::stdout().lock(), "SKIPPED: {reason}");
}
