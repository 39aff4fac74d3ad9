//! What `xdpdump doctor` says about a machine and its interfaces, and that the commands in it mend what they should. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    os::{fd::AsFd, unix::fs::PermissionsExt},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;
use xdpdump::interface::clsact;
use xdpdump_testing::{
    bpf::{self, Instruction},
    capture::xdpdump,
    kernel,
    netns::{NetNs, Traces},
    observed::Observed,
    skip, wait,
    xdp::{DRIVER_MODE, PassProgram, SKB_MODE},
};

const BPF_TCX_INGRESS: u32 = 46;
const BPF_TCX_EGRESS: u32 = 47;

/// The user id of `nobody`, which has no rights.
const NOBODY: &str = "65534";

/// What was printed, and the exit status.
struct Said {
    text: String,
    stderr: String,
    status: i32,
}

fn run(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        text: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap(),
    }
}

fn doctor(netns: &NetNs, arguments: &[&str]) -> Said {
    run(netns.command(xdpdump()).arg("doctor").args(arguments))
}

/// A finding that JSON tells.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    group: String,
    name: String,
    interface: Option<String>,
    verdict: String,
    sentence: String,
    command: Option<String>,
}

/// The findings, whose worst verdict has to be that of the whole and that of the exit status.
fn findings(said: &Said) -> Vec<Finding> {
    assert_eq!(said.stderr, "");
    let report: Value = serde_json::from_str(&said.text).unwrap();
    let found: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().map(str::to_owned);
            Finding {
                group: text("group").unwrap(),
                name: text("name").unwrap(),
                interface: text("interface"),
                verdict: text("verdict").unwrap(),
                sentence: text("sentence").unwrap(),
                command: text("command"),
            }
        })
        .collect();
    let has = |verdict: &str| found.iter().any(|finding| finding.verdict == verdict);
    let (worst, status) = match () {
        () if has("failure") => ("failure", 1),
        () if has("warning") => ("warning", 3),
        () if has("unknown") => ("unknown", 0),
        () => ("ok", 0),
    };
    assert_eq!((report["verdict"].as_str().unwrap(), said.status), (worst, status), "{}", said.text);
    found
}

/// The findings about the machine and `right`.
fn about_right(netns: &NetNs) -> Vec<Finding> {
    findings(&doctor(netns, &["-i", "right", "--json"]))
}

/// The only finding of this name.
fn one<'a>(found: &'a [Finding], group: &str, name: &str) -> &'a Finding {
    let mut these = found.iter().filter(|finding| finding.group == group && finding.name == name);
    let (first, second) = (these.next(), these.next());
    assert!(second.is_none(), "several of {group} {name}: {found:#?}");
    first.unwrap_or_else(|| panic!("none of {group} {name}: {found:#?}"))
}

/// Runs exactly the command of a finding, in the namespace.
fn follow(netns: &NetNs, finding: &Finding) {
    let command = finding.command.as_deref().unwrap_or_else(|| panic!("no command: {finding:?}"));
    netns.execute("bash", &["-c", command]);
}

#[test]
fn tags_that_a_capture_would_miss_are_left_in_the_frames_by_the_command() {
    let netns = NetNs::with_pair();
    // A native capture of its own puts tags back, where the driver tells them.
    let found = about_right(&netns);
    let tags = one(&found, "interface", "vlan");
    let expected = if kernel::is_at_least(6, 8) { "ok" } else { "warning" };
    assert_eq!(tags.verdict, expected, "{tags:?}");
    // In generic mode beside another program, nothing does.
    let program = PassProgram::load();
    let index = netns.interface_index("right");
    let _attachment = netns.run(|| program.attach(index, SKB_MODE));
    let found = about_right(&netns);
    let tags = one(&found, "interface", "vlan");
    assert_eq!(tags.verdict, "warning", "{tags:?}");
    assert!(tags.command.as_deref().is_some_and(|command| command.starts_with("ethtool -K left txvlan off")));
    let lines = doctor(&netns, &["-i", "right"]).text;
    assert!(lines.lines().any(|line| Some(line.trim()) == tags.command.as_deref()), "{lines}");
    follow(&netns, tags);
    let found = about_right(&netns);
    let tags = one(&found, "interface", "vlan");
    assert_eq!((tags.verdict.as_str(), &tags.command), ("ok", &None), "{tags:?}");
}

