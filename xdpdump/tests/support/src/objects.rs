//! The BPF objects that a process holds, by their ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use crate::{observed::Runs, wait};

/// Ids of programs, maps and links. The kernel does not soon reuse an id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// Ids of programs.
    pub programs: BTreeSet<u32>,
    /// Ids of maps.
    pub maps: BTreeSet<u32>,
    /// Ids of links.
    pub links: BTreeSet<u32>,
}

impl Objects {
    /// The objects that a process has open.
    pub fn of_process(pid: i32) -> Self {
        let mut objects = Self::default();
        for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap() {
            // A descriptor may have been closed meanwhile.
            let info = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            for line in info.lines() {
                let Some((key, value)) = line.split_once(":\t") else { continue };
                let numbers = match key {
                    // A link also shows the id of its program.
                    "prog_id" => &mut objects.programs,
                    "map_id" => &mut objects.maps,
                    "link_id" => &mut objects.links,
                    _ => continue,
                };
                numbers.insert(value.parse().unwrap());
            }
        }
        objects
    }

    /// How often each of the programs ran that a process has open, once for each of them, ordered by id; see
    /// [`Observed::runs`](crate::observed::Observed::runs).
    pub fn runs_of_process(pid: i32) -> Vec<Runs> {
        let mut runs = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap() {
            let info = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
            let number =
                |key| info.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok());
            if let (Some(id), Some(count), Some(time)) =
                (number("prog_id:"), number("run_cnt:"), number("run_time_ns:"))
            {
                runs.insert(id, Runs { count, time });
            }
        }
        runs.into_values().collect()
    }

    /// All objects in the kernel.
    pub fn all() -> Self {
        Self { programs: listed("prog"), maps: listed("map"), links: listed("link") }
    }

    /// Adds the objects of another process.
    pub fn extend(&mut self, other: Self) {
        self.programs.extend(other.programs);
        self.maps.extend(other.maps);
        self.links.extend(other.links);
    }

    /// Waits until none of these objects exists any more.
    pub fn assert_gone(&self) {
        wait::until_equal(&Self::default(), || self.left());
    }

    /// Those of these objects that still exist.
    fn left(&self) -> Self {
        let all = Self::all();
        Self {
            programs: &self.programs & &all.programs,
            maps: &self.maps & &all.maps,
            links: &self.links & &all.links,
        }
    }
}

/// The ids of all objects of one kind, from the output of `bpftool`. It is repeated, because it fails if another process
/// creates or deletes an object meanwhile.
fn listed(kind: &str) -> BTreeSet<u32> {
    let mut numbers = None;
    wait::until(|| {
        let output =
            Command::new("bpftool").args([kind, "list"]).output().expect("bpftool runs (package bpftool)");
        let list = String::from_utf8_lossy(&output.stdout).into_owned();
        numbers = output.status.success().then_some(list);
        numbers.is_some()
    });
    let list = numbers.unwrap_or_default();
    list.lines().filter_map(|line| line.split_once(':')?.0.parse().ok()).collect()
}
