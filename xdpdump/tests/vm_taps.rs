//! Captures at the entry and exit of an XDP program of somebody else. Needs a virtual machine, because not every kernel allows
//! tracing programs: `cargo xtask vm-test`.

use std::{collections::BTreeMap, time::Duration};

use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    extcap::{STATUS, Watched},
    files::{self, Contents, Recorded},
    generator::{self, Exception, Generator},
    kernel,
    netns::{self, NetNs},
    objects::Objects,
    observed::{self, Attachment, Observed, Runs},
    scene::Scene,
    skip, vm, wait,
    wire::{self, Wire},
    xdp::{DRIVER_MODE, PassProgram, SKB_MODE},
};

/// The names of verdicts, by number.
const VERDICTS: [&str; 5] = ["aborted", "drop", "pass", "tx", "redirect"];

/// Attaches a program to `right`.
fn attach(scene: &Scene, program: &Observed, mode: u32) -> Attachment {
    let index = scene.right.interface_index("right");
    scene.right.run(|| program.attach(index, mode))
}

/// The id of the program on an interface.
fn attached(netns: &NetNs, interface: &str) -> Option<u32> {
    let details = netns.ip(["-d", "link", "show", interface]);
    let mut words = details.split_whitespace().skip_while(|word| !word.starts_with("prog/xdp")).skip(2);
    words.next().and_then(|id| id.parse().ok())
}

/// Sends frames that the program decides about, `rounds` of each verdict with and without rewriting; returns them.
fn send_each(scene: &Scene, len: usize, rounds: u64) -> Vec<Vec<u8>> {
    let wire = Wire::open(&scene.left, "left");
    let mut frames = Vec::new();
    for number in 0..rounds * 10 {
        let frame = observed::frame(len, (number % 5) as u8, number % 2 == 1, number);
        wire.send(&frame);
        frames.push(frame);
    }
    frames
}

/// The packets of an interface in a file.
fn of(contents: &Contents, interface: u32) -> Vec<&Recorded> {
    contents.packets.iter().filter(|packet| packet.interface == interface).collect()
}

/// Asserts that each packet of the first interface is the entry of the packet with the same id of the second one, and that the
/// latter was captured later, with the verdict that the frame asks for and as the program left it.
fn assert_pairs(contents: &Contents) {
    let [entries, exits] = [0, 1].map(|interface| {
        let packets = of(contents, interface).into_iter();
        packets.map(|packet| (packet.meta.packet_id.expect("an id"), packet)).collect::<BTreeMap<_, _>>()
    });
    assert_eq!(entries.len(), of(contents, 0).len(), "ids are unique");
    assert_eq!(exits.len(), of(contents, 1).len(), "ids are unique");
    assert_eq!(entries.keys().collect::<Vec<_>>(), exits.keys().collect::<Vec<_>>());
    for (id, entry) in entries {
        let exit = exits[&id];
        assert_eq!(entry.meta.verdict, None);
        assert_eq!(exit.meta.verdict, Some(entry.frame[14].into()));
        assert_eq!(exit.frame, observed::rewritten(&entry.frame));
        assert!(entry.time <= exit.time);
    }
}

/// The line with the verdicts, without the name of the program.
fn verdicts(ended: &Ended) -> &str {
    let mut lines = ended.stderr.lines().filter_map(|line| line.strip_prefix("verdicts of "));
    let line = lines.next().unwrap_or_else(|| panic!("no verdicts in:\n{}", ended.stderr));
    line.split_once(": ").map_or(line, |(_, verdicts)| verdicts)
}

/// The sentence of a capture of `right` that cannot begin.
fn refusal(scene: &Scene, options: &[&str]) -> String {
    let mut command = scene.right.command(xdpdump());
    let ended = Capture::spawn(command.args(["-i", "right", "-w", "/dev/null"]).args(options)).wait();
    ended.failure().to_owned()
}