#[test]
fn the_command_works_whatever_the_interface_is_called() {
    let netns = NetNs::with_pair();
    let evil = "a;\u{1b}[2J\u{202e}";
    // Older kernels rename an interface only while it is down.
    netns.ip(["link", "set", "left", "down"]);
    netns.ip(["link", "set", "left", "name", evil]);
    netns.ip(["link", "set", evil, "up"]);
    let said = doctor(&netns, &["-i", evil, "-i", "right"]);
    assert!(!said.text.contains(['\u{1b}', '\u{202e}']), "{}", said.text);
    let found = about_right(&netns);
    follow(&netns, one(&found, "interface", "vlan"));
    let features = netns.execute("ethtool", &["-k", evil]);
    assert!(features.contains("tx-vlan-offload: off"), "{features}");
}

#[test]
fn a_program_in_the_way_is_named_with_its_holder() {
    let netns = NetNs::with_pair();
    let program = PassProgram::load();
    let index = netns.interface_index("right");
    let attachment = netns.run(|| program.attach(index, DRIVER_MODE));
    let found = about_right(&netns);
    let attached = one(&found, "interface", "programs");
    assert_eq!(attached.verdict, "failure", "it has no type information: {attached:?}");
    let named = format!("the XDP program pass (id {}) runs in native mode, held by process ", program.id());
    assert!(attached.sentence.starts_with(&named), "{attached:?}");
    assert!(attached.sentence.contains(&format!("held by process {} (", std::process::id())), "{attached:?}");
    assert!(attached.sentence.contains("has no BTF"), "{attached:?}");
    drop(attachment);
    let found = about_right(&netns);
    assert_eq!(one(&found, "interface", "programs").verdict, "ok");
}

#[test]
fn a_program_that_no_process_holds_is_taken_off_by_the_command() {
    let netns = NetNs::with_pair();
    let program = PassProgram::load();
    let id = program.id().to_string();
    netns.execute("bpftool", &["net", "attach", "xdpgeneric", "id", &id, "dev", "right"]);
    drop(program);
    let found = about_right(&netns);
    let attached = one(&found, "interface", "programs");
    assert_eq!(attached.verdict, "failure", "{attached:?}");
    follow(&netns, attached);
    assert_eq!(one(&about_right(&netns), "interface", "programs").verdict, "ok");
    assert_eq!(netns.traces("right"), Traces::default());
}

/// What the kernel was said to allow holds on the interface.
#[test]
fn a_program_beside_which_captures_run_is_in_nobodys_way() {
    let netns = NetNs::with_pair();
    let program = Observed::decides("decides");
    let index = netns.interface_index("right");
    let _attachment = netns.run(|| program.attach(index, DRIVER_MODE));
    let found = about_right(&netns);
    let attached = one(&found, "interface", "programs");
    assert!(attached.sentence.starts_with(&format!("the XDP program decides (id {}) runs", program.id())));
    if one(&found, "kernel", "beside").verdict == "ok" {
        assert_eq!(attached.verdict, "ok", "{attached:?}");
        assert!(attached.sentence.contains("captures run beside it"), "{attached:?}");
    } else {
        assert_eq!(attached.verdict, "failure", "{attached:?}");
        assert!(attached.sentence.contains("captures cannot run beside it"), "{attached:?}");
    }
    let brief = findings(&doctor(&netns, &["--json"]));
    let in_the_way = brief.iter().any(|finding| finding.name == "programs" && finding.verdict == "failure");
    assert_eq!(in_the_way, attached.verdict == "failure", "{brief:#?}");
}

#[test]
fn an_mtu_of_several_buffers_is_compared_with_the_kernel() {
    let netns = NetNs::with_pair();
    for interface in ["left", "right"] {
        netns.ip(["link", "set", interface, "mtu", "9000"]);
    }
    let found = about_right(&netns);
    let mtu = one(&found, "interface", "mtu");
    assert!(mtu.sentence.contains("MTU of 9000"), "{mtu:?}");
    if kernel::has_multi_buffer() {
        // Before 6.3 the driver's part of it is not told.
        let expected = if kernel::is_at_least(6, 3) { "ok" } else { "unknown" };
        assert_eq!(mtu.verdict, expected, "{mtu:?}");
    } else {
        assert_eq!(mtu.verdict, "warning", "{mtu:?}");
        follow(&netns, mtu);
        assert_eq!(one(&about_right(&netns), "interface", "mtu").verdict, "ok");
    }
}

