//! The line on a terminal that says how a capture goes. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use xdpdump_testing::{
    capture::xdpdump,
    files, kernel,
    processes::{self, Running},
    scene::Scene,
    terminal::Terminal,
    wait,
};

/// A terminal of usual width.
const COLUMNS: u16 = 100;

/// How to capture `right` into a file with messages on a terminal.
fn command(scene: &Scene, terminal: &Terminal, file: &Path, options: &[&str]) -> Command {
    let mut command = scene.right.command(xdpdump());
    command.args(["-i", "right", "-w"]).arg(file).args(options);
    command.stderr(terminal.descriptor()).env("TERM", "xterm").env_remove("NO_COLOR");
    command
}

/// Starts a capture and waits until it listens.
fn start(scene: &Scene, terminal: &Terminal, options: &[&str]) -> Running {
    start_as(terminal, &mut command(scene, terminal, &scene.file(), options))
}

fn start_as(terminal: &Terminal, command: &mut Command) -> Running {
    terminal.show();
    let child = Running::start(command);
    wait::until(|| terminal.seen().contains("listening on"));
    child
}

/// Sends a signal to the capture alone, not to its guardian.
fn signal(child: &Running, number: i32) {
    processes::signal(child.pid(), number);
}

fn stop(mut child: Running, number: i32) {
    signal(&child, number);
    child.wait();
}

/// The line at the bottom.
fn live(terminal: &Terminal) -> String {
    terminal.screen().pop().unwrap()
}

/// Waits until the line at the bottom has these words.
fn wait_for(terminal: &Terminal, words: &str) -> String {
    wait::until(|| live(terminal).contains(words));
    live(terminal)
}

#[test]
fn the_line_says_how_the_capture_goes_and_is_gone_at_the_end() {
    let scene = Scene::new();
    let terminal = Terminal::new(COLUMNS);
    let child = start(&scene, &terminal, &["--duration", "1h"]);
    let first = wait_for(&terminal, "0 packets, 0/s, 0 bit/s, 0 lost, 0:00:0");
    assert!(first.contains(" left, ") && first.ends_with("B in capture.pcapng"), "{first}");
    scene.send_numbered(5);
    let second = wait_for(&terminal, "5 packets, ");
    assert!(second.contains(", 0 lost, 0:00:") && second.contains(", 0:59:5"), "{second}");
    let len = fs::metadata(scene.file()).unwrap().len();
    assert!(second.ends_with(&format!(" left, {len} B in capture.pcapng")), "{second} of {len}");
    scene.send_numbered(20);
    wait_for(&terminal, "25 packets, ");
    stop(child, libc::SIGTERM);
    wait::until(|| terminal.seen().contains("dropped by kernel"));
    let screen = terminal.screen();
    let [.., first, ending, captured, received, dropped, rest] = &screen[..] else { panic!("{screen:#?}") };
    assert!(first.starts_with("xdpdump: listening on right"), "{screen:#?}");
    assert_eq!(ending, "xdpdump: stopped by SIGTERM");
    assert_eq!(captured, "25 packets captured");
    assert!(received.starts_with("25 ") && dropped.starts_with("0 ") && rest.is_empty(), "{screen:#?}");
}

#[test]
fn what_is_kept_in_memory_is_in_no_file() {
    let scene = Scene::new();
    let terminal = Terminal::new(COLUMNS);
    let child = start(&scene, &terminal, &["--keep", "1M"]);
    scene.send_numbered(5);
    let line = wait_for(&terminal, "5 packets, ");
    assert!(!line.contains(" in "), "{line}");
    stop(child, libc::SIGTERM);
}

