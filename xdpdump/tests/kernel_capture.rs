//! Everyday traffic on a real kernel is captured frame by frame as tcpdump records it. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    path::Path,
    thread,
};

use xdpdump_testing::{
    capture::{Capture, Totals},
    files::{self, Contents, Recorded},
    kernel,
    netns::NetNs,
    tun::Tun,
    wait::{self, PATIENCE},
    wire::{self, Wire},
};

/// The first and the last frame that are compared: frames before or after them may be in one capture only.
const FIRST: &[u8] = b"first of all frames";
const LAST: &[u8] = b"last of all frames";
const MARK_LEN: usize = 60;

const RIGHT: [&str; 2] = ["10.0.0.2", "fd00::2"];
const MILLISECOND: i64 = 1_000_000;

#[test]
fn native_capture_equals_tcpdumps() {
    capture_beside_tcpdump("native.pcapng", "in", &["-N"]);
}

#[test]
fn generic_capture_equals_tcpdumps() {
    capture_beside_tcpdump("generic.pcapng", "in", &["-S"]);
}

#[test]
fn native_capture_to_a_classic_file_equals_tcpdumps() {
    capture_beside_tcpdump("native.pcap", "in", &["-N"]);
}

#[test]
fn generic_capture_in_microseconds_equals_tcpdumps() {
    capture_beside_tcpdump("generic.pcap", "in", &["-S", "--time-stamp-precision", "micro"]);
}

#[test]
fn a_capture_of_both_directions_equals_tcpdumps() {
    for transport in kernel::transports() {
        capture_beside_tcpdump("both.pcapng", "inout", &["--transport", transport]);
    }
}

fn capture_beside_tcpdump(name: &str, direction: &str, options: &[&str]) {
    let (left, right) = addressed_pair();
    if direction == "inout" {
        // The kernel fills in checksums and divides segments after the tc hook, but before tcpdump. Now it does neither.
        right.execute("ethtool", &["-K", "right", "tx", "on"]);
        right.ip(["link", "set", "right", "gso_max_segs", "1"]);
    }
    let directory = tempfile::tempdir().unwrap();
    let (path, tcpdump_path) = (directory.path().join(name), directory.path().join("tcpdump.pcap"));

    let file = ["-i", "right", "-Q", direction, "-w", path.to_str().unwrap()];
    let capture = Capture::start(&right, file.iter().chain(options));
    let tcpdump = start_tcpdump(&right, direction, &tcpdump_path);
    let wire = Wire::open(&left, "left");
    wire.send(&wire::frame(MARK_LEN, FIRST));
    for address in RIGHT {
        ping(&left, address);
        tcp_conversation(&left, &right, address.parse().unwrap());
        udp_conversation(&left, &right, address.parse().unwrap());
    }
    wire.send(&wire::frame(MARK_LEN, LAST));
    wait::until(|| fs::read(&tcpdump_path).unwrap().windows(LAST.len()).any(|bytes| bytes == LAST));
    let totals = capture.stop().totals();
    assert_eq!(tcpdump.stop().totals().dropped, 0);

    let contents = files::read(&path);
    let count = contents.packets.len();
    assert_eq!(totals, Totals::exact(count as u64, 0));
    assert_eq!(files::read_by_tshark(&path).len(), count);
    assert_same(&between_marks(&contents), &between_marks(&files::read(&tcpdump_path)));
}

/// A pair of interfaces with addresses, without offloads: frames look as on a real wire, not segmented or merged by
/// hardware and with their checksums filled in.
fn addressed_pair() -> (NetNs, NetNs) {
    let (left, right) = NetNs::pair("left", "right");
    for (netns, name, number) in [(&left, "left", 1), (&right, "right", 2)] {
        netns.ip(["address", "add", &format!("10.0.0.{number}/24"), "dev", name]);
        netns.ip(["address", "add", &format!("fd00::{number}/64"), "dev", name, "nodad"]);
        netns.execute("ethtool", &["-K", name, "gro", "off", "gso", "off", "tso", "off", "tx", "off"]);
    }
    (left, right)
}

fn start_tcpdump(netns: &NetNs, direction: &str, path: &Path) -> Capture {
    let mut tcpdump = netns.command("tcpdump");
    tcpdump.args([
        "-i",
        "right",
        "-Q",
        direction,
        "-n",
        "-U",
        "--immediate-mode",
        "-B",
        "65536",
        "-Z",
        "root",
    ]);
    tcpdump.args(["--time-stamp-precision", "nano", "-w"]).arg(path);
    let mut tcpdump = Capture::spawn(&mut tcpdump);
    tcpdump.wait_for("listening on");
    tcpdump
}