#[test]
fn an_interface_that_is_down_is_switched_on_by_the_command() {
    let netns = NetNs::with_pair();
    netns.ip(["link", "set", "right", "down"]);
    let found = about_right(&netns);
    let link = one(&found, "interface", "link");
    assert_eq!(link.verdict, "warning", "{link:?}");
    follow(&netns, link);
    assert!(netns.ip(["link", "show", "right"]).contains(",UP"));
    netns.ip(["link", "set", "left", "down"]);
    let found = about_right(&netns);
    let link = one(&found, "interface", "link");
    assert!(link.sentence.contains("the other end of the pair is down"), "{link:?}");
}

#[test]
fn tc_programs_are_named_with_their_side() {
    let netns = NetNs::with_pair();
    let index = netns.interface_index("right");
    // return TC_ACT_OK
    let program = bpf::load_tc("traffic", &[Instruction(0xb7, 0, 0, 0), Instruction(0x95, 0, 0, 0)]);
    assert_eq!(one(&about_right(&netns), "interface", "tc").sentence, "no tc program or filter is attached");
    let filter = netns.run(|| clsact::Filter::attach(index, "a-filter", program.as_fd())).unwrap();
    let found = about_right(&netns);
    let tc = one(&found, "interface", "tc");
    assert!(tc.sentence.starts_with("sent frames pass the tc filter a-filter "), "{tc:?}");
    assert!(tc.sentence.contains("-Q out"), "{tc:?}");
    drop(filter);
    if kernel::is_at_least(6, 6) {
        for (attach_type, begin) in [
            (BPF_TCX_INGRESS, "received frames pass the tcx program traffic (id "),
            (BPF_TCX_EGRESS, "sent frames pass the tcx program traffic (id "),
        ] {
            let _link = netns.run(|| bpf::attach(&program, index, attach_type, 0)).unwrap();
            let found = about_right(&netns);
            let tc = one(&found, "interface", "tc");
            assert_eq!(tc.verdict, "ok");
            assert!(tc.sentence.starts_with(begin), "{tc:?}");
        }
    }
    // The discipline that only received frames pass, and a queue.
    netns.execute("tc", &["qdisc", "add", "dev", "right", "ingress"]);
    assert_eq!(one(&about_right(&netns), "interface", "tc").sentence, "no tc program or filter is attached");
}

#[test]
fn lines_and_json_tell_the_same_and_nothing_is_changed() {
    let netns = NetNs::with_pair();
    let features = || ["left", "right"].map(|name| netns.execute("ethtool", &["-k", name]));
    let before = (features(), netns.traces("right"), netns.ip(["-d", "link"]));
    for arguments in [&["-i", "right", "-i", "left"][..], &[]] {
        let lines = doctor(&netns, arguments);
        let json = doctor(&netns, &[arguments, &["--json"]].concat());
        assert_eq!(lines.stderr, "");
        assert_eq!(lines.status, json.status);
        let heads: Vec<_> = lines.text.lines().filter(|line| !line.starts_with(' ')).collect();
        let found = findings(&json);
        assert_eq!(heads.len(), found.len(), "{}", lines.text);
        for (line, finding) in heads.iter().zip(&found) {
            let mut words = line.split_whitespace();
            assert_eq!(words.next(), Some(finding.verdict.as_str()), "{line}");
            assert_eq!(words.next(), Some(finding.group.as_str()), "{line}");
            if let Some(interface) = &finding.interface {
                assert!(line.contains(&format!(" {interface}: ")), "{line}");
            }
        }
        for interface in ["left", "right"] {
            assert!(found.iter().any(|finding| finding.interface.as_deref() == Some(interface)));
        }
    }
    assert_eq!((features(), netns.traces("right"), netns.ip(["-d", "link"])), before);
}

