//! Captures that go on, in several pipes, become one capture.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use xdpdump::{
    input::{CaptureFile, Item},
    output::{self, Format, Precision, pcapng::encode},
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};

const MS: i64 = 1_000_000;
/// Far more than anything takes on a slow machine.
const ENOUGH: Duration = Duration::from_mins(1);

/// A source of packets: what it writes into its pipe.
struct Writer {
    pipe: Box<dyn Write + Send>,
}

impl Writer {
    /// Begins a capture of an interface `eth0`.
    fn new(mut pipe: Box<dyn Write + Send>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("head");
        let mut sink = output::open(&path, Format::Pcapng, Precision::Nano).unwrap();
        let (link_type, name) = (LinkType::ETHERNET, Some("eth0".to_owned()));
        sink.interface(&Interface { link_type, name, ..Interface::default() }).unwrap();
        sink.finish(&[]).unwrap();
        pipe.write_all(&fs::read(path).unwrap()).unwrap();
        pipe.flush().unwrap();
        Self { pipe }
    }

    fn into(path: &Path) -> Self {
        Self::new(Box::new(File::options().write(true).open(path).unwrap()))
    }

    /// Writes a packet of this time.
    fn packet(&mut self, time: i64) {
        self.pipe.write_all(&packet(time)).unwrap();
        self.pipe.flush().unwrap();
    }
}

/// A packet as a block.
fn packet(time: i64) -> Vec<u8> {
    let mut block = Vec::new();
    let (timestamp, meta) = (Timestamp(time), Meta::default());
    let frame = &[0x5a; 60];
    let packet = Packet {
        timestamp,
        uptime: None,
        record: xdpdump::packet::Record::None,
        interface: 0,
        frame,
        frame_len: 60,
        meta,
    };
    encode::enhanced_packet(&mut block, &packet);
    block
}

/// A folder with named pipes, and the tool that reads them.
struct Scene {
    folder: tempfile::TempDir,
    pipes: Vec<PathBuf>,
}

impl Scene {
    fn new(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipes: Vec<_> = names.iter().map(|name| folder.path().join(name)).collect();
        for pipe in &pipes {
            mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }
        Self { folder, pipes }
    }

    fn start(&self, arguments: &[&str]) -> Tool {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xdpdump"));
        for pipe in &self.pipes {
            command.arg("-r").arg(pipe);
        }
        command.args(arguments).current_dir(self.folder.path());
        Tool::start(&mut command)
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn writers(&self) -> Vec<Writer> {
        self.pipes.iter().map(|pipe| Writer::into(pipe)).collect()
    }
}

struct Tool(Child);

impl Tool {
    fn start(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn signal(&self, signal: i32) {
        // SAFETY: no pointers are passed. The child has not been waited for, so the process id is still its own.
        assert_eq!(unsafe { libc::kill(self.0.id().cast_signed(), signal) }, 0);
    }

    /// The packets as they come out, for `-w -`.
    fn packets(&mut self) -> Receiver<(i64, String)> {
        let pipe = self.0.stdout.take().unwrap();
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut file = CaptureFile::new(pipe, "output").unwrap();
            let mut names = Vec::new();
            while let Ok(Some(item)) = file.next() {
                match item {
                    Item::Interface(interface) => names.push(interface.name.clone().unwrap()),
                    Item::Packet(packet) => {
                        let name = names[packet.interface as usize].clone();
                        if sender.send((packet.timestamp.0, name)).is_err() {
                            return;
                        }
                    }
                    Item::Statistics(..) | Item::Block(_) => {}
                }
            }
        });
        receiver
    }

    /// Its status and its messages but for "reading from".
    fn end(self) -> (Option<i32>, Vec<String>) {
        let output = self.0.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let lines = said.lines().filter(|line| !line.starts_with("reading from file "));
        (output.status.code(), lines.map(str::to_owned).collect())
    }
}

