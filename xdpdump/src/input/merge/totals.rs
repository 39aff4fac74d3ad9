//! Totals of interfaces that several files have.

use std::collections::{BTreeMap, btree_map::Entry};

use crate::packet::InterfaceStatistics;

/// The totals of each interface.
pub fn sum(all: impl Iterator<Item = InterfaceStatistics>) -> Vec<InterfaceStatistics> {
    let mut totals = BTreeMap::<u32, InterfaceStatistics>::new();
    for statistics in all {
        match totals.entry(statistics.interface) {
            Entry::Vacant(entry) => drop(entry.insert(statistics)),
            Entry::Occupied(mut entry) => add(entry.get_mut(), statistics),
        }
    }
    totals.into_values().collect()
}

/// Adds totals of the same interface in another file. Those that begin at the same time are of one capture: the newer ones
/// contain the older ones.
fn add(totals: &mut InterfaceStatistics, more: InterfaceStatistics) {
    if totals.start == more.start {
        if more.end > totals.end {
            *totals = more;
        }
        return;
    }
    totals.start = totals.start.min(more.start);
    totals.end = totals.end.max(more.end);
    for (sum, number) in [
        (&mut totals.received, more.received),
        (&mut totals.accepted, more.accepted),
        (&mut totals.dropped, more.dropped),
        (&mut totals.delivered, more.delivered),
    ] {
        *sum = sum.saturating_add(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Timestamp;

    fn totals(interface: u32, start: i64, end: i64, received: u64) -> InterfaceStatistics {
        let (start, end) = (Timestamp(start), Timestamp(end));
        InterfaceStatistics { interface, start, end, received, ..InterfaceStatistics::default() }
    }

    #[test]
    fn what_began_together_is_one_capture() {
        let files = [totals(1, 5, 10, 100), totals(1, 5, 20, 300), totals(1, 5, 15, 200), totals(0, 1, 2, 3)];
        assert_eq!(sum(files.into_iter()), [totals(0, 1, 2, 3), totals(1, 5, 20, 300)]);
        let files = [totals(0, 10, 20, 5), totals(0, 0, 10, 4), totals(0, 20, 30, 3)];
        assert_eq!(sum(files.into_iter()), [totals(0, 0, 30, 12)]);
    }
}
