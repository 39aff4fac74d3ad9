//! The command lines with which Wireshark calls an extcap program (doc/man_pages/extcap.adoc, Wireshark 4.0).

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
};

use clap::{CommandFactory as _, Parser, error::ErrorKind};

use super::{Error, options::Options};
use crate::config::{Config, ControlPipes, EXTCAP_PREFIX, Extcap};

/// Answer Wireshark, which runs xdpdump as an extcap program
#[derive(Debug, Parser)]
#[command(name = "xdpdump", disable_version_flag = true, max_term_width = 100)]
struct Call {
    /// Print the interfaces
    #[arg(long)]
    extcap_interfaces: bool,

    /// Wireshark's version
    #[arg(long, value_name = "VERSION")]
    extcap_version: Option<String>,

    /// The interface that the call is about
    #[arg(long, value_name = "IF")]
    extcap_interface: Option<OsString>,

    /// Print the link type of the interface
    #[arg(long)]
    extcap_dlts: bool,

    /// Print the settings of the interface
    #[arg(long)]
    extcap_config: bool,

    /// Print the values of this setting only
    #[arg(long, value_name = "SETTING")]
    extcap_reload_option: Option<String>,

    /// Capture filter; without --capture, print what is wrong with it
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    extcap_capture_filter: Option<String>,

    /// Named pipe with what the user changes in the toolbar
    #[arg(long, value_name = "PIPE")]
    extcap_control_in: Option<PathBuf>,

    /// Named pipe for what the toolbar is to show
    #[arg(long, value_name = "PIPE")]
    extcap_control_out: Option<PathBuf>,

    /// Capture
    #[arg(long, requires = "fifo", requires = "extcap_interface")]
    capture: bool,

    /// Named pipe for the packets
    #[arg(long, value_name = "PIPE")]
    fifo: Option<PathBuf>,

    #[command(flatten)]
    settings: Settings,

    #[command(flatten)]
    ignored: Ignored,
}

/// What `xdpdump extcap` does.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub enum Installation {
    /// Put a link to this program where Wireshark looks, and say which capabilities it lacks
    Install {
        /// For all users
        #[arg(long)]
        system: bool,
    },
    /// Remove the link
    Uninstall {
        /// The one for all users
        #[arg(long)]
        system: bool,
    },
    /// Say where Wireshark finds this program, and whether it can capture; the status is 0 if both hold
    Status,
}

impl From<Installation> for Extcap {
    fn from(installation: Installation) -> Self {
        match installation {
            Installation::Install { system } => Self::Install { system },
            Installation::Uninstall { system } => Self::Uninstall { system },
            Installation::Status => Self::Status,
        }
    }
}

/// The settings of a capture, which the options of an ordinary one check.
#[derive(Debug, clap::Args)]
struct Settings {
    /// auto, native, generic or hardware
    #[arg(long, value_name = "MODE", default_value = "auto")]
    mode: String,

    /// As without Wireshark
    #[arg(long, value_name = "WAY")]
    direction: Option<OsString>,

    /// As without Wireshark
    #[arg(long, value_name = "POINT")]
    at: Option<OsString>,

    /// As without Wireshark; "attached" is no choice
    #[arg(long, value_name = "NAME|ID")]
    program: Option<OsString>,

    /// As without Wireshark
    #[arg(long, value_name = "NETNS")]
    netns: Option<OsString>,

    /// As without Wireshark
    #[arg(long, value_name = "BYTES")]
    snapshot_length: Option<OsString>,

    /// Only the headers of each frame
    #[arg(long)]
    headers_only: bool,

    /// As without Wireshark
    #[arg(long, value_name = "N")]
    sample: Option<OsString>,

    /// As without Wireshark
    #[arg(long)]
    no_promiscuous_mode: bool,

    /// As without Wireshark
    #[arg(long, value_name = "WAY")]
    transport: Option<OsString>,

    /// Memory for the rings of all CPUs together; 0 means the default
    #[arg(long, value_name = "MIB", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..1 << 30))]
    buffer_mib: u64,

    /// As without Wireshark
    #[arg(long)]
    immediate_mode: bool,

    /// As without Wireshark
    #[arg(long, value_name = "TYPE")]
    time_stamp_type: Option<OsString>,
}

/// What Wireshark or a person may add, and what changes nothing: messages go to the toolbar's log.
#[derive(Debug, clap::Args)]
struct Ignored {
    #[arg(long, hide = true)]
    log_level: Option<OsString>,

    #[arg(long, hide = true)]
    log_file: Option<OsString>,

    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    debug: Option<OsString>,

    #[arg(long, hide = true)]
    debug_file: Option<OsString>,

    #[arg(long, hide = true)]
    extcap_cleanup_postkill: bool,
}

