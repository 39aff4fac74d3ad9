//! The settings that Wireshark offers for an interface. `call` is the option that `cli` takes for each.

use super::sentence::Sentence;
use crate::{
    interface::{Link, TimeStampType, XdpMode},
    probe,
};

/// The option whose values depend on what runs on the interface at the moment, so that Wireshark can ask for them again.
pub const PROGRAM: &str = "program";

/// A setting.
struct Setting {
    /// The option without its dashes.
    call: &'static str,
    group: &'static str,
    display: &'static str,
    tooltip: &'static str,
    kind: Kind,
}

enum Kind {
    /// One of these, the first of which is the default: value and what is shown.
    One(Vec<(String, String)>),
    /// A number in this range; the option is not given for the default.
    Number { range: (u32, u32), default: u32 },
    /// Given or not.
    Flag,
    /// Text.
    Text { placeholder: &'static str },
}

/// The answer to `--extcap-config`; with `only`, the values of that option. `None` is every interface.
pub fn sentences(link: Option<&Link>, only: Option<&str>) -> Vec<Sentence> {
    let settings = settings(link);
    let wanted = |setting: &Setting| only.is_none_or(|only| only.trim_start_matches('-') == setting.call);
    let numbered = (0..).zip(&settings).filter(|(_, setting)| wanted(setting));
    numbered
        .flat_map(|(number, setting)| {
            let arg = only.is_none().then(|| setting.sentence(number));
            arg.into_iter().chain(setting.values(number))
        })
        .collect()
}

impl Setting {
    fn sentence(&self, number: u32) -> Sentence {
        let kind = match &self.kind {
            Kind::One(_) => "selector",
            Kind::Number { .. } => "unsigned",
            Kind::Flag => "boolflag",
            Kind::Text { .. } => "string",
        };
        let sentence = Sentence::new("arg")
            .with("number", number)
            .with("call", format_args!("--{}", self.call))
            .with("display", self.display)
            .with("tooltip", self.tooltip)
            .with("type", kind);
        let sentence = match &self.kind {
            Kind::One(_) => sentence.with_flag("reload", self.call == PROGRAM),
            Kind::Number { range: (least, most), default } => {
                sentence.with("range", format_args!("{least},{most}")).with("default", default)
            }
            Kind::Flag => sentence.with("default", false),
            Kind::Text { placeholder } => sentence.with("placeholder", placeholder),
        };
        let sentence = if self.call == PROGRAM {
            // The text of the button that asks again.
            sentence.with("placeholder", "Look again")
        } else {
            sentence
        };
        sentence.with("group", self.group)
    }