#[test]
fn root_can_capture_here_and_an_unknown_interface_is_a_failure() {
    let netns = NetNs::with_pair();
    let found = about_right(&netns);
    assert!(found.iter().all(|finding| finding.verdict != "failure"), "{found:#?}");
    for name in ["programs", "attachment", "rings", "buffers", "sent"] {
        assert_ne!(one(&found, "kernel", name).verdict, "unknown");
    }
    let mapped = if kernel::has_multi_buffer() { "ok" } else { "warning" };
    assert_eq!(one(&found, "kernel", "rings").verdict, mapped);
    assert_eq!(one(&found, "privileges", "capabilities").verdict, "ok");

    let said = doctor(&netns, &["-i", "rihgt", "--json"]);
    assert_eq!(said.status, 1);
    let found = findings(&said);
    let link = one(&found, "interface", "link");
    assert_eq!(link.sentence, r#"no interface named "rihgt"; did you mean "right"?"#);
    assert_eq!(link.command.as_deref(), Some("xdpdump -D"));
    let any = findings(&doctor(&netns, &["-i", "any", "--json"]));
    for interface in ["left", "right"] {
        let of_it = any.iter().filter(|finding| finding.interface.as_deref() == Some(interface));
        assert!(of_it.count() > 5, "{any:#?}");
    }
    let wrong = doctor(&netns, &["--jsno"]);
    assert_eq!((wrong.status, wrong.text.as_str()), (2, ""));
    let elsewhere = run(Command::new(xdpdump()).args(["doctor", "--netns", netns.name(), "-i", "right"]));
    assert!(elsewhere.text.contains("interface     right: "), "{}", elsewhere.text);
}

/// A copy of the tool that the user `nobody` may execute.
struct ForNobody(TempDir);

impl ForNobody {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::copy(xdpdump(), directory.path().join("xdpdump")).unwrap();
        Self(directory)
    }

    fn doctor(&self, netns: &NetNs, arguments: &[&str]) -> Vec<Finding> {
        let mut command = netns.command("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps", "-all"]);
        command.arg(self.0.path().join("xdpdump")).args(["doctor", "--json"]).args(arguments);
        findings(&run(&mut command))
    }
}

#[test]
fn without_privileges_it_says_what_it_could_not_see() {
    let netns = NetNs::with_pair();
    let found = ForNobody::new().doctor(&netns, &["-i", "right"]);
    for (group, name) in
        [("kernel", "programs"), ("kernel", "rings"), ("kernel", "beside"), ("privileges", "perf")]
    {
        let finding = one(&found, group, name);
        assert_eq!(finding.verdict, "unknown", "{finding:?}");
    }
    // Only what a capture lacks is a failure, not what could not be seen.
    let failures: Vec<_> = found.iter().filter(|finding| finding.verdict == "failure").collect();
    // Before 5.11 the limit of locked memory is too low for a user's rings.
    let of_privileges =
        failures.iter().filter(|finding| finding.name != "locked" || kernel::is_at_least(5, 11));
    assert_eq!(of_privileges.collect::<Vec<_>>(), [&one(&found, "privileges", "capabilities")]);
    let lacking = one(&found, "privileges", "capabilities");
    assert!(lacking.sentence.contains("cap_bpf, cap_net_admin, cap_perfmon"), "{lacking:?}");
    // What needs no privileges is seen.
    assert_eq!(one(&found, "interface", "link").verdict, "ok");
    assert!(found.iter().any(|finding| finding.name == "queues"), "{found:#?}");
}

#[test]
fn the_command_for_the_program_file_gives_every_user_what_a_capture_needs() {
    let netns = NetNs::with_pair();
    let place = ForNobody::new();
    let found = place.doctor(&netns, &["-i", "right"]);
    let lacking = one(&found, "privileges", "capabilities");
    let command = lacking.command.as_deref().unwrap().strip_prefix("sudo ").unwrap();
    let set = Command::new("bash").args(["-c", command]).output().expect("bash runs");
    let stderr = String::from_utf8_lossy(&set.stderr);
    if stderr.contains("not supported") {
        return skip::because("the folder for temporary files takes no file capabilities");
    }
    assert!(set.status.success(), "{command}: {stderr}");
    let found = place.doctor(&netns, &["-i", "right"]);
    let file = one(&found, "installation", "file-capabilities");
    if file.sentence.contains("nosuid") {
        return skip::because("the folder for temporary files is mounted with nosuid");
    }
    assert_eq!(file.verdict, "ok", "{file:?}");
    assert!(file.sentence.contains("cap_net_admin, cap_net_raw, cap_perfmon, cap_bpf"), "{file:?}");
    assert_eq!(one(&found, "privileges", "capabilities").verdict, "ok");
    assert!(found.iter().all(|finding| finding.name != "promiscuous"));
    if kernel::is_at_least(5, 11) {
        assert_eq!(one(&found, "kernel", "programs").verdict, "ok");
        assert!(found.iter().all(|finding| finding.verdict != "failure"), "{found:#?}");
    }
}

