//! Turns the output of virtual machines into results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::tally::Tally;

/// The results of one kernel.
#[derive(Debug, Default)]
pub struct Results {
    /// The kernel's release, as `uname -r` printed it.
    pub release: Option<String>,
    /// The kernel's capabilities for captures, each with `yes` or the reason why it is missing.
    pub capabilities: Vec<(String, String)>,
    /// The results of each test binary.
    pub binaries: BTreeMap<String, Outcome>,
    /// Whether the machine ran all tests.
    pub complete: bool,
    running: Option<String>,
}

/// The results of one test binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The numbers of its tests by result.
    pub tally: Tally,
    /// Whether it ran to its end.
    ended: bool,
}

/// The meaning of a line from a machine.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// The result of a test: its binary and name, and the result.
    Test(String, String),
    /// A detail of a failure.
    Detail,
    /// A line that is not interesting for the user.
    Mark,
}

impl Results {
    /// Processes a line.
    pub fn line(&mut self, text: &str) -> Line {
        if let Some(mark) = text.strip_prefix("vm: ") {
            return self.mark(mark);
        }
        let Some(target) = &self.running else { return Line::Detail };
        let outcome = self.binaries.entry(target.clone()).or_default();
        if outcome.tally.line(text) {
            return Line::Mark;
        }
        if let Some((name, result)) = text.strip_prefix("test ").and_then(|text| text.split_once(" ... ")) {
            return Line::Test(format!("{target}::{name}"), result.to_owned());
        }
        if text.is_empty() || text.starts_with("running ") { Line::Mark } else { Line::Detail }
    }

    fn mark(&mut self, mark: &str) -> Line {
        if let Some((name, answer)) = mark.strip_prefix("can ").and_then(|line| line.split_once(": ")) {
            self.capabilities.push((name.to_owned(), answer.to_owned()));
            return Line::Mark;
        }
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
                        format!("FAILED with status {status} before it printed its results"),
                    );
                }
            }
            ["done"] => self.complete = true,
            _ => return Line::Detail,
        }
        Line::Mark
    }

    /// All tests together; a machine or a binary that did not run to its end counts as a failed test.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for outcome in self.binaries.values() {
            tally += outcome.tally;
        }
        if !self.is_success() && tally.failed == 0 {
            tally.failed = 1;
        }
        tally
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
        let Tally { passed, failed, skipped, .. } = self.tally;
        match (self.ended, failed) {
            (true, 0) if skipped > 0 => write!(f, "{passed} passed, {skipped} skipped"),
            (true, 0) => write!(f, "{passed} passed"),
            (true, _) => write!(f, "{failed} FAILED of {}", passed + failed),
            (false, _) => f.write_str("no end"),
        }
    }
}

/// A Markdown table that is also readable as text: a column for each kernel; a row for each capability, then one for each
/// test binary with its `title`. Reasons follow below the table.
pub fn table(kernels: &[(&str, Results)], title: impl Fn(&str) -> String) -> String {
    let mut reasons = Vec::new();
    let mut rows = vec![row("", kernels, |(name, _)| (*name).to_owned())];
    rows.push(row("", kernels, |_| String::new()));
    rows.push(row("Release", kernels, |(_, results)| {
        results.release.clone().unwrap_or_else(|| "did not run".to_owned())
    }));
    let capabilities = kernels.iter().map(|(_, results)| &results.capabilities);
    for (capability, _) in capabilities.max_by_key(|list| list.len()).into_iter().flatten() {
        rows.push(row(capability, kernels, |(_, results)| {
            let answer = results.capabilities.iter().find(|(name, _)| name == capability);
            match answer.map(|(_, answer)| answer.as_str()) {
                None => "-".to_owned(),
                Some("yes") => "yes".to_owned(),
                Some(reason) => format!("no ({})", numbered(&mut reasons, reason)),
            }
        }));
    }
    let binaries: BTreeSet<&String> =
        kernels.iter().flat_map(|(_, results)| results.binaries.keys()).collect();
    for binary in binaries {
        rows.push(row(&title(binary), kernels, |(_, results)| {
            results.binaries.get(binary).map_or_else(|| "-".to_owned(), Outcome::to_string)
        }));
    }
    let mut text = aligned(rows);
    for (number, reason) in (1..).zip(&reasons) {
        text.push_str(&format!("\n({number}) {reason}\n"));
    }
    text
}

/// One row of the table.
fn row(
    title: &str,
    kernels: &[(&str, Results)],
    cell: impl FnMut(&(&str, Results)) -> String,
) -> Vec<String> {
    [title.to_owned()].into_iter().chain(kernels.iter().map(cell)).collect()
}

/// The number of a reason; equal reasons have the same number.
fn numbered(reasons: &mut Vec<String>, reason: &str) -> usize {
    let place = reasons.iter().position(|known| known == reason).unwrap_or_else(|| {
        reasons.push(reason.to_owned());
        reasons.len() - 1
    });
    place + 1
}

/// The rows as text with aligned columns; the second one becomes the line below the header.
fn aligned(mut rows: Vec<Vec<String>>) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0))
        .collect();
    if let Some(rule) = rows.get_mut(1) {
        *rule = widths.iter().map(|width| "-".repeat((*width).max(3))).collect();
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("| {cell:width$} "));
        cells.chain(["|\n".to_owned()]).collect::<String>()
    };
    rows.iter().map(line).collect()
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
    fn kernels_are_columns_and_reasons_are_below() {
        let run = |release: &str, mapped: &str| {
            results(&[
                &format!("vm: kernel {release}"),
                "vm: begin kernel_x",
                OK,
                "vm: end kernel_x 0",
                &format!("vm: can Mapped rings: {mapped}"),
                "vm: done",
            ])
        };
        let expected = "\
            |              | 5.10     | 6.12       | 6.1         |\n\
            | ------------ | -------- | ---------- | ----------- |\n\
            | Release      | 5.10.1   | 6.12.1-amd | did not run |\n\
            | Mapped rings | no (1)   | yes        | -           |\n\
            | of kernel_x  | 3 passed | 3 passed   | -           |\n\
            \n(1) too: old\n";
        let kernels = [
            ("5.10", run("5.10.1", "too: old")),
            ("6.12", run("6.12.1-amd", "yes")),
            ("6.1", Results::default()),
        ];
        assert_eq!(table(&kernels, |binary| format!("of {binary}")), expected);
    }
}
