//! Findings as lines for people.

use super::Finding;

/// A line for each finding, and for its command one below, which begins where sentences begin:
///
/// ```text
/// ok       kernel        Linux 6.18.2 on x86_64
/// warning  interface     eth0: LRO is on, with which drivers may refuse native mode
///                        ethtool -K eth0 lro off
/// ```
pub fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { group, interface, verdict, sentence, command, .. } in findings {
        let subject = interface.as_ref().map_or_else(String::new, |interface| format!("{interface}: "));
        text.push_str(&format!("{:8} {:13} {subject}{sentence}\n", verdict.name(), group.name()));
        if let Some(command) = command {
            text.push_str(&format!("{:22} {command}\n", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{super::Group, *};
    use crate::interface::Link;

    #[test]
    fn a_line_each_and_the_command_below() {
        let link = Link { name: "eth0".into(), ..Link::default() };
        let findings = [
            Group::Kernel.ok("release", "Linux 6.18.2 on x86_64"),
            Group::Interface
                .warning("joining", "LRO is on")
                .with("ethtool -K eth0 lro off".to_owned())
                .on(&link),
        ];
        assert_eq!(
            report(&findings),
            "ok       kernel        Linux 6.18.2 on x86_64\n\
             warning  interface     eth0: LRO is on\n                       ethtool -K eth0 lro off\n"
        );
    }
}
