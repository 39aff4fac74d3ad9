//! The receive queues of an interface, and the CPUs that take frames from them.

use std::{collections::BTreeSet, fs};

use crate::{cpus, interface::Link};

/// Words in the names of interrupts that announce no received frames.
const OTHERS: [&str; 9] = ["config", "output", "tx", "event", "async", "misc", "admin", "mbox", "ctrl"];

/// The receive queues of an interface, as far as they can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queues {
    /// Their number; 0 if it cannot be seen.
    pub count: usize,
    /// The CPUs to which their interrupts come; empty if that cannot be seen.
    pub cpus: BTreeSet<u32>,
}

impl Queues {
    /// The queues of an interface.
    pub fn of(link: &Link) -> Self {
        let queues = link.receive_queues().unwrap_or_default();
        let told: Vec<u32> = queues.iter().filter_map(|queue| queue.interrupt).collect();
        let count = if queues.is_empty() { link.receive_queues as usize } else { queues.len() };
        let bus = link.driver.as_ref().and_then(|driver| driver.bus.as_deref());
        let interrupts = match bus {
            _ if !told.is_empty() => told,
            Some(bus) => {
                let table = fs::read_to_string("/proc/interrupts").unwrap_or_default();
                interrupts(&table, &link.display_name(), bus)
            }
            None => Vec::new(),
        };
        let cpus = interrupts.into_iter().filter_map(affinity).flatten().collect();
        Self { count, cpus }
    }
}

/// The CPUs to which an interrupt comes.
fn affinity(interrupt: u32) -> Option<BTreeSet<u32>> {
    // The first is the truth, where the kernel tells it; the second is what was allowed.
    ["effective_affinity_list", "smp_affinity_list"].into_iter().find_map(|file| {
        let text = fs::read_to_string(format!("/proc/irq/{interrupt}/{file}")).ok()?;
        cpus::parse_list(&text).filter(|cpus| !cpus.is_empty())
    })
}

/// The interrupts of an interface for received frames, from `/proc/interrupts`: lines such as
/// ` 38:  0  62628  PCI-MSIX-0000:00:03.0  2-edge  virtio2-input.0`, which name the interface or its place on the bus.
fn interrupts(table: &str, interface: &str, bus: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for line in table.lines() {
        let Some((number, rest)) = line.split_once(':') else { continue };
        let Ok(number) = number.trim().parse() else { continue };
        let words = || rest.split_whitespace();
        let Some(name) = words().next_back() else { continue };
        let is_its = words().any(|word| word.contains(bus) || is_of(word, interface));
        let is_other = OTHERS.iter().any(|other| {
            name.split(|c: char| !c.is_ascii_alphabetic()).any(|part| part.eq_ignore_ascii_case(other))
        });
        if is_its && !is_other {
            found.push(number);
        }
    }
    found
}

/// Whether the name of an interrupt begins with that of the interface, as in `eth0-rx-3`.
fn is_of(word: &str, interface: &str) -> bool {
    word.strip_prefix(interface).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '@', '.', ':']))
}

/// CPUs in the form of the kernel's lists, such as `0-3,7`.
pub fn list(cpus: &BTreeSet<u32>) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &cpu in cpus {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == cpu => *last = cpu,
            _ => ranges.push((cpu, cpu)),
        }
    }
    let range = |(first, last): &(u32, u32)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: &str = "           CPU0       CPU1
 37:          0          0 PCI-MSIX-0000:00:03.0   0-edge      virtio2-config
 38:          0      62628 PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0
 39:      53433          0 PCI-MSIX-0000:00:03.0   2-edge      virtio2-output.0
 41:          7          0 PCI-MSI 524288-edge      eth1-TxRx-0
 42:          0          7 PCI-MSI 524289-edge      eth1-TxRx-1
 43:          0          7 PCI-MSI 524290-edge      eth10-TxRx-0
 51:          0          0 IR-PCI-MSIX-0000:03:00.0    0-edge      mlx5_async0@pci:0000:03:00.0
 52:          0          0 IR-PCI-MSIX-0000:03:00.0    1-edge      mlx5_comp0@pci:0000:03:00.0
NMI:          0          0   Non-maskable interrupts
";

    #[test]
    fn interrupts_are_found_by_bus_or_name() {
        assert_eq!(interrupts(TABLE, "eth0", "0000:00:03.0"), [38]);
        assert_eq!(interrupts(TABLE, "eth1", "0000:01:00.0"), [41, 42]);
        assert_eq!(interrupts(TABLE, "ens2", "0000:03:00.0"), [52]);
        assert_eq!(interrupts(TABLE, "eth7", "0000:07:00.0"), [0u32; 0]);
    }

    #[test]
    fn cpus_are_listed_as_the_kernel_does() {
        assert_eq!(list(&[0, 1, 2, 3, 7, 9, 10].into()), "0-3,7,9-10");
        assert_eq!(list(&[5].into()), "5");
        assert_eq!(list(&BTreeSet::new()), "");
    }

    proptest! {
        #[test]
        fn no_table_is_too_strange(table in "([ 0-9]{0,4}:? ?[a-z0-9:@.\n-]{0,12}){0,20}") {
            let _ = interrupts(&table, "eth0", "0000:00:03.0");
        }
    }
}