#[test]
fn every_frame_is_captured_at_entry_and_exit_with_its_verdict() {
    vm::required();
    for (mode, name) in [(DRIVER_MODE, "native"), (SKB_MODE, "generic (SKB)")] {
        let scene = Scene::new();
        let program = Observed::decides("a_filter_with_a_long_name");
        let (id, tag) = (program.id(), program.tag());
        let _attachment = attach(&scene, &program, mode);
        let mut command = scene.right.command(xdpdump());
        let file = scene.file();
        command.args(["-i", "right", "--at", "both", "-w"]).arg(&file);
        let mut capture = Capture::spawn(&mut command);
        capture.wait_for(&format!(
            "right runs the XDP program a_filter_with_a_long_name (id {id}): capturing at its entry and exit"
        ));
        let line = capture.wait_for("listening on right (exit)");
        assert!(line.ends_with(&format!("{name} mode, direction in")), "{line}");

        let frames = send_each(&scene, 100, 10);
        let ended = capture.stop();
        assert_eq!(ended.totals(), Totals::exact(200, 0));
        assert_eq!(verdicts(&ended), "20 aborted, 20 drop, 20 pass, 20 tx, 20 redirect");

        let contents = files::read(&scene.file());
        let names: Vec<_> =
            contents.interfaces.iter().map(|interface| interface.name.clone().unwrap()).collect();
        assert_eq!(names, ["right", "right (exit)"]);
        for (interface, place) in contents.interfaces.iter().zip(["entry", "exit"]) {
            let wanted = format!("{place} of the XDP program a_filter_with_a_long_name (id {id})");
            assert_eq!(interface.description, Some(wanted));
        }
        let entries: Vec<_> = of(&contents, 0).into_iter().map(|packet| packet.frame.clone()).collect();
        assert_eq!(entries, frames);
        assert_pairs(&contents);
        let statistics: Vec<_> = contents.statistics.iter().map(|totals| totals.delivered).collect();
        assert_eq!(statistics, [100, 100]);

        assert_eq!((program.id(), program.tag()), (id, tag), "the program is as it was");
        assert_eq!(attached(&scene.right, "right"), Some(id));
    }
}

#[test]
fn under_a_flood_nothing_is_lost_unaccounted() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::decides("decides");
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let frame = observed::frame(100, 1, false, 0);
    let rewritten_pass = Exception { every: 3, at: 14, byte: 2 };
    let generator = Generator::with_exception(scene.left.interface_index("left"), frame, rewritten_pass);

    let capture = scene.capture(&["--at", "both"]);
    let per_second = 100_000 / wait::slowness();
    scene.left.run(|| generator.send_paced(per_second, Duration::from_secs(2)));
    let paced = generator.sent();
    assert_eq!(scene.arrived(), paced);
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(2 * paced, 0));
    let contents = files::read(&scene.file());
    assert_pairs(&contents);
    let numbers: Vec<_> =
        of(&contents, 0).into_iter().map(|packet| generator::number(&packet.frame)).collect();
    assert!(numbers.into_iter().eq(0..paced), "each frame once, in order");
    let passed = generator.exceptions();
    let wanted = format!("{} drop, {passed} pass", paced - passed);
    assert_eq!(verdicts(&ended), wanted);

    // Full speed into small rings, with beginning and end in the middle.
    scene.load(|| {
        let capture = scene.capture(&["--at", "both", "-B", "64"]);
        std::thread::sleep(Duration::from_secs(2));
        let ended = capture.stop();
        let captured = ended.accounted();
        let contents = files::read(&scene.file());
        assert_eq!(contents.packets.len() as u64, captured);
        let (entry, exit) = (&contents.statistics[0], &contents.statistics[1]);
        assert!(entry.received > 0 && entry.received.abs_diff(exit.received) <= 2, "{entry:?} {exit:?}");
        for totals in &contents.statistics {
            assert_eq!(totals.received, totals.delivered + totals.dropped);
        }
    });
    assert_eq!(attached(&scene.right, "right"), Some(program.id()));
}