    fn values(&self, number: u32) -> Vec<Sentence> {
        let Kind::One(values) = &self.kind else { return Vec::new() };
        let sentence = |(at, (value, display)): (usize, &(String, String))| {
            Sentence::new("value")
                .with("arg", number)
                .with("value", value)
                .with("display", display)
                .with_flag("default", at == 0)
        };
        values.iter().enumerate().map(sentence).collect()
    }
}

fn one_of(values: &[(&str, &str)]) -> Kind {
    Kind::One(values.iter().map(|(value, display)| ((*value).to_owned(), (*display).to_owned())).collect())
}

fn settings(link: Option<&Link>) -> Vec<Setting> {
    let mut settings = where_to_capture(link);
    settings.extend(what_to_capture());
    settings.extend(how_to_capture(link));
    settings
}

fn where_to_capture(link: Option<&Link>) -> Vec<Setting> {
    let group = "Where";
    vec![
        Setting {
            call: "mode",
            group,
            display: "XDP mode",
            tooltip: "Where XDP runs: in the driver, in the network stack (works with every driver and disturbs TCP less), or on the NIC",
            kind: one_of(&[
                ("auto", "Driver, otherwise network stack"),
                ("native", "Driver (native)"),
                ("generic", "Network stack (generic, SKB)"),
                ("hardware", "NIC (offload)"),
            ]),
        },
        Setting {
            call: "direction",
            group,
            display: "Direction",
            tooltip: "Received frames at the XDP hook, frames that the interface sends at the tc hook, or both",
            kind: one_of(&[
                ("in", "Received frames"),
                ("out", "Sent frames"),
                ("inout", "Received and sent frames"),
            ]),
        },
        Setting {
            call: "at",
            group,
            display: "Capture point",
            tooltip: "Where to capture on an interface that runs an XDP program of somebody else",
            kind: one_of(&[
                ("entry", "Before the program"),
                ("exit", "After the program, with its verdict"),
                ("both", "Before and after the program"),
            ]),
        },
        Setting {
            call: PROGRAM,
            group,
            display: "XDP program",
            tooltip: "The program to capture at, if several run on the interface",
            kind: Kind::One(programs(link)),
        },
        Setting {
            call: "netns",
            group,
            display: "Network namespace",
            tooltip: "Look for an interface of this name in another network namespace: its name, a path, or the pid of a process such as a container's",
            kind: Kind::Text { placeholder: "this one" },
        },
    ]
}

/// Programs on the interface that can be chosen by their ids. Their names take privileges.
fn programs(link: Option<&Link>) -> Vec<(String, String)> {
    let mut programs = vec![("attached".to_owned(), "The one that is attached".to_owned())];
    let attached = link.into_iter().flat_map(|link| &link.xdp);
    for program in attached {
        let id = program.program_id;
        let mode = match program.mode {
            XdpMode::Native => "native",
            XdpMode::Skb => "generic",
            XdpMode::Offload => "on the NIC",
        };
        let name = probe::program_name(id).map_or_else(String::new, |name| format!("{name}, "));
        programs.push((id.to_string(), format!("{name}id {id}, {mode}")));
        programs.extend(probe::programs_in(id).into_iter().map(|program| {
            (program.id.to_string(), format!("{}, id {}, called by {id}", program.name, program.id))
        }));
    }
    programs
}

fn what_to_capture() -> Vec<Setting> {
    let group = "What";
    vec![
        Setting {
            call: "snapshot-length",
            group,
            display: "Snapshot length",
            tooltip: "Bytes to capture of each frame; 0 means 65535, which is the most",
            kind: Kind::Number { range: (0, 262_144), default: 0 },
        },
        Setting {
            call: "headers-only",
            group,
            display: "Headers only",
            tooltip: "Capture each frame up to the end of its transport header, in tunnels the inner one",
            kind: Kind::Flag,
        },
        Setting {
            call: "sample",
            group,
            display: "One frame in",
            tooltip: "Capture one of so many frames that the filter accepts; each CPU counts separately",
            kind: Kind::Number { range: (1, 1_000_000_000), default: 1 },
        },
        Setting {
            call: "no-promiscuous-mode",
            group,
            display: "Not in promiscuous mode",
            tooltip: "Leave the interface as it is, so that it does not receive frames for other stations",
            kind: Kind::Flag,
        },
    ]
}

fn how_to_capture(link: Option<&Link>) -> Vec<Setting> {
    let group = "How";
    let mut settings = vec![
        Setting {
            call: "transport",
            group,
            display: "Rings",
            tooltip: "How frames come to user space",
            kind: one_of(&[
                ("auto", "The fastest that works"),
                ("ring", "Mapped rings (Linux 5.18)"),
                ("perf", "Perf rings"),
            ]),
        },
        Setting {
            call: "buffer-mib",
            group,
            display: "Memory for rings (MiB)",
            tooltip: "For the rings of all CPUs together; 0 means 16 MiB for each CPU, but at most 1/32 of the memory",
            kind: Kind::Number { range: (0, 1 << 20), default: 0 },
        },
        Setting {
            call: "immediate-mode",
            group,
            display: "Show every frame at once",
            tooltip: "Instead of in batches, at the cost of throughput",
            kind: Kind::Flag,
        },
    ];
    let clocks = link.map(Link::time_stamp_types).unwrap_or_default();
    if clocks.len() > 1 {
        let choice = |clock: TimeStampType| (clock.name().to_owned(), clock.description().to_owned());
        settings.push(Setting {
            call: "time-stamp-type",
            group,
            display: "Time stamps of",
            tooltip: "Whose clock stamps received frames",
            kind: Kind::One(clocks.into_iter().map(choice).collect()),
        });
    }
    settings
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{
        cli,
        config::{Config, Extcap},
        extcap::sentence::text,
    };

    #[test]
    fn every_setting_has_its_own_number_and_option_and_values_follow_it() {
        let text = text(sentences(None, None));
        let args: Vec<_> = text.lines().filter(|line| line.starts_with("arg ")).collect();
        for (number, arg) in args.iter().enumerate() {
            assert!(arg.starts_with(&format!("arg {{number={number}}}{{call=--")), "{arg}");
            assert!(arg.contains("{tooltip=") && arg.contains("{group="), "{arg}");
        }
        assert!(text.contains("{call=--mode}{display=XDP mode}"), "{text}");
        assert!(
            text.contains("value {arg=0}{value=auto}{display=Driver, otherwise network stack}{default=true}")
        );
        assert!(text.contains("{type=unsigned}{range=0,262144}{default=0}"), "{text}");
        assert!(text.contains("{call=--program}") && text.contains("{reload=true}"), "{text}");
        assert!(!text.contains("time-stamp-type"), "only where there is a choice");
    }

    /// The command lines that Wireshark makes of each setting, with each of its values.
    fn command_lines(setting: &Setting) -> Vec<Vec<String>> {
        let option = format!("--{}", setting.call);
        match &setting.kind {
            Kind::One(values) => {
                values.iter().map(|(value, _)| vec![option.clone(), value.clone()]).collect()
            }
            Kind::Number { range: (least, most), default } => {
                [least, most, default].map(|number| vec![option.clone(), number.to_string()]).to_vec()
            }
            Kind::Flag => vec![vec![option]],
            Kind::Text { .. } => ["", "text", "-1"].map(|text| vec![format!("{option}={text}")]).to_vec(),
        }
    }

    #[test]
    fn every_setting_that_is_offered_is_understood() {
        let fixed = ["xdpdump", "--capture", "--extcap-interface", "xdp:eth0", "--fifo", "pipe"];
        for setting in settings(None) {
            for line in command_lines(&setting) {
                let words = fixed.into_iter().map(str::to_owned).chain(line.clone());
                let parsed = cli::parse(words.map(OsString::from));
                assert!(matches!(parsed, Ok(Config::Extcap(Extcap::Capture { .. }))), "{line:?}: {parsed:?}");
            }
        }
    }

    #[test]
    fn a_reload_has_only_the_values_of_that_setting() {
        for only in ["program", "--program"] {
            assert_eq!(
                text(sentences(None, Some(only))),
                "value {arg=3}{value=attached}{display=The one that is attached}{default=true}\n"
            );
        }
        assert_eq!(text(sentences(None, Some("nonsense"))), "");
    }
}
