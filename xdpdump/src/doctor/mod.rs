//! `xdpdump doctor`: what is wrong with a machine for captures, before one fails on it.
//!
//! Nothing is changed and nothing is attached: what can be tried is tried by loading programs, which are gone at once. Whatever
//! cannot be seen, for want of privileges or because `/proc` or `/sys` is missing, is a finding of its own and no failure.

mod installation;
mod interface;
mod json;
mod kernel;
mod memory;
mod privileges;
mod queues;
mod text;

use rustix::process::geteuid;

use crate::{config, interface::Link, printable::printable};

/// How good or bad a finding is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It could not be seen.
    Unknown,
    /// Captures work, and lack something or cost more.
    Warning,
    /// A capture would not work.
    Failure,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Kernel,
    Privileges,
    Memory,
    Installation,
    Interface,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Privileges => "privileges",
            Self::Memory => "memory",
            Self::Installation => "installation",
            Self::Interface => "interface",
        }
    }

    fn ok(self, name: &'static str, sentence: impl AsRef<str>) -> Finding {
        self.finding(name, Verdict::Ok, sentence)
    }

    fn unknown(self, name: &'static str, sentence: impl AsRef<str>) -> Finding {
        self.finding(name, Verdict::Unknown, sentence)
    }

    fn warning(self, name: &'static str, sentence: impl AsRef<str>) -> Finding {
        self.finding(name, Verdict::Warning, sentence)
    }

    fn failure(self, name: &'static str, sentence: impl AsRef<str>) -> Finding {
        self.finding(name, Verdict::Failure, sentence)
    }

    fn finding(self, name: &'static str, verdict: Verdict, sentence: impl AsRef<str>) -> Finding {
        Finding {
            group: self,
            name,
            interface: None,
            verdict,
            sentence: printable(sentence.as_ref()),
            command: None,
        }
    }
}

/// One thing that was looked at. Its texts are printable, whatever interfaces and programs are called.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    group: Group,
    /// Says what was looked at, for machines.
    name: &'static str,
    /// The interface that it is about.
    interface: Option<String>,
    verdict: Verdict,
    /// For people, without a full stop.
    sentence: String,
    /// A shell's command that mends it or, if nothing is wrong, changes it.
    command: Option<String>,
}

impl Finding {
    fn with(self, command: impl Into<Option<String>>) -> Self {
        Self { command: command.into().map(printable), ..self }
    }

    fn on(self, link: &Link) -> Self {
        Self { interface: Some(link.display_name()), ..self }
    }

    /// With a command that a user can give who is not root. Only the tool's own need no rights.
    fn for_a_user(self) -> Self {
        let command = self.command.map(|command| match command.strip_prefix("xdpdump ") {
            Some(_) => command,
            None => format!("sudo {command}"),
        });
        Self { command, ..self }
    }
}

/// Everything that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// The worst verdict.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|finding| finding.verdict).max().unwrap_or(Verdict::Ok)
    }

    /// The exit status that says the worst: 1 for a failure, 3 for a warning, otherwise 0. (2 is a wrong command line.)
    pub fn status(&self) -> u8 {
        match self.verdict() {
            Verdict::Ok | Verdict::Unknown => 0,
            Verdict::Warning => 3,
            Verdict::Failure => 1,
        }
    }

    /// A line for each finding, with the command that mends it, if there is one, on a line below.
    pub fn text(&self) -> String {
        text::report(&self.findings)
    }

    /// The same as JSON.
    pub fn json(&self) -> String {
        json::report(self.verdict(), &self.findings)
    }
}

/// Looks at everything. Without interfaces that are named, it looks at all that are up, and says less about each.
pub fn examine(config: &config::Doctor) -> Report {
    let (mut findings, offer) = kernel::examine();
    findings.extend(privileges::examine(offer));
    findings.extend(memory::examine(offer));
    findings.extend(installation::examine());
    findings.extend(interface::examine(config, offer));
    if !geteuid().is_root() {
        findings = findings.into_iter().map(Finding::for_a_user).collect();
    }
    Report { findings }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdicts: &[Verdict]) -> Report {
        let finding = |verdict: &Verdict| Group::Kernel.finding("release", *verdict, "so it is");
        Report { findings: verdicts.iter().map(finding).collect() }
    }

    #[test]
    fn the_status_says_the_worst() {
        use Verdict::{Failure, Ok, Unknown, Warning};
        for (verdicts, status) in
            [(&[][..], 0), (&[Ok, Unknown, Ok], 0), (&[Warning, Unknown], 3), (&[Warning, Failure, Ok], 1)]
        {
            assert_eq!(report(verdicts).status(), status, "{verdicts:?}");
        }
    }

    #[test]
    fn a_user_is_told_to_run_a_command_as_root() {
        let command = |command: &str| {
            Group::Kernel.ok("release", "").with(command.to_owned()).for_a_user().command.unwrap()
        };
        assert_eq!(command("ethtool -K eth0 lro off"), "sudo ethtool -K eth0 lro off");
        assert_eq!(command("xdpdump -D"), "xdpdump -D");
        assert_eq!(Group::Kernel.ok("release", "").for_a_user().command, None);
    }

    #[test]
    fn names_from_outside_are_escaped() {
        let evil = "a\nfailure  kernel\u{1b}[2J\u{202e}";
        let link = Link { name: evil.into(), ..Link::default() };
        let finding = Group::Interface.ok("link", evil).with(evil.to_owned()).on(&link);
        let report = Report { findings: vec![finding] };
        for text in [report.text(), report.json()] {
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
            assert!(!text.contains("\nfailure"), "{text}");
        }
    }
}