/// Whether Wireshark calls: no ordinary option begins with `--extcap-` or is called `--capture`.
pub fn is_call(arguments: &[OsString]) -> bool {
    let options = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    let is_one = |option: &OsStr| option == "--capture" || option.as_bytes().starts_with(b"--extcap-");
    options.into_iter().any(|option| is_one(option))
}

/// Parses a call.
///
/// # Errors
/// When there is no such call, or the settings of a capture do not go together.
pub fn parse(arguments: &[OsString]) -> Result<Config, Error> {
    let mut call = Call::try_parse_from(arguments).map_err(Error::Clap)?;
    if call.extcap_interfaces {
        return Ok(Config::Extcap(Extcap::Interfaces));
    }
    let missing = |what: &str| {
        let message = format!("a call by Wireshark needs {what}");
        Error::Clap(Call::command().error(ErrorKind::MissingRequiredArgument, message))
    };
    let interface = call.extcap_interface.take().ok_or_else(|| missing("--extcap-interface"))?;
    let bytes = interface.as_bytes();
    let interface =
        OsStr::from_bytes(bytes.strip_prefix(EXTCAP_PREFIX.as_bytes()).unwrap_or(bytes)).to_owned();
    Ok(Config::Extcap(match call {
        Call { capture: true, .. } => {
            let pipe = call.fifo.clone().unwrap_or_default();
            call.capture(&interface).map_err(|error| Error::WithPipe(Box::new(error), pipe))?
        }
        Call { extcap_dlts: true, .. } => Extcap::LinkTypes { interface },
        Call { extcap_config: true, .. } => Extcap::Settings { interface, only: call.extcap_reload_option },
        Call { extcap_capture_filter: Some(filter), .. } => Extcap::CheckFilter { interface, filter },
        _ => return Err(missing("to say what to do: --extcap-dlts, --extcap-config or --capture")),
    }))
}

impl Call {
    /// The same capture as with ordinary options.
    fn capture(self, interface: &OsStr) -> Result<Extcap, Error> {
        let pipes =
            ControlPipes { from_wireshark: self.extcap_control_in, to_wireshark: self.extcap_control_out };
        let mut arguments = vec![OsString::from("xdpdump"), option("interface", interface)];
        arguments.extend(self.fifo.map(|fifo| option("write", fifo.as_os_str())));
        arguments.push("--format=pcapng".into());
        arguments.extend(self.settings.arguments()?);
        let filter = self.extcap_capture_filter.filter(|filter| !filter.trim().is_empty());
        let mut options = Options::try_parse_from(arguments).map_err(Error::Clap)?;
        // As it is: it may begin with a minus sign.
        options.filter.extend(filter);
        match options.into_config()? {
            Config::Capture(capture) => Ok(Extcap::Capture { capture: Box::new(capture), pipes }),
            // Of these options nothing else is made.
            _ => Err(Error::Usage("this is no capture: give Wireshark's own options only".to_owned())),
        }
    }
}

impl Settings {
    /// The options of an ordinary capture.
    fn arguments(self) -> Result<Vec<OsString>, Error> {
        let mut arguments = Vec::new();
        arguments.extend(match self.mode.as_str() {
            "auto" => None,
            "native" => Some("--native".into()),
            "generic" => Some("--skb".into()),
            "hardware" => Some("--offload".into()),
            mode => {
                return Err(Error::Usage(format!(
                    "there is no XDP mode \"{mode}\": it is auto, native, generic or hardware"
                )));
            }
        });
        let is_text = |text: &OsString| !text.is_empty();
        let values = [
            ("direction", self.direction),
            ("at", self.at),
            ("program", self.program.filter(|program| is_text(program) && program != "attached")),
            ("netns", self.netns.filter(is_text)),
            ("snapshot-length", self.snapshot_length),
            ("sample", self.sample),
            ("transport", self.transport),
            ("time-stamp-type", self.time_stamp_type),
            ("buffer-size", (self.buffer_mib > 0).then(|| (self.buffer_mib << 10).to_string().into())),
        ];
        arguments.extend(values.into_iter().filter_map(|(name, value)| Some(option(name, &value?))));
        let flags = [
            (self.headers_only, "--headers"),
            (self.no_promiscuous_mode, "--no-promiscuous-mode"),
            (self.immediate_mode, "--immediate-mode"),
        ];
        arguments.extend(flags.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag.into()));
        Ok(arguments)
    }
}