#[test]
fn the_line_is_drawn_about_once_a_second() {
    let scene = Scene::new();
    let terminal = Terminal::new(COLUMNS);
    let child = start(&scene, &terminal, &[]);
    let count = || terminal.seen().matches(" lost").count();
    let (before, begin) = (count(), Instant::now());
    scene.load(|| thread::sleep(Duration::from_secs(3)));
    let (drawn, elapsed) = (count() - before, begin.elapsed());
    assert!((2..=2 + elapsed.as_secs() as usize).contains(&drawn), "{drawn} in {elapsed:?}");
    assert!(live(&terminal).contains("bit/s"));
    stop(child, libc::SIGINT);
}

#[test]
fn messages_and_the_line_do_not_mix() {
    let scene = Scene::new();
    let terminal = Terminal::new(COLUMNS);
    let child = start(&scene, &terminal, &["--stats", "300ms"]);
    scene.send_numbered(7);
    wait_for(&terminal, "7 packets, ");
    for asked in 1..=20 {
        signal(&child, libc::SIGUSR1);
        let total = "xdpdump: 7 packets captured, 7 packets received by filter, 0 packets dropped by kernel";
        wait::until(|| terminal.screen().iter().filter(|line| *line == total).count() == asked);
        wait_for(&terminal, "7 packets, ");
    }
    let screen = terminal.screen();
    let (last, messages) = screen.split_last().unwrap();
    assert!(last.ends_with(" in capture.pcapng"), "{screen:#?}");
    let is_whole = |line: &String| {
        line.starts_with("xdpdump: right: native mode ") && line.ends_with(" disturbs less")
            || line.starts_with("xdpdump: listening on ") && line.ends_with("direction in")
            || line.starts_with("xdpdump: after ") && line.ends_with(" bytes in files")
            || line.starts_with("xdpdump: 7 packets captured, ") && line.ends_with(" dropped by kernel")
    };
    assert!(messages.iter().all(is_whole), "{screen:#?}");
    assert!(messages.iter().any(|line| line.starts_with("xdpdump: after ")), "{screen:#?}");
    stop(child, libc::SIGINT);
}

#[test]
fn there_is_no_line_where_nobody_reads_it() {
    let scene = Scene::new();
    // Not a terminal.
    let mut capture = scene.capture(&[]);
    scene.send_numbered(3);
    thread::sleep(Duration::from_millis(1500));
    capture.signal(libc::SIGUSR1);
    capture.wait_for("3 packets captured, ");
    let ended = capture.stop();
    assert!(!ended.stderr.contains(['\r', '\x1b']), "{}", ended.stderr);
    // A terminal that has something else to show, or is not one to draw on.
    let changes: [(&[&str], Option<&str>); 5] = [
        (&["-q"], Some("xterm")),
        (&["--print"], Some("xterm")),
        (&[], Some("dumb")),
        (&["-v"], Some("dumb")),
        (&[], None),
    ];
    for (options, term) in changes {
        let terminal = Terminal::new(COLUMNS);
        let mut command = command(&scene, &terminal, &scene.file(), options);
        command.stdout(std::process::Stdio::null());
        match term {
            Some(term) => command.env("TERM", term),
            None => command.env_remove("TERM"),
        };
        let child = start_as(&terminal, &mut command);
        scene.send_numbered(3);
        thread::sleep(Duration::from_millis(1500));
        stop(child, libc::SIGINT);
        wait::until(|| terminal.seen().contains("dropped by kernel"));
        let seen = terminal.seen().replace("\r\n", "\n");
        assert!(!seen.contains(['\r', '\x1b']), "{options:?} {term:?}: {seen:?}");
    }
}

#[test]
fn a_capture_that_goes_to_standard_output_has_no_line() {
    let scene = Scene::new();
    let terminal = Terminal::new(COLUMNS);
    let mut command = command(&scene, &terminal, Path::new("-"), &[]);
    command.stdout(std::process::Stdio::null());
    let child = start_as(&terminal, &mut command);
    thread::sleep(Duration::from_millis(1500));
    stop(child, libc::SIGINT);
    wait::until(|| terminal.seen().contains("dropped by kernel"));
    assert!(!terminal.seen().contains('\x1b'), "{:?}", terminal.seen());
}

