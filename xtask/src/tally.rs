//! Adding up what test binaries report.

use std::fmt;
use std::ops::AddAssign;

/// Numbers of tests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed, and binaries that died before they could tell.
    pub failed: usize,
    /// Tests marked `#[ignore]` and tests that could not be run here.
    pub skipped: usize,
}

impl Tally {
    /// The numbers in libtest's last line, `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    pub fn parse(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |what: &str| {
            let field = counts.split("; ").find_map(|field| field.strip_suffix(what))?;
            field.trim().parse().ok()
        };
        Some(Self { passed: count(" passed")?, failed: count(" failed")?, skipped: count(" ignored")? })
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

    #[test]
    fn result_lines_add_up() {
        let mut sum = Tally::default();
        for line in [
            "test result: ok. 6 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 1.20s",
        ] {
            sum += Tally::parse(line).unwrap();
        }
        assert_eq!(sum, Tally { passed: 16, failed: 2, skipped: 1 });
        assert_eq!(sum.to_string(), "16 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn other_lines_are_none() {
        for line in ["", "running 6 tests", "test result: ", "test result: ok. x passed; 0 failed; 0 ignored"]
        {
            assert_eq!(Tally::parse(line), None, "{line}");
        }
    }
}
