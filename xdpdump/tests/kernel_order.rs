//! Packets of several CPUs are written in the order of their time. Needs root and two CPUs.

use std::{collections::BTreeSet, sync::Barrier, thread, time::Duration};

use xdpdump_testing::{
    capture::{Capture, Totals},
    cpu, files, kernel,
    netns::NetNs,
    wire::{self, Wire},
};

const CPUS: [usize; 2] = [0, 1];
/// Frames from each CPU, sent in `ROUNDS` rounds. One CPU reads a veth queue until it is empty; then the next CPU that
/// sends takes over.
const FRAMES: usize = 50_000;
const ROUNDS: usize = 50;

#[test]
fn no_packet_of_two_busy_cpus_is_earlier_than_its_predecessor() {
    for mode in ["-S", "-N"] {
        for transport in kernel::transports() {
            let (sender, receiver) = NetNs::quiet_pair("left", "right");
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("order.pcapng");
            let arguments =
                ["-i", "right", mode, "--transport", transport, "-B", "65536", "-w", path.to_str().unwrap()];
            let capture = Capture::start(&receiver, arguments);

            let begin = Barrier::new(CPUS.len());
            thread::scope(|scope| {
                for cpu in CPUS {
                    let wire = Wire::open(&sender, "left");
                    let begin = &begin;
                    scope.spawn(move || {
                        // The other end of a veth pair receives a frame on the CPU that sent it.
                        cpu::stay_on(cpu);
                        let frame = wire::frame(60, &[cpu as u8]);
                        for _ in 0..ROUNDS {
                            begin.wait();
                            // The network stack may be too busy to accept a frame.
                            (0..FRAMES / ROUNDS).for_each(|_| drop(wire.try_send(&frame)));
                            thread::sleep(Duration::from_millis(1));
                        }
                    });
                }
            });
            let ended = capture.stop();
            let way = format!("{mode} {transport}");
            let totals = ended.totals();
            assert_eq!(totals, Totals::exact(totals.captured, 0), "{way}");
            let packets = files::read(&path).packets;
            assert_eq!(packets.len() as u64, totals.captured, "{way}");
            let late = ended.late() as usize;
            let earlier = packets.windows(2).filter(|pair| pair[1].time < pair[0].time).count();
            assert!(earlier <= late && late < packets.len() / 100, "{way}: {earlier} of {late}");
            // The upper bits of the packet id are the number of the CPU.
            let on: BTreeSet<_> = packets.iter().map(|packet| packet.meta.packet_id.unwrap() >> 48).collect();
            assert_eq!(on.len(), CPUS.len(), "{way}: all frames came from {on:?}");
            let turns = packets.windows(2).filter(|pair| {
                pair[0].meta.packet_id.unwrap() >> 48 != pair[1].meta.packet_id.unwrap() >> 48
            });
            assert!(turns.count() > 10, "{way}: one CPU after the other");
        }
    }
}
