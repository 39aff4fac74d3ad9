//! Adds up the results of test binaries.

use std::fmt;
use std::ops::AddAssign;

/// A test that cannot run on this machine prints this, followed by the reason.
const SKIPPED: &str = "SKIPPED: ";

/// Numbers of tests by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed, and test binaries that ended without a result.
    pub failed: usize,
    /// Tests marked `#[ignore]`, tests that printed that they are skipped, and tests that could not be run on this machine.
    pub skipped: usize,
    /// Tests that printed that they are skipped; the binary's last line counts them as passed.
    said_skipped: usize,
}

impl Tally {
    /// Processes a line of a test binary's output; returns true for the last line, which has the results.
    pub fn line(&mut self, text: &str) -> bool {
        if text.contains(SKIPPED) {
            self.said_skipped += 1;
        }
        let Some(results) = Self::parse(text) else { return false };
        let said_skipped = std::mem::take(&mut self.said_skipped);
        self.passed += results.passed.saturating_sub(said_skipped);
        self.failed += results.failed;
        self.skipped += results.skipped + said_skipped;
        true
    }

    /// Parses libtest's last line, `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn parse(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |what: &str| {
            let field = counts.split("; ").find_map(|field| field.strip_suffix(what))?;
            field.trim().parse().ok()
        };
        let (passed, failed) = (count(" passed")?, count(" failed")?);
        Some(Self { passed, failed, skipped: count(" ignored")?, said_skipped: 0 })
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    /// The tally of some lines, as text.
    fn tally(lines: &[&str]) -> String {
        let mut tally = Tally::default();
        for line in lines {
            tally.line(line);
        }
        tally.to_string()
    }

    #[test]
    fn result_lines_add_up() {
        let lines = [
            "test result: ok. 6 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 1.20s",
        ];
        assert_eq!(tally(&lines), "16 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn a_test_that_says_it_was_skipped_did_not_pass() {
        let lines = [
            "test on_real_time ... SKIPPED: this kernel is not a real-time one",
            "ok",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ];
        assert_eq!(tally(&lines), "2 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn other_lines_are_ignored() {
        for line in ["", "running 6 tests", "test result: ", "test result: ok. x passed; 0 failed; 0 ignored"]
        {
            assert!(!Tally::default().line(line), "{line}");
        }
    }
}