/// Each program runs once for each frame, and the observed one gets slower only by what the others take. That is the smallest
/// of several rounds, because a machine that emulates CPUs is interrupted.
#[test]
fn the_observed_program_takes_longer_only_by_what_is_captured() {
    vm::required();
    vm::write("/proc/sys/kernel/bpf_stats_enabled", "1");
    let scene = Scene::new();
    let program = Observed::always("pass", 2);
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let generator = Generator::unhurried(scene.left.interface_index("left"), vec![0xee; 60]);
    // The nanoseconds of one run of each of these programs.
    let measure = |count: &dyn Fn() -> Vec<Runs>| {
        let mut least = Vec::new();
        for _ in 0..5 {
            let (before, frames) = (count(), scene.arrived());
            scene.left.run(|| generator.send(2000));
            let frames = scene.arrived() - frames;
            let each = before.iter().zip(count()).map(|(before, after)| {
                assert_eq!(after.count - before.count, frames, "a run for each frame");
                (after.time - before.time) / frames
            });
            least.push(each.collect::<Vec<_>>());
        }
        (0..least[0].len()).map(|program| least.iter().map(|round| round[program]).min().unwrap()).collect()
    };
    let alone: Vec<u64> = measure(&|| vec![program.runs()]);
    let capture = scene.capture(&["--at", "both"]);
    let beside: Vec<u64> = measure(&|| {
        let taps = Objects::runs_of_process(capture.pid());
        assert_eq!(taps.len(), 2, "one at each point");
        [vec![program.runs()], taps].concat()
    });
    capture.stop();
    let (grown, taps) = (beside[0].saturating_sub(alone[0]), beside[1] + beside[2]);
    println!(
        "a frame takes {} ns, and {grown} ns more with a capture whose programs take {taps} ns",
        alone[0]
    );
    assert!(grown < 2 * taps, "{alone:?} {beside:?}");
    vm::write("/proc/sys/kernel/bpf_stats_enabled", "0");
}

#[test]
fn thousands_of_frames_of_each_size_arrive_at_both_points() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::decides("decides");
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    for len in [98, 554, 1514] {
        let frame = observed::frame(len, 2, true, 0);
        let generator = Generator::new(scene.left.interface_index("left"), frame);
        let before = scene.arrived();
        let capture = scene.capture(&["--at", "both"]);
        let per_second = 20_000 / wait::slowness();
        scene.left.run(|| generator.send_paced(per_second, Duration::from_secs(1)));
        let sent = generator.sent();
        assert_eq!(scene.arrived() - before, sent);
        let ended = capture.stop();
        assert_eq!(ended.totals(), Totals::exact(2 * sent, 0), "{len}");
        let contents = files::read(&scene.file());
        assert_pairs(&contents);
        assert!(contents.packets.iter().all(|packet| packet.frame.len() == len));
        let numbers: Vec<_> =
            of(&contents, 0).into_iter().map(|packet| generator::number(&packet.frame)).collect();
        assert!(numbers.into_iter().eq(0..sent), "each frame once, in order");
        assert_eq!(verdicts(&ended), format!("{sent} pass"));
    }
}

#[test]
fn other_tools_read_verdict_id_and_queue() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::decides("decides");
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let capture = scene.capture(&["--at", "both", "-s", "21", "--full"]);
    send_each(&scene, 100, 1);
    capture.stop().totals();
    let fields = [
        "frame.interface_name",
        "frame.interface_queue",
        "frame.packet_id",
        "frame.verdict.ebpf_xdp",
        "frame.cap_len",
        "frame.len",
    ];
    let rows = files::fields_by_tshark(&scene.file(), &fields);
    assert_eq!(rows.len(), 20);
    for (pair, verdict) in rows.chunks(2).zip((0..5).cycle()) {
        let [entry, exit] = pair else { panic!("{pair:?}") };
        assert_eq!(entry[2], exit[2], "the packet id");
        assert!(!entry[2].is_empty());
        assert_eq!([&entry[0], &entry[1], &entry[3], &entry[4], &entry[5]], ["right", "0", "", "21", "100"]);
        let verdict = verdict.to_string();
        assert_eq!(
            [&exit[0], &exit[1], &exit[3], &exit[4], &exit[5]],
            ["right (exit)", "0", &verdict, "21", "100"]
        );
    }
}

#[test]
fn text_shows_the_verdict() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::decides("decides");
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let capture = scene.capture(&["--at", "both"]);
    send_each(&scene, 60, 1);
    capture.stop().totals();
    let text = scene.right.execute(xdpdump(), &["-r", scene.file().to_str().unwrap(), "-t", "-e"]);
    // Below each line are the bytes of the frame, which nothing decodes.
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('\t')).collect();
    let exits: Vec<_> = lines.iter().filter(|line| line.starts_with('[')).collect();
    assert_eq!((lines.len(), exits.len()), (20, 10), "{text}");
    for (line, verdict) in exits.into_iter().zip(VERDICTS.iter().cycle()) {
        assert!(line.starts_with(&format!("[{verdict}] ")), "{line}");
    }
    // Every other frame was rewritten.
    let text = scene.right.execute(xdpdump(), &["-r", scene.file().to_str().unwrap(), "-x"]);
    let changes: Vec<_> = text.lines().filter(|line| line.contains("changed")).collect();
    assert_eq!(changes, ["\tchanged: 0x0010"; 5], "{text}");
}

