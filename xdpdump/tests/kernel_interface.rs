//! Interfaces of a real kernel. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fmt::Write,
    fs,
    os::{
        fd::{AsFd, AsRawFd},
        unix::ffi::OsStringExt,
    },
    thread,
    time::{Duration, Instant},
};

use xdpdump::{
    interface::{AttachedProgram, Link, LinkChange, Monitor, Promiscuous, XdpMode, list},
    packet::LinkType,
};
use xdpdump_testing::{
    netns::NetNs,
    xdp::{DRIVER_MODE, PassProgram, SKB_MODE},
};

fn link(netns: &NetNs, name: &str) -> Link {
    netns.run(|| Link::by_name(OsStr::new(name))).unwrap()
}

/// Waits for the effect of closing a descriptor: a process that another test is just starting may hold a copy of it until
/// its exec.
fn eventually(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < deadline, "still not so after five seconds");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn veth_is_described_the_same_however_it_is_found() {
    let (netns, _peer) = NetNs::pair("left", "right");
    netns.ip(["link", "set", "left", "mtu", "1400", "address", "02:00:00:00:00:2a", "alias", "to the lab"]);
    netns.ip(["link", "property", "add", "dev", "left", "altname", "a-name-longer-than-fifteen-bytes"]);

    let left = link(&netns, "left");
    assert_eq!(left.mac, Some([2, 0, 0, 0, 0, 0x2a]));
    assert_eq!(left.mtu, 1400);
    assert!(left.up && left.running);
    assert_eq!(left.kind.as_deref(), Some("veth"));
    assert_eq!(left.driver.as_ref().map(|driver| driver.name.as_str()), Some("veth"));
    assert_eq!(left.link_type().unwrap(), LinkType::ETHERNET);
    assert_eq!(left.xdp, []);

    netns.run(|| {
        let number = left.index.to_string();
        assert_eq!(Link::by_index(left.index).unwrap(), left);
        assert_eq!(Link::find(OsStr::new("left")).unwrap(), left);
        assert_eq!(Link::find(OsStr::new(&number)).unwrap(), left);
        assert_eq!(Link::by_name(OsStr::new("a-name-longer-than-fifteen-bytes")).unwrap(), left);
        let all = Link::all().unwrap();
        assert_eq!(all.iter().map(Link::display_name).collect::<Vec<_>>(), ["lo", "left"]);
        assert_eq!(all[1], left);

        let described = left.describe().unwrap();
        assert_eq!(described.name.as_deref(), Some("left"));
        assert_eq!(described.description.as_deref(), Some("to the lab"));
        assert_eq!(described.mac, left.mac);
        assert_eq!(described.speed, Some(10_000_000_000), "what veth claims");
        assert_eq!(described.hardware.as_deref(), Some("driver veth"));
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(described.os, Some(format!("Linux {}", release.trim())));
    });
}

