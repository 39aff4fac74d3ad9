//! For tests that cannot run on every machine.

use std::io::{self, Write};

/// Prints that a test is skipped and why; the test then has to return. `cargo xtask test` counts it, and fails in CI.
pub fn because(reason: &str) {
    // The test harness hides the output of print! if the test passes, so write to standard output directly.
    let _ = writeln!(io::stdout().lock(), "SKIPPED: {reason}");
}