#[test]
fn a_filter_can_ask_for_the_verdict() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::decides("decides");
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let capture = scene.capture(&["--at", "exit", "verdict drop and ether[15] = 1"]);
    send_each(&scene, 60, 10);
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(10, 0));
    assert_eq!(ended.count("not accepted by the filter"), Some(90));
    assert_eq!(verdicts(&ended), "10 drop");
    let contents = files::read(&scene.file());
    assert!(contents.packets.iter().all(|packet| packet.frame[16] == observed::REWRITTEN));
    assert_eq!(contents.interfaces[0].name.as_deref(), Some("right (exit)"));

    let said = refusal(&scene, &["verdict drop"]);
    assert!(said.contains("--at exit"), "{said}");
}

#[test]
fn frames_in_several_buffers_are_whole() {
    vm::required();
    if !kernel::has_multi_buffer() {
        return skip::because("frames in several buffers take Linux 5.18");
    }
    let scene = Scene::new();
    for (netns, interface) in [(&scene.left, "left"), (&scene.right, "right")] {
        netns.ip(["link", "set", interface, "mtu", "9000"]);
    }
    let program = Observed::decides_frags("decides");
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let capture = scene.capture(&["--at", "both"]);
    let frames = send_each(&scene, 9014, 2);
    assert_eq!(capture.stop().totals(), Totals::exact(40, 0));
    let contents = files::read(&scene.file());
    let entries: Vec<_> = of(&contents, 0).into_iter().map(|packet| packet.frame.clone()).collect();
    assert!(entries == frames, "lengths {:?}", entries.iter().map(Vec::len).collect::<Vec<_>>());
    assert_pairs(&contents);
}

#[test]
fn programs_of_a_dispatcher_are_chosen_by_name_or_id() {
    vm::required();
    if !kernel::is_at_least(5, 13) {
        return skip::because("before Linux 5.13 the kernel does not tell which program is in a slot");
    }
    let scene = Scene::new();
    let dispatcher = Observed::dispatcher();
    let (first, _first_link) = dispatcher.fill_slot(0, "first_program_with_a_long_name", 2);
    let (second, _second_link) = dispatcher.fill_slot(1, "first_program_with_another_name", 1);
    let _attachment = attach(&scene, &dispatcher, DRIVER_MODE);
    let ids = [&dispatcher, &first, &second].map(Observed::id);

    let list = scene.right.execute(xdpdump(), &["-D"]);
    let wanted = format!(
        "program {} \"test_dispatcher\" calls {} \"first_program_with_a_long_name\" and {} \
         \"first_program_with_another_name\"",
        ids[0], ids[1], ids[2]
    );
    assert!(list.contains(&wanted), "{list}");

    for (program, id, verdict) in [
        (None, ids[0], 1),
        (Some("test_dispatcher".to_owned()), ids[0], 1),
        (Some("first_program_with_a_long_name".to_owned()), ids[1], 2),
        (Some(ids[2].to_string()), ids[2], 1),
    ] {
        let options: Vec<_> = program.iter().flat_map(|program| ["--program", program]).collect();
        let capture = scene.capture(&[&["--at", "both"][..], &options].concat());
        scene.send_numbered(10);
        assert_eq!(capture.stop().totals(), Totals::exact(20, 0), "{options:?}");
        let contents = files::read(&scene.file());
        let description = contents.interfaces[1].description.clone().unwrap();
        assert!(description.ends_with(&format!("(id {id})")), "{description}");
        assert!(of(&contents, 1).iter().all(|packet| packet.meta.verdict == Some(verdict)), "{options:?}");
    }

    let said = refusal(&scene, &["--program", "first_program_w"]);
    assert!(said.starts_with("several XDP programs on right are called first_program_w: "), "{said}");
    assert!(said.contains(&format!("first_program_with_another_name (id {})", ids[2])), "{said}");
    let said = refusal(&scene, &["--program", "nobody"]);
    assert!(
        said.starts_with("no XDP program on right is called nobody, or has that id; there are "),
        "{said}"
    );
    assert!(said.contains(&format!("test_dispatcher (id {})", ids[0])), "{said}");
}