#[test]
fn losses_are_red_unless_colours_are_not_wanted() {
    for no_color in [false, true] {
        let scene = Scene::new();
        let terminal = Terminal::new(COLUMNS);
        let mut command = command(&scene, &terminal, &scene.file(), &["-B", "1024"]);
        if no_color {
            command.env("NO_COLOR", "1");
        }
        let child = start_as(&terminal, &mut command);
        wait_for(&terminal, ", 0 lost");
        assert!(!terminal.seen().contains("\x1b[31m"), "nothing is lost yet");
        signal(&child, libc::SIGSTOP);
        scene.load(|| thread::sleep(Duration::from_secs(1)));
        signal(&child, libc::SIGCONT);
        wait::until(|| {
            let line = live(&terminal);
            line.contains(" lost, ") && !line.contains(", 0 lost")
        });
        let seen = terminal.seen();
        assert_eq!(seen.contains("\x1b[31m"), !no_color, "{seen:?}");
        assert_eq!(seen.contains(" lost\x1b[m, "), !no_color, "{seen:?}");
        stop(child, libc::SIGINT);
    }
}

/// After Ctrl-S, and when the terminal's program stands still.
#[test]
fn a_terminal_that_takes_nothing_does_not_hold_up_the_capture() {
    for (transport, is_full) in kernel::transports().iter().flat_map(|way| [(way, false), (way, true)]) {
        let scene = Scene::new();
        let mut terminal = Terminal::new(COLUMNS);
        let options = ["-B", "16384", "--transport", transport];
        let child = if is_full {
            // Nobody reads: more than its buffer and the tool's own hold.
            let child = Running::start(&mut command(&scene, &terminal, &scene.file(), &options));
            wait::until(|| scene.file().exists());
            thread::sleep(Duration::from_millis(500) * wait::slowness());
            for _ in 0..2000 {
                signal(&child, libc::SIGUSR1);
                thread::sleep(Duration::from_micros(500) * wait::slowness());
            }
            child
        } else {
            let child = start(&scene, &terminal, &options);
            wait_for(&terminal, "0 packets, ");
            terminal.press(b"\x13");
            child
        };
        scene.load(|| thread::sleep(Duration::from_millis(2500)));
        let arrived = scene.arrived();
        // All of them reach the file while the terminal still takes nothing.
        wait::until(|| files::read(&scene.file()).packets.len() as u64 == arrived);
        if !is_full {
            assert!(!terminal.seen().contains(&arrived.to_string()), "Ctrl-S has no effect");
        }
        // Somebody looks again.
        if is_full {
            terminal.show();
        } else {
            terminal.press(b"\x11");
        }
        wait_for(&terminal, &format!("{arrived} packets, "));
        stop(child, libc::SIGINT);
        wait::until(|| terminal.seen().contains(" dropped by kernel\r\n"));
        let screen = terminal.screen();
        assert!(screen.contains(&format!("{arrived} packets captured")), "{transport}: {screen:#?}");
        assert!(screen.contains(&"0 packets dropped by kernel".to_owned()), "{transport}: {screen:#?}");
        assert_eq!(screen.last().unwrap(), "", "{screen:#?}");
    }
}

#[test]
fn the_line_is_as_wide_as_the_terminal() {
    let scene = Scene::new();
    let terminal = Terminal::new(24);
    let child = start(&scene, &terminal, &[]);
    wait_for(&terminal, "0 packets, 0/s, 0 bit/s");
    terminal.resize(10);
    wait::until(|| live(&terminal) == "0 packets");
    terminal.resize(COLUMNS);
    wait_for(&terminal, "B in capture.pcapng");
    let seen = terminal.seen();
    let cut: Vec<_> = seen.split("\r\x1b[K").skip(1).take_while(|line| !line.contains("lost")).collect();
    assert!(cut.iter().all(|line| ["0 packets, 0/s, 0 bit/s", "0 packets"].contains(line)), "{seen:?}");
    // Its width is unknown.
    terminal.resize(0);
    thread::sleep(Duration::from_millis(1500));
    assert!(live(&terminal).ends_with("B in capture.pcapng"));
    stop(child, libc::SIGINT);
}

