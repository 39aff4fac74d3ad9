//! xdpdump in Wireshark's list of interfaces: its calls, captures by the real tshark, and the toolbar. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use xdpdump_testing::{
    capture::xdpdump,
    display::Display,
    extcap::{DISABLE, ERROR, Home, STATUS, Watched},
    files::{self, Contents},
    generator::{self, Generator},
    kernel, load,
    netns::{NetNs, Traces},
    processes::{self, Running},
    scene::Scene,
    skip,
    wait::{self, PATIENCE},
    wire::{self, Wire},
};

/// What tshark says of itself when it runs as root.
fn without_warning(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    text.lines().filter(|line| !line.starts_with("Running as user")).collect::<Vec<_>>().join("\n")
}

/// The line of `tshark -D` that contains `words`.
fn listed(home: &Home, netns: &NetNs, words: &str) -> Option<String> {
    let output = home.command(netns, "tshark").arg("-D").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    list.lines().find(|line| line.contains(words)).map(str::to_owned)
}

/// Runs tshark on `interface` into `file` while numbered frames are sent.
fn tshark(home: &Home, scene: &Scene, interface: &str, arguments: &[&str]) -> Output {
    let mut command = home.command(&scene.right, "tshark");
    command.args(["-i", interface, "-w"]).arg(scene.file()).args(arguments);
    let mut child = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let wire = Wire::open(&scene.left, "left");
    let mut number = 0;
    wait::until(|| {
        wire.send(&wire::numbered(number));
        number = number.wrapping_add(1);
        thread::sleep(Duration::from_millis(5));
        child.has_ended()
    });
    child.output()
}

#[test]
fn tshark_lists_interfaces_that_are_up_each_on_its_line() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let home = Home::new();
    right.ip(["link", "add", "down0", "type", "veth", "peer", "name", "a}{value=b"]);
    right.ip(["link", "set", "a}{value=b", "up"]);
    let line = listed(&home, &right, "xdp:right").unwrap();
    assert!(line.ends_with(". xdp:right (XDP on right (veth))"), "{line}");
    assert!(listed(&home, &right, "xdp:any").is_some());
    assert_eq!(listed(&home, &right, "xdp:down0"), None);
    let line = listed(&home, &right, "a)(value=b").unwrap();
    let index = right.interface_index("a}{value=b");
    assert!(line.ends_with(&format!(". xdp:#{index} (XDP on a)(value=b (veth))")), "{line}");
}

#[test]
fn every_call_but_a_capture_is_fast_and_needs_no_privileges() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = folder.path().join("xdpdump");
    fs::copy(xdpdump(), &program).unwrap();
    for (call, beginning) in [
        (&["--extcap-interfaces", "--extcap-version=4.0"][..], "extcap {version="),
        (&["--extcap-dlts", "--extcap-interface", "xdp:right"], "dlt {number=1}{name=EN10MB}"),
        (&["--extcap-config", "--extcap-interface", "xdp:right"], "arg {number=0}"),
        (&["--extcap-config", "--extcap-interface", "xdp:any"], "arg {number=0}"),
        (
            &["--extcap-config", "--extcap-interface", "xdp:right", "--extcap-reload-option", "program"],
            "value {arg=3}{value=attached}",
        ),
        (&["--extcap-interface", "xdp:right", "--extcap-capture-filter", "tcp port 443"], ""),
        (&["--extcap-interface", "xdp:right", "--extcap-capture-filter", "tcp and and"], "wrong filter: "),
    ] {
        let run = || {
            let mut command = right.command("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]);
            let begin = Instant::now();
            (command.arg(&program).args(call).output().unwrap(), begin.elapsed())
        };
        // The fastest of three, because the machine may be busy.
        let (output, took) = (0..3).map(|_| run()).min_by_key(|(_, took)| *took).unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{call:?}: {:?}", output.stderr);
        assert!(stdout.starts_with(beginning), "{call:?}: {stdout}");
        assert!(!beginning.is_empty() || stdout.is_empty(), "{call:?}: {stdout}");
        assert!(took < Duration::from_millis(100) * wait::slowness(), "{call:?}: {took:?}");
    }
}