/// `--NAME=VALUE`, so that a value may begin with a dash.
fn option(name: &str, value: &OsStr) -> OsString {
    let mut option = OsString::from(format!("--{name}="));
    option.push(value);
    option
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli,
        config::{At, Capture, Directions, Filter, Interfaces},
        interface::XdpMode,
        output::Format,
        transport::RingKind,
    };

    fn parse(arguments: &str) -> Result<Config, Error> {
        cli::parse(["xdpdump"].into_iter().chain(arguments.split_whitespace()).map(OsString::from))
    }

    fn call(arguments: &str) -> Extcap {
        match parse(arguments) {
            Ok(Config::Extcap(call)) => call,
            other => panic!("{other:?}"),
        }
    }

    fn capture(arguments: &str) -> (Capture, ControlPipes) {
        match call(&format!("--capture --extcap-interface xdp:eth0 --fifo /tmp/pipe.pcap {arguments}")) {
            Extcap::Capture { capture, pipes } => (*capture, pipes),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn wiresharks_calls_are_understood() {
        assert_eq!(call("--extcap-interfaces --extcap-version=4.0"), Extcap::Interfaces);
        assert_eq!(
            call("--extcap-dlts --extcap-interface xdp:eth0"),
            Extcap::LinkTypes { interface: "eth0".into() }
        );
        assert_eq!(
            call("--extcap-interface xdp:#7 --extcap-config --extcap-reload-option program --mode native"),
            Extcap::Settings { interface: "#7".into(), only: Some("program".to_owned()) }
        );
        assert_eq!(
            call("--extcap-interface xdp:any --extcap-capture-filter -1"),
            Extcap::CheckFilter { interface: "any".into(), filter: "-1".to_owned() }
        );
        for wrong in [
            "--extcap-dlts",
            "--extcap-interface xdp:eth0",
            "--capture --extcap-interface xdp:eth0",
            "--capture --fifo x",
            "--extcap-interface x --extcap-nonsense",
        ] {
            assert!(matches!(parse(wrong), Err(Error::Clap(_))), "{wrong}");
        }
    }

    #[test]
    fn a_file_or_a_filter_may_be_called_like_a_call() {
        assert!(matches!(parse("-i eth0 -w capture"), Ok(Config::Capture(_))));
        assert!(matches!(parse("-i eth0 -- --capture"), Ok(Config::Capture(_))));
    }

    #[test]
    fn a_capture_without_settings_is_the_usual_one_into_the_pipe() {
        let (capture, pipes) = capture("--log-level debug --debug");
        let usual = parse("-i eth0 -w /tmp/pipe.pcap --format pcapng").unwrap();
        assert_eq!(Config::Capture(capture.clone()), usual);
        assert_eq!(
            capture.destination.file.unwrap().options.format,
            Format::Pcapng,
            "whatever the pipe is called"
        );
        assert_eq!(pipes, ControlPipes::default());
    }

    #[test]
    fn each_setting_has_its_effect() {
        let (capture, pipes) = capture(
            "--mode generic --direction inout --at exit --program 42 --netns blue --snapshot-length 96 \
             --headers-only --sample 10 --no-promiscuous-mode --transport perf --buffer-mib 3 --immediate-mode \
             --time-stamp-type host --extcap-capture-filter tcp --extcap-control-in in --extcap-control-out out",
        );
        assert_eq!(capture.mode, Some(XdpMode::Skb));
        assert_eq!(capture.direction, Directions::InOut);
        assert_eq!(capture.at, At::Exit);
        assert_eq!(capture.program.as_deref(), Some("42"));
        assert_eq!(capture.namespace, Some("blue".into()));
        assert_eq!(capture.snap_len, 96);
        assert_eq!(capture.selection.headers, Some(0));
        assert_eq!(capture.selection.one_in.map(u32::from), Some(10));
        assert!(!capture.promiscuous && capture.immediate);
        assert_eq!(capture.rings, Some(RingKind::Perf));
        assert_eq!(capture.buffer, Some(3 << 20));
        assert_eq!(capture.selection.filter, Some(Filter::Text("tcp".to_owned())));
        assert_eq!(pipes.from_wireshark, Some("in".into()));
        assert_eq!(pipes.to_wireshark, Some("out".into()));
    }

    #[test]
    fn defaults_that_wireshark_passes_change_nothing() {
        let (given, _) =
            capture("--mode auto --program attached --netns= --snapshot-length 0 --sample 1 --buffer-mib 0");
        assert_eq!(given, capture("").0);
        let all = "--capture --extcap-interface xdp:any --fifo x";
        let Extcap::Capture { capture, .. } = call(all) else { panic!("{all}") };
        assert_eq!(capture.interfaces, Interfaces::Any);
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused_as_on_the_command_line() {
        for wrong in ["--mode fast", "--direction out --at exit", "--transport wire", "--sample 0"] {
            let line = format!("--capture --extcap-interface xdp:eth0 --fifo x {wrong}");
            assert!(parse(&line).is_err(), "{wrong}");
        }
    }
}