fn ping(from: &NetNs, address: &str) {
    from.execute("ping", &["-q", "-n", "-c", "3", "-i", "0.1", "-s", "1000", address]);
}

/// A conversation with data in both directions.
fn tcp_conversation(from: &NetNs, to: &NetNs, address: IpAddr) {
    let listener = to.run(|| TcpListener::bind((address, 0))).unwrap();
    let server = listener.local_addr().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = listener.accept().unwrap().0;
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut request = vec![0; 200_000];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(&request[..100_000]).unwrap();
        });
        let mut stream = from.run(|| TcpStream::connect(server)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(&wire::frame(200_000, b"GET")).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer.len(), 100_000);
    });
}

/// Datagrams of many sizes, each answered; the last is fragmented.
fn udp_conversation(from: &NetNs, to: &NetNs, address: IpAddr) {
    let server = to.run(|| UdpSocket::bind((address, 0))).unwrap();
    let any: SocketAddr = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().unwrap();
    let client = from.run(|| UdpSocket::bind(any)).unwrap();
    client.connect(server.local_addr().unwrap()).unwrap();
    for socket in [&server, &client] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    for len in [0, 1, 18, 100, 1400, 4000] {
        client.send(&vec![7; len]).unwrap();
        let (received, peer) = server.recv_from(&mut [0; 8192]).unwrap();
        assert_eq!(received, len);
        server.send_to(b"thanks", peer).unwrap();
        assert_eq!(client.recv(&mut [0; 8192]).unwrap(), 6);
    }
}

fn between_marks(contents: &Contents) -> Vec<Recorded> {
    let position = |tag| {
        let mark = wire::frame(MARK_LEN, tag);
        contents.packets.iter().position(|packet| packet.frame == mark).unwrap()
    };
    contents.packets[position(FIRST)..=position(LAST)].to_vec()
}

/// Asserts that both recorded the same frames at the same times. The order may differ: a frame of another CPU can overtake
/// between the two capture points.
fn assert_same(ours: &[Recorded], tcpdumps: &[Recorded]) {
    // At least 3 pings, 136 segments and 9 UDP packets, twice.
    assert!(tcpdumps.len() > 296, "tcpdump recorded only {} frames", tcpdumps.len());
    let sorted = |packets: &[Recorded]| {
        let mut packets = packets.to_vec();
        packets.sort_by(|a, b| (&a.frame, a.time).cmp(&(&b.frame, b.time)));
        packets
    };
    let (ours, tcpdumps) = (sorted(ours), sorted(tcpdumps));
    assert_eq!(ours.len(), tcpdumps.len());
    for (ours, tcpdumps) in ours.iter().zip(&tcpdumps) {
        assert_eq!(ours.frame, tcpdumps.frame);
        assert_eq!(ours.frame_len, tcpdumps.frame_len);
    }
    let differences = ours.iter().zip(&tcpdumps).map(|(ours, tcpdumps)| (ours.time - tcpdumps.time).abs());
    let mut differences: Vec<_> = differences.collect();
    differences.sort_unstable();
    // A busy host may stop the machine between the two capture points, for some frames.
    let large = differences[differences.len() * 99 / 100];
    assert!(
        large < MILLISECOND * i64::from(wait::slowness()),
        "the times of some frames differ from tcpdump's by {large} ns and more"
    );
}

#[test]
fn packets_of_a_tunnel_begin_with_their_ip_header() {
    let netns = NetNs::new();
    let tun = Tun::new(&netns, "tun0");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tun.pcapng");
    let capture = Capture::start(&netns, ["-i", "tun0", "-w", path.to_str().unwrap()]);
    // IPv4 with a UDP header and no data, which no socket receives.
    let packet =
        [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x30, 0x39, 0, 9, 0, 8, 0, 0];
    tun.send(&packet);
    // The kernel may send packets of its own on the interface, but those are outgoing.
    assert_eq!(capture.stop().totals(), Totals::exact(1, 0));
    assert_eq!(files::read(&path).frames(), [packet]);
    assert_eq!(files::read_by_tshark(&path), [28]);
}
