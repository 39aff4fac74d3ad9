//! The options of `xdpdump doctor`.

use std::ffi::OsString;

use crate::config;

const STATUS: &str = "\
Exit status: 0 if nothing is wrong, 3 if captures work but lack something or cost more (a
warning), 1 if a capture would not work (a failure), 2 for a wrong command line. What could
not be seen, for want of privileges, does not count. Nothing is changed or attached.";

#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Options {
    /// Interface to look at closely, by name or number, or "any" for every one that is up; can be given several times. Without it,
    /// all that are up are looked at briefly
    #[arg(short, long, value_name = "IF")]
    interface: Vec<OsString>,

    /// The same
    #[arg(value_name = "IF", id = "names")]
    more: Vec<OsString>,

    /// Look for interfaces in another network namespace: its name for "ip netns", the path of its file, or the pid of a
    /// process, such as that of a container
    #[arg(long, value_name = "NETNS")]
    netns: Option<OsString>,

    /// Print JSON instead of lines
    #[arg(long)]
    json: bool,
}

impl From<Options> for config::Doctor {
    fn from(Options { interface, more, netns, json }: Options) -> Self {
        Self { namespace: netns, interfaces: [interface, more].concat(), json }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::config::{Config, Doctor};

    #[test]
    fn a_doctor_is_called_by_the_first_argument_only() {
        let of = |arguments: &[&str]| parse(arguments.iter().map(Into::into)).ok();
        assert_eq!(
            of(&["xdpdump", "doctor", "-i", "eth0", "--interface=eth1", "--netns", "blue", "--json"]),
            Some(Config::Doctor(Doctor {
                namespace: Some("blue".into()),
                interfaces: vec!["eth0".into(), "eth1".into()],
                json: true,
            }))
        );
        let all = Doctor { namespace: None, interfaces: Vec::new(), json: false };
        assert_eq!(of(&["xdpdump", "doctor"]), Some(Config::Doctor(all)));
        assert!(
            matches!(of(&["xdpdump", "-i", "eth0", "doctor"]), Some(Config::Capture(_))),
            "a word of a filter"
        );
        let named = Doctor { namespace: None, interfaces: vec!["eth0".into()], json: false };
        assert_eq!(of(&["xdpdump", "doctor", "eth0"]), Some(Config::Doctor(named)));
    }
}