#[test]
fn a_program_that_is_replaced_or_removed_is_followed() {
    vm::required();
    let scene = Scene::new();
    let [first, second, third] = ["first", "second", "third"].map(|name| Observed::always(name, 2));
    let attachment = attach(&scene, &first, DRIVER_MODE);
    let mut capture = scene.capture(&["--at", "both"]);
    scene.send_numbered(10);
    attachment.replace(&second);
    capture.wait_for(&format!("right runs the XDP program second (id {})", second.id()));
    capture.wait_for("listening on right (exit)");
    scene.send_numbered(20);
    drop(attachment);
    capture.wait_for("right runs no XDP program any more: frames will be captured when one is attached");
    // The interface is free for whoever attaches a program.
    let attachment = attach(&scene, &third, DRIVER_MODE);
    capture.wait_for(&format!("right runs the XDP program third (id {})", third.id()));
    capture.wait_for("listening on right (exit)");
    scene.send_numbered(30);
    assert_eq!(capture.stop().totals(), Totals::exact(120, 0));
    let contents = files::read(&scene.file());
    let counts: Vec<_> = (0..6).map(|interface| of(&contents, interface).len()).collect();
    assert_eq!(counts, [10, 10, 20, 20, 30, 30]);
    for (interface, name) in contents.interfaces.chunks(2).zip(["first", "second", "third"]) {
        let description = interface[1].description.clone().unwrap();
        assert!(description.starts_with(&format!("exit of the XDP program {name} (id ")), "{description}");
    }
    assert_eq!(attached(&scene.right, "right"), Some(third.id()));
    drop(attachment);
}

/// libxdp makes a new dispatcher for every change, others may not.
#[test]
fn a_program_that_its_dispatcher_does_not_call_any_more_is_missed() {
    vm::required();
    if !kernel::is_at_least(5, 13) {
        return skip::because("before Linux 5.13 the kernel does not tell which program is in a slot");
    }
    let scene = Scene::new();
    let dispatcher = Observed::dispatcher();
    let (_first, first_link) = dispatcher.fill_slot(0, "first", 2);
    let attachment = attach(&scene, &dispatcher, DRIVER_MODE);
    let mut capture = scene.capture(&["--at", "both", "--program", "first"]);
    scene.send_numbered(10);
    drop(first_link);
    capture.wait_for("right is not captured: no XDP program on right is called first, or has that id");
    // Another dispatcher calls one of that name.
    let next = Observed::dispatcher();
    let (second, _second_link) = next.fill_slot(1, "first", 2);
    attachment.replace(&next);
    capture.wait_for(&format!("right runs the XDP program first (id {})", second.id()));
    capture.wait_for("listening on right (exit)");
    scene.send_numbered(20);
    assert_eq!(capture.stop().totals(), Totals::exact(60, 0));
}

#[test]
fn any_waits_for_programs_at_whose_exit_to_capture() {
    vm::required();
    let scene = Scene::new();
    scene.right.ip(["link", "add", "other", "type", "dummy"]);
    scene.right.ip(["link", "set", "other", "up"]);
    let program = Observed::always("pass", 1);
    let index = scene.right.interface_index("other");
    let _other = scene.right.run(|| program.attach(index, SKB_MODE));
    let options = ["-i", "any", "--at", "exit", "-w", "/dev/null"];
    let mut capture = Capture::spawn(scene.right.command(xdpdump()).args(options));
    capture.wait_for("right is not captured: right runs no XDP program");
    capture.wait_for("listening on other (exit)");
    scene.send_numbered(5);
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    capture.wait_for("listening on right (exit)");
    scene.send_numbered(7);
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(7, 0));
    assert!(ended.stderr.contains(&format!("verdicts of pass (id {}) on right: 7 drop", program.id())));
}

#[test]
fn one_filter_may_fit_an_interface_with_a_program_only() {
    vm::required();
    let scene = Scene::new();
    scene.right.ip(["link", "add", "other", "type", "dummy"]);
    scene.right.ip(["link", "set", "other", "up"]);
    let program = Observed::always("drops", 1);
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    // Before the program has decided there is no verdict, and where none runs each frame is passed.
    let options = ["-i", "any", "-w", "/dev/null", "verdict", "pass"];
    let mut capture = Capture::spawn(scene.right.command(xdpdump()).args(options));
    let said = capture.wait_for("right is not captured: the filter asks for a verdict");
    assert!(said.contains(&format!("drops (id {})", program.id())), "{said}");
    capture.wait_for("listening on other");
    assert_eq!(capture.stop().totals(), Totals::exact(0, 0));
}