#[test]
fn tshark_captures_until_it_has_enough_and_nothing_is_left() {
    let (scene, home) = (Scene::new(), Home::new());
    let output = tshark(&home, &scene, "xdp:right", &["-c", "5", "-f", "ether[14] & 1 = 1"]);
    assert!(output.status.success(), "{output:?}");
    assert!(!without_warning(&output.stderr).contains("Error by extcap"), "{output:?}");
    let contents = files::read(&scene.file());
    assert!(contents.packets.iter().all(|packet| packet.frame[14] & 1 == 1));
    assert_eq!(files::read_by_tshark(&scene.file()), [60; 5]);
    assert_eq!(contents.interfaces[0].filter.as_deref(), Some("ether[14] & 1 = 1"));
    scene.assert_clean();
}

#[test]
fn settings_reach_the_capture() {
    let (scene, home) = (Scene::new(), Home::new());
    let settings = ["-o", "extcap.xdp_right.snapshotlength:20", "-o", "extcap.xdp_right.mode:generic"];
    let output = tshark(&home, &scene, "xdp:right", &[&["-a", "duration:2"][..], &settings].concat());
    assert!(output.status.success(), "{output:?}");
    let contents = files::read(&scene.file());
    assert!(!contents.packets.is_empty(), "{output:?}");
    assert!(contents.packets.iter().all(|packet| packet.frame.len() == 20 && packet.frame_len == 60));
    scene.assert_clean();
}