#[test]
fn the_file_is_the_one_that_is_written_now() {
    let scene = Scene::new();
    let terminal = Terminal::new(COLUMNS);
    let name = scene.directory.path().join("ring.pcapng");
    let child = start_as(&terminal, &mut command(&scene, &terminal, &name, &["-C", "1k"]));
    wait_for(&terminal, "B in ring.pcapng");
    scene.send_numbered(12);
    let line = wait_for(&terminal, "12 packets, ");
    let (_, newest) = line.rsplit_once(" in ").unwrap();
    assert!(newest.starts_with("ring.pcapng") && newest != "ring.pcapng", "{line}");
    let len = fs::metadata(scene.directory.path().join(newest)).unwrap().len();
    assert!(line.ends_with(&format!(", {len} B in {newest}")), "{line} of {len}");
    stop(child, libc::SIGINT);
}

#[test]
fn the_name_of_a_file_is_no_command_for_the_terminal() {
    let scene = Scene::new();
    let terminal = Terminal::new(COLUMNS);
    let name = scene.directory.path().join("\x1b]0;title\x07\n.pcapng");
    let child = start_as(&terminal, &mut command(&scene, &terminal, &name, &[]));
    wait_for(&terminal, r"B in \u{1b}]0;title\u{7}\n.pcapng");
    stop(child, libc::SIGINT);
}

#[test]
fn the_time_that_is_left_is_that_of_the_nearest_limit() {
    let scene = Scene::new();
    let terminal = Terminal::new(COLUMNS);
    let mut child = start(&scene, &terminal, &["--duration", "1h", "-c", "20"]);
    wait_for(&terminal, ", 0:59:5");
    scene.send_numbered(10);
    // As long again as until now.
    let line = wait_for(&terminal, "10 packets, ");
    assert!(line.contains(", 0:00:") && line.contains(" left, ") && !line.contains(", 0:59:"), "{line}");
    scene.send_numbered(10);
    child.wait();
    wait::until(|| terminal.seen().contains("dropped by kernel"));
    let sentence = "xdpdump: the packets of -c are captured".to_owned();
    assert!(terminal.screen().contains(&sentence), "{:#?}", terminal.screen());
}

/// A job of a shell draws only while it has the terminal, and Ctrl-C ends it then.
#[test]
fn a_job_in_the_background_leaves_the_terminal_alone() {
    let scene = Scene::new();
    let mut terminal = Terminal::new(COLUMNS);
    let script = r#"set -m; "$0" "$@" & read go; fg > /dev/null"#;
    let capture = scene.file();
    let mut command = scene.right.command("setsid");
    command.args(["--ctty", "--wait", "sh", "-c", script, xdpdump(), "-i", "right", "-w"]).arg(capture);
    command.stdin(terminal.descriptor()).stdout(terminal.descriptor()).stderr(terminal.descriptor());
    command.env("TERM", "xterm").env_remove("NO_COLOR");
    let mut shell = start_as(&terminal, &mut command);
    thread::sleep(Duration::from_millis(1500));
    assert!(!terminal.seen().contains('\x1b'), "{:?}", terminal.seen());
    terminal.press(b"\n");
    scene.send_numbered(2);
    wait_for(&terminal, "2 packets, ");
    terminal.press(b"\x03");
    shell.wait();
    wait::until(|| terminal.seen().contains("dropped by kernel"));
    let screen = terminal.screen();
    assert!(screen.contains(&"xdpdump: stopped by SIGINT".to_owned()), "{screen:#?}");
    assert!(screen.contains(&"2 packets captured".to_owned()), "{screen:#?}");
    let drawn = screen.iter().filter(|line| line.contains(" lost, ")).count();
    assert_eq!(drawn, 0, "{screen:#?}");
}