#[test]
fn sent_frames_are_captured_beside_a_program_too() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::always("pass", 2);
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let capture = scene.capture(&["--at", "both", "-Q", "inout"]);
    scene.send_numbered(5);
    let wire = Wire::open(&scene.right, "right");
    (0..3).for_each(|number| wire.send(&wire::numbered(number)));
    assert_eq!(capture.stop().totals(), Totals::exact(13, 0));
    let contents = files::read(&scene.file());
    assert_eq!((0..3).map(|interface| of(&contents, interface).len()).collect::<Vec<_>>(), [5, 5, 3]);

    // The limit counts packets, whatever the point.
    let capture = scene.capture(&["--at", "both", "-c", "3"]);
    scene.send_numbered(5);
    assert_eq!(capture.wait().counts().captured, 3);
    assert_eq!(files::read(&scene.file()).packets.len(), 3);
}

#[test]
fn a_program_in_another_network_namespace_is_captured_beside() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::always("pass", 2);
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let mut command = std::process::Command::new(xdpdump());
    command.args(["--netns", scene.right.name(), "-i", "right", "--at", "both", "-w"]).arg(scene.file());
    let mut capture = Capture::spawn(&mut command);
    capture.wait_for("listening on right (exit)");
    scene.send_numbered(5);
    assert_eq!(capture.stop().totals(), Totals::exact(10, 0));
}

#[test]
fn a_deleted_interface_ends_the_capture() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::always("pass", 2);
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let capture = scene.capture(&["--at", "both"]);
    scene.right.ip(["link", "delete", "right"]);
    assert!(capture.wait().failure().contains("right is gone"));
}

#[test]
fn a_killed_capture_leaves_the_program_as_it_was() {
    vm::required();
    let scene = Scene::new();
    let program = Observed::always("pass", 2);
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    let capture = scene.capture(&["--at", "both"]);
    let objects = Objects::of_process(capture.pid());
    assert_eq!(objects.links.len(), 2);
    capture.signal(libc::SIGKILL);
    capture.wait();
    objects.assert_gone();
    assert_eq!(attached(&scene.right, "right"), Some(program.id()));
    let again = scene.capture(&["--at", "both"]);
    scene.send_numbered(5);
    assert_eq!(again.stop().totals(), Totals::exact(10, 0));
}

#[test]
fn frames_of_another_interface_with_the_same_program_are_left_out() {
    vm::required();
    let (scene, other) = (Scene::new(), Scene::new());
    let program = Observed::always("pass", 2);
    let _attachments = [attach(&scene, &program, DRIVER_MODE), attach(&other, &program, DRIVER_MODE)];
    // Their numbers are the same, each in its own namespace.
    assert_eq!(scene.right.interface_index("right"), other.right.interface_index("right"));
    let capture = scene.capture(&["--at", "both"]);
    scene.send_numbered(7);
    other.send_numbered(30);
    assert_eq!(capture.stop().totals(), Totals::exact(14, 0));
}

#[test]
fn what_cannot_be_observed_is_explained() {
    vm::required();
    let scene = Scene::new();
    assert_eq!(
        refusal(&scene, &["--at", "exit"]),
        "right runs no XDP program, so there is no exit to capture at: leave --at out"
    );
    assert_eq!(refusal(&scene, &["--program", "x"]), "right runs no XDP program: leave --program out");
    // A program of its own is at the entry of the stack.
    let capture = scene.capture(&["--at", "entry"]);
    scene.send_numbered(3);
    assert_eq!(capture.stop().totals(), Totals::exact(3, 0));

    let program = PassProgram::load();
    let index = scene.right.interface_index("right");
    let attachment = scene.right.run(|| program.attach(index, DRIVER_MODE));
    let said = refusal(&scene, &[]);
    assert!(said.starts_with("right has an XDP program already: id "), "{said}");
    assert!(said.contains("; it was left alone. Nothing can be captured beside it: pass (id "), "{said}");
    assert!(said.contains("has no BTF"), "{said}");
    drop(attachment);

    let program = Observed::always("pass", 2);
    let _attachment = attach(&scene, &program, DRIVER_MODE);
    assert_eq!(
        refusal(&scene, &["--transport", "ring"]),
        "a program beside another XDP program cannot write to mapped rings: leave --transport out"
    );
    let said = refusal(&scene, &["-S"]);
    assert!(said.starts_with("right has an XDP program already: "), "{said}");
}