/// Times and interfaces of the packets of a file.
fn read(path: &Path) -> Vec<(i64, String)> {
    let mut file = CaptureFile::open(path).unwrap();
    let (mut names, mut packets) = (Vec::new(), Vec::new());
    while let Some(item) = file.next().unwrap() {
        match item {
            Item::Interface(interface) => names.push(interface.name.clone().unwrap()),
            Item::Packet(packet) => {
                packets.push((packet.timestamp.0, names[packet.interface as usize].clone()));
            }
            Item::Statistics(..) | Item::Block(_) => {}
        }
    }
    packets
}

fn is_in_order(packets: &[(i64, String)]) -> bool {
    packets.is_sorted_by_key(|(time, _)| *time)
}

#[test]
fn three_sources_whose_packets_come_at_different_times() {
    let scene = Scene::new(&["a", "b", "c"]);
    let tool = scene.start(&["-w", "out", "--reorder-window", "20s"]);
    let writers = scene.writers();
    // Each is slow in a way of its own; c has little to say.
    let threads = writers.into_iter().zip([(3, 1), (7, 4), (60, 40)]).map(|(mut writer, (step, delay))| {
        thread::spawn(move || {
            for number in 0..300 / step {
                thread::sleep(Duration::from_millis(delay));
                writer.packet(number * step * MS);
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    let (status, said) = tool.end();
    assert_eq!(status, Some(0), "{said:?}");
    assert!(said.iter().all(|line| line.contains(" ended after ")), "{said:?}");
    let packets = read(&scene.out());
    let count = |name: &str| packets.iter().filter(|(_, of)| of.ends_with(name)).count();
    assert_eq!((count("a:eth0"), count("b:eth0"), count("c:eth0")), (100, 42, 5));
    assert!(is_in_order(&packets), "{packets:?}");
}

#[test]
fn clocks_apart_lose_nothing_and_are_said() {
    let scene = Scene::new(&["a", "b", "c"]);
    let tool = scene.start(&["-w", "out", "--reorder-window", "200ms"]);
    let mut writers = scene.writers();
    for number in 0..40 {
        thread::sleep(Duration::from_millis(25));
        for (writer, offset) in writers.iter_mut().zip([0, 10, -5000]) {
            writer.packet((10_000 + 25 * number + offset) * MS);
        }
    }
    thread::sleep(Duration::from_millis(500));
    drop(writers);
    let (status, said) = tool.end();
    assert_eq!(status, Some(0), "{said:?}");
    let packets = read(&scene.out());
    assert_eq!(packets.len(), 120);
    let late: Vec<_> = said.iter().filter(|line| line.contains(" too late for the order ")).collect();
    // By what its clock differs, without the window for which the others waited.
    let line = late.iter().find(|line| line.contains("/c: ")).unwrap_or_else(|| panic!("{said:?}"));
    assert!([" came up to 4.", " came up to 5."].iter().any(|most| line.contains(most)), "{said:?}");
    let of_c = packets.iter().filter(|(_, name)| name.ends_with("c:eth0"));
    assert_eq!(of_c.count(), 40);
}

#[test]
fn a_source_that_stalls_holds_the_others_up_for_the_window_and_no_longer() {
    let scene = Scene::new(&["a", "b"]);
    let mut tool = scene.start(&["-w", "-", "--reorder-window", "2s"]);
    let packets = tool.packets();
    let mut writers = scene.writers();
    let [a, b] = &mut writers[..] else { panic!() };
    // b has said that it is there, and nothing more.
    let begin = Instant::now();
    (0..100).for_each(|time| a.packet(time * MS));
    assert_eq!(packets.recv_timeout(ENOUGH).unwrap().0, 0);
    assert!(begin.elapsed() >= Duration::from_millis(1800), "{:?}", begin.elapsed());
    for time in 1..100 {
        assert_eq!(packets.recv_timeout(ENOUGH).unwrap(), (time * MS, "a:eth0".to_owned()));
    }
    // While b is silent, each packet of a waits for it; one of b that comes in time is in order.
    a.packet(300 * MS);
    b.packet(200 * MS);
    assert_eq!(packets.recv_timeout(ENOUGH).unwrap(), (200 * MS, "b:eth0".to_owned()));
    assert_eq!(packets.recv_timeout(ENOUGH).unwrap(), (300 * MS, "a:eth0".to_owned()));
    // And one that does not is written all the same.
    b.packet(250 * MS);
    a.packet(400 * MS);
    assert_eq!(packets.recv_timeout(ENOUGH).unwrap(), (250 * MS, "b:eth0".to_owned()));
    assert_eq!(packets.recv_timeout(ENOUGH).unwrap().0, 400 * MS);
    drop(writers);
    let (status, said) = tool.end();
    assert_eq!(status, Some(0), "{said:?}");
    let late: Vec<_> = said.iter().filter(|line| line.contains(" too late for the order ")).collect();
    assert!(
        matches!(late[..], [line] if line.contains("/b: 1 packet came up to 0.050 s too late for the order of time and ")),
        "{said:?}"
    );
}

#[test]
fn two_sources_that_are_busy_do_not_wait_for_the_window() {
    let scene = Scene::new(&["a", "b"]);
    let mut tool = scene.start(&["-w", "-", "--reorder-window", "60m"]);
    let packets = tool.packets();
    let mut writers = scene.writers();
    for time in 0..100 {
        for (writer, offset) in writers.iter_mut().zip([0, 1]) {
            writer.packet((2 * time + offset) * MS);
        }
    }
    // All but the last, for which a has nothing later.
    for time in 0..199 {
        assert_eq!(packets.recv_timeout(ENOUGH).unwrap().0, time * MS);
    }
    assert!(packets.recv_timeout(Duration::from_millis(300)).is_err());
    drop(writers);
    assert_eq!(packets.recv_timeout(ENOUGH).unwrap().0, 199 * MS);
    assert_eq!(tool.end().0, Some(0));
}

#[test]
fn a_source_that_is_killed_one_that_ends_and_one_that_never_comes() {
    let scene = Scene::new(&["a", "b", "c", "d"]);
    let tool = scene.start(&["-w", "out", "--reorder-window", "300ms"]);
    // Nobody opens d.
    let mut writers: Vec<_> = scene.pipes[..3].iter().map(|pipe| Writer::into(pipe)).collect();
    for time in 0..10 {
        writers.iter_mut().zip(0..).for_each(|(writer, offset)| writer.packet((10 * time + offset) * MS));
    }
    // b is killed within a packet, and c ends.
    let block = packet(200 * MS);
    writers[1].pipe.write_all(&block[..50]).unwrap();
    writers.truncate(1);
    thread::sleep(Duration::from_secs(1));
    (10..20).for_each(|time| writers[0].packet(10 * time * MS));
    drop(writers);
    // d is a command that failed.
    thread::sleep(Duration::from_millis(200));
    drop(File::options().write(true).open(&scene.pipes[3]).unwrap());
    let (status, said) = tool.end();
    assert_eq!(status, Some(1), "{said:?}");
    let has = |begin: &str, end: &str| {
        let prefix = format!("xdpdump: {}/{begin}", scene.folder.path().display());
        assert!(
            said.iter().any(|line| line.starts_with(&prefix) && line.ends_with(end)),
            "{begin}: {said:?}"
        );
    };
    has("b: truncated dump file; tried to read ", " other inputs go on");
    has("c ended after 10 packets; ", " go on");
    has("d: truncated dump file; tried to read 4 file header bytes, only got 0", "");
    assert_eq!(said.last().unwrap(), "xdpdump: 2 of 4 inputs were not read to their ends");
    assert_eq!(read(&scene.out()).len(), 40);
}

#[test]
fn a_signal_ends_it_with_all_that_was_read() {
    for (arguments, ending) in [(&["-w", "out"][..], libc::SIGINT), (&["-w", "out"], libc::SIGTERM)] {
        let scene = Scene::new(&["a", "b"]);
        let tool = scene.start(&[arguments, &["--reorder-window", "10m"]].concat());
        let mut writers = scene.writers();
        // b has nothing, so all of them wait, and the last one is not complete.
        (0..50).for_each(|time| writers[0].packet(time * MS));
        writers[0].pipe.write_all(&packet(50 * MS)[..30]).unwrap();
        thread::sleep(Duration::from_millis(1500));
        tool.signal(ending);
        let (status, said) = tool.end();
        assert_eq!((status, said.len()), (Some(0), 0), "{said:?}");
        let packets = read(&scene.out());
        assert!(packets.len() == 50 && is_in_order(&packets), "{packets:?}");
    }
}

#[test]
fn the_end_of_the_reader_is_noticed_while_nothing_comes() {
    let scene = Scene::new(&["a", "b"]);
    let mut tool = scene.start(&["-w", "-"]);
    let writers = scene.writers();
    thread::sleep(Duration::from_millis(300));
    drop(tool.0.stdout.take());
    let (status, said) = tool.end();
    assert_eq!((status, said.len()), (Some(0), 0), "{said:?}");
    drop(writers);
}

#[test]
fn a_limit_ends_it_while_the_sources_go_on() {
    let scene = Scene::new(&["a", "b"]);
    let tool = scene.start(&["-w", "out", "-c", "7", "--reorder-window", "100ms"]);
    let mut writers = scene.writers();
    (0..20).for_each(|time| writers[0].packet(time * MS));
    let (status, said) = tool.end();
    assert_eq!((status, said.len()), (Some(0), 0), "{said:?}");
    assert_eq!(read(&scene.out()).len(), 7);
    drop(writers);
}

#[test]
fn compressed_streams_are_shown_as_they_come() {
    let scene = Scene::new(&["a", "b"]);
    let mut tool = scene.start(&["-w", "-", "--reorder-window", "50ms"]);
    let packets = tool.packets();
    let pipe = |number: usize| File::options().write(true).open(&scene.pipes[number]).unwrap();
    let zstd = zstd::stream::write::Encoder::new(pipe(0), 1).unwrap().auto_finish();
    let gzip = flate2::write::GzEncoder::new(pipe(1), flate2::Compression::fast());
    let mut writers = [Writer::new(Box::new(zstd)), Writer::new(Box::new(gzip))];
    for time in 0..20 {
        for (writer, offset) in writers.iter_mut().zip([0, 1]) {
            writer.packet((2 * time + offset) * MS);
            assert!(packets.recv_timeout(ENOUGH).is_ok(), "before more is written, after the window");
        }
    }
    drop(writers);
    assert_eq!(tool.end().0, Some(0));
}

#[test]
fn process_substitution_with_names_of_hosts() {
    let folder = tempfile::tempdir().unwrap();
    for (name, times) in [("x", [1, 3]), ("y", [2, 4])] {
        let path = folder.path().join(name);
        let mut writer = Writer::new(Box::new(File::create(path).unwrap()));
        for time in times {
            writer.packet(time * MS);
        }
    }
    let script = r#"exec "$1" -r web=<(cat x) -r db=<(cat y) -w out"#;
    let mut command = Command::new("bash");
    command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_xdpdump")]).current_dir(folder.path());
    let output = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: bash is not installed");
            return;
        }
        output => output.unwrap(),
    };
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("reading from file web, link-type EN10MB (Ethernet)"), "{said}");
    let packets: Vec<_> = read(&folder.path().join("out"));
    let expected = [(1, "web"), (2, "db"), (3, "web"), (4, "db")];
    assert_eq!(packets, expected.map(|(time, name)| (time * MS, format!("{name}:eth0"))));
}