#[test]
fn unknown_interfaces_are_refused_with_the_name_that_was_meant() {
    let (netns, _peer) = NetNs::pair("eth0", "eth0");
    let refusal = |name: &str| netns.run(|| Link::find(OsStr::new(name))).unwrap_err().to_string();

    assert_eq!(
        refusal("ethh0"),
        r#"no interface named "ethh0"; did you mean "eth0"? -D in place of -i lists them"#
    );
    assert_eq!(refusal("wlan0"), r#"no interface named "wlan0"; -D in place of -i lists them"#);
    assert_eq!(refusal(""), r#"no interface named ""; -D in place of -i lists them"#);
    assert_eq!(refusal("4000000"), "no interface has the number 4000000; -D in place of -i lists them");
    // Values that do not fit into an index, a name, or a netlink attribute.
    assert!(refusal("0").contains("no interface"));
    assert!(refusal("4294967295").contains("no interface"));
    assert!(refusal(&"e".repeat(200)).contains("no interface named"));
    assert!(refusal(&"e".repeat(70_000)).contains("no interface named"));
}

#[test]
fn odd_names_are_found_by_their_bytes_and_shown_safely() {
    let netns = NetNs::new();
    let odd = [&b"we!rd\"x"[..], b"\xff\xfe-bytes", b"\x1b[31mred", "Ethernet-ü".as_bytes(), b"7"];
    for name in odd {
        let name = OsString::from_vec(name.to_vec());
        netns.ip([OsStr::new("link"), "add".as_ref(), &name, "type".as_ref(), "veth".as_ref()]);
        let link = netns.run(|| Link::find(&name)).unwrap();
        assert_eq!(link.name, name);
        assert!(!link.display_name().contains('\x1b'));
        assert_eq!(link.driver.map(|driver| driver.name).as_deref(), Some("veth"), "{name:?}");
    }
    assert_eq!(link(&netns, "\u{1b}[31mred").display_name(), r"\u{1b}[31mred");
}

#[test]
fn names_are_found_as_ip_prints_them() {
    let netns = NetNs::new();
    netns.ip(["link", "add", "eth0", "type", "veth", "peer", "name", "peer"]);
    netns.ip(["link", "add", "odd@name", "type", "veth"]);
    let find = |name: &str| netns.run(|| Link::find(OsStr::new(name))).map(|link| link.display_name());
    assert_eq!(printed(&netns, "eth0"), "eth0@peer");
    assert_eq!(find("eth0@peer").unwrap(), "eth0");
    let number = netns.interface_index("peer");
    assert_eq!(find(&format!("eth0@if{number}")).unwrap(), "eth0");
    assert_eq!(find("odd@name").unwrap(), "odd@name", "a name is a name first");
    assert_eq!(find(&printed(&netns, "odd@name")).unwrap(), "odd@name");

    let (here, there) = NetNs::pair("eth0", "eth0");
    let number = there.interface_index("eth0");
    let name = format!("eth0@if{number}");
    assert_eq!(printed(&here, "eth0"), name);
    assert_eq!(here.run(|| Link::find(OsStr::new(&name))).unwrap().name, "eth0");
}

/// What ip(8) calls an interface.
fn printed(netns: &NetNs, interface: &str) -> String {
    let line = netns.ip(["-o", "link", "show", interface]);
    line.split(": ").nth(1).unwrap().to_owned()
}

#[test]
fn what_ip_does_not_print_is_no_name() {
    let netns = NetNs::new();
    netns.ip(["link", "add", "eth0", "type", "veth", "peer", "name", "peer"]);
    let refusal = |name: &str| netns.run(|| Link::find(OsStr::new(name))).unwrap_err().to_string();
    let own = format!("eth0@if{}", netns.interface_index("eth0"));
    for name in
        ["eth0@garbage", "eth0@", "eth0@eth0", "eth0@NONE", "eth0@if", "eth0@if4000", "eth0@if02", &own]
    {
        let expected =
            format!("no interface named {name:?}; did you mean \"eth0\"? -D in place of -i lists them");
        assert_eq!(refusal(name), expected);
    }
    assert_eq!(
        refusal("lo@x"),
        r#"no interface named "lo@x"; did you mean "lo"? -D in place of -i lists them"#
    );
    assert!(refusal("eth1@peer").starts_with(r#"no interface named "eth1@peer""#));
    assert!(refusal("@eth0").starts_with(r#"no interface named "@eth0""#));

    // The number of an interface in another namespace is no name in this one.
    let (here, there) = NetNs::pair("eth0", "eth0");
    let number = there.interface_index("eth0");
    assert!(number > 1, "1 is lo, here as well");
    let namesake = here.run(|| Link::by_index(number)).map(|link| link.display_name());
    if let Ok(namesake) = namesake {
        let name = format!("eth0@{namesake}");
        assert!(here.run(|| Link::find(OsStr::new(&name))).is_err(), "{name}");
    }
}

#[test]
fn a_thousand_interfaces_are_all_listed() {
    let netns = NetNs::new();
    let mut commands = String::new();
    for number in 0..500 {
        writeln!(commands, "link add v{number} type veth peer name v{}", number + 500).unwrap();
    }
    netns.ip_batch(&commands);

    let links = netns.run(Link::all).unwrap();
    assert!(links.is_sorted_by_key(|link| link.index));
    let listed: Vec<_> = links.iter().map(Link::display_name).collect();
    assert_eq!(listed.len(), 1001, "lo and the thousand");
    let wanted: BTreeSet<_> = (0..1000).map(|number| format!("v{number}")).collect();
    assert!(wanted.is_subset(&listed.into_iter().collect()));
}

#[test]
fn an_answer_larger_than_the_buffer_is_read_whole() {
    let netns = NetNs::new();
    netns.ip(["link", "add", "many", "type", "veth"]);
    // Each name takes 128 bytes of the message about the interface; together they exceed the buffer's initial size.
    let names: Vec<_> = (0..300).map(|number| format!("{number:0>120}")).collect();
    let mut commands = String::new();
    for name in &names {
        writeln!(commands, "link property add dev many altname {name}").unwrap();
    }
    netns.ip_batch(&commands);
    let many = link(&netns, "many");
    assert_eq!(many.alternative_names.len(), names.len());
    assert_eq!(link(&netns, &names[299]), many);
    assert!(netns.run(Link::all).unwrap().contains(&many));
}

#[test]
fn tunnels_carry_ip_packets_and_have_no_address() {
    let netns = NetNs::new();
    netns.ip(["tuntap", "add", "tun0", "mode", "tun"]);
    let tun = link(&netns, "tun0");
    assert_eq!(tun.link_type().unwrap(), LinkType::RAW);
    assert_eq!(tun.mac, None);
    assert!(!tun.up);

    let lo = link(&netns, "lo");
    assert_eq!(lo.link_type().unwrap(), LinkType::ETHERNET);
    assert_eq!(lo.mac, None);
    assert!(lo.is_loopback() && lo.up);
}

#[test]
fn attached_programs_are_shown_with_their_mode() {
    let (netns, _peer) = NetNs::pair("left", "right");
    let program = PassProgram::load();
    let index = link(&netns, "left").index;
    for (flag, mode) in [(DRIVER_MODE, XdpMode::Native), (SKB_MODE, XdpMode::Skb)] {
        let attachment = netns.run(|| program.attach(index, flag));
        let attached = AttachedProgram { mode, program_id: program.id() };
        assert_eq!(link(&netns, "left").xdp, [attached]);

        let text = list::interfaces(
            &netns.run(Link::all).unwrap(),
            |id| (id == program.id()).then(|| "pass".to_owned()),
            |_| vec![],
        );
        let expected = format!("driver veth, XDP {mode}: program {} \"pass\"", program.id());
        let line = text.lines().find(|line| line.starts_with(&format!("{index}.left "))).unwrap();
        assert!(line.contains("[Up, Running]") && line.ends_with(&expected), "{line}");
        drop(attachment);
        eventually(|| link(&netns, "left").xdp.is_empty());
    }
}

#[test]
fn promiscuity_is_counted_up_and_back_down() {
    let (netns, _peer) = NetNs::pair("left", "right");
    let count = || {
        let details = netns.ip(["-d", "link", "show", "left"]);
        let mut words = details.split_whitespace().skip_while(|word| *word != "promiscuity").skip(1);
        words.next().unwrap().parse::<u32>().unwrap()
    };
    let index = link(&netns, "left").index;
    assert_eq!(count(), 0);
    let first = netns.run(|| Promiscuous::enter(index)).unwrap();
    let second = netns.run(|| Promiscuous::enter(index)).unwrap();
    assert_eq!(count(), 2);
    drop(first);
    eventually(|| count() == 1);
    drop(second);
    eventually(|| count() == 0);

    let error = netns.run(|| Promiscuous::enter(4_000_000)).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
}

/// Waits for announcements like the capture loop, then reads them.
fn next_changes(monitor: &mut Monitor) -> Vec<LinkChange> {
    assert!(readable(monitor, 5000), "nothing announced within five seconds");
    monitor.changes().unwrap().into_iter().map(|(_, change)| change).collect()
}

fn readable(monitor: &Monitor, timeout_ms: i32) -> bool {
    let mut poll = libc::pollfd { fd: monitor.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: the pointer refers to one pollfd, which outlives the call.
    unsafe { libc::poll(&raw mut poll, 1, timeout_ms) > 0 }
}

#[test]
fn monitor_reports_each_change_once() {
    let netns = NetNs::new();
    netns.ip(["link", "add", "eth0", "type", "veth"]);
    netns.ip(["link", "add", "other", "type", "veth"]);
    let eth0 = link(&netns, "eth0");
    let mut monitor = netns.run(|| Monitor::new([eth0])).unwrap();
    assert_eq!(monitor.changes().unwrap(), []);

    for (arguments, change) in [
        ("link set eth0 up", LinkChange::Up),
        ("link set eth0 mtu 9000", LinkChange::Mtu(9000)),
        ("link set eth0 down", LinkChange::Down),
        ("link set eth0 name wan", LinkChange::Renamed("wan".to_owned())),
        ("link delete wan", LinkChange::Deleted),
    ] {
        netns.ip(arguments.split(' '));
        assert_eq!(next_changes(&mut monitor), [change], "{arguments}");
        assert_eq!(monitor.changes().unwrap(), [], "{arguments} again");
    }
    netns.ip(["link", "set", "other", "up"]);
    assert_eq!(next_changes(&mut monitor), [], "not watched");
}

#[test]
fn monitor_reports_what_changed_before_it_began() {
    let netns = NetNs::new();
    netns.ip(["link", "add", "eth0", "type", "veth"]);
    let eth0 = link(&netns, "eth0");
    netns.ip(["link", "set", "eth0", "up"]);
    let mut monitor = netns.run(|| Monitor::new([eth0.clone()])).unwrap();
    assert_eq!(monitor.changes().unwrap(), [(eth0.index, LinkChange::Up)]);
}

#[test]
fn moving_to_another_namespace_is_a_deletion() {
    let (netns, peer) = NetNs::pair("left", "right");
    let left = link(&netns, "left");
    let mut monitor = netns.run(|| Monitor::new([left])).unwrap();
    assert_eq!(monitor.changes().unwrap(), []);
    netns.ip(["link", "set", "left", "netns", peer.name()]);
    assert!(next_changes(&mut monitor).contains(&LinkChange::Deleted));
}

#[test]
fn leaving_a_bridge_is_not_a_deletion() {
    let netns = NetNs::new();
    netns.ip(["link", "add", "br0", "type", "bridge"]);
    netns.ip(["link", "add", "port", "type", "veth"]);
    let port = link(&netns, "port");
    let mut monitor = netns.run(|| Monitor::new([port])).unwrap();
    assert_eq!(monitor.changes().unwrap(), []);
    netns.ip(["link", "set", "port", "master", "br0"]);
    assert_eq!(next_changes(&mut monitor), []);
    netns.ip(["link", "set", "port", "nomaster"]);
    assert_eq!(next_changes(&mut monitor), []);
    netns.ip(["link", "set", "port", "up"]);
    assert_eq!(next_changes(&mut monitor), [LinkChange::Up]);
}

#[test]
fn monitor_survives_more_announcements_than_it_holds() {
    let netns = NetNs::new();
    netns.ip(["link", "add", "eth0", "type", "veth"]);
    let eth0 = link(&netns, "eth0");
    let mut monitor = netns.run(|| Monitor::new([eth0])).unwrap();
    assert_eq!(monitor.changes().unwrap(), []);

    netns.ip_batch(&"link set lo mtu 1500\nlink set lo mtu 1501\n".repeat(1000));
    // The announcement of this change is lost; the change is found by querying the interface.
    netns.ip(["link", "set", "eth0", "mtu", "1280"]);
    assert_eq!(next_changes(&mut monitor), [LinkChange::Mtu(1280)]);
}

#[test]
fn programs_attached_through_links_are_found_by_refreshing() {
    let (netns, _peer) = NetNs::pair("left", "right");
    let left = link(&netns, "left");
    let index = left.index;
    let mut monitor = netns.run(|| Monitor::new([left])).unwrap();
    assert_eq!(monitor.changes().unwrap(), []);

    let program = PassProgram::load();
    let attachment = netns.run(|| program.attach(index, DRIVER_MODE));
    let attached = AttachedProgram { mode: XdpMode::Native, program_id: program.id() };
    assert_eq!(monitor.refresh().unwrap(), [(index, LinkChange::Xdp(vec![attached]))]);
    drop(attachment);
    eventually(|| monitor.refresh().unwrap() == [(index, LinkChange::Xdp(vec![]))]);
}