#[test]
fn a_program_of_xdp_tools_is_captured_beside() {
    vm::required();
    if !kernel::is_at_least(5, 13) {
        return skip::because(
            "before Linux 5.13 libxdp cannot use a dispatcher, and the kernel does not tell what is in a slot",
        );
    }
    let scene = Scene::new();
    // It drops what comes from this address, and passes everything else.
    xdp_filter(&scene, &["load", "--mode", "native", "right"]);
    xdp_filter(&scene, &["ether", "--mode", "src", "02:00:00:00:00:02"]);
    let list = scene.right.execute(xdpdump(), &["-D"]);
    let line = list.lines().find(|line| line.contains(".right ")).expect("the interface");
    assert!(line.contains("\"xdp_dispatcher\" calls ") && line.contains("\"xdpfilt_"), "{line}");

    for options in [&["--at", "both"][..], &["--at", "both", "--program", called(line)]] {
        let capture = scene.capture(options);
        let wire = Wire::open(&scene.left, "left");
        for number in 0..20 {
            let mut frame = observed::frame(60, 0, false, number);
            frame[11] = 2 + (number % 2) as u8;
            wire.send(&frame);
        }
        let ended = capture.stop();
        assert_eq!(ended.totals(), Totals::exact(40, 0), "{options:?}");
        assert_eq!(verdicts(&ended), "10 drop, 10 pass", "{options:?}");
        let contents = files::read(&scene.file());
        for packet in of(&contents, 1) {
            let verdict = if packet.frame[11] == 2 { 1 } else { 2 };
            assert_eq!(packet.meta.verdict, Some(verdict));
        }
    }
    xdp_filter(&scene, &["unload", "right"]);
    assert_eq!(attached(&scene.right, "right"), None);
}

/// Runs xdp-filter in the namespace of `right`, with the machine's `/sys`: what it pins there has to stay.
fn xdp_filter(scene: &Scene, arguments: &[&str]) {
    let namespace = format!("--net=/run/netns/{}", scene.right.name());
    netns::run("nsenter", [&[namespace.as_str(), "xdp-filter"], arguments].concat());
}

/// The name of the program that a dispatcher calls, from its line in the list of interfaces.
fn called(line: &str) -> &str {
    let calls = line.split_once(" calls ").map_or("", |(_, calls)| calls);
    calls.split('"').nth(1).unwrap_or_default()
}

#[test]
fn wiresharks_toolbar_chooses_verdicts_while_the_capture_runs() {
    vm::required();
    for (at, of_it) in [("exit", 0), ("both", 1)] {
        let scene = Scene::new();
        let program = Observed::decides("decides");
        let _attachment = attach(&scene, &program, DRIVER_MODE);
        let settings = ["--at", at, "--snapshot-length", "40"];
        let mut watched = Watched::start(&scene.right, &settings);
        let choose = |watched: &mut Watched, control, value, filter: &str| {
            let wanted = format!("XDP filter from now on: {filter}");
            watched.set(control, value);
            watched.wait_for(|message| message.command == STATUS && message.text == wanted);
        };
        send_each(&scene, 100, 10);
        choose(&mut watched, 1, "drop", "verdict drop");
        send_each(&scene, 100, 10);
        // The filter looks at a byte behind the snapshot length: the lowest one of the frame's number.
        choose(&mut watched, 0, "ether[92] < 50", "(ether[92] < 50) and verdict drop");
        send_each(&scene, 100, 10);
        choose(&mut watched, 1, "all", "ether[92] < 50");
        send_each(&scene, 100, 10);
        let (ended, packets, log) = watched.stop();
        assert!(ended.status.success() && ended.stderr.is_empty(), "{}", ended.stderr);
        std::fs::write(scene.file(), packets).unwrap();
        let contents = files::read(&scene.file());
        let exits = of(&contents, of_it);
        assert_eq!(exits.len(), 100 + 20 + 10 + 50, "{at}: {log:?}");
        assert!(exits.iter().all(|packet| packet.frame.len() == 40 && packet.frame_len == 100));
        assert!(exits[100..130].iter().all(|packet| packet.meta.verdict == Some(1)));
        let totals = contents.statistics[of_it as usize];
        assert_eq!((totals.received, totals.accepted, totals.dropped), (400, 180, 0));
    }
}