#[test]
fn an_interface_with_an_odd_name_is_captured_by_its_number() {
    let (scene, home) = (Scene::new(), Home::new());
    let index = scene.right.interface_index("right");
    // Before Linux 6.2, only an interface that is down gets another name.
    scene.right.ip(["link", "set", "right", "down"]);
    scene.right.ip(["link", "set", "right", "name", "a}{b"]);
    scene.right.ip(["link", "set", "a}{b", "up"]);
    let output = tshark(&home, &scene, &format!("xdp:#{index}"), &["-c", "3"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(files::read(&scene.file()).interfaces[0].name.as_deref(), Some("a}{b"));
    wait::until_equal(&Traces::default(), || scene.right.traces("a}{b"));
}

#[test]
fn a_wrong_filter_and_a_refused_capture_are_shown_in_our_words() {
    let (scene, home) = (Scene::new(), Home::new());
    for (arguments, words) in [
        (&["-f", "tcp and and"][..], "wrong filter: no primitive begins with 'and'"),
        (&["-o", "extcap.xdp_right.at:exit"], "right runs no XDP program, so there is no exit to capture at"),
        (&["-o", "extcap.xdp_right.mode:hardware"], "xdpdump: "),
    ] {
        let output = tshark(&home, &scene, "xdp:right", arguments);
        let stderr = without_warning(&output.stderr);
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        scene.assert_clean();
    }
}

/// Starts tshark, and waits until its capture is attached.
fn start_tshark(home: &Home, scene: &Scene) -> Running {
    let mut command = home.command(&scene.right, "tshark");
    command.args(["-i", "xdp:right", "-w"]).arg(scene.file()).stdout(Stdio::null()).stderr(Stdio::null());
    let tshark = Running::start(&mut command);
    wait::until(|| scene.right.traces("right").xdp && scene.file().exists());
    tshark
}

#[test]
fn however_wiresharks_programs_end_nothing_is_left() {
    let (scene, home) = (Scene::new(), Home::new());
    for (program, signal) in [
        ("tshark", libc::SIGINT),
        ("tshark", libc::SIGTERM),
        ("tshark", libc::SIGKILL),
        ("dumpcap", libc::SIGKILL),
        ("xdpdump", libc::SIGKILL),
    ] {
        let _ = fs::remove_file(scene.file());
        let tshark = start_tshark(&home, &scene);
        let pid = tshark.pid();
        let victim = if program == "tshark" { pid } else { child_named(pid, program) };
        let started = Instant::now();
        processes::signal(victim, signal);
        // No packet arrives through which the tool could notice. That tshark is gone dumpcap only notices by one.
        let wire = (victim == pid && signal == libc::SIGKILL).then(|| Wire::open(&scene.left, "left"));
        let mut was = scene.right.traces("right");
        wait::until(|| {
            if let Some(wire) = &wire {
                wire.send(&wire::numbered(0));
            }
            was = scene.right.traces("right");
            was == Traces::default() || started.elapsed() > PATIENCE / 2
        });
        assert_eq!(was, Traces::default(), "{program} got signal {signal}");
        // Of a killed capture program, tshark may wait for more.
        drop(tshark);
        scene.assert_clean();
    }
}

/// A child process that runs this program.
fn child_named(parent: i32, name: &str) -> i32 {
    let is_it =
        |child: &i32| fs::read_to_string(format!("/proc/{child}/comm")).is_ok_and(|comm| comm.trim() == name);
    let mut child = None;
    wait::until(|| {
        child = processes::children(parent).into_iter().find(is_it);
        child.is_some()
    });
    child.unwrap()
}

#[test]
fn wireshark_captures_with_its_toolbar_and_stops_by_itself() {
    if wait::slowness() > 1 {
        return skip::because("Wireshark takes minutes to start on an emulated CPU");
    }
    let (scene, home, display) = (Scene::new(), Home::new(), Display::new());
    let mut command = home.command(&scene.right, "wireshark");
    command.args(["-k", "-i", "xdp:right", "-a", "duration:3", "-w"]).arg(scene.file());
    display.show(&mut command, home.path());
    let wireshark = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    wait::until(|| scene.right.traces("right").xdp);
    let tool = child_named(wireshark.pid(), "xdpdump");
    let arguments = fs::read_to_string(format!("/proc/{tool}/cmdline")).unwrap();
    assert!(arguments.contains("--extcap-control-in") && arguments.contains("--extcap-control-out"));
    scene.send_numbered(20);
    // Without anybody's doing.
    scene.assert_clean();
    drop(wireshark);
    assert_eq!(files::read(&scene.file()).packets.len(), 20);
}

/// Accepts the frames of a generator whose number is divisible by this.
fn divisible_by(divisor: u32) -> String {
    format!("(ether[52] + ether[53] * 256 + ether[54] * 65536) % {divisor} = 0")
}

/// The same, with more nested brackets than the kernel program has room for.
fn divisible_in_user_space(divisor: u32) -> String {
    let zero = "ether[0] - ether[0]";
    let sum = (0..20).fold("ether[52]".to_owned(), |inside, _| format!("({zero} + {inside})"));
    format!("({sum} + ether[53] * 256 + ether[54] * 65536) % {divisor} = 0")
}

fn contents(folder: &Path, packets: &[u8]) -> Contents {
    let path = folder.join("watched.pcapng");
    fs::write(&path, packets).unwrap();
    files::read_by_tshark(&path);
    files::read(&path)
}

#[test]
fn the_toolbar_exchanges_the_filter_under_load_and_every_frame_is_accounted_for() {
    let filters = [
        divisible_by(2),
        divisible_by(3),
        divisible_in_user_space(5),
        divisible_by(2),
        String::new(),
        divisible_in_user_space(3),
        divisible_by(5),
    ];
    for transport in kernel::transports() {
        for mode in ["native", "generic"] {
            let (sender, receiver) = NetNs::quiet_pair("left", "right");
            let settings = ["--transport", transport, "--mode", mode, "--buffer-mib", "64"];
            let first = ["--extcap-capture-filter", &filters[0]];
            let mut watched = Watched::start(&receiver, &[&settings[..], &first].concat());
            receiver.execute("ethtool", &["-K", "right", "gro", "on"]);
            let before = load::received(&receiver, "right");
            let generator = Generator::new(sender.interface_index("left"), wire::frame(60, b""));
            for filter in &filters {
                watched.filter(filter);
                sender.run(|| generator.send_paced(50_000 / wait::slowness(), Duration::from_millis(200)));
            }
            let arrived = load::settled(|| load::received(&receiver, "right")) - before;
            let (ended, packets, log) = watched.stop();
            assert!(ended.status.success() && ended.stderr.is_empty(), "{}", ended.stderr);

            let folder = tempfile::tempdir().unwrap();
            let contents = contents(folder.path(), &packets);
            let numbers: Vec<_> = contents.frames().into_iter().map(generator::number).collect();
            let different: BTreeSet<_> = numbers.iter().copied().collect();
            assert_eq!(different.len(), numbers.len(), "no frame came twice");
            let missing = (0..generator.sent()).step_by(30).filter(|number| !different.contains(number));
            let not_received = generator.sent() - arrived;
            assert!(missing.count() as u64 <= not_received, "frames that every filter accepts are missing");
            // A number that no filter accepts was captured while there was none; before and after it, each was in force.
            let is_of = |number: &u64, divisor: u64| number.is_multiple_of(divisor);
            let without_filter = |number: &u64| [2, 3, 5].iter().all(|divisor| !is_of(number, *divisor));
            let first = numbers.iter().position(without_filter).unwrap();
            let last = numbers.iter().rposition(without_filter).unwrap();
            for (part, divisors) in [(&numbers[..first], &[2, 3, 5][..]), (&numbers[last + 1..], &[3, 5])] {
                for divisor in divisors {
                    let only = |number: &u64| {
                        [2, 3, 5].iter().all(|other| is_of(number, *other) == (other == divisor))
                    };
                    assert!(part.iter().any(only), "the filter for {divisor} was in force");
                }
            }
            let [statistics] = contents.statistics[..] else { panic!("{:?}", contents.statistics) };
            assert_eq!(statistics.received, arrived, "{transport} {mode}");
            assert_eq!(
                (statistics.accepted, statistics.delivered, statistics.dropped),
                (numbers.len() as u64, numbers.len() as u64, 0),
                "{transport} {mode}: {log:?}"
            );
            assert_eq!(contents.interfaces[0].filter, None, "the file names no filter that changes");
            wait::until_equal(&Traces::default(), || receiver.traces("right"));
        }
    }
}

#[test]
fn frames_that_are_sent_get_the_new_filter_too() {
    let scene = Scene::new();
    let mut watched = Watched::start(&scene.right, &["--direction", "inout"]);
    let send = |netns: &NetNs, interface: &str| {
        let wire = Wire::open(netns, interface);
        (0..10).for_each(|number| wire.send(&wire::numbered(number)));
    };
    send(&scene.left, "left");
    send(&scene.right, "right");
    watched.filter("ether[14] = 3");
    send(&scene.left, "left");
    send(&scene.right, "right");
    let (_, packets, _) = watched.stop();
    let contents = contents(scene.directory.path(), &packets);
    assert_eq!(contents.packets.len(), 2 * (10 + 1));
    for interface in [0, 1] {
        let mut of_it = contents.packets.iter().filter(|packet| packet.interface == interface);
        assert_eq!(of_it.next_back().unwrap().frame[14], 3);
    }
}

#[test]
fn a_wrong_filter_is_shown_and_the_one_before_stays_in_force() {
    let scene = Scene::new();
    let mut watched = Watched::start(&scene.right, &["--extcap-capture-filter", "ether[14] < 3"]);
    for (wrong, words) in [
        ("tcp and and", "wrong filter: no primitive begins with 'and'\n  tcp and and\n          ^^^"),
        ("port nonsense", "nonsense"),
    ] {
        watched.set(0, wrong);
        let error = watched.wait_for(|message| message.command == ERROR && message.text.contains(words));
        assert!(error.text.ends_with("The filter before stays in force."), "{error:?}");
    }
    scene.send_numbered(10);
    let (_, packets, log) = watched.stop();
    assert_eq!(contents(scene.directory.path(), &packets).packets.len(), 3);
    assert!(
        log.iter().any(|line| line.starts_with("the filter before stays in force: wrong filter")),
        "{log:?}"
    );
}

/// A capture has given up most of its rights by then.
#[test]
fn a_filter_with_names_is_exchanged_too() {
    let scene = Scene::new();
    let mut watched = Watched::start(&scene.right, &[]);
    watched.filter("tcp port https or host localhost or ether[14] = 3");
    scene.send_numbered(10);
    let (_, packets, log) = watched.stop();
    assert_eq!(contents(scene.directory.path(), &packets).packets.len(), 1, "{log:?}");
}

#[test]
fn the_toolbar_shows_what_there_is_and_counts() {
    let scene = Scene::new();
    let mut watched = Watched::start(&scene.right, &["--extcap-capture-filter", "ether[14] < 3"]);
    let filter = watched.wait_for(|message| message.control == 0);
    assert_eq!(filter.text, "ether[14] < 3");
    watched.wait_for(|message| message.control == 1 && message.command == DISABLE);
    scene.send_numbered(10);
    let is_count = |text: &str| text.starts_with("XDP: 3 captured, 0 lost, ") && text.ends_with(" packets/s");
    watched.wait_for(|message| message.command == STATUS && is_count(&message.text));
    // Not for each packet.
    let statuses = watched.messages.iter().filter(|message| message.command == STATUS).count();
    assert!(statuses < 60, "{statuses}");
    let (ended, _, log) = watched.stop();
    assert!(ended.stderr.is_empty(), "{}", ended.stderr);
    assert!(log.contains(&"3 packets captured".to_owned()), "{log:?}");
}

#[test]
fn a_filter_that_no_frame_can_match_is_refused_and_the_verdict_all_is_every_frame() {
    let scene = Scene::new();
    let mut watched = Watched::start(&scene.right, &["--extcap-capture-filter", "ether[14] < 3"]);
    watched.set(1, "drop");
    let error = watched.wait_for(|message| message.command == ERROR);
    assert!(error.text.starts_with("no frame that is captured on right can match the filter"), "{error:?}");
    scene.send_numbered(5);
    watched.set(1, "all");
    watched.wait_for(|message| message.text == "XDP filter from now on: ether[14] < 3");
    watched.set(0, "");
    watched.wait_for(|message| message.text == "XDP filter from now on: every frame");
    scene.send_numbered(7);
    let (_, packets, _) = watched.stop();
    assert_eq!(contents(scene.directory.path(), &packets).packets.len(), 3 + 7);
}

#[test]
fn a_toolbar_that_nobody_reads_does_not_stop_a_capture() {
    let scene = Scene::new();
    let mut watched = Watched::start(&scene.right, &[]);
    // The answers fill the pipe.
    for _ in 0..50 {
        watched.set(0, &format!("tcp and {} and", "x".repeat(1000)));
        thread::sleep(Duration::from_millis(20));
    }
    watched.set(0, "ether[14] < 3");
    thread::sleep(Duration::from_millis(300));
    scene.send_numbered(10);
    let (ended, packets, _) = watched.stop();
    assert!(ended.status.success(), "{}", ended.stderr);
    assert_eq!(contents(scene.directory.path(), &packets).packets.len(), 3);
}

#[test]
fn control_pipes_that_are_none_are_refused() {
    let scene = Scene::new();
    let file = scene.directory.path().join("file");
    fs::write(&file, "precious").unwrap();
    let mut command: Command = scene.right.command(xdpdump());
    command.args(["--capture", "--extcap-interface", "xdp:right", "--fifo"]).arg(scene.file());
    let output = command.arg("--extcap-control-out").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("is no named pipe, which a control pipe has to be"), "{stderr}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    scene.assert_clean();
}
