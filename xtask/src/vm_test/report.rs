//! What the virtual machines say, as results.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::tally::Tally;

/// The results of one kernel.
#[derive(Debug, Default)]
pub struct Results {
    /// What `uname -r` said.
    pub release: Option<String>,
    /// What each test binary said, and whether it came to its end.
    pub binaries: BTreeMap<String, Outcome>,
    /// Whether the machine came to the end of the tests.
    pub complete: bool,
    running: Option<String>,
}

/// The results of one test binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Its tests.
    pub tally: Tally,
    /// Whether it came to its end.
    ended: bool,
}

/// What to do with a line from a machine.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A test's result: its binary and name, and what came of it.
    Test(String, String),
    /// A detail of a failure.
    Detail,
    /// Of no interest to a person.
    Mark,
}

impl Results {
    /// Takes in a line.
    pub fn line(&mut self, text: &str) -> Line {
        if let Some(mark) = text.strip_prefix("vm: ") {
            return self.mark(mark);
        }
        let Some(target) = &self.running else { return Line::Detail };
        let outcome = self.binaries.entry(target.clone()).or_default();
        if let Some(tally) = Tally::parse(text) {
            outcome.tally += tally;
            return Line::Mark;
        }
        if let Some((name, result)) = text.strip_prefix("test ").and_then(|text| text.split_once(" ... ")) {
            return Line::Test(format!("{target}::{name}"), result.to_owned());
        }
        if text.is_empty() || text.starts_with("running ") { Line::Mark } else { Line::Detail }
    }

    fn mark(&mut self, mark: &str) -> Line {
        match mark.split(' ').collect::<Vec<_>>()[..] {
            ["kernel", release] => self.release = Some(release.to_owned()),
            ["begin", target] => {
                self.running = Some(target.to_owned());
                self.binaries.insert(target.to_owned(), Outcome::default());
            }
            ["end", target, status] => {
                let outcome = self.binaries.entry(target.to_owned()).or_default();
                outcome.ended = true;
                if status != "0" && outcome.tally.failed == 0 {
                    outcome.tally.failed = 1;
                    return Line::Test(
                        target.to_owned(),
                        format!("FAILED with status {status} before it could tell a result"),
                    );
                }
            }
            ["done"] => self.complete = true,
            _ => return Line::Detail,
        }
        Line::Mark
    }

    /// Whether every test passed.
    pub fn is_success(&self) -> bool {
        self.complete && self.binaries.values().all(Outcome::is_success)
    }
}

impl Outcome {
    fn is_success(&self) -> bool {
        self.ended && self.tally.failed == 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { passed, failed, .. } = self.tally;
        match (self.ended, failed) {
            (true, 0) => write!(f, "{passed} passed"),
            (true, _) => write!(f, "{failed} FAILED of {}", passed + failed),
            (false, _) => f.write_str("no end"),
        }
    }
}

/// A table for people and for Markdown: a line for each kernel, a column for each test binary.
pub fn table(kernels: &[(&str, Results)]) -> String {
    let columns: std::collections::BTreeSet<&String> =
        kernels.iter().flat_map(|(_, results)| results.binaries.keys()).collect();
    let mut rows = vec![vec!["kernel".to_owned(), "release".to_owned()]];
    rows[0].extend(columns.iter().map(|column| (*column).clone()));
    for (name, results) in kernels {
        let release = results.release.clone().unwrap_or_else(|| "did not run".to_owned());
        let mut row = vec![(*name).to_owned(), release];
        row.extend(
            columns.iter().map(|column| {
                results.binaries.get(*column).map_or_else(|| "-".to_owned(), Outcome::to_string)
            }),
        );
        rows.push(row);
    }
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0))
        .collect();
    rows.insert(1, widths.iter().map(|width| "-".repeat(*width)).collect());
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string does not fail.
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(lines: &[&str]) -> Results {
        let mut results = Results::default();
        for line in lines {
            results.line(line);
        }
        results
    }

    const OK: &str =
        "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s";

    #[test]
    fn a_run_to_the_end_with_passing_tests_is_a_success() {
        let good = ["vm: kernel 6.12", "vm: begin kernel_x", OK, "vm: end kernel_x 0", "vm: done"];
        assert!(results(&good).is_success());
        assert_eq!(results(&good).binaries["kernel_x"].to_string(), "3 passed");
        for missing in [3, 4] {
            let mut lines = good.to_vec();
            lines.remove(missing);
            assert!(!results(&lines).is_success(), "without {}", good[missing]);
        }
    }

    #[test]
    fn a_binary_that_dies_is_a_failure() {
        let dead = results(&["vm: begin kernel_x", "running 3 tests", "vm: end kernel_x 139", "vm: done"]);
        assert!(!dead.is_success());
        assert_eq!(dead.binaries["kernel_x"].to_string(), "1 FAILED of 1");
    }

    #[test]
    fn lines_of_tests_are_told_from_details() {
        let mut results = results(&["vm: begin kernel_x"]);
        let expected = Line::Test("kernel_x::a_test".to_owned(), "ok".to_owned());
        assert_eq!(results.line("test a_test ... ok"), expected);
        assert_eq!(results.line("thread 'a_test' panicked at x.rs:1:2:"), Line::Detail);
        assert_eq!(results.line("running 3 tests"), Line::Mark);
    }

    #[test]
    fn kernels_are_lines_and_binaries_columns() {
        let good =
            results(&["vm: kernel 6.12.1-amd64", "vm: begin kernel_x", OK, "vm: end kernel_x 0", "vm: done"]);
        let expected = "| kernel | release      | kernel_x |\n\
                        | ------ | ------------ | -------- |\n\
                        | 6.12   | 6.12.1-amd64 | 3 passed |\n\
                        | 6.1    | did not run  | -        |\n";
        assert_eq!(table(&[("6.12", good), ("6.1", Results::default())]), expected);
    }
}