#[test]
fn wireshark_lists_the_program_after_the_command() {
    let netns = NetNs::with_pair();
    let home = tempfile::tempdir().unwrap();
    let look = || {
        let mut command = netns.command(xdpdump());
        findings(&run(command.args(["doctor", "--json"]).env("HOME", home.path())))
    };
    let found = look();
    let extcap = one(&found, "installation", "extcap");
    if extcap.sentence.starts_with("Wireshark lists the interfaces as \"XDP on …\" (/usr") {
        return skip::because("this program is installed for all users");
    }
    let arguments = extcap.command.as_deref().unwrap().strip_prefix("xdpdump ").unwrap();
    let mut install = Command::new(xdpdump());
    install.args(arguments.split(' ')).env("HOME", home.path());
    let installed = run(&mut install);
    assert_eq!(installed.status, 0, "{}", installed.stderr);
    let found = look();
    let extcap = one(&found, "installation", "extcap");
    assert_eq!((extcap.verdict.as_str(), &extcap.command), ("ok", &None), "{extcap:?}");
    assert!(extcap.sentence.contains(home.path().to_str().unwrap()), "{extcap:?}");
}

#[test]
fn root_of_a_user_namespace_is_told_that_it_is_one() {
    let netns = NetNs::with_pair();
    let mut command = netns.command("unshare");
    command.args(["--user", "--map-root-user", xdpdump(), "doctor", "--json", "-i", "right"]);
    let found = findings(&run(&mut command));
    let capabilities = one(&found, "privileges", "capabilities");
    assert_eq!(capabilities.verdict, "failure");
    assert!(capabilities.sentence.contains("user namespace"), "{capabilities:?}");
    assert_eq!(one(&found, "kernel", "programs").verdict, "unknown");
}

/// As in a container that has neither.
#[test]
fn without_proc_and_sys_it_says_what_it_could_not_see() {
    let netns = NetNs::with_pair();
    let hidden =
        "mount -t tmpfs none /sys && mount -t tmpfs none /proc && exec \"$0\" doctor --json -i right";
    let mut command = netns.command("unshare");
    let found = findings(&run(command.args(["--mount", "sh", "-c", hidden, xdpdump()])));
    for (group, name) in [("memory", "rings"), ("installation", "file-capabilities")] {
        assert_eq!(one(&found, group, name).verdict, "unknown", "{found:#?}");
    }
    assert_eq!(one(&found, "kernel", "programs").verdict, "ok");
    assert_eq!(one(&found, "interface", "link").verdict, "ok");
    assert!(found.iter().all(|finding| finding.verdict != "failure"), "{found:#?}");
}

#[test]
fn what_kind_of_interface_it_is_is_no_fault_of_the_machine() {
    let netns = NetNs::with_pair();
    netns.ip(["link", "add", "bridge", "type", "bridge"]);
    netns.ip(["link", "set", "bridge", "up"]);
    netns.ip(["link", "set", "left", "down"]);
    wait::until(|| netns.ip(["link", "show", "right"]).contains("NO-CARRIER"));
    let found = findings(&doctor(&netns, &["--json"]));
    let ok_about = |interface| {
        let about: Vec<_> =
            found.iter().filter(|finding| finding.interface.as_deref() == Some(interface)).collect();
        let [only] = about[..] else { panic!("{about:#?}") };
        assert_eq!(only.verdict, "ok");
        only.sentence.clone()
    };
    let bridge = ok_about("bridge");
    assert!(bridge.contains("MTU 1500"), "{bridge}");
    if kernel::is_at_least(6, 8) {
        assert!(ok_about("right").ends_with(", no carrier"), "{found:#?}");
    }
    let found = findings(&doctor(&netns, &["-i", "bridge", "--json"]));
    let tags = one(&found, "interface", "vlan");
    assert!(tags.verdict == "warning" && tags.sentence.contains("as ports"), "{tags:?}");
}
